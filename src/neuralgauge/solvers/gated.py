"""Gated programs under the squared loss: block coordinate descent, then Newton in the dual variable."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import Array
from .._threads import threads
from ..losses import Squared
from ..programs.block import BlockProgram
from ._block_descent import Rows, Spectra, sweep
from ._gated_system import GatedSystem
from ._scaled_rows import ScaledRows
from .blocks import BlockBracket, solve_blocks
from .dual_newton import DualNewton, DualPoint
from .run import Run
from .solution import Solution, Status

NEW_BLOCKS = 60  # most new blocks of a round, as long as there are fewer blocks with weight
SWEEPS, SETTLED = 5, 1e-7  # most sweeps between two bounds; relative change of a block at which they end
WARM = 0.1  # gap of what another penalty has left below which Newton's method begins at once
WINDOW = 3  # rounds over which the gap must fall fast enough to go on
VISIT, ENTRY = 4.0, 2.0  # operations a visit and entry of X; of a Gram and entry
FACTORS, PASSES = 2, 150  # of Newton's method: factorizations, and visits of every block with weight, foreseen
SLOWER = 4.0  # times as slow an operation is in a visit as in large products


def descends(program: BlockProgram) -> bool:
    """Whether `solve_by_descent` knows the program."""
    problem = program.problem
    return not program.cones and not problem.features.patched and problem.q == 1 and isinstance(problem.loss, Squared)


@dataclass
class GatedState:
    """What the solution for one penalty leaves for another: the point, spectra of blocks, Grams and a factor."""

    system: GatedSystem
    spectra: Spectra
    point: DualPoint

    @classmethod
    def of(cls, program: BlockProgram, start: Solution[Any] | None = None) -> GatedState:
        """Of no blocks and their residual, or of a solution for another penalty."""
        rows = ScaledRows.of(program)
        point = DualPoint(rows.y, np.zeros((program.n_blocks, program.problem.d)))
        if start is not None:
            assert start.blocks is not None
            point = DualPoint(rows.projected(start.dual / rows.root), start.blocks)
        return cls(GatedSystem(rows), Spectra.unknown(program.n_blocks, program.problem.d), point)


def solve_by_descent(
    program: BlockProgram, witnesses: Array | None, run: Run, max_iter: int, state: GatedState | None = None
) -> Solution[Any]:
    """What `solve_blocks` returns, many times sooner.

    Descent goes on as long as the fall of its gap promises to end before Newton's method in the dual variable would,
    and that one begins with what it has found, or at once with the state that another penalty has left. Where it
    fails, the interior point takes over, and then descent again. Every bound is over all blocks.
    """
    with threads():
        bracket = BlockBracket(program, witnesses, run)
        descent = Descent(bracket, max_iter, GatedState.of(program) if state is None else state)
        ended = run.follow(descent.steps, max_iter=max_iter)
        if descent.failure is not None and ended is Status.ITERATION_LIMIT:
            ended = descent.failure
        return bracket.solution(ended)


class Descent:
    """Blocks W, of positive sign, the residual they leave, and what follows."""

    def __init__(self, bracket: BlockBracket, max_iter: int, state: GatedState) -> None:
        self.bracket, self.run, self.program, self.max_iter = bracket, bracket.run, bracket.program, max_iter
        self.state, self.spectra = state, state.spectra
        problem = self.program.problem
        self.W, self.b = self.program.directions * state.point.W, bracket.run.point[1]
        if problem.offset and self.W.any():
            left = problem.y - self.program.forward(state.point.W)
            self.b = np.atleast_1d(problem.sample_weight @ left / problem.sample_weight.sum())
        Xt = np.ascontiguousarray(problem.features.dense().T)
        self.rows = Rows(self.program.gates, Xt, np.array(problem.sample_weight))
        self.visits = 0
        self.failure: Status | None = None

    def steps(self) -> Generator[None, None, Status]:
        """Rounds of descent, Newton's method, where that fails the interior point, and then descent, however slow."""
        if self.W.any():
            v = self.state.system.rows.root * self.state.point.v
            self.bracket.offer_dual(self.program.problem.fit.project(v), np.zeros_like(self.W))
        yield from self._descent(to_the_end=False)
        ended = yield from self._newton()
        if not ended.failed:
            return ended
        ended = self._interior_point()
        yield
        if not ended.failed:
            return ended
        self.failure = ended
        self.W = self.program.directions * self.run.point[0]
        yield from self._descent(to_the_end=True)
        return ended

    def _descent(self, to_the_end: bool) -> Generator[None, None, None]:
        """Rounds of sweeps; their end is where Newton's method should take over, unless they go `to_the_end`."""
        gaps, warm = list[float](), bool(self.W.any())
        while True:
            scores = self._bound()
            self.run.record(self.program.n_blocks)
            yield
            gaps.append(self.run.gap)
            if not to_the_end and (self._slow(gaps) or (warm and self.run.gap < WARM)):
                return
            self._sweeps(scores)

    def _newton(self) -> Generator[None, None, Status]:
        try:
            return (yield from DualNewton(self.bracket, self.state.system, self.state.point).steps())
        except np.linalg.LinAlgError:
            return Status.SINGULAR

    def _bound(self) -> Array:
        """Offer the blocks and the residual; the score of every block."""
        problem = self.program.problem
        W = self.program.directions * self.W
        self.r = self.rows.weight * (problem.y - self.bracket.offer(W, self.b))
        v = problem.fit.project(self.r)
        if self.visits:
            root = self.state.system.rows.root
            self.state.point.W, self.state.point.v = W, self.state.system.rows.projected(v / root)
        return self.bracket.offer_dual(v, np.zeros_like(W))

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
        """Whether Newton's method promises to be done first."""
        if len(gaps) <= WINDOW:
            return False
        n, d = self.program.problem.features.N, self.program.problem.d
        m = int(np.sum(np.any(self.W != 0.0, axis=1)))
        order = min(n, m * d)
        entries = n * n * m if m * d > n else n * (m * d) ** 2
        other = FACTORS * (ENTRY * entries + order**3 / 3.0) + PASSES * VISIT * n * m * d
        spent = SLOWER * VISIT * n * d * self.visits
        rate = np.log(max(gaps[-1], 1e-300) / gaps[-1 - WINDOW]) / WINDOW
        if rate >= 0.0:
            return spent > 0.25 * other
        left = np.log(self.run.target_gap / gaps[-1]) / rate * spent / len(gaps)
        return bool(left > other)

    def _interior_point(self) -> Status:
        """The interior point over all blocks."""
        inner = self.run.inner(primal=True, dual=True)
        solved = solve_blocks(self.program, None, inner, self.max_iter - self.run.n_iter)
        self.bracket.include(solved)
        self.run.record(self.program.n_blocks)
        return solved.status
