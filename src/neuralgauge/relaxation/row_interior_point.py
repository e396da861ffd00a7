r"""The relaxation row by row: a convex program in the small moments of both signs, by an interior point.

With U = E[u u^T], w = E[a u] and t = E[a^2] = tr U of one sign, (U, w; w^T, t) positive semidefinite, all that is kept
of row i is R_i = E[a |x_i^T u|], for which every network has

.. math:: \max(|x_i^T w|, |U x_i|) \le R_i \le \sqrt{t\, x_i^T U x_i}, \qquad
          f_i = \tfrac12 \sum_s s\, (x_i^T w_s + R_{s,i}) + b

and the loss of f plus beta (t_+ + t_-) is a lower bound at its minimum. Linear in the rows: an iteration costs 3 n r^4
operations, r the rank, and solves a system of order r^2 + 3 r.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from .._array import Array
from ..problems.training import TrainingProblem
from ..solvers._loss_terms import LossDirection, loss_term
from ..solvers._matrix_cone import MatrixScaling
from ..solvers.predictor_corrector import START_LEVEL, PredictorCorrector, rate_of
from ..solvers.solution import Status
from ._row_cones import ConeDirection, Cones
from ._row_system import VALUES, A, B, C, RowSystem, T
from .multipliers import power_of_two
from .row_multipliers import RowMultipliers

ENOUGH = 1e-6  # of the loss of the empty network: a sum of products that is small beside any gap of the relaxation
SIGNS = np.array([1.0, -1.0])
ROOT = np.sqrt(2.0)


class RowDirection(NamedTuple):
    """Changes of moments U (2, r, r), w (2, r), R (2, n), offset; of cones; of bounds and multipliers; of the loss."""

    dU: Array
    dw: Array
    dR: Array
    db: float
    upper: ConeDirection
    norms: ConeDirection
    scaled_dM: Array
    scaled_dS: Array
    ds: Array
    dlam: Array
    loss: LossDirection


class RowByRow(PredictorCorrector["RowByRow", RowDirection]):
    """The predictor-corrector method over the small moments, in units of the loss of the empty network over beta."""

    variables = ("M", "S", "R", "b", "upper", "norms", "s", "lam")

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        fit, X = problem.fit, problem.features.dense()
        self.scale = power_of_two(X)
        self.axes = problem.features.span.axes
        if self.axes.shape[1] == 1:  # on a line R is t |x|, without an interior
            self.axes = np.column_stack([self.axes, np.zeros(len(self.axes))])
        X = X / self.scale @ self.axes
        lengths = np.linalg.norm(X, axis=1)
        self.some, self.none = np.flatnonzero(lengths > 0), np.flatnonzero(lengths == 0)  # the latter have no R
        self.lengths = lengths[self.some]
        self.system = RowSystem(X[self.some] / self.lengths[:, None], problem.offset)
        self.b = float(fit.constant[0])
        empty = np.broadcast_to(fit.constant[0], fit.y.shape)
        self.size = gain(problem)
        self.unit = self.size / problem.beta
        # Outputs per unit of B + R, (2, rows that are not zero).
        self.weight = 0.5 * self.unit * self.scale * SIGNS[:, None] * self.lengths
        self._start(empty)

    def _start(self, empty: Array) -> None:
        n, r = self.system.n, self.system.r
        centre = START_LEVEL * self.size / (8 * n + 2 * (r + 1))
        t = 0.5 * START_LEVEL
        # The analytic centre of the bounds on R where U = t I / r and w = 0.
        low, high = 1.0 / r, 1.0 / np.sqrt(r)
        margin = 1e-9 * (high - low)
        centred = brentq(
            lambda x: x / (low - x * x) - 2.0 / x - x / (x * x - low * low), low + margin, high - margin, xtol=1e-12
        )
        self.R = np.full((2, n), t * centred)
        self.M = np.zeros((2, r + 1, r + 1))
        self.M[:, np.arange(r), np.arange(r)] = t / r
        self.M[:, r, r] = t
        self.S = np.stack([centre * np.linalg.inv(M) for M in self.M])
        images, b, traces = self.system.seen(self.M[:, :-1, :-1], self.M[:, :-1, -1])
        self.upper = Cones(self._upper_points(images, traces, self.R), centre)
        self.norms = Cones(_norm_points(images, self.R), centre)
        self.s = np.stack([self.R - b, self.R + b])
        self.lam = centre / self.s
        level = max(centre, self.size / n)
        self.loss = loss_term(self.problem, empty, level)
        self.largest = max(centre, level, float(np.max(self.loss.s * self.loss.q, initial=0.0)))

    def _upper_points(self, images: Array, t: Array, R: Array) -> Array:
        """t A >= R^2 as second-order cones, (2 n, 3)."""
        a = np.einsum("snk,nk->sn", images, self.system.Z)
        t = np.broadcast_to(t[:, None], a.shape)
        return np.column_stack([((t + a) / ROOT).ravel(), ((t - a) / ROOT).ravel(), (ROOT * R).ravel()])

    def _outputs(self, b: Array, R: Array, offset: float) -> Array:
        """(n,) outputs of B and R (2, n)."""
        f = np.full(self.problem.n, offset)
        f[self.some] += np.sum(self.weight * (b + R), axis=0)
        return f.reshape(self.problem.y.shape)

    def __iter__(self) -> Generator[RowByRow, None, Status]:
        for iterate in super().__iter__():
            yield iterate
            if float(np.vdot(self.upper.p, self.upper.q) + np.vdot(self.s, self.lam)) <= ENOUGH * self.size:
                return Status.SOLVED
        return self.ended

    def iterate(self) -> RowByRow:
        return self

    @property
    def v(self) -> Array:
        """The dual point of the iterate."""
        return -self.loss.g

    def multipliers(self) -> tuple[RowMultipliers, RowMultipliers]:
        """The multipliers of positive and of negative output weights, as a proof takes them."""
        return self._multipliers(0), self._multipliers(1)

    def _multipliers(self, sign: int) -> RowMultipliers:
        n, r, lengths = self.system.n, self.system.r, self.lengths
        of_t, of_a, _ = _upper_pull(self.upper.q.reshape(2, n, 3)[sign])
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.sqrt(of_t / of_a) * lengths
        ratio = np.where(np.isfinite(ratio) & (ratio > 0.0), ratio, 1.0)
        lower = self.lam[:, sign] / (self.unit * lengths)
        tails = self.norms.q.reshape(2, n, r + 1)[sign, :, 1:] / (self.unit * lengths)[:, None]
        # S in the corner is beta / 2 + balance less what the upper bounds on R take.
        sigma = -0.5 * SIGNS[sign] * self.scale * self.loss.g.reshape(-1)[self.some]
        total = np.maximum(sigma + lower.sum(axis=0) + np.linalg.norm(tails, axis=1), 0.0)
        balance = self.S[sign, -1, -1] / self.unit - 0.5 * self.problem.beta + 0.5 * float(total @ ratio)
        whole = RowMultipliers.none(self.problem.n, self.problem.d)
        whole.ratio[self.some], whole.lower[:, self.some], whole.along[self.some] = ratio, lower, -tails @ self.axes.T
        return replace(whole, scale=self.scale, balance=balance)

    def linearize(self) -> None:
        n, r = self.system.n, self.system.r
        for cones in (self.upper, self.norms):
            cones.linearize()
        self.matrices = [MatrixScaling.of(self.M[s], self.S[s]) for s in (0, 1)]
        self.inverses = [np.linalg.inv(one.G) for one in self.matrices]
        _, b, _ = self.system.seen(self.M[:, :-1, :-1], self.M[:, :-1, -1])
        self.loss.linearize(self._outputs(b, self.R, self.b))
        self.theta = self.lam / self.s
        h = self.loss.root().reshape(-1) ** 2
        K = self._curvature(h[self.some])
        inverse = np.linalg.inv(K[VALUES:, VALUES:].transpose(2, 0, 1)).transpose(1, 2, 0)
        self.cross = np.einsum("zkn,kln->zln", K[:VALUES, VALUES:], inverse)  # K_zR K_RR^-1
        self.back = inverse, K[VALUES:, :VALUES]
        left = K[:VALUES, :VALUES] - np.einsum("zkn,kxn->zxn", self.cross, K[VALUES:, :VALUES])
        weight, _, tails = self.norms.curvature
        metrics = np.stack([one.T @ one for one in self.inverses])
        left[-1, -1, 0] += np.sum(h[self.none])
        self.system.factorize(left, tails.reshape(2, n, r), weight.reshape(2, n), metrics)

    def _curvature(self, h: Array) -> Array:
        """Curvatures (11, 11, n) of the values A, B, C, t of both signs, the offset, and R of both signs."""
        n, K = self.system.n, np.zeros((VALUES + 2, VALUES + 2, self.system.n))
        loads = np.zeros((VALUES + 2, n))
        loads[VALUES - 1] = 1.0
        weight, first, rest = self.upper.curvature
        u = _upper_pull(np.column_stack([first, -rest]).reshape(2, n, 3))
        weight = weight.reshape(2, n)
        norm, head = (part.reshape(2, n) for part in self.norms.curvature[:2])
        for s in (0, 1):
            R, place = VALUES + s, (T[s], A[s], VALUES + s)
            loads[B[s]] = loads[R] = self.weight[s]
            for one, at in enumerate(place):
                for two, other in enumerate(place):
                    K[at, other] += 2.0 * weight[s] * u[one][s] * u[two][s]
            K[T[s], A[s]] -= weight[s]
            K[A[s], T[s]] -= weight[s]
            rise, fall = self.theta[:, s]
            K[R, R] += 2.0 * weight[s] + norm[s] * (2.0 * head[s] ** 2 - 1.0) + rise + fall
            K[B[s], B[s]] += rise + fall
            K[R, B[s]] += fall - rise
            K[B[s], R] += fall - rise
            K[C[s], C[s]] += 2.0 * norm[s]
            K[R, C[s]] -= 2.0 * norm[s] * head[s]
            K[C[s], R] -= 2.0 * norm[s] * head[s]
        return K + h * loads[:, None] * loads[None]

    def direction(self, centre: float, affine: RowDirection | None = None, trust: float = 1.0) -> RowDirection:
        loss = self.loss
        pairs, slack = centre - loss.s * loss.q, centre - self.s * self.lam
        matrices = [np.diag(centre - one.lam**2) for one in self.matrices]
        if affine is not None:
            pairs = pairs - trust * affine.loss.ds * affine.loss.dq
            slack = slack - trust * affine.ds * affine.dlam
            for s in (0, 1):
                crossed = affine.scaled_dM[s] @ affine.scaled_dS[s]
                matrices[s] = matrices[s] - 0.5 * trust * (crossed + crossed.T)
        upper = self.upper.target(centre, None if affine is None else affine.upper, trust)
        norms = self.norms.target(centre, None if affine is None else affine.norms, trust)
        scaled = [2.0 * one / (g.lam[:, None] + g.lam) for one, g in zip(matrices, self.matrices, strict=True)]
        return self._newton(pairs, slack / self.s, (upper, norms), np.stack(scaled))

    def _newton(self, pairs: Array, slack: Array, cones: tuple[Array, Array], matrices: Array) -> RowDirection:
        """The direction for these changes: of multipliers of bounds, and of cones and matrices in scaled terms."""
        n, r, system = self.system.n, self.system.r, self.system
        aim = (self.loss.g + self.loss.relation(pairs, 1.0)[0]).reshape(-1)
        g = aim[self.some]
        of_t, of_a, of_R = _upper_pull((self.upper.q + self.upper.scaling.solve(cones[0])).reshape(2, n, 3))
        norms = (self.norms.q + self.norms.scaling.solve(cones[1])).reshape(2, n, r + 1)
        lam = self.lam + slack
        pull_R = g * self.weight - of_R - norms[:, :, 0] - lam.sum(axis=0)
        known = np.zeros((VALUES, n))
        for s in (0, 1):
            known[T[s]], known[A[s]] = -of_t[s], -of_a[s]
            known[B[s]] = g * self.weight[s] + lam[0, s] - lam[1, s]
        known[-1] = g
        left = known - np.einsum("zkn,kn->zn", self.cross, pull_R)
        tails = self.norms.curvature[2].reshape(2, n, r)
        of_U = left[list(A)][:, :, None] * system.Z + left[list(C)][:, :, None] * tails - norms[:, :, 1:]
        U, w = system.pulled(of_U, left[list(B)], left[list(T)].sum(axis=1) + self.size)
        U, w = self._less_matrices(U, w, matrices)
        dU, dw, db = system.solve(-U, -w, -float(left[-1].sum() + aim[self.none].sum()))
        images, dB, dt = system.seen(dU, dw)
        dA, dC = np.einsum("snk,nk->sn", images, system.Z), np.einsum("snk,snk->sn", images, tails)
        dz = np.empty((VALUES, n))
        dz[-1] = db
        for s in (0, 1):
            dz[A[s]], dz[B[s]], dz[C[s]], dz[T[s]] = dA[s], dB[s], dC[s], dt[s]
        inverse, K = self.back
        dR = -np.einsum("kln,ln->kn", inverse, pull_R + np.einsum("kzn,zn->kn", K, dz))
        return self._completed((dU, dw, dR, db), (images, dB, dt), cones, slack, matrices)

    def _less_matrices(self, U: Array, w: Array, matrices: Array) -> tuple[Array, Array]:
        """The gradient less that of the matrix cones, S + G^-T R G^-1 pulled back to U and w."""
        U, w = U.copy(), w.copy()
        for s in (0, 1):
            held = self.S[s] + self.inverses[s].T @ matrices[s] @ self.inverses[s]
            U[s] -= held[:-1, :-1] + held[-1, -1] * np.eye(self.system.r)
            w[s] -= 2.0 * held[:-1, -1]
        return U, w

    def _completed(
        self,
        moved: tuple[Array, Array, Array, float],
        seen: tuple[Array, Array, Array],
        cones: tuple[Array, Array],
        slack: Array,
        matrices: Array,
    ) -> RowDirection:
        """The whole direction from that of the moments, R and the offset."""
        (dU, dw, dR, db), (images, dB, dt) = moved, seen
        upper = self.upper.completed(self._upper_points(images, dt, dR), cones[0])
        norms = self.norms.completed(_norm_points(images, dR), cones[1])
        ds = np.stack([dR - dB, dR + dB])
        df = self._outputs(dB, dR, db)
        dM = _bordered(dU, dw)
        scaled_dM = np.stack([G @ one @ G.T for G, one in zip(self.inverses, dM, strict=True)])
        loss = self.loss.direction(df, self.loss.root() ** 2 * df)
        dlam = slack - self.theta * ds
        return RowDirection(dU, dw, dR, db, upper, norms, scaled_dM, matrices - scaled_dM, ds, dlam, loss)

    def reach(self, step: RowDirection) -> float:
        reaches = [self.upper.reach(step.upper), self.norms.reach(step.norms)]
        for scaling, dM, dS in zip(self.matrices, step.scaled_dM, step.scaled_dS, strict=True):
            reaches += [scaling.reach(dM), scaling.reach(dS)]
        rate = rate_of(self.s, step.ds, self.lam, step.dlam)
        return min(*reaches, 1.0 / rate if rate > 0 else np.inf)

    def products(self, step: RowDirection | None, alpha: float) -> tuple[float, int]:
        s, lam = self.s, self.lam
        M = S = np.stack([np.diag(one.lam) for one in self.matrices])
        if step is not None:
            s, lam = s + alpha * step.ds, lam + alpha * step.dlam
            M, S = M + alpha * step.scaled_dM, S + alpha * step.scaled_dS
        total = float(np.vdot(s, lam)) + float(np.vdot(M, S))
        total += self.upper.product(step and step.upper, alpha) + self.norms.product(step and step.norms, alpha)
        return total, 2 * s.size + 2 * M.shape[1]

    def move(self, step: RowDirection, alpha: float) -> None:
        self.upper, self.norms = self.upper.moved(step.upper, alpha), self.norms.moved(step.norms, alpha)
        self.s, self.lam = self.s + alpha * step.ds, self.lam + alpha * step.dlam
        self.R, self.b = self.R + alpha * step.dR, self.b + alpha * step.db
        self.M = self.M + alpha * _bordered(step.dU, step.dw)
        dS = np.stack([G.T @ one @ G for G, one in zip(self.inverses, step.scaled_dS, strict=True)])
        self.S = self.S + alpha * 0.5 * (dS + dS.swapaxes(1, 2))


def _norm_points(images: Array, R: Array) -> Array:
    """R >= |U z| as second-order cones, (2 n, 1 + r)."""
    return np.concatenate([R[:, :, None], images], axis=2).reshape(R.size, -1)


def _upper_pull(q: Array) -> tuple[Array, Array, Array]:
    """Multipliers of t, A and R from those of the cones t A >= R^2."""
    return (q[..., 0] + q[..., 1]) / ROOT, (q[..., 0] - q[..., 1]) / ROOT, ROOT * q[..., 2]


def _bordered(U: Array, w: Array) -> Array:
    """Matrices (U, w; w^T, tr U) of both signs."""
    M = np.zeros((2, U.shape[1] + 1, U.shape[1] + 1))
    M[:, :-1, :-1], M[:, :-1, -1], M[:, -1, :-1] = U, w, w
    M[:, -1, -1] = np.trace(U, axis1=1, axis2=2)
    return M


def gain(problem: TrainingProblem) -> float:
    """The most that a network can gain: the loss of the best constant, less what v = 0 proves."""
    fit = problem.fit
    empty = np.broadcast_to(fit.constant[0], fit.y.shape)
    return fit.value(empty) - fit.dual_objective(np.zeros_like(fit.y))


def unknowns(problem: TrainingProblem) -> int:
    """Order of the Newton system."""
    r = max(problem.features.span.rank, 2)
    return r * r + 3 * r + int(problem.offset)
