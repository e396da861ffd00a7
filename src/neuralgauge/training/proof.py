"""What `prove=` asks of a training: exact pricing, or so many seconds for the relaxation that follows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._array import as_positive
from ..errors import InvalidInputError
from ..problems.base import Problem
from ..problems.training import TrainingProblem
from ..relaxation.prove import cheap_by_rows, check_covered, prove_bound
from ..solvers.solution import Solution, Status
from .dual_side import priced_exactly

Prove = bool | float | None
ROWS_SECONDS = 60.0  # never reached: about a second is what it takes


def checked_prove(prove: Any, problem: Problem[Any]) -> Prove:
    """`prove` as None, a truth value or seconds; an InvalidInputError for others, and for seconds that prove nothing.

    Seconds are refused where neither exact pricing nor the relaxation is for such a problem.
    """
    streamed = isinstance(problem, TrainingProblem) and not problem.features.resident
    if streamed and prove is not None and prove is not False:
        raise InvalidInputError(
            "`prove` must be left out for rows that are not a float64 array in memory, got "
            f"{prove!r}: exact prices and relaxations need all rows of X at once; a bound for a part of the samples, "
            "of few enough rows, is a bound for all."
        )
    if prove is None or isinstance(prove, bool | np.bool_):
        return None if prove is None else bool(prove)
    try:
        seconds = as_positive(prove, "prove")
    except InvalidInputError as error:
        raise InvalidInputError(f"`prove` must be None, True, False or seconds > 0, got {prove!r}.") from error
    if isinstance(problem, TrainingProblem) and not priced_exactly(problem):
        try:
            check_covered(problem)
        except InvalidInputError as error:
            raise InvalidInputError(
                f"`prove` can be seconds only where a relaxation proves bounds, or exact pricing is tried: {error} "
                "Leave `prove` out, or give True to price exactly, however long it takes."
            ) from error
    return seconds


def pricing_of(prove: Prove) -> bool | None:
    """What `prove` says about exact pricing, which seconds leave as it is by default."""
    return prove if isinstance(prove, bool) else None


def priced_alone(prove: Prove, problem: TrainingProblem) -> bool | None:
    """What `prove` says about exact pricing, for one of several trainings of which not all are to be relaxed."""
    pricing = pricing_of(prove)
    return pricing if pricing is not None or priced_exactly(problem) else False


def shared(prove: Prove, n_parts: int) -> Prove:
    """What is left of `prove` for each of several trainings: seconds are shared."""
    return prove if prove is None or isinstance(prove, bool) else prove / n_parts


def with_proof(problem: Problem[Any], solution: Solution[Any], prove: Prove, gap: float) -> Solution[Any]:
    """The solution with what the relaxation proves in `prove` seconds, where exact pricing has not closed the bound.

    By default that of the relaxation row by row, where it takes about a second or less, whatever the clock says.
    The better of two proven bounds is kept, and where no estimate is above it the certificate becomes "bounded". Ends
    early at the gap. Ctrl-C keeps the network and the best bound.
    """
    found = solution.certificate
    if isinstance(prove, bool) or not isinstance(problem, TrainingProblem):
        return solution
    if prove is None and not (found.scope == "estimated" and cheap_by_rows(problem)):
        return solution
    closed = found.scope == "exact" or found.proven_gap <= gap
    if closed or solution.status is Status.INTERRUPTED or not _is_covered(problem):
        return solution
    try:
        if prove is None:
            bound = prove_bound(problem, time_limit=ROWS_SECONDS, gap=gap, relaxation="rows", start=solution)
        else:
            bound = prove_bound(problem, time_limit=prove, gap=gap, start=solution)
    except KeyboardInterrupt:
        return replace(solution, status=Status.INTERRUPTED)
    certificate = found.with_proven(bound.value)
    raised = certificate.scope == "bounded" and certificate.lower == bound.value
    status = Status.SOLVED if abs(certificate.gap) <= gap else solution.status
    return replace(
        solution,
        certificate=certificate,
        status=Status.INTERRUPTED if bound.status is Status.INTERRUPTED else status,
        seconds=solution.seconds + bound.seconds,
        dual=bound.dual if raised else solution.dual,
    )


def _is_covered(problem: TrainingProblem) -> bool:
    try:
        check_covered(problem)
    except InvalidInputError:
        return False
    return True
