r"""The loss inside the interior-point method: what it adds to the Newton system, sample by sample.

Both kinds keep an iterate of the dual variable g (at the end g = grad L(f)) and answer two questions about a
Newton step in which the outputs move by df: the linear relation dg = shift + h df, and how far the step may go.

Arrays of an elementwise loss have the shape of the targets, (n,) or (n, c). A coupled loss has h of shape (n, c, c),
and h df is then the product of each matrix with its row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from ..losses import CoupledLoss, PiecewiseLoss, SmoothLoss
from ..problems.base import Problem
from ._secant import secant_curvature

TRUST_HALVINGS = 40  # halvings of a step
MISMATCH = 1e-3  # of the largest h df
FIRST_SHARE, FIRST_POLAR = 0.01, 0.1  # of the gradient that g starts with, and of beta for its polar gauge: at most
CLOSER = 0.05  # of its distance to an end of its interval that an entry of g keeps in a step


class LossDirection(NamedTuple):
    """A Newton direction in the variables of the loss: pairs ds, dq (K, ...), heights dxi, dual dg; outputs df."""

    ds: Array
    dq: Array
    dxi: Array
    dg: Array
    df: Array

    def plus(self, other: LossDirection) -> LossDirection:
        """Sum."""
        return LossDirection(*(a + b for a, b in zip(self, other, strict=True)))


class LossTerm(Protocol):
    """State of the loss in one interior-point run.

    `s` and `q`, shape (K, ...), are its complementary pairs; K = 0 for a smooth loss.
    """

    g: Array
    s: Array
    q: Array

    def linearize(self, f: Array) -> None:
        """Fix the point at which `relation` holds."""

    def relation(self, target: Array, progress: float) -> tuple[Array, Array]:
        """(shift, h) with dg = shift + h df, for q ds + s dq = target and `progress` of the residuals gone."""

    def root(self) -> Array:
        """R with h = R R^T: its square root, elementwise, or (n, c, c) for a coupled loss."""

    def mismatch(self, df: Array, h_df: Array) -> Array:
        """df - h_df / h, where h is so steep that this counts; zero elsewhere."""

    def direction(self, df: Array, h_df: Array) -> LossDirection:
        """The Newton direction of the relation asked for last; h_df is h df, computed on its own."""

    def shorten(self, alpha: float, direction: LossDirection) -> float:
        """The step alpha, or as much of it as the linear relation can be trusted for."""

    def move(self, alpha: float, direction: LossDirection) -> None:
        """Take the step."""


class SmoothTerm:
    """Twice differentiable loss: dg = (grad L(f) - g) + h df, h its secant, or second derivative if it is coupled."""

    def __init__(self, problem: Problem[Any], g: Array | None = None) -> None:
        self.problem = problem
        self.confined = g is not None and not problem.loss.coupled
        self.g = g if g is not None and self.confined else np.zeros_like(problem.y)
        self.s = self.q = np.zeros((0, *problem.y.shape))
        lower, upper = problem.loss.domain(problem.y)
        self._lower, self._upper = problem.fit.output_weight * lower, problem.fit.output_weight * upper

    def linearize(self, f: Array) -> None:
        problem, loss = self.problem, self.problem.loss
        self._f, self._gradient = f, problem.fit.gradient(f)
        self._residual = self._gradient - self.g
        self._scale = np.linalg.norm(self._gradient) + np.linalg.norm(self.g)
        if loss.coupled:
            assert isinstance(loss, CoupledLoss)
            weight = problem.sample_weight[:, None, None]
            self._h = weight * loss.hessian(f, problem.y)
            self._root = np.sqrt(weight) * loss.hessian_root(f, problem.y)
        else:
            assert isinstance(loss, SmoothLoss)
            weight = np.broadcast_to(problem.fit.output_weight, f.shape)
            self._h = weight * secant_curvature(loss, f, problem.y, self._gradient / weight, self.g / weight)
            self._root = np.sqrt(self._h)

    def relation(self, target: Array, progress: float) -> tuple[Array, Array]:
        self._shift = progress * self._residual
        return self._shift, self._h

    def root(self) -> Array:
        return self._root

    def mismatch(self, df: Array, h_df: Array) -> Array:
        return np.zeros_like(df)

    def direction(self, df: Array, h_df: Array) -> LossDirection:
        return LossDirection(self.s, self.q, np.zeros(0), self._shift + h_df, df)

    def shorten(self, alpha: float, direction: LossDirection) -> float:
        """Halved until the gradient departs from its linear model by no more than the gradients at hand.

        Without this a Newton step from where exp(f) is flat would overflow it.
        """
        df, h = direction.df, self._h
        slope = np.einsum("nij,nj->ni", h, df) if self.problem.loss.coupled else h * df
        trial = min(alpha, 1.0)
        for _ in range(TRUST_HALVINGS):
            with np.errstate(over="ignore", invalid="ignore"):
                departure = self.problem.fit.gradient(self._f + trial * df) - self._gradient - trial * slope
                if np.linalg.norm(departure) <= self._scale:
                    break
            trial *= 0.5
        return alpha if trial == min(alpha, 1.0) else trial

    def move(self, alpha: float, direction: LossDirection) -> None:
        moved = self.g + alpha * direction.dg
        if self.confined:
            away, towards = self.g * CLOSER, 1.0 - CLOSER
            moved = np.clip(moved, away + towards * self._lower, away + towards * self._upper)
        self.g = moved


class PiecewiseTerm:
    r"""Loss given by `Pieces`: slacks s_k = xi - a_k t - b_k at t = f - mu g, with multipliers q_k.

    mu is the smoothing over the weight of the sample. The gradient is g = sum_k a_k q_k, and stationarity in xi is
    sum_k q_k = weight; without epigraph xi = 0 and that equation is missing. With D = q / s the elimination of s, q
    and xi leaves dg = shift_0 + h_0 dt,

    .. math:: h_0 = \sum_k D_k a_k^2 - (\sum_k D_k a_k)^2 / \sum_k D_k, \qquad h = h_0 / (1 + \mu h_0),

    the second term of h_0 only with epigraph. The start is centred: s_k q_k = centre.
    """

    def __init__(self, problem: Problem[Any], f: Array, centre: float) -> None:
        assert isinstance(problem.loss, PiecewiseLoss)
        self.a, self.b, smoothing, self.epigraph = problem.loss.pieces(problem.y)
        if not (self.epigraph or smoothing > 0):
            raise InvalidInputError(
                f"`smoothing` of pieces without epigraph must be > 0, got {smoothing}; "
                f"the {problem.loss.name} loss must be finite for every output."
            )
        self.weight = np.broadcast_to(problem.fit.output_weight, problem.y.shape)
        self.mu = smoothing / self.weight
        height = self.a * f + self.b
        if self.epigraph:
            if smoothing > 0.0:  # where the loss is far below its pieces, none of them may start as active
                centre = max(centre, float(np.mean(self.weight * np.maximum(height.max(axis=0), 0.0))))
            self.xi = _centred_height(height, self.weight, centre)
            self.s = self.xi - height
        else:
            self.xi = np.zeros_like(problem.y)
            self.s = _positive_root(height, self.mu * centre * self.a**2)
        self.q = centre / self.s
        self.g = np.zeros_like(problem.y)

    def linearize(self, f: Array) -> None:
        self._slack_residual = self.xi - self.a * (f - self.mu * self.g) - self.b - self.s
        self._residual = (self.a * self.q).sum(axis=0) - self.g
        self._D = self.q / self.s
        if self.epigraph:
            self._weight_residual = self.weight - self.q.sum(axis=0)
            self._D_sum, self._D_a = self._D.sum(axis=0), (self._D * self.a).sum(axis=0)
            self._h0 = (self._D * (self.a - self._D_a / self._D_sum) ** 2).sum(axis=0)
        else:
            self._h0 = (self._D * self.a**2).sum(axis=0)
        self._shrink = 1.0 / (1.0 + self.mu * self._h0)
        self._h = self._h0 * self._shrink

    def relation(self, target: Array, progress: float) -> tuple[Array, Array]:
        self._progress = progress
        self._e = (target - progress * self.q * self._slack_residual) / self.s
        shift = (self.a * self._e).sum(axis=0)
        if self.epigraph:
            self._e_sum = self._e.sum(axis=0) - progress * self._weight_residual
            shift = shift - self._D_a * self._e_sum / self._D_sum
        self._shift0 = shift + progress * self._residual
        self._shift = self._shift0 * self._shrink
        return self._shift, self._h

    def root(self) -> Array:
        return np.sqrt(self._h)

    def _mismatch(self, df: Array, h_df: Array) -> Array:
        # Near a kink h is huge and df tiny: there h_df / h has the smaller error.
        steep = self._h * np.max(np.abs(df)) > np.max(np.abs(h_df))
        return np.where(steep, df - h_df / np.where(steep, self._h, 1.0), 0.0)

    def mismatch(self, df: Array, h_df: Array) -> Array:
        difference = self._mismatch(df, h_df)
        counts = self._h * np.abs(difference) > MISMATCH * np.max(np.abs(h_df))
        return np.where(counts, difference, 0.0)

    def direction(self, df: Array, h_df: Array) -> LossDirection:
        df = df - self._mismatch(df, h_df)
        dt = (df - self.mu * self._shift0) * self._shrink
        dxi = (self._e_sum + self._D_a * dt) / self._D_sum if self.epigraph else np.zeros_like(dt)
        moved = dxi - self.a * dt
        ds = moved + self._progress * self._slack_residual
        return LossDirection(ds, self._e - self._D * moved, dxi, self._shift + h_df, df)

    def shorten(self, alpha: float, direction: LossDirection) -> float:
        """Alpha: s and q, which the method keeps positive, are all that is not linear."""
        return alpha

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
    return top + offset


def _positive_root(b: Array, c: Array) -> Array:
    """The root of x^2 + b x = c > 0 that is positive, without cancellation."""
    reach = np.hypot(b, 2.0 * np.sqrt(c)) + np.abs(b)
    return np.where(b > 0, 2.0 * c / reach, 0.5 * reach)


def _stays_curved(problem: Problem[Any], loss: PiecewiseLoss) -> bool:
    r"""Whether no sample of an optimal network can be where the loss is affine.

    A sample there costs :math:`s_i \mu a^2 / 2` or more, a the least slope, and the empty network costs less.
    """
    pieces = loss.pieces(problem.y)
    if pieces.smoothing == 0.0 or not pieces.epigraph:
        return False
    edge = 0.5 * pieces.smoothing * float(np.min(problem.fit.output_weight * np.min(pieces.slopes**2, axis=0)))
    return problem.fit.value(problem.outputs(problem.empty_network())) < edge


def loss_term(
    problem: Problem[Any], f: Array, centre: float, polar: Callable[[Array], float] | None = None
) -> LossTerm:
    """The term that fits the problem's loss, started at outputs f.

    A method that may leave the dual constraints gives `polar`, the polar gauge of g. A smooth loss then starts with a
    g of small polar gauge and keeps it inside its intervals, where alone f* exists (see `_secant`).
    """
    loss = problem.loss
    if isinstance(loss, PiecewiseLoss) and not (isinstance(loss, SmoothLoss) and _stays_curved(problem, loss)):
        return PiecewiseTerm(problem, f, centre)
    if not isinstance(loss, SmoothLoss):
        raise InvalidInputError(
            f"the {loss.name} loss must have a `hessian`, or `pieces` if it has kinks or is affine in places, got "
            "neither; add one (neuralgauge.losses.SmoothLoss, PiecewiseLoss)."
        )
    if polar is None:
        return SmoothTerm(problem)
    gradient = problem.fit.gradient(f)
    share = min(FIRST_SHARE, FIRST_POLAR * problem.beta / max(polar(gradient), np.finfo(float).tiny))
    return SmoothTerm(problem, share * gradient)
