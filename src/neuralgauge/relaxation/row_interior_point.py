r"""The relaxation row by row: a convex program in the small moments of both signs, by an interior point.

With U = E[u u^T], w = E[a u] and t = E[a^2] = tr U of one sign, (U, w; w^T, t) positive semidefinite, all that is kept
of row i is R_i = E[a |x_i^T u|], for which every network has

.. math:: \max(|x_i^T w|, |U x_i|) \le R_i \le \sqrt{t\, x_i^T U x_i}, \qquad
          f_i = \tfrac12 \sum_s s\, (x_i^T w_s + R_{s,i}) + b

and the loss of f plus beta (t_+ + t_-) is a lower bound at its minimum. Linear in the rows: an iteration costs 3 n r^4
operations, r the rank, and solves a system of order r^2 + 3 r.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from .._array import Array
from ..problems.training import TrainingProblem
from ..solvers._loss_terms import LossDirection
from ._row_cones import Bounds, ConeDirection, Cones, MatrixCones
from ._row_method import SIGNS, START, RowMethod
from ._row_system import VALUES, A, B, C, RowSystem, T
from .row_multipliers import RowMultipliers

ROOT = np.sqrt(2.0)


class SmallDirection(NamedTuple):
    """Changes of U (2, r, r), w (2, r) and R (2, n), the offset, the cones, the loss."""

    dU: Array
    dw: Array
    dR: Array
    db: float
    cones: tuple[ConeDirection, ...]
    loss: LossDirection


class RowByRow(RowMethod[SmallDirection]):
    """The method over the small moments; its cones are (U, w; w^T, t), R -+ B, t A >= R^2 and R >= |U z|."""

    variables = ("U", "w", "R", "b", "cones")

    def __init__(self, problem: TrainingProblem) -> None:
        super().__init__(problem)
        self.system = RowSystem(self.data.Z, problem.offset)
        self.weight = 0.5 * self.data.weight  # outputs per unit of B + R
        n, r = self.system.n, self.system.r
        # The analytic centre of the bounds on R where U = t I / r and w = 0.
        low, high = 1.0 / r, 1.0 / np.sqrt(r)
        margin = 1e-9 * (high - low)
        centred = brentq(
            lambda x: x / (low - x * x) - 2.0 / x - x / (x * x - low * low), low + margin, high - margin, xtol=1e-12
        )
        self.U, self.w = np.stack(2 * [START / r * np.eye(r)]), np.zeros((2, r))
        self.R = np.full((2, n), START * centred)
        self.start((MatrixCones, Bounds, Cones, Cones), self._points(self.U, self.w, self.R))

    def _points(self, U: Array, w: Array, R: Array) -> tuple[Array, Array, Array, Array]:
        """The points of the cones, linear in the moments and R."""
        images, b, traces = self.system.seen(U, w)
        a = np.einsum("snk,nk->sn", images, self.system.Z)
        t = np.broadcast_to(traces[:, None], a.shape)
        upper = np.column_stack([((t + a) / ROOT).ravel(), ((t - a) / ROOT).ravel(), (ROOT * R).ravel()])
        norms = np.concatenate([R[:, :, None], images], axis=2).reshape(R.size, -1)
        return _bordered(U, w), np.stack([R - b, R + b]), upper, norms

    def _outputs(self, b: Array, R: Array, offset: float) -> Array:
        """Outputs of B and R (2, n)."""
        return self.data.outputs(0.5 * (b + R), offset)

    def multipliers(self) -> tuple[RowMultipliers, RowMultipliers]:
        return self._multipliers(0), self._multipliers(1)

    def _multipliers(self, sign: int) -> RowMultipliers:
        data, n = self.data, self.system.n
        matrices, bounds, upper, norms = (cone.q for cone in self.cones)
        of_t, of_a, _ = _upper_pull(upper.reshape(2, n, 3)[sign])
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.sqrt(of_t / of_a) * data.lengths
        ratio = np.where(np.isfinite(ratio) & (ratio > 0.0), ratio, 1.0)
        lower = bounds[:, sign] / (data.unit * data.lengths)
        tails = norms.reshape(2, n, -1)[sign, :, 1:] / (data.unit * data.lengths)[:, None]
        # S in the corner is beta / 2 + balance less what the upper bounds on R take.
        sigma = -0.5 * SIGNS[sign] * data.scale * self.loss.g.reshape(-1)[data.some]
        total = np.maximum(sigma + lower.sum(axis=0) + np.linalg.norm(tails, axis=1), 0.0)
        balance = matrices[sign, -1, -1] / data.unit - 0.5 * self.problem.beta + 0.5 * float(total @ ratio)
        whole = RowMultipliers.none(self.problem.n, self.problem.d)
        whole.ratio[data.some], whole.lower[:, data.some], whole.along[data.some] = ratio, lower, -tails @ data.axes.T
        return replace(whole, scale=data.scale, balance=balance)

    def linearize(self) -> None:
        data = self.data
        for cone in self.cones:
            cone.linearize()
        self.loss.linearize(self._outputs(self.w @ self.system.Z.T, self.R, self.b))
        h = self.loss.root().reshape(-1) ** 2
        K = self._curvature(h[data.some])
        inverse = np.linalg.inv(K[VALUES:, VALUES:].transpose(2, 0, 1)).transpose(1, 2, 0)
        self.cross = np.einsum("zkn,kln->zln", K[:VALUES, VALUES:], inverse)  # K_zR K_RR^-1
        self.back = inverse, K[VALUES:, :VALUES]
        left = K[:VALUES, :VALUES] - np.einsum("zkn,kxn->zxn", self.cross, K[VALUES:, :VALUES])
        left[-1, -1, 0] += np.sum(h[data.none])
        matrices, _, _, norms = self.cones
        weight, _, tails = norms.curvature
        self.tails = tails.reshape(2, data.n, -1)
        self.system.factorize(left, self.tails, weight.reshape(2, data.n), matrices.metric)

    def _curvature(self, h: Array) -> Array:
        """Curvatures (11, 11, n) of the values A, B, C, t of both signs, the offset, and R of both signs."""
        n, K = self.system.n, np.zeros((VALUES + 2, VALUES + 2, self.system.n))
        loads = np.zeros((VALUES + 2, n))
        loads[VALUES - 1] = 1.0
        _, bounds, upper, norms = self.cones
        weight, first, rest = upper.curvature
        u = _upper_pull(np.column_stack([first, -rest]).reshape(2, n, 3))
        weight = weight.reshape(2, n)
        norm, head = (part.reshape(2, n) for part in norms.curvature[:2])
        for s in (0, 1):
            R, place = VALUES + s, (T[s], A[s], VALUES + s)
            loads[B[s]] = loads[R] = self.weight[s]
            for one, at in enumerate(place):
                for two, other in enumerate(place):
                    K[at, other] += 2.0 * weight[s] * u[one][s] * u[two][s]
            rise, fall = bounds.curvature[:, s]
            K[B[s], B[s]] += rise + fall
            K[C[s], C[s]] += 2.0 * norm[s]
            K[R, R] += 2.0 * weight[s] + norm[s] * (2.0 * head[s] ** 2 - 1.0) + rise + fall
            for one, other, mixed in (
                (T[s], A[s], -weight[s]),
                (R, B[s], fall - rise),
                (R, C[s], -2.0 * norm[s] * head[s]),
            ):
                K[one, other] += mixed
                K[other, one] += mixed
        return K + h * loads[:, None] * loads[None]

    def direction(self, centre: float, affine: SmallDirection | None = None, trust: float = 1.0) -> SmallDirection:
        data, system = self.data, self.system
        targets = self.targets(centre, affine, trust)
        aim = self.aim(centre, affine, trust)
        known, pull_R, of_norms, matrices = self._pulls(aim[data.some], targets)
        left = known - np.einsum("zkn,kn->zn", self.cross, pull_R)
        of_U = left[list(A)][:, :, None] * system.Z + left[list(C)][:, :, None] * self.tails + of_norms
        U, w = system.pulled(of_U, left[list(B)], left[list(T)].sum(axis=1) + data.size)
        U = U - matrices[:, :-1, :-1] - matrices[:, -1, -1, None, None] * np.eye(system.r)
        dU, dw, db = system.solve(-U, 2.0 * matrices[:, :-1, -1] - w, -float(left[-1].sum() + aim[data.none].sum()))
        images, dB, dt = system.seen(dU, dw)
        dA, dC = np.einsum("snk,nk->sn", images, system.Z), np.einsum("snk,snk->sn", images, self.tails)
        dz = np.empty((VALUES, data.n))
        dz[-1] = db
        for s in (0, 1):
            dz[A[s]], dz[B[s]], dz[C[s]], dz[T[s]] = dA[s], dB[s], dC[s], dt[s]
        inverse, back = self.back
        dR = -np.einsum("kln,ln->kn", inverse, pull_R + np.einsum("kzn,zn->kn", back, dz))
        changes = self.completed(self._points(dU, dw, dR), targets)
        return SmallDirection(dU, dw, dR, db, changes, self.loss_direction(self._outputs(dB, dR, db)))

    def _pulls(self, g: Array, targets: list[Array]) -> tuple[Array, Array, Array, Array]:
        """Gradients of the values (9, n), of R (2, n), of U z (2, n, r), and of the matrices, taken off."""
        n = self.system.n
        matrices, bounds, upper, norms = self.held(targets)
        norms = norms.reshape(2, n, -1)
        of_t, of_a, of_R = _upper_pull(upper.reshape(2, n, 3))
        known = np.zeros((VALUES, n))
        for s in (0, 1):
            known[T[s]], known[A[s]] = -of_t[s], -of_a[s]
            known[B[s]] = g * self.weight[s] + bounds[0, s] - bounds[1, s]
        known[-1] = g
        return known, g * self.weight - of_R - norms[:, :, 0] - bounds.sum(axis=0), -norms[:, :, 1:], matrices

    def move(self, step: SmallDirection, alpha: float) -> None:
        self.cones = self.moved(step, alpha)
        self.U, self.w = self.U + alpha * step.dU, self.w + alpha * step.dw
        self.R, self.b = self.R + alpha * step.dR, self.b + alpha * step.db


def unknowns(problem: TrainingProblem) -> int:
    """Order of the Newton system."""
    r = max(problem.features.span.rank, 2)
    return r * r + 3 * r + int(problem.offset)


def _upper_pull(q: Array) -> tuple[Array, Array, Array]:
    """Multipliers of t, A and R from those of the cones t A >= R^2."""
    return (q[..., 0] + q[..., 1]) / ROOT, (q[..., 0] - q[..., 1]) / ROOT, ROOT * q[..., 2]


def _bordered(U: Array, w: Array) -> Array:
    """Matrices (U, w; w^T, tr U) of both signs."""
    M = np.zeros((2, U.shape[1] + 1, U.shape[1] + 1))
    M[:, :-1, :-1], M[:, :-1, -1], M[:, -1, :-1] = U, w, w
    M[:, -1, -1] = np.trace(U, axis1=1, axis2=2)
    return M
