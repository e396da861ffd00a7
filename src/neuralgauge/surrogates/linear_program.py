"""Linear programs with a bound that rounding and the solver's tolerances do not break."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog

from .._array import Array

EPS = float(np.finfo(np.float64).eps)
# The least that HiGHS takes; its default of 1e-7 would leave vertices that are that far from the best.
TOLERANCES: Any = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


class LinearMaximum(NamedTuple):
    """What is proven of a maximum, and a point (n,) near where it is attained, None where the solver failed."""

    bound: float
    point: Array | None


def linear_maximum(cost: Array, A: Array, b: Array, lower: Array, upper: Array) -> LinearMaximum:
    r"""Bound cost . x over A x <= b and a bounded box from above, by multipliers that HiGHS finds.

    For all multipliers :math:`\mu \ge 0`, however inexact,

    .. math:: c^T x \le \mu^T b + \max_{l \le z \le u} (c - A^T \mu)^T z,

    which is computed with what rounding may add (Neumaier & Shcherbina, 2004). With a failure of the solver mu is 0.
    """
    result = linprog(
        -cost,
        A_ub=A,
        b_ub=b,
        bounds=list(zip(lower.tolist(), upper.tolist(), strict=True)),
        method="highs",
        options=TOLERANCES,
    )
    solved = result.status == 0
    multipliers = np.maximum(-result.ineqlin.marginals, 0.0) if solved and len(A) else np.zeros(len(A))
    bound = lagrangian_bound(cost, A, b, lower, upper, multipliers)
    return LinearMaximum(bound, np.clip(np.asarray(result.x), lower, upper) if solved else None)


def lagrangian_bound(cost: Array, A: Array, b: Array, lower: Array, upper: Array, multipliers: Array) -> float:
    """What multipliers >= 0 (rows,) prove, rounded up."""
    left = cost - multipliers @ A
    # Sums of len(A) products, and of len(cost) and len(b) terms, each in any order: Higham, section 3.1.
    unit = 2.0 * (len(cost) + len(b) + 4) * EPS
    error = unit * (np.abs(cost) + multipliers @ np.abs(A))
    # The largest over a cube is at an end; where that is zero, nothing is lost.
    terms = np.maximum(left * lower + error * np.abs(lower), left * upper + error * np.abs(upper))
    rest = multipliers * b
    return float(terms.sum() + rest.sum() + unit * (np.abs(terms).sum() + np.abs(rest).sum()))
