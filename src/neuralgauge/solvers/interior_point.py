r"""Primal-dual interior-point method for the convex program over given patterns [8], [19].

Variables of block i: w_i with its norm bound t_i, (t_i, w_i) in the second-order cone, and slacks
S_i = (2 D_i - I) X w_i >= 0; multipliers zeta_i with |zeta_i| <= beta, Lambda_i >= 0; the offset b, where there is one;
one dual variable g (n, c) for the loss. The optimality conditions, with output directions d_i,

.. math:: X^T D_i g d_i - X^T (2 D_i - I) \Lambda_i = \zeta_i, \quad g = \nabla L(F), \quad 1^T g = 0, \quad
          (t_i, w_i) \circ (\beta, \zeta_i) = 0, \quad S_i \Lambda_i = 0

are followed along the central path by `predictor_corrector`, with Gondzio's corrections of outlying products. g is a
variable of its own, so that the start can be centred.

Cost of an iteration: (n c)^2 m d or n c (m d)^2 operations (see `_block_system`) and some passes over (m, n)
arrays, more over (m, k) arrays for k constraints of each cone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..programs.block import BlockProgram
from . import _second_order as soc
from ._block_system import BlockSystem
from ._direction import BlockDirection, outliers
from ._loss_terms import loss_term
from ._reduced_system import CurvatureRoot
from ._starting_point import centred_blocks
from .predictor_corrector import PredictorCorrector, rate_of

REFINED = 1e-9  # relative residual that is good enough
REFINEMENTS = 2  # of the unreduced dual equations, for every direction
BLOCK_START_LOSS = 100.0  # most loss of the start, relative to the same: at 1.5 unbalanced blocks begin so small that
# four programs of thirty took a hundred iterations, at 10 to 1e8 none did
BLOCK_START_LEVEL = 0.1  # sum of the starting products, relative to the loss of the empty network
CORRECTIONS = 2  # most corrections of outlying products in one iteration
STEP_GAIN_SOUGHT, STEP_GAIN_LEAST = 0.5, 0.03  # what a correction aims to lengthen the step by, and must


@dataclass(frozen=True)
class BlockIterate:
    """One point of the path.

    Attributes
    ----------
    W : array (m, d)
        Blocks.
    offset : array (c,)
        Zero where the problem has none.
    violation : float
        Largest amount by which a cone constraint is violated, relative to |x_j| |w_i|.
    g : array of y's shape
        Dual variable; v = -g.
    cone_multipliers : array (m, d)
        X^T (2 D_i - I) Lambda_i, zero without cones.
    """

    W: Array
    offset: Array
    violation: float
    g: Array
    cone_multipliers: Array


class InteriorPoint(PredictorCorrector[BlockIterate, BlockDirection]):
    """The predictor-corrector method over blocks."""

    variables = ("p", "q", "inner", "S", "Lambda", "b")

    def __init__(self, program: BlockProgram, witnesses: Array | None) -> None:
        self.program = program
        self.system = BlockSystem(program)
        self.cones = program.cone_rows()
        self._start(witnesses)

    def _start(self, witnesses: Array | None) -> None:
        problem, m, n_cone = self.program.problem, self.program.n_blocks, self.cones.count
        beta = problem.beta
        empty = problem.empty_network()
        self.b = np.asarray(empty.offset)
        self.start_loss = problem.fit.value(problem.outputs(empty))
        centre = BLOCK_START_LEVEL * self.start_loss / (m * max(n_cone, 1))
        W = np.zeros((m, problem.d))
        if n_cone and witnesses is not None and np.all(self.cones.forward(witnesses) > 0):
            W = centred_blocks(self.cones, witnesses)
            centre = self._moderate(centre, W / beta)
            W *= centre / beta
        self.S = self.cones.forward(W)
        if n_cone and not np.all(self.S > 0):
            # No interior point at hand: start outside, with slacks that are variables of their own.
            centre *= n_cone
            W = np.zeros((m, problem.d))
            self.S = np.zeros((m, n_cone)) + 2.0 * centre / beta * self.cones.lengths / np.sqrt(problem.d)
        self.Lambda = centre / self.S
        half = 0.5 * centre / beta
        t = half + np.sqrt(half**2 + soc.dot(W, W))
        self.p = np.column_stack([t, W])
        self.q = np.column_stack([np.full(m, beta), -(beta / t)[:, None] * W])
        self.inner = (soc.determinant(self.p), soc.determinant(self.q), soc.dot(self.p, self.q))
        # A piecewise-linear loss needs curvature to start with, so its products start at the size of the loss itself.
        level = max(centre, self.start_loss / problem.y.size)
        self.loss = loss_term(problem, self._outputs(W, self.b), level, self._polar)
        self.largest = max(centre, level, float(np.max(self.loss.s * self.loss.q, initial=0.0)))

    def _polar(self, g: Array) -> float:
        """The polar gauge of g over the blocks, their cones left aside."""
        return float(np.linalg.norm(self.system.adjoint(self._per_output(g)), axis=1).max())

    def _outputs(self, W: Array, b: Array) -> Array:
        """Outputs, or their change, in the shape of y."""
        return self.system.forward(W, b).reshape(self.program.problem.y.shape)

    def _moderate(self, centre: float, W: Array) -> float:
        """The centre, lowered until blocks centre * W leave the loss about where the empty network has it.

        An offset takes up what the blocks add to all samples alike.
        """
        problem = self.program.problem
        f, empty = self.system.forward(W), self.b
        common = problem.sample_weight @ f / problem.sample_weight.sum() if problem.offset else 0.0
        f = f - common
        while problem.fit.value((centre * f + empty).reshape(problem.y.shape)) > BLOCK_START_LOSS * self.start_loss:
            if centre == 0.0:
                break
            centre *= 0.3
        self.b = empty - centre * common
        return centre

    def iterate(self) -> BlockIterate:
        W = self.p[:, 1:]
        return BlockIterate(W, self.b, self._violation(), self.loss.g, self.cones.adjoint(self.Lambda))

    def _violation(self) -> float:
        X_W = self.cones.forward(self.p[:, 1:])
        if X_W.size == 0:
            return 0.0
        size = self.cones.lengths.max() * np.linalg.norm(self.p[:, 1:], axis=1).max()
        return float(max(0.0, -X_W.min() / size)) if size > 0 else 0.0

    def linearize(self) -> None:
        if not all(np.all(values > 0) for values in self.inner):
            raise np.linalg.LinAlgError("a block on the boundary of its cone")
        self.scaling = soc.ConeScaling.of(self.p, self.q, *self.inner)
        W = self.p[:, 1:]
        self.loss.linearize(self._outputs(W, self.b))
        self.slack_residual = self.cones.forward(W) - self.S
        pull = self.system.adjoint(self._per_output(self.loss.g))
        self.dual_residual = pull - self.q[:, 1:] - self.cones.adjoint(self.Lambda)
        self.theta = self.Lambda / self.S
        root = CurvatureRoot(self.loss.root(), self.program.problem.n)
        self.solve = self.system.factorize(self.scaling, self._cone_curvature(), root)

    def direction(self, centre: float, affine: BlockDirection | None = None, trust: float = 1.0) -> BlockDirection:
        point, loss = self.scaling.point, self.loss
        cone = -soc.product(point, point)
        cone[:, 0] += centre
        slack, pairs = centre - self.S * self.Lambda, centre - loss.s * loss.q
        if affine is not None:
            cone -= trust * soc.product(affine.scaled_dp, affine.scaled_dq)
            slack -= trust * affine.dS * affine.dLambda
            pairs -= trust * affine.loss.ds * affine.loss.dq
        return self._newton(soc.quotient(point, cone) if centre > 0.0 else -point, slack, pairs, 1.0)

    def refined(self, step: BlockDirection, centre: float) -> BlockDirection:
        """Gondzio's corrections of outlying products, as long as they lengthen the step."""
        S, Lambda, loss = self.S, self.Lambda, self.loss
        alpha = min(1.0, self._reach(step))
        for _ in range(CORRECTIONS):
            if alpha >= 0.9:
                break
            trial = min(1.0, alpha + STEP_GAIN_SOUGHT)
            slack = outliers((S + trial * step.dS) * (Lambda + trial * step.dLambda), centre)
            pairs = outliers((loss.s + trial * step.loss.ds) * (loss.q + trial * step.loss.dq), centre)
            more = step.plus(self._newton(np.zeros_like(self.p), slack, pairs, 0.0))
            longer = min(1.0, self._reach(more))
            if longer < alpha + STEP_GAIN_LEAST:
                break
            step, alpha = more, longer
        return step

    def _per_output(self, values: Array) -> Array:
        """(n, c) from the shape of y."""
        return values.reshape(self.program.problem.n, -1)

    def _cone_curvature(self) -> Array | None:
        if not self.theta.size:
            return None
        return self.cones.gram(self.theta)

    def _newton(self, cone_target: Array, slack_target: Array, loss_target: Array, progress: float) -> BlockDirection:
        """The direction that changes the products to first order by the targets and removes `progress` of the rest.

        That is W^{-1} dp + W dq = cone_target, Lambda dS + S dLambda = slack_target, with beta fixed in q.
        """
        scaling, shape = self.scaling, self.loss.g.shape
        e = scaling.solve(cone_target)
        shift = self._per_output(self.loss.relation(loss_target, progress)[0])
        slack_residual, dual_residual = progress * self.slack_residual, progress * self.dual_residual
        pull = slack_target / self.S - self.theta * slack_residual
        curve = 2.0 * scaling.a**2 - 1.0
        known = e[:, 1:] + (2.0 * scaling.a * e[:, 0] / curve)[:, None] * scaling.b
        pulled = dual_residual + self.system.adjoint(shift)
        R = known - pulled + self.cones.adjoint(pull)
        r_b = -shift.sum(axis=0) - progress * self._per_output(self.loss.g).sum(axis=0)
        step, H_dF = self._back_substitute(R, r_b, 0.0, e, pull, slack_residual)
        for _ in range(REFINEMENTS):
            # The residual of the unreduced equations also holds the rounding of theta * dS, which is what counts.
            left = pulled + self.system.adjoint(H_dF) - step[1][:, 1:] - self.cones.adjoint(step[3])
            mismatch = self.loss.mismatch(self._outputs(step[0][:, 1:], step[4]), H_dF.reshape(shape))
            if np.max(np.abs(left)) <= REFINED * np.max(np.abs(R)) and not mismatch.any():
                break
            r_dF = self._per_output(mismatch)
            more, more_H_dF = self._back_substitute(-left, r_b - H_dF.sum(axis=0), r_dF, np.zeros_like(e), 0.0, 0.0)
            step = [old + new for old, new in zip(step, more, strict=True)]
            H_dF = H_dF + more_H_dF
        scaled = scaling.solve(step[0])
        loss = self.loss.direction(self._outputs(step[0][:, 1:], step[4]), H_dF.reshape(shape))
        return BlockDirection(step[0], step[1], scaled, cone_target - scaled, step[2], step[3], step[4], loss)

    def _back_substitute(
        self,
        R: Array,
        r_b: Array,
        r_dF: Array | float,
        e: Array,
        pull: Array | float,
        slack_residual: Array | float,
    ) -> tuple[list[Array], Array]:
        scaling = self.scaling
        a, b, weight = scaling.a, scaling.b, 1.0 / scaling.eta**2
        dW, db, H_dF = self.solve(R, r_b, r_dF)
        b_dW = soc.dot(b, dW)
        dt = (e[:, 0] + 2.0 * a * weight * b_dW) / (weight * (2.0 * a**2 - 1.0))
        dzeta = e[:, 1:] + (2.0 * weight * (a * dt - b_dW))[:, None] * b - weight[:, None] * dW
        moved = self.cones.forward(dW)
        dp, dq = np.column_stack([dt, dW]), np.column_stack([np.zeros_like(dt), dzeta])
        return [dp, dq, moved + slack_residual, pull - self.theta * moved, db], H_dF

    def reach(self, step: BlockDirection) -> float:
        point = self.scaling.point
        norm = min(soc.step_length(point, step.scaled_dp), soc.step_length(point, step.scaled_dq))
        rate = rate_of(self.S, step.dS, self.Lambda, step.dLambda)
        return min(norm, 1.0 / rate) if rate > 0 else norm

    def products(self, step: BlockDirection | None, alpha: float) -> tuple[float, int]:
        point, S, Lambda = self.scaling.point, self.S, self.Lambda
        p = q = point
        if step is not None:
            p, q = point + alpha * step.scaled_dp, point + alpha * step.scaled_dq
            S, Lambda = S + alpha * step.dS, Lambda + alpha * step.dLambda
        return float(np.vdot(p, q)) + float(np.vdot(S, Lambda)), len(point) + S.size

    def move(self, step: BlockDirection, alpha: float) -> None:
        self.inner = self.scaling.moved(alpha, step.scaled_dp, step.scaled_dq)
        self.p, self.q = self.p + alpha * step.dp, self.q + alpha * step.dq
        self.S, self.Lambda = self.S + alpha * step.dS, self.Lambda + alpha * step.dLambda
        self.b = self.b + alpha * step.db
