"""Training by passes over the rows alone, wherever these are: rounds of smoothed search."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from ..certificate import Certificate
from ..networks.dense import TwoLayerNetwork
from ..solvers.passes import Passes
from ..solvers.run import Run
from ..solvers.solution import Solution, Status
from .column_search import ColumnSearch
from .smoothed_rounds import SmoothedRounds

ROWS_TO_BEGIN, GROWTH = 6_000, 8  # of the part that is trained first, and from one part to the next
ROWS_A_COLUMN = 50  # of the first part at least
PART_ROUNDS, PART_SHARE = (4, 2), 0.4  # of the first part and of later ones; of the time left
ROUNDS_IDLE, HARDLY = 6, 0.9  # rounds that must together lower the gap by this factor


def solve_by_passes(
    passes: Passes, run: Run, rng: np.random.Generator, network: TwoLayerNetwork, max_rounds: int
) -> Solution[Any]:
    """Rounds until the gap is reached, nothing moves, or time is up; what there is then, with its estimated bound.

    Parameters
    ----------
    passes : Passes
    run : Run
    rng : Generator
    network : TwoLayerNetwork
        Start; without neurons, random ones.
    max_rounds : int
    """
    search = ColumnSearch(passes, rng)
    run.offer(passes.objective(network), network)
    ended = run.follow(lambda: _steps(passes, run, rng, search, max_rounds))
    certificate = Certificate(run.upper, search.lower, "estimated")
    return run.solution(run.point, certificate, ended, dual=search.v)


def _steps(
    passes: Passes, run: Run, rng: np.random.Generator, search: ColumnSearch, max_rounds: int
) -> Generator[None, None, Status]:
    """The rounds, each handed out when its dual points are priced."""
    if passes.problem.beta >= _price_empty(passes, search):
        return Status.SOLVED
    gaps: list[float] = []
    rounds = SmoothedRounds(passes, run, rng, search, _from_parts(passes, run, rng, run.point))
    for index, _ in zip(range(max_rounds), rounds.steps(), strict=False):
        run.n_iter = index + 1
        gap = Certificate(run.upper, search.lower, "estimated").gap
        run.record(run.point.n_neurons, search.lower)
        if gap <= run.target_gap:
            search.settle(run.point)
            gap = Certificate(run.upper, search.lower, "estimated").gap
            run.record(run.point.n_neurons, search.lower)
            if gap <= run.target_gap:
                return Status.SOLVED
            rounds.widen()
        yield
        gaps.append(gap)
        if len(gaps) > ROUNDS_IDLE and gap > HARDLY * gaps[-1 - ROUNDS_IDLE]:
            if not rounds.widen():
                return Status.STALLED
            gaps = gaps[-1:]
    return Status.ITERATION_LIMIT


def _from_parts(passes: Passes, run: Run, rng: np.random.Generator, network: TwoLayerNetwork) -> TwoLayerNetwork:
    """The network that rounds on larger and larger parts of many samples end with."""
    n, sizes = passes.problem.n, []
    size = n / GROWTH
    while size >= max(ROWS_TO_BEGIN / GROWTH**0.5, ROWS_A_COLUMN * passes.problem.d):
        sizes.append(int(size))
        size /= GROWTH
    for level, size in enumerate(reversed(sizes)):
        part = Passes(passes.part(size, rng))
        inner = run.inner(run.target_gap, PART_SHARE)
        rounds = SmoothedRounds(part, inner, rng, ColumnSearch(part, rng), network)
        try:
            for _, _ in zip(range(PART_ROUNDS[min(level, 1)]), rounds.steps(), strict=False):
                if inner.late():
                    break
        finally:  # Ctrl-C keeps what a part has found
            if inner.point is not None:
                network = inner.point
                run.offer(passes.objective(network), network)
        run.record(run.point.n_neurons)
    return network


def _price_empty(passes: Passes, search: ColumnSearch) -> float:
    """The polar gauge at the best outputs without neurons, as far as a search tells."""
    empty = passes.problem.empty_network()
    search.price(passes.residual(empty), empty)
    return search.polar
