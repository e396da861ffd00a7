"""The program over given patterns along a path of penalties, each solved from what the one before has left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._array import Array, BoolArray, as_positive
from .._threads import threads
from ..errors import InvalidInputError
from ..patterns import PatternSet
from ..problems.base import Problem, checked_problem
from ..problems.linear_conv import LinearConvProblem
from ..programs.block import BlockProgram
from ..solvers.gated import GatedState, descends, solve_by_descent
from ..solvers.program import MAX_ITER, MAX_STEPS, block_program, solve_over_patterns
from ..solvers.run import Run
from ..solvers.solution import Solution, Status
from .path import penalties, solutions_along


@dataclass(frozen=True)
class ProgramPath:
    """Solutions of one program from the largest penalty down.

    Attributes
    ----------
    betas : array of shape (k,)
        Penalties, falling.
    solutions : tuple of k Solution
        Each with its own network, blocks and certificate.
    status : Status
        How the whole path ended; cut short, it holds the points that were finished.
    """

    betas: Array
    solutions: tuple[Solution[Any], ...]
    status: Status

    def __len__(self) -> int:
        return len(self.solutions)


def program_path(
    problem: Problem[Any],
    patterns: PatternSet | BoolArray,
    n_betas: int = 50,
    beta_min_ratio: float = 1e-3,
    *,
    betas: Any = None,
    gap: float = 1e-4,
    directions: Any = None,
    gated: bool = False,
    time_limit: float | None = None,
    progress: Callable[[float, Solution[Any]], None] | None = None,
) -> ProgramPath:
    r"""Globally minimise the convex program over given patterns, [8] or gated, for a falling sequence of penalties.

    .. math:: \min_{W, b} L\Big(\sum_i D_i X w_i g_i^T + 1 b^T\Big) + \beta_k \sum_i \|w_i\|_2,
              \qquad (2 D_i - I) X w_i \ge 0 \ \text{ (dropped when gated)}

    Each point begins with the blocks and the dual point v of the one before. Gated programs under the squared loss keep
    more: which blocks can matter (scores near beta at v), Grams :math:`X^T D_i D_j X` of the active ones, and the
    factor of the last Newton system, which preconditions the next.

    Parameters
    ----------
    problem : TrainingProblem or ReLUConvProblem
        Its own beta plays no part.
    patterns : PatternSet or bool array of shape (P, n)
        As in `solve_program`.
    n_betas : int
        Penalties, >= 1, at equal ratios from the largest :math:`\|X^T D_i v g_i\|` at the empty network down. There no
        block has weight; with cones that is so from a smaller penalty on.
    beta_min_ratio : float
        Last penalty over the first, in (0, 1).
    betas : array of shape (k,), optional
        The penalties themselves, > 0, in place of the two above; taken from the largest down.
    gap : float
        Relative duality gap at which each point stops.
    directions : array of shape (P, c), or (P,) for one output, optional
        As in `solve_program`.
    gated : bool
        Drop the cones.
    time_limit : float, optional
        Seconds for the whole path.
    progress : callable, optional
        Called with beta and the `Solution` of every point that is returned.

    Returns
    -------
    ProgramPath
        Every certificate covers these patterns (scope "patterns"). Ctrl-C and the time limit return the points finished
        so far; where there is none yet, the first as far as it got.

    Raises
    ------
    InvalidInputError
        For a LinearConvProblem, patterns of the wrong shape, and counts, ratios or penalties out of range.

    Notes
    -----
    Cost of a gated point with m active blocks: some ten passes over all blocks, 4 n P d operations each, some fifty
    over the active ones, and about one factor of order min(n, m d). Source: [8] of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> path = ng.program_path(problem, ng.enumerate_patterns(problem.X), betas=[1.0, 0.1])
    >>> [f"{solution.certificate.upper:.3f}" for solution in path.solutions]
    ['2.448', '0.891']
    """
    checked_problem(problem)
    if isinstance(problem, LinearConvProblem):
        raise InvalidInputError("a LinearConvProblem has no patterns; take `relu_path`.")
    run = Run(as_positive(gap, "gap"), time_limit)
    program, witnesses = block_program(problem, patterns, directions, gated)
    with threads():
        grid = penalties(lambda: _largest_score(program), betas, n_betas, beta_min_ratio)
        solve = _Solver(program, witnesses, run.target_gap)
        solutions, status = solutions_along([problem.with_beta(float(beta)) for beta in grid], solve, run, progress)
    if status is Status.SOLVED:
        status = next((s.status for s in solutions if s.status is not Status.SOLVED), status)
    return ProgramPath(grid[: len(solutions)], tuple(solutions), status)


class _Solver:
    """Solves the program of one penalty after the other, with a state between them where there is one."""

    def __init__(self, program: BlockProgram, witnesses: Array | None, gap: float) -> None:
        self.program, self.witnesses, self.gap = program, witnesses, gap
        self.state = GatedState.of(program) if descends(program) else None

    def __call__(self, problem: Any, *, time_limit: float | None, start: Solution[Any] | None) -> Solution[Any]:
        program, run = replace(self.program, problem=problem), Run(self.gap, time_limit)
        if self.state is not None:
            return solve_by_descent(program, self.witnesses, run, MAX_STEPS, self.state)
        return solve_over_patterns(program, self.witnesses, run, MAX_ITER, start)


def _largest_score(program: BlockProgram) -> float:
    largest = float(np.linalg.norm(program.adjoint(program.problem.fit.empty_dual), axis=1).max())
    if largest == 0.0:
        raise InvalidInputError(
            "the loss is stationary at the empty network, so every `beta` > 0 gives that network; give targets that "
            "vary, or `betas`."
        )
    return largest
