r"""The compiled step of exploration for several outputs: four products and two passes over the activations.

h(u) = |V^T (X u)_+| has the gradient r = X^T (V g * 1[X u > 0]), g the direction of V^T (X u)_+. A first pass over
blocks of rows that stay in the cache gives g, and keeps which activations are positive; a second one gives r.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compiled import reordered
from ._climb import ACTIVATIONS, FIRST_STEP, LEAST_RISE, LEAST_STEP, normalize


@reordered
def climb_vector(X: Any, V: Any, U: Any, steps: int) -> Any:
    """Move the columns of U (d, k), unit vectors, uphill in place and return the values reached; X (n, d), V (n, c)."""
    (n, d), k = X.shape, U.shape[1]
    Z, positive = np.empty(max(ACTIVATIONS, k), np.float32), np.empty(n * k, np.bool_)
    value, gradient = np.empty(k, np.float32), np.empty((d, k), np.float32)
    _score(X, V, U, Z, positive, value, gradient)
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
        normalize(trial)
        _score(X, V, trial, Z, positive, reached, slope)
        for s in range(m):
            at = live[s]
            if reached[s] > value[at] * (np.float32(1.0) + np.float32(LEAST_RISE)):
                value[at] = reached[s]
                for j in range(d):
                    U[j, at], gradient[j, at] = trial[j, s], slope[j, s]
                step[at] = min(np.float32(1.5) * step[at], np.float32(1.0))
            else:
                step[at] *= np.float32(0.4)
    return value


@reordered
def _score(X: Any, V: Any, U: Any, Z: Any, positive: Any, value: Any, gradient: Any) -> None:
    """Write h at every column of U to `value`, and the direction of its gradient to `gradient`."""
    (n, d), c, k = X.shape, V.shape[1], U.shape[1]
    gains, part, slope = np.zeros((c, k), np.float32), np.empty((c, k), np.float32), np.empty((d, k), np.float32)
    rows = max(1, ACTIVATIONS // k)
    for first in range(0, n, rows):
        last = min(first + rows, n)
        size = (last - first) * k
        block, mask = Z[:size].reshape((last - first, k)), positive[first * k : last * k]
        np.dot(X[first:last], U, block)
        for i in range(size):
            mask[i] = Z[i] > 0.0
            Z[i] = max(Z[i], np.float32(0.0))
        np.dot(V[first:last].T, block, part)
        gains += part
    value[:] = 0.0
    for o in range(c):
        for s in range(k):
            value[s] += gains[o, s] * gains[o, s]
    value[:] = np.sqrt(value)
    normalize(gains)
    gradient[:] = 0.0
    for first in range(0, n, rows):
        last = min(first + rows, n)
        size = (last - first) * k
        block, mask = Z[:size].reshape((last - first, k)), positive[first * k : last * k]
        np.dot(V[first:last], gains, block)
        for i in range(size):
            Z[i] = Z[i] if mask[i] else np.float32(0.0)
        np.dot(X[first:last].T, block, slope)
        gradient += slope
    normalize(gradient)
