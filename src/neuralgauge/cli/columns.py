"""Columns of a table as numbers or class labels, every refused cell named by column and place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .._array import Array
from ..errors import InvalidInputError
from ..interchange import SavedModel
from ..preparation.cells import parsed, text_of
from ..preparation.table_encoding import encoded_rows, numbers_at_once
from ..quoting import quoted
from .tables import Table


def matrix(table: Table, names: Sequence[str]) -> Array:
    """The named columns as finite numbers, shape (n, d)."""
    if not names:
        raise InvalidInputError(
            f"{quoted(table.path)} has no feature columns left; give at least one besides the target."
        )
    simple = numbers_at_once(table.frame, names)
    return np.column_stack([simple[name] if name in simple else numbers(table, name) for name in names])


def rows_for(saved: SavedModel, table: Table) -> Array:
    """The table as numbers (n, d) for the network of a model: its columns, encoded as those it was trained on."""
    if saved.encoding:
        return encoded_rows(table.frame, saved.encoding, table.place)
    return matrix(table, saved.feature_names)


def numbers(table: Table, name: str, remedy: str | None = None) -> Array:
    """One column as finite numbers, shape (n,); the words true and false count as 1 and 0."""
    raw = table.column(name)
    missing, values = parsed(raw)
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
        remedy = remedy or f"encode it as numbers or leave it out with `--drop {quoted(name)}`."
        raise InvalidInputError(
            f"Column {quoted(name)} must hold numbers, got {quoted(str(value))} in {table.place(row)} "
            f"({bad.size} such value{'s' if bad.size > 1 else ''}); {remedy}"
        )
    return values.to_numpy().astype(np.float64)


def is_numeric(table: Table, name: str) -> bool:
    """Whether every value of the column that is not missing is a number."""
    missing, values = parsed(table.column(name))
    return not (values.is_null() & ~missing).any()


def labels(table: Table, name: str, *, as_text: bool = False) -> npt.NDArray[Any]:
    """One column as class labels, shape (n,): whole numbers if all are, else text as it is written."""
    raw = table.column(name)
    missing, values = parsed(raw)
    if missing.any():
        _refuse_missing(table, name, missing)
    if not (as_text or values.is_null().any()):
        whole = numbers(table, name)
        if np.all(whole == np.rint(whole)) and np.all(np.abs(whole) < 2**53):
            return whole.astype(np.int64)
    return np.array(text_of(raw).to_list(), dtype=str)


def _refuse_missing(table: Table, name: str, missing: pl.Series) -> None:
    count = int(missing.sum())
    raise InvalidInputError(
        f"Column {quoted(name)} has no value (missing or NaN) in {table.place(int(missing.arg_max() or 0))} "
        f"({count} such row{'s' if count > 1 else ''}); fill the value in or leave the row or column out."
    )
