"""Second-order cones of the rows with their multipliers, along a central path."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np

from .._array import Array
from ..solvers import _second_order as soc


class ConeDirection(NamedTuple):
    """Changes of points and multipliers of second-order cones, then the same scaled."""

    dp: Array
    dq: Array
    scaled_dp: Array
    scaled_dq: Array


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
        point = self.scaling.point
        if step is None:
            return float(np.vdot(point, point))
        return float(np.vdot(point + alpha * step.scaled_dp, point + alpha * step.scaled_dq))

    def moved(self, step: ConeDirection, alpha: float) -> Cones:
        """The cones after a step."""
        other = copy.copy(self)
        other._inner = self.scaling.moved(alpha, step.scaled_dp, step.scaled_dq)
        other.p, other.q = self.p + alpha * step.dp, self.q + alpha * step.dq
        return other
