r"""Primal-dual interior point for the nuclear-norm program of linear convolutional networks.

With T = [X_1^T v, ..., X_K^T v] (d, K c) the dual asks for S = beta^2 I - T T^T >= 0, a matrix inequality of order d
however many samples and positions there are. Its multiplier M (d, d) makes the weights, Z = M T: the optimality
conditions

.. math:: v = -\nabla L\big(A(M T) + 1 b^T\big), \quad 1^T v = 0, \quad M S = 0, \quad M, S \succeq 0

are followed along the central path M S = 2 mu I with Nesterov-Todd scaling, Mehrotra's predictor and corrector and a
common step. At every point Z = M T is feasible and v strictly so, and <M, S> / 2 is the gap between |Z|_* and <Z, T>.
Cost of an iteration: that of `_conv_system`, and a dozen products with the images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._array import Array
from ..losses import CoupledLoss
from ..programs.linear_conv import ConvIterate, LinearConvProgram
from ._conv_system import Accuracy, ConvSystem, Point
from ._loss_terms import LossDirection, loss_term

STEP_FRACTION, BOLD_FRACTION = 0.95, 0.99  # of the way to the boundary, while and where little centring is needed
START_LEVEL = 0.3  # sum of the starting products, relative to the loss of the empty network
LEAST_CENTRING = 1e-4
ENERGY, RESIDUAL = (1e-2, 1e-4), (1e-1, 1e-2)  # of systems, predictor and corrector; energy relative to mu
SHORTENING, SHORTENINGS, DECREASE = 0.6, 20, 0.1
HARDLY, SAFE_CENTRING = 0.2, 0.5


class Step(NamedTuple):
    """A direction: of M (d, d), T (d, K c), the offset (c,), the loss; M, and S to first and second order, scaled."""

    dM: Array
    dT: Array
    db: Array
    loss: LossDirection
    scaled_dM: Array
    scaled_dS: Array
    scaled_bend: Array


@dataclass(frozen=True)
class Scaling:
    """G with G^T S G = G^-1 M G^-T = diag(lam)."""

    G: Array
    lam: Array

    @classmethod
    def of(cls, M: Array, S: Array) -> Scaling:
        """By the Cholesky factors of M and S, which must be positive definite."""
        L_M, L_S = np.linalg.cholesky(M), np.linalg.cholesky(S)
        _, lam, Vt = np.linalg.svd(L_S.T @ L_M)
        return cls(L_M @ (Vt.T / np.sqrt(lam)), lam)


class ConvInteriorPoint:
    """The endless iteration; `nuclear_norm` decides when to stop."""

    stride, patience = 1, 10  # iterations an iterate; iterates without progress that are waited for

    def __init__(self, program: LinearConvProgram) -> None:
        self.program, self.problem = program, program.problem
        problem, fit = self.problem, self.problem.fit
        self.system = ConvSystem(program)
        self.b = fit.constant
        self.T = np.zeros((problem.d, problem.n_positions * problem.c))
        self.M = np.zeros((problem.d, problem.d))
        start_loss = fit.value(self._outputs())
        mu = START_LEVEL * start_loss / problem.d
        self.M = 2.0 * mu / problem.beta**2 * np.eye(problem.d)
        # A piecewise-linear loss needs curvature to start with, so its products start at the size of the loss itself.
        self.loss = loss_term(problem, self._outputs(), max(mu, start_loss / problem.y.size))

    def _outputs(self) -> Array:
        return self.program.forward(self.M @ self.T, self.b)

    def __iter__(self) -> Iterator[ConvIterate]:
        while True:
            yield ConvIterate(self.M @ self.T, self.b, -self.loss.g)
            try:
                if not self._advance():
                    return
            except np.linalg.LinAlgError:
                return

    def _advance(self) -> bool:
        """One predictor-corrector step; False when arithmetic allows none."""
        self._linearize()
        s, q, eye = self.loss.s, self.loss.q, np.eye(self.problem.d)
        self.known: Array | None = None
        affine = self._newton(0.0 * eye, -s * q, None)
        before, after = self._mean_product(None, 0.0), self._mean_product(affine, min(1.0, self._reach(affine)))
        centre = min(before, after * max(after / before, 0.0) ** 2 + LEAST_CENTRING * before)
        step = self._newton(2.0 * centre * eye, centre - s * q - affine.loss.ds * affine.loss.dq, affine)
        fraction = BOLD_FRACTION if centre < 0.01 * before else STEP_FRACTION
        longest = fraction * min(1.0 / fraction, self._reach(step))
        alpha = self._shortened(step, longest, centre / before)
        if alpha < HARDLY * longest:
            # The second order of the predictor misleads far from the path: back towards it by Newton's method alone.
            step = self._newton(SAFE_CENTRING * 2.0 * before * eye, SAFE_CENTRING * before - s * q, None)
            alpha = self._shortened(step, STEP_FRACTION * min(1.0 / STEP_FRACTION, self._reach(step)), SAFE_CENTRING)
        if not (np.isfinite(step.dM).all() and alpha > 1e-8):
            return False
        self.M = self.M + alpha * step.dM
        self.b = self.b + alpha * step.db
        self.loss.move(alpha, step.loss)
        self.T = self.program.adjoint(-self.loss.g)
        return True

    def _linearize(self) -> None:
        """Scale, and factorize for the curvature of the loss."""
        problem, loss, T = self.problem, self.loss, self.T
        self.scaling = Scaling.of(self.M, problem.beta**2 * np.eye(problem.d) - T @ T.T)
        loss.linearize(self._outputs())
        self.root = loss.root()
        if isinstance(problem.loss, CoupledLoss):
            h = np.einsum("nij,nij->ni", self.root, self.root)  # the diagonal of the curvature
        else:
            h = (self.root * self.root).reshape(problem.n, -1)
            if np.all(h == h[:, :1]):
                h = h[:, 0]
        self.system.prepare(Point(T, self.M, self.scaling.G), h)

    def _curvature(self, df: Array) -> Array:
        """h df, (n, c)."""
        if self.problem.loss.coupled:
            inner = np.matmul(self.root.transpose(0, 2, 1), df[:, :, None])
            return np.matmul(self.root, inner)[:, :, 0]
        root = self.root.reshape(df.shape)
        return root * (root * df)

    def _newton(self, target: Array, loss_target: Array, affine: Step | None) -> Step:
        """The direction towards M S = target, s q + loss_target; with the second order of the predictor, if given."""
        problem, program, system = self.problem, self.program, self.system
        G, lam = self.scaling.G, self.scaling.lam
        corrector = affine is not None
        rhs = target - np.diag(lam**2)
        if affine is not None:
            cross = affine.scaled_dM @ affine.scaled_dS
            rhs = rhs - 0.5 * (cross + cross.T)
        R = 2.0 * rhs / (lam[:, None] + lam)
        Z = np.zeros_like(self.T)
        if affine is not None:
            R, Z = R - affine.scaled_bend, affine.dM @ affine.dT
        Z = Z + G @ R @ G.T @ self.T
        u = program.forward(Z).reshape(problem.n, -1)
        v = -self.loss.g.reshape(problem.n, -1)
        u = u + system.variance * v.sum(axis=0)
        shift = self.loss.relation(loss_target, 1.0)[0].reshape(problem.n, -1)
        accuracy = Accuracy(ENERGY[corrector] * self._mean_product(None, 0.0), RESIDUAL[corrector])
        h_df, df = system.solve(self._curvature, shift, u, accuracy, self.known)
        self.known = h_df
        loss = self.loss.direction(df.reshape(problem.y.shape), h_df.reshape(problem.y.shape))
        dv = -loss.dg.reshape(problem.n, -1)
        dT = program.adjoint(dv)
        db = system.variance * (v + dv).sum(axis=0)
        G_dT = G.T @ dT
        cross = G.T @ self.T @ G_dT.T
        scaled_dS = -(cross + cross.T)
        scaled_dM = R - scaled_dS
        dM = G @ scaled_dM @ G.T
        return Step(0.5 * (dM + dM.T), dT, db, loss, scaled_dM, scaled_dS, -G_dT @ G_dT.T)

    def _reach(self, step: Step) -> float:
        """Largest step that keeps M, S and the pairs of the loss positive, and the loss near its linearization."""
        root = 1.0 / np.sqrt(self.scaling.lam)
        scale = root[:, None] * root
        rates = [-float(np.linalg.eigvalsh(step.scaled_dM * scale)[0])]
        for value, change in ((self.loss.s, step.loss.ds), (self.loss.q, step.loss.dq)):
            rates.append(float(np.max(-change / value, initial=0.0)))
        reach = 1.0 / max(rates) if max(rates) > 0 else np.inf
        return self.loss.shorten(min(reach, _curve_reach(step.scaled_dS * scale, step.scaled_bend * scale)), step.loss)

    def _mean_product(self, step: Step | None, alpha: float) -> float:
        """Mean complementarity product, now or after a step."""
        s, q, lam = self.loss.s, self.loss.q, np.diag(self.scaling.lam)
        M = S = lam
        if step is not None:
            s, q = s + alpha * step.loss.ds, q + alpha * step.loss.dq
            M, S = lam + alpha * step.scaled_dM, lam + alpha * (step.scaled_dS + alpha * step.scaled_bend)
        return (0.5 * float(np.vdot(M, S)) + float(np.vdot(s, q))) / (len(lam) + s.size)

    def _shortened(self, step: Step, alpha: float, centring: float) -> float:
        """The step, shortened until the gap of loss and norm falls; M T and a smooth loss bend along it."""
        if self.loss.s.size:
            return alpha
        fit, g, count = self.problem.fit, self.loss.g, len(self.M)
        f = self._outputs()
        slope = self.program.forward(step.dM @ self.T + self.M @ step.dT, step.db)
        bend = self.program.forward(step.dM @ step.dT)

        def gap(alpha: float) -> float:
            f_new, v = f + alpha * (slope + alpha * bend), fit.project(-(g + alpha * step.loss.dg))
            with np.errstate(over="ignore", invalid="ignore"):
                of_loss = fit.value(f_new) - fit.dual_objective(v) + float(np.vdot(v, f_new))
            return max(0.0, of_loss) + count * self._mean_product(step, alpha)

        first = gap(0.0)
        for _ in range(SHORTENINGS):
            if gap(alpha) <= (1.0 - DECREASE * alpha * (1.0 - centring)) * first:
                break
            alpha *= SHORTENING
        return alpha


def _curve_reach(slope: Array, bend: Array) -> float:
    """The largest alpha, up to 2, with I + alpha slope + alpha^2 bend >= 0, a concave function."""
    eye = np.eye(len(slope))
    low, high = 0.0, 2.0
    middle = high
    while high - low > 1e-3 * high:
        inside = float(np.linalg.eigvalsh(eye + middle * (slope + middle * bend))[0]) > 0
        low, high = (middle, high) if inside else (low, middle)
        middle = 0.5 * (low + high)
    return low
