r"""Primal-dual interior point for the complex l1 program, and its nuclear-norm form, in the Fourier domain.

Variables: Hermitian P_l with the block w_l off its diagonal; the offset b, where there is one; one dual variable g for
the loss, v = -g. The multipliers Q_l (see `_hermitian_cone`) are those of zeta = A^* v exactly, so every iterate is
feasible in the dual. The optimality conditions

.. math:: P_l Q_l = 0, \qquad g = \nabla L(A w + E b), \qquad E^T g = 0

are followed along the central path with Nesterov-Todd scaling, Mehrotra's predictor and corrector, and one step length.
The start has P_l = mu Q_l^{-1} for a multiple of v = -grad L(0) inside the dual constraint.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .._array import Array
from ..features.spectrum import ComplexArray, spectral_norms
from ..problems.linear_conv import LinearConvProblem
from ..programs.circular_conv import CircularProgram
from ._block_system import CurvatureRoot
from ._hermitian_cone import Scaling, adjoint, multiplier, total_product
from ._loss_terms import LossDirection, PiecewiseTerm, loss_term
from ._spectral_system import SpectralSystem

STEP_FRACTION = 0.95
START_INSIDE = 0.7  # of beta: the largest sigma_max(zeta) at the start
START_LEVEL = 0.3  # sum of the starting products, relative to the loss of the empty network
START_LOSS = 1.5
LEAST_CENTRING = 1e-4
TRUST = 2.0  # see `_advance`


class Iterate(NamedTuple):
    """Blocks w (M, channels, c), offset (c,), and v of y's shape, feasible in the dual of the program."""

    w: ComplexArray
    offset: Array
    v: Array


class Direction(NamedTuple):
    """Changes of P and Q, the same scaled, of the offset and of the loss's own variables."""

    dP: ComplexArray
    dQ: ComplexArray
    scaled_dP: ComplexArray
    scaled_dQ: ComplexArray
    db: Array
    loss: LossDirection


class SpectralInteriorPoint:
    """The endless iteration from a dual point v of the problem; the caller decides when to stop."""

    def __init__(self, problem: LinearConvProblem, program: CircularProgram, v: Array, level: float) -> None:
        self.problem, self.program = problem, program
        self.system = SpectralSystem(program, problem.offset)
        zeta = program.adjoint(self._per_output(v))
        inside = min(1.0, START_INSIDE * problem.beta / max(float(spectral_norms(zeta).max()), 1e-300))
        self.Q = multiplier(inside * zeta, 0.5 * problem.beta)
        self.degree = program.n_blocks * self.Q.shape[1]
        self.b = problem.fit.constant
        centre, self.P = self._start(level)
        loss_level = max(centre, level / problem.y.size)
        self.loss = loss_term(problem, self._outputs(self.w, self.b), loss_level)
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

    def __iter__(self) -> Iterator[Iterate]:
        while True:
            yield Iterate(self.w, self.b, -self.loss.g)
            try:
                if not self._advance():
                    return
            except np.linalg.LinAlgError:
                return

    def _advance(self) -> bool:
        """One predictor-corrector step; False when arithmetic allows none."""
        loss, beta = self.loss, self.problem.beta
        scaling = self.scaling = Scaling(self.P, self.Q, self.program.channels)
        loss.linearize(self._outputs(self.w, self.b))
        self.root = CurvatureRoot(loss.root(), self.problem.n)
        self.solve = self.system.factorize(scaling, self.root)
        affine = self._newton(scaling.diagonal(-scaling.point), -loss.s * loss.q)
        reach = min(1.0, self._reach(affine))
        before, after = self._mean_product(None, 0.0), self._mean_product(affine, reach)
        centre = min(before, after * max(after / before, 0.0) ** 2 + LEAST_CENTRING * before)
        # Where the predictor was cut short its products say little about those of a longer step.
        trust = min(1.0, TRUST * reach) ** 2
        crossed = trust * (affine.scaled_dP @ affine.scaled_dQ)
        rhs = scaling.diagonal(centre - scaling.point**2) - 0.5 * (crossed + adjoint(crossed))
        step = self._newton(scaling.quotient(rhs), centre - loss.s * loss.q - trust * affine.loss.ds * affine.loss.dq)
        alpha = STEP_FRACTION * min(1.0 / STEP_FRACTION, self._reach(step))
        if not (np.isfinite(step.dP).all() and alpha > 1e-8):
            return False
        self.P = self.P + alpha * step.dP
        self.P = 0.5 * (self.P + adjoint(self.P))
        self.b = self.b + alpha * step.db
        loss.move(alpha, step.loss)
        self.Q = multiplier(self.program.adjoint(-self._per_output(loss.g)), 0.5 * beta)
        return True

    def _newton(self, e: ComplexArray, loss_target: Array) -> Direction:
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
        return Direction(dP, dQ, scaled_dP, scaled_dQ, db, direction)

    def _reach(self, step: Direction) -> float:
        """Largest step that stays inside every cone, and where the loss is about what its linearization says."""
        loss = self.loss
        reach = min(self.scaling.step_length(step.scaled_dP), self.scaling.step_length(step.scaled_dQ))
        pairs = ((loss.s, step.loss.ds), (loss.q, step.loss.dq))
        rate = max(float(np.max(-change / value, initial=0.0)) for value, change in pairs)
        return loss.shorten(min(reach, 1.0 / rate) if rate > 0 else reach, step.loss)

    def _mean_product(self, step: Direction | None, alpha: float) -> float:
        """Mean complementarity product, now or after a step."""
        P, Q, s, q = self.P, self.Q, self.loss.s, self.loss.q
        if step is not None:
            P, Q = P + alpha * step.dP, Q + alpha * step.dQ
            s, q = s + alpha * step.loss.ds, q + alpha * step.loss.dq
        return (total_product(P, Q) + float(np.vdot(s, q))) / (self.degree + s.size)
