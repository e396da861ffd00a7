"""Solve the convex program over given patterns: the one loop that stops, times and logs the interior point."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .._array import Array, BoolArray, as_positive
from ..certificate import Certificate, lower_bound
from ..errors import InvalidInputError
from ..networks import GatedNetwork, TwoLayerNetwork
from ..patterns import PatternSet
from ..problem import TrainingProblem
from ..programs.block import BlockProgram
from ..programs.mapping import network_of_blocks
from ..solution import Record, Solution, Status
from .interior_point import InteriorPoint, Iterate

VIOLATION = 1e-9  # largest cone violation, relative to |x_j| |w_i|, of a point called feasible


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
        Most interior-point iterations.
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
    Cost per iteration: min(n^2 m d, n (m d)^2) operations for m blocks; memory about 12 arrays of shape (m, n).
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
        return Solution(_network(program, blocks, witnesses), certificate, status, 0, seconds, dual, history, blocks)
    if solver != "interior_point":
        raise InvalidInputError(f'`solver` must be "interior_point" or "reference", got {solver!r}.')
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


class Bounds:
    """Best feasible point and best dual point of one run."""

    def __init__(self, program: BlockProgram) -> None:
        problem = program.problem
        self.program = program
        self.W = np.zeros((program.n_blocks, problem.d))
        self.upper = problem.loss_value(np.zeros(problem.n))
        self.lower, self.dual = -np.inf, np.zeros(problem.n)

    @property
    def gap(self) -> float:
        """Relative gap of the best pair."""
        return Certificate(self.upper, self.lower, "patterns").gap

    def update(self, iterate: Iterate) -> None:
        """Keep what is better in this iterate."""
        program = self.program
        if iterate.violation <= VIOLATION and (value := program.objective(iterate.W)) < self.upper:
            self.upper, self.W = value, iterate.W
        v = program.problem.clip_dual(-iterate.g)
        gauge = gauge_bound(program, v, iterate.cone_multipliers)
        if np.isfinite(gauge) and (bound := lower_bound(program.problem, v, gauge)) > self.lower:
            self.lower, self.dual = bound, v


def gauge_bound(program: BlockProgram, v: Array, cone_multipliers: Array) -> float:
    """Upper bound on max_i max {v^T (sigma_i D_i X w) : |w| <= 1, w in K_i} from multipliers of the cones.

    By weak duality each is at most |sigma_i X^T D_i v + X^T (2 D_i - I) Lambda_i|; a margin covers the rounding.
    """
    sums = program.adjoint(v) + cone_multipliers
    size = float(np.linalg.norm(np.abs(v) @ np.abs(program.problem.X)) + np.abs(cone_multipliers).max(initial=0.0))
    margin = 4.0 * (program.problem.n + program.problem.d) * np.finfo(float).eps * size
    return float(np.sqrt(np.einsum("ij,ij->i", sums, sums).max())) + margin


def run(
    program: BlockProgram,
    witnesses: Array | None,
    tol: float,
    max_iter: int,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Solution:
    """Iterate until the gap of a feasible point is at most `tol`, a limit is met, or Ctrl-C."""
    start = time.perf_counter()
    bounds, history = Bounds(program), []
    status, n_iter = Status.STALLED, 0
    try:
        for n_iter, iterate in enumerate(InteriorPoint(program, witnesses)):
            bounds.update(iterate)
            seconds = time.perf_counter() - start
            history.append(Record(seconds, bounds.upper, bounds.lower, program.n_blocks))
            if progress is not None:
                progress(history[-1])
            if bounds.gap <= tol:
                status = Status.SOLVED
                break
            if n_iter >= max_iter:
                status = Status.ITERATION_LIMIT
                break
            if time_limit is not None and seconds >= time_limit:
                status = Status.TIME_LIMIT
                break
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    network = _network(program, bounds.W, witnesses)
    certificate = Certificate(bounds.upper, bounds.lower, "patterns")
    seconds = time.perf_counter() - start
    return Solution(network, certificate, status, n_iter, seconds, bounds.dual, tuple(history), bounds.W)


def _network(program: BlockProgram, W: Array, witnesses: Array | None) -> TwoLayerNetwork | GatedNetwork:
    bias = program.problem.bias
    if program.cones:
        return network_of_blocks(W, program.signs, bias)
    alive = np.einsum("ij,ij->i", W, W) > 0
    return GatedNetwork(W[alive] * program.signs[alive][:, None], None if witnesses is None else witnesses[alive], bias)
