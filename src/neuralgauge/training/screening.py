"""Rough training, to compare penalties by: local search and pricing without convex programs."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from .._array import Array, as_positive
from .._threads import threads
from ..losses import PiecewiseLoss
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from ..pruning.simplify import simplify
from ..solvers.local_search import smoothed_search
from ..solvers.passes import Passes
from ..solvers.run import Run
from ..solvers.solution import Solution, Status
from .columns import violated, with_columns
from .dual_side import DualSide
from .train import checked_start

ROUNDS = 4  # of pricing
SEARCH = 200  # iterations of local search
# Width of smoothing, and share of the gap that is the least fall of an iteration of it. On friedman1 to friedman3 of
# scikit-learn, 400 rows, held-out errors are those of unsmoothed searches of 200 iterations, in a quarter of the time.
ROUGH_WIDTH, SLOWEST = 3e-3, 3e-4
STARTS = 32  # what pricing scales its starts by; a training takes up to four times as many
LEAST_FALL = 0.1  # share of the gap by which a round must lower the objective for another one


def screen(
    problem: TrainingProblem,
    gap: float = 0.03,
    *,
    time_limit: float | None = None,
    random_state: int | np.random.Generator | None = 0,
    start: Solution[Any] | TwoLayerNetwork | None = None,
) -> Solution[Any]:
    """A network near the optimum, many times sooner than `train`, from where it is at a nearby penalty.

    Local search from the start, activations smoothed near zero, then up to four rounds: price the gradient at the
    network, and search on with the violated neurons. Ends at the gap, where none is violated, or where a round lowers
    the objective by less than a tenth of the gap.

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
    run, rng = Run(as_positive(gap, "gap"), time_limit), np.random.default_rng(random_state)
    first = None if start is None else checked_start(start, problem)
    with threads():
        dual = DualSide(problem, rng, prove=False, most_starts=STARTS)
        network = problem.empty_network() if first is None else first.network
        ended = run.follow(lambda: _rounds(problem, run, dual, network))
    if ended is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return run.solution(run.point, dual.certificate(run.upper), ended, dual=dual.v)


def _rounds(
    problem: TrainingProblem, run: Run, dual: DualSide, network: TwoLayerNetwork
) -> Generator[None, None, Status]:
    _search_from(network, problem, run)
    for index in range(ROUNDS):
        run.n_iter = index + 1
        columns = _violated(dual, run.point)
        if dual.lower >= run.upper - run.target_gap * abs(run.upper):
            return Status.SOLVED
        if len(columns.values) == 0:
            break
        before = run.upper
        _search_from(with_columns(problem, run.point, run.upper, columns), problem, run)
        if run.upper > before * (1.0 - LEAST_FALL * run.target_gap):
            break
        yield
    return Status.ITERATION_LIMIT


def is_searchable(problem: TrainingProblem) -> bool:
    """Whether the loss has no kinks."""
    loss = problem.loss
    return not (isinstance(loss, PiecewiseLoss) and loss.pieces(problem.y).smoothing == 0.0)


def _search_from(start: TwoLayerNetwork, problem: TrainingProblem, run: Run) -> None:
    """Offer the start, and what local search makes of it."""
    run.offer(problem.objective(start), start)
    network = smoothed_search(Passes(problem), start, ROUGH_WIDTH, SEARCH, run, SLOWEST * run.target_gap)
    network = simplify(network, problem, 0.02 * run.target_gap)
    run.offer(problem.objective(network), network)


def _violated(dual: DualSide, network: TwoLayerNetwork) -> Columns:
    """Neurons that minus the gradient at the network violates."""
    problem = dual.problem
    v: Array = -problem.fit.gradient(problem.outputs(network))
    found = dual.price(v, network)
    return violated(found, problem.beta)
