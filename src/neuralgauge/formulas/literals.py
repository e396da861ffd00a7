"""Numbers, names and comments as code of other languages has them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import numpy as np

from ..errors import InvalidInputError
from ..networks.formula import MOST_DIGITS
from ..networks.formula_styles import visible
from ..quoting import quoted

CODE_WIDTH = 100


def checked_digits(digits: int | None) -> int | None:
    """Significant digits of numbers in code, None for all."""
    if digits is not None and not (isinstance(digits, int) and 1 <= digits <= MOST_DIGITS):
        raise InvalidInputError(
            f"`digits` must be from 1 to {MOST_DIGITS}, or None for as many as it takes, got {quoted(digits)}."
        )
    return digits


def decimal(value: float, digits: int | None = None, single: bool = False) -> str:
    """The shortest decimal that is read as the same number, of single precision if `single`; or one of some digits.

    It has a point or an exponent, so that no language takes it for an integer.

    Examples
    --------
    >>> decimal(0.1), decimal(1 / 3, single=True), decimal(100.0, digits=2), decimal(1e-30)
    ('0.1', '0.33333334', '1.0e+02', '1e-30')
    """
    number = float(np.float32(value)) if single else float(value)
    if number == 0.0:
        return "0.0"
    text = f"{number:.{digits}g}" if digits else str(np.float32(number)) if single else repr(number)
    if "." in text:
        return text
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if exponent and digits else text if exponent else f"{text}.0"


def comment(lines: Iterable[str], mark: str) -> str:
    """Lines of a comment, each after `mark`; what names hold stays on them, and ends no comment of C."""
    found = []
    for line in lines:
        shown = visible(line)
        for ending in ("*/", "/*", "??"):
            shown = shown.replace(ending, " ".join(ending))
        found += textwrap.wrap(shown, CODE_WIDTH, break_on_hyphens=False) or [""]
    return "\n".join(f"{mark} {line}".rstrip() for line in found)


def input_lines(features: Sequence[str], what: str) -> list[str]:
    """One line an input, in its place and by its name."""
    return [f"{what}[{k}]: {name}" for k, name in enumerate(features)]


def rows(values: Sequence[str], indent: str) -> str:
    """Values with commas, some on a line."""
    return textwrap.fill(", ".join(values), CODE_WIDTH, initial_indent=indent, subsequent_indent=indent)
