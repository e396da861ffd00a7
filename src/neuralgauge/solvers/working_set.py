r"""Programs over many given patterns: solved over the few blocks that matter, priced over all of them.

At a dual point v the score of block i is the support function of its cone, the norm of the projection of X^T D_i v g_i
on K_i,

.. math:: \max \{g_i v^T D_i X w : \|w\| \le 1, w \in K_i\} = \min_{\lambda \ge 0} \|X^T D_i v g_i + B_i^T \lambda\|,

B_i the rows (2 D_i - I) X, a non-negative least-squares problem. Blocks that v violates, of scores above beta, join the
working set; multipliers at hand, feasible for every v, bound the others. The bound covers all patterns.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from .._array import Array
from ..patterns.facets import facet_rows
from ..programs.block import BlockProgram
from .blocks import BlockBracket
from .facets import NEAREST_STRICT, solve_on_facets
from .run import TIGHT, Run
from .solution import Solution, Status

Index = npt.NDArray[np.intp]

LARGE_PROGRAM = 3e9  # n^2 m d, operations of an iteration over all blocks, from which a working set is tried
FIRST_BLOCKS = 80  # of the first working set
MOST_NEW, BLOCK_GROWTH = 60, 0.5  # most blocks taken in at a time: so many, or this share of those there
WITH_WEIGHT = 1e-4  # of the longest block: shorter ones are what an interior point leaves of zeros
MANY_BLOCKS = 0.3  # share of all blocks from which they are solved together after all
MANY_GAP = 0.7  # gap after the first program above which so many turn out to be needed
SAME_BLOCK = 1e-2  # 1 - cosine under which two new blocks count as one


def is_large(program: BlockProgram) -> bool:
    """Whether iterations over all blocks cost so much that a working set is tried."""
    problem = program.problem
    return program.cones and float(problem.y.size) ** 2 * program.n_blocks * problem.d > LARGE_PROGRAM


def solve_on_working_set(
    program: BlockProgram, witnesses: Array, run: Run, max_iter: int, start: Solution[Any] | None = None
) -> Solution[Any]:
    """What `solve_on_facets` returns, sooner where few of many blocks are active.

    `max_iter` is for each of the programs over some blocks, and each of them is a `Record`. Where the violated blocks
    turn out to be many, or a program over some of them fails, all are solved together.
    """
    bracket = BlockBracket(program, witnesses, run)
    scores = Scores(program, witnesses)
    return bracket.solution(run.follow(lambda: _programs(bracket, scores, witnesses, max_iter)))


def _programs(bracket: BlockBracket, scores: Scores, witnesses: Array, max_iter: int) -> Generator[None, None, Status]:
    run, program = bracket.run, bracket.program
    fit = program.problem.fit
    v = fit.project(fit.empty_dual)
    taken, gap = scores.violated(v, np.zeros(0, dtype=np.intp), FIRST_BLOCKS), run.part_gap
    while True:
        status = Status.SOLVED
        if len(taken):
            solved = solve_on_facets(program.take(taken), witnesses[taken], run.inner(gap), max_iter)
            status = solved.status
            if not status.failed:  # what a failed program leaves says nothing of the blocks outside
                v = solved.dual
            bracket.include_part(solved, taken)
        new = scores.violated(v, taken, max(MOST_NEW, int(BLOCK_GROWTH * len(taken))))
        bracket.offer_dual(v, scores.multipliers)
        run.record(len(taken))
        yield
        if status in (Status.TIME_LIMIT, Status.ITERATION_LIMIT):
            return status
        tight = TIGHT * run.target_gap
        if status is Status.SOLVED and not len(new) and gap <= tight:
            return Status.STALLED
        gap = run.part_gap if len(new) else tight
        taken = np.concatenate([taken, new])
        many = len(taken) >= MANY_BLOCKS * program.n_blocks or (len(run.history) == 1 and run.gap > MANY_GAP)
        if many or status.failed:
            break
    solved = solve_on_facets(program, witnesses, run.inner(primal=True, dual=True), max_iter)
    bracket.include(solved)
    return solved.status


class Scores:
    """Scores of blocks at dual points, by multipliers of their cones that are kept from point to point."""

    def __init__(self, program: BlockProgram, witnesses: Array) -> None:
        self.program = program
        self.rows = facet_rows(program.walls[0], witnesses, NEAREST_STRICT)
        self.multipliers = np.zeros((program.n_blocks, program.problem.d))

    def violated(self, v: Array, taken: Index, most: int) -> Index:
        """The blocks of the largest scores, of those above beta that are not taken yet.

        Multipliers are found anew where those at hand leave a score above beta: over the nearest rows of the block's
        cone, or over all of them for blocks taken in, whose scores decide the bound.
        """
        beta, sums = self.program.problem.beta, self.program.adjoint(v)
        score = np.linalg.norm(sums + self.multipliers, axis=1)
        inside = np.zeros(len(score), dtype=bool)
        inside[taken] = True
        for i in np.flatnonzero(score > beta):
            rows = slice(None) if inside[i] else self.rows[i]
            self.multipliers[i] = self._pushed_out(int(i), sums[i], rows)
            score[i] = np.linalg.norm(sums[i] + self.multipliers[i])
        score[taken] = 0.0
        order = np.argsort(-score)
        return self._distinct(order[score[order] > beta], sums + self.multipliers, most)

    def _distinct(self, order: Index, pulls: Array, most: int) -> Index:
        """The first of them that differ from those before them, at most `most`."""
        units = pulls[order] / np.linalg.norm(pulls[order], axis=1, keepdims=True)
        directions, kept = self.program.directions[order], np.zeros(0, dtype=np.intp)
        for k in range(len(order)):
            if len(kept) == most:
                break
            if not np.any((units[kept] @ units[k]) * (directions[kept] @ directions[k]) > 1.0 - SAME_BLOCK):
                kept = np.append(kept, k)
        return order[kept]

    def _pushed_out(self, i: int, pull: Array, rows: Index | slice) -> Array:
        """B^T lambda (d,) for the lambda >= 0 that shortens `pull` most, or zero, which is valid too."""
        X, side = self.program.walls
        walls = np.where(side[i, rows], 1.0, -1.0)[:, None] * X[rows]
        try:
            multipliers, _ = nnls(walls.T, -pull)
        except RuntimeError:  # too many iterations
            return np.zeros_like(pull)
        return multipliers @ walls
