"""How the parts of a formula are written: as text, and in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from .._array import Array


def visible(text: str) -> str:
    r"""The text on one line: characters that are not printed, line ends among them, as their escapes.

    Examples
    --------
    >>> print(visible("a\nb\u202ec"))
    a\nb\u202ec
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


class Style:
    """How the parts of a formula are written as text."""

    times, power, relu = " ", "{}e{}", "max(0, {})"

    def __init__(self, names: Sequence[str], digits: int | None) -> None:
        self.digits = digits
        self.names = [self.name(name) for name in names]

    def name(self, name: str) -> str:
        """The name of a column or an output."""
        return name if name.isidentifier() and name != "max" else f"`{visible(name).replace('`', '``')}`"

    def number(self, value: float) -> str:
        """A number >= 0."""
        shown = f"{value:.{self.digits}g}" if self.digits else repr(float(value)).removesuffix(".0")
        mantissa, _, exponent = shown.partition("e")
        return self.power.format(mantissa, int(exponent)) if exponent else mantissa

    def product(self, size: float, term: str) -> str:
        """A number >= 0 times a term."""
        shown = self.number(size)
        return term if shown == "1" else f"{shown}{self.times}{term}"

    def neuron(self, w: Array, constant: float) -> str:
        """max(0, w^T x + constant), the constant last."""
        used = [(value, name) for value, name in zip(w.tolist(), self.names, strict=True) if value != 0.0]
        parts = [(value, self.product(abs(value), name)) for value, name in used]
        if constant != 0.0:
            parts.append((constant, self.number(abs(constant))))
        return self.relu.format(_signed(parts))

    def total(self, a: Array, terms: Sequence[str], constant: float, gap: str = " ") -> str:
        """constant + a^T terms, the constant first; terms begin with `gap`."""
        used = [(value, term) for value, term in zip(a.tolist(), terms, strict=True) if value != 0.0]
        parts = [(value, self.product(abs(value), term)) for value, term in used]
        if constant != 0.0 or not parts:
            parts.insert(0, (constant, self.number(abs(constant))))
        return _signed(parts, gap)


def _signed(parts: Sequence[tuple[float, str]], gap: str = " ") -> str:
    """Terms with the signs of their numbers between them."""
    (first, text), *rest = parts
    shown = [f"-{text}" if first < 0 else text, *(f"{'-' if value < 0 else '+'} {term}" for value, term in rest)]
    return gap.join(shown)


class Latex(Style):
    """How the parts of a formula are written in LaTeX."""

    times, power, relu = r"\,", r"{} \cdot 10^{{{}}}", r"\max(0, {})"
    escapes = {one: f"\\{one}" for one in "&%$#_{}"} | {
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
    }

    def name(self, name: str) -> str:
        """The name upright, with what LaTeX would take for commands escaped."""
        if name.isalpha() and name.isascii():
            return f"\\mathrm{{{name}}}"
        return f"\\text{{{''.join(self.escapes.get(one, one) for one in visible(name))}}}"
