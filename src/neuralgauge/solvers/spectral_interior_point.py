r"""Primal-dual interior point for the complex l1 program, and its nuclear-norm form, in the Fourier domain.

Variables: Hermitian P_l with the block w_l off its diagonal; the offset b, where there is one; one dual variable g for
the loss, v = -g. The multipliers Q_l (see `_hermitian_cone`) are those of zeta = A^* v exactly, so every iterate is
feasible in the dual. The optimality conditions

.. math:: P_l Q_l = 0, \qquad g = \nabla L(A w + E b), \qquad E^T g = 0

are followed along the central path by `predictor_corrector`. The start has P_l = mu Q_l^{-1} for a
multiple of v = -grad L(0) inside the dual constraint.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._array import Array
from ..features.spectrum import ComplexArray, spectral_norms
from ..problems.linear_conv import LinearConvProblem
from ..programs.circular_conv import CircularProgram
from ._hermitian_cone import HermitianScaling, adjoint, multiplier, total_product
from ._loss_terms import LossDirection, PiecewiseTerm, loss_term
from ._reduced_system import CurvatureRoot
from ._spectral_system import SpectralSystem
from .predictor_corrector import START_LEVEL, START_LOSS, PredictorCorrector

START_INSIDE = 0.7  # of beta: the largest sigma_max(zeta) at the start


class SpectralIterate(NamedTuple):
    """Blocks w (M, channels, c), offset (c,), and v of y's shape, feasible in the dual of the program."""

    w: ComplexArray
    offset: Array
    v: Array


class SpectralDirection(NamedTuple):
    """Changes of P and Q, the same scaled, of the offset and of the loss's own variables."""

    dP: ComplexArray
    dQ: ComplexArray
    scaled_dP: ComplexArray
    scaled_dQ: ComplexArray
    db: Array
    loss: LossDirection


class SpectralInteriorPoint(PredictorCorrector[SpectralIterate, SpectralDirection]):
    """The predictor-corrector method over the blocks of some frequencies, from a dual point v of the problem."""

    variables = ("P", "Q", "b")
    trust = 2.0
    bold = 0.99  # 11 % fewer iterations than 0.95

    def __init__(self, problem: LinearConvProblem, program: CircularProgram, v: Array, level: float) -> None:
        self.problem, self.program = problem, program
        self.system = SpectralSystem(program, problem.offset)
        zeta = program.adjoint(self._per_output(v))
        inside = min(1.0, START_INSIDE * problem.beta / max(float(spectral_norms(zeta).max()), 1e-300))
        self.Q = multiplier(inside * zeta, 0.5 * problem.beta)
        self.degree = program.n_blocks * self.Q.shape[1]
        self.b = problem.fit.constant
        centre, self.P = self._start(level)
        self.largest = max(centre, level / problem.y.size)
        self.loss = loss_term(problem, self._outputs(self.w, self.b), self.largest)
        self.loss.g = -inside * v

    def _start(self, level: float) -> tuple[float, ComplexArray]:
        """Products, all equal, at which the loss is about that of the empty network, and P: the products times Q^-1."""
        centre = START_LEVEL * level / self.degree
        inverse: ComplexArray = np.linalg.inv(self.Q).astype(np.complex128, copy=False)
        a = self.program.channels
        outputs = self.program.forward(inverse[:, :a, a:]).reshape(self.problem.y.shape)
        while self.problem.fit.value(centre * outputs + self.b) > START_LOSS * level and centre > 0.0:
            centre *= 0.3
        return centre, centre * inverse

    @property
    def w(self) -> ComplexArray:
        """Blocks (M, channels, c)."""
        a = self.program.channels
        return self.P[:, :a, a:]

    def _per_output(self, values: Array) -> Array:
        return values.reshape(len(self.program.features), -1)

    def _outputs(self, w: ComplexArray, b: Array) -> Array:
        return (self.program.forward(w) + b).reshape(self.problem.y.shape)

    def iterate(self) -> SpectralIterate:
        return SpectralIterate(self.w, self.b, -self.loss.g)

    def linearize(self) -> None:
        self.scaling = HermitianScaling(self.P, self.Q, self.program.channels)
        self.loss.linearize(self._outputs(self.w, self.b))
        self.root = CurvatureRoot(self.loss.root(), self.problem.n)
        self.solve = self.system.factorize(self.scaling, self.root)

    def direction(
        self, centre: float, affine: SpectralDirection | None = None, trust: float = 1.0
    ) -> SpectralDirection:
        scaling, loss = self.scaling, self.loss
        cone, pairs = scaling.diagonal(centre - scaling.point**2), centre - loss.s * loss.q
        if affine is not None:
            crossed = trust * (affine.scaled_dP @ affine.scaled_dQ)
            cone -= 0.5 * (crossed + adjoint(crossed))
            pairs -= trust * affine.loss.ds * affine.loss.dq
        return self._newton(scaling.quotient(cone), pairs)

    def _newton(self, e: ComplexArray, loss_target: Array) -> SpectralDirection:
        """The direction with scaled dP + dQ = e, q ds + s dq = loss_target in the loss, and no residuals left."""
        scaling, program, loss = self.scaling, self.program, self.loss
        a, shape = program.channels, self.problem.y.shape
        shift = self._per_output(loss.relation(loss_target, 1.0)[0])
        rest, rho = np.zeros_like(shift), np.zeros_like(shift)
        if isinstance(loss, PiecewiseTerm):
            # Near a kink shift and H dF cancel, and T would magnify what is left of their rounding.
            rho = shift / self.root.values
        else:
            rest = shift
        unscaled = scaling.unscale(e)[:, :a, a:]
        dw, db, dg = self.solve(unscaled, rest, rho, -self._per_output(loss.g).sum(axis=0))
        dQ = multiplier(program.adjoint(-dg), 0.0)
        scaled_dQ = scaling.scale(dQ)
        scaled_dP = e - scaled_dQ
        dP = scaling.unscale(scaled_dP)
        dP[:, :a, a:], dP[:, a:, :a] = dw, adjoint(dw)
        outputs = (program.forward(dw) + db).reshape(shape)
        direction = loss.direction(outputs, (dg - shift).reshape(shape))._replace(dg=dg.reshape(shape))
        return SpectralDirection(dP, dQ, scaled_dP, scaled_dQ, db, direction)

    def reach(self, step: SpectralDirection) -> float:
        return min(self.scaling.step_length(step.scaled_dP), self.scaling.step_length(step.scaled_dQ))

    def products(self, step: SpectralDirection | None, alpha: float) -> tuple[float, int]:
        P, Q = self.P, self.Q
        if step is not None:
            P, Q = P + alpha * step.dP, Q + alpha * step.dQ
        return total_product(P, Q), self.degree

    def move(self, step: SpectralDirection, alpha: float) -> None:
        self.P = self.P + alpha * step.dP
        self.P = 0.5 * (self.P + adjoint(self.P))
        self.b = self.b + alpha * step.db
        self.Q = multiplier(self.program.adjoint(-self._per_output(self.loss.g)), 0.5 * self.problem.beta)
