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

    def direction(self, df: Array, h_df: Array) -> None:
        """Complete the Newton direction of the relation asked for last; h_df is h * df, computed on its own."""

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

    def direction(self, df: Array, h_df: Array) -> None:
        self._dg = self._residual + h_df

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

    def __init__(self, problem: TrainingProblem, f: Array, centre: float, mix: float) -> None:
        assert isinstance(problem.loss, PiecewiseLinearLoss)
        self.a, self.b = problem.loss.pieces(problem.y)
        self.weight = problem.sample_weight
        # Multipliers near the g closest to 0, so that the dual start is feasible; the slacks carry the residual.
        low, high = self.a.argmin(axis=0), self.a.argmax(axis=0)
        sample = np.arange(problem.n)
        a_low, a_high = np.minimum(self.a[low, sample], 0.0), np.maximum(self.a[high, sample], 0.0)
        span = np.maximum(self.a[high, sample] - self.a[low, sample], 1e-300)
        self.q = np.full(self.a.shape, 0.0)
        self.q[low, sample] += np.clip(a_high / span, 0.0, 1.0)
        self.q[high, sample] += np.clip(-a_low / span, 0.0, 1.0)
        self.q = self.weight * ((1.0 - mix) * self.q / self.q.sum(axis=0) + mix / len(self.a))
        self.s = centre / self.q
        self.xi = (self.a * f + self.b).max(axis=0)
        self.g = (self.a * self.q).sum(axis=0)
        self._ds, self._dq = np.zeros_like(self.s), np.zeros_like(self.q)

    def linearize(self, f: Array) -> None:
        self._slack_residual = self.xi - self.a * f - self.b - self.s
        self._weight_residual = self.weight - self.q.sum(axis=0)
        self._D = self.q / self.s
        self._D_sum, self._D_a = self._D.sum(axis=0), (self._D * self.a).sum(axis=0)
        self._h = (self._D * (self.a - self._D_a / self._D_sum) ** 2).sum(axis=0)

    def relation(self, centre: float, correct: bool) -> tuple[Array, Array]:
        target = centre - self.s * self.q
        if correct:
            target = target - self._ds * self._dq
        self._e = (target - self.q * self._slack_residual) / self.s
        self._e_sum = self._e.sum(axis=0) - self._weight_residual
        shift = (self.a * self._e).sum(axis=0) - self._D_a * self._e_sum / self._D_sum
        return shift, self._h

    def direction(self, df: Array, h_df: Array) -> None:
        # Near a kink h is huge and df tiny: there h_df / h has the smaller error.
        steep = self._h * np.max(np.abs(df)) > np.max(np.abs(h_df))
        df = np.where(steep, h_df / np.where(steep, self._h, 1.0), df)
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


def loss_term(problem: TrainingProblem, f: Array, centre: float, mix: float) -> LossTerm:
    """The term that fits the problem's loss, started at outputs f."""
    if isinstance(problem.loss, PiecewiseLinearLoss):
        return PiecewiseLinearTerm(problem, f, centre, mix)
    return SmoothTerm(problem, f, centre)
