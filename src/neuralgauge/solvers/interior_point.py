r"""Primal-dual interior-point method for the convex program over given patterns [8], [19].

Variables of block i: w_i with its norm bound t_i, (t_i, w_i) in the second-order cone, and slacks
S_i = (2 D_i - I) X w_i >= 0; multipliers zeta_i with |zeta_i| <= beta, Lambda_i >= 0; one dual variable g for the
loss. The optimality conditions

.. math:: \sigma_i X^T D_i g - X^T (2 D_i - I) \Lambda_i = \zeta_i, \quad g = \nabla L(f), \quad
          (t_i, w_i) \circ (\beta, \zeta_i) = 0, \quad S_i \Lambda_i = 0

are followed along the central path with Nesterov-Todd scaling, Mehrotra's predictor and corrector, and a common step
length (the loss ties primal and dual together). g is a variable of its own, so that the start can be centred.

Cost of an iteration: n^2 m d or n (m d)^2 operations (see `_block_system`) and a dozen passes over (m, n) arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..programs.block import BlockProgram
from . import _second_order as soc
from ._block_system import BlockSystem
from ._loss_terms import loss_term
from ._starting_point import centred_blocks, symmetric_products

STEP_FRACTION = 0.99
REFINEMENTS = 2
START_LEVEL = 0.1
LEAST_CENTRING = 1e-4
Direction = tuple[Array, Array, Array, Array]  # dp, dq, dS, dLambda


@dataclass(frozen=True)
class Iterate:
    """One point of the path.

    Attributes
    ----------
    W : array (m, d)
        Blocks.
    violation : float
        Largest amount by which a cone constraint is violated, relative to |x_j| |w_i|.
    g : array (n,)
        Dual variable; v = -g.
    cone_multipliers : array (m, d)
        X^T (2 D_i - I) Lambda_i, zero without cones.
    """

    W: Array
    violation: float
    g: Array
    cone_multipliers: Array


class InteriorPoint:
    """The endless iteration; `solvers.loop` decides when to stop."""

    def __init__(self, program: BlockProgram, witnesses: Array | None) -> None:
        problem, m = program.problem, program.n_blocks
        self.program, self.beta = program, problem.beta
        self.system = BlockSystem(program, program.gates * program.signs[:, None])
        self.rows = np.linalg.norm(problem.X, axis=1)
        used = self.rows > 0  # zero rows constrain nothing
        self.X_cone = np.ascontiguousarray(problem.X[used]) if program.cones else np.zeros((0, problem.d))
        self.cone_signs = np.where(program.gates[:, used], 1.0, -1.0) if program.cones else np.zeros((m, 0))
        self.products, self.unfold = symmetric_products(self.X_cone)
        self._start(witnesses)

    def _start(self, witnesses: Array | None) -> None:
        problem, (m, n_cone) = self.program.problem, self.cone_signs.shape
        centre = START_LEVEL * problem.loss_value(np.zeros(problem.n)) / (m * max(n_cone, 1))
        self.W = np.zeros((m, problem.d))
        if n_cone and witnesses is not None:
            slack = self.cone_signs * (witnesses @ self.X_cone.T)
            if np.all(slack > 0):
                scale = centre / self.beta
                self.W = scale * centred_blocks(self.X_cone, self.cone_signs, witnesses, self.products, self.unfold)
        self.S = self.cone_signs * (self.W @ self.X_cone.T)
        if n_cone and not np.all(self.S > 0):
            # No interior point at hand: start outside, with slacks that are variables of their own.
            centre *= n_cone
            self.W = np.zeros((m, problem.d))
            size = np.linalg.norm(self.X_cone, axis=1) / np.sqrt(problem.d)
            self.S = np.tile(2.0 * centre / self.beta * size, (m, 1))
        self.Lambda = centre / self.S
        half = 0.5 * centre / self.beta
        self.t = half + np.sqrt(half**2 + soc.dot(self.W, self.W))
        self.zeta = -(self.beta / self.t)[:, None] * self.W
        steepest = np.sqrt(soc.dot(pull := self.system.adjoint(problem.loss_gradient(np.zeros(problem.n))), pull)).max()
        mix = min(1.0, 0.5 * self.beta / steepest)
        self.loss = loss_term(problem, self.system.forward(self.W), centre, mix)

    def __iter__(self) -> Iterator[Iterate]:
        while True:
            X_W = self.cone_signs * (self.W @ self.X_cone.T)
            multipliers = (self.cone_signs * self.Lambda) @ self.X_cone
            yield Iterate(self.W, self._violation(X_W), self.loss.g, multipliers)
            if not self._advance(X_W, multipliers):
                return

    def _violation(self, X_W: Array) -> float:
        if X_W.size == 0:
            return 0.0
        size = np.linalg.norm(self.X_cone, axis=1).max() * np.sqrt(soc.dot(self.W, self.W)).max()
        return float(max(0.0, -X_W.min() / size)) if size > 0 else 0.0

    def _advance(self, X_W: Array, multipliers: Array) -> bool:
        """One predictor-corrector step; False when arithmetic allows none."""
        p = np.column_stack([self.t, self.W])
        q = np.column_stack([np.full(len(p), self.beta), self.zeta])
        if not (soc.determinant(p).min() > 0 and soc.determinant(q).min() > 0):
            return False
        self._linearize(p, q, X_W, multipliers)
        total, count = self._complementarity(p, q, None, 0.0)
        try:
            self.solve = self.system.factorize(self._curvature(), self.loss.relation(0.0, False)[1])
        except np.linalg.LinAlgError:
            return False
        affine = self._newton(-self.scaled, -self.S * self.Lambda, 0.0, False)
        alpha = min(1.0, self._step_length(p, q, affine))
        after, _ = self._complementarity(p, q, affine, alpha)
        sigma = min(1.0, max(after / total, 0.0) ** 3 + LEAST_CENTRING)
        centre = sigma * total / count
        rhs = -soc.product(self.scaled, self.scaled)
        rhs -= soc.product(self.scaling.solve(affine[0]), self.scaling.apply(affine[1]))
        rhs[:, 0] += centre
        step = self._newton(
            soc.quotient(self.scaled, rhs), centre - self.S * self.Lambda - affine[2] * affine[3], centre, True
        )
        alpha = min(1.0, STEP_FRACTION * self._step_length(p, q, step))
        return self._move(step, alpha)

    def _linearize(self, p: Array, q: Array, X_W: Array, multipliers: Array) -> None:
        self.scaling = soc.Scaling.of(p, q)
        self.scaled = self.scaling.apply(q)
        self.loss.linearize(self.system.forward(self.W))
        self.slack_residual = X_W - self.S
        self.dual_residual = self.system.adjoint(self.loss.g) - self.zeta - multipliers
        self.theta = self.Lambda / self.S

    def _curvature(self) -> Array:
        M = self.scaling.curvature()
        if self.theta.size:
            M += (self.theta @ self.products)[:, self.unfold]
        return M

    def _newton(self, cone_target: Array, slack_target: Array, centre: float, correct: bool) -> Direction:
        """Direction with W^{-1} dp + W dq = cone_target, Lambda dS + S dLambda = slack_target, beta fixed in q."""
        scaling = self.scaling
        e = scaling.solve(cone_target)
        shift, _ = self.loss.relation(centre, correct)
        pull = slack_target / self.S - self.theta * self.slack_residual
        curve = 2.0 * scaling.a**2 - 1.0
        known = e[:, 1:] + (2.0 * scaling.a * e[:, 0] / curve)[:, None] * scaling.b
        R = known - self.dual_residual - self.system.adjoint(shift) + (self.cone_signs * pull) @ self.X_cone
        step, h_df = self._back_substitute(R, e, pull, self.slack_residual)
        for _ in range(REFINEMENTS):
            # The residual of the unreduced equations also holds the rounding of theta * dS, which is what counts.
            left = self.dual_residual + self.system.adjoint(shift + h_df) - step[1][:, 1:]
            left -= (self.cone_signs * step[3]) @ self.X_cone
            more, more_h_df = self._back_substitute(-left, np.zeros_like(e), 0.0, 0.0)
            step = (step[0] + more[0], step[1] + more[1], step[2] + more[2], step[3] + more[3])
            h_df = h_df + more_h_df
        self.loss.direction(self.system.forward(step[0][:, 1:]), h_df)
        return step

    def _back_substitute(
        self, R: Array, e: Array, pull: Array | float, slack_residual: Array | float
    ) -> tuple[Direction, Array]:
        scaling = self.scaling
        a, b, weight = scaling.a, scaling.b, 1.0 / scaling.eta**2
        dW, h_df = self.solve(R)
        b_dW = soc.dot(b, dW)
        dt = (e[:, 0] + 2.0 * a * weight * b_dW) / (weight * (2.0 * a**2 - 1.0))
        dzeta = e[:, 1:] + (2.0 * weight * (a * dt - b_dW))[:, None] * b - weight[:, None] * dW
        moved = self.cone_signs * (dW @ self.X_cone.T)
        dp, dq = np.column_stack([dt, dW]), np.column_stack([np.zeros_like(dt), dzeta])
        return (dp, dq, moved + slack_residual, pull - self.theta * moved), h_df

    def _step_length(self, p: Array, q: Array, direction: Direction) -> float:
        dp, dq, dS, dLambda = direction
        reach = min(soc.step_length(p, dp), soc.step_length(q, dq), self.loss.step_length())
        for value, change in ((self.S, dS), (self.Lambda, dLambda)):
            rate = float(np.max(-change / value, initial=0.0))
            reach = min(reach, 1.0 / rate if rate > 0 else np.inf)
        return reach

    def _complementarity(self, p: Array, q: Array, step: Direction | None, alpha: float) -> tuple[float, int]:
        total, count = self.loss.complementarity(alpha)
        count += self.S.size + len(p)
        if step is None:
            return total + float(np.vdot(p, q)) + float(np.vdot(self.S, self.Lambda)), count
        dp, dq, dS, dLambda = step
        total += float(np.vdot(p + alpha * dp, q + alpha * dq))
        return total + float(np.vdot(self.S + alpha * dS, self.Lambda + alpha * dLambda)), count

    def _move(self, step: Direction, alpha: float) -> bool:
        dp, dq, dS, dLambda = step
        if not (np.isfinite(dp).all() and alpha > 1e-8):
            return False
        self.t, self.W = self.t + alpha * dp[:, 0], self.W + alpha * dp[:, 1:]
        self.zeta = self.zeta + alpha * dq[:, 1:]
        self.S, self.Lambda = self.S + alpha * dS, self.Lambda + alpha * dLambda
        self.loss.move(alpha)
        return True
