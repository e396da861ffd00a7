"""Tables of other libraries as polars ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..errors import InvalidInputError


def frame_of(X: Any) -> pl.DataFrame:
    """The table as a polars one; text columns of pandas, which hold objects, by their values."""
    if isinstance(X, pl.LazyFrame):
        return X.collect()
    if isinstance(X, pl.DataFrame):
        return X
    columns = getattr(X, "columns", None)
    if columns is None and not isinstance(X, dict):
        rows = np.asarray(X)
        if rows.ndim != 2:
            raise InvalidInputError(f"`X` must be a table, a dict of columns or of shape (n, d), got {rows.shape}.")
        X = {f"column {k}": rows[:, k] for k in range(rows.shape[1])}
    names = list(X) if columns is None else list(columns)
    return pl.DataFrame([_series(str(name), X[name]) for name in names])


def _series(name: str, values: Any) -> pl.Series:
    kind = str(getattr(values, "dtype", ""))
    if kind in ("object", "category", "str", "string") or kind.startswith(("<U", "string")):
        cells = [None if cell is None or cell != cell else cell for cell in list(values)]  # NaN is not equal to itself
        if all(cell is None or isinstance(cell, bool | int | float | np.number) for cell in cells):
            return pl.Series(name, cells, strict=False)
        return pl.Series(name, [None if cell is None else str(cell) for cell in cells], dtype=pl.String)
    return pl.Series(name, values)
