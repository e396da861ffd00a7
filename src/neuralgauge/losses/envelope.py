r"""Losses with their kinks rounded: Moreau envelopes, which methods of second order can take.

A loss that is the largest of K affine functions a_k f + b_k is replaced by

.. math:: \ell_\mu(f) = \min_t \; \ell(t) + \frac{(f - t)^2}{2 \mu}
                      = \max_{g, h} \; g f + h - \frac{\mu}{2} g^2 ,

(g, h) in the convex hull of the points (a_k, b_k). Its gradient is the maximising g, a point of the domain of the
loss's own conjugate: a residual of the envelope is a dual point of the loss itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from .._array import Array, BoolArray
from .protocol import Loss, Pieces, PiecewiseLoss, SmoothLoss, Targets


@dataclass(frozen=True)
class Envelope:
    r"""The Moreau envelope of a kinked loss, :math:`\ell - \mu a^2 / 2 \le \ell_\mu \le \ell`, a its steepest slope.

    Parameters
    ----------
    of : PiecewiseLoss
        Elementwise, in pieces (`is_kinked`).
    width : float
        mu > 0, in units of the output over those of a slope.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge.losses import Absolute
    >>> from neuralgauge.losses.envelope import Envelope
    >>> rounded, f, y = Envelope(Absolute(), 0.5), np.array([0.25, 3.0]), np.zeros(2)
    >>> rounded.value(f, y).tolist(), rounded.gradient(f, y).tolist(), rounded.hessian(f, y).tolist()
    ([0.0625, 2.75], [0.5, 1.0], [2.0, 0.0])
    """

    of: PiecewiseLoss
    width: float
    coupled: bool = False

    @property
    def name(self) -> str:
        return f"{self.of.name}, rounded"

    @property
    def targets(self) -> Targets:
        return self.of.targets

    def value(self, f: Array, y: Array) -> Array:
        return self._touched(f, y).value

    def gradient(self, f: Array, y: Array) -> Array:
        return self._touched(f, y).slope

    def hessian(self, f: Array, y: Array) -> Array:
        return np.where(self._touched(f, y).bends, 1.0 / self.pieces(y).smoothing, 0.0)

    def conjugate(self, g: Array, y: Array) -> Array:
        return self.of.conjugate(g, y) + 0.5 * self.width * g**2

    def domain(self, y: Array) -> tuple[Array, Array]:
        return self.of.domain(y)

    def pieces(self, y: Array) -> Pieces:
        pieces = self.of.pieces(y)
        return pieces._replace(smoothing=pieces.smoothing + self.width)

    def _touched(self, f: Array, y: Array) -> _Touched:
        """The maximising point of the hull: the best on the chords of all pairs, of which its upper edges are some."""
        slopes, intercepts, width, _ = self.pieces(y)
        pairs = combinations(range(len(slopes)), 2)
        parts = [_on_chord(f, width, slopes[[i, j]], intercepts[[i, j]]) for i, j in pairs]
        best = parts[0]
        for part in parts[1:]:
            better = part.value > best.value
            best = _Touched(*(np.where(better, new, old) for new, old in zip(part, best, strict=True)))
        return best


class _Touched(NamedTuple):
    """The value of the envelope, its slope, and whether that lies between two slopes of the loss, of f's shape."""

    value: Array
    slope: Array
    bends: BoolArray


def _on_chord(f: Array, width: float, slopes: Array, intercepts: Array) -> _Touched:
    """The best point of the chord from (a_1, b_1) to (a_2, b_2); of its upper end where the slopes are equal."""
    (a, c), (b, d) = slopes, intercepts
    level = a == c
    rate = np.where(level, 0.0, d - b) / np.where(level, 1.0, c - a)
    free = (f + rate) / width
    low, high = np.minimum(a, c), np.maximum(a, c)
    slope = np.clip(free, low, high)
    height = np.where(level, np.maximum(b, d), b + rate * (slope - a))
    return _Touched(slope * (f - 0.5 * width * slope) + height, slope, (low < free) & (free < high))


def is_kinked(loss: Loss) -> bool:
    """Whether a loss is one that envelopes are made of: elementwise, two pieces or more, no second derivative."""
    if not isinstance(loss, PiecewiseLoss) or isinstance(loss, SmoothLoss) or loss.coupled:
        return False
    slopes, _, _, epigraph = loss.pieces(np.ones(1))
    return epigraph and len(slopes) > 1
