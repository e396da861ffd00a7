r"""Primal-dual interior-point method for the convex program over given patterns [8], [19].

Variables of block i: w_i with its norm bound t_i, (t_i, w_i) in the second-order cone, and slacks
S_i = (2 D_i - I) X w_i >= 0; multipliers zeta_i with |zeta_i| <= beta, Lambda_i >= 0; the offset b, where there is one;
one dual variable g (n, c) for the loss. The optimality conditions, with output directions d_i,

.. math:: X^T D_i g d_i - X^T (2 D_i - I) \Lambda_i = \zeta_i, \quad g = \nabla L(F), \quad 1^T g = 0, \quad
          (t_i, w_i) \circ (\beta, \zeta_i) = 0, \quad S_i \Lambda_i = 0

are followed along the central path with Nesterov-Todd scaling, Mehrotra's predictor and corrector, and a common step
length (the loss ties primal and dual together). g is a variable of its own, so that the start can be centred.

Cost of an iteration: (n c)^2 m d or n c (m d)^2 operations (see `_block_system`) and some passes over (m, n)
arrays, more over (m, k) arrays for k constraints of each cone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..programs.block import BlockProgram
from . import _second_order as soc
from ._block_system import BlockSystem, CurvatureRoot
from ._direction import Direction, outliers
from ._loss_terms import loss_term
from ._starting_point import centred_blocks

STEP_FRACTION = 0.95
REFINED = 1e-9  # relative residual that is good enough
REFINEMENTS = 2  # of the unreduced dual equations, for every direction
START_LEVEL = 0.1  # sum of the starting products, relative to the loss of the zero network
START_LOSS = 1.5
LEAST_CENTRING = 1e-4
CORRECTIONS = 2  # most corrections of outlying products in one iteration
STEP_GAIN_SOUGHT, STEP_GAIN_LEAST = 0.5, 0.03
HARDLY, SAFE_CENTRING = 0.1, 0.5  # steps after which, twice, one without second order is tried, and its centre
HIGHEST = 1e4  # mean product, relative to its highest start, from which the method has diverged


@dataclass(frozen=True)
class Iterate:
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


class InteriorPoint:
    """The endless iteration; `solvers.loop` decides when to stop.

    It ends by itself where arithmetic allows no step, or, `diverged`, where products have risen beyond all measure.
    """

    def __init__(self, program: BlockProgram, witnesses: Array | None) -> None:
        self.program, self.diverged, self.last_step = program, False, 1.0
        self.system = BlockSystem(program)
        self.cones = program.cone_rows()
        self._start(witnesses)

    def _start(self, witnesses: Array | None) -> None:
        problem, m, n_cone = self.program.problem, self.program.n_blocks, self.cones.count
        beta = problem.beta
        empty = problem.empty_network()
        self.b = np.asarray(empty.offset)
        self.start_loss = problem.fit.value(problem.outputs(empty))
        centre = START_LEVEL * self.start_loss / (m * max(n_cone, 1))
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
        self.loss = loss_term(problem, self._outputs(W, self.b), level, self._worth)
        self.highest = HIGHEST * max(centre, level, float(np.max(self.loss.s * self.loss.q, initial=0.0)))

    def _worth(self, g: Array) -> float:
        """What g is worth to the block that it is worth most to, its cone left aside."""
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
        while problem.fit.value((centre * f + empty).reshape(problem.y.shape)) > START_LOSS * self.start_loss:
            if centre == 0.0:
                break
            centre *= 0.3
        self.b = empty - centre * common
        return centre

    def __iter__(self) -> Iterator[Iterate]:
        while True:
            W = self.p[:, 1:]
            X_W = self.cones.forward(W)
            multipliers = self.cones.adjoint(self.Lambda)
            yield Iterate(W, self.b, self._violation(X_W), self.loss.g, multipliers)
            if not self._advance(X_W, multipliers):
                return

    def _violation(self, X_W: Array) -> float:
        if X_W.size == 0:
            return 0.0
        size = self.cones.lengths.max() * np.linalg.norm(self.p[:, 1:], axis=1).max()
        return float(max(0.0, -X_W.min() / size)) if size > 0 else 0.0

    def _advance(self, X_W: Array, multipliers: Array) -> bool:
        """One predictor-corrector step; False when arithmetic allows none."""
        if not all(np.all(values > 0) for values in self.inner):
            return False
        self._linearize(X_W, multipliers)
        loss = self.loss
        try:
            root = CurvatureRoot(loss.root(), self.program.problem.n)
            self.solve = self.system.factorize(self.scaling, self._cone_curvature(), root)
        except np.linalg.LinAlgError:
            return False
        affine = self._newton(-self.scaling.point, -self.S * self.Lambda, -loss.s * loss.q, 1.0)
        before, after = self._mean_product(None, 0.0), self._mean_product(affine, min(1.0, self._reach(affine)))
        if not before <= self.highest:
            self.diverged = True
            return False
        centre = min(before, after * max(after / before, 0.0) ** 2 + LEAST_CENTRING * before)
        step = self._corrected(affine, centre)
        alpha = self._step_length(step)
        if max(alpha, self.last_step) < HARDLY:
            # Far from the path the second order of the predictor misleads: back towards it by Newton's method alone.
            safe = self._towards(SAFE_CENTRING * before)
            if (length := self._step_length(safe)) > alpha:
                step, alpha = safe, length
        if not (np.isfinite(step.dp).all() and alpha > 1e-8):
            return False
        self._move(step, alpha)
        self.last_step = alpha
        return True

    def _step_length(self, step: Direction) -> float:
        return STEP_FRACTION * min(1.0 / STEP_FRACTION, self._reach(step))

    def _towards(self, centre: float) -> Direction:
        """Newton's direction towards products that are all equal."""
        point, loss = self.scaling.point, self.loss
        target = -soc.product(point, point)
        target[:, 0] += centre
        return self._newton(soc.quotient(point, target), centre - self.S * self.Lambda, centre - loss.s * loss.q, 1.0)

    def _corrected(self, affine: Direction, centre: float) -> Direction:
        """Mehrotra's second-order direction towards `centre`, then Gondzio's corrections of outlying products."""
        S, Lambda, loss = self.S, self.Lambda, self.loss
        point = self.scaling.point
        rhs = -soc.product(point, point) - soc.product(affine.scaled_dp, affine.scaled_dq)
        rhs[:, 0] += centre
        step = self._newton(
            soc.quotient(point, rhs),
            centre - S * Lambda - affine.dS * affine.dLambda,
            centre - loss.s * loss.q - affine.loss.ds * affine.loss.dq,
            1.0,
        )
        alpha = min(1.0, self._reach(step))
        for _ in range(CORRECTIONS):
            if alpha >= 0.9:
                break
            trial = min(1.0, alpha + STEP_GAIN_SOUGHT)
            more = step.plus(
                self._newton(
                    np.zeros_like(self.p),
                    outliers((S + trial * step.dS) * (Lambda + trial * step.dLambda), centre),
                    outliers((loss.s + trial * step.loss.ds) * (loss.q + trial * step.loss.dq), centre),
                    0.0,
                )
            )
            longer = min(1.0, self._reach(more))
            if longer < alpha + STEP_GAIN_LEAST:
                break
            step, alpha = more, longer
        return step

    def _linearize(self, X_W: Array, multipliers: Array) -> None:
        self.scaling = soc.Scaling.of(self.p, self.q, *self.inner)
        self.loss.linearize(self._outputs(self.p[:, 1:], self.b))
        self.slack_residual = X_W - self.S
        self.dual_residual = self.system.adjoint(self._per_output(self.loss.g)) - self.q[:, 1:] - multipliers
        self.theta = self.Lambda / self.S

    def _per_output(self, values: Array) -> Array:
        """(n, c) from the shape of y."""
        return values.reshape(self.program.problem.n, -1)

    def _cone_curvature(self) -> Array | None:
        if not self.theta.size:
            return None
        return self.cones.gram(self.theta)

    def _newton(self, cone_target: Array, slack_target: Array, loss_target: Array, progress: float) -> Direction:
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
        return Direction(step[0], step[1], scaled, cone_target - scaled, step[2], step[3], step[4], loss)

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

    def _reach(self, step: Direction) -> float:
        """Largest step that stays inside every cone, and where the loss is about what its linearization says."""
        reach = min(
            soc.step_length(self.scaling.point, step.scaled_dp), soc.step_length(self.scaling.point, step.scaled_dq)
        )
        pairs = (
            (self.S, step.dS),
            (self.Lambda, step.dLambda),
            (self.loss.s, step.loss.ds),
            (self.loss.q, step.loss.dq),
        )
        rate = max(float(np.max(-change / value, initial=0.0)) for value, change in pairs)
        return self.loss.shorten(min(reach, 1.0 / rate) if rate > 0 else reach, step.loss)

    def _mean_product(self, step: Direction | None, alpha: float) -> float:
        """Mean complementarity product, now or after a step."""
        pairs = [(self.scaling.point, self.scaling.point), (self.S, self.Lambda), (self.loss.s, self.loss.q)]
        count = len(self.p) + self.S.size + self.loss.s.size
        if step is not None:
            moves = ((step.scaled_dp, step.scaled_dq), (step.dS, step.dLambda), (step.loss.ds, step.loss.dq))
            pairs = [(a + alpha * da, b + alpha * db) for (a, b), (da, db) in zip(pairs, moves, strict=True)]
        return sum(float(np.vdot(a, b)) for a, b in pairs) / count

    def _move(self, step: Direction, alpha: float) -> None:
        self.inner = self.scaling.moved(alpha, step.scaled_dp, step.scaled_dq)
        self.p, self.q = self.p + alpha * step.dp, self.q + alpha * step.dq
        self.S, self.Lambda = self.S + alpha * step.dS, self.Lambda + alpha * step.dLambda
        self.b = self.b + alpha * step.db
        self.loss.move(alpha, step.loss)
