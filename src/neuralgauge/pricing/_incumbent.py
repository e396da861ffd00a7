"""Lower bounds of the compiled search: directions of a cone evaluated, and moved onto the kinks close to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from .._compiled import compiled
from ._relaxation import Index, dot, norm

# What a search counts and keeps, a record that is changed in place.
STATE = np.dtype(
    [
        ("open", np.int64),  # nodes on the stack
        ("threshold", np.float64),  # nodes with a bound up to here are closed
        ("value", np.float64),  # the best found
        ("tolerance", np.float64),  # relative, above the value
        ("closed", np.float64),  # largest bound of a closed node
        ("stop_above", np.float64),  # value above which to stop
        ("nodes", np.int64),  # expanded
        ("leaves", np.int64),  # closed nodes that are kept
        ("kept_above", np.float64),  # bound above which they are
        ("one_sided", np.int64),  # whether h counts, not |h|
    ]
)
State = Any  # one element of such an array; attributes are the compiler's way to its fields


@compiled
def score(w: Array, Z: Array, f: Array, direction: Array, stop: int, end: int, sign: float, index: Index) -> float:
    """s h along a direction of the cone, from the node's own list."""
    total = dot(f, direction)
    for place in range(stop, end):
        i = index[place]
        total += sign * w[i] * abs(dot(Z[i], direction))
    return total / norm(direction)


@compiled
def keep_if_better(w: Array, Z: Array, b: Array, direction: Array, state: State, z_best: Array) -> None:
    """Keep the direction if |b^T z| + |E(z)|, of one side + E(z), is the best so far."""
    length, even, odd = norm(direction), 0.0, 0.0
    if length == 0.0:
        return
    for i in range(len(w)):
        even += w[i] * abs(dot(Z[i], direction))
    odd = dot(b, direction)
    if state.one_sided == 0:
        even = abs(even)
    value = (even + abs(odd)) / length
    if value > state.value:
        state.value = value
        for c in range(len(b)):
            z_best[c] = direction[c] / length


@compiled
def onto_kinks(
    w: Array, Z: Array, b: Array, f: Array, res: Array, state: State, z_best: Array, stop: int, middle: int, end: int,
    sign: float, index: Index, Y: Array, Q: Array, g: Array,
) -> None:  # fmt: skip
    """Put the maximiser exactly on the concave kinks nearest to it, one more at a time, and try each."""
    r = len(b)
    threshold = -1.0
    for c in range(r):
        g[c] = f[c]
    for place in range(stop, end):
        side = 1.0 if dot(Z[index[place]], res) > 0.0 else -1.0
        for c in range(r):
            g[c] += sign * w[index[place]] * side * Z[index[place], c]
    count = 0
    for _ in range(2 * r):
        least, nearest = np.inf, -1
        for place in range(middle, end):
            distance = abs(dot(Z[index[place]], res))
            if threshold < distance < least and abs(Y[place]) < abs(w[index[place]]):
                least, nearest = distance, index[place]
        if nearest < 0 or count + 1 >= r:
            return
        threshold = least
        q = Q[count]
        q[:] = Z[nearest]
        for _twice in range(2):
            for k in range(count):
                overlap = dot(Q[k], q)
                for c in range(r):
                    q[c] -= overlap * Q[k, c]
        length = norm(q)
        if length < 1e-10:
            continue
        for c in range(r):
            q[c] /= length
        count += 1
        for _twice in range(2):
            overlap = dot(q, g)
            for c in range(r):
                g[c] -= overlap * q[c]
        keep_if_better(w, Z, b, g, state, z_best)
