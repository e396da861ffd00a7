"""The data of a report: each column with its range, what is missing, and a histogram."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from .._array import Array
from ..preparation.cells import dates, known, parsed
from ..preparation.encoding import ColumnCode
from .charts import sparkline
from .scales import shown
from .subject import Subject

COLUMNS_LISTED = 100  # in the table of the data
BINS_OF_SPARKLINE = 16


class ColumnRow(NamedTuple):
    """A column of the data in the table: its range, and a histogram as the path of a picture."""

    name: str
    kind: str
    missing: int
    low: str
    median: str
    high: str
    histogram: str


def column_rows(subject: Subject) -> list[ColumnRow]:
    """Numeric targets, then the first `COLUMNS_LISTED` columns, of a table that was encoded as they were before."""
    rows = []
    if not subject.saved.classes:
        targets = subject.y.reshape(len(subject.y), -1).T
        rows = [of_numbers(name, y, "target") for name, y in zip(subject.outputs, targets, strict=True)]
    if subject.frame is not None:
        codes = subject.codes[:COLUMNS_LISTED]
        return rows + [
            of_cells(code, subject.frame.get_column(code.name)) for code in codes if code.name in subject.frame
        ]
    columns = zip(subject.names[:COLUMNS_LISTED], subject.rows.T, strict=False)
    return rows + [of_numbers(name, x) for name, x in columns]


def of_numbers(name: str, values: Array, kind: str = "") -> ColumnRow:
    """A column of numbers, NaN where there is none."""
    found = values[np.isfinite(values)]
    different = np.unique(found)
    if not kind:
        kind = {0: "empty", 1: "constant", 2: "two values"}.get(
            len(different), "whole" if np.all(found % 1 == 0) else "numbers"
        )
    low, middle, high = np.quantile(found, [0.0, 0.5, 1.0]).tolist() if found.size else [np.nan] * 3
    counts = np.histogram(found, bins=BINS_OF_SPARKLINE)[0].tolist() if len(different) > 1 else []
    return ColumnRow(name, kind, len(values) - len(found), shown(low), shown(middle), shown(high), sparkline(counts))


def of_cells(code: ColumnCode, raw: pl.Series) -> ColumnRow:
    """A column as the table has it, with what is done to it; the histogram of text is one of its frequent levels."""
    if code.kind == "number":
        return of_numbers(code.name, parsed(raw)[1].to_numpy().astype(np.float64), code.said)
    if code.kind == "date":
        times = dates(raw, code.format)
        low, middle, high = (str(value)[:10] for value in (times.min(), times.median(), times.max()))
        counts = np.histogram(times.drop_nulls().dt.epoch("us").to_numpy(), bins=BINS_OF_SPARKLINE)[0].tolist()
        return ColumnRow(code.name, code.said, times.null_count(), low, middle, high, sparkline(counts))
    text = known(raw)
    levels = text.drop_nulls().value_counts(sort=True).to_series(1).to_list()
    return ColumnRow(code.name, code.said, text.null_count(), "–", "–", "–", sparkline(levels[:BINS_OF_SPARKLINE]))
