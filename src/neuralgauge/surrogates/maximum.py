"""The largest output over a box, by branch and bound over the neurons that bend it upwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from .box import EPS, LinearRows, NetworkOnBox
from .envelope import facets_above
from .linear_program import linear_maximum
from .search import Search

# Of a violated row, relative to the range of the output: as a rule above the multipliers; if not, the second.
PENALTIES = (1e2, 1e6)
# Rounds of facets at the root and below, which end where one closes less than the share of what is open; and the slack
# up to which a facet goes on to the parts of a part. Random networks of 4 to 13 features and 30 to 60 neurons: without
# facets 1.9 times the seconds and more, with three rounds below the root 1.4 times.
CUT_ROUNDS, LEAST_GAIN, HOLDING = (30, 1), 0.01, 1e-7
FRACTIONAL = 1e-6  # distance from a whole number from which an integer feature is split
VIOLATION = 1e-9  # of a constraint, relative to its largest value over the box


class Facets(NamedTuple):
    """(x^T u_j)_+ <= slopes . t + levels on the whole box, of neurons by position, each any number of times."""

    neuron: npt.NDArray[np.intp]
    slopes: Array
    levels: Array

    @classmethod
    def none(cls, k: int) -> Facets:
        """For k features."""
        return cls(np.zeros(0, dtype=np.intp), np.zeros((0, k)), np.zeros(0))

    def take(self, chosen: BoolArray) -> Facets:
        """Some of them."""
        return Facets(self.neuron[chosen], self.slopes[chosen], self.levels[chosen])


class BoxPart(NamedTuple):
    """A smaller box lower <= t <= upper with signs (m,) of neurons, 0 where open.

    Its bound, the t where the linear program attains it, by how much each neuron is overestimated there, (m,), and the
    facets that hold t.
    """

    bound: float
    lower: Array
    upper: Array
    signs: npt.NDArray[np.int8]
    t: Array
    excess: Array
    facets: Facets


class Bends(NamedTuple):
    """What the neurons are on a part: on (linear), bent upwards or downwards, and their ranges."""

    on: BoolArray
    upwards: BoolArray
    downwards: BoolArray
    least: Array
    most: Array


class Maximum:
    r"""max over the box of sum_j w_j (slope_j . t + level_j)_+ + constant, with linear constraints.

    On a part of the box a neuron that keeps its sign is linear. Of the others those of w_j < 0 are concave, and exact
    in a linear program: y_j >= z_j, y_j >= 0. Those of w_j > 0 lie below the chord from (l_j, 0) to (u_j, u_j), with
    the exact range [l_j, u_j] of z_j over the box, and below the facets of their concave envelopes over the whole box
    (`facets_above`), of which those are taken that cut off the optimum of a linear program. The neuron that it then
    overestimates most is split by the sign of z_j.
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
        self.rounding = float(magnitude @ box.rounding) + 2.0 * (len(self.weight) + len(weights) + 4) * EPS * terms
        # Below every output; a part whose bound is lower, because constraints are charged, has no point.
        search.floor = self.constant - self.range - self.rounding

    def root(self) -> BoxPart:
        """The whole box."""
        k = len(self.box.free)
        return self.part(
            -np.ones(k), np.ones(k), np.zeros(len(self.weight), dtype=np.int8), Facets.none(k), CUT_ROUNDS[0]
        )

    def part(
        self, lower: Array, upper: Array, signs: npt.NDArray[np.int8], facets: Facets, rounds: int = CUT_ROUNDS[1]
    ) -> BoxPart:
        """Bound the output on a part, by some rounds of facets that cut off what the linear programs find."""
        part = self.bounded(lower, upper, signs, facets)
        for _ in range(rounds if len(lower) > 1 else 0):  # of one feature the chord is the envelope
            if not (np.any(part.excess > 0.0) and self.search.is_open(part.bound)):
                break
            found = self.bounded(lower, upper, signs, self._cut(part))
            gain = part.bound - found.bound
            part = found if gain > 0.0 else part
            if gain <= LEAST_GAIN * (part.bound - self.search.value):
                break
        return part

    def _cut(self, part: BoxPart) -> Facets:
        """The facets of a part with those that cut off its optimum."""
        cut = np.flatnonzero(part.excess > LEAST_GAIN * part.excess.mean())
        slopes, levels = facets_above(self.box.slope[cut], self.box.level[cut], part.t)
        old, levels = part.facets, levels + self.box.rounding[cut]
        return Facets(np.append(old.neuron, cut), np.vstack([old.slopes, slopes]), np.append(old.levels, levels))

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
        return Bends(on, bent & (weight > 0.0), bent & (weight < 0.0), least, most)

    def bounded(self, lower: Array, upper: Array, signs: npt.NDArray[np.int8], facets: Facets) -> BoxPart:
        """Bound the output on a part with given facets, and offer the value where the bound is attained."""
        bends = self.bends(lower, upper, signs)
        facets = facets.take(bends.upwards[facets.neuron])
        bound, t = np.inf, 0.5 * (lower + upper)
        height = np.where(bends.upwards, bends.most, 0.0)
        for penalty in PENALTIES:
            found, point = self._relaxed(lower, upper, signs, bends, facets, penalty)
            bound = min(bound, found)
            if point is None:
                break
            t = point[: len(t)]
            height[bends.upwards | bends.downwards] = point[len(t) : -1]
            if point[-1] <= VIOLATION or not self.search.is_open(bound):
                break
        self.offer(t)
        z = self.box.slope @ t + self.box.level
        excess = np.where(bends.upwards, self.weight * (height - np.maximum(z, 0.0)), 0.0)
        holding = facets.slopes @ t + facets.levels - height[facets.neuron] <= HOLDING
        return BoxPart(bound, lower, upper, signs, t, excess, facets.take(holding))

    def offer(self, t: Array) -> None:
        """Offer the value at t, where the input keeps the constraints."""
        value, x = self.value(t)
        A, b = self.constraints
        if not len(b) or np.max(A @ self.box.coordinates(x) - b) <= VIOLATION:
            self.search.offer(value, x)

    def _relaxed(
        self, lower: Array, upper: Array, signs: npt.NDArray[np.int8], bends: Bends, facets: Facets, penalty: float
    ) -> tuple[float, Array | None]:
        """Bound and point of the linear program; its unknowns are t, y of the bent neurons, the largest violation."""
        slope, level, (A, b) = self.box.slope, self.box.level, self.constraints
        bent, chosen = np.flatnonzero(bends.upwards | bends.downwards), np.flatnonzero(signs)
        down, up = np.flatnonzero(bends.downwards), np.flatnonzero(bends.upwards)
        steep = bends.most[up] / (bends.most[up] - bends.least[up])
        side = -signs[chosen].astype(float)

        def rows(inner: Array, neurons: npt.NDArray[np.intp], y: float, violation: float) -> Array:
            own = np.zeros((len(inner), len(bent) + 1))
            own[np.arange(len(neurons)), np.searchsorted(bent, neurons)] = y
            own[:, -1] = violation
            return np.hstack([inner, own])

        matrix = np.vstack(
            [
                rows(slope[down], down, -1.0, 0.0),
                rows(-steep[:, None] * slope[up], up, 1.0, 0.0),
                rows(-facets.slopes, facets.neuron, 1.0, 0.0),
                rows(side[:, None] * slope[chosen], down[:0], 0.0, -1.0),
                rows(A, down[:0], 0.0, -1.0),
            ]
        )
        chords = steep * (level[up] - bends.least[up])
        right = np.concatenate([-level[down], chords, facets.levels, -side * level[chosen], b])
        # The scaled output and y are at most one, so that programs in any units look the same to the solver.
        unit, share = self.range or 1.0, np.where(bends.on, self.weight, 0.0)
        cost = np.concatenate([share @ slope, self.weight[bent], [-penalty * self.range]]) / unit
        low, high = np.append(lower, np.zeros(len(bent) + 1)), np.concatenate([upper, np.ones(len(bent)), [4.0]])
        found = linear_maximum(cost, matrix, right, low, high)
        return found.bound * unit + share @ level + self.constant + self.rounding, found.point

    def split(self, part: BoxPart) -> Iterator[BoxPart]:
        """Two parts: of an integer feature that is not whole, or of the neuron that is overestimated most."""
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
        j = int(np.argmax(part.excess)) if part.excess.size else 0
        if part.excess.size and part.excess[j] > 0.0:
            for sign in (1, -1):
                signs = part.signs.copy()
                signs[j] = sign
                yield self.part(part.lower, part.upper, signs, part.facets)

    def _split_feature(self, part: BoxPart, k: int, below: float, step: float) -> Iterator[BoxPart]:
        for low, high in ((-1.0, below), (below + step, 1.0)):
            lower, upper = part.lower.copy(), part.upper.copy()
            lower[k] = max(lower[k], low - 4.0 * EPS)
            upper[k] = min(upper[k], high + 4.0 * EPS)
            if lower[k] <= upper[k]:
                yield self.part(lower, upper, part.signs, part.facets)
