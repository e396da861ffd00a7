"""The one loop that stops, times and logs the interior point, and the bounds it collects."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from .._array import Array
from .._threads import threads
from ..certificate import Certificate, lower_bound
from ..networks.dense import TwoLayerNetwork
from ..networks.gated import GatedNetwork
from ..programs.block import BlockProgram
from ..programs.mapping import network_of_blocks
from .interior_point import InteriorPoint, Iterate
from .solution import Record, Solution, Status

VIOLATION = 1e-9  # largest cone violation, relative to |x_j| |w_i|, of a point called feasible


class Bounds:
    """Best feasible point and best dual point of one run."""

    def __init__(self, program: BlockProgram) -> None:
        problem, empty = program.problem, program.problem.empty_network()
        self.program = program
        self.W = np.zeros((program.n_blocks, problem.d))
        self.offset = np.asarray(empty.offset)
        self.upper = problem.objective(empty)
        self.lower, self.dual = -np.inf, np.zeros_like(problem.y)

    @property
    def gap(self) -> float:
        """Relative gap of the best pair."""
        return Certificate(self.upper, self.lower, "patterns").gap

    def offer(self, W: Array, offset: Array) -> None:
        """Keep these feasible blocks if they are better."""
        if (value := self.program.objective(W, offset)) < self.upper:
            self.upper, self.W, self.offset = value, W, offset

    def update(self, iterate: Iterate) -> None:
        """Keep what is better in this iterate."""
        program = self.program
        if iterate.violation <= VIOLATION:
            self.offer(iterate.W, iterate.offset)
        v = program.problem.fit.project(-iterate.g)
        self.offer_dual(v, gauge_bound(program, v, iterate.cone_multipliers))

    def offer_dual(self, v: Array, gauge: float) -> None:
        """Keep this dual point, of at most this gauge over the blocks, if its bound is better."""
        if np.isfinite(gauge) and (bound := lower_bound(self.program.problem, v, gauge)) > self.lower:
            self.lower, self.dual = bound, v


def gauge_bound(program: BlockProgram, v: Array, cone_multipliers: Array) -> float:
    """Upper bound on max_i max {g_i^T v^T D_i X w : |w| <= 1, w in K_i} from multipliers of the cones.

    By weak duality each is at most |X^T D_i v g_i + X^T (2 D_i - I) Lambda_i|; a margin covers the rounding.
    """
    sums = program.adjoint(v) + cone_multipliers
    problem = program.problem
    features = problem.features
    weight = features.along(np.abs(v), np.ones((1, problem.q)))[:, 0]
    size = float(np.linalg.norm(features.absolute_sum(weight)) + np.abs(cone_multipliers).max(initial=0.0))
    margin = 4.0 * (features.N + problem.d + problem.q) * np.finfo(float).eps * size
    return float(np.sqrt(np.einsum("ij,ij->i", sums, sums).max())) + margin


def run(
    program: BlockProgram,
    witnesses: Array | None,
    tol: float,
    max_iter: int,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Solution:
    """Iterate until the gap of a feasible point is at most `tol`, a limit is met, or Ctrl-C."""
    with threads():
        return _run(program, witnesses, tol, max_iter, time_limit, progress)


def _run(
    program: BlockProgram,
    witnesses: Array | None,
    tol: float,
    max_iter: int,
    time_limit: float | None,
    progress: Callable[[Record], None] | None,
) -> Solution:
    start = time.perf_counter()
    bounds, history = Bounds(program), []
    status, n_iter = Status.STALLED, 0
    if bounds.upper == 0.0:  # no blocks do better, and the central path is empty
        bounds.lower = 0.0
        return solution(program, bounds, witnesses, Status.SOLVED, 0, time.perf_counter() - start, ())
    method = InteriorPoint(program, witnesses)
    try:
        for n_iter, iterate in enumerate(method):
            bounds.update(iterate)
            seconds = time.perf_counter() - start
            history.append(Record(seconds, bounds.upper, bounds.lower, program.n_blocks))
            if progress is not None:
                progress(history[-1])
            if abs(bounds.gap) <= tol:  # below -tol the violations that pass, in a very thin cell, were too large
                status = Status.SOLVED
                break
            if n_iter >= max_iter:
                status = Status.ITERATION_LIMIT
                break
            # Not to overrun the limit by an iteration, the next is taken to last as long as the one before.
            following = seconds - history[-2].seconds if len(history) > 1 else 0.0
            if time_limit is not None and seconds + following >= time_limit:
                status = Status.TIME_LIMIT
                break
        else:
            status = Status.DIVERGED if method.diverged else Status.STALLED
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    return solution(program, bounds, witnesses, status, n_iter, time.perf_counter() - start, tuple(history))


def solution(
    program: BlockProgram,
    bounds: Bounds,
    witnesses: Array | None,
    status: Status,
    n_iter: int,
    seconds: float,
    history: tuple[Record, ...],
) -> Solution:
    """The best points of a run as a `Solution`."""
    network = network_of(program, bounds.W, bounds.offset, witnesses)
    certificate = Certificate(bounds.upper, bounds.lower, "patterns")
    return Solution(network, certificate, status, n_iter, seconds, bounds.dual, history, bounds.W)


def network_of(
    program: BlockProgram, W: Array, offset: Array, witnesses: Array | None
) -> TwoLayerNetwork | GatedNetwork:
    """The network of blocks: ReLU with cones, gated without."""
    problem, directions = program.problem, program.directions
    if program.cones:
        return network_of_blocks(W, directions, problem.empty_network(), offset)
    alive = np.einsum("ij,ij->i", W, W) > 0
    gates = None if witnesses is None else witnesses[alive]
    return problem.gated_network(W[alive], gates, directions[alive], offset)
