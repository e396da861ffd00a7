r"""The quartic relaxation row by row: moments of degree four of the neurons, by an interior point.

For the neurons of one sign, each with weight :math:`|u| |\alpha|` on the unit sphere, take their moments of degree four
(`_sphere`), whose matrix of the basis is positive semidefinite. Row i, of unit length, sees of them the moments
:math:`m_k` of :math:`h = z_i^T u`, k = 0 to 4, on [-1, 1]. They are the sum of those of h > 0 and of h < 0, and numbers
belong to a measure on [0, 1] only if (Hausdorff)

.. math:: (m_{i+j})_{i, j \le 2} \succeq 0, \qquad (m_{i+j+1} - m_{i+j+2})_{i, j \le 1} \succeq 0

The first moment of h > 0 is what the neurons add to the output of the row. With E|h| >= |U z_i|, as in degree two,
this bounds every network from below, tighter than degree two (Lasserre, SIAM J. Optim. 2001, for such hierarchies).
Linear in the rows: an iteration costs 6 n M^2 operations, M of the order r^4 / 24, and solves a system of order 2 M.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gamma

from .._array import Array
from ..problems.training import TrainingProblem
from ..solvers._loss_terms import LossDirection
from ._quartic_system import OFFSET, POWERS, SIGNED, QuarticSystem
from ._row_cones import ConeDirection, Cones, MatrixCones
from ._row_method import START, RowMethod
from ._sphere import count
from .quartic_multipliers import ALTERNATING, HANKEL, LOCAL, QuarticMultipliers

SEEN = OFFSET + 1
LOCALS = 2 * POWERS


class QuarticDirection(NamedTuple):
    """Changes of moments (2, k), of moments of h > 0 (2, 5, n), of the offset, of the cones and of the loss."""

    dy: Array
    dhalf: Array
    db: float
    cones: tuple[ConeDirection, ...]
    loss: LossDirection


class QuarticByRow(RowMethod[QuarticDirection]):
    """The method over moments of degree four; its cones are those of `_points`."""

    variables = ("y", "half", "b", "cones")

    def __init__(self, problem: TrainingProblem) -> None:
        super().__init__(problem)
        self.system = QuarticSystem(self.data.Z, problem.offset)
        n, r, k = self.data.n, self.system.r, np.arange(POWERS)
        self.y = np.stack(2 * [START * self.system.sphere.uniform()])
        # E|h|^k of a uniform direction, half of it on either side.
        absolute = gamma(0.5 * r) * gamma(0.5 * (k + 1)) / (np.sqrt(np.pi) * gamma(0.5 * (r + k)))
        self.half = np.broadcast_to(0.5 * START * absolute[:, None], (2, POWERS, n)).copy()
        self.start((MatrixCones, MatrixCones, MatrixCones, Cones), self._points(self.y, self.half))

    def _points(self, y: Array, half: Array) -> tuple[Array, Array, Array, Array]:
        """The matrix of the basis, those of the half lines, and (E|h|, U z): linear in the moments."""
        powers, images = self.system.seen(y)
        k = self.system.sphere.order
        halves = np.stack([half, ALTERNATING[:, None] * (powers - half)], axis=1)
        basis = (self.system.sphere.basis @ y.T).T.reshape(2, k, k)
        heads = 2.0 * half[:, 1] - powers[:, 1]
        norms = np.concatenate([heads[:, :, None], images], axis=2).reshape(2 * self.data.n, -1)
        return basis, np.einsum("sekn,kab->senab", halves, HANKEL), np.einsum("sekn,kab->senab", halves, LOCAL), norms

    def multipliers(self) -> tuple[QuarticMultipliers, QuarticMultipliers]:
        return self._multipliers(0), self._multipliers(1)

    def _multipliers(self, s: int) -> QuarticMultipliers:
        data, unit = self.data, self.data.unit
        basis, hankel, local, norms = (one.q for one in self.cones)
        tails = norms.reshape(2, data.n, -1)[s, :, 1:]
        return QuarticMultipliers(
            data.scale, data.axes, data.some, hankel[s] / unit, local[s] / unit, -tails / unit, basis[s] / unit
        )

    def linearize(self) -> None:
        data = self.data
        for cone in self.cones:
            cone.linearize()
        self.loss.linearize(data.outputs(self.half[:, 1], self.b))
        h = self.loss.root().reshape(-1) ** 2
        K = self._curvature(h[data.some])
        back = K[:, SEEN:, :SEEN]
        inverse = np.linalg.inv(K[:, SEEN:, SEEN:])
        self.cross = back.swapaxes(1, 2) @ inverse
        self.back = inverse, back
        left = (K[:, :SEEN, :SEEN] - self.cross @ back).transpose(1, 2, 0).copy()
        left[OFFSET, OFFSET, 0] += np.sum(h[data.none])
        weight, _, tails = self.cones[3].curvature
        self.tails = tails.reshape(2, data.n, -1)
        self.system.factorize(left, self.tails, weight.reshape(2, data.n), self.cones[0].metric)

    def _curvature(self, h: Array) -> Array:
        """Curvatures (n, 23, 23) of a row's values: moments and c^T U z of both signs, offset; moments of h > 0."""
        n = self.data.n
        K = np.zeros((n, SEEN + LOCALS, SEEN + LOCALS))
        loads = np.zeros((n, SEEN + LOCALS))
        loads[:, OFFSET] = 1.0
        halves = _of_matrices(HANKEL, self.cones[1].metric) + _of_matrices(LOCAL, self.cones[2].metric)
        turned = ALTERNATING[:, None] * ALTERNATING
        weight, head = (part.reshape(2, n) for part in self.cones[3].curvature[:2])
        for s in (0, 1):
            seen, own = slice(SIGNED * s, SIGNED * s + POWERS), slice(SEEN + POWERS * s, SEEN + POWERS * (s + 1))
            negative = turned * halves[s, 1]
            K[:, own, own] += halves[s, 0] + negative
            K[:, seen, seen] += negative
            K[:, own, seen] -= negative
            K[:, seen, own] -= negative
            first = np.array([own.start + 1, seen.start + 1])  # E|h| = 2 E[h_+] - E[h]
            signs, C = np.array([2.0, -1.0]), seen.stop
            of_head = weight[s] * (2.0 * head[s] ** 2 - 1.0)
            K[:, first[:, None], first] += of_head[:, None, None] * np.outer(signs, signs)
            K[:, C, C] += 2.0 * weight[s]
            mixed = (2.0 * weight[s] * head[s])[:, None] * signs
            K[:, C, first] -= mixed
            K[:, first, C] -= mixed
            loads[:, own.start + 1] = self.data.weight[s]
        return K + h[:, None, None] * loads[:, :, None] * loads[:, None, :]

    def direction(self, centre: float, affine: QuarticDirection | None = None, trust: float = 1.0) -> QuarticDirection:
        data, system = self.data, self.system
        targets = self.targets(centre, affine, trust)
        aim = self.aim(centre, affine, trust)
        known, of_local, of_U, of_basis = self._pulls(aim[data.some], targets)
        left = known - np.einsum("nzl,nl->nz", self.cross, of_local)
        signed = left[:, :OFFSET].reshape(data.n, 2, SIGNED).transpose(1, 2, 0)
        gradient = system.pulled(signed[:, :POWERS], of_U + signed[:, POWERS, :, None] * self.tails)
        gradient = gradient + data.size * (system.trace @ system.sphere.squares) - of_basis
        dy, db = system.solve(-gradient, -float(left[:, OFFSET].sum() + aim[data.none].sum()))
        powers, images = system.seen(dy)
        dz = np.empty((data.n, SEEN))
        for s in (0, 1):
            dz[:, SIGNED * s : SIGNED * s + POWERS] = powers[s].T
            dz[:, SIGNED * s + POWERS] = np.einsum("nk,nk->n", self.tails[s], images[s])
        dz[:, OFFSET] = db
        inverse, back = self.back
        moved = -np.einsum("nkl,nl->nk", inverse, of_local + np.einsum("nkz,nz->nk", back, dz))
        dhalf = moved.reshape(data.n, 2, POWERS).transpose(1, 2, 0)
        changes = self.completed(self._points(dy, dhalf), targets)
        return QuarticDirection(dy, dhalf, db, changes, self.loss_direction(data.outputs(dhalf[:, 1], db)))

    def _pulls(self, g: Array, targets: list[Array]) -> tuple[Array, Array, Array, Array]:
        """Gradients of the values (n, 13), of the moments of h > 0 (n, 10), of U z (2, n, r), of the moments (2, k)."""
        n = self.data.n
        held = self.held(targets)
        halves = -np.einsum("senab,kab->senk", held[1], HANKEL) - np.einsum("senab,kab->senk", held[2], LOCAL)
        norms = held[3].reshape(2, n, -1)
        known, of_local = np.zeros((n, SEEN)), np.zeros((n, LOCALS))
        for s in (0, 1):
            negative = ALTERNATING * halves[s, 1]
            known[:, SIGNED * s : SIGNED * s + POWERS] = negative
            of_local[:, POWERS * s : POWERS * (s + 1)] = halves[s, 0] - negative
            of_local[:, POWERS * s + 1] += g * self.data.weight[s] - 2.0 * norms[s, :, 0]
            known[:, SIGNED * s + 1] += norms[s, :, 0]
        known[:, OFFSET] = g
        of_basis = (self.system.sphere.basis.T @ held[0].reshape(2, -1).T).T
        return known, of_local, -norms[:, :, 1:], of_basis

    def move(self, step: QuarticDirection, alpha: float) -> None:
        self.cones = self.moved(step, alpha)
        self.y, self.half = self.y + alpha * step.dy, self.half + alpha * step.dhalf
        self.b = self.b + alpha * step.db


def quartic_unknowns(problem: TrainingProblem) -> int:
    """Order of the Newton system."""
    return 2 * count(max(problem.features.span.rank, 2)) + int(problem.offset)


def _of_matrices(entries: Array, metric: Array) -> Array:
    """Hessians tr(E_k P E_l P), (..., 5, 5), of matrices sum_k m_k E_k in metrics P."""
    images = np.einsum("kab,...bc->...kac", entries, metric)
    return np.einsum("...kac,...lca->...kl", images, images)
