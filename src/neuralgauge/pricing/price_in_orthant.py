"""Exact pricing of neurons whose entries have given signs: each sign of the output weight on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .._array import Array, frozen
from .orthant import clipped, with_walls
from .price import Price, priced

TOLERANCE = 1e-9  # relative difference of bound and value at which a price is closed, as in `price`
NEGLIGIBLE = 1e-12  # share of sum |v_i| |x_i| up to which the polar gauge counts as zero, which no search can close


def price_in_orthant(
    v: Array,
    X: Array,
    orthants: Mapping[float, Array],
    target: float | None = None,
    time_limit: float | None = None,
    random_state: int = 0,
) -> Price:
    r"""Return bounds on the largest score of a neuron of sign s with entries of the signs that `orthants` has for s.

    .. math:: \max_s \; \max \{ s\, v^T (Xu)_+ : \|u\|_2 \le 1,\ o^s_k u_k \ge 0 \}

    Arguments and result as in `price`, for one output; `orthants` has (d,) signs for each s of +1 and -1 that is
    allowed, 0 for entries that are free. The neuron returned lies in its orthant exactly.

    Notes
    -----
    The rank that counts is that of the rows of X and the unit vectors of the entries with a sign. Up to 2 a sweep, for
    16 distinct lines at most an enumeration, else branch and bound, whatever the number of such entries: their walls
    are concave kinks, which it does not divide.
    """
    negligible = NEGLIGIBLE * float(np.abs(v) @ np.linalg.norm(X, axis=1))
    best = Price(0.0, 0.0, frozen(np.eye(1, X.shape[1])[0]), 1, frozen(np.ones(1)), True, "sweep")
    bound, closed = 0.0, True
    for sign, orthant in orthants.items():
        least = max(best.value, negligible)
        found = priced(*with_walls(sign * v, X, orthant), target, TOLERANCE, time_limit, random_state, least=least)
        bound, closed = max(bound, found.bound), closed and found.closed
        value, u = _inside(sign * v, X, found.u, orthant)
        if value > best.value:
            best = replace(found, value=value, u=frozen(u), sign=int(sign), direction=frozen(np.array([sign])))
        if target is not None and best.value > target:
            break
    return replace(best, bound=max(bound, best.value), closed=closed)


def _inside(v: Array, X: Array, u: Array, orthant: Array) -> tuple[float, Array]:
    """The unit vector of the orthant next to u, and its score."""
    u = clipped(u[:, None], orthant)[:, 0]
    length = float(np.linalg.norm(u))
    return (float(v @ np.maximum(X @ u, 0.0)) / length, u / length) if length > 0.0 else (0.0, u)
