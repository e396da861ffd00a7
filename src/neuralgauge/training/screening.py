"""Rough training, to compare penalties by: local search and pricing without convex programs."""

from __future__ import annotations

import time

import numpy as np

from .._array import Array, as_positive
from .._threads import threads
from ..certificate import Certificate
from ..losses import PiecewiseLoss
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from ..pruning.simplify import simplify
from ..solvers.local_search import local_search
from ..solvers.solution import Solution, Status
from .column_generation import spread, with_columns
from .dual_side import DualSide
from .train import checked_start

ROUNDS = 4  # of pricing
SEARCH = 200  # iterations of local search
STARTS = 32  # what pricing scales its starts by; a training takes up to four times as many
WORTH_A_ROUND = 0.1  # share of the gap by which a round must lower the objective for another one


def screen(
    problem: TrainingProblem,
    gap: float = 0.03,
    *,
    time_limit: float | None = None,
    random_state: int | np.random.Generator | None = 0,
    start: Solution | TwoLayerNetwork | None = None,
) -> Solution:
    """A network near the optimum, many times sooner than `train`, from where it is at a nearby penalty.

    Local search from the start, then up to four rounds: price the gradient at the network, and search on with the
    neurons that pay. Ends at the gap, where nothing pays, or where a round lowers the objective by less than a tenth
    of the gap.

    Parameters
    ----------
    problem : TrainingProblem
        With a loss that `is_searchable`: local search gets stuck at kinks.
    gap : float
    time_limit : float, optional
        Seconds, looked at between the rounds.
    random_state : int, Generator or None
    start : Solution or TwoLayerNetwork, optional
        Both as in `train`; the empty network by default.

    Returns
    -------
    Solution
        Never worse than the start. Its certificate is "estimated" from few starts, and its gap is often far wider than
        the true one: objectives come out some 0.1 % above the optimum for large penalties and a few per cent for
        small ones.

    Notes
    -----
    Cost: 200 iterations of O(n (d + c) m) and some 40 pricing starts a round.
    """
    as_positive(gap, "gap")
    began, rng = time.perf_counter(), np.random.default_rng(random_state)
    first = None if start is None else checked_start(start, problem)
    network = problem.empty_network() if first is None else first.network
    with threads():
        dual = DualSide(problem, rng, prove=False, most_starts=STARTS)
        network, upper = _searched(problem, network, gap)
        status, rounds = Status.ITERATION_LIMIT, 0
        while rounds < ROUNDS:
            rounds += 1
            columns = _paying(dual, network)
            if dual.lower >= upper - gap * abs(upper):
                status = Status.SOLVED
                break
            if len(columns.values) == 0:
                break
            before = upper
            network, upper = _searched(problem, with_columns(problem, network, upper, columns), gap, (network, upper))
            if upper > before * (1.0 - WORTH_A_ROUND * gap):
                break
            if time_limit is not None and time.perf_counter() - began > time_limit:
                status = Status.TIME_LIMIT
                break
    certificate = Certificate(upper, dual.lower, "estimated")
    return Solution(network, certificate, status, rounds, time.perf_counter() - began, dual.v)


def is_searchable(problem: TrainingProblem) -> bool:
    """Whether the loss has no kinks."""
    loss = problem.loss
    return not (isinstance(loss, PiecewiseLoss) and loss.pieces(problem.y).smoothing == 0.0)


def _searched(
    problem: TrainingProblem, start: TwoLayerNetwork, gap: float, best: tuple[TwoLayerNetwork, float] | None = None
) -> tuple[TwoLayerNetwork, float]:
    """What local search makes of the start, with its objective; `best` if that is lower."""
    network = simplify(local_search(problem, start, SEARCH), problem, 0.02 * gap)
    value = problem.objective(network)
    return best if best is not None and best[1] <= value else (network, value)


def _paying(dual: DualSide, network: TwoLayerNetwork) -> Columns:
    """Neurons for which minus the gradient at the network pays more than the penalty."""
    problem = dual.problem
    v: Array = -problem.fit.gradient(problem.outputs(network))
    found = dual.price(v, network)
    return Columns.joined([spread(part.take(part.values > problem.beta)) for part in found])
