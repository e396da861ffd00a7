"""Consecutive rows, a chunk at a time: what a block of them computes, and how the work on all is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

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


class Block(Protocol):
    """Consecutive rows (k, d), the column of ones included, as two linear maps."""

    def times(self, U: Array) -> Any:
        """X U (k, m) for U (d, m): a new array in the precision of the block, free to be overwritten."""

    def adjoint(self, H: Any) -> Array:
        """X^T H (d, m) for H (k, m)."""


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
