"""The convex program over the facets of its cones, completed until nothing else is violated."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .._array import Array
from ..patterns.facets import facet_rows, violated_rows
from ..programs.block import BlockProgram
from ..solution import Record, Solution, Status
from .loop import Bounds, run, solution

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
) -> Solution:
    """What `run` returns, many times sooner: few of the n constraints of a cone are facets.

    Parameters
    ----------
    strict : bool
        Whether the blocks must satisfy every constraint of every cone, also when a limit is met. Otherwise small
        blocks and small violations pass, and so does what is left after the last repair: enough for a network that
        is evaluated on its own. The dual side is valid in any case.
    """
    start, n_iter = time.perf_counter(), 0
    X, best = program.problem.X, Bounds(program)

    def relaxed_progress(record: Record) -> None:
        if progress is not None:
            progress(replace(record, seconds=time.perf_counter() - start, objective=best.upper))

    relaxation = replace(program, rows=facet_rows(X, witnesses, NEAREST_STRICT if strict else NEAREST_LOOSE))
    for _ in range(REPAIRS):
        left = None if time_limit is None else max(time_limit - (time.perf_counter() - start), 1e-9)
        solved = run(relaxation, witnesses, tol, max_iter - n_iter, left, relaxed_progress)
        n_iter += solved.n_iter
        assert solved.blocks is not None
        assert relaxation.rows is not None
        rows = violated_rows(X, program.gates, relaxation.rows, solved.blocks, strict)
        seconds = time.perf_counter() - start
        if rows is None or (not strict and solved.status is not Status.SOLVED):
            return replace(solved, n_iter=n_iter, seconds=seconds)
        if solved.status in (Status.INTERRUPTED, Status.TIME_LIMIT, Status.ITERATION_LIMIT):
            best.lower, best.dual = solved.certificate.lower, solved.dual
            best.offer(_inside(program, solved.blocks, witnesses), np.asarray(solved.network.offset))
            return solution(program, best, witnesses, solved.status, n_iter, seconds, ())
        relaxation = replace(program, rows=rows)
    if not strict:
        return replace(solved, n_iter=n_iter, seconds=seconds)
    left = None if time_limit is None else max(time_limit - seconds, 1e-9)
    solved = run(program, witnesses, tol, max_iter - n_iter, left, progress)
    return replace(solved, n_iter=n_iter + solved.n_iter, seconds=time.perf_counter() - start)


def _inside(program: BlockProgram, W: Array, witnesses: Array) -> Array:
    """The blocks moved towards their witnesses, each as far as its cone demands."""
    size = np.linalg.norm(W, axis=1) / np.linalg.norm(witnesses, axis=1)
    inner = size[:, None] * witnesses
    signs = np.where(program.gates, 1.0, -1.0)
    violation = np.maximum(-signs * (W @ program.problem.X.T), 0.0)
    room = np.maximum(signs * (inner @ program.problem.X.T), np.finfo(float).tiny)
    share = np.max(violation / (violation + room), axis=1)[:, None]
    return (1.0 - share) * W + share * inner


def interior(program: BlockProgram, witnesses: Array) -> bool:
    """Whether every witness is strictly inside its cone, as finding facets needs."""
    if not program.cones:
        return False
    used = np.any(program.problem.X != 0.0, axis=1)
    slack = np.where(program.gates, 1.0, -1.0) * (witnesses @ program.problem.X.T)
    return bool(used.any() and np.all(slack[:, used] > 0.0))
