r"""Mehrotra's predictor-corrector method along the central path, for any cones and any loss.

With mu the mean complementarity product, an iteration

1. linearizes the optimality conditions, with Nesterov-Todd scaling, and factorizes the Newton system;
2. predicts: the direction towards products of zero, and the mean product mu_a after as much of it as the cones allow;
3. corrects: the direction towards products of :math:`\mu (\mu_a / \mu)^2`, with the second order of the predictor;
4. steps a fraction of the way to the boundary of the cones, primal and dual together, for the loss ties them.

Where steps stay short, or none is possible, Newton's direction towards more centred products replaces the corrected
one: far from the path the second order of the predictor misleads. Where the Newton system cannot be factorized, it is
taken from one step back.

Source: Mehrotra (1992); Nocedal & Wright, "Numerical Optimization", section 16.6.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from .._array import Array
from ._loss_terms import LossDirection, LossTerm
from .solution import Status

START_LEVEL = 0.3  # sum of the starting products, relative to the loss of the empty network
START_LOSS = 1.5  # most loss of the start, relative to the same
STEP_FRACTION = 0.95  # of the way to the boundary
BOLD_CENTRING = 0.01  # share of the mean product; where the corrected direction aims at less, `bold` is the fraction
LEAST_CENTRING = 1e-4  # of the mean product, added to what Mehrotra's rule aims at
SHORT_STEP = 0.1  # two steps in a row below it: a safe one is tried
SHORTENED = 0.2  # so is it where the merit function leaves less of a step than this share
SAFE_CENTRING = 0.5  # of the mean product, which a safe direction aims at
SHORTEST_STEP = 1e-8  # below it arithmetic allows no step
HIGHEST = 1e4  # mean product, relative to the largest product at the start, from which the method has diverged


class Direction(Protocol):
    """A Newton direction: a named tuple of arrays, the change of the primal variables first."""

    @property
    def loss(self) -> LossDirection:
        """The part of the loss."""

    def __getitem__(self, index: int, /) -> Any:
        """By position."""


Iterated = TypeVar("Iterated")
S = TypeVar("S", bound=Direction)


class PredictorCorrector(ABC, Generic[Iterated, S]):
    """The endless iteration. It ends by itself where arithmetic allows no step, with the status of that in `ended`.

    A method supplies its variables and its linear algebra; the pairs of the loss are handled here.

    Attributes
    ----------
    loss : LossTerm
        Set by the method, at the start.
    largest : float
        Largest complementarity product at the start, set by the method.
    variables : tuple of str
        Names of the attributes that `move` replaces: arrays are never changed in place.
    trust : float
        The second order of a predictor that reached alpha counts min(1, trust alpha)^2.
    bold : float
        Fraction of the way to the boundary where little centring is needed.
    """

    ended: Status
    loss: LossTerm
    largest: float
    variables: tuple[str, ...]
    trust = np.inf
    bold = STEP_FRACTION  # 0.99 saves blocks 4 % of their iterations, but takes 42 for 17 in single programs

    @abstractmethod
    def iterate(self) -> Iterated:
        """The current point."""

    @abstractmethod
    def linearize(self) -> None:
        """Scale, linearize and factorize at the current point; LinAlgError where that fails."""

    @abstractmethod
    def direction(self, centre: float, affine: S | None = None, trust: float = 1.0) -> S:
        """Newton's direction towards products of `centre`, less `trust` times the second order of `affine`."""

    @abstractmethod
    def reach(self, step: S) -> float:
        """Largest multiple of the step, maybe infinite, that stays inside the cones."""

    @abstractmethod
    def products(self, step: S | None, alpha: float) -> tuple[float, int]:
        """Sum and number of the complementarity products of the cones, now or after a step."""

    @abstractmethod
    def move(self, step: S, alpha: float) -> None:
        """Take the step; the loss has taken it already."""

    def refined(self, step: S, centre: float) -> S:
        """The corrected direction with further corrections, where the method knows some."""
        return step

    def shortened(self, step: S, alpha: float, centring: float) -> float:
        """As much of alpha as a merit function allows, where the method has one."""
        return alpha

    def __iter__(self) -> Generator[Iterated, None, Status]:
        self._last_step, self._rescued = 1.0, False
        self._back = self._variables()
        while True:
            yield self.iterate()
            if (ended := self._advance()) is not None:
                self.ended = ended
                return ended

    def _variables(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.variables} | {"loss": copy.copy(self.loss)}

    def _advance(self) -> Status | None:
        """One iteration; how the method ends if none is possible."""
        here = self._variables()
        ended = self._attempt(self._corrected)
        if ended in (Status.SINGULAR, Status.STALLED) and not self._rescued:
            self._rescued = True
            vars(self).update(self._back if ended is Status.SINGULAR else here)
            ended = self._attempt(self._towards_centre)
        self._back = here
        return ended

    def _attempt(self, chosen: Callable[[float], tuple[S, float]]) -> Status | None:
        """Take the step chosen for the mean product; how the method ends if that fails."""
        try:
            self.linearize()
            mean = self._mean_product(None, 0.0)
            if not mean <= HIGHEST * self.largest:
                return Status.DIVERGED
            step, alpha = chosen(mean)
        except np.linalg.LinAlgError:
            return Status.SINGULAR
        if not np.isfinite(step[0]).all():
            return Status.SINGULAR
        if not alpha > SHORTEST_STEP:
            return Status.STALLED
        self.loss.move(alpha, step.loss)
        self.move(step, alpha)
        self._last_step = alpha
        return None

    def _corrected(self, mean: float) -> tuple[S, float]:
        """The corrected direction and its length; the safe one where that stays short and the safe one is longer."""
        affine = self.direction(0.0)
        reach = min(1.0, max(self._reach(affine), SHORTEST_STEP))
        after = self._mean_product(affine, reach)
        centre = min(mean, after * max(after / mean, 0.0) ** 2 + LEAST_CENTRING * mean)
        # Where the predictor was cut short its products say little about those of a longer step.
        step = self.refined(self.direction(centre, affine, min(1.0, self.trust * reach) ** 2), centre)
        fraction = self.bold if centre < BOLD_CENTRING * mean else STEP_FRACTION
        longest = min(1.0, fraction * self._reach(step))
        alpha = self.shortened(step, longest, centre / mean)
        if alpha < SHORTENED * longest or max(alpha, self._last_step) < SHORT_STEP:
            safe, length = self._towards_centre(mean)
            if length > alpha:
                return safe, length
        return step, alpha

    def _towards_centre(self, mean: float) -> tuple[S, float]:
        """The safe direction, Newton's alone, and its length."""
        step = self.direction(SAFE_CENTRING * mean)
        return step, self.shortened(step, min(1.0, STEP_FRACTION * self._reach(step)), SAFE_CENTRING)

    def _reach(self, step: S) -> float:
        """Largest step that stays inside every cone, and where the loss is about what its linearization says."""
        if not np.isfinite(step[0]).all():
            return 0.0
        loss, change = self.loss, step.loss
        rate = rate_of(loss.s, change.ds, loss.q, change.dq)
        reach = self.reach(step)
        return loss.shorten(min(reach, 1.0 / rate) if rate > 0 else reach, change)

    def _mean_product(self, step: S | None, alpha: float) -> float:
        """Mean complementarity product, now or after a step."""
        total, count = self.products(step, alpha)
        s, q = self.loss.s, self.loss.q
        if step is not None:
            s, q = s + alpha * step.loss.ds, q + alpha * step.loss.dq
        return (total + float(np.vdot(s, q))) / (count + s.size)


def rate_of(*pairs: Array) -> float:
    """The largest -change / value of positive arrays and their changes, in turn; 0 if nothing falls."""
    values, changes = pairs[::2], pairs[1::2]
    falls = (float(np.max(-change / value, initial=0.0)) for value, change in zip(values, changes, strict=True))
    return max(falls)
