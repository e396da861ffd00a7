r"""The best weights of given columns: a lasso, by Newton steps of its loss.

.. math:: \min_{w \ge 0,\, b} \; L\Big(\sum_j w_j h_j + b\Big) + \beta \sum_j w_j, \qquad h_j = (X u_j)_+\, g_j ,

u_j and g_j of length one. Neurons that are not needed end at zero, and at the residual no column's score exceeds beta.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from .kinked_lasso import kinked_lasso
from .nonnegative import NonnegativeSolution, solve_nonnegative
from .passes import Passes

MOST_NEWTON_STEPS = 12  # of Newton's method; 4 to 6 are usual
LEAST_PROMISE = 1e-6  # decrease that a step must promise, relative to the objective
SHORTENINGS = 6  # of a step that does not decrease the objective
WEIGHTLESS = 0.1  # see `_network`
KINKED_WEIGHTLESS = 1e-4  # where the path is followed less far, and each weight left out is a loss at every kink


class Reweighted(NamedTuple):
    """A network of some columns, the weights of all (m,), and how far their scores are below beta, relative (m,).

    `v` is the dual point that says so; None where it is the network's residual.
    """

    network: TwoLayerNetwork
    weight: Array
    shortfall: Array
    v: Array | None = None


def reweighted(passes: Passes, columns: Columns, weight: Array, offset: Array | float) -> Reweighted | None:
    """Return the network of the best weights of given columns, without those that end at zero.

    Parameters
    ----------
    passes : Passes
        Of a problem of one output whose loss has second derivatives, or kinks that are rounded.
    columns : Columns
        Unit vectors and signs.
    weight : array of shape (m,)
        Start: w_j = \\|u_j\\| \\|alpha_j\\|, 0 for new columns.
    offset : array of shape (1,)
        Start of the offset.

    Returns
    -------
    Reweighted or None
        None if no step decreased the objective.

    Notes
    -----
    A step is a pass over the rows, N m^2 operations in single precision, and a quadratic program of m variables. Losses
    with kinks take an interior point instead while the columns fit in memory (`kinked_lasso`).
    """
    if len(weight) == 0:
        return None
    if passes.width > 0.0 and (H := passes.atoms(columns)) is not None:
        return _by_interior_point(passes, columns, H, weight, offset)
    point = _Expansion.at(passes, columns, np.append(weight, offset if passes.problem.offset else np.zeros(0)))
    slack = None
    for _ in range(MOST_NEWTON_STEPS):
        solved = _newton(point, len(weight), passes.problem.beta)
        if solved is None:
            break
        step = np.append(solved.w, solved.free) - point.x
        promised = -float(point.slope @ step + 0.5 * step @ point.hessian @ step)
        after = _decreased(passes, columns, point, step, promised)
        if after is None:
            break
        point, slack = after, solved.slack
        if promised <= LEAST_PROMISE * point.value or passes.problem.loss.name == "squared":  # whose step is exact
            break
    return None if slack is None else _network(passes.problem, columns, point.x, slack, offset)


def _by_interior_point(
    passes: Passes, columns: Columns, H: Array, weight: Array, offset: Array | float
) -> Reweighted | None:
    """The same under a loss with kinks, where the columns fit in memory."""
    point = kinked_lasso(passes.searched, H, weight, offset)
    if not all(np.all(np.isfinite(part)) for part in point):
        return None
    found = _network(passes.problem, columns, np.append(point.w, point.b), point.z, offset, KINKED_WEIGHTLESS)
    return found._replace(v=passes.problem.fit.project(-point.g))


class _Expansion(NamedTuple):
    """NonnegativeSolution and, where there is one, the offset, with the objective to second order."""

    x: Array
    value: float
    slope: Array
    hessian: Array

    @classmethod
    def at(cls, passes: Passes, columns: Columns, x: Array) -> _Expansion:
        m, beta = len(columns.values), passes.problem.beta
        loss = passes.curvature(columns, x[:m], x[m:] if len(x) > m else np.zeros(1))
        cost = np.append(np.full(m, beta), np.zeros(len(x) - m))
        return cls(x, loss.value + float(cost @ x), loss.gradient + cost, loss.hessian)


def _newton(point: _Expansion, m: int, beta: float) -> NonnegativeSolution | None:
    """The minimiser of the second-order model; None without curvature, as between rounded kinks."""
    if not np.any(np.diag(point.hessian) > 0.0):
        return None
    linear = point.slope - point.hessian @ point.x
    linear[:m] -= beta
    return solve_nonnegative(point.hessian, linear, np.full(m, beta), point.x[:m])


def _decreased(passes: Passes, columns: Columns, point: _Expansion, step: Array, promised: float) -> _Expansion | None:
    """A point along the step that has part of the decrease promised; None if there is none."""
    length = 1.0
    for _ in range(SHORTENINGS):
        after = _Expansion.at(passes, columns, point.x + length * step)
        if after.value <= point.value - 0.1 * length * promised:
            return after
        length *= 0.5
    return None


def _network(
    problem: TrainingProblem,
    columns: Columns,
    x: Array,
    slack: Array,
    offset: Array | float,
    weightless: float = WEIGHTLESS,
) -> Reweighted:
    """The neurons whose share of the penalty exceeds what their scores fall short of beta, relative to it.

    On the central path the two have a constant product, so neurons that end at zero have them the other way round.
    """
    m = len(slack)
    w, shortfall = x[:m], slack / problem.beta
    kept = w > weightless * shortfall * w.sum()
    root = np.sqrt(w[kept])
    network = problem.empty_network().with_neurons(
        columns.U[:, kept] * root, columns.G[kept] * root[:, None], x[m:] if problem.offset else offset
    )
    return Reweighted(network, w, shortfall)
