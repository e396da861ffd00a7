"""The call that proves a bound for every network of every width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from .._array import as_positive
from .._threads import threads
from ..errors import InvalidInputError
from ..networks.dense import TwoLayerNetwork
from ..problems.base import checked_problem
from ..problems.training import TrainingProblem
from ..solvers.run import Run
from ..solvers.solution import Record, Solution, Status
from ._row_method import gain
from .joint_multipliers import JointMultipliers
from .proven_bound import Proof, ProvenBound, proven_value
from .quartic_interior_point import QuarticByRow, quartic_unknowns
from .row_interior_point import RowByRow, unknowns
from .row_multipliers import RowMultipliers
from .sampled_rows import SAMPLE, SampledRows
from .splitting import Splitting

RELAXATIONS = ("rows", "quartic", "whole")
PROOF_STRIDE = 40  # iterations from one proof to the next, each of which takes as long as eight with 442 rows
MOST_ROWS = 3000  # of the whole relaxation, which holds some 150 matrices of n x n: 11 GB
MOST_UNKNOWNS = 3500  # of the Newton systems row by row, up to rank 57, or 12 in degree four: 100 MB, a second a factor
QUARTIC_ROWS = (150, 100_000)  # fewer take no longer whole, which is tighter; 12 kB are held for each
CHEAP_ROW = 50_000  # operations that cost as much as what a row takes whatever the rank is
CHEAP = 3e8  # operations of an iteration: about a second for all, one thread
MANY_OPERATIONS = 1e10  # operations of an iteration from which a sample of the rows comes first: half a minute for all


def prove_bound(
    problem: TrainingProblem,
    *,
    time_limit: float = 60.0,
    gap: float = 1e-9,
    relaxation: Literal["rows", "quartic", "whole"] | None = None,
    start: Solution[Any] | TwoLayerNetwork | None = None,
    progress: Callable[[Record], None] | None = None,
) -> ProvenBound:
    r"""Prove a lower bound on the objective of every network of every width, at any rank of X.

    The training problem is relaxed to a convex one over the second moments of its neurons, split by the sign of their
    output weights where each has one. Three relaxations are solved in turn: one whose inequalities have one row each,
    with moments of u and alpha alone, for any number of rows; the same with moments of degree four, up to rank 12 and
    100,000 rows, both by interior points; and the whole one with all products of activations and gates of two rows
    (doubly nonnegative), up to 3,000 rows, by a splitting method. Several outputs, coupled losses and patches have the
    last one alone. The bound is what their multipliers prove, whatever their accuracy, rounding included.

    Parameters
    ----------
    problem : TrainingProblem or ReLUConvProblem
        Any loss, any readout; with or without offset and sample weights.
    time_limit : float
        Seconds, > 0; the best bound so far is returned when they are over, or at Ctrl-C.
    gap : float
        Relative gap to the objective of `start`, > 0, at which the call ends before its time is over.
    relaxation : {"rows", "quartic", "whole"}, optional
        Solve this one alone: row by row, the same in degree four, or whole. By default those that are for the problem
        in turn, as far as the time allows.
    start : Solution or TwoLayerNetwork, optional
        A network, whose moments the method starts from. It changes the time, not what is proven.
    progress : callable, optional
        Called with every `Record`: seconds, objective of `start`, and the bound.

    Returns
    -------
    ProvenBound
        Never below what v = 0 proves. Deterministic but for the moment at which the time is over.

    Raises
    ------
    InvalidInputError
        For other problems, a start of another shape, or more than 3,000 rows, unless they have one output, an
        elementwise loss, no patches and rank at most 57. The output weights of a neuron count as rows if they are
        several. For a `relaxation` that is not for such a problem.

    Notes
    -----
    Row by row takes some 15 iterations of 6 n rank^4 operations, in degree four some 20 of n rank^8 / 48 and more. An
    iteration of the whole relaxation takes some 3 ms for 60 rows, 60 to 100 ms for 442. The gap left is
    that of the relaxations: about 15, 7 and 1.5 % at a tenth of beta_max, more for smaller beta and, as there
    is no sign to split by, for several outputs. See `docs/proofs.md`.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> bound = ng.prove_bound(problem, time_limit=1.0, start=ng.train(problem))
    >>> 0.99 * 2.447794 <= bound.value <= 2.447795
    True
    """
    check_covered(checked_problem(problem))
    chosen = _chosen(problem, relaxation)
    network = _network_of(start, problem)
    run = Run(as_positive(gap, "gap"), time_limit, progress)
    v, none = problem.fit.empty_dual, _no_multipliers(problem)
    best = ProvenBound(proven_value(problem, v, none), v, none, run.seconds)

    def offer(found: ProvenBound) -> None:
        nonlocal best
        if found.value >= best.value:
            best = found
        run.offer_dual(best.value, best.dual)
        run.record(0 if network is None else network.n_neurons)

    if network is not None:
        run.offer(problem.objective(network), network)
    offer(best)
    with threads():
        status = Status.STALLED  # without a solver to run
        for rung in chosen:
            first = run.n_iter

            def consider(iterate: Any, first: int = first, stride: int = rung.stride) -> None:
                run.n_iter += 1
                if (run.n_iter - first) % stride == 0:
                    v, multipliers = problem.fit.project(iterate.v), iterate.multipliers()
                    offer(ProvenBound(proven_value(problem, v, multipliers), v, multipliers, run.seconds))

            status = run.follow(partial(rung.solver, problem, network), consider, patience=rung.patience)
            if run.over() is not None:
                break
    return replace(best, seconds=run.seconds, history=tuple(run.history), status=status)


class Rung(NamedTuple):
    """A solver of a relaxation, its iterations from one proof to the next, and how many of these may bring nothing."""

    name: str
    solver: Callable[[TrainingProblem, TwoLayerNetwork | None], Iterable[Any]]
    stride: int
    patience: float = np.inf


def _rungs(problem: TrainingProblem) -> Iterator[Rung]:
    """The relaxations to solve one after the other, from the cheapest to the tightest."""
    if not (gain(problem) > 0 and problem.features.span.rank > 0):
        return
    if _row_by_row(problem):
        if problem.n > SAMPLE and _row_operations(problem) > MANY_OPERATIONS:
            yield Rung("rows", lambda problem, _: SampledRows(problem), 1, 1)
        yield Rung("rows", lambda problem, _: RowByRow(problem), 1)
    fewest, most = QUARTIC_ROWS
    if _row_by_row(problem) and quartic_unknowns(problem) <= MOST_UNKNOWNS and fewest < problem.n <= most:
        yield Rung("quartic", lambda problem, _: QuarticByRow(problem), 1)
    if _order(problem) <= MOST_ROWS:
        yield Rung("whole", Splitting, PROOF_STRIDE)


def _chosen(problem: TrainingProblem, relaxation: str | None) -> list[Rung]:
    """The relaxations to solve; one that is none, or not for this problem, is refused."""
    rungs = list(_rungs(problem))
    names = dict.fromkeys(rung.name for rung in rungs) or dict.fromkeys(RELAXATIONS)
    if relaxation is not None and relaxation not in names:
        allowed = ", ".join(map(repr, names))
        raise InvalidInputError(
            f"`relaxation` must be None or one that is for this problem, {allowed}, got {relaxation!r}."
        )
    return [rung for rung in rungs if relaxation in (None, rung.name)]


def cheap_by_rows(problem: TrainingProblem) -> bool:
    """Whether the relaxation row by row takes the problem, and about a second or less."""
    return problem.features.resident and _row_by_row(problem) and _row_operations(problem) <= CHEAP


def _row_operations(problem: TrainingProblem) -> float:
    """What an iteration row by row costs."""
    r = float(max(problem.features.span.rank, 2))
    return problem.n * (CHEAP_ROW + r**4) + r**6


def _no_multipliers(problem: TrainingProblem) -> tuple[Proof, ...]:
    """Multipliers that prove little, of both signs or of several output weights."""
    rows, d, q = problem.features.N, problem.d, problem.q
    return (RowMultipliers.none(rows, d),) * 2 if q == 1 else (JointMultipliers.none(rows, q),)


def _row_by_row(problem: TrainingProblem) -> bool:
    """Whether the relaxation row by row takes the problem."""
    plain = problem.q == 1 and not problem.features.patched and not problem.loss.coupled
    return plain and unknowns(problem) <= MOST_UNKNOWNS


def _order(problem: TrainingProblem) -> int:
    """Rows of the whole relaxation, with those of several output weights."""
    return problem.features.N + (problem.q if problem.q > 1 else 0)


def check_covered(problem: Any) -> None:
    """Refuse, by a sentence, what the relaxation does not cover."""
    if not isinstance(problem, TrainingProblem):
        raise InvalidInputError(
            "`problem` must be a TrainingProblem or a ReLUConvProblem, which the relaxation covers, got "
            f"{type(problem).__name__}; `train` bounds the others."
        )
    if not problem.features.resident:
        raise InvalidInputError(
            "`problem` must have its rows whole in memory as float64 for a relaxation, which its X is not; a bound for "
            "a part of the samples, of so few rows that X is an array, is a bound for all, since losses are >= 0."
        )
    if _order(problem) > MOST_ROWS and not _row_by_row(problem):
        raise InvalidInputError(
            f"`problem` must have at most {MOST_ROWS} rows, patches and several output weights of a neuron counted, or "
            f"one output, no patches and rank at most 57 for any number of rows, got {problem.features.N} rows of rank "
            f"{problem.features.span.rank} and {problem.q} output weights; a bound for a part of the samples, "
            "`problem.part(samples)`, is a bound for all, since losses are >= 0."
        )


def _network_of(start: Any, problem: TrainingProblem) -> TwoLayerNetwork | None:
    """The network to start from, checked."""
    if start is None:
        return None
    return problem.network_of(start.network if isinstance(start, Solution) else start)
