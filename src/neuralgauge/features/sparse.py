"""Sparse rows: compressed rows (CSR), never made dense; the column of ones is implicit."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from .._array import Array
from ..errors import InvalidInputError
from .chunks import Floats
from .readouts import DenseReadout, Readout
from .rows import BLOCK, CHUNK, Features, Index

DENSE = 2e6  # activations of a chunk at most


class SparseFeatures(Features):
    """Rows of a sparse matrix (N, d), with an implicit column of ones.

    Passes take O(nnz m) operations in double precision and memory O(nnz + N + d m).

    Parameters
    ----------
    X : csr_array of shape (N, d)
        Finite; see `as_csr`.
    bias : bool
        Whether a column of ones follows.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from neuralgauge.features.sparse import SparseFeatures
    >>> rows = SparseFeatures(csr_array(np.array([[1.0, 0.0], [0.0, -2.0]])), bias=True)
    >>> rows.outputs(np.array([[1.0], [1.0], [0.5]]), np.array([[2.0]])).tolist()
    [[3.0], [0.0]]
    """

    def __init__(self, X: Any, bias: bool, readout: Readout | None = None) -> None:
        self.X, self.bias = X, bool(bias)
        self.readout = DenseReadout(X.shape[0]) if readout is None else readout
        self.largest = float(np.max(np.abs(X.data), initial=0.0))

    @property
    def N(self) -> int:
        """Rows."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Columns, the one of ones included."""
        return int(self.X.shape[1]) + self.bias

    @property
    def size(self) -> int:
        """Entries that are stored, and the rows for the column of ones: the work of a pass a neuron."""
        return int(self.X.nnz) + self.N

    def block(self, rows: slice, searched: bool = False) -> SparseBlock:
        """A view of the rows."""
        first, last = self.X.indptr[rows.start], self.X.indptr[rows.stop]
        entries = slice(int(first), int(last))
        data = self.X.data[entries].astype(np.float64, copy=False)
        indptr = self.X.indptr[rows.start : rows.stop + 1] - first
        shape = (rows.stop - rows.start, self.X.shape[1])
        return SparseBlock(csr_array((data, self.X.indices[entries], indptr), shape=shape), self.bias)

    def gathered(self, rows: Index | slice) -> Array:
        """Some of the rows, dense."""
        X = self.X[rows]
        result = np.ones((X.shape[0], self.d))
        result[:, : X.shape[1]] = X.toarray()
        return result

    def take(self, rows: Index, readout: Readout) -> SparseFeatures:
        """A copy of the rows."""
        return SparseFeatures(self.X[rows], self.bias, readout)

    def _most_rows(self, m: int) -> float:
        # The adjoint of a chunk has d m entries, so that a chunk should not have fewer of its own.
        enough = min(self.d * self.N / self.size, DENSE / max(m, 1))
        return max(min(CHUNK / max(m, 1), BLOCK * self.N / self.size), enough)

    @cached_property
    def lengths(self) -> Array:
        """|x_r|, (N,)."""
        squares = [self.block(rows).X.power(2).sum(axis=1) for rows in self._steps(1)]
        return np.sqrt(np.concatenate(squares) + self.bias)


class SparseBlock(NamedTuple):
    """Sparse rows (k, d), and whether a column of ones follows."""

    X: Any
    ones: bool

    def times(self, U: Array) -> Array:
        """X U."""
        if not self.ones:
            return np.asarray(self.X @ U)
        result = np.asarray(self.X @ U[:-1])
        result += U[-1]
        return result

    def adjoint(self, H: Floats) -> Array:
        """X^T H."""
        sums = np.asarray(self.X.T @ H)
        return np.vstack([sums, H.sum(axis=0)]) if self.ones else sums


def as_csr(X: Any) -> Any:
    """A sparse matrix or array as CSR without a copy where it is one, float32 or float64; checked."""
    if X.ndim != 2 or 0 in X.shape:
        raise InvalidInputError(f"`X` must have two dimensions, samples and features, none empty, got shape {X.shape}.")
    if X.dtype.kind not in "biuf":
        raise InvalidInputError(f"`X` must hold real numbers, got a sparse matrix of {X.dtype}.")
    result = csr_array(X)
    if result.dtype not in (np.float32, np.float64):
        result = result.astype(np.float64)
    if not result.has_canonical_format:
        result = result.copy() if result.data is getattr(X, "data", None) else result
        result.sum_duplicates()
    bad = np.flatnonzero(~np.isfinite(result.data))
    if bad.size:
        row = int(np.searchsorted(result.indptr, bad[0], side="right")) - 1
        raise InvalidInputError(
            f"`X` must be finite, got {result.data[bad[0]]} in row {row}, column {result.indices[bad[0]]} "
            f"({bad.size} such value{'s' if bad.size > 1 else ''}); impute or drop them first."
        )
    return result
