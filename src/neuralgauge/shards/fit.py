"""The data fit of samples in shards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array, frozen
from ..errors import InvalidInputError
from ..losses import Loss
from ..losses.datafit import DataFit
from .shards import Shard, Shards


@dataclass(frozen=True, eq=False)
class ShardedFit(DataFit):
    """`DataFit` whose targets, weights, outputs, gradients and dual points are Dask arrays in the shards' chunks.

    Arrays are made when they are needed; every number is one pass over the shards.
    """

    shards: Shards = field(kw_only=True)

    @classmethod
    def over(cls, shards: Shards, loss: Loss, offset: bool) -> ShardedFit:
        """The fit of shards that hold a problem each."""
        if offset:
            raise InvalidInputError(
                "`offset=True` is not taken with rows in a Dask cluster: the sums of dual points that must vanish run "
                "over all shards; leave it out, and with `bias=True` a neuron makes the offset at the price of one."
            )
        shape = shards.total(_shape, combine=_first)
        y, weight = (shards.kept(shards.vector(work, columns=k)) for work, k in ((_targets, shape), (_weights, None)))
        return cls(y, weight, loss, False, shards=shards)

    def part(self, samples: npt.NDArray[np.intp] | slice) -> DataFit:
        """The fit to some samples, increasing, in memory."""
        chosen = np.arange(self.n)[samples] if isinstance(samples, slice) else samples
        y, weight = zip(*self.shards.taken(_samples, chosen), strict=True)
        return DataFit(frozen(np.concatenate(y)), frozen(np.concatenate(weight)), self.loss, self.offset)

    def output(self, k: int) -> DataFit:
        """Refused: the shards hold all outputs."""
        raise InvalidInputError(
            "one output apart is not taken from rows in a Dask cluster; make a problem for each column of y."
        )

    def value(self, f: Any) -> float:
        """L(f)."""
        return float(self.shards.total(_value, f))

    def gradient(self, f: Any) -> Any:
        """Gradient of L at f."""
        return self._vector(_gradient, f)

    @property
    def steepness(self) -> float:
        """The sum of s_i a_i^2, a_i the steepest slope of the loss."""
        return float(self.shards.total(_steepness))

    @property
    def constant(self) -> Array:
        """Zeros (c,): there is no offset."""
        return np.zeros(self.c)

    @property
    def empty_dual(self) -> Any:
        """v = -grad L at outputs zero."""
        return self._vector(_empty_dual)

    def project(self, v: Any) -> Any:
        """A point near v for which L*(-v) is finite."""
        return self._vector(_project, v)

    def distance(self, v: Any) -> float:
        """Bound on the l1 distance from v to where L*(-v) is finite exactly."""
        return float(self.shards.total(_distance, v))

    def largest_multiple(self, v: Any) -> float:
        """The largest multiple of v that lies in the intervals of the domain of L*."""
        return float(self.shards.total(_largest_multiple, v, combine=min))

    def dual_objective(self, v: Any) -> float:
        """-L*(-v)."""
        return float(self.shards.total(_dual_objective, v))

    def dual_bound(self, v: Any, distance: float = 0.0) -> float:
        """The dual objective of a point within this l1 distance of v at which L* is finite, rounded down."""
        bounds = self.shards.total(_dual_bounds, v, shared=(distance,), combine=_joined)
        # The whole distance may lie in any one shard.
        moved = max(at - near for at, near in bounds)
        return float(np.nextafter(math.fsum([-moved, *(at for at, _ in bounds)]), -np.inf))

    def _vector(self, work: Any, *vectors: Any) -> Any:
        return self.shards.vector(work, *vectors, columns=None if self.y.ndim == 1 else self.c)


def _shape(shard: Shard) -> int | None:
    y = shard.problem.y
    return None if y.ndim == 1 else int(y.shape[1])


def _targets(shard: Shard) -> Array:
    return shard.problem.fit.y


def _weights(shard: Shard) -> Array:
    return shard.problem.fit.weight


def _samples(shard: Shard, samples: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    fit = shard.problem.fit
    return fit.y[samples], fit.weight[samples]


def _value(shard: Shard, f: Array) -> float:
    return shard.problem.fit.value(f)


def _gradient(shard: Shard, f: Array) -> Array:
    return shard.problem.fit.gradient(f)


def _empty_dual(shard: Shard) -> Array:
    return shard.problem.fit.empty_dual


def _steepness(shard: Shard) -> float:
    return shard.problem.fit.steepness


def _project(shard: Shard, v: Array) -> Array:
    return shard.problem.fit.project(v)


def _distance(shard: Shard, v: Array) -> float:
    return shard.problem.fit.distance(v)


def _largest_multiple(shard: Shard, v: Array) -> float:
    return shard.problem.fit.largest_multiple(v)


def _dual_objective(shard: Shard, v: Array) -> float:
    return shard.problem.fit.dual_objective(v)


def _dual_bounds(shard: Shard, distance: float, v: Array) -> list[tuple[float, float]]:
    fit = shard.problem.fit
    return [(fit.dual_bound(v), fit.dual_bound(v, distance))]


def _first(parts: list[Any]) -> Any:
    return parts[0]


def _joined(parts: list[Any]) -> Any:
    return [bound for part in parts for bound in part]
