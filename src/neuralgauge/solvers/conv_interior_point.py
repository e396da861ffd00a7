r"""Primal-dual interior point for the nuclear-norm program of linear convolutional networks.

With T = [X_1^T v, ..., X_K^T v] (d, K c) the dual asks for S = beta^2 I - T T^T >= 0, a matrix inequality of order d
however many samples and positions there are. Its multiplier M (d, d) makes the weights, Z = M T: the optimality
conditions

.. math:: v = -\nabla L\big(A(M T) + 1 b^T\big), \quad 1^T v = 0, \quad M S = 0, \quad M, S \succeq 0

are followed along the central path M S = 2 mu I by `predictor_corrector`. At every point Z = M T is
feasible and v strictly so, and <M, S> / 2 is the gap between |Z|_* and <Z, T>.
Cost of an iteration: that of `_conv_system`, and a dozen products with the images.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._array import Array
from ..losses import CoupledLoss
from ..programs.linear_conv import ConvIterate, LinearConvProgram
from ._conv_system import Accuracy, ConvSystem, Point
from ._loss_terms import LossDirection, loss_term
from ._matrix_cone import MatrixScaling
from .predictor_corrector import START_LEVEL, PredictorCorrector

ENERGY, RESIDUAL = (1e-2, 1e-4), (1e-1, 1e-2)  # of systems, predictor and corrector; energy relative to mu
MERIT_SHORTENING, MERIT_SHORTENINGS = 0.6, 20  # factor of a step, and how often at most
MERIT_DECREASE = 0.1  # share of the predicted fall of the gap that a step must reach (Armijo's rule)


class ConvDirection(NamedTuple):
    """A direction: of M (d, d), T (d, K c), the offset (c,), the loss; M, and S to first and second order, scaled."""

    dM: Array
    dT: Array
    db: Array
    loss: LossDirection
    scaled_dM: Array
    scaled_dS: Array
    scaled_bend: Array


class ConvInteriorPoint(PredictorCorrector[ConvIterate, ConvDirection]):
    """The predictor-corrector method over M and v."""

    stride, patience = 1, 10  # iterations an iterate; iterates without progress that are waited for
    variables = ("M", "T", "b")
    bold = 0.99

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
        self.largest = max(mu, start_loss / problem.y.size)
        self.loss = loss_term(problem, self._outputs(), self.largest)

    def _outputs(self) -> Array:
        return self.program.forward(self.M @ self.T, self.b)

    def iterate(self) -> ConvIterate:
        return ConvIterate(self.M @ self.T, self.b, -self.loss.g)

    def linearize(self) -> None:
        problem, loss, T = self.problem, self.loss, self.T
        self.known: Array | None = None
        self.scaling = MatrixScaling.of(self.M, problem.beta**2 * np.eye(problem.d) - T @ T.T)
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

    def direction(self, centre: float, affine: ConvDirection | None = None, trust: float = 1.0) -> ConvDirection:
        problem, program, system = self.problem, self.program, self.system
        G, lam = self.scaling.G, self.scaling.lam
        corrector = affine is not None
        rhs = np.diag(2.0 * centre - lam**2)
        loss_target = centre - self.loss.s * self.loss.q
        if affine is not None:
            cross = affine.scaled_dM @ affine.scaled_dS
            rhs = rhs - 0.5 * trust * (cross + cross.T)
            loss_target = loss_target - trust * affine.loss.ds * affine.loss.dq
        R = 2.0 * rhs / (lam[:, None] + lam)
        Z = np.zeros_like(self.T)
        if affine is not None:
            R, Z = R - trust * affine.scaled_bend, trust * affine.dM @ affine.dT
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
        return ConvDirection(0.5 * (dM + dM.T), dT, db, loss, scaled_dM, scaled_dS, -G_dT @ G_dT.T)

    def reach(self, step: ConvDirection) -> float:
        root = 1.0 / np.sqrt(self.scaling.lam)
        scale = root[:, None] * root
        curve = _curve_reach(step.scaled_dS * scale, step.scaled_bend * scale)
        return min(curve, self.scaling.reach(step.scaled_dM))

    def products(self, step: ConvDirection | None, alpha: float) -> tuple[float, int]:
        lam = np.diag(self.scaling.lam)
        M = S = lam
        if step is not None:
            M, S = lam + alpha * step.scaled_dM, lam + alpha * (step.scaled_dS + alpha * step.scaled_bend)
        return 0.5 * float(np.vdot(M, S)), len(lam)

    def move(self, step: ConvDirection, alpha: float) -> None:
        self.M = self.M + alpha * step.dM
        self.b = self.b + alpha * step.db
        self.T = self.program.adjoint(-self.loss.g)

    def shortened(self, step: ConvDirection, alpha: float, centring: float) -> float:
        """Alpha, shortened until the gap of loss and norm falls: M T and a smooth loss bend along the step."""
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
        for _ in range(MERIT_SHORTENINGS):
            if gap(alpha) <= (1.0 - MERIT_DECREASE * alpha * (1.0 - centring)) * first:
                break
            alpha *= MERIT_SHORTENING
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
