"""Exact pricing of neurons whose entries have given signs: each sign of the output weight on its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .._array import Array, frozen
from .orthant import ABOVE, clipped, with_walls
from .price import Price, priced
from .search import ascended

TOLERANCE = 1e-9  # relative difference of bound and value at which a price is closed, as in `price`
OVERDUE = 1e-3  # seconds for a sign whose time is over: its first bounds are valid, too
NEGLIGIBLE = 1e-9  # share of sum |v_i| |x_i| up to which scores count as zero: at 1e-12 one in eight prices of a gauge
# that is zero does not end, from 1e-10 on none of 21
FIRST_ASCENTS = 16  # ascents of each sign, which say where to begin


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
    allowed, 0 for entries that are free, and the signs share the seconds. The neuron returned lies in its orthant
    exactly; where no score is positive the value is 0. Scores up to 1e-9 sum_i |v_i| |x_i| are not told from 0.

    Notes
    -----
    The rank that counts is that of the rows of X and the unit vectors of the entries with a sign. Up to 2 a sweep, for
    16 distinct lines at most an enumeration, else branch and bound, whatever the number of such entries: their walls
    are concave kinks, which it does not divide.
    """
    largest = float(np.abs(v) @ np.linalg.norm(X, axis=1))  # no score is larger
    starts = {sign: _searched(v, X, sign, orthant, random_state) for sign, orthant in orthants.items()}
    best, bound, closed = max(starts.values(), key=lambda start: start.value), 0.0, True
    ends = np.inf if time_limit is None else time.perf_counter() + time_limit
    waiting = sorted(orthants, key=lambda sign: -starts[sign].value)  # the best sign bounds the others
    while waiting:
        if target is not None and best.value > target:  # nothing is known of those that wait
            return replace(best, bound=max(bound, largest * ABOVE), closed=False)
        share = max((ends - time.perf_counter()) / len(waiting), OVERDUE)
        sign = waiting.pop(0)
        rows = with_walls(sign * v, X, orthants[sign])
        limit, least = None if time_limit is None else share, max(best.value, NEGLIGIBLE * largest)
        found = priced(*rows, target, TOLERANCE, limit, random_state, least=least)
        bound, closed = max(bound, found.bound), closed and found.closed
        inside = _inside(sign, v, X, found.u, orthants[sign])
        nodes = best.n_nodes + found.n_nodes
        best = replace(best if best.value >= inside.value else inside, method=found.method, n_nodes=nodes)
    return replace(best, bound=max(bound, best.value), closed=closed)


def _searched(v: Array, X: Array, sign: float, orthant: Array, random_state: int) -> Price:
    """The best of some ascents."""
    found = ascended(v, X, FIRST_ASCENTS, np.random.default_rng(random_state), None, sign, orthant)
    return _inside(sign, v, X, found.U[:, 0], orthant)


def _inside(sign: float, v: Array, X: Array, u: Array, orthant: Array) -> Price:
    """The unit vector of the orthant next to u with its score; 0 where that is negative, for no neuron has more."""
    u = clipped(u[:, None], orthant)[:, 0]
    length = float(np.linalg.norm(u))
    u = u / length if length > 0.0 else u
    value = max(0.0, float(sign * v @ np.maximum(X @ u, 0.0)))
    return Price(value, np.inf, frozen(u), int(sign), frozen(np.array([sign])), False, "ascent")
