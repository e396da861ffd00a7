"""Cones of three kinds with their multipliers along a central path: half lines, second-order cones, matrices."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np

from .._array import Array
from ..solvers import _second_order as soc
from ..solvers._matrix_cone import MatrixScaling
from ..solvers.predictor_corrector import rate_of


class ConeDirection(NamedTuple):
    """Changes of points and multipliers, then the same scaled."""

    dp: Array
    dq: Array
    scaled_dp: Array
    scaled_dq: Array


class Bounds:
    """Positive numbers p and their multipliers q, of any shape."""

    def __init__(self, p: Array, centre: float) -> None:
        self.p, self.q = p, centre / p

    @property
    def degree(self) -> int:
        """Sum of the products at unit centre."""
        return self.p.size

    def linearize(self) -> None:
        """Scale; LinAlgError at the boundary."""
        if not (np.all(self.p > 0) and np.all(self.q > 0)):
            raise np.linalg.LinAlgError("a row on one of its bounds")

    @property
    def curvature(self) -> Array:
        """The Hessian."""
        return self.q / self.p

    def target(self, centre: float, affine: ConeDirection | None, trust: float) -> Array:
        """The change of the multipliers that leads to products of `centre`, less the second order of `affine`."""
        change = centre - self.p * self.q
        if affine is not None:
            change -= trust * affine.dp * affine.dq
        return change / self.p

    def unscaled(self, change: Array) -> Array:
        """The change itself."""
        return change

    def completed(self, dp: Array, target: Array) -> ConeDirection:
        """The direction with this change of the points."""
        dq = target - self.curvature * dp
        return ConeDirection(dp, dq, dp, dq)

    def reach(self, step: ConeDirection) -> float:
        """Largest step inside the bounds."""
        rate = rate_of(self.p, step.dp, self.q, step.dq)
        return 1.0 / rate if rate > 0 else np.inf

    def product(self, step: ConeDirection | None, alpha: float) -> float:
        """Sum of the products, now or after a step."""
        if step is None:
            return float(np.vdot(self.p, self.q))
        return float(np.vdot(self.p + alpha * step.dp, self.q + alpha * step.dq))

    def moved(self, step: ConeDirection, alpha: float) -> Bounds:
        """The bounds after a step."""
        other = copy.copy(self)
        other.p, other.q = self.p + alpha * step.dp, self.q + alpha * step.dq
        return other


class Cones:
    """Points p and multipliers q of second-order cones, (m, 1 + k), with their scaling."""

    scaling: soc.ConeScaling

    def __init__(self, p: Array, centre: float) -> None:
        det = soc.determinant(p)
        q = -centre / det[:, None] * p
        q[:, 0] *= -1.0
        self.p, self.q, self._inner = p, q, (det, soc.determinant(q), soc.dot(p, q))

    def linearize(self) -> None:
        """Scale; LinAlgError at the boundary."""
        if not all(np.all(values > 0) for values in self._inner):
            raise np.linalg.LinAlgError("a row on the boundary of its bounds")
        self.scaling = soc.ConeScaling.of(self.p, self.q, *self._inner)

    @property
    def curvature(self) -> tuple[Array, Array, Array]:
        """(weight, a, b) of the Hessian weight (2 u u^T - J), u = (a, -b)."""
        return 1.0 / self.scaling.eta**2, self.scaling.a, self.scaling.b

    @property
    def degree(self) -> int:
        """Sum of the products at unit centre."""
        return len(self.p)

    def unscaled(self, change: Array) -> Array:
        """The change of the multipliers for one of the scaled point."""
        return self.scaling.solve(change)

    def target(self, centre: float, affine: ConeDirection | None, trust: float) -> Array:
        """The change of the scaled point that leads to products of `centre`, less the second order of `affine`."""
        point = self.scaling.point
        change = -soc.product(point, point)
        change[:, 0] += centre
        if affine is not None:
            change -= trust * soc.product(affine.scaled_dp, affine.scaled_dq)
        return soc.quotient(point, change)

    def completed(self, dp: Array, target: Array) -> ConeDirection:
        """The direction with this change of the points."""
        scaled = self.scaling.solve(dp)
        return ConeDirection(dp, self.scaling.solve(target - scaled), scaled, target - scaled)

    def reach(self, step: ConeDirection) -> float:
        """Largest step inside the cones."""
        point = self.scaling.point
        return min(soc.step_length(point, step.scaled_dp), soc.step_length(point, step.scaled_dq))

    def product(self, step: ConeDirection | None, alpha: float) -> float:
        """Sum of the products, now or after a step."""
        if step is None:
            return float(self._inner[2].sum())
        point = self.scaling.point
        return float(np.vdot(point + alpha * step.scaled_dp, point + alpha * step.scaled_dq))

    def moved(self, step: ConeDirection, alpha: float) -> Cones:
        """The cones after a step."""
        other = copy.copy(self)
        other._inner = self.scaling.moved(alpha, step.scaled_dp, step.scaled_dq)
        other.p, other.q = self.p + alpha * step.dp, self.q + alpha * step.dq
        return other


class MatrixCones:
    """Positive definite matrices p and multipliers q, in the last two axes, with their scaling."""

    scaling: MatrixScaling

    def __init__(self, p: Array, centre: float) -> None:
        self.p, self.q = p, centre * np.asarray(np.linalg.inv(p), dtype=float)

    @property
    def degree(self) -> int:
        """Sum of the products at unit centre."""
        return self.p[..., 0].size

    def linearize(self) -> None:
        """Scale; LinAlgError at the boundary."""
        self.scaling = MatrixScaling.of(self.p, self.q)
        self._inverse = np.linalg.inv(self.scaling.G)

    @property
    def metric(self) -> Array:
        """W^-1 of the Hessian dP -> W^-1 dP W^-1."""
        return self._inverse.swapaxes(-1, -2) @ self._inverse

    def target(self, centre: float, affine: ConeDirection | None, trust: float) -> Array:
        """The change of the scaled point that leads to products of `centre`, less the second order of `affine`."""
        lam = self.scaling.lam
        change = (centre - lam**2)[..., None] * np.eye(lam.shape[-1])
        if affine is not None:
            crossed = affine.scaled_dp @ affine.scaled_dq
            change = change - 0.5 * trust * (crossed + crossed.swapaxes(-1, -2))
        return 2.0 * change / (lam[..., :, None] + lam[..., None, :])

    def unscaled(self, change: Array) -> Array:
        """The change of the multipliers for one of the scaled point."""
        return self._inverse.swapaxes(-1, -2) @ change @ self._inverse

    def completed(self, dp: Array, target: Array) -> ConeDirection:
        """The direction with this change of the points."""
        scaled = self._inverse @ dp @ self._inverse.swapaxes(-1, -2)
        return ConeDirection(dp, self.unscaled(target - scaled), scaled, target - scaled)

    def reach(self, step: ConeDirection) -> float:
        """Largest step inside the cones."""
        return min(self.scaling.reach(step.scaled_dp), self.scaling.reach(step.scaled_dq))

    def product(self, step: ConeDirection | None, alpha: float) -> float:
        """Sum of the products, now or after a step."""
        if step is None:
            return float(np.vdot(self.p, self.q))
        return float(np.vdot(self.p + alpha * step.dp, self.q + alpha * step.dq))

    def moved(self, step: ConeDirection, alpha: float) -> MatrixCones:
        """The cones after a step."""
        other = copy.copy(self)
        dp, dq = (0.5 * (one + one.swapaxes(-1, -2)) for one in step[:2])
        other.p, other.q = self.p + alpha * dp, self.q + alpha * dq
        return other
