"""The convex program over the facets of its cones, completed until nothing else is violated."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..patterns.facets import facet_rows, violated_rows
from ..programs.block import BlockProgram
from .loop import Bounds, run, solution
from .solution import Record, Solution, Status

Index = npt.NDArray[np.intp]

NEAREST_STRICT, NEAREST_LOOSE = 12, 6  # rows for each column: fewer repairs against cheaper iterations
REPAIRS = 4  # relaxations solved before all constraints are taken


def run_on_facets(
    program: BlockProgram,
    witnesses: Array,
    tol: float,
    max_iter: int,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
    *,
    strict: bool = True,
    among: Index | None = None,
) -> Solution:
    """What `run` returns, many times sooner: few of the n constraints of a cone are facets.

    Parameters
    ----------
    strict : bool
        Whether the blocks must satisfy every constraint of every cone, also when a limit is met. Otherwise small
        blocks and small violations pass, and so does what is left after the last repair: enough for a network that
        is evaluated on its own. The dual side is valid in any case.
    among : int array, optional
        Rows whose constraints count at all, for a relaxation that lets go of the others; not with `strict`.
    """
    start, n_iter = time.perf_counter(), 0
    best, search = Bounds(program), _FacetSearch(program, witnesses, strict, among)

    history: list[Record] = []

    def note(record: Record) -> None:
        history.append(replace(record, seconds=time.perf_counter() - start))
        if progress is not None:
            progress(history[-1])

    def relaxed(record: Record) -> None:
        note(replace(record, objective=best.upper))

    def whole(record: Record) -> None:
        note(replace(record, objective=min(record.objective, best.upper)))

    relaxation = replace(program, rows=search.first())
    for _ in range(REPAIRS):
        left = None if time_limit is None else max(time_limit - (time.perf_counter() - start), 1e-9)
        solved = run(relaxation, witnesses, tol, max_iter - n_iter, left, relaxed)
        n_iter += solved.n_iter
        assert solved.blocks is not None
        assert relaxation.rows is not None
        rows = search.completed(relaxation.rows, solved.blocks)
        seconds = time.perf_counter() - start
        given_up = strict and solved.status.failed  # for the program with all constraints
        if (rows is None and not given_up) or (not strict and solved.status is not Status.SOLVED):
            return replace(solved, n_iter=n_iter, seconds=seconds)
        if strict:  # moved inside, the blocks may be good enough
            _offer(best, solved, _inside(program, solved.blocks, witnesses))
            if best.gap <= tol:
                return solution(program, best, witnesses, Status.SOLVED, n_iter, seconds, tuple(history))
        if solved.status in (Status.INTERRUPTED, Status.TIME_LIMIT, Status.ITERATION_LIMIT):
            return solution(program, best, witnesses, solved.status, n_iter, seconds, tuple(history))
        if given_up or rows is None:
            break
        relaxation = replace(program, rows=rows)
    if not strict:
        return replace(solved, n_iter=n_iter, seconds=seconds)
    left = None if time_limit is None else max(time_limit - seconds, 1e-9)
    solved = run(program, witnesses, tol, max_iter - n_iter, left, whole)
    assert solved.blocks is not None
    _offer(best, solved, solved.blocks)
    status = Status.SOLVED if best.gap <= tol and solved.status is not Status.INTERRUPTED else solved.status
    seconds = time.perf_counter() - start
    return solution(program, best, witnesses, status, n_iter + solved.n_iter, seconds, tuple(history))


def _offer(best: Bounds, solved: Solution, blocks: Array) -> None:
    """Keep the dual point of a solution and these blocks, if they are better."""
    if solved.certificate.lower > best.lower:
        best.lower, best.dual = solved.certificate.lower, solved.dual
    best.offer(blocks, np.asarray(solved.network.offset))


class _FacetSearch:
    """Rows that the cones need, of all or of some."""

    def __init__(self, program: BlockProgram, witnesses: Array, strict: bool, among: Index | None) -> None:
        self.witnesses, self.strict, self.among = witnesses, strict, among
        X = program.problem.features.dense()
        self.X, self.gates = (X, program.gates) if among is None else (X[among], program.gates[:, among])

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
    signs = np.where(program.gates, 1.0, -1.0)
    violation = np.maximum(-signs * program.problem.features.margins(W), 0.0)
    room = np.maximum(signs * program.problem.features.margins(inner), np.finfo(float).tiny)
    share = np.max(violation / (violation + room), axis=1)[:, None]
    return (1.0 - share) * W + share * inner


def interior(program: BlockProgram, witnesses: Array) -> bool:
    """Whether every witness is strictly inside its cone, as finding facets needs."""
    if not program.cones:
        return False
    features = program.problem.features
    used = features.lengths > 0.0
    slack = np.where(program.gates, 1.0, -1.0) * features.margins(witnesses)
    return bool(used.any() and np.all(slack[:, used] > 0.0))
