"""Certificates read from files: they are shown as stated there, not as proofs."""

from __future__ import annotations

from dataclasses import dataclass

from ..certificate import Certificate


@dataclass(frozen=True)
class StatedCertificate(Certificate):
    """The certificate that a model file states.

    The file does not prove it: the data is not in it, and any bounds can be written to a file. `neuralgauge.certify`
    computes one from a network and its problem. It equals no computed `Certificate`, even of the same numbers.

    Examples
    --------
    >>> StatedCertificate(upper=2.0, lower=1.5, scope="exact").covers
    'as the model file states, not checked against data: holds for every network of every width'
    """

    def _covered(self, sentence: str) -> str:
        """The sentence on what a bound holds for, by the file."""
        return f"as the model file states, not checked against data: {super()._covered(sentence)}"

    @property
    def support(self) -> str:
        """Empty: files keep the bounds, not the search behind them."""
        return ""

    def in_words(self) -> str:
        """What the certificate says, in words, as a statement of the file."""
        return f"As the model file states, not checked against data: {super().in_words()}"
