r"""Multi-start ascent on h(u) = v^T (X u)_+ over the unit sphere: a lower bound on the gauge G(v)."""

from __future__ import annotations

import numpy as np

from .._array import Array


def ascend(v: Array, X: Array, n_starts: int = 64, max_iter: int = 200, random_state: int = 0) -> tuple[Array, Array]:
    r"""Local maximisers of :math:`v^T (Xu)_+` on the sphere, all starts at once.

    Projected gradient with a step that grows on success and shrinks on failure; only increases are accepted, so the
    concave kinks (v_i < 0), where the gradient jumps, stop a start but never spoil it.

    Parameters
    ----------
    v : array of shape (n,)
    X : array of shape (n, d)
    n_starts : int
        Gaussian starts; the rows of X with v_i > 0 largest in v_i |x_i| are added.
    max_iter : int
        Most steps. Cost of one: two products of an (n, d) matrix with (d, n_starts).
    random_state : int

    Returns
    -------
    values : array of shape (k,)
        Attained values, largest first; each is a lower bound on the maximum.
    U : array of shape (d, k)
        The unit vectors that attain them.
    """
    rng = np.random.default_rng(random_state)
    strength = np.maximum(v, 0.0) * np.linalg.norm(X, axis=1)
    best_rows = np.argsort(-strength, kind="stable")[: n_starts // 4]
    U = np.hstack([rng.standard_normal((X.shape[1], n_starts)), X[best_rows].T])
    length = np.linalg.norm(U, axis=0)
    U = U[:, length > 0] / length[length > 0]
    values, step = v @ np.maximum(X @ U, 0.0), np.ones(U.shape[1])
    for _ in range(max_iter):
        gradient = X.T @ (v[:, None] * (X @ U > 0))
        size = np.maximum(np.linalg.norm(gradient, axis=0), np.finfo(float).tiny)
        trial = U + step * gradient / size
        trial /= np.maximum(np.linalg.norm(trial, axis=0), np.finfo(float).tiny)
        gained = v @ np.maximum(X @ trial, 0.0)
        better = gained > values
        U, values = np.where(better, trial, U), np.where(better, gained, values)
        step = np.where(better, np.minimum(4.0 * step, 1e3), 0.4 * step)
        if np.all(step < 1e-9):
            break
    order = np.argsort(-values, kind="stable")
    return values[order], U[:, order]
