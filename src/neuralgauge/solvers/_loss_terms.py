r"""The loss inside the interior-point method: what it adds to the Newton system, sample by sample.

Both kinds keep an iterate of the dual variable g (at the end g = grad L(f)) and answer two questions about a
Newton step in which the outputs move by df: the linear relation dg = shift + h df, and how far the step may go.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .._array import Array
from ..losses import PiecewiseLinearLoss
from ..problem import TrainingProblem


class LossTerm(Protocol):
    """State of the loss in one interior-point run."""

    g: Array

    def linearize(self, f: Array) -> None:
        """Fix the point at which `relation` holds."""

    def relation(self, centre: float, correct: bool) -> tuple[Array, Array]:
        """(shift, h) with dg = shift + h df, towards complementarity `centre`."""

    def direction(self, df: Array) -> None:
        """Complete the Newton direction of the relation asked for last."""

    def step_length(self) -> float:
        """Largest step along the direction that stays inside."""

    def complementarity(self, alpha: float) -> tuple[float, int]:
        """Sum and number of complementarity products after a step alpha."""

    def move(self, alpha: float) -> None:
        """Take the step."""


class SmoothTerm:
    """Twice differentiable loss: dg = (grad L(f) - g) + L''(f) df."""

    def __init__(self, problem: TrainingProblem, f: Array, centre: float) -> None:
        self.problem = problem
        self.g = np.zeros(problem.n)

    def linearize(self, f: Array) -> None:
        problem = self.problem
        self._residual = problem.loss_gradient(f) - self.g
        self._hessian = problem.sample_weight * problem.loss.hessian(f, problem.y)

    def relation(self, centre: float, correct: bool) -> tuple[Array, Array]:
        return self._residual, self._hessian

    def direction(self, df: Array) -> None:
        self._dg = self._residual + self._hessian * df

    def step_length(self) -> float:
        return np.inf

    def complementarity(self, alpha: float) -> tuple[float, int]:
        return 0.0, 0

    def move(self, alpha: float) -> None:
        self.g = self.g + alpha * self._dg


class PiecewiseLinearTerm:
    r"""Loss max_k a_k f + b_k through its epigraph: xi >= a_k f + b_k with slacks s_k and multipliers q_k.

    Stationarity in xi is sum_k q_k = weight, and g = sum_k a_k q_k. Eliminating s, q and xi leaves
    h = sum D a^2 - (sum D a)^2 / sum D with D = q / s.
    """

    def __init__(self, problem: TrainingProblem, f: Array, centre: float) -> None:
        assert isinstance(problem.loss, PiecewiseLinearLoss)
        self.a, self.b = problem.loss.pieces(problem.y)
        self.weight = problem.sample_weight
        lines = self.a * f + self.b
        top = lines.max(axis=0)
        # xi on the central path for this f: sum_k centre / (xi - lines_k) = weight, bracketed and bisected.
        low, high = top + centre / self.weight, top + len(self.a) * centre / self.weight
        for _ in range(60):
            middle = 0.5 * (low + high)
            above = (centre / (middle - lines)).sum(axis=0) > self.weight
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        self.xi = high
        self.s = self.xi - lines
        self.q = centre / self.s
        self.q *= self.weight / self.q.sum(axis=0)
        self.g = (self.a * self.q).sum(axis=0)

    def linearize(self, f: Array) -> None:
        self._slack_residual = self.xi - self.a * f - self.b - self.s
        self._weight_residual = self.weight - self.q.sum(axis=0)
        self._D = self.q / self.s
        self._D_sum, self._D_a = self._D.sum(axis=0), (self._D * self.a).sum(axis=0)

    def relation(self, centre: float, correct: bool) -> tuple[Array, Array]:
        target = centre - self.s * self.q
        if correct:
            target = target - self._ds * self._dq
        self._e = (target - self.q * self._slack_residual) / self.s
        self._e_sum = self._e.sum(axis=0) - self._weight_residual
        shift = (self.a * self._e).sum(axis=0) - self._D_a * self._e_sum / self._D_sum
        spread = self.a - self._D_a / self._D_sum
        return shift, (self._D * spread**2).sum(axis=0)

    def direction(self, df: Array) -> None:
        self._dxi = (self._e_sum + self._D_a * df) / self._D_sum
        moved = self._dxi - self.a * df
        self._ds = moved + self._slack_residual
        self._dq = self._e - self._D * moved

    def step_length(self) -> float:
        ratio = max(float(np.max(-self._ds / self.s)), float(np.max(-self._dq / self.q)))
        return 1.0 / ratio if ratio > 0 else np.inf

    def complementarity(self, alpha: float) -> tuple[float, int]:
        if alpha == 0.0:
            return float(np.vdot(self.s, self.q)), self.s.size
        return float(np.vdot(self.s + alpha * self._ds, self.q + alpha * self._dq)), self.s.size

    def move(self, alpha: float) -> None:
        self.xi = self.xi + alpha * self._dxi
        self.s = self.s + alpha * self._ds
        self.q = self.q + alpha * self._dq
        self.g = (self.a * self.q).sum(axis=0)


def loss_term(problem: TrainingProblem, f: Array, centre: float) -> LossTerm:
    """The term that fits the problem's loss, started at outputs f."""
    if isinstance(problem.loss, PiecewiseLinearLoss):
        return PiecewiseLinearTerm(problem, f, centre)
    return SmoothTerm(problem, f, centre)
