"""The encoding of a whole table: the codes of its columns, in their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from .._array import Array
from ..errors import InvalidInputError
from ..quoting import quoted
from .cells import is_number_type
from .encoding import ColumnCode, Place, learned

Codes = tuple[ColumnCode, ...]


def row_place(row: int) -> str:
    """The place of a row in messages, where no file has lines."""
    return f"row {row}"


def learned_codes(frame: pl.DataFrame, names: Sequence[str]) -> Codes:
    """What is to be done to the named columns of a table."""
    simple = numbers_at_once(frame, names)
    return tuple(
        ColumnCode(name, "number", fill=float(np.median(simple[name])))
        if name in simple
        else learned(name, frame.get_column(name).alias(""))
        for name in names
    )


def feature_names(codes: Codes) -> tuple[str, ...]:
    """Names of all columns of numbers; those that two columns of the table would share get a number.

    Examples
    --------
    >>> feature_names((ColumnCode("a", "number", missing=True), ColumnCode("a is missing", "number")))
    ('a', 'a is missing', 'a is missing (2)')
    """
    names: dict[str, None] = {}
    for name in (name for code in codes for name in code.features):
        unused, k = name, 2
        while unused in names:
            unused, k = f"{name} ({k})", k + 1
        names[unused] = None
    return tuple(names)


def encoded_rows(frame: pl.DataFrame, codes: Codes, place: Place = row_place) -> Array:
    """The table as numbers (n, d), columns found by name; a missing one is an InvalidInputError."""
    used = [code for code in codes if code.kind != "left out"]
    absent = [code.name for code in used if code.name not in frame.columns]
    if absent:
        raise InvalidInputError(f"The table must have the column {quoted(absent[0])}, which its encoding is of.")
    if not used:
        raise InvalidInputError("The table has no column left that tells its rows apart; give others.")
    simple = numbers_at_once(frame, [code.name for code in used if code.is_plain])
    parts = [
        simple[code.name][:, None] if code.name in simple else code.encode(frame.get_column(code.name).alias(""), place)
        for code in used
    ]
    return np.ascontiguousarray(np.hstack(parts))


def numbers_at_once(frame: pl.DataFrame, names: Sequence[str]) -> dict[str, Array]:
    """The columns (n,) all of whose cells are finite numbers; 70 times as fast as one by one.

    Categories are left to be read one by one, as their text.
    """
    columns = [frame.get_column(name) for name in names]
    simple = [column for column in columns if is_number_type(column.dtype) or column.dtype == pl.String]
    if not simple:
        return {}
    values = pl.DataFrame(simple).select(pl.all().cast(pl.Float64, strict=False)).to_numpy()
    finite = np.isfinite(values).all(axis=0)
    return {column.name: values[:, k] for k, column in enumerate(simple) if finite[k]}
