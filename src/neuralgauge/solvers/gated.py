"""Gated programs under the squared loss: block coordinate descent, then the interior point over what can be active."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from .._threads import threads
from ..losses import Squared
from ..programs.block import BlockProgram
from ._block_descent import Rows, Spectra, sweep
from .blocks import BlockBracket, solve_blocks
from .run import Run
from .solution import Solution, Status

NEW_BLOCKS = 60  # most new blocks of a round, as long as there are fewer blocks with weight
SWEEPS, SETTLED = 10, 1e-7  # most sweeps between two bounds; relative change of a block at which they end
WINDOW = 3  # rounds over which the gap must fall fast enough to go on
VISIT, ENTRY, ITERATIONS = 4.0, 2.0, 12  # operations a visit and entry of X; of a Gram and entry; iterations foreseen
SLOWER = 4.0  # times as slow an operation is in a visit as in large products
NEARLY = 0.8  # of beta: a block without weight of such a score is given to the interior point
MOST_CHOSEN = 0.6  # share of the blocks from which it is given all
ADDITIONS = 2  # times blocks are added to it before it is given all


def descends(program: BlockProgram) -> bool:
    """Whether `solve_by_descent` knows the program."""
    problem = program.problem
    return not program.cones and not problem.features.patched and problem.q == 1 and isinstance(problem.loss, Squared)


def solve_by_descent(program: BlockProgram, witnesses: Array | None, run: Run, max_iter: int) -> Solution[Any]:
    """What `solve_blocks` returns: rough gaps and large penalties several times sooner, and many patterns at any gap.

    Descent goes on as long as the fall of its gap promises to end before the interior point would. That one then gets
    the blocks with weight or nearly so, and those that its dual point turns out to violate; every bound is over all
    blocks. Where it fails, descent goes on.
    """
    with threads():
        descent = Descent(BlockBracket(program, witnesses, run), max_iter)
        ended = run.follow(descent.steps, max_iter=max_iter)
        if descent.failure is not None and ended is Status.ITERATION_LIMIT:
            ended = descent.failure
        return descent.bracket.solution(ended)


class Descent:
    """Blocks W, of positive sign, the residual they leave, and what is handed over."""

    def __init__(self, bracket: BlockBracket, max_iter: int) -> None:
        self.bracket, self.run, self.program, self.max_iter = bracket, bracket.run, bracket.program, max_iter
        problem, m = self.program.problem, self.program.n_blocks
        self.W, self.b = bracket.run.point
        self.W = self.W.copy()
        Xt, weight = np.ascontiguousarray(problem.features.dense().T), np.array(problem.sample_weight)
        self.rows = Rows(self.program.gates, Xt, weight)
        self.spectra = Spectra.unknown(m, problem.d)
        self.visits = 0
        self.failure: Status | None = None
        self.chosen: npt.NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    def steps(self) -> Generator[None, None, Status]:
        """Rounds of descent, the interior point, and where that fails descent again, however slow."""
        yield from self._descent(to_the_end=False)
        for turn in range(ADDITIONS + 1):
            ended = self._hand_over(everything=turn == ADDITIONS)
            yield
            if ended is not None:
                break
        if ended is None or not ended.failed:
            return ended or Status.STALLED
        self.failure = ended
        yield from self._descent(to_the_end=True)
        return ended

    def _descent(self, to_the_end: bool) -> Generator[None, None, None]:
        """Rounds of sweeps; their end is where the interior point should take over, unless they go `to_the_end`."""
        gaps = list[float]()
        while True:
            scores = self._bound()
            self.run.record(self.program.n_blocks)
            yield
            gaps.append(self.run.gap)
            if not to_the_end and self._slow(gaps):
                self._choose(scores)
                return
            self._sweeps(scores)

    def _choose(self, scores: Array) -> None:
        likely = np.any(self.W != 0.0, axis=1) | (scores > NEARLY * self.program.problem.beta)
        self.chosen = np.flatnonzero(likely | bool(likely.mean() > MOST_CHOSEN))

    def _bound(self) -> Array:
        """Offer the blocks and the residual; the score of every block."""
        problem = self.program.problem
        W = self.program.directions * self.W
        self.bracket.offer(W, self.b)
        self.r = self.rows.weight * (problem.y - self.program.forward(W, self.b))
        v = problem.fit.project(self.r)
        self.bracket.offer_dual(v, np.zeros_like(W))
        return np.linalg.norm(self.program.adjoint(v), axis=1)

    def _sweeps(self, scores: Array) -> None:
        problem = self.program.problem
        alive = np.any(self.W != 0.0, axis=1)
        new = np.flatnonzero(~alive & (scores > problem.beta))
        new = new[np.argsort(-scores[new], kind="stable")][: max(NEW_BLOCKS, int(alive.sum()))]
        active = np.concatenate([new, np.flatnonzero(alive)])
        for _ in range(SWEEPS):
            if problem.offset:
                shift = float(self.r.sum() / self.rows.weight.sum())
                self.b = self.b + shift
                self.r -= shift * self.rows.weight
            moved = sweep(self.rows, problem.beta, active, self.spectra, self.W, self.r)
            self.visits += len(active)
            if moved <= SETTLED * float(np.abs(self.W).max()):
                break
        self.run.n_iter += 1

    def _slow(self, gaps: list[float]) -> bool:
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
        left = np.log(self.run.target_gap / gaps[-1]) / rate * spent / len(gaps)
        return bool(left > other)

    def _hand_over(self, everything: bool) -> Status | None:
        """The interior point over the chosen blocks, or over all; None if its dual point violates others."""
        run, program = self.run, self.program
        chosen = np.arange(program.n_blocks) if everything else self.chosen
        everything = len(chosen) == program.n_blocks
        inner = run.inner((1.0 if everything else 0.5) * run.target_gap, primal=True, dual=everything)
        solved = solve_blocks(program.take(chosen), None, inner, self.max_iter - run.n_iter)
        self.bracket.include_part(solved, chosen)
        self.bracket.offer_dual(solved.dual, np.zeros_like(self.W))
        run.record(program.n_blocks)
        if solved.status is not Status.SOLVED or everything:
            return solved.status
        scores = np.linalg.norm(program.adjoint(solved.dual), axis=1)
        self.chosen = np.union1d(chosen, np.flatnonzero(scores > program.problem.beta))
        return None
