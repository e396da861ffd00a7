r"""Programs over many given patterns: solved over the few blocks that matter, priced over all of them.

At a dual point v block i is worth the support function of its cone, the norm of the projection of X^T D_i v g_i on K_i,

.. math:: \max \{g_i v^T D_i X w : \|w\| \le 1, w \in K_i\} = \min_{\lambda \ge 0} \|X^T D_i v g_i + B_i^T \lambda\|,

B_i the rows (2 D_i - I) X, a non-negative least-squares problem. Blocks worth more than beta are taken in; multipliers
at hand, feasible for every v, bound the others. The bound covers all patterns.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from .._array import Array
from ..patterns.facets import facet_rows
from ..programs.block import BlockProgram
from .facets import NEAREST_STRICT, run_on_facets
from .loop import Bounds, gauge_bound, solution
from .solution import Record, Solution, Status

Index = npt.NDArray[np.intp]

LARGE = 3e9  # n^2 m d, operations of an iteration over all blocks, from which the detour pays
FIRST_BLOCKS = 80
MOST_NEW, GROWTH = 60, 0.5  # most blocks taken in at a time: so many, or this share of those there
MANY = 0.3  # share of all blocks from which they are solved together after all
HOPELESS = 0.7  # gap after the first program that announces so many
LOOSE, TIGHT = 1e-2, 0.3  # gaps of the first programs, and of the last relative to the one wanted
AHEAD = 0.1  # between them: of the gap over all patterns
SPREAD = 1e-2  # 1 - cosine under which two new blocks count as one


def pays(program: BlockProgram) -> bool:
    """Whether the detour is worth trying."""
    problem = program.problem
    return program.cones and float(problem.y.size) ** 2 * program.n_blocks * problem.d > LARGE


def run_on_working_set(
    program: BlockProgram,
    witnesses: Array,
    tol: float,
    max_iter: int,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Solution:
    """What `run_on_facets` returns, sooner where few of many blocks are active.

    `max_iter` is for each of the programs over some blocks; `progress` is called after each of them. Where the blocks
    that pay turn out to be many, or a program over some of them fails, all are solved together.
    """
    start, n_iter = time.perf_counter(), 0
    bounds, worths = Bounds(program), Worths(program, witnesses)
    problem, history = program.problem, []
    v = problem.fit.project(-problem.fit.gradient(problem.outputs(problem.empty_network())))
    taken, accuracy = worths.paying(v, np.zeros(0, dtype=np.intp), FIRST_BLOCKS), LOOSE

    def onward(record: Record) -> None:
        """What all blocks together add to what some of them have reached."""
        objective, lower = min(record.objective, bounds.upper), max(record.lower_bound, bounds.lower)
        history.append(Record(time.perf_counter() - start, objective, lower, record.n_neurons))
        if progress is not None:
            progress(history[-1])

    while True:
        left = None if time_limit is None else max(time_limit - (time.perf_counter() - start), 1e-9)
        status = Status.SOLVED
        if len(taken):
            solved = run_on_facets(program.take(taken), witnesses[taken], accuracy, max_iter, left)
            status, n_iter = solved.status, n_iter + solved.n_iter
            if not status.failed:  # what a failed program leaves says nothing of the blocks outside
                v = solved.dual
            W = np.zeros((program.n_blocks, problem.d))
            W[taken] = solved.blocks
            bounds.offer(W, np.asarray(solved.network.offset))
        new = worths.paying(v, taken, max(MOST_NEW, int(GROWTH * len(taken))))
        bounds.offer_dual(v, gauge_bound(program, v, worths.multipliers))
        seconds = time.perf_counter() - start
        history.append(Record(seconds, bounds.upper, bounds.lower, len(taken)))
        if progress is not None:
            progress(history[-1])
        if bounds.gap <= tol:
            status = Status.SOLVED
        elif (status is Status.SOLVED or status.failed) and time_limit is not None and seconds >= time_limit:
            status = Status.TIME_LIMIT
        elif status.failed or (status is Status.SOLVED and (len(new) or accuracy > TIGHT * tol)):
            accuracy = max(TIGHT * tol, min(LOOSE, AHEAD * bounds.gap)) if len(new) else TIGHT * tol
            taken = np.concatenate([taken, new])
            hopeless = len(history) == 1 and history[0].lower_bound < (1.0 - HOPELESS) * history[0].objective
            if len(taken) < MANY * program.n_blocks and not (hopeless or status.failed):
                continue
            left = None if time_limit is None else max(time_limit - seconds, 1e-9)
            solved = run_on_facets(program, witnesses, tol, max_iter, left, onward)
            assert solved.blocks is not None
            status, n_iter, seconds = solved.status, n_iter + solved.n_iter, time.perf_counter() - start
            bounds.offer(solved.blocks, np.asarray(solved.network.offset))
            if solved.certificate.lower > bounds.lower:
                bounds.lower, bounds.dual = solved.certificate.lower, solved.dual
        elif status is Status.SOLVED:
            status = Status.STALLED
        return solution(program, bounds, witnesses, status, n_iter, seconds, tuple(history))


class Worths:
    """What blocks are worth at dual points, by multipliers of their cones that are kept from point to point."""

    def __init__(self, program: BlockProgram, witnesses: Array) -> None:
        self.program = program
        self.rows = facet_rows(program.problem.features.dense(), witnesses, NEAREST_STRICT)
        self.multipliers = np.zeros((program.n_blocks, program.problem.d))

    def paying(self, v: Array, taken: Index, most: int) -> Index:
        """The blocks worth most, of those worth more than beta that are not taken yet.

        Multipliers are found anew where those at hand do not show a block to be worth no more than beta: over the
        nearest rows of its cone, or over all of them for blocks taken in, whose worth decides the bound.
        """
        beta, sums = self.program.problem.beta, self.program.adjoint(v)
        worth = np.linalg.norm(sums + self.multipliers, axis=1)
        inside = np.zeros(len(worth), dtype=bool)
        inside[taken] = True
        for i in np.flatnonzero(worth > beta):
            rows = slice(None) if inside[i] else self.rows[i]
            self.multipliers[i] = self._pushed_out(int(i), sums[i], rows)
            worth[i] = np.linalg.norm(sums[i] + self.multipliers[i])
        worth[taken] = 0.0
        order = np.argsort(-worth)
        return self._spread(order[worth[order] > beta], sums + self.multipliers, most)

    def _spread(self, order: Index, pulls: Array, most: int) -> Index:
        """The first of them that differ from those before them, at most `most`."""
        units = pulls[order] / np.linalg.norm(pulls[order], axis=1, keepdims=True)
        directions, kept = self.program.directions[order], np.zeros(0, dtype=np.intp)
        for k in range(len(order)):
            if len(kept) == most:
                break
            if not np.any((units[kept] @ units[k]) * (directions[kept] @ directions[k]) > 1.0 - SPREAD):
                kept = np.append(kept, k)
        return order[kept]

    def _pushed_out(self, i: int, pull: Array, rows: Index | slice) -> Array:
        """B^T lambda (d,) for the lambda >= 0 that shortens `pull` most, or zero, which is valid too."""
        signs = np.where(self.program.gates[i, rows], 1.0, -1.0)
        walls = signs[:, None] * self.program.problem.features.dense(rows)
        try:
            multipliers, _ = nnls(walls.T, -pull)
        except RuntimeError:  # too many iterations
            return np.zeros_like(pull)
        result: Array = multipliers @ walls
        return result
