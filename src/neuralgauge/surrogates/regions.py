"""Activation regions of a network in a box: which signs of the neurons hold on a set of some size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from .linear_program import linear_maximum

THINNEST = 1e-9  # radius of a ball, with the box scaled to [-1, 1]^k; a thinner region counts as without volume
SMALLEST_STEP = 1e-3  # of the radius, from a point inside to one in the same region off all kinks

Signs = npt.NDArray[np.int8]


class Ball(NamedTuple):
    """A point t (k,) with signs that hold on a ball of this radius around it; a bound on the largest radius."""

    t: Array
    radius: float
    bound: float


class Regions:
    """Half-spaces slope_j . t + level_j > 0 and < 0 in the cube [-1, 1]^k; rows (m, k) and (m,)."""

    def __init__(self, slope: Array, level: Array) -> None:
        length = np.linalg.norm(slope, axis=1)
        self.slope, self.level = slope / length[:, None], level / length
        self.rng = np.random.default_rng(0)

    def ball(self, signs: Signs) -> Ball:
        r"""The largest ball: max r with sign_j (slope_j . t + level_j) >= r, |t_k| <= 1 - r; 0 are open.

        A linear program with k + 1 unknowns, always feasible; the radius is that of the point it gives.
        """
        chosen = np.flatnonzero(signs)
        side = signs[chosen].astype(float)
        k = self.slope.shape[1]
        rows = -side[:, None] * self.slope[chosen]
        A = np.block(
            [
                [rows, np.ones((len(chosen), 1))],
                [np.eye(k), np.ones((k, 1))],
                [-np.eye(k), np.ones((k, 1))],
            ]
        )
        b = np.concatenate([side * self.level[chosen], np.ones(2 * k)])
        reach = float(np.abs(self.slope).sum(axis=1).max(initial=0.0) + np.abs(self.level).max(initial=0.0)) + 1.0
        low, high = np.append(-np.ones(k), -reach), np.append(np.ones(k), 1.0)
        found = linear_maximum(np.append(np.zeros(k), 1.0), A, b, low, high)
        if found.point is None:
            return Ball(np.zeros(k), -np.inf, found.bound)
        t = found.point[:k]
        return Ball(t, self.radius(t, signs), found.bound)

    def radius(self, t: Array, signs: Signs) -> float:
        """Of the ball around t on which the signs hold, < 0 where they do not hold at t."""
        chosen = signs != 0
        z = signs[chosen] * (self.slope[chosen] @ t + self.level[chosen])
        return float(min(z.min(initial=np.inf), 1.0 - np.abs(t).max(initial=0.0)))

    def inside(self, t: Array, radius: float, signs: Signs) -> tuple[Array, BoolArray] | None:
        """A point near t off every kink, by a step within the ball, and the neurons that are on there."""
        for share in (0.0, 0.5, 0.9):
            step = self.rng.standard_normal(len(t))
            near = t + share * max(radius, 0.0) * step / max(float(np.linalg.norm(step)), 1e-300)
            z = self.slope @ near + self.level
            full = np.where(z > 0.0, 1, -1).astype(np.int8)
            # On a ball of this size the signs are certain, and the region counts.
            if self.radius(near, full) > THINNEST and np.all((signs == 0) | (signs == full)):
                return near, z > 0.0
        return None
