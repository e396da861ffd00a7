"""Consecutive rows, a chunk at a time: what a block of them computes, and how the work on all is shared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from .._array import Array
from .._threads import in_threads
from .readouts import Readout

Floats = npt.NDArray[np.floating[Any]]  # in the precision that a block computes in
Heads = Callable[[slice], Callable[[Array], tuple[float, Array]]]  # samples -> (outputs -> value, gradient)
S = TypeVar("S")
T = TypeVar("T")

FEW = 3  # chunks from which threads are used
GROUPS, SUMS = 64, 1e7  # sums of chunks that are in memory at once: how many, and their entries
SINGLE = 1e9  # largest weights, and one over it the least, of which single precision holds all products


class Block(Protocol):
    """Consecutive rows (k, d), the column of ones included, as two linear maps."""

    def times(self, U: Array) -> Any:
        """X U (k, m) for U (d, m): a new array in the precision of the block, free to be overwritten."""

    def adjoint(self, H: Any) -> Array:
        """X^T H (d, m) for H (k, m)."""


class DenseBlock(NamedTuple):
    """Rows of an array, in its precision."""

    X: npt.NDArray[Any]

    def times(self, U: Any) -> Any:
        """X U."""
        return self.X @ U

    def adjoint(self, H: Any) -> Any:
        """X^T H."""
        return self.X.T @ H


class RowAccess(Protocol):
    """What the passes of searches need to know of features."""

    readout: Readout
    resident: bool

    @property
    def N(self) -> int:
        """RowAccess."""

    @property
    def d(self) -> int:
        """Columns."""

    def block(self, rows: slice, searched: bool = False) -> Block:
        """Consecutive rows; `searched` allows the precision of the data where that is below float64."""

    def gathered(self, rows: npt.NDArray[np.intp] | slice) -> Array:
        """Some of the rows (k, d), dense and in float64."""

    def dense(self, rows: npt.NDArray[np.intp] | slice | None = None) -> Array:
        """X, or some of its rows (k, d)."""


def mapped(work: Callable[[S], T], chunks: list[S]) -> Iterable[T]:
    """Return the work on every chunk, in order; in threads where there are several chunks."""
    if len(chunks) < FEW:
        return [work(chunk) for chunk in chunks]
    return in_threads(work, chunks)


def folded(work: Callable[[S], tuple[Any, ...]], chunks: list[S], entries: int) -> tuple[Any, ...]:
    """Return the sums over all chunks of the terms that the work returns, so many entries; neighbours add up first."""

    def of(group: list[S]) -> tuple[Any, ...]:
        total = work(group[0])
        for chunk in group[1:]:
            total = tuple(sum_ + term for sum_, term in zip(total, work(chunk), strict=True))
        return total

    size = math.ceil(len(chunks) / min(max(SUMS / max(entries, 1), FEW), GROUPS))
    parts = mapped(of, [chunks[first : first + size] for first in range(0, len(chunks), size)])
    return tuple(sum(terms[1:], terms[0]) for terms in zip(*parts, strict=True))


def in_single(*weights: Array) -> bool:
    """Whether products of such weights stay in the range of single precision."""
    largest = [float(np.max(np.abs(one), initial=0.0)) for one in weights]
    return all(one == 0.0 or 1.0 / SINGLE < one < SINGLE for one in largest)
