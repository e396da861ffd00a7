r"""Multi-start ascent on h(u) = v^T (X u)_+ over the unit ball: lower bounds on G(v), and columns.

h is a difference of two convex functions, split by the sign of v. At a point the part with v_i > 0 is replaced by its
tangent, which leaves a concave problem whose dual is a box-constrained least-norm problem,

.. math:: \min_{0 \le \lambda \le 1} \; \Big\| \sum_{v_i > 0} v_i 1[x_i^T u > 0] x_i
          + \sum_{v_i < 0} v_i \lambda_i x_i \Big\|_2 ,

solved by coordinate descent; the residual r points to the next u = r / |r|, where h is no lower. The slopes strictly
between 0 and 1 are the concave kinks at which the maximiser sits exactly: no smoothing, no step length.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._array import Array
from .._compiled import compiled
from .._threads import in_threads
from ._few_rows import FEW_ROWS, ascend_few

MOST_LINEARIZATIONS = 60  # of one start; on normal data all end within 20
PARTS = 16  # of the starts at most, for any number of threads: the sums of a part depend on its size


def ascend(
    v: Array,
    X: Array,
    n_starts: int = 64,
    random_state: int | np.random.Generator | None = 0,
    *,
    starts: Array | None = None,
    sweeps: int = 200,
    tol: float = 1e-5,
) -> tuple[Array, Array]:
    r"""Return local maximisers of :math:`v^T (Xu)_+` on the unit sphere, one for every start.

    Parameters
    ----------
    v : array of shape (n,)
    X : array of shape (n, d)
    n_starts : int
        Independent starts, uniform on the sphere.
    random_state : int, Generator or None
    starts : array of shape (d, k), optional
        Further starts, for instance the neurons of a network.
    sweeps, tol : int, float
        Coordinate descent stops after so many sweeps, or when one moves r by less than `tol` times its length.

    Returns
    -------
    values : array of shape (k,)
        h at the points, largest first; each is a lower bound on the maximum.
    U : array of shape (d, k)
        The unit vectors.

    Notes
    -----
    Cost O(n d) a sweep and start; some tens of sweeps are usual. Source: dual [15] of Pilanci & Ergen (2020);
    the convex-concave procedure (Yuille & Rangarajan 2003).
    """
    U = start_rows(X.shape[1], n_starts, np.random.default_rng(random_state), starts)
    X, v = np.ascontiguousarray(X), np.ascontiguousarray(v)
    if len(X) <= FEW_ROWS:
        values = ascend_few(X, v, U, MOST_LINEARIZATIONS, sweeps, tol)
    else:
        values = np.concatenate(on_parts(lambda part: _ascend_all(X, v, part, sweeps, tol), U))
    order = np.argsort(-values, kind="stable")
    return values[order], U[order].T


def start_rows(d: int, n_starts: int, rng: np.random.Generator, starts: Array | None) -> Array:
    """Unit start vectors, one a row: uniform ones, then the given columns that are not zero."""
    U = rng.standard_normal((n_starts, d))
    if starts is not None and starts.size:
        U = np.vstack([U, starts.T])
    length = np.linalg.norm(U, axis=1)
    return np.ascontiguousarray(U[length > 0] / length[length > 0, None])


def on_parts(work: Callable[..., Array], *rows: Array, least: int = 1) -> list[Array]:
    """Return the results of the work on parts of at least `least` rows, in threads, which may change them in place."""
    count = max(1, min(len(rows[0]) // least, PARTS))
    return in_threads(work, *(np.array_split(array, count) for array in rows))


@compiled
def _ascend_all(X: Array, v: Array, U: Array, sweeps: int, tol: float) -> Array:
    """Move every row of U uphill in place and return the values reached."""
    n, d = X.shape
    curvature = np.zeros(n)
    for i in range(n):
        curvature[i] = -v[i] * np.dot(X[i], X[i])  # > 0 for the concave kinks, the only ones it is used for
    values = np.zeros(len(U))
    slopes, r = np.zeros(n), np.zeros(d)
    for start in range(len(U)):
        values[start] = climb(X, v, curvature, slopes, r, U[start], MOST_LINEARIZATIONS, sweeps, tol)
    return values


@compiled
def climb(
    X: Array, v: Array, curvature: Array, slopes: Array, r: Array, u: Array, linearizations: int, sweeps: int,
    tol: float,
) -> float:  # fmt: skip
    """Move u uphill in place and return the value reached. `slopes` (n,) and `r` (d,) are work space."""
    n, d = X.shape
    value = 0.0
    r[:] = 0.0
    for i in range(n):
        z = 0.0
        for j in range(d):
            z += X[i, j] * u[j]
        slopes[i] = 1.0 if z > 0 else 0.0
        if z > 0:
            value += v[i] * z
            for j in range(d):
                r[j] += v[i] * X[i, j]
    for _ in range(linearizations):
        _shorten(X, v, curvature, slopes, r, sweeps, tol)
        norm = np.sqrt(np.dot(r, r))
        if norm == 0.0:
            break
        step = r / norm
        reached, changed = _relinearize(X, v, slopes, r, step)
        if reached > value:
            value = reached
            u[:] = step
        if not changed:
            break
    return value


@compiled
def _shorten(X: Array, v: Array, curvature: Array, slopes: Array, r: Array, sweeps: int, tol: float) -> None:
    """Coordinate descent on |r|^2 over the slopes of the concave kinks.

    Most slopes stay at 0 or 1; between two sweeps over all, only those that moved are swept.
    """
    n, d = X.shape
    moving = np.arange(n)
    count, full = n, True
    for _ in range(sweeps):
        moved, kept = 0.0, 0
        for k in range(count):
            i = moving[k]
            if curvature[i] <= 0.0:
                continue
            z = 0.0
            for j in range(d):
                z += X[i, j] * r[j]
            change = min(1.0, max(0.0, slopes[i] + z / curvature[i])) - slopes[i]
            if change != 0.0:
                slopes[i] += change
                for j in range(d):
                    r[j] += change * v[i] * X[i, j]
                moved -= change * change * curvature[i] * v[i]
                moving[kept] = i
                kept += 1
        small = moved <= tol * tol * np.dot(r, r)
        if full and small:
            return
        full = small or kept == 0
        count = kept
        if full:
            count = n
            for i in range(n):
                moving[i] = i


@compiled
def _relinearize(X: Array, v: Array, slopes: Array, r: Array, u: Array) -> tuple[float, bool]:
    """Move the tangent of the convex part to u; return h(u), and whether any slope changed."""
    n, d = X.shape
    value, changed = 0.0, False
    for i in range(n):
        z = 0.0
        for j in range(d):
            z += X[i, j] * u[j]
        if z > 0:
            value += v[i] * z
        if v[i] > 0:
            slope = 1.0 if z > 0 else 0.0
            if slope != slopes[i]:
                changed = True
                for j in range(d):
                    r[j] += (slope - slopes[i]) * v[i] * X[i, j]
                slopes[i] = slope
    return value, changed
