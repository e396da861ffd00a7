r"""Multi-start ascent on |V^T (X u)_+| over the unit ball, for dual points with several columns.

.. math:: |V^T (Xu)_+|_2 = \max_{|g| = 1} \; (V g)^T (Xu)_+

For fixed g this is the score of one output with the dual point V g, which the convex-concave step of `ascent` raises;
for fixed u the best g is the direction of V^T (X u)_+. Neither half step can lower the value.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from .._compiled import compiled
from .ascent import climb, on_parts, start_rows
from .columns import Columns

ALTERNATIONS = 60  # of one start; on normal data all end within 40
LINEARIZATIONS = 2  # convex-concave steps for one g


def ascend_vector(
    V: Array,
    X: Array,
    n_starts: int = 64,
    random_state: int | np.random.Generator | None = 0,
    *,
    starts: Array | None = None,
    directions: Array | None = None,
    sweeps: int = 200,
    tol: float = 1e-5,
    rise: float = 1e-6,
) -> Columns:
    r"""Return local maximisers of :math:`|V^T (Xu)_+|_2` on the unit sphere, one for every start.

    Parameters
    ----------
    V : array of shape (n, c)
    X : array of shape (n, d)
    n_starts, random_state, starts, sweeps, tol
        As in `ascend`; each start has its own best direction.
    directions : array of shape (k, c), optional
        Output directions in which `starts` first climb: a value is then at least g^T V^T (X u)_+ at its start, and
        without them at least :math:`|V^T (Xu)_+|`.
    rise : float
        A start is done when an alternation raises its value by less than this fraction.

    Returns
    -------
    Columns
        Values, unit vectors and unit directions, largest value first. Zero starts are left out.

    Notes
    -----
    Cost O(n (d + c)) an alternation besides the sweeps of `ascend`, O(n d) each. Source: the dual of [18] of Pilanci &
    Ergen (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge.pricing import ascend_vector
    >>> found = ascend_vector(np.eye(3), np.array([[3.0, 0.0], [0.0, 1.0], [4.0, 0.0]]), 8)
    >>> print(np.round(found.values[0], 6), np.round(np.abs(found.U[:, 0]), 6), np.round(found.G[0], 6))
    5.0 [1. 0.] [0.6 0.  0.8]
    """
    rng = np.random.default_rng(random_state)
    U = start_rows(X.shape[1], n_starts, rng, starts)
    first = rng.standard_normal((len(U), V.shape[1]))
    given = np.zeros(len(U))
    if starts is not None and directions is not None and starts.size:
        alive = np.any(starts != 0.0, axis=0)
        first[n_starts:], given[n_starts:] = directions[alive], 1.0
    first /= np.maximum(np.linalg.norm(first, axis=1), np.finfo(float).tiny)[:, None]
    X, V = np.ascontiguousarray(X), np.ascontiguousarray(V)
    G = np.ascontiguousarray(first)
    parts = on_parts(lambda u, g, own: _ascend_all(X, V, u, g, own, sweeps, tol, rise), U, G, given)
    values = np.concatenate(parts)
    order = np.argsort(-values, kind="stable")
    return Columns(values[order], U[order].T, G[order])


@compiled
def _ascend_all(X: Array, V: Array, U: Array, G: Array, given: Array, sweeps: int, tol: float, rise: float) -> Array:
    """Move the rows of U and G uphill in place, from G at first where `given`; return the values reached."""
    n, d = X.shape
    c = V.shape[1]
    squares, curvature = np.zeros(n), np.zeros(n)
    for i in range(n):
        squares[i] = np.dot(X[i], X[i])
    v, slopes, r, output = np.zeros(n), np.zeros(n), np.zeros(d), np.zeros(c)
    values = np.zeros(len(U))
    for start in range(len(U)):
        u, g = U[start], G[start]
        before = _output(X, V, u, output)
        if given[start] == 0.0 and before > 0.0:
            g[:] = output / before
        for turn in range(ALTERNATIONS):
            for i in range(n):
                v[i] = np.dot(V[i], g)
                curvature[i] = -v[i] * squares[i]
            climb(X, v, curvature, slopes, r, u, LINEARIZATIONS, sweeps, tol)
            after = _output(X, V, u, output)
            values[start] = after
            if after == 0.0:
                break
            g[:] = output / after
            if turn > 0 and after <= before * (1.0 + rise):
                break
            before = after
    return values


@compiled
def _output(X: Array, V: Array, u: Array, output: Array) -> float:
    """Write V^T (X u)_+ to `output` and return its length."""
    output[:] = 0.0
    for i in range(len(X)):
        z = np.dot(X[i], u)
        if z > 0.0:
            for k in range(len(output)):
                output[k] += z * V[i, k]
    return np.sqrt(np.dot(output, output))
