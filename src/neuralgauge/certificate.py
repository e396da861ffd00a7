"""Certificates: what is known about the distance of a network from the global optimum. Imports no solver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

if TYPE_CHECKING:
    from ._array import Array
    from .problems.base import Problem

ROUNDED_SUMS = 1e-14  # relative difference of two sums of some hundred terms that is rounding
SUMS_VANISH = 1e-9  # sums of v up to so much of all |v| are rounding, which the bound makes up for
Scope = Literal["exact", "bounded", "estimated", "patterns"]

SCOPE_SENTENCES: dict[str, str] = {
    "exact": "holds for every network of every width",
    "bounded": "holds for every network of every width, from a bound that may be well below the optimum",
    "estimated": "not a proof: it rests on a search that may have missed a better neuron",
    "patterns": "holds only for networks with these activation patterns; others may be better",
}
STRONGEST_FIRST: tuple[Scope, ...] = ("exact", "bounded", "patterns", "estimated")
PROVEN: tuple[Scope, ...] = ("exact", "bounded")


@dataclass(frozen=True)
class Certificate:
    """An upper and a lower bound on the optimal value of [2], what the lower one covers, and what is proven.

    Attributes
    ----------
    upper : float
        Objective of the network at hand, evaluated on its own outputs.
    lower : float
        Lower bound on the optimum; rounding of the arithmetic is subtracted.
    scope : {"exact", "bounded", "estimated", "patterns"}
        "exact" and "bounded" hold for every network of every width, "estimated" is no proof, "patterns" holds
        for the given activation patterns only.
    starts : int
        For "estimated": independent starts that were followed to their local maxima at the end of the search, none of
        them above the bound; 0 if there were none.
    separate : bool
        Whether the bounds are about networks whose neurons serve one output each, and say nothing of others.
    unseen : int
        How many of these starts ended in a maximum that the search had not seen before. unseen / starts estimates
        how likely the next start is to do so (Good and Turing's question of unseen species).
    proven : float
        The best lower bound that holds for every network of every width, rounding subtracted: `lower` itself for
        "exact" and "bounded", whatever is given. Otherwise what was proven besides the estimate; minus infinity where
        nothing was.
    constrained : bool
        Whether the problem has constraints on neurons: the bounds are about networks whose every neuron obeys them.

    Examples
    --------
    >>> from neuralgauge import Certificate
    >>> certificate = Certificate(upper=2.0, lower=1.5, scope="estimated", proven=1.0)
    >>> certificate.gap, certificate.proven_gap
    (0.25, 0.5)
    >>> Certificate(upper=2.0, lower=1.5, scope="exact").proven
    1.5
    """

    upper: float
    lower: float
    scope: Scope
    starts: int = 0
    separate: bool = False
    unseen: int = 0
    proven: float = -math.inf
    constrained: bool = False

    def __post_init__(self) -> None:
        if self.scope in PROVEN:
            object.__setattr__(self, "proven", self.lower)

    @classmethod
    def total(cls, parts: Sequence[Certificate]) -> Certificate:
        """Of outputs that are trained apart: sums of objectives and bounds, with the weakest scope."""
        scope = max((part.scope for part in parts), key=STRONGEST_FIRST.index)
        weakest = max((part for part in parts if part.scope == scope), key=lambda part: part.unseen_at_most)
        starts, unseen = (weakest.starts, weakest.unseen) if scope == "estimated" else (0, 0)
        # The exact sum of the bounds is rounded once.
        lower, proven = (
            float(np.nextafter(math.fsum(bounds), -np.inf))
            for bounds in ([part.lower for part in parts], [part.proven for part in parts])
        )
        upper = sum(part.upper for part in parts)
        constrained = any(part.constrained for part in parts)
        return cls(upper, lower, scope, starts, len(parts) > 1, unseen, proven, constrained)

    def with_proven(self, value: float) -> Self:
        """The certificate once `value` is proven for every network: "bounded" by it unless its own bound is higher."""
        best = max(value, self.proven)
        if best < self.lower or (best == self.lower and self.scope in PROVEN):
            return replace(self, proven=best)
        return replace(self, lower=best, scope="bounded", starts=0, unseen=0)

    @property
    def covers(self) -> str:
        """What the lower bound holds for, as a sentence."""
        return self._covered(SCOPE_SENTENCES[self.scope])

    def _covered(self, sentence: str) -> str:
        """The sentence on what a bound holds for, with what restricts all bounds."""
        if self.constrained:
            sentence += "; only among networks whose every neuron obeys the constraints"
        return f"{sentence}; only among networks whose neurons serve one output each" if self.separate else sentence

    @property
    def gap(self) -> float:
        """Relative gap (upper - lower) / |upper|; 0 when the two differ by rounding only, infinite to no bound.

        A negative gap is never a success: the two contradict each other, so one of them is wrong.
        """
        return _relative_gap(self.upper, self.lower)

    @property
    def proven_gap(self) -> float:
        """Relative gap (upper - proven) / |upper|, which holds for every network of every width."""
        return _relative_gap(self.upper, self.proven)

    @property
    def unseen_at_most(self) -> float:
        """99 % confidence limit on the probability that a start ends in a maximum that the search had not seen.

        Of Clopper and Pearson for `unseen` of `starts`, shared among the four times that a search may count them.
        """
        from scipy.special import betaincinv

        if self.unseen >= self.starts:
            return 1.0
        return float(betaincinv(self.unseen + 1, self.starts - self.unseen, 1.0 - 0.01 / 4))

    @property
    def weak(self) -> bool:
        """Whether the bound is "estimated" by a search whose starts mostly ended in maxima it had not seen before."""
        return self.scope == "estimated" and 2 * self.unseen >= self.starts

    @property
    def support(self) -> str:
        """What the search behind an "estimated" bound supports, as a sentence; empty for the other scopes."""
        if self.scope != "estimated":
            return ""
        if self.starts == 0:
            return "nothing: no independent start was followed to its local maximum"
        counts = f"{self.unseen} of {self.starts} fresh starts ended in a local maximum not seen before"
        if self.weak:
            return f"nothing: {counts}, so most of them were never looked at"
        return f"{counts}, with 99 % confidence less than {self.unseen_at_most:.1%} of all starts would"

    def lines(self) -> list[tuple[str, str]]:
        """Names and values to print: the objective, what is proven, and the lower bound where that is another."""
        objective, bound = ("objective", f"{self.upper:.10g}"), _shown(self.lower, self.gap)
        if self.scope in PROVEN:
            return [objective, ("proven", f'{bound}, "{self.scope}": {self.covers}')]
        every = f"{_shown(self.proven, self.proven_gap)}: {self._covered(SCOPE_SENTENCES['exact'])}"
        proven = ("proven", every if self.proven > -math.inf else "nothing")
        support = [("support", self.support)] if self.support else []
        return [objective, proven, (self.scope, f"{bound}: {self.covers}"), *support]

    def in_words(self) -> str:
        """How much better another network can be, in sentences that need no knowledge of the theory.

        Percentages are relative gaps, rounded up, so that what is called proven is; of a gap of 1 or more, which says
        little of objectives that are never negative, the bound itself is named.

        Examples
        --------
        >>> print(Certificate(upper=1000.0, lower=997.1, scope="exact").in_words().split(" Better")[0])
        No network of any size can be more than 0.29 % better on these rows (proven).
        >>> print(Certificate(upper=1000.0, lower=999.875, scope="estimated", starts=64).in_words().split(" Better")[0])
        A search found no network that is more than 0.013 % better on these rows; that is not a proof.
        """
        from .wording import certified

        return certified(self)

    def __str__(self) -> str:
        return "\n".join(f"{name:<9}  {value}" for name, value in self.lines())


def _relative_gap(upper: float, lower: float) -> float:
    difference = upper - lower
    if np.isinf(difference) or (difference != 0.0 and upper == 0.0):
        return float(np.copysign(np.inf, difference))
    if abs(difference) <= ROUNDED_SUMS * max(abs(upper), abs(lower)):
        return 0.0
    return float(difference / abs(upper))


def _shown(bound: float, gap: float) -> str:
    return f"{bound:.10g}, gap {gap:.2e}"


def lower_bound(problem: Problem[Any], v: Array, polar: float) -> float:
    r"""Return the dual objective of v scaled into the feasible set, minus what rounding can have added.

    For :math:`G(v) \le` `polar` the point :math:`\kappa v`, :math:`\kappa = \min(1, \beta / G(v))`, is feasible in
    the dual where it lies in the domain of L*, into which :math:`\kappa` is shortened; for the squared loss the best
    feasible :math:`\kappa` is tried too. Where sums of v must vanish (softmax rows, columns under an offset) the bound
    is that of the nearest v at which they vanish exactly; G moves by no more than the l1 distance times
    ``problem.reach``.

    Parameters
    ----------
    problem : Problem
    v : array of shape (n,) or (n, c)
        Dual point, usually minus the gradient of the loss, made feasible by ``problem.fit.project``. No multiple but 0
        is feasible when an entry has the wrong sign for the loss or a sum does not vanish; then the bound is that of
        v = 0.
    polar : float
        An upper bound on the polar gauge G(v) over whatever set of atoms the bound is to cover.

    Returns
    -------
    float
        A lower bound in floating-point arithmetic too.
    """
    fit = problem.fit
    distance = fit.distance(v)
    if not distance <= SUMS_VANISH * float(np.sum(np.abs(v))):
        return fit.dual_bound(np.zeros_like(v))
    if distance > 0:
        polar += distance * problem.reach
    limit = fit.largest_multiple(v)
    if polar > 0:
        limit = min(limit, problem.beta / polar)
    limit *= 1.0 - 8 * np.finfo(float).eps
    scales = [min(1.0, limit)]
    if fit.loss.name == "squared" and (energy := float(np.sum(v * (v / fit.output_weight)))) > 0:
        scales.append(min(max(float(np.sum(fit.y * v)) / energy, 0.0), limit))
    return max(fit.dual_bound(scale * v, scale * distance) for scale in scales)
