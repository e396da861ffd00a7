r"""The loss inside the interior-point method: what it adds to the Newton system, sample by sample.

Both kinds keep an iterate of the dual variable g (at the end g = grad L(f)) and answer two questions about a
Newton step in which the outputs move by df: the linear relation dg = shift + h df, and how far the step may go.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from .._array import Array
from ..losses import PiecewiseLinearLoss
from ..problem import TrainingProblem


class LossDirection(NamedTuple):
    """A Newton direction in the variables of the loss: pairs ds, dq (K, n), heights dxi (n,), dual dg (n,)."""

    ds: Array
    dq: Array
    dxi: Array
    dg: Array


class LossTerm(Protocol):
    """State of the loss in one interior-point run.

    `s` and `q`, shape (K, n), are its complementary pairs; K = 0 for a smooth loss.
    """

    g: Array
    s: Array
    q: Array

    def linearize(self, f: Array) -> None:
        """Fix the point at which `relation` holds."""

    def relation(self, target: Array, progress: float) -> tuple[Array, Array]:
        """(shift, h) with dg = shift + h df, for q ds + s dq = target and `progress` of the residuals gone."""

    def direction(self, df: Array, h_df: Array) -> LossDirection:
        """The Newton direction of the relation asked for last; h_df is h * df, computed on its own."""

    def move(self, alpha: float, direction: LossDirection) -> None:
        """Take the step."""


class SmoothTerm:
    """Twice differentiable loss: dg = (grad L(f) - g) + L''(f) df."""

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        self.g = np.zeros_like(problem.y)
        self.s = self.q = np.zeros((0, *problem.y.shape))

    def linearize(self, f: Array) -> None:
        problem = self.problem
        self._residual = problem.loss_gradient(f) - self.g
        self._hessian = problem.output_weight * problem.loss.hessian(f, problem.y)

    def relation(self, target: Array, progress: float) -> tuple[Array, Array]:
        self._shift = progress * self._residual
        return self._shift, self._hessian

    def direction(self, df: Array, h_df: Array) -> LossDirection:
        return LossDirection(self.s, self.q, np.zeros(0), self._shift + h_df)

    def move(self, alpha: float, direction: LossDirection) -> None:
        self.g = self.g + alpha * direction.dg


class PiecewiseLinearTerm:
    r"""Loss max_k a_k f + b_k through its epigraph: xi >= a_k f + b_k with slacks s_k and multipliers q_k.

    Stationarity in xi is sum_k q_k = weight, and the gradient is sum_k a_k q_k. Eliminating s, q and xi leaves
    h = sum D a^2 - (sum D a)^2 / sum D with D = q / s. The start is centred: s_k q_k = centre, nothing violated.
    """

    def __init__(self, problem: TrainingProblem, f: Array, centre: float) -> None:
        assert isinstance(problem.loss, PiecewiseLinearLoss)
        self.a, self.b = problem.loss.pieces(problem.y)
        self.weight = problem.sample_weight
        height = self.a * f + self.b
        self.xi = _centred_height(height, self.weight, centre)
        self.s = self.xi - height
        self.q = centre / self.s
        self.g = np.zeros(problem.n)

    def linearize(self, f: Array) -> None:
        self._slack_residual = self.xi - self.a * f - self.b - self.s
        self._weight_residual = self.weight - self.q.sum(axis=0)
        self._residual = (self.a * self.q).sum(axis=0) - self.g
        self._D = self.q / self.s
        self._D_sum, self._D_a = self._D.sum(axis=0), (self._D * self.a).sum(axis=0)
        self._h = (self._D * (self.a - self._D_a / self._D_sum) ** 2).sum(axis=0)

    def relation(self, target: Array, progress: float) -> tuple[Array, Array]:
        self._progress = progress
        self._e = (target - progress * self.q * self._slack_residual) / self.s
        self._e_sum = self._e.sum(axis=0) - progress * self._weight_residual
        shift = (self.a * self._e).sum(axis=0) - self._D_a * self._e_sum / self._D_sum
        self._shift = shift + progress * self._residual
        return self._shift, self._h

    def direction(self, df: Array, h_df: Array) -> LossDirection:
        # Near a kink h is huge and df tiny: there h_df / h has the smaller error.
        steep = self._h * np.max(np.abs(df)) > np.max(np.abs(h_df))
        df = np.where(steep, h_df / np.where(steep, self._h, 1.0), df)
        dxi = (self._e_sum + self._D_a * df) / self._D_sum
        moved = dxi - self.a * df
        return LossDirection(
            moved + self._progress * self._slack_residual, self._e - self._D * moved, dxi, self._shift + h_df
        )

    def move(self, alpha: float, direction: LossDirection) -> None:
        self.xi = self.xi + alpha * direction.dxi
        self.s = self.s + alpha * direction.ds
        self.q = self.q + alpha * direction.dq
        self.g = self.g + alpha * direction.dg


def _centred_height(height: Array, weight: Array, centre: float) -> Array:
    """The xi above all K pieces with sum_k centre / (xi - height_k) = weight, by Newton on a convex function."""
    top = height.max(axis=0)
    offset = centre / weight  # there the sum is at least the weight: Newton rises to the root
    for _ in range(60):
        gaps = top + offset - height
        excess = (centre / gaps).sum(axis=0) - weight
        change = excess / (centre / gaps**2).sum(axis=0)
        offset = offset + change
        if np.all(np.abs(change) <= 1e-12 * offset):
            break
    result: Array = top + offset
    return result


def loss_term(problem: TrainingProblem, f: Array, centre: float) -> LossTerm:
    """The term that fits the problem's loss, started at outputs f."""
    if isinstance(problem.loss, PiecewiseLinearLoss):
        return PiecewiseLinearTerm(problem, f, centre)
    return SmoothTerm(problem)
