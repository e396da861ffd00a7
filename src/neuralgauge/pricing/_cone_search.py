r"""The compiled loop of branch and bound over simplicial cones, depth first below a threshold.

A node is a cone of unit vertices v_1..v_r, all in one orthant of an orthonormal basis, and a sign s. Kinks with one
sign on all vertices are linear on the cone and summed in the node; its list holds the others. On the cone

.. math:: s\,h(u) \le (f + \textstyle\sum_k e_k n_k - \sum_i y_i z_i)^T u, \qquad |y_i| \le |w_i|,

where e_k are the convex kinks at the vertices, n_k the dual basis (n_k^T v_j = 1[k = j]) and y any slopes of
the concave kinks. Adding :math:`\lambda_k n_k, \lambda \ge 0`, only raises the right side, so the smallest norm over y
and lambda bounds s h on the cone and the ball. Coordinate descent finds it; wherever it stops, the norm is a bound.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from .._compiled import compiled
from ._incumbent import State, keep_if_better, onto_kinks, score
from ._relaxation import NEAR_THRESHOLD, Index, dot, relax

SAME_SIDE = 1e-14  # a kink nearer than this to a vertex counts as passing through it
LEAST_EDGE = 1e-18  # squared length of edges below which a cone is not divided


@compiled
def search(
    w: Array, Z: Array, b: Array, V: Array, N: Array, F: Array, bounds: Array, info: Index, index: Index, T: Array,
    Y: Array, leaves: Array, state: State, z_best: Array, work: Array, max_nodes: int, patience: float,
) -> int:  # fmt: skip
    """Expand up to `max_nodes` nodes. Returns 0 when the stack is empty, 1 at the limit, 2 when it needs room.

    `info` rows are (start, stop) of the parent's list, the vertex that is new (-1: all), and the sign s; V, N, F,
    bounds are vertices, dual bases, linear parts and bounds of the nodes on the stack; index, T, Y the kinks, their
    products with the vertices, and slopes, of all lists one behind the other; `leaves` rows are written by `_close`;
    `state` is a record of `STATE`.
    """
    res, e, lam, nn = work[0], work[1], work[2], work[3]
    nodes = 0
    while state.open > 0:
        if nodes >= max_nodes or state.value > state.stop_above:
            return 1
        top = state.open - 1
        limit = max(state.threshold, state.value * (1.0 + state.tolerance))
        start, stop, new, sign = info[top, 0], info[top, 1], info[top, 2], float(info[top, 3])
        if 2 * stop - start > len(index) or top + 2 > len(bounds) or state.leaves == len(leaves):
            return 2
        if bounds[top] <= limit:
            _close(V, N, bounds, info, leaves, state)
            continue
        nodes += 1
        state.nodes += 1
        v, dual, f = V[top], N[top], F[top]
        end, middle = _classify(w, Z, v, f, e, start, stop, new, sign, index, T, Y)
        bound = relax(w, Z, v, dual, f, e, lam, nn, res, stop, middle, end, index, Y, limit, patience, work[4:])
        bounds[top] = min(bound, bounds[top])
        if bounds[top] <= limit:
            _close(V, N, bounds, info, leaves, state)
            continue
        if score(w, Z, f, res, stop, end, sign, index) > state.value:
            keep_if_better(w, Z, b, res, state, z_best)
        if new >= 0 and score(w, Z, f, v[new], stop, end, sign, index) > state.value:
            keep_if_better(w, Z, b, v[new], state, z_best)
        if bounds[top] < limit * (1.0 + NEAR_THRESHOLD):
            onto_kinks(w, Z, b, f, res, state, z_best, stop, middle, end, sign, index, Y, work[4:], e)
        first, second, length = _longest_edge(v)
        if length < LEAST_EDGE:
            _close(V, N, bounds, info, leaves, state)
            continue
        _split(V, N, F, bounds, info, top, first, second, stop, end)
        state.open = top + 2
    return 0


@compiled
def _close(V: Array, N: Array, bounds: Array, info: Index, leaves: Array, state: State) -> None:
    """Take the node off the stack, into the leaves (bound, sign, vertices, dual basis) where its bound is large."""
    top, r = state.open - 1, V.shape[1]
    state.open = top
    if bounds[top] <= state.kept_above:
        state.closed = max(state.closed, bounds[top])
        return
    leaf = leaves[state.leaves]
    leaf[0], leaf[1] = bounds[top], info[top, 3]
    for k in range(r):
        for c in range(r):
            leaf[2 + k * r + c], leaf[2 + (r + k) * r + c] = V[top, k, c], N[top, k, c]
    state.leaves += 1


@compiled
def _classify(
    w: Array, Z: Array, v: Array, f: Array, e: Array, start: int, stop: int, new: int, sign: float, index: Index,
    T: Array, Y: Array,
) -> tuple[int, int]:  # fmt: skip
    """Write the node's own list behind its parent's, convex kinks first; sum the decided ones into f."""
    r = len(f)
    e[:] = 0.0
    end = stop
    middle = stop
    for place in range(start, stop):
        i = index[place]
        low, high = np.inf, -np.inf
        for k in range(r):
            t = T[place, k]
            if new < 0 or k == new:
                t = dot(Z[i], v[k])
            T[end, k] = t
            low, high = min(low, t), max(high, t)
        weight = sign * w[i]
        if low >= -SAME_SIDE or high <= SAME_SIDE:
            weight = weight if low >= -SAME_SIDE else -weight
            for c in range(r):
                f[c] += weight * Z[i, c]
            continue
        index[end] = i
        if weight > 0.0:
            for k in range(r):
                e[k] += weight * abs(T[end, k])
            Y[end] = 0.0
            # Convex before concave.
            if end > middle:
                index[end], index[middle] = index[middle], i
                Y[end], Y[middle] = Y[middle], 0.0
                for k in range(r):
                    T[end, k], T[middle, k] = T[middle, k], T[end, k]
            middle += 1
        elif new < 0:
            total, size = 0.0, 0.0
            for k in range(r):
                total += T[end, k]
                size += abs(T[end, k])
            Y[end] = weight * total / size
        else:
            Y[end] = Y[place]
        end += 1
    return end, middle


@compiled
def _longest_edge(v: Array) -> tuple[int, int, float]:
    """Ends and squared length of the longest edge; halving it keeps the cones round."""
    r = len(v)
    longest, first, second = -1.0, 0, 1
    for a in range(r):
        for k in range(a):
            length = 0.0
            for c in range(r):
                length += (v[a, c] - v[k, c]) ** 2
            if length > longest:
                longest, first, second = length, a, k
    return first, second, longest


@compiled
def _split(
    V: Array, N: Array, F: Array, bounds: Array, info: Index, top: int, first: int, second: int, start: int, end: int
) -> None:
    """Two children: the midpoint of the edge replaces one of its ends; the dual basis follows in O(r)."""
    r = V.shape[1]
    V[top + 1], N[top + 1], F[top + 1] = V[top], N[top], F[top]
    bounds[top + 1], info[top + 1, 3] = bounds[top], info[top, 3]
    length = 0.0
    for c in range(r):
        length += (V[top, first, c] + V[top, second, c]) ** 2
    length = np.sqrt(length)
    for node, out, kept in ((top, first, second), (top + 1, second, first)):
        info[node, 0], info[node, 1], info[node, 2] = start, end, out
        for c in range(r):
            N[node, kept, c] -= N[node, out, c]
            N[node, out, c] *= length
    for c in range(r):
        middle = (V[top, first, c] + V[top, second, c]) / length
        V[top, first, c] = middle
        V[top + 1, second, c] = middle
