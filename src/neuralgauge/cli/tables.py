"""Tables from CSV and Parquet files, with the place of every row kept for error messages."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from ..errors import InvalidInputError

DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Table:
    """A table as read: CSV cells are text, Parquet columns have their own types.

    Attributes
    ----------
    path : str
        File it came from.
    frame : polars.DataFrame
        Rows that are wholly empty are left out.
    records : int array of shape (n,)
        Position of each row in the file, counted from 0 after the header.
    text : str
        The file itself for CSV, else empty.
    delimiter : str
    """

    path: str
    frame: pl.DataFrame
    records: npt.NDArray[np.intp]
    text: str = ""
    delimiter: str = ","

    @property
    def columns(self) -> list[str]:
        """Names in the order of the file."""
        return self.frame.columns

    @property
    def n_rows(self) -> int:
        """Rows that hold anything."""
        return self.frame.height

    def place(self, row: int) -> str:
        """Where that row stands in the file: its line in a CSV file, its number from 1 in a Parquet file."""
        record = int(self.records[row])
        if not self.text:
            return f"row {record + 1} of {self.path!r}"
        reader = csv.reader(io.StringIO(self.text), delimiter=self.delimiter)
        while not next(reader):  # blank lines before the header
            pass
        for _ in range(record):
            next(reader)
        return f"line {reader.line_num + 1} of {self.path!r}"

    def require(self, name: str) -> None:
        """Raise unless there is a column of that name, offering the nearest ones."""
        if name in self.columns:
            return
        lowered = {column.lower(): column for column in self.columns}
        close = [lowered[key] for key in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)]
        offer = f"did you mean {_listed(close, 'or')}?" if close else f"its columns are {_listed(self.columns)}."
        raise InvalidInputError(f"{self.path!r} has no column {name!r}; {offer}")

    def without(self, names: Sequence[str]) -> Table:
        """The table less the named columns."""
        for name in names:
            self.require(name)
        return Table(self.path, self.frame.drop(names), self.records, self.text, self.delimiter)


def read_table(path: str | Path) -> Table:
    """Read CSV (comma, semicolon or tab; quotes; UTF-8) or Parquet; an InvalidInputError says why it is no table."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from error
    if not content.strip():
        raise InvalidInputError(f"{str(path)!r} is empty; give a CSV or Parquet file with a header and rows.")
    table = _read_parquet(content, str(path)) if content[:4] == b"PAR1" else _read_csv(content, str(path))
    if table.n_rows == 0:
        raise InvalidInputError(f"{str(path)!r} has a header and no rows; give at least one row of values.")
    return table


def _read_parquet(content: bytes, path: str) -> Table:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InvalidInputError(f"{path!r} is a damaged Parquet file; write it again.") from error
    return Table(path, frame, np.arange(frame.height))


def _read_csv(content: bytes, path: str) -> Table:
    text = _decoded(content, path)
    body = text.lstrip("\r\n")
    unquoted = "".join(body.split("\n", 1)[0].split('"')[::2])
    delimiter = max(DELIMITERS, key=unquoted.count)
    header = _header(body, delimiter, path)
    try:
        frame = pl.read_csv(io.BytesIO(body.encode()), separator=delimiter, infer_schema=False, new_columns=header)
    except pl.exceptions.PolarsError as error:
        raise InvalidInputError(_csv_defect(text, delimiter, len(header), path)) from error
    filled = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    return Table(path, frame.filter(filled), np.flatnonzero(filled.to_numpy()), text, delimiter)


def _decoded(content: bytes, path: str) -> str:
    remedy = "give a CSV file (comma, semicolon or tab between values, UTF-8) or a Parquet file."
    if content[:4] == b"PK\x03\x04":
        raise InvalidInputError(f"{path!r} is not a table but a spreadsheet or archive; {remedy}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path!r} is not a table of UTF-8 text; {remedy}") from error
    if "\0" in text:
        raise InvalidInputError(f"{path!r} is not a table but binary data; {remedy}")
    return text


def _header(text: str, delimiter: str, path: str) -> list[str]:
    try:
        names = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=delimiter))]
    except csv.Error as error:
        raise InvalidInputError(f"The header of {path!r} could not be read: {error}.") from error
    if "" in names:
        raise InvalidInputError(
            f"Column {names.index('') + 1} of {path!r} has no name in the header; name every column "
            "(pandas writes such a column for the index, `to_csv(index=False)` does not)."
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInputError(f"{path!r} has more than one column named {_listed(repeated)}; rename or remove them.")
    if all(_is_number(name) for name in names) and not all(name.isdigit() for name in names):
        raise InvalidInputError(
            f"The first line of {path!r} holds numbers and no column names ({_listed(names)}); add a header."
        )
    return names


def _csv_defect(text: str, delimiter: str, n_columns: int, path: str) -> str:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if len(row) > n_columns:
                return (
                    f"Line {reader.line_num} of {path!r} has {len(row)} values where the header has {n_columns}; "
                    "put text that contains the delimiter in quotes."
                )
    except csv.Error as error:
        return f"{path!r} is not a table: {error} in line {reader.line_num}; look for a quote that is not closed."
    return f"{path!r} could not be read as a CSV table; look for quotes that are not closed."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names: Sequence[str], last: str = "", limit: int = 8) -> str:
    quoted = [repr(name) for name in names[:limit]]
    if last and len(quoted) > 1:
        quoted[-2:] = [f"{quoted[-2]} {last} {quoted[-1]}"]
    return ", ".join(quoted) + (f" and {len(names) - limit} more" if len(names) > limit else "")
