"""Training on a Parquet file that is not read whole: what a limit of memory leaves for its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ..errors import InvalidInputError
from ..features.parquet import ParquetRows, schema_of
from ..quoting import quoted
from .dataset import Dataset, is_regression, with_parameters
from .options import Task
from .streams import STREAM

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
# The interpreter, its libraries and blocks; numbers of 8 bytes for a row and output. Measured on 10 million rows of 20
# columns are 300 MB and 13 numbers; the rest is room.
BASE, VECTORS = 600_000_000, 18


def memory_limit(text: str) -> int:
    """Bytes, from a number and a unit such as "4GB" or "500 MiB"."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if found is None or found[2].upper() not in UNITS:
        raise InvalidInputError(f"`--memory` must be a size such as 4GB or 500MiB, got {quoted(text)}.")
    return int(float(found[1]) * UNITS[found[2].upper()])


def streamed_data(
    path: str,
    targets: Sequence[str],
    drop: Sequence[str],
    task: Task,
    loss: str | None,
    parameters: Mapping[str, float],
    *,
    limit: int,
) -> Dataset:
    """Rows of a Parquet file and its targets, within a limit of memory in bytes."""
    if path == STREAM:
        raise InvalidInputError("`--memory` needs a Parquet file on disk, got standard input; save it to a file first.")
    with open_checked(path) as file:
        if file.read(4) != b"PAR1":
            raise InvalidInputError(
                f"`--memory` needs a Parquet file, and {quoted(path)} is none; convert it, for instance by "
                "polars.scan_csv(...).sink_parquet(...), or leave `--memory` out."
            )
    columns = schema_of(pl.scan_parquet(path), path)
    for name in drop:
        if name not in columns or name in targets:
            kind = "is both the target and to be left out" if name in targets else "to leave out is not there"
            raise InvalidInputError(f"Column {quoted(name)} of {quoted(path)} {kind}; leave `--drop` of it out.")
    kept = [name for name in columns if name not in drop and name not in targets]
    rows = ParquetRows(path, targets, kept, dtype="float32")
    y = rows.y
    chosen = with_parameters(_loss(y, task, loss), parameters, is_given=loss is not None)
    y = _numbers(y, targets) if is_regression(chosen) else _labels(y, targets)
    n, n_classes = len(y), 0 if is_regression(chosen) else len(np.unique(y))
    outputs = max(len(targets), n_classes if n_classes > 2 else 1)
    least = BASE + 8 * VECTORS * n * outputs
    if limit < least:
        raise InvalidInputError(
            f"`--memory` must be at least {least / 1e9:.1f}GB for {n:,} rows and {outputs} "
            f"output{'s' if outputs > 1 else ''}, got {limit / 1e9:.2g}GB: targets, outputs and dual points are held "
            "in memory; train on fewer rows, or allow more."
        )
    rows.memory = limit - least
    return Dataset(rows, y, rows.names, tuple(targets), chosen)


def open_checked(path: str) -> Any:
    """The file, open for reading; an InvalidInputError says why it is not."""
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{quoted(path)} cannot be read: {error}.") from error


def _loss(y: npt.NDArray[Any], task: Task, loss: str | None) -> str:
    if loss is not None:
        return loss
    if task == "auto":
        text = y.dtype.kind not in "biuf"
        task = "classification" if y.ndim == 1 and (text or len(np.unique(y)) == 2) else "regression"
    return "squared" if task == "regression" else "logistic"


def _numbers(y: npt.NDArray[Any], targets: Sequence[str]) -> npt.NDArray[Any]:
    if y.dtype.kind not in "biuf":
        raise InvalidInputError(f"Target {quoted(targets[0])} must hold numbers for this loss, got {y.dtype}.")
    bad = np.flatnonzero(~np.isfinite(y.reshape(len(y), -1)).all(axis=1))
    if bad.size:
        raise InvalidInputError(
            f"Targets must be finite, got a missing or infinite one in row {bad[0] + 1} ({bad.size} such rows); "
            "drop them."
        )
    return y.astype(np.float64)


def _labels(y: npt.NDArray[Any], targets: Sequence[str]) -> npt.NDArray[Any]:
    missing = pl.Series(y.ravel(), nan_to_null=True).is_null().to_numpy()
    if missing.any():
        row = int(np.argmax(missing)) + 1
        raise InvalidInputError(
            f"Target {quoted(targets[0])} must have a class in every row, got none in row {row} "
            f"({int(missing.sum())} such rows); drop them."
        )
    return y
