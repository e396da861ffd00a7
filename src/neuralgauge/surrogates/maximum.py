"""The largest output over a box, by branch and bound over the neurons that bend it upwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from .box import EPS, LinearRows, NetworkOnBox
from .linear_program import linear_maximum
from .search import Search

# Of a violated row, relative to the range of the output: as a rule above the multipliers; if not, the second.
PENALTIES = (1e2, 1e6)
FRACTIONAL = 1e-6  # distance from a whole number from which an integer feature is split
VIOLATION = 1e-9  # of a constraint, relative to its largest value over the box


class BoxPart(NamedTuple):
    """A smaller box lower <= t <= upper with signs (m,) of neurons, 0 where open; its bound, where that is attained."""

    bound: float
    lower: Array
    upper: Array
    signs: npt.NDArray[np.int8]
    t: Array


class Bends(NamedTuple):
    """What the neurons are on a part: on (linear), bent upwards (chord slope and level), bent downwards."""

    on: BoolArray
    upwards: BoolArray
    downwards: BoolArray
    steep: Array
    least: Array


class Maximum:
    r"""max over the box of sum_j w_j (slope_j . t + level_j)_+ + constant, with linear constraints.

    On a part of the box a neuron that keeps its sign is linear. Of the others those of w_j < 0 are concave, and exact
    in a linear program: y_j >= z_j, y_j >= 0. Those of w_j > 0 lie below the chord from (l_j, 0) to (u_j, u_j), with
    the exact range [l_j, u_j] of z_j over the box; the one furthest below is split by the sign of z_j.
    """

    def __init__(self, box: NetworkOnBox, weights: Array, constraints: LinearRows, search: Search) -> None:
        self.box, self.search, self.constraints = box, search, constraints
        self.readout = weights
        self.weight = (box.network.A @ weights) * box.size
        self.constant = float(np.asarray(box.network.offset) @ weights)
        self.range = float(np.abs(self.weight).sum())
        total = self.range + np.abs(np.asarray(box.network.offset)) @ np.abs(weights)
        # Of the neurons and of sums over them, here and in a prediction.
        magnitude = (np.abs(box.network.A) @ np.abs(weights)) * box.size
        terms = float(magnitude.sum()) + total
        self.rounding = float(magnitude @ box.rounding) + 2.0 * (len(self.weight) + 4) * EPS * terms
        # Below every output; a part whose bound is lower, because constraints are charged, has no point.
        search.floor = self.constant - self.range - self.rounding

    def root(self) -> BoxPart:
        """The whole box."""
        k = len(self.box.free)
        return self.part(-np.ones(k), np.ones(k), np.zeros(len(self.weight), dtype=np.int8))

    def value(self, t: Array) -> tuple[float, Array]:
        """The output at the input of coordinates t, and the input."""
        x = self.box.point(t)
        return float(np.reshape(self.box.network.predict(x[None]), -1) @ self.readout), x

    def bends(self, lower: Array, upper: Array, signs: npt.NDArray[np.int8]) -> Bends:
        """What the neurons are on a part; ranges are those of its box, rounded outwards."""
        slope, weight = self.box.slope, self.weight
        middle = slope @ (0.5 * (lower + upper)) + self.box.level
        reach = np.abs(slope) @ (0.5 * (upper - lower)) + self.box.rounding + 4.0 * EPS
        least, most = middle - reach, middle + reach
        on = (least >= 0.0) | (signs > 0)
        bent = ~on & (most > 0.0) & (signs == 0)
        steep = np.divide(most, most - least, out=np.zeros_like(most), where=bent)
        return Bends(on, bent & (weight > 0.0), bent & (weight < 0.0), steep, least)

    def part(self, lower: Array, upper: Array, signs: npt.NDArray[np.int8]) -> BoxPart:
        """Bound the output on a part, and offer the value where the bound is attained."""
        bends = self.bends(lower, upper, signs)
        bound, t = np.inf, 0.5 * (lower + upper)
        for penalty in PENALTIES:
            found, point, violation = self._relaxed(lower, upper, signs, bends, penalty)
            bound = min(bound, found)
            if point is not None:
                t = point
            if point is None or violation <= VIOLATION or not self.search.is_open(bound):
                break
        self.offer(t)
        return BoxPart(bound, lower, upper, signs, t)

    def offer(self, t: Array) -> None:
        """Offer the value at t, where the input keeps the constraints."""
        value, x = self.value(t)
        A, b = self.constraints
        if not len(b) or np.max(A @ self.box.coordinates(x) - b) <= VIOLATION:
            self.search.offer(value, x)

    def _relaxed(
        self, lower: Array, upper: Array, signs: npt.NDArray[np.int8], bends: Bends, penalty: float
    ) -> tuple[float, Array | None, float]:
        """Bound, point and largest violation of the linear program; unknowns are t, y of `downwards`, the violation."""
        box, weight, (A, b) = self.box, self.weight, self.constraints
        slope, level = box.slope, box.level
        k, down = len(box.free), np.flatnonzero(bends.downwards)
        # Linear neurons count as they are, those bent upwards by their chords.
        share = weight * np.where(bends.on, 1.0, np.where(bends.upwards, bends.steep, 0.0))
        constant = share @ level - (share * bends.least)[bends.upwards].sum()
        chosen = np.flatnonzero(signs)
        side = -signs[chosen].astype(float)[:, None]
        none = np.zeros
        rows = np.block(
            [
                [slope[down], -np.eye(len(down)), none((len(down), 1))],
                [side * slope[chosen], none((len(chosen), len(down))), np.full((len(chosen), 1), -1.0)],
                [A, none((len(b), len(down))), np.full((len(b), 1), -1.0)],
            ]
        )
        right = np.concatenate([-level[down], -side[:, 0] * level[chosen], b])
        # The scaled output and y are at most one, so that programs in any units look the same to the solver.
        unit = self.range or 1.0
        cost = np.concatenate([share @ slope, weight[down], [-penalty * self.range]]) / unit
        low = np.concatenate([lower, none(len(down) + 1)])
        high = np.concatenate([upper, np.ones(len(down)), [4.0]])
        found = linear_maximum(cost, rows, right, low, high)
        bound = found.bound * unit + constant + self.constant + self.rounding
        point = None if found.point is None else found.point[:k]
        return bound, point, 0.0 if found.point is None else float(found.point[-1])

    def split(self, part: BoxPart) -> Iterator[BoxPart]:
        """Two parts: of an integer feature that is not whole, or of the neuron furthest below its chord."""
        box = self.box
        whole = np.flatnonzero(box.integer[box.free])
        if whole.size:
            at, half = box.middle[box.free][whole], box.half[box.free][whole]
            x = at + half * part.t[whole]
            apart = np.abs(x - np.rint(x))
            k = int(np.argmax(apart))
            if apart[k] > FRACTIONAL:
                yield from self._split_feature(part, int(whole[k]), (np.floor(x[k]) - at[k]) / half[k], 1.0 / half[k])
                return
        bends = self.bends(part.lower, part.upper, part.signs)
        z = box.slope @ part.t + box.level
        below = np.where(bends.upwards, self.weight * (bends.steep * (z - bends.least) - np.maximum(z, 0.0)), 0.0)
        j = int(np.argmax(below)) if below.size else 0
        if below.size and below[j] > 0.0:
            for sign in (1, -1):
                signs = part.signs.copy()
                signs[j] = sign
                yield self.part(part.lower, part.upper, signs)

    def _split_feature(self, part: BoxPart, k: int, below: float, step: float) -> Iterator[BoxPart]:
        for low, high in ((-1.0, below), (below + step, 1.0)):
            lower, upper = part.lower.copy(), part.upper.copy()
            lower[k] = max(lower[k], low - 4.0 * EPS)
            upper[k] = min(upper[k], high + 4.0 * EPS)
            if lower[k] <= upper[k]:
                yield self.part(lower, upper, part.signs)
