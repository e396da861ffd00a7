r"""Rows in single precision, in a mapped file or on disk: read a chunk at a time, the column of ones never stored.

Passes that only search (`value_and_gradient`, `score_gradient`) compute in single precision where the data have it.
What is claimed from rows (outputs, gains, patterns, bounds) is computed in double precision from the values as stored,
so that an objective or a lower bound is that of these values, rounded as for a float64 array.
"""

from __future__ import annotations

import os
import weakref
from functools import cached_property
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..errors import InvalidInputError
from .chunks import SINGLE, Floats
from .readouts import DenseReadout, Readout
from .rows import Features, Index


class RowSource(Protocol):
    """Where rows (N, d) are, in what type."""

    N: int
    d: int
    names: tuple[str, ...] | None

    def read(self, rows: slice) -> Floats:
        """Consecutive rows (k, d)."""

    def gather(self, rows: Index) -> Floats:
        """Some rows (k, d), increasing."""


class ArrayRows:
    """Rows of an array in memory or of a mapped file, as they are."""

    def __init__(self, X: npt.NDArray[Any], names: tuple[str, ...] | None = None) -> None:
        self.X, self.names = X, names
        self.N, self.d = X.shape

    def read(self, rows: slice) -> Floats:
        """A view."""
        return np.asarray(self.X[rows])

    def gather(self, rows: Index) -> Floats:
        """A copy."""
        return np.asarray(self.X[rows])


class StandardizedRows:
    """Rows (x - mean) / scale of a source, computed as they are read and in its type, one of floats."""

    def __init__(self, source: RowSource, mean: Array, scale: Array) -> None:
        self.source, self.mean, self.scale, self.names = source, mean, scale, source.names
        self.N, self.d = source.N, source.d

    @property
    def shape(self) -> tuple[int, int]:
        """(N, d)."""
        return self.N, self.d

    def read(self, rows: slice) -> Floats:
        """A copy."""
        return self._scaled(self.source.read(rows))

    def gather(self, rows: Index) -> Floats:
        """A copy."""
        return self._scaled(self.source.gather(rows))

    def _scaled(self, rows: Floats) -> Floats:
        kind = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float64)
        return ((rows - self.mean) / self.scale).astype(kind, copy=False)


class FileRows:
    """Rows of a file without a header, which is closed with them; read, not mapped, so as to take no memory."""

    def __init__(self, file: Any, shape: tuple[int, int], dtype: Any, names: tuple[str, ...] | None = None) -> None:
        self._file, self.names, self._dtype = file, names, np.dtype(dtype)
        self.N, self.d = shape
        self._stride = self.d * self._dtype.itemsize
        weakref.finalize(self, file.close)

    def read(self, rows: slice) -> Floats:
        """Read by position: several threads may."""
        result = np.empty((rows.stop - rows.start, self.d), self._dtype)
        self._into(result, rows.start)
        return result

    def gather(self, rows: Index) -> Floats:
        """Read row by row."""
        result = np.empty((len(rows), self.d), self._dtype)
        for k, row in enumerate(rows.tolist()):
            self._into(result[k : k + 1], row)
        return result

    def _into(self, block: Floats, first: int) -> None:
        view, place = memoryview(cast(Any, block)).cast("B"), first * self._stride
        while view:
            count = os.preadv(self._file.fileno(), [view], place)
            if count == 0:
                raise InvalidInputError("the temporary file of rows was cut short while it was in use; train again.")
            view, place = view[count:], place + count


class StreamedFeatures(Features):
    """Rows that are read a chunk at a time, with an implicit column of ones.

    Parameters
    ----------
    source : RowSource
        Checked in one pass: an InvalidInputError names the first value that is not finite by row and column.
    bias : bool
        Whether a column of ones follows those of the source.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge.features.streamed import ArrayRows, StreamedFeatures
    >>> rows = StreamedFeatures(ArrayRows(np.array([[1.0], [-2.0]], dtype=np.float32)), bias=True)
    >>> rows.outputs(np.array([[1.0], [0.5]]), np.array([[2.0]])).tolist()
    [[3.0], [0.0]]
    """

    def __init__(self, source: RowSource, bias: bool, readout: Readout | None = None) -> None:
        self.source, self.bias = source, bool(bias)
        self.readout = DenseReadout(source.N) if readout is None else readout
        kind = source.read(slice(0, 1)).dtype
        self.largest, self._longest = self._scanned()
        small = self.largest == 0.0 or 1.0 / SINGLE < self.largest < SINGLE
        self.single = kind in (np.float16, np.float32) and small

    @property
    def N(self) -> int:
        """Rows."""
        return self.source.N

    @property
    def d(self) -> int:
        """Columns, the one of ones included."""
        return self.source.d + self.bias

    def block(self, rows: slice, searched: bool = False) -> StreamedBlock:
        """The rows in single precision if searched and stored so, else in double precision."""
        X = self.source.read(rows)
        return StreamedBlock(X.astype(np.float32 if searched and self.single else np.float64, copy=False), self.bias)

    def gathered(self, rows: Index | slice) -> Array:
        """Some of the rows."""
        X = self.source.read(_plain(rows, self.N)) if isinstance(rows, slice) else self.source.gather(rows)
        result = np.ones((len(X), self.d))
        result[:, : self.source.d] = X
        return result

    def take(self, rows: Index, readout: Readout) -> StreamedFeatures:
        """A copy of the rows in memory, in the type of the source."""
        return StreamedFeatures(ArrayRows(self.source.gather(rows), self.source.names), self.bias, readout)

    @cached_property
    def lengths(self) -> Array:
        """|x_r|, (N,)."""
        return np.concatenate([np.linalg.norm(self.gathered(rows), axis=1) for rows in self._steps(1)])

    @cached_property
    def reach(self) -> float:
        """The longest row."""
        return self._longest

    def _scanned(self) -> tuple[float, float]:
        """The largest entry and the longest row; an InvalidInputError for values that are not finite."""
        largest = longest = 0.0
        for rows in self._steps(1):
            X = self.source.read(rows).astype(np.float64, copy=False)
            check_finite(X, rows.start, self.source.names)
            largest = max(largest, float(np.max(X)), -float(np.min(X)))
            with np.errstate(over="ignore"):  # to infinity, which is refused as too large
                longest = max(longest, float(np.max(np.einsum("rk,rk->r", X, X))))
        # The longest row is rounded up, since a bound follows from it.
        return largest, float(np.sqrt(longest + self.bias)) * (1.0 + self.d * 2 * np.finfo(float).eps)


def _plain(rows: slice, N: int) -> slice:
    start, stop, _ = rows.indices(N)
    return slice(start, stop)


def check_finite(X: Floats, first: int, names: tuple[str, ...] | None) -> None:
    """Refuse rows, the first of which is number `first`, with a value that is not finite."""
    if np.isfinite(X).all():
        return
    row, column = (int(k) for k in np.argwhere(~np.isfinite(X))[0])
    label = f"column {column}" if names is None else f"column {names[column]!r}"
    raise InvalidInputError(
        f"`X` must be finite, got {X[row, column]} in row {first + row}, {label}, its first such value; "
        "impute or drop them first."
    )


class StreamedBlock(NamedTuple):
    """Rows (k, d), and whether a column of ones follows."""

    X: Floats
    ones: bool

    def times(self, U: Array) -> Floats:
        """X U, in the type of the rows."""
        weights = U.astype(self.X.dtype, copy=False)
        if not self.ones:
            return self.X @ weights
        result = self.X @ weights[:-1]
        result += weights[-1]
        return result

    def adjoint(self, H: Floats) -> Array:
        """X^T H in double precision."""
        sums = (self.X.T @ H).astype(np.float64, copy=False)
        return np.vstack([sums, H.sum(axis=0, dtype=np.float64)]) if self.ones else sums
