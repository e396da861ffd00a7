"""From a training problem to a trained, certified network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ._array import Array, as_positive
from .certificate import Certificate, Scope
from .networks import TwoLayerNetwork
from .patterns import PatternSet, count_patterns, enumerate_patterns, sample_patterns
from .problem import TrainingProblem
from .programs.mapping import network_of_blocks
from .solution import Record, Solution, Status
from .solvers.program import solve_program

MAX_ENTRIES = 2_000_000  # blocks times samples of the largest program that is solved over all patterns
SAMPLED_PATTERNS = 300


def train(
    problem: TrainingProblem,
    gap: float = 1e-4,
    *,
    time_limit: float | None = None,
    random_state: int = 0,
    n_patterns: int = SAMPLED_PATTERNS,
    progress: Callable[[Record], None] | None = None,
) -> Solution:
    """Train a two-layer ReLU network by convex optimization and certify it.

    Where the rank and the number of samples allow it, every activation pattern is listed and the convex program [8]
    over all of them is solved: the certificate then has scope "exact" and holds for every network of every width.
    Otherwise `n_patterns` sampled patterns are used and the scope is "patterns": other patterns may be better.

    Parameters
    ----------
    problem : TrainingProblem
    gap : float
        Relative gap at which to stop.
    time_limit : float, optional
        Seconds for the solver; the best network so far is returned.
    random_state : int
        Seed of the sampled patterns; the result is deterministic for a given value.
    n_patterns : int
        Sampled patterns when not all can be used.
    progress : callable, optional
        Called with a `Record` each iteration.

    Returns
    -------
    Solution
        `certificate.upper` is the weight-decay objective [2] of the returned network's own ReLU outputs.

    Raises
    ------
    InvalidInputError
        For a gap or a time limit that is not positive.

    Notes
    -----
    All patterns are used up to 2 P n = 2,000,000 entries. Source: Theorem 1 of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> solution = ng.train(problem, gap=1e-6)
    >>> solution.certificate.scope, round(solution.certificate.upper, 5)
    ('exact', 0.89145)
    """
    as_positive(gap, "gap")
    if time_limit is not None:
        as_positive(time_limit, "time_limit")
    start = time.perf_counter()
    patterns, scope = _choose_patterns(problem, n_patterns, random_state)
    solved = solve_program(problem, patterns, 0.5 * gap, time_limit=time_limit, progress=progress)
    assert solved.blocks is not None
    network, upper = _best_network(problem, solved.blocks)
    certificate = Certificate(upper, solved.certificate.lower, scope)
    status = Status.SOLVED if certificate.gap <= gap else solved.status
    if status is Status.SOLVED and certificate.gap > gap:
        status = Status.STALLED
    return replace(
        solved,
        network=network,
        certificate=certificate,
        status=status,
        seconds=time.perf_counter() - start,
        blocks=None,
    )


def _choose_patterns(problem: TrainingProblem, n_patterns: int, random_state: int) -> tuple[PatternSet, Scope]:
    """All patterns if the program over them fits, else sampled ones."""
    rank = int(np.linalg.matrix_rank(problem.X))
    if 2 * count_patterns(problem.n, rank) * problem.n <= MAX_ENTRIES:
        return enumerate_patterns(problem.X), "exact"
    return sample_patterns(problem.X, n_patterns, random_state=random_state), "patterns"


def objective(network: TwoLayerNetwork, problem: TrainingProblem) -> float:
    """The weight-decay objective [2] of a network, from its own outputs and weights."""
    return problem.loss_value(network.forward(problem.X)) + problem.beta * network.weight_decay()


def _best_network(problem: TrainingProblem, blocks: Array) -> tuple[TwoLayerNetwork, float]:
    """The network of the blocks without its vanishing neurons, whichever cut has the lowest objective.

    An interior point leaves every block slightly off zero; cutting those lowers the penalty more than it costs.
    """
    signs = np.repeat([1.0, -1.0], len(blocks) // 2)
    norms = np.linalg.norm(blocks, axis=1)
    best: tuple[TwoLayerNetwork, float] | None = None
    for cut in (0.0, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3):
        keep = norms > cut * norms.max(initial=0.0)
        network = network_of_blocks(blocks[keep], signs[keep], problem.bias).merge(1e-6)
        value = objective(network, problem)
        # Prefer the smaller network unless it is worse by more than rounding can explain.
        if best is None or value <= best[1] * (1.0 + 1e-12):
            best = (network, value)
    assert best is not None
    return best
