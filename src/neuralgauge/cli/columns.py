"""Columns of a table as numbers or class labels, every refused cell named by column and place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .._array import Array
from ..errors import InvalidInputError
from ..quoting import quoted
from .tables import Table

MISSING_WORDS = ["", "na", "n/a", "nan", "null", "none", "?"]
TRUTH_WORDS = ["true", "false"]


def matrix(table: Table, names: Sequence[str]) -> Array:
    """The named columns as finite numbers, shape (n, d)."""
    if not names:
        raise InvalidInputError(
            f"{quoted(table.path)} has no feature columns left; give at least one besides the target."
        )
    # Numeric columns are read all at once, 70 times as fast as one by one.
    columns = [table.frame.get_column(name) for name in names]
    simple = [k for k, column in enumerate(columns) if _is_simple(column.dtype) or column.dtype == pl.String]
    X = np.full((table.n_rows, len(names)), np.nan)
    if simple:
        X[:, simple] = pl.DataFrame([columns[k] for k in simple]).select(pl.all().cast(pl.Float64, strict=False))
    for k in np.flatnonzero(~np.isfinite(X).all(axis=0)):
        X[:, k] = numbers(table, names[int(k)])
    return X


def numbers(table: Table, name: str, remedy: str | None = None) -> Array:
    """One column as finite numbers, shape (n,); the words true and false count as 1 and 0."""
    raw = table.column(name)
    missing, values = _parsed(raw)
    if missing.any():
        _refuse_missing(table, name, missing)
    bad = np.flatnonzero((values.is_null() | ~values.is_finite().fill_null(False)).to_numpy())
    if bad.size:
        value, row = raw[int(bad[0])], int(bad[0])
        if values[row] is not None:
            raise InvalidInputError(
                f"Column {quoted(name)} must hold finite numbers, got {quoted(str(value))} in {table.place(row)}; "
                "drop such rows."
            )
        is_decimal_comma = re.fullmatch(r"\s*[+-]?\d+,\d+\s*", str(value))
        remedy = (
            "write a point instead of the decimal comma."
            if is_decimal_comma
            else remedy or f"encode it as numbers or leave it out with `--drop {quoted(name)}`."
        )
        raise InvalidInputError(
            f"Column {quoted(name)} must hold numbers, got {quoted(str(value))} in {table.place(row)} "
            f"({bad.size} such value{'s' if bad.size > 1 else ''}); {remedy}"
        )
    return values.to_numpy().astype(np.float64)


def is_numeric(table: Table, name: str) -> bool:
    """Whether every value of the column that is not missing is a number."""
    missing, values = _parsed(table.column(name))
    return not (values.is_null() & ~missing).any()


def labels(table: Table, name: str, *, as_text: bool = False) -> npt.NDArray[Any]:
    """One column as class labels, shape (n,): whole numbers if all are, else text as it is written."""
    raw = table.column(name)
    missing, parsed = _parsed(raw)
    if missing.any():
        _refuse_missing(table, name, missing)
    if not (as_text or parsed.is_null().any()):
        values = numbers(table, name)
        if np.all(values == np.rint(values)) and np.all(np.abs(values) < 2**53):
            return values.astype(np.int64)
    return np.array(_text(raw).to_list(), dtype=str)


def _refuse_missing(table: Table, name: str, missing: pl.Series) -> None:
    count = int(missing.sum())
    raise InvalidInputError(
        f"Column {quoted(name)} has no value (missing or NaN) in {table.place(int(missing.arg_max() or 0))} "
        f"({count} such row{'s' if count > 1 else ''}); fill the value in or leave the row or column out."
    )


def _is_simple(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)


def _text(raw: pl.Series) -> pl.Series:
    return raw.cast(pl.String).str.strip_chars()


def _parsed(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return a mask of missing values, and all values as floats, null where text is no number."""
    if _is_simple(raw.dtype):
        values = raw.cast(pl.Float64)
        return values.is_null() | values.is_nan().fill_null(True), values
    if not (raw.dtype == pl.String or isinstance(raw.dtype, pl.Categorical | pl.Enum)):
        return raw.is_null(), pl.Series(raw.name, [None] * raw.len(), dtype=pl.Float64)
    text = _text(raw)
    lowered = text.str.to_lowercase()
    missing = text.is_null() | lowered.is_in(MISSING_WORDS).fill_null(True)
    if lowered.filter(~missing).is_in(TRUTH_WORDS).all():
        return missing, (lowered == "true").cast(pl.Float64)
    return missing, text.cast(pl.Float64, strict=False)
