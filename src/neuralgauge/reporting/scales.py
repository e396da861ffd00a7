"""Numbers as readers see them, and the scales of axes with their ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .._array import Array

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
TICKS = 5  # wanted on an axis
LEFT_FREE = 0.05  # of a linear scale, what is left free at both ends


def shown(value: float, digits: int = 4) -> str:
    """A number to so many digits, with a power of ten where it is very large or small.

    Examples
    --------
    >>> shown(1234.5678), shown(-0.25), shown(1.5e-7), shown(1e-6), shown(float("nan"))
    ('1,235', '−0.25', '1.5 × 10⁻⁷', '10⁻⁶', '–')
    """
    if not math.isfinite(value):
        return "–"
    if value == 0.0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if -4 <= magnitude < 7:
        return _trimmed(f"{value:,.{max(0, digits - 1 - magnitude)}f}")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    mantissa = _trimmed(mantissa)
    return power if mantissa == "1" else f"{mantissa} × {power}"


def percent(share: float, digits: int = 2) -> str:
    """A share in percent.

    Examples
    --------
    >>> percent(0.1234), percent(1.0), percent(0.00004)
    ('12 %', '100 %', '0.004 %')
    """
    value = 100.0 * share
    # Percent of three digits stay whole: 100 and not 1 × 10².
    return f"{shown(value, max(digits, 3) if abs(value) >= 99.5 else digits)} %"


def _trimmed(text: str) -> str:
    whole = text.rstrip("0").rstrip(".") if "." in text else text
    return whole.replace("-", "−")


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on pixels from `start` to `stop`, linear or logarithmic.

    Examples
    --------
    >>> scale = Scale.over([0.0, 10.0], 0.0, 100.0, margin=0.0)
    >>> scale([5.0]).tolist(), scale.ticks
    ([50.0], [(0.0, '0'), (20.0, '2'), (40.0, '4'), (60.0, '6'), (80.0, '8'), (100.0, '10')])
    """

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    @classmethod
    def over(
        cls, values: Iterable[float] | Array, start: float, stop: float, *, log: bool = False, margin: float = LEFT_FREE
    ) -> Scale:
        """The scale on which all finite values, of a log scale all above 0, are seen."""
        known = np.asarray(list(values) if not isinstance(values, np.ndarray) else values, dtype=np.float64).ravel()
        known = known[np.isfinite(known) & ((known > 0.0) if log else True)]
        low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 1.0)
        if log:
            low, high = (low / 2.0, high * 2.0) if low == high else (low, high)
            spare = (high / low) ** margin
            return cls(low / spare, high * spare, start, stop, True)
        if low == high:
            low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
        return cls(low - margin * (high - low), high + margin * (high - low), start, stop)

    def __call__(self, values: Iterable[float] | Array) -> Array:
        """Pixels, of a log scale NaN for values that are not above 0."""
        v = np.asarray(list(values) if not isinstance(values, np.ndarray) else values, dtype=np.float64)
        low, high = self.low, self.high
        if self.log:
            v, low, high = np.log(np.where(v > 0.0, v, np.nan)), math.log(low), math.log(high)
        pixels: Array = self.start + (v - low) / (high - low) * (self.stop - self.start)
        return pixels

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Pixels and labels of round numbers."""
        decades = math.log10(self.high / self.low) if self.log else 0.0
        if decades < 1.0:
            values, labels = _round_numbers(self.low, self.high)
        else:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            values = [10.0**k for k in range(first, last + 1, max(1, math.ceil((last - first) / TICKS)))]
            if decades < 2.0:
                between = [factor * 10.0**k for k in range(first - 1, last + 1) for factor in (1.0, 2.0, 5.0)]
                values = [value for value in between if self.low <= value <= self.high]
            labels = [shown(value) for value in values]
        return list(zip(self(values).tolist(), labels, strict=True))


def _round_numbers(low: float, high: float) -> tuple[list[float], list[str]]:
    """Multiples of 1, 2 or 5 times a power of ten, about `TICKS` of them."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= 0.999 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [k * step for k in range(first, last + 1)]
    largest = max(abs(value) for value in (low, high))
    if step >= 1e-4 and largest < 1e7:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        return values, [f"{value:,.{decimals}f}".replace("-", "−") for value in values]
    digits = max(1, math.ceil(math.log10(largest / step)) + 1)
    return values, [shown(value, digits) for value in values]
