"""What is known of a polar gauge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Polar:
    """The polar gauge G(V) of some atoms at one dual point.

    Attributes
    ----------
    value : float
        What an atom attains: never above G(V).
    bound : float
        What no atom exceeds, rounding included; infinite if only a search was made.
    scope : {"exact", "estimated"}
        "exact": value and bound differ by rounding. "estimated": a better atom may have been missed.
    """

    value: float
    bound: float
    scope: Literal["exact", "estimated"]
