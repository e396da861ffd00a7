"""The search for columns at a dual point on a sample of the rows, confirmed by all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..pricing.explore import climbed
from ..pricing.orthant import clipped, reflected
from ..pricing.search import search
from ..solvers.passes import Passes

ENTRIES_CLIMBED = 150_000  # entries of X that starts climb on; of more rows a random sample
ANYWHERE, NEAR, WHITENED = 100, 200, 50  # starts of each sign, and besides them the neurons of the network
MORE = 5  # times as many at the end
MOST_CLIMBED = 1_000  # columns of X up to which starts climb on a sample; above, fewer starts step over all rows
STEPPED, PASS_STEPS = 30, 25
MOST_WHITENED = 500  # columns of X up to which some starts make X u of equal variance: d^3 operations
NEARNESS = (-1.0, 0.0)  # powers of ten of the relative distance at which neighbours of neurons are tried
FOUND, SAME = 40, 1e-4  # columns of each sign that are kept, and 1 - cosine under which two are one
CONFIRMING_STEPS, FIRST_CONFIRMING = 4, 0.5  # over all rows, of columns found on a sample


Side = tuple[Any, Array | None]  # a sign, and the orthant of neurons under it


class ColumnSearch:
    """The best dual point of a training of one output by passes alone, its polar gauge as far as searches tell."""

    def __init__(self, passes: Passes, rng: np.random.Generator) -> None:
        self.passes, self.rng = passes, rng
        self.v: Any = None
        self.sides = passes.problem.sides
        self.missed = [
            np.zeros((passes.problem.d, 0)) for _ in self.sides
        ]  # of each sign, that the last thorough search found
        self.polar, self.lower = np.inf, -np.inf

    def price(self, v: Any, network: TwoLayerNetwork) -> list[Columns]:
        """Columns with large scores at v over all rows, best first, for each sign; keeps v if its bound is the best."""
        found = self._searched(v, network, 1)
        polar = max(float(part.values[0]) for part in found)
        if (bound := self.passes.bound(v, polar)) > self.lower:
            self.v, self.polar, self.lower = v, polar, bound
        return found

    def settle(self, network: TwoLayerNetwork) -> None:
        """Search for larger scores at the best dual point from more starts on another sample; lower its bound.

        Where rows are in memory and few enough, ascents finish the best: climbing ends near the corners of the score.
        """
        found, features = self._searched(self.v, network, MORE), self.passes.problem.features
        if features.resident:
            found = [
                search(self.v, features, 0, self.rng, starts=part.U, sign=sign, orthant=orthant)
                for (sign, orthant), part in zip(self.sides, found, strict=True)
            ]
            self.missed = [part.U[:, :FOUND] for part in found]
        self.polar = max(self.polar, *(float(part.values[0]) for part in found))
        self.lower = self.passes.bound(self.v, self.polar)

    def _searched(self, v: Any, network: TwoLayerNetwork, times: int) -> list[Columns]:
        d, N = self.passes.problem.d, self.passes.problem.features.N
        if d > MOST_CLIMBED:
            return [self._by_passes(v, network, side, min(times, 2)) for side in self.sides]
        sample = self.passes.sample(v, times * ENTRIES_CLIMBED // d, self.rng)
        whitening = _whitening(sample.rows) if d <= MOST_WHITENED else np.zeros((d, 0))
        parts = []
        for (sign, orthant), missed in zip(self.sides, self.missed, strict=True):
            own = np.hstack([network.U[:, sign * network.A[:, 0] > 0], missed])
            starts = np.hstack([own, self._around(network.U, times * NEAR), self._afar(whitening, times)])
            values, U = climbed(sample.rows, sign * sample.v, starts, orthant)
            columns = Columns(values, U, np.full((len(values), 1), sign)).best_first().distinct(FOUND, SAME)
            if len(sample.rows) < N:
                columns = self._climbed_further(v, columns.U, (sign, orthant), CONFIRMING_STEPS)
            parts.append(self._scored(v, np.hstack([columns.U, own]), sign))
        return parts

    def _by_passes(self, v: Any, network: TwoLayerNetwork, side: Side, times: int) -> Columns:
        """Columns of one sign by steps over all rows, where a sample of them would have too many entries."""
        sign, orthant = side
        own = network.U[:, sign * network.A[:, 0] > 0]
        afar = self.rng.standard_normal((len(own), times * STEPPED))
        starts = np.hstack([own, self._around(network.U, times * STEPPED), afar])
        columns = (
            self._climbed_further(v, _unit(reflected(starts, orthant)), side, PASS_STEPS)
            .best_first()
            .distinct(FOUND, SAME)
        )
        return self._scored(v, np.hstack([columns.U, own]), sign)

    def _afar(self, whitening: Array, times: int) -> Array:
        """Vectors that are uniform on the sphere, and such that X u has equal variance."""
        uniform = self.rng.standard_normal((len(whitening), times * ANYWHERE))
        return np.hstack([uniform, whitening @ self.rng.standard_normal((whitening.shape[1], times * WHITENED))])

    def _around(self, U: Array, count: int) -> Array:
        """Vectors near the neurons at hand, where better ones are found far more often than by uniform starts."""
        if U.shape[1] == 0:
            return np.zeros((len(U), 0))
        chosen = U[:, self.rng.integers(U.shape[1], size=count)]
        noise = self.rng.standard_normal(chosen.shape) * np.linalg.norm(chosen, axis=0)
        return chosen + 10.0 ** self.rng.uniform(*NEARNESS, size=count) * noise / np.sqrt(len(U))

    def _climbed_further(self, v: Any, U: Array, side: Side, steps: int) -> Columns:
        """Columns of one sign after some steps uphill over all rows."""
        sign, orthant = side
        step, G = np.full(U.shape[1], FIRST_CONFIRMING), np.full((U.shape[1], 1), sign)
        value, gradient = self.passes.score_gradient(v, U, G)
        for _ in range(steps):
            trial = (1.0 - step) * U + step * _unit(clipped(gradient, orthant))
            trial = _unit(trial)
            reached, slope = self.passes.score_gradient(v, trial, G)
            better = reached > value
            U, gradient = np.where(better, trial, U), np.where(better, slope, gradient)
            value = np.maximum(value, reached)
            step = np.where(better, step, 0.4 * step)
        return Columns(value, U, G)

    def _scored(self, v: Array, U: Array, sign: float) -> Columns:
        """Columns of one sign with their scores over all rows in double precision."""
        U = _unit(U)
        return Columns(sign * self.passes.gains(v, U)[:, 0], U, np.full((U.shape[1], 1), sign)).best_first()


def _unit(U: Array) -> Array:
    """The columns at length one; those that are zero stay."""
    return U / np.maximum(np.linalg.norm(U, axis=0), np.finfo(float).tiny)


def _whitening(X: Any) -> Array:
    """(d, r): u = whitening @ z makes X u of unit mean square for standard normal z, up to a common factor."""
    values, axes = np.linalg.eigh(np.asarray(X.T @ X, dtype=np.float64))
    kept = values > 1e-6 * values[-1]  # of products in single precision
    return axes[:, kept] / np.sqrt(values[kept])
