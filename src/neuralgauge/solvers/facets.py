"""The convex program over the facets of its cones, completed until nothing else is violated."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..patterns.facets import facet_rows, violated_rows
from ..programs.block import BlockProgram
from .blocks import BlockBracket, solve_blocks
from .run import Run
from .solution import Solution, Status

Index = npt.NDArray[np.intp]

NEAREST_STRICT, NEAREST_LOOSE = 12, 6  # rows for each column: fewer repairs against cheaper iterations
REPAIRS = 4  # relaxations solved before all constraints are taken


def solve_on_facets(
    program: BlockProgram,
    witnesses: Array,
    run: Run,
    max_iter: int,
    *,
    strict: bool = True,
    among: Index | None = None,
    start: Solution[Any] | None = None,
) -> Solution[Any]:
    """What `solve_blocks` returns, many times sooner: few of the n constraints of a cone are facets.

    Parameters
    ----------
    max_iter : int
        Most iterations, over all relaxations together.
    strict : bool
        Whether the blocks must satisfy every constraint of every cone, also when a limit is met. Otherwise small
        blocks and small violations pass, and so does what is left after the last repair: enough for a network that
        is evaluated on its own. The dual side is valid in any case.
    among : int array, optional
        Rows whose constraints count at all, for a relaxation that lets go of the others; not with `strict`.
    start : Solution, optional
        For another penalty: no result is above it; with `strict`.
    """
    search = _FacetSearch(program, witnesses, strict, among)
    if not strict:
        return search.relaxed(run, max_iter)
    bracket = BlockBracket(program, witnesses, run)
    bracket.offer_start(start)
    return bracket.solution(run.follow(lambda: search.programs(bracket, max_iter), max_iter=max_iter))


class _FacetSearch:
    """The relaxations over the rows that the cones need, of all or of some."""

    def __init__(self, program: BlockProgram, witnesses: Array, strict: bool, among: Index | None) -> None:
        self.program, self.witnesses, self.strict, self.among = program, witnesses, strict, among
        self.X, self.gates = program.walls
        if among is not None:  # and the walls that are no rows of X
            self.among = np.append(among, np.arange(program.problem.features.N, len(self.X)))
            self.X, self.gates = self.X[self.among], self.gates[:, self.among]

    def programs(self, bracket: BlockBracket, max_iter: int) -> Generator[None, None, Status]:
        """Solve relaxations until one leaves nothing violated, and else the whole program."""
        run, program, witnesses = bracket.run, self.program, self.witnesses
        rows: Index | None = self.first()
        for _ in range(REPAIRS):
            solved, rows = self.solve(rows, run.inner(dual=True), max_iter - run.n_iter)
            assert solved.blocks is not None
            if rows is None and not solved.status.failed:
                bracket.include(solved)
                return solved.status
            bracket.include(solved, _inside(program, solved.blocks, witnesses))  # which may be good enough
            yield
            if solved.status in (Status.TIME_LIMIT, Status.ITERATION_LIMIT):
                return solved.status
            if rows is None or solved.status.failed:
                break
        solved = solve_blocks(program, witnesses, run.inner(primal=True, dual=True), max_iter - run.n_iter)
        bracket.include(solved)
        return solved.status

    def relaxed(self, run: Run, max_iter: int) -> Solution[Any]:
        """The solution of the last relaxation: one that was not solved, that leaves nothing violated, or the fourth."""
        rows: Index | None = self.first()
        for _ in range(REPAIRS):
            solved, rows = self.solve(rows, run.inner(), max_iter - run.n_iter)
            run.n_iter += solved.n_iter
            if rows is None or solved.status is not Status.SOLVED:
                break
        return replace(solved, n_iter=run.n_iter, seconds=run.seconds)

    def solve(self, rows: Index | None, run: Run, max_iter: int) -> tuple[Solution[Any], Index | None]:
        """The relaxation over these rows, and the rows with those that its blocks violate; None without any."""
        assert rows is not None
        solved = solve_blocks(replace(self.program, rows=rows), self.witnesses, run, max_iter)
        assert solved.blocks is not None
        return solved, self.completed(rows, solved.blocks)

    def first(self) -> Index:
        """Facets, or what is near."""
        rows = facet_rows(self.X, self.witnesses, NEAREST_STRICT if self.strict else NEAREST_LOOSE)
        return rows if self.among is None else self.among[rows]

    def completed(self, rows: Index, W: Array) -> Index | None:
        """With the rows that W violates; None if it violates none."""
        if self.among is None:
            return violated_rows(self.X, self.gates, rows, W, self.strict)
        found = violated_rows(self.X, self.gates, np.searchsorted(self.among, rows), W, self.strict)
        return None if found is None else self.among[found]


def _inside(program: BlockProgram, W: Array, witnesses: Array) -> Array:
    """The blocks moved towards their witnesses, each as far as its cone demands."""
    size = np.linalg.norm(W, axis=1) / np.linalg.norm(witnesses, axis=1)
    inner = size[:, None] * witnesses
    violation = np.maximum(-program.slacks(W), 0.0)
    room = np.maximum(program.slacks(inner), np.finfo(float).tiny)
    share = np.max(violation / (violation + room), axis=1)[:, None]
    return (1.0 - share) * W + share * inner


def interior(program: BlockProgram, witnesses: Array) -> bool:
    """Whether every witness is strictly inside its cone, as finding facets needs."""
    if not program.cones:
        return False
    used = np.any(program.walls[0] != 0.0, axis=1)
    slack = program.slacks(witnesses)
    return bool(used.any() and np.all(slack[:, used] > 0.0))
