r"""Convex quadratics with a linear cost over the nonnegative orthant, by an interior point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .._array import Array

MOST_FACTORIZATIONS = 60  # 15 to 25 are usual
SHARE = 0.99  # of the way to the boundary
COMPLEMENTARITY = 1e-8  # of the complementarity, relative to the objective's terms
FLAT = 1e-12  # curvature relative to the largest under which a variable counts as having none
RIDGE = 1e-6  # relative, added to the diagonal: Gram matrices come in single precision


class NonnegativeSolution(NamedTuple):
    """The minimiser: weights (m,) > 0, their slacks (m,) > 0 with small products, and the free variables (k,)."""

    w: Array
    slack: Array
    free: Array


def solve_nonnegative(Q: Array, q: Array, cost: Array, start: Array) -> NonnegativeSolution | None:
    r"""Return the minimiser of :math:`\tfrac12 x^T Q x + q^T x + c^T w` over x = (w, b), w >= 0 and b free.

    Parameters
    ----------
    Q, q : arrays of shape (m + k, m + k), (m + k,)
        Positive semidefinite up to single precision.
    cost : array of shape (m,)
        c > 0; its length says how many variables are nonnegative.
    start : array of shape (m,)
        NonnegativeSolution >= 0 of the right size; far from zero is better than exact.

    Returns
    -------
    NonnegativeSolution or None
        None if the iteration broke down: Q far from positive semidefinite, or numbers out of range.

    Notes
    -----
    Mehrotra's predictor-corrector, one Cholesky factorisation of order m + k an iteration.
    """
    m = len(cost)
    curvature = np.diag(Q)
    scale = 1.0 / np.sqrt(np.maximum(curvature, FLAT * max(float(curvature.max()), np.finfo(float).tiny)))
    Q = Q * np.outer(scale, scale)
    Q[np.diag_indices_from(Q)] += RIDGE
    q, cost = q * scale, cost * scale[:m]
    w = start / scale[:m]
    # In these units a column alone would have the weight -q - c.
    w = np.maximum(w, 0.1 * float(np.mean(w)) or 0.1 * float(np.max(np.abs(q) + np.finfo(float).tiny)) / m)
    x = np.append(w, np.zeros(len(q) - m))
    with np.errstate(all="ignore"):
        z = np.maximum((Q @ x + q)[:m] + cost, 0.1 * cost)
        for _ in range(MOST_FACTORIZATIONS):
            slope = Q @ x + q
            slope[:m] += cost - z
            size = 0.5 * abs(x @ Q @ x) + cost @ x[:m]
            if x[:m] @ z <= COMPLEMENTARITY * size and np.max(np.abs(slope[:m]) / cost) <= COMPLEMENTARITY**0.5:
                break
            moved = _step(Q, x, z, slope)
            if moved is None:
                return None
            x, z = moved
    return NonnegativeSolution(x[:m] * scale[:m], z / scale[:m], x[m:] * scale[m:])


def _step(Q: Array, x: Array, z: Array, slope: Array) -> tuple[Array, Array] | None:
    """One step of the predictor-corrector, None where the system has no factor."""
    m = len(z)
    w = x[:m]
    system = Q.copy()
    system[np.arange(m), np.arange(m)] += z / w
    try:
        factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=True)
    except (LinAlgError, ValueError):
        return None

    def direction(products: Array) -> tuple[Array, Array]:
        right = -slope
        right[:m] -= products / w
        dx = cho_solve(factor, right)
        return dx, -(products + z * dx[:m]) / w

    dx, dz = direction(w * z)
    length = _length(w, z, dx, dz)
    after = (w + length * dx[:m]) @ (z + length * dz)
    centred = (after / (w @ z)) ** 3 * (w @ z) / m
    dx, dz = direction(w * z + dx[:m] * dz - centred)
    length = _length(w, z, dx, dz)
    return x + length * dx, z + length * dz


def _length(w: Array, z: Array, dx: Array, dz: Array) -> float:
    """The longest step, at most 1, that keeps w and z positive."""
    m = len(w)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = [np.min(np.where(step < 0, -now / step, np.inf)) for now, step in ((w, dx[:m]), (z, dz))]
    return float(min(1.0, SHARE * min(reach)))
