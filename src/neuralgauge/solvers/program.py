"""Solve the convex program over given patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .._array import Array, BoolArray, as_positive
from ..errors import InvalidInputError
from ..patterns import PatternSet
from ..problems.base import Problem, checked_problem
from ..problems.linear_conv import LinearConvProblem
from ..problems.training import TrainingProblem
from ..programs.block import BlockProgram
from .blocks import solve_blocks
from .facets import interior, solve_on_facets
from .gated import GatedState, descends, solve_by_descent
from .nuclear_norm import solve_nuclear_norm
from .run import Run
from .solution import Record, Solution
from .working_set import is_large, solve_on_working_set

MAX_ITER = 100  # of the interior point; programs take 10 to 30
MAX_STEPS = 1000  # rounds of descent and Newton steps of gated programs; they take 10 to 200


def solve_program(
    problem: Problem[Any],
    patterns: PatternSet | BoolArray | None = None,
    tol: float = 1e-8,
    *,
    directions: Any = None,
    gated: bool = False,
    solver: Literal["interior_point", "proximal_gradient", "fourier", "reference"] | None = None,
    start: Solution[Any] | None = None,
    max_iter: int | None = None,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Solution[Any]:
    r"""Globally minimise the convex program of a problem: [8], or its gated form, over exactly these patterns.

    .. math:: \min_{W, b} L\Big(\sum_i D_i X w_i g_i^T + 1 b^T\Big) + \beta \sum_i \|w_i\|_2,
              \qquad (2 D_i - I) X w_i \ge 0

    A linear convolutional problem has one program, the nuclear-norm program [11], and takes no patterns.

    Parameters
    ----------
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
    patterns : PatternSet or bool array of shape (P, n)
        The diagonals of D_i. Patterns without a witness are accepted, cones without interior included. None for a
        LinearConvProblem.
    tol : float
        Relative duality gap at which to stop.
    directions : array of shape (P, c), or (P,) for one output, optional
        The output direction g_i of each pattern, normalised; -1 or +1 for one output. By default every pattern is used
        with plus and minus each output (2 c P blocks), or with plus each output when `gated`, where blocks are free
        and signs change nothing. For c > 1 that is all directions along the axes and no others: the optimum of [2]
        over these patterns can be lower.
    gated : bool
        Drop the cones: the gated ReLU model, in which D_i is fixed and w_i free.
    solver : {"interior_point", "proximal_gradient", "fourier", "reference"}, optional
        Over patterns the interior point, or "reference", which hands the program to CVXPY and Clarabel (extra
        ``neuralgauge[reference]``), whose blocks satisfy the cones to about 1e-8; the lower bound is that of its
        multipliers, evaluated here. For a LinearConvProblem the first three: by default "fourier" for filters as long
        as the image at every cyclic shift, else the interior point unless filters or data are large.
    start : Solution, optional
        A solution over the same patterns and directions, of another penalty or a rough one. Gated programs under the
        squared loss begin at it, large ones with cones with the blocks that have weight there, and all others end no
        higher than it. `program_path` keeps more from penalty to penalty.
    max_iter : int, optional
        Most iterations: 100 of the interior point over patterns, over all relaxations together, or of each of the
        smaller programs where many patterns are solved by those that are violated; 1,000 rounds of descent and Newton
        steps of gated programs under the squared loss; for a LinearConvProblem 100, 500
        in the Fourier domain and 100,000 of the proximal gradient.
    time_limit : float, optional
        Seconds after which the best point so far is returned.
    progress : callable, optional
        Called with a `Record` each iteration.

    Returns
    -------
    Solution
        `network` is the network of the blocks; `certificate.upper` is the objective of the program at a feasible
        point and `certificate.scope` is "patterns": the bound covers these patterns only; "exact" for a
        LinearConvProblem. `status` says whether `tol` was reached.

    Raises
    ------
    InvalidInputError
        For patterns of the wrong shape or missing, a start over others, `tol` <= 0, and options that are unknown or not
        of this problem.
    MissingDependencyError
        For ``solver="reference"`` when CVXPY is not installed.

    Notes
    -----
    Cost per iteration: min(n^2 m d, n (m d)^2) operations for m blocks; memory about 12 arrays of shape (m, k)
    for k constraints kept of each cone, and 2 of shape (m, n). Where that is much, m is the number of blocks that pay,
    and all blocks are priced between the programs (`solvers.working_set`). Gated programs under the squared loss are
    solved by block descent and Newton's method in the dual variable (`solvers.gated`): a step costs some passes over
    the blocks, 4 n m d operations each, and now and then a factor of order min(n, m d), m the active blocks.
    Source: [8], [19] of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> solution = ng.solve_program(problem, ng.enumerate_patterns(problem.X))
    >>> print(f"{solution.certificate.upper:.6f}")
    0.891447
    """
    checked_problem(problem)
    run = Run(as_positive(tol, "tol"), time_limit, progress)
    if isinstance(problem, LinearConvProblem):
        if patterns is not None or directions is not None or gated or solver == "reference" or start is not None:
            raise InvalidInputError(
                "a LinearConvProblem has one convex program, without patterns, directions, gates, a start or a "
                "reference solver; leave these options out."
            )
        return solve_nuclear_norm(problem, run, max_iter=max_iter, solver=solver)
    program, witnesses = block_program(problem, patterns, directions, gated)
    if start is not None:
        checked_start(start, program)
    if solver == "reference":
        if start is not None:
            raise InvalidInputError("the reference solver takes no `start`; leave it out, or `solver`.")
        from .reference import solve_with_cvxpy

        return solve_with_cvxpy(program, witnesses, run)
    if solver not in (None, "interior_point"):
        raise InvalidInputError(f'`solver` must be "interior_point" or "reference" over patterns, got {solver!r}.')
    if descends(program):
        steps = MAX_STEPS if max_iter is None else max_iter
        return solve_by_descent(program, witnesses, run, steps, GatedState.of(program, start))
    return solve_over_patterns(program, witnesses, run, MAX_ITER if max_iter is None else max_iter, start)


def solve_over_patterns(
    program: BlockProgram, witnesses: Array | None, run: Run, max_iter: int, start: Solution[Any] | None = None
) -> Solution[Any]:
    """The solution by the interior point, over what of the program is needed."""
    if witnesses is not None and interior(program, witnesses):
        if is_large(program):
            return solve_on_working_set(program, witnesses, run, max_iter, start)
        return solve_on_facets(program, witnesses, run, max_iter, start=start)
    return solve_blocks(program, witnesses, run, max_iter, start)


def checked_start(start: Solution[Any], program: BlockProgram) -> None:
    """Refuse a solution over other blocks or samples."""
    blocks, dual = start.blocks, start.dual
    expected = (program.n_blocks, program.problem.d)
    if blocks is None or blocks.shape != expected or dual.shape != program.problem.y.shape:
        raise InvalidInputError(
            f"`start` must be a solution over these patterns and directions, with blocks of shape {expected} and a "
            f"dual point of shape {program.problem.y.shape}, got {None if blocks is None else blocks.shape} and "
            f"{dual.shape}; solve without it."
        )


def block_program(
    problem: Problem[Any], patterns: PatternSet | BoolArray | None, directions: Any, gated: bool
) -> tuple[BlockProgram, Array | None]:
    """The program that `solve_program` solves, checked, and the witnesses of its patterns where they have some."""
    assert isinstance(problem, TrainingProblem)
    if gated and problem.constraints is not None:
        raise InvalidInputError(
            "a gated network is not monotone or convex where its neurons are, so `gated=True` takes no constraints; "
            "leave it out."
        )
    if patterns is None:
        raise InvalidInputError(
            "`patterns` must be given for a ReLU network, got None: take enumerate_patterns(problem.X) or "
            "sample_patterns(problem.X, n_patterns), or `train`, which finds them."
        )
    if isinstance(patterns, PatternSet):
        gates, witnesses = patterns.dense(), patterns.witness(np.arange(len(patterns)))
    else:
        gates, witnesses = np.asarray(patterns, dtype=bool), None
    if gates.ndim != 2 or gates.shape[1] != problem.features.N or len(gates) == 0:
        raise InvalidInputError(
            f"`patterns` must have shape (P, {problem.features.N}) with P >= 1, one row a pattern, got {gates.shape}."
        )
    if directions is not None:
        rows = _unit_rows(directions, len(gates), problem.q)
        if problem.constraints is not None and not np.all(np.isin(rows, problem.constraints.signs)):
            raise InvalidInputError(
                f"`directions` must be {problem.constraints.signs[0]:+g} under the constraints of the problem, got "
                f"{-problem.constraints.signs[0]:+g} among them."
            )
        return BlockProgram(problem, gates, rows, cones=not gated), witnesses
    axes = np.eye(problem.q) if gated else np.vstack([np.eye(problem.q), -np.eye(problem.q)])
    if problem.constraints is not None:
        axes = np.array(problem.constraints.signs)[:, None]
    G = np.repeat(axes, len(gates), axis=0)
    witnesses = None if witnesses is None else np.vstack([witnesses] * len(axes))
    return BlockProgram(problem, np.vstack([gates] * len(axes)), G, cones=not gated), witnesses


def _unit_rows(directions: Any, n_patterns: int, c: int) -> Array:
    given = np.array(directions, dtype=np.float64)
    rows = given[:, None] if given.ndim == 1 else given
    if rows.shape != (n_patterns, c) or not np.all(np.isfinite(rows)) or not np.all(np.any(rows, axis=1)):
        raise InvalidInputError(
            f"`directions` must have shape ({n_patterns}, {c}), one row that is finite and not zero a pattern, "
            f"got shape {given.shape}."
        )
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
