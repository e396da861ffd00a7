"""The rows of X in shards: passes run on the workers."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from ..features.chunks import Block
from ..features.readouts import DenseReadout, Readout
from ..features.rows import Features, Index, triangle_of
from .shards import Shard, Shards

MOST_NUMBERS = 20_000_000  # that are brought here at most: 160 MB
REMEDY = "give `X.compute()` where one process has room for them."


class ShardedRows(Features):
    """Rows X (n, d) in shards, the column of ones included; one row a sample.

    Weights travel to the workers and sums back, O(m d) numbers for m neurons; what has an entry for every sample is a
    Dask array (n,) or (n, c) in the shards' chunks.
    """

    def __init__(self, shards: Shards) -> None:
        self.shards, self.readout = shards, DenseReadout(shards.n)
        self._d = int(shards.total(_columns, combine=_first))

    @property
    def N(self) -> int:
        """Rows."""
        return self.shards.n

    @property
    def d(self) -> int:
        """Columns."""
        return self._d

    def block(self, rows: slice, searched: bool = False) -> Block:
        """Refused: products with every row stay on the workers."""
        raise InvalidInputError(
            "this needs a number for every row and neuron in the memory of one process, and the rows are in a Dask "
            f"cluster; {REMEDY}"
        )

    def gathered(self, rows: Index | slice) -> Array:
        """Some of the rows, increasing, brought here."""
        chosen = np.arange(self.N)[rows] if isinstance(rows, slice) else rows
        if len(chosen) * self.d > MOST_NUMBERS:
            raise InvalidInputError(
                f"at most {MOST_NUMBERS // self.d} rows of {self.d} columns are taken out of a Dask cluster at once, "
                f"got {len(chosen)}; {REMEDY}"
            )
        return np.vstack(self.shards.taken(_rows, chosen))

    def take(self, rows: Index, readout: Readout) -> ShardedRows:
        """Refused: shards stay as they are."""
        raise InvalidInputError(f"rows in a Dask cluster are not taken apart; {REMEDY}")

    def part(self, samples: Index) -> Any:
        """Some of the rows, increasing, brought here."""
        return self.dense_part(samples)

    @property
    def lengths(self) -> Any:
        """|x_r|, a Dask array (N,)."""
        return self.shards.vector(_lengths)

    @cached_property
    def reach(self) -> float:
        """The longest row."""
        return float(self.shards.total(_reach, combine=max))

    def triangle(self) -> Array:
        """R (d, d) of X = Q R up to signs, by those of the shards."""
        return np.asarray(self.shards.total(_triangle, combine=_triangle_of))

    def outputs(self, U: Array, A: Array) -> Any:
        """(n, c): activations (X U)_+ read out by A (m, c)."""
        return self.shards.vector(_outputs, shared=(U, A), columns=A.shape[1])

    def gains(self, V: Any, U: Array) -> Array:
        """(m, c): V^T (X u_j)_+."""
        return np.asarray(self.shards.total(_gains, V, shared=(U,)))

    def score_gradient(self, V: Any, U: Array, G: Array) -> tuple[Array, Array]:
        """Scores g_j^T V^T (X u_j)_+ (m,) and their gradients in u_j, (d, m)."""
        scores, by_U = self.shards.total(_score_gradient, V, shared=(U, G))
        return scores, by_U

    def dense(self, rows: Index | slice | None = None) -> Array:
        """Some of the rows; refused for all of them."""
        if rows is not None:
            return self.gathered(rows)
        raise InvalidInputError(
            f"this needs all rows of X at once as a dense float64 array, and they are in a Dask cluster; {REMEDY}"
        )


def _columns(shard: Shard) -> int:
    return shard.problem.d


def _reach(shard: Shard) -> float:
    return shard.problem.reach


def _triangle(shard: Shard) -> Array:
    # Not its `span`: where workers are threads of this process, that property is being computed here, and those of
    # Python 3.11 have one lock for all objects.
    return shard.problem.features.triangle()


def _triangle_of(parts: list[Array]) -> Array:
    return triangle_of(np.vstack(parts))


def _outputs(shard: Shard, U: Array, A: Array) -> Array:
    return shard.problem.features.outputs(U, A)


def _gains(shard: Shard, U: Array, V: Array) -> Array:
    return shard.problem.features.gains(V, U)


def _lengths(shard: Shard) -> Array:
    return shard.problem.features.lengths


def _score_gradient(shard: Shard, U: Array, G: Array, V: Array) -> tuple[Array, Array]:
    return shard.problem.features.score_gradient(V, U, G)


def _rows(shard: Shard, samples: Index) -> Array:
    return shard.problem.features.gathered(samples)


def _first(parts: list[Any]) -> Any:
    return parts[0]
