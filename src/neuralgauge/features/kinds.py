"""What users hold as X, to the kind of features that keeps it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._array import as_design, check_size
from .device import DeviceRows
from .parquet import ParquetRows
from .places import detached, is_elsewhere
from .rows import DenseFeatures, Features
from .sparse import SparseFeatures, as_csr
from .streamed import ArrayRows, RowSource, StandardizedRows, StreamedFeatures

CONVERTED = 10_000_000  # entries up to which single precision, and Parquet, become a float64 array in memory


def features_of(X: Any, bias: bool) -> Features:
    """The rows of X, checked, with a column of ones where `bias`.

    Arrays of other libraries stay on their device, a sparse matrix stays sparse and a `numpy.memmap` where it is.
    Parquet files and arrays of single precision are kept as they are from 10 million entries on. Everything else
    becomes a float64 array.
    """
    if is_elsewhere(X):
        return DeviceRows(X, bias)
    if hasattr(X, "tocsr"):
        sparse = SparseFeatures(as_csr(X), bias)
        check_size("X", sparse.largest)
        return sparse
    X = detached(X)
    source = _streamed(X)
    if source is not None:
        streamed = StreamedFeatures(source, bias)
        check_size("X", streamed.largest)
        return streamed
    names = None
    if isinstance(X, ParquetRows):
        names, X = X.names, np.vstack(list(X.blocks()))
    dense = as_design(X, bias, names)
    check_size("X", dense)
    return DenseFeatures(dense)


def _streamed(X: Any) -> RowSource | None:
    """Where rows are read from that are to be kept as they are; None where X becomes a float64 array."""
    if isinstance(X, StandardizedRows):
        return X
    if isinstance(X, ParquetRows):
        return X.rows if X.shape[0] * X.shape[1] > CONVERTED else None
    if isinstance(X, np.memmap) and X.ndim == 2 and X.size and X.dtype.kind in "biuf":
        return ArrayRows(X)
    single = str(getattr(X, "dtype", "")).endswith("float32") and X.ndim == 2
    return ArrayRows(np.asarray(X)) if single and X.shape[0] * X.shape[1] > CONVERTED else None


def kept_as_it_is(X: Any) -> bool:
    """Whether estimators and networks take the rows of X as they are; of smaller X they make an array."""
    if hasattr(X, "tocsr") or isinstance(X, np.memmap):
        return len(X.shape) == 2 and X.shape[0] * X.shape[1] > CONVERTED
    return isinstance(X, ParquetRows) or (isinstance(X, np.ndarray) and _streamed(X) is not None)


def tables_read(X: Any, y: Any) -> tuple[Any, Any]:
    """X and y, with paths and LazyFrames as `ParquetRows`; y may name target columns of them."""
    if isinstance(X, ParquetRows) or not (isinstance(X, str | os.PathLike) or type(X).__name__ == "LazyFrame"):
        return X, y
    names = [y] if isinstance(y, str) else list(y) if isinstance(y, list | tuple) else []
    if not names or not all(isinstance(name, str) for name in names):
        return ParquetRows(X), y
    rows = ParquetRows(X, names)
    return rows, rows.y
