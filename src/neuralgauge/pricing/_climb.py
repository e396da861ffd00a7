r"""The compiled step of exploration for one output weight a neuron: two products and one pass over the activations.

h(u) = v^T (X u)_+ has the gradient r = (v X)^T 1[X u > 0], and h(u) = r^T u since h is homogeneous: the activations
serve as a mask only, a block of rows at a time that stays in the cache between the two products.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compiled import reordered

ACTIVATIONS = 2**15  # activations at a time, single precision
FIRST_STEP, LEAST_STEP = 0.5, 0.02  # share of the way to the direction of the gradient
LEAST_RISE = 1e-5  # relative, of a step that counts


@reordered
def climb(X: Any, v_X: Any, U: Any, orthant: Any, steps: int) -> Any:
    """Move the columns of U (d, k), unit vectors, uphill in place and return the values reached; X, v X (n, d).

    They stay in the orthant (d,) of signs, 0 for entries that are free, in which they begin.
    """
    d, k = U.shape
    Z, value, gradient = np.empty(ACTIVATIONS + k, np.float32), np.empty(k, np.float32), np.empty((d, k), np.float32)
    _score(X, v_X, U, orthant, Z, value, gradient)
    step = np.full(k, FIRST_STEP, np.float32)
    live = np.arange(k)
    for _ in range(steps):
        live = live[step[live] > LEAST_STEP]
        m = len(live)
        if m == 0:
            break
        trial, reached, slope = np.empty((d, m), np.float32), np.empty(m, np.float32), np.empty((d, m), np.float32)
        for j in range(d):
            for s in range(m):
                share = step[live[s]]
                trial[j, s] = (np.float32(1.0) - share) * U[j, live[s]] + share * gradient[j, live[s]]
        moved = normalize(trial)
        for s in range(m):
            if moved[s] == 0.0:  # straight back to the other side
                for j in range(d):
                    trial[j, s] = U[j, live[s]]
        _score(X, v_X, trial, orthant, Z, reached, slope)
        for s in range(m):
            t = live[s]
            if reached[s] > value[t] + np.float32(LEAST_RISE) * abs(value[t]):
                value[t] = reached[s]
                step[t] = min(np.float32(1.5) * step[t], np.float32(1.0))
                for j in range(d):
                    U[j, t], gradient[j, t] = trial[j, s], slope[j, s]
            else:
                step[t] *= np.float32(0.4)
    return value


@reordered
def _score(X: Any, v_X: Any, U: Any, orthant: Any, Z: Any, value: Any, gradient: Any) -> None:
    """Write h at every column of U to `value`, and the direction of its gradient in the orthant to `gradient`."""
    (n, d), k = X.shape, U.shape[1]
    part = np.empty((d, k), np.float32)
    rows = max(1, ACTIVATIONS // k)
    gradient[:] = 0.0
    for first in range(0, n, rows):
        last = min(first + rows, n)
        size = (last - first) * k
        block = Z[:size].reshape((last - first, k))
        np.dot(X[first:last], U, block)
        for i in range(size):
            Z[i] = np.float32(1.0) if Z[i] > 0.0 else np.float32(0.0)
        np.dot(v_X[first:last].T, block, part)
        gradient += part
    value[:] = 0.0
    for j in range(d):
        for s in range(k):
            value[s] += gradient[j, s] * U[j, s]
        if orthant[j] != 0.0:
            for s in range(k):
                if orthant[j] * gradient[j, s] < 0.0:
                    gradient[j, s] = 0.0
    normalize(gradient)


@reordered
def normalize(U: Any) -> Any:
    """Scale columns that are not zero to length one and return the factors, 0 for the others."""
    d, k = U.shape
    length = np.zeros(k, np.float32)
    for j in range(d):
        for s in range(k):
            length[s] += U[j, s] * U[j, s]
    for s in range(k):
        length[s] = np.float32(1.0) / np.sqrt(length[s]) if length[s] > 0.0 else np.float32(0.0)
    for j in range(d):
        for s in range(k):
            U[j, s] *= length[s]
    return length
