"""Values and names as messages show them: quoted, and cut or rounded where they are long."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import islice

LONGEST = 80
MOST_COMPARED = 10_000


def quoted(value: object, limit: int = LONGEST) -> str:
    """Text in quotes, anything else as it prints; of more than `limit` characters the first, and how many there are.

    Examples
    --------
    >>> print(quoted("red"), quoted(1.5), quoted("a" * 1_000_000, limit=5))
    'red' 1.5 'aaaaa'... (1,000,000 characters)
    """
    text = value if isinstance(value, str) else repr(value)
    start = text[:limit]
    shown = repr(start) if isinstance(value, str) else start
    return shown if len(text) <= limit else f"{shown}... ({len(text):,} characters)"


def listed(values: Sequence[object], last: str = "", limit: int = 8) -> str:
    """Values as `quoted` shows them, with commas and the word `last` before the last; those after `limit` are counted.

    Examples
    --------
    >>> print(listed(["size", "age", "floor"], "or"))
    'size', 'age' or 'floor'
    >>> print(listed(range(100), limit=3))
    0, 1, 2 and 97 more
    """
    shown = [quoted(value) for value in values[:limit]]
    if len(values) > limit:
        return f"{', '.join(shown)} and {len(values) - limit:,} more"
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]]) if last and len(shown) > 1 else ", ".join(shown)


def closest(name: str, names: Iterable[str], n: int = 3) -> list[str]:
    """Up to `n` of the names that may have been meant by `name`, in any case of letters.

    Comparing costs the square of the length, so names longer than messages show, and all after 10,000, are left out.

    Examples
    --------
    >>> closest("prize", ["Price", "size", "age"])
    ['Price', 'size']
    """
    if len(name) > LONGEST:
        return []
    lowered = {known.lower(): known for known in islice(names, MOST_COMPARED) if len(known) <= LONGEST}
    return [lowered[key] for key in difflib.get_close_matches(name.lower(), lowered, n=n, cutoff=0.6)]


def rounded_up(value: float | Fraction, digits: int = 2) -> str:
    """The least number of so many significant digits that is not below a finite value, without an exponent.

    Examples
    --------
    >>> rounded_up(0.00301), rounded_up(12.0), rounded_up(-1.29)
    ('0.0031', '12', '-1.2')
    """
    return _rounded(value, Context(prec=digits, rounding=ROUND_CEILING))


def rounded_down(value: float | Fraction, digits: int = 2) -> str:
    """The largest number of so many significant digits that is not above a finite value, without an exponent."""
    return _rounded(value, Context(prec=digits, rounding=ROUND_FLOOR))


def _rounded(value: float | Fraction, context: Context) -> str:
    exact = Fraction(value)
    return format(context.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize(context), "f")
