"""Passes over rows in shards on the workers of a Dask cluster."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..features.smoothed import Index, Single
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from ..shards.rows import ShardedRows
from ..shards.shards import Shard
from .passes import Curvature, Passes, Sample


class ShardedPasses(Passes):
    """`Passes` whose sums are formed on the workers; a dual point is a Dask array that stays there.

    A pass sends the weights to each worker and gets sums of their size back: O(m d) numbers for m neurons. Points are
    made at once and made again from their network when a worker is lost.
    """

    def __init__(self, problem: TrainingProblem, width: float = 0.0) -> None:
        super().__init__(problem, width)
        assert isinstance(problem.features, ShardedRows)
        self.shards = problem.features.shards

    def smoothed(self, U: Array, A: Array, offset: Array, width: Array) -> tuple[float, Array, Array, Array]:
        """The loss with activations smoothed and its gradients, as of rows in memory."""
        value, by_U, by_A, by_b = self.shards.total(_smoothed, shared=(self.width, U, A, offset, width))
        return value, by_U, by_A, by_b

    def score_gradient(self, v: Any, U: Array, G: Array) -> tuple[Array, Array]:
        """Scores g_j^T V^T (X u_j)_+, (m,), and their gradients in u_j, (d, m), in single precision."""
        scores, by_U = self.shards.total(_score_gradient, v, shared=(U, G))
        return scores, by_U

    def curvature(self, columns: Columns, weight: Array, offset: Array) -> Curvature:
        """The loss to second order in the weights of columns of one output."""
        return Curvature(*self.shards.total(_curvature, shared=(self.width, columns, weight, offset)))

    def sample(self, v: Any, most: int, rng: np.random.Generator) -> Sample:
        """At most so many rows at random, divided by a common factor, and the dual point of these rows."""
        n = self.shards.n
        chosen = np.arange(n) if most >= n else np.sort(rng.choice(n, most, replace=False))
        parts, scales, points = zip(*self.shards.taken(_sample, chosen, v), strict=True)
        rows = [part * np.float32(scale / max(scales)) for part, scale in zip(parts, scales, strict=True)]
        return Sample(np.vstack(rows), np.concatenate(points))

    def residual(self, network: TwoLayerNetwork) -> Any:
        """The dual point of a network."""
        shared = self.width, network
        return self.shards.kept(
            self.shards.vector(_residual, shared=shared, columns=None if self.problem.y.ndim == 1 else self.problem.c)
        )

    def atoms(self, columns: Columns) -> Array | None:
        """None: numbers for every sample stay on the workers."""
        return None


def passes_of(problem: TrainingProblem) -> Passes:
    """The passes of a problem, where its rows are."""
    return ShardedPasses(problem) if isinstance(problem.features, ShardedRows) else Passes(problem)


def _smoothed(shard: Shard, width: float, *net: Array) -> tuple[float, Array, Array, Array]:
    return shard.view(Passes).rounded(width).smoothed(*net)


def _residual(shard: Shard, width: float, network: TwoLayerNetwork) -> Array:
    return shard.view(Passes).rounded(width).residual(network)


def _score_gradient(shard: Shard, U: Array, G: Array, v: Array) -> tuple[Array, Array]:
    return shard.view(Passes).score_gradient(v, U, G)


def _curvature(
    shard: Shard, width: float, columns: Columns, weight: Array, offset: Array
) -> tuple[float, Array, Array]:
    value, gradient, hessian = shard.view(Passes).rounded(width).curvature(columns, weight, offset)
    return value, gradient, hessian


def _sample(shard: Shard, samples: Index, v: Array) -> tuple[Single, float, Array]:
    smoothed = shard.problem.features.smoothed
    return smoothed.sampled(samples), smoothed.scale, v[samples]
