"""From a training problem to a trained, certified network: the one pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .._array import as_positive
from .._threads import threads
from ..errors import InvalidInputError
from ..networks.base import Net
from ..networks.dense import TwoLayerNetwork
from ..patterns import PatternSet
from ..pricing.columns import Columns
from ..problems.base import Problem, checked_problem
from ..problems.linear_conv import LinearConvProblem
from ..problems.training import TrainingProblem
from ..solvers.nuclear_norm import solve_nuclear_norm
from ..solvers.run import Run
from ..solvers.sharded_passes import passes_of
from ..solvers.solution import Record, Solution
from .column_generation import Rounds, Start
from .dual_side import priced_exactly
from .large_rounds import solve_by_passes
from .proof import checked_prove, pricing_of, with_proof
from .smoothed_rounds import searched_smoothly, smoothable

MAX_ROUNDS = 200
BY_PASSES = 4e5  # entries of X from which on passes alone
LEAST_BETA = 1e-30  # relative to a penalty from which the empty network is optimal for certain


def train(
    problem: Problem[Net],
    gap: float = 1e-4,
    *,
    time_limit: float | None = None,
    random_state: int | np.random.Generator | None = 0,
    prove: bool | float | None = None,
    start: Solution[Any] | TwoLayerNetwork | PatternSet | None = None,
    n_jobs: int | None = None,
    progress: Callable[[Record], None] | None = None,
    patience: int | None = None,
) -> Solution[Net]:
    r"""Train a two-layer network to global optimality and certify it.

    Column generation. First rounds of a search that smooths activations near zero, whose widths fall, and of a lasso:
    the best weights of its neurons and of the columns that *pricing* finds (which neuron would the dual point v pay
    for, G(v) > beta?). Where these close the gap no further, rounds with the convex program [8] over the activation
    patterns of the columns, whose solution gives the next network and the next v. The certificate is the network's
    own objective [2] above and the dual objective of the best v, scaled to G(v) <= beta, below.

    Above 400,000 entries of X, and for rows that are not a float64 array in memory, the first kind of rounds is all
    there is, on larger and larger parts of the samples; bounds are then "estimated" (docs/large_data.md).

    Parameters
    ----------
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
        For a linear convolutional network the nuclear-norm program [11] is solved at once (`solve_program` has its
        options): `random_state`, `prove`, `n_jobs` and `patience` change nothing there, and the scope is "exact" at any
        size.
    gap : float
        Relative gap at which to stop.
    time_limit : float, optional
        Seconds after which the best network so far is returned with its certificate; seconds of `prove` come on top.
    random_state : int, Generator or None
        Seed of all starts; the result is deterministic for a given integer unless a time limit cuts it short.
    prove : bool or float, optional
        Whether to price exactly at the end, which makes the scope "exact" ("bounded" if time runs out). By default
        up to rank 5 for one output, with at most 30 seconds of a run for it above rank 3 (2 under constraints), and up
        to rank 3 for several; at rank 3 up to 5,000 rows, for a sweep takes n^2 log n and cannot be cut short. Under
        constraints the rank is that of the rows and the confined entries together. Where the bound stays "estimated",
        the relaxation row by row then gives `certificate.proven`, if it takes about a second or less. True at any size;
        False never, neither of them. A number: exact pricing as by default, and where that leaves the
        bound open, so many seconds of `prove_bound` after the training, from its network. What that proves is
        `certificate.proven`; where the estimate is not above it the scope becomes "bounded". It ends early where the
        proven gap is `gap`.
    start : Solution, TwoLayerNetwork or PatternSet, optional
        Where to begin: a network of the problem's shape, with the dual point of a solution for instance of a nearby
        beta; or patterns of ``problem.X`` for the first convex program, two blocks each, in place of the local search
        (which is usually the faster start). It changes the time, not what is certified.
    n_jobs : int, optional
        Threads of the searches and of passes over many rows, as in joblib: -1 for all cores. By default what
        ``joblib.parallel_config`` says; without it up to 8 of the cores that the process may use, and inside a worker
        of joblib one. The result does not depend on it.
    progress : callable, optional
        Called with a `Record` after every round.
    patience : int, optional
        Rounds in a row, >= 1, that may together lower the objective by less than the gap; then training ends, with the
        status "slow" where the bound has not come as near. For networks whose predictions count: the objective is
        mostly near its end long before the bound shows it. By default there is no such limit.

    Returns
    -------
    Solution
        `network` has no duplicate or vanishing neurons and at most n c + 1 of them; `certificate.upper` is the
        weight-decay objective [2] of its own ReLU outputs; `history` is monotone in the objective. Ctrl-C returns the
        best so far with the status "interrupted"; during the proof, the trained network with the best proven bound.

    Raises
    ------
    InvalidInputError
        For a gap, a time limit, a patience or seconds of `prove` that are not positive, seconds where neither exact
        pricing is tried nor `prove_bound` takes the problem, no threads, or a start of another shape.

    Notes
    -----
    A round costs some O(n d) sweeps a pricing start and 10 to 30 interior-point iterations over the m active blocks,
    min(n^2 m d, n (m d)^2) each. Source: Theorem 1 and the dual [15] of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> solution = ng.train(problem, gap=1e-6)
    >>> solution.certificate.scope, round(solution.certificate.upper, 5)
    ('exact', 0.89145)
    """
    checked_problem(problem)
    run, prove = Run(as_positive(gap, "gap"), time_limit, progress), checked_prove(prove, problem)
    slow_rounds = _checked_patience(patience)
    if isinstance(problem, LinearConvProblem):
        return solve_nuclear_norm(problem, run, start=start)
    assert isinstance(problem, TrainingProblem)
    _check_beta(problem)
    run.slow_rounds = slow_rounds
    with threads(n_jobs):
        rng = np.random.default_rng(random_state)
        begin = checked_start(start, problem)
        streamed = not problem.features.resident and searched_smoothly(problem)
        if streamed or _by_passes(problem, prove):
            network = problem.empty_network() if begin is None else begin.network
            solution = solve_by_passes(passes_of(problem), run, rng, network, MAX_ROUNDS)
        else:
            solution = Rounds(problem, run, rng, pricing_of(prove), begin).solve(MAX_ROUNDS)
        return _about(problem, with_proof(problem, solution, prove, gap))


def _about(problem: TrainingProblem, solution: Solution[Any]) -> Solution[Any]:
    """The solution with what its certificate is about: all networks, or those that obey the constraints."""
    if problem.constraints is None:
        return solution
    return replace(solution, certificate=replace(solution.certificate, constrained=True))


def _by_passes(problem: TrainingProblem, prove: Any) -> bool:
    """Whether convex programs and thorough prices of a problem in memory would not end in reasonable time."""
    large = problem.features.size >= BY_PASSES and smoothable(problem)
    return large and prove is not True and not priced_exactly(problem)


def _checked_patience(patience: int | None) -> float:
    """Rounds of patience, infinite by default."""
    if patience is not None and (not isinstance(patience, int | np.integer) or patience < 1):
        raise InvalidInputError(f"`patience` must be an integer >= 1, or None for no limit, got {patience!r}.")
    return np.inf if patience is None else int(patience)


def _check_beta(problem: TrainingProblem) -> None:
    """Refuse a penalty that double precision cannot tell from none."""
    least = LEAST_BETA * problem.reach * float(np.sum(np.abs(problem.fit.empty_dual)))
    if problem.beta < least:
        raise InvalidInputError(
            f"`beta` must be at least {least:.2g} for these data, got {problem.beta:g}: less is lost in the rounding "
            "of the loss; take `neural_gauge` for the limit without penalty."
        )


def checked_start(start: Solution[Any] | TwoLayerNetwork | PatternSet | None, problem: TrainingProblem) -> Start | None:
    """The start with a dual point, checked against the problem's shape."""
    if start is None:
        return None
    if isinstance(start, PatternSet):
        return Start(problem.empty_network(), problem.fit.empty_dual, _columns(start, problem))
    network = start if isinstance(start, TwoLayerNetwork) else start.network
    if not isinstance(network, TwoLayerNetwork):
        raise InvalidInputError("`start` must hold a ReLU network, got a gated one; train without it.")
    found = network.U.shape[0], network.A.shape[1]
    if found != (problem.d, problem.q):
        raise InvalidInputError(
            f"`start` must have {problem.d} rows of weights and {problem.q} output weights a neuron like the problem, "
            f"got {found}."
        )
    if not problem.offset:
        network = network.with_neurons(network.U, network.A, 0.0)
    network = problem.obedient(network)
    v = start.dual if isinstance(start, Solution) else -problem.fit.gradient(problem.outputs(network))
    known = start.columns if isinstance(start, Solution) else None
    return Start(network, v, Columns.none(problem.d, problem.q), known)


def _columns(patterns: PatternSet, problem: TrainingProblem) -> Columns:
    """Each witness with plus and minus the output direction along what the empty network's dual point pays for it.

    Under constraints the nearest vectors that obey.
    """
    U, v = patterns.witness(slice(None)).T, problem.fit.empty_dual
    if (len(U), patterns.n) != (problem.d, problem.features.N):
        raise InvalidInputError(
            f"`start` must have patterns of {problem.features.N} rows and {problem.d} columns like the "
            f"problem's X, got {patterns.n} and {len(U)}; take them from `problem.X`."
        )
    G = problem.features.gains(v, U)
    values = np.linalg.norm(G, axis=1)
    G[values == 0.0] = np.eye(problem.q)[0]
    G /= np.linalg.norm(G, axis=1, keepdims=True)
    columns = Columns(np.hstack([values, -values]), np.hstack([U, U]), np.vstack([G, -G]))
    if problem.constraints is None:
        return columns
    columns = columns._replace(U=problem.constraints.confined(columns.U, columns.G[:, 0]))
    return columns.take(np.any(columns.U != 0.0, axis=0))
