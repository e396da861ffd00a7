"""What every solver returns, and the sentences that say how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from .._array import Array
from ..certificate import Certificate
from ..networks.base import Network
from ..networks.gated import GatedNetwork
from ..pricing.columns import Columns


class Status(StrEnum):
    """How a solver ended, as a sentence for the user."""

    SOLVED = "The requested gap was reached."
    ITERATION_LIMIT = "Stopped at the iteration limit before the requested gap was reached."
    TIME_LIMIT = "Stopped at the time limit before the requested gap was reached."
    INTERRUPTED = "Interrupted; this is the best result so far."
    SLOW = "Stopped before the requested gap: the objective hardly fell any more, within the patience asked for."
    STALLED = "Stopped before the requested gap: rounding errors allow no further progress."
    DIVERGED = "Stopped before the requested gap: the interior point diverged, its complementarity products rising."
    SINGULAR = "Stopped before the requested gap: the interior point met a Newton system that it could not solve."
    PROGRAM_FAILED = (
        "Stopped before the requested gap: the interior point solved none of the convex programs of several rounds; "
        "the network and the bound are the best of all rounds."
    )

    @property
    def failed(self) -> bool:
        """Whether the solver could not go on, rather than was done or told to stop."""
        return self in (Status.STALLED, Status.DIVERGED, Status.SINGULAR, Status.PROGRAM_FAILED)


@dataclass(frozen=True)
class Record:
    """One line of a history.

    Attributes
    ----------
    seconds : float
        Wall-clock time since the start.
    objective, lower_bound : float
        Best primal value and best lower bound so far, as known at that moment: a bound from a search (scope
        "estimated") falls when the search finds better later, so early ones may lie above the final objective.
    n_neurons : int
        Neurons or blocks in use.
    """

    seconds: float
    objective: float
    lower_bound: float
    n_neurons: int


# The kind of network of a problem or program.
Trained = TypeVar("Trained", bound=Network | GatedNetwork, covariant=True)


@dataclass(frozen=True)
class Solution(Generic[Trained]):
    """Result of training or of one convex program.

    Attributes
    ----------
    network : TwoLayerNetwork, ReLUConvNetwork, LinearConvNetwork or GatedNetwork
        The trained network, balanced; gated only from a gated program. Types are generic in it: `Solution[...]`.
    certificate : Certificate
        Its objective and a lower bound.
    status : Status
        A sentence; compare with `Status.SOLVED` to see whether the requested gap was reached.
    n_iter : int
        Iterations used.
    seconds : float
        Wall-clock time.
    history : tuple of Record
        One record an iteration.
    dual : array of shape (n,)
        The dual point v behind the lower bound.
    blocks : array of shape (m, d), or None
        The blocks w_i of a convex program, in the order of its patterns (with both signs: all +1, then all -1).
    columns : Columns, or None
        Neurons of large scores at `dual`, as training found them: where that of a nearby problem begins to search.
    """

    network: Trained
    certificate: Certificate
    status: Status
    n_iter: int
    seconds: float
    dual: Array
    history: tuple[Record, ...] = field(repr=False, default=())
    blocks: Array | None = field(repr=False, default=None)
    columns: Columns | None = field(repr=False, default=None)
