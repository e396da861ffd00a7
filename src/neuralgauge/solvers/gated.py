"""Gated programs under the squared loss: block coordinate descent, then the interior point over what can be active."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from .._threads import threads
from ..losses import Squared
from ..programs.block import BlockProgram
from ._block_descent import sweep
from .loop import Bounds, gauge_bound, run, solution
from .solution import Record, Solution, Status

FIRST = 60  # most new blocks of a round, as long as there are fewer blocks with weight
SWEEPS, SETTLED = 10, 1e-7  # most sweeps between two bounds; relative change of a block at which they end
WINDOW = 3  # rounds over which the gap must fall as fast as would pay
VISIT, ENTRY, ITERATIONS = 4.0, 2.0, 12  # operations a visit and entry of X; of a Gram and entry; iterations foreseen
SLOWER = 4.0  # times as slow an operation is in a visit as in large products
NEARLY = 0.8  # share of beta that v must pay for a block without weight to be given to the interior point
MOST = 0.6  # share of the blocks from which it is given all
ADDITIONS = 2  # times blocks are added to it before it is given all


def descends(program: BlockProgram) -> bool:
    """Whether `run_gated` knows the program."""
    problem = program.problem
    return not program.cones and not problem.features.patched and problem.q == 1 and isinstance(problem.loss, Squared)


def run_gated(
    program: BlockProgram,
    witnesses: Array | None,
    tol: float,
    max_iter: int,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Solution:
    """What `run` returns: rough gaps and large penalties several times sooner, and many patterns at any gap.

    Descent goes on as long as the fall of its gap promises to end before the interior point would. That one then gets
    the blocks with weight or nearly paid for, and those that its dual point turns out to pay for; every bound is over
    all blocks. Where it fails, descent goes on.
    """
    with threads():
        descent = Descent(program, time.perf_counter(), time_limit, progress)
        status = Status.SOLVED if descent.bounds.upper == 0.0 else None
        try:
            status = status or descent.run(tol, max_iter)
            for turn in range(ADDITIONS + 1):
                if status is not None:
                    break
                status = descent.hand_over(tol, max_iter, everything=turn == ADDITIONS)
            if status is not None and status.failed:  # then descent, however slow
                ended = descent.run(tol, max_iter, to_the_end=True)
                status = status if ended in (None, Status.ITERATION_LIMIT) else ended
        except KeyboardInterrupt:
            status = Status.INTERRUPTED
        if descent.bounds.upper == 0.0:
            descent.bounds.lower = 0.0
        seconds = time.perf_counter() - descent.start
        history, status = tuple(descent.history), status or Status.STALLED
        return solution(program, descent.bounds, witnesses, status, descent.n_iter, seconds, history)


class Descent:
    """State of a run: blocks W, of positive sign, the residual they leave, the bounds, what is handed over."""

    def __init__(
        self,
        program: BlockProgram,
        start: float,
        time_limit: float | None,
        progress: Callable[[Record], None] | None,
    ) -> None:
        problem = program.problem
        self.program, self.start, self.progress = program, start, progress
        self.deadline = np.inf if time_limit is None else start + time_limit
        self.bounds, self.history = Bounds(program), list[Record]()
        self.n_iter, self.visits = 0, 0
        m, d = program.n_blocks, problem.d
        self.Xt = np.ascontiguousarray(problem.features.dense().T)
        self.W, self.b = np.zeros((m, d)), self.bounds.offset
        self.weight = np.array(problem.sample_weight)
        self.known: BoolArray = np.zeros(m, dtype=bool)
        self.eigenvalues, self.Q = np.zeros((m, d)), np.zeros((m, d, d))
        self.chosen: npt.NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    def run(self, tol: float, max_iter: int, to_the_end: bool = False) -> Status | None:
        """Rounds of sweeps; None where the interior point should take over, unless they go to the end."""
        gaps = list[float]()
        while True:
            paid = self._bound()
            if (status := self._record(tol, max_iter)) is not None:
                return status
            gaps.append(self.bounds.gap)
            if not to_the_end and self._slow(gaps, tol):
                self._choose(paid)
                return None
            self._sweeps(paid)

    def _choose(self, paid: Array) -> None:
        likely = np.any(self.W != 0.0, axis=1) | (paid > NEARLY * self.program.problem.beta)
        self.chosen = np.flatnonzero(likely | bool(likely.mean() > MOST))

    def _bound(self) -> Array:
        """Offer the blocks and the residual; what the latter pays for every block."""
        problem = self.program.problem
        W = self.program.directions * self.W
        self.bounds.offer(W, self.b)
        self.r = self.weight * (problem.y - self.program.forward(W, self.b))
        v = problem.fit.project(self.r)
        self.bounds.offer_dual(v, gauge_bound(self.program, v, np.zeros_like(W)))
        paid: Array = np.linalg.norm(self.program.adjoint(v), axis=1)
        return paid

    def _sweeps(self, paid: Array) -> None:
        problem = self.program.problem
        alive = np.any(self.W != 0.0, axis=1)
        new = np.flatnonzero(~alive & (paid > problem.beta))
        new = new[np.argsort(-paid[new], kind="stable")][: max(FIRST, int(alive.sum()))]
        active = np.concatenate([new, np.flatnonzero(alive)])
        state = (self.known, self.eigenvalues, self.Q, self.W, self.r)
        for _ in range(SWEEPS):
            if problem.offset:
                shift = float(self.r.sum() / self.weight.sum())
                self.b = self.b + shift
                self.r -= shift * self.weight
            moved = sweep(self.program.gates, self.Xt, self.weight, problem.beta, active, *state)
            self.visits += len(active)
            if moved <= SETTLED * float(np.abs(self.W).max()):
                break
        self.n_iter += 1

    def _slow(self, gaps: list[float], tol: float) -> bool:
        """Whether the interior point promises to be done first."""
        if len(gaps) <= WINDOW:
            return False
        n, d = self.program.problem.features.N, self.program.problem.d
        m = int(np.sum(np.any(self.W != 0.0, axis=1)))
        other = ITERATIONS * (ENTRY * n * n * m + n**3 / 3.0 + 40.0 * n * m * d)
        spent = SLOWER * VISIT * n * d * self.visits
        rate = np.log(max(gaps[-1], 1e-300) / gaps[-1 - WINDOW]) / WINDOW
        if rate >= 0.0:
            return spent > 0.25 * other
        left = np.log(tol / gaps[-1]) / rate * spent / len(gaps)
        return bool(left > other)

    def hand_over(self, tol: float, max_iter: int, everything: bool) -> Status | None:
        """The interior point over the chosen blocks, or over all; None if its dual point pays for others."""
        program, bounds = self.program, self.bounds
        chosen = np.arange(program.n_blocks) if everything else self.chosen
        everything = len(chosen) == program.n_blocks
        part = program.take(chosen)
        left = None if np.isinf(self.deadline) else max(self.deadline - time.perf_counter(), 1e-9)
        solved = run(part, None, tol if everything else 0.5 * tol, max_iter - self.n_iter, left, self._relay)
        self.n_iter += solved.n_iter
        W = np.zeros_like(self.W)
        assert solved.blocks is not None
        W[chosen] = solved.blocks
        bounds.offer(W, np.asarray(solved.network.offset))
        bounds.offer_dual(solved.dual, gauge_bound(program, solved.dual, np.zeros_like(W)))
        if (status := self._record(tol, max_iter)) is not None:
            return status
        if solved.status is not Status.SOLVED or everything:
            return solved.status
        paid = np.linalg.norm(program.adjoint(solved.dual), axis=1)
        self.chosen = np.union1d(chosen, np.flatnonzero(paid > program.problem.beta))
        return None

    def _relay(self, record: Record) -> None:
        """A record of the interior point over some blocks: its bound is not one over all."""
        if self.progress is not None:
            seconds, objective = time.perf_counter() - self.start, min(record.objective, self.bounds.upper)
            self.progress(Record(seconds, objective, self.bounds.lower, self.program.n_blocks))

    def _record(self, tol: float, max_iter: int) -> Status | None:
        """Note the bounds; the status if the run is over."""
        record = Record(time.perf_counter() - self.start, self.bounds.upper, self.bounds.lower, self.program.n_blocks)
        self.history.append(record)
        if self.progress is not None:
            self.progress(record)
        if self.bounds.gap <= tol:
            return Status.SOLVED
        if self.n_iter >= max_iter:
            return Status.ITERATION_LIMIT
        return Status.TIME_LIMIT if time.perf_counter() >= self.deadline else None
