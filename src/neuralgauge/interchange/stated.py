"""Certificates that a file states: they are shown as its word, not as proofs."""

from __future__ import annotations

from dataclasses import dataclass

from ..certificate import Certificate


@dataclass(frozen=True)
class StatedCertificate(Certificate):
    """The certificate that a model file states.

    Nothing in the file proves it: the data is not there to check it against, and whoever can write the file can write
    any bounds. `neuralgauge.certify` computes one from a network and its problem. It equals no `Certificate` that was
    computed, also where the numbers are the same.

    Examples
    --------
    >>> print(StatedCertificate(upper=2.0, lower=1.5, scope="exact"))
    objective    2
    lower bound  1.5
    gap          2.50e-01 (relative)
    scope        "exact": as the model file states, not checked against data: holds for every network of every width
    """

    @property
    def covers(self) -> str:
        """What the file states that the bound holds for, as a sentence."""
        return f"as the model file states, not checked against data: {super().covers}"

    @property
    def support(self) -> str:
        """Empty: files keep the bounds, not what the search behind them rested on."""
        return ""
