"""The call that proves a bound for every network of every width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple

from .._array import as_positive
from .._threads import threads
from ..errors import InvalidInputError
from ..networks.dense import TwoLayerNetwork
from ..problems.base import checked_problem
from ..problems.conv import ReLUConvProblem
from ..problems.training import TrainingProblem
from ..solvers.run import Run
from ..solvers.solution import Record, Solution, Status
from ._row_method import gain
from .proven_bound import ProvenBound, proven_value
from .quartic_interior_point import QuarticByRow, quartic_unknowns
from .row_interior_point import RowByRow, unknowns
from .row_multipliers import RowMultipliers
from .splitting import Splitting

PROOF_STRIDE = 40  # iterations from one proof to the next, each of which takes as long as eight with 442 rows
MOST_ROWS = 3000  # of the whole relaxation, which holds some 150 matrices of n x n: 11 GB
MOST_UNKNOWNS = 3500  # of the Newton systems row by row, up to rank 57, or 12 in degree four: 100 MB, a second a factor
QUARTIC_ROWS = (150, 100_000)  # fewer take no longer whole, which is tighter; 12 kB are held for each
CHEAP_ROW = 50_000  # operations that cost as much as what a row takes whatever the rank is
CHEAP = 3e8  # operations of an iteration: about a second for all, one thread


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
    output weights. Three relaxations are solved in turn: one whose inequalities have one row each, with moments of u
    and alpha alone, for any number of rows; the same with moments of degree four, up to rank 12 and 100,000 rows, both
    by interior points; and the whole one with all products of activations and gates of two rows (doubly nonnegative),
    up to 3,000 rows, by a splitting method. The bound is what their multipliers prove, whatever their accuracy,
    rounding included.

    Parameters
    ----------
    problem : TrainingProblem
        One output, any elementwise loss; with or without offset and sample weights.
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
        For patches, several outputs, coupled losses, more than 3,000 rows of rank above 57, or a start of another
        shape. For a `relaxation` that is not for so many rows or such a rank.

    Notes
    -----
    Row by row takes some 15 iterations of 6 n rank^4 operations, in degree four some 20 of n rank^8 / 48 and more. An
    iteration of the whole relaxation takes some 3 ms for 60 rows, 60 to 100 ms for 442. The gap left is
    that of the relaxations: about 15, 7 and 1.5 % at a tenth of beta_max, more for smaller beta. See `docs/proofs.md`.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> bound = ng.prove_bound(problem, time_limit=1.0, start=ng.train(problem))
    >>> 0.99 * 2.447794 <= bound.value <= 2.447795
    True
    """
    check_covered(checked_problem(problem))
    chosen = [rung for rung in _rungs(problem) if relaxation in (None, rung.name)]
    if relaxation is not None and not chosen and gain(problem) > 0:
        names = ", ".join(repr(rung.name) for rung in _rungs(problem))
        raise InvalidInputError(
            f"`relaxation` must be None or one that is for this problem, {names}, got {relaxation!r}."
        )
    network = _network_of(start, problem)
    run = Run(as_positive(gap, "gap"), time_limit, progress)
    v, none = problem.fit.empty_dual, RowMultipliers.none(problem.n, problem.d)
    best = ProvenBound(proven_value(problem, v, (none, none)), v, (none, none), run.seconds)

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

            status = run.follow(partial(rung.solver, problem, network), consider)
            if run.over() is not None:
                break
    return replace(best, seconds=run.seconds, history=tuple(run.history), status=status)


class Rung(NamedTuple):
    """A solver of one of the relaxations, and its iterations from one proof to the next."""

    name: str
    solver: Callable[[TrainingProblem, TwoLayerNetwork | None], Iterable[Any]]
    stride: int


def _rungs(problem: TrainingProblem) -> Iterator[Rung]:
    """The relaxations to solve one after the other, from the cheapest to the tightest."""
    if not (gain(problem) > 0 and problem.features.span.rank > 0):
        return
    if unknowns(problem) <= MOST_UNKNOWNS:
        yield Rung("rows", lambda problem, _: RowByRow(problem), 1)
    fewest, most = QUARTIC_ROWS
    if quartic_unknowns(problem) <= MOST_UNKNOWNS and fewest < problem.n <= most:
        yield Rung("quartic", lambda problem, _: QuarticByRow(problem), 1)
    if problem.n <= MOST_ROWS:
        yield Rung("whole", Splitting, PROOF_STRIDE)


def cheap_by_rows(problem: Any) -> bool:
    """Whether the relaxation row by row takes about a second or less."""
    try:
        check_covered(problem)
    except InvalidInputError:
        return False
    r = max(problem.features.span.rank, 2)
    return unknowns(problem) <= MOST_UNKNOWNS and problem.n * (CHEAP_ROW + r**4) + r**6 <= CHEAP


def check_covered(problem: Any) -> None:
    """Refuse, by a sentence, what the relaxation does not cover."""
    if not isinstance(problem, TrainingProblem) or isinstance(problem, ReLUConvProblem):
        raise InvalidInputError(
            "`problem` must be a TrainingProblem without patches, the only one that the relaxation covers, got "
            f"{type(problem).__name__}; `train` bounds the others."
        )
    if problem.q != 1 or problem.loss.coupled:
        raise InvalidInputError(
            f"`problem` must have one output and an elementwise loss, got {problem.c} outputs and the loss "
            f"{problem.loss.name!r}; `problem.output(k)` is the problem of output k alone, for elementwise losses."
        )
    if problem.n > MOST_ROWS and unknowns(problem) > MOST_UNKNOWNS:
        raise InvalidInputError(
            f"`problem` must have at most {MOST_ROWS} rows, or rank at most 57 for any number of them, got {problem.n} "
            f"rows of rank {problem.features.span.rank}; a bound for a part of them, `problem.part(rows)`, is a bound "
            "for all, since losses are >= 0."
        )


def _network_of(start: Any, problem: TrainingProblem) -> TwoLayerNetwork | None:
    """The network to start from, checked."""
    if start is None:
        return None
    return problem.network_of(start.network if isinstance(start, Solution) else start)
