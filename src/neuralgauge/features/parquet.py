"""Rows of Parquet files: decoded once, a block at a time, into memory or, where they do not fit, a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..errors import InvalidInputError
from ..quoting import closest, listed, quoted
from .chunks import Floats
from .rows import Index
from .streamed import ArrayRows, FileRows, RowSource

if TYPE_CHECKING:
    import polars as pl

DECODED = 4_000_000  # cells of a block that is decoded at once
IN_MEMORY = 2**31  # bytes of decoded rows that are kept in memory unless told otherwise


class ParquetRows:
    r"""Feature columns of Parquet files, or of a polars LazyFrame, and the target columns beside them.

    Only the targets are read into memory whole. The features are decoded once, a block of rows at a time: into memory
    where that takes at most `memory` bytes, otherwise into a temporary file, 4 or 8 bytes a cell, which every pass
    reads and which vanishes with the object.

    Parameters
    ----------
    source : str, Path or polars.LazyFrame
        A file, a pattern such as ``"part-*.parquet"``, or a query, whose slices are collected one after the other.
    target : str or list of str, optional
        Target columns.
    features : list of str, optional
        Feature columns, in this order; by default all others. They must hold numbers or booleans.
    dtype : {"float32", "float64"}, optional
        Type in which the features are held. By default float32 where no column needs more: floats of 32 bits, integers
        of at most 16 and booleans.
    memory : int
        Bytes of features up to which they are kept in memory.

    Attributes
    ----------
    names : tuple of str
        Feature columns.
    shape : tuple (n, d)
        Rows and feature columns.

    Raises
    ------
    InvalidInputError
        For files that are no Parquet, columns that are missing or hold no numbers, and, when they are read, values that
        are not finite.

    Examples
    --------
    >>> import polars as pl
    >>> import neuralgauge as ng
    >>> table = pl.LazyFrame({"a": [-2.0, -1.0, 0.0, 1.0, 2.0], "price": [1.0, -1.0, 1.0, 1.0, -1.0]})
    >>> rows = ng.ParquetRows(table, target="price")
    >>> rows.names, rows.shape, rows.y.tolist()
    (('a',), (5, 1), [1.0, -1.0, 1.0, 1.0, -1.0])
    >>> ng.TrainingProblem(rows, rows.y, beta=0.1).d
    2
    """

    def __init__(
        self,
        source: str | Path | pl.LazyFrame,
        target: str | Sequence[str] | None = None,
        features: Sequence[str] | None = None,
        *,
        dtype: Any = None,
        memory: int = IN_MEMORY,
    ) -> None:
        import polars as pl

        self.path = "the table" if isinstance(source, pl.LazyFrame) else str(source)
        self.frame = source if isinstance(source, pl.LazyFrame) else pl.scan_parquet(source)
        self.memory = memory
        self.targets = (target,) if isinstance(target, str) else tuple(target or ())
        self._schema = schema_of(self.frame, self.path)
        self._n = int(self._collected(self.frame.select(pl.len())).item())
        given = tuple(features) if features is not None else tuple(c for c in self._schema if c not in self.targets)
        self.names = given
        self._check_columns()
        self.dtype = self._narrowest() if dtype is None else np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise InvalidInputError(f'`dtype` must be "float32" or "float64", got {dtype!r}.')
        self._mean: Array | None = None
        self._scale: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and feature columns."""
        return self._n, len(self.names)

    @cached_property
    def y(self) -> npt.NDArray[Any]:
        """Target columns as they are, (n,) for one of them, else (n, c)."""
        if not self.targets:
            raise InvalidInputError("no `target` was named; name the target columns, ParquetRows(source, target=...).")
        columns = [self._column(name) for name in self.targets]
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    def _column(self, name: str) -> npt.NDArray[Any]:
        return self._collected(self.frame.select(_named(name))).get_column(name).to_numpy()

    def blocks(self) -> Iterator[Array]:
        """The features, decoded in double precision, a block of rows after the other."""
        step = max(1, DECODED // len(self.names))
        for first in range(0, self._n, step):
            table = self._collected(self.frame.select([_named(name) for name in self.names]).slice(first, step))
            block = np.empty((table.height, len(self.names)))
            for k, name in enumerate(self.names):
                block[:, k] = table.get_column(name).to_numpy()
            if self._mean is not None:
                block -= self._mean
                block /= self._scale
            yield block

    def standardized(self, mean: Array, scale: Array) -> ParquetRows:
        """The same rows, decoded as (x - mean) / scale."""
        other = object.__new__(ParquetRows)
        other.__dict__.update({name: value for name, value in self.__dict__.items() if name != "rows"})
        other._mean, other._scale = mean, scale
        return other

    @cached_property
    def rows(self) -> RowSource:
        """The features decoded, in memory or in a temporary file."""
        n, d = self.shape
        if n * d * self.dtype.itemsize <= self.memory:
            X = np.empty((n, d), self.dtype)
            first = 0
            for block in self.blocks():
                X[first : first + len(block)] = block
                first += len(block)
            return ArrayRows(X, self.names)
        file = tempfile.TemporaryFile(prefix="neuralgauge-", buffering=0)  # noqa: SIM115 (it lives as long as the rows)
        try:
            for block in self.blocks():
                _write(file, np.ascontiguousarray(block, self.dtype))
        except OSError as error:
            file.close()
            raise InvalidInputError(
                f"the rows need a temporary file of {n * d * self.dtype.itemsize / 1e9:.1f} GB in "
                f"{quoted(tempfile.gettempdir())}, which could not be written: {error.strerror or error}; set TMPDIR "
                "to a disk with more room, or allow more memory."
            ) from error
        return FileRows(file, (n, d), self.dtype, self.names)

    def gather(self, rows: Index) -> Floats:
        """Some of the rows (k, d), increasing."""
        return self.rows.gather(rows)

    def _collected(self, frame: Any) -> Any:
        import polars as pl

        try:
            return frame.collect()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise InvalidInputError(f"{quoted(self.path)} is damaged: {error}; write it again.") from error

    def _check_columns(self) -> None:
        for name in (*self.targets, *self.names):
            if name not in self._schema:
                close = closest(name, list(self._schema))
                offer = f"did you mean {listed(close, 'or')}?" if close else f"it has {listed(list(self._schema))}."
                raise InvalidInputError(f"{quoted(self.path)} has no column {quoted(name)}; {offer}")
        for name in self.names:
            kind = self._schema[name]
            if not (kind.is_numeric() or kind == _boolean()):
                raise InvalidInputError(
                    f"Column {quoted(name)} of {quoted(self.path)} must hold numbers, got {kind}; leave it out, or "
                    "encode it as numbers first."
                )
        if self._n == 0 or not self.names:
            raise InvalidInputError(
                f"{quoted(self.path)} must have at least one row and one feature column, got {self._n} rows and "
                f"{len(self.names)} columns."
            )

    def _narrowest(self) -> np.dtype[Any]:
        import polars as pl

        narrow = (pl.Float32, pl.Int8, pl.Int16, pl.UInt8, pl.UInt16, pl.Boolean)
        return np.dtype(np.float32 if all(self._schema[name] in narrow for name in self.names) else np.float64)


def schema_of(frame: pl.LazyFrame, path: str) -> dict[str, Any]:
    """Names and types of the columns; an InvalidInputError where the files cannot be read."""
    import polars as pl

    try:
        return dict(frame.collect_schema())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise InvalidInputError(f"{quoted(path)} cannot be read as Parquet: {error}.") from error


def _boolean() -> Any:
    import polars as pl

    return pl.Boolean


def _named(name: str) -> Any:
    """The column of exactly this name; polars takes one that begins with ^ and ends with $ for a pattern."""
    import polars as pl
    import polars.selectors as cs

    return cs.by_name(name) if name.startswith("^") else pl.col(name)


def _write(file: Any, block: Any) -> None:
    view = memoryview(block).cast("B")
    while view:
        view = view[file.write(view) :]
