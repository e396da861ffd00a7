"""The ascents of `ascent` and `_climb` on few rows: NumPy operations on all starts at once, nothing compiled.

In a new environment the compiler takes ten seconds for what some rows need milliseconds for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array

FEW_ROWS = 16  # up to here a training takes no longer than with compiled searches


def ascend_few(X: Array, v: Array, U: Array, linearizations: int, sweeps: int, tol: float) -> Array:
    """Move every row of U uphill in place and return the values reached: the steps of `ascent.climb`."""
    active = (X @ U.T > 0.0).astype(float)
    value = v @ (active * (X @ U.T))
    live = np.arange(len(U))
    slopes = active
    for _ in range(linearizations):
        R = _shortened(X, v, slopes, sweeps, tol)
        norm = np.linalg.norm(R, axis=0)
        step = R / np.maximum(norm, np.finfo(float).tiny)
        Z = X @ step
        reached = v @ np.maximum(Z, 0.0)
        better = (reached > value[live]) & (norm > 0.0)
        value[live[better]] = reached[better]
        U[live[better]] = step[:, better].T
        tangent = np.where((v > 0.0)[:, None], Z > 0.0, slopes)
        moved = np.any(tangent != slopes, axis=0) & (norm > 0.0)
        live, slopes = live[moved], tangent[:, moved]
        if not len(live):
            break
    return value


def _shortened(X: Array, v: Array, slopes: Array, sweeps: int, tol: float) -> Array:
    """Coordinate descent on the lengths of R = X^T (v slopes), (d, k), over the slopes (n, k) of the concave kinks."""
    R = X.T @ (v[:, None] * slopes)
    curvature = -v * np.sum(X * X, axis=1)
    concave = np.flatnonzero(curvature > 0.0)
    for _ in range(sweeps):
        moved = 0.0
        for i in concave:
            s = slopes[i]
            change = np.minimum(np.maximum(s + (X[i] @ R) / curvature[i], 0.0), 1.0) - s
            s += change
            R += (v[i] * X[i])[:, None] * change
            moved -= change * change * (curvature[i] * v[i])
        if np.all(moved <= tol * tol * np.sum(R * R, axis=0)):
            break
    return R


def climb_few(
    X: Any, v_X: Any, U: Any, orthant: Any, steps: int, first_step: float, least_step: float, least_rise: float
) -> Any:
    """Move the columns of U (d, k), unit vectors, uphill in place and return the values reached: `_climb.climb`."""
    value, gradient = _score(X, v_X, U, orthant)
    step = np.full(U.shape[1], first_step, np.float32)
    for _ in range(steps):
        if not np.any(step > least_step):
            break
        trial = (1 - step) * U + step * gradient
        length = np.linalg.norm(trial, axis=0)
        trial = np.where(length > 0.0, trial / np.maximum(length, np.finfo(np.float32).tiny), U)
        reached, slope = _score(X, v_X, trial, orthant)
        better = (reached > value + np.float32(least_rise) * np.abs(value)) & (step > least_step)
        U[:], gradient = np.where(better, trial, U), np.where(better, slope, gradient)
        value = np.where(better, reached, value)
        step = np.where(better, np.minimum(np.float32(1.5) * step, np.float32(1.0)), np.float32(0.4) * step)
    return value


def _score(X: Any, v_X: Any, U: Any, orthant: Any) -> tuple[Any, Any]:
    """h at every column of U, and the direction of its gradient in the orthant."""
    gradient = v_X.T @ (X @ U > 0.0).astype(np.float32)
    value = np.sum(gradient * U, axis=0)
    gradient[orthant[:, None] * gradient < 0.0] = 0.0
    return value, gradient / np.maximum(np.linalg.norm(gradient, axis=0), np.finfo(np.float32).tiny)
