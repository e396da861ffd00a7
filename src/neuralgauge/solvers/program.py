"""Solve the convex program over given patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .._array import Array, BoolArray, as_positive
from ..errors import InvalidInputError
from ..patterns import PatternSet
from ..problem import TrainingProblem
from ..programs.block import BlockProgram
from ..solution import Record, Solution
from .facets import interior, run_on_facets
from .loop import network_of, run


def solve_program(
    problem: TrainingProblem,
    patterns: PatternSet | BoolArray,
    tol: float = 1e-8,
    *,
    signs: Any = None,
    gated: bool = False,
    solver: Literal["interior_point", "reference"] = "interior_point",
    max_iter: int = 100,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Solution:
    r"""Globally minimise [8] (or its gated form) over exactly these patterns.

    .. math:: \min_W L\Big(\sum_i \sigma_i D_i X w_i\Big) + \beta \sum_i \|w_i\|_2, \qquad (2 D_i - I) X w_i \ge 0

    Parameters
    ----------
    problem : TrainingProblem
    patterns : PatternSet or bool array of shape (P, n)
        The diagonals of D_i. Patterns without a witness are accepted, cones without interior included.
    tol : float
        Relative duality gap at which to stop.
    signs : array of shape (P,) of -1 and +1, optional
        The sign sigma_i of each pattern; by default every pattern is used with both signs (2 P blocks), or with +1
        when `gated`, where blocks are free and signs change nothing.
    gated : bool
        Drop the cones: the gated ReLU model, in which D_i is fixed and w_i free.
    solver : {"interior_point", "reference"}
        "reference" hands the program to CVXPY and Clarabel (extra ``neuralgauge[reference]``).
    max_iter : int
        Most interior-point iterations, over all relaxations together.
    time_limit : float, optional
        Seconds after which the best point so far is returned.
    progress : callable, optional
        Called with a `Record` each iteration.

    Returns
    -------
    Solution
        `network` is the network of the blocks; `certificate.upper` is the objective of the program at a feasible
        point and `certificate.scope` is "patterns": the bound covers these patterns only. `status` says whether
        `tol` was reached.

    Raises
    ------
    InvalidInputError
        For patterns of the wrong shape, `tol` <= 0 or unknown options.
    MissingDependencyError
        For ``solver="reference"`` when CVXPY is not installed.

    Notes
    -----
    Cost per iteration: min(n^2 m d, n (m d)^2) operations for m blocks; memory about 12 arrays of shape (m, k)
    for k constraints kept of each cone, and 2 of shape (m, n).
    Source: [8], [19] of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> solution = ng.solve_program(problem, ng.enumerate_patterns(problem.X))
    >>> print(f"{solution.certificate.upper:.6f}")
    0.891447
    """
    as_positive(tol, "tol")
    program, witnesses = _block_program(problem, patterns, signs, gated)
    if solver == "reference":
        from .reference import solve_with_cvxpy

        blocks, dual, certificate, status, seconds, history = solve_with_cvxpy(program)
        return Solution(network_of(program, blocks, witnesses), certificate, status, 0, seconds, dual, history, blocks)
    if solver != "interior_point":
        raise InvalidInputError(f'`solver` must be "interior_point" or "reference", got {solver!r}.')
    if witnesses is not None and interior(program, witnesses):
        return run_on_facets(program, witnesses, tol, max_iter, time_limit, progress)
    return run(program, witnesses, tol, max_iter, time_limit, progress)


def _block_program(
    problem: TrainingProblem, patterns: PatternSet | BoolArray, signs: Any, gated: bool
) -> tuple[BlockProgram, Array | None]:
    if isinstance(patterns, PatternSet):
        gates, witnesses = patterns.dense(), patterns.witness(np.arange(len(patterns)))
    else:
        gates, witnesses = np.asarray(patterns, dtype=bool), None
    if gates.ndim != 2 or gates.shape[1] != problem.n or len(gates) == 0:
        raise InvalidInputError(
            f"`patterns` must have shape (P, {problem.n}) with P >= 1, one row a pattern, got {gates.shape}."
        )
    if signs is None and not gated:
        gates = np.vstack([gates, gates])
        witnesses = None if witnesses is None else np.vstack([witnesses, witnesses])
        signs = np.repeat([1.0, -1.0], len(gates) // 2)
    sigma = np.ones(len(gates)) if signs is None else np.asarray(signs, dtype=float)
    if sigma.shape != (len(gates),) or not np.all(np.abs(sigma) == 1.0):
        raise InvalidInputError(f"`signs` must hold {len(gates)} values -1 or +1, got shape {sigma.shape}.")
    return BlockProgram(problem, gates, sigma, cones=not gated), witnesses
