"""Bounds on norms of a Jacobian that is a sum over neurons, each there or not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._array import Array
from .box import EPS


class Estimate(NamedTuple):
    """norm <= root(constant + share . s) for all s in {0, 1}^m, root the square root if `squared`; and influences.

    A neuron's influence is what the estimate loses for not knowing its s. `cap` is another bound on the norm.
    """

    constant: float
    share: Array
    influence: Array
    squared: bool = False
    cap: float = np.inf

    def root(self, value: float) -> float:
        """The bound on the norm that a bound on the estimate proves, rounded up."""
        size = float(np.abs(self.share).sum()) + abs(self.constant)
        value = max(value, 0.0) + 4.0 * (len(self.share) + 4) * EPS * size
        return min(float(np.sqrt(value) * (1.0 + 2.0 * EPS)) if self.squared else value, self.cap)


def sum_of_entries(fixed: Array, parts: Array) -> Estimate:
    """|J|_1 of vectors J = fixed + sum_j s_j parts_j, (p,) and (m, p), entry by entry by the chord of |.|."""
    low = fixed + np.minimum(parts, 0.0).sum(axis=0)
    high = fixed + np.maximum(parts, 0.0).sum(axis=0)
    width = high - low
    straddles = (low < 0.0) & (high > 0.0)
    chord = np.divide(high + low, width, out=np.zeros_like(width), where=straddles)
    chord = np.where(straddles, chord, np.where(high > 0.0, 1.0, -1.0))
    constant = np.where(straddles, high - chord * high, 0.0).sum() + chord @ fixed
    return Estimate(float(constant), parts @ chord, np.abs(parts) @ straddles.astype(float))


def largest_stretch(fixed: Array, parts: Array) -> Estimate:
    """|J|_2, the largest singular value, of J = fixed + sum_j s_j parts_j, (c, d) and (m, c, d) of rank one each.

    With s = (1 + e) / 2, centre C and V_j = parts_j / 2: |J|_F^2 = |C|_F^2 + sum_j 2 e_j <C, V_j> + sum_ij e_i e_j
    <V_i, V_j>, where the last sum is at most that of |<V_i, V_j>|; and |J|_2 <= |C|_2 + sum_j |V_j|_2.
    """
    V = 0.5 * parts.reshape(len(parts), fixed.size)
    centre = fixed.ravel() + V.sum(axis=0)
    gram = np.abs(V @ V.T)
    share = 4.0 * (V @ centre)
    constant = float(centre @ centre + gram.sum() - 0.5 * share.sum())
    sizes = np.linalg.norm(V, axis=1)
    cap = float(np.linalg.norm(centre.reshape(fixed.shape), 2) + sizes.sum())
    terms = float(np.linalg.norm(fixed) + 2.0 * sizes.sum())
    cap += 8.0 * (len(V) + fixed.size + 4) * EPS * terms
    return Estimate(constant + 8.0 * (len(V) + fixed.size) * EPS * terms**2, share, 2.0 * gram.sum(axis=0), True, cap)
