"""A bound for every network of every width, with what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .._array import Array
from .._threads import in_threads
from ..certificate import lower_bound
from ..solvers.solution import Status
from .multipliers import UNIT

if TYPE_CHECKING:
    from ..problems.training import TrainingProblem
    from ..solvers.solution import Record


class Proof(Protocol):
    """`Multipliers` or `RowMultipliers` of one sign of output weights, or `JointMultipliers` of all neurons."""

    def polar_bound(self, X: Array, v: Array, beta: float) -> float:
        """An upper bound on the largest score of v, (N,) or (N, q), over |u| <= 1, rounding included."""


@dataclass(frozen=True, eq=False)
class ProvenBound:
    """A lower bound on the objective of every network of every width, and the numbers that prove it.

    Attributes
    ----------
    value : float
        The bound; rounding of the arithmetic is subtracted.
    dual : array of shape (n,) or (n, c)
        The dual point v that it belongs to.
    multipliers : tuple of Multipliers or RowMultipliers, or of one JointMultipliers
        Why no neuron scores more than about beta at v: those of positive output weights, then of negative ones; one for
        all where neurons have several output weights.
    seconds : float
        Wall-clock time.
    history : tuple of Record
        The bounds as they rose; the objective is that of `start`, infinite without one.
    status : Status
        How the call ended: "solved" if the gap to the objective of `start` was reached.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.5)
    >>> bound = ng.prove_bound(problem, time_limit=0.3)
    >>> bound.value <= ng.train(problem).certificate.upper
    True
    >>> bound.check(problem) == bound.value
    True
    """

    value: float
    dual: Array
    multipliers: tuple[Proof, ...]
    seconds: float
    history: tuple[Record, ...] = ()
    status: Status = Status.STALLED

    def check(self, problem: TrainingProblem) -> float:
        """Return the bound as `dual` and `multipliers` prove it, by one eigenvalue decomposition for each sign.

        No solver is involved: `polar_bound` of the multipliers bounds the polar gauge at the dual point, whatever they
        are, and `certificate.lower_bound` makes that a bound on the objective. The result holds for the problem given,
        whatever the numbers are; for the problem they were made for it is `value`.
        """
        return proven_value(problem, self.dual, self.multipliers)


def proven_value(problem: TrainingProblem, v: Array, multipliers: tuple[Proof, ...]) -> float:
    """The safe bound of a dual point v and multipliers of both signs, or of all neurons."""
    X, of_rows = problem.features.dense(), problem.features.lifted(v)
    signed = (of_rows, -of_rows) if problem.q == 1 else (of_rows,)
    polar = max(in_threads(lambda own, v: own.polar_bound(X, v, problem.beta), multipliers, signed))
    if problem.features.patched:  # the dual point of the rows is rounded, once an entry
        polar += 2.0 * UNIT * float(np.linalg.norm(of_rows)) * float(np.linalg.norm(X))
    return max(lower_bound(problem, v, polar), lower_bound(problem, 0.0 * v, 0.0))
