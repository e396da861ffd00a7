"""Tables from CSV and Parquet files, with the place of every row kept for error messages."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ..errors import InvalidInputError
from ..quoting import closest, listed, quoted
from .streams import MOST_BYTES, content_of, shown

DELIMITERS = ",;\t"
GZIP, UTF_16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")  # how such files begin
EXCEL = re.compile(r"^sep=(.)\r?$")
# Tried in this order: text in the second is hardly ever text in the first, and the third takes whatever is left.
ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")
CONTROLS = [chr(k) for k in range(1, 32) if chr(k) not in "\t\n\v\f\r"]
LONGEST_CELL = 131_072  # characters, which is also what the csv module reads
MOST_CELLS = 2**28  # two gibibytes of doubles


@dataclass(frozen=True)
class Table:
    """A table as read: CSV cells are text, Parquet columns have their own types."""

    path: str  # of its file
    frame: pl.DataFrame  # without rows that are wholly empty
    records: npt.NDArray[np.intp]  # (n,), position of each row in the file, counted from 0 after the header
    text: str = ""  # the file itself for CSV

    @property
    def columns(self) -> list[str]:
        """Names in the order of the file."""
        return self.frame.columns

    @property
    def n_rows(self) -> int:
        """Rows that hold anything."""
        return self.frame.height

    def column(self, name: str) -> pl.Series:
        """One column, without its name, which polars takes for a pattern if it begins with ^ and ends with $."""
        return self.frame.get_column(name).alias("")

    def place(self, row: int) -> str:
        """Return the place of a row in the file: its line in a CSV file, its number from 1 in a Parquet file."""
        record = int(self.records[row])
        if not self.text:
            return f"row {record + 1} of {quoted(self.path)}"
        return f"line {_line_of(self.text, record)} of {quoted(self.path)}"

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Table:
        """The table of the rows of a mask (n,)."""
        return Table(self.path, self.frame.filter(chosen), self.records[chosen], self.text)

    def require(self, name: str) -> None:
        """Raise unless there is a column of that name, offering the nearest ones."""
        if name in self.frame.schema:
            return
        close = closest(name, self.columns)
        offer = f"did you mean {listed(close, 'or')}?" if close else f"its columns are {listed(self.columns)}."
        raise InvalidInputError(f"{quoted(self.path)} has no column {quoted(name)}; {offer}")

    def without(self, names: Sequence[str]) -> Table:
        """The table less the named columns."""
        for name in names:
            self.require(name)
        left = set(self.columns).difference(names)
        # Not by `drop`, which takes names for patterns, too.
        frame = pl.DataFrame([column for column in self.frame.iter_columns() if column.name in left])
        return Table(self.path, frame, self.records, self.text)


def read_table(path: str) -> Table:
    """Read CSV or Parquet, from standard input if the path is `-`, unpacking gzip.

    CSV has commas, semicolons or tabs, quotes, and text in UTF-8, UTF-16 or Windows' code, of which Latin-1 is a part.

    An InvalidInputError says why it is no table.
    """
    try:
        content = content_of(path)
    except OSError as error:
        raise InvalidInputError(f"{quoted(shown(path))} cannot be read: {error.strerror or error}.") from error
    name = shown(path)
    if content[:2] == GZIP:
        content = _unpacked(content, name)
    if not content or content.isspace():
        raise InvalidInputError(f"{quoted(name)} is empty; give a CSV or Parquet file with a header and rows.")
    table = _read_parquet(content, name) if content[:4] == b"PAR1" else _read_csv(content, name)
    if table.n_rows == 0:
        raise InvalidInputError(f"{quoted(name)} has a header and no rows; give at least one row of values.")
    return table


def _read_parquet(content: bytes, path: str) -> Table:
    try:
        # The footer gives the size: a small file can hold more cells than fit in memory.
        lazy = pl.scan_parquet(io.BytesIO(content))
        cells = lazy.select(pl.len()).collect().item() * len(lazy.collect_schema())
        frame = pl.read_parquet(io.BytesIO(content)) if cells <= MOST_CELLS else None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise InvalidInputError(f"{quoted(path)} is a damaged Parquet file; write it again.") from error
    if frame is None:
        raise InvalidInputError(
            f"{quoted(path)} has {cells:,} cells, more than {MOST_CELLS:,}; take fewer rows or columns."
        )
    return Table(path, frame, np.arange(frame.height))


def _read_csv(content: bytes, path: str) -> Table:
    text = _decoded(content, path)
    body = text.lstrip("\r\n")
    first = body[: body.find("\n")] if "\n" in body else body
    unquoted = "".join(first.split('"')[::2])
    delimiter = max(DELIMITERS, key=unquoted.count)
    if (named := EXCEL.match(first)) is not None:  # Excel's first line, which names the delimiter
        delimiter, text = named[1], text.replace(first, "", 1)
        body = text.lstrip("\r\n")
    header = _header(body, delimiter, path)
    try:
        frame = pl.read_csv(io.BytesIO(body.encode()), separator=delimiter, infer_schema=False, new_columns=header)
    except pl.exceptions.PolarsError as error:
        raise InvalidInputError(_csv_defect(text, delimiter, len(header), path)) from error
    filled = _filled(frame)
    table = Table(path, frame.filter(filled), np.flatnonzero(filled), text)
    _check_cells(table)
    return table


def _filled(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Return a mask (n,) of the rows that hold anything."""
    empty = np.ones(frame.height, dtype=bool)
    for column in frame.iter_columns():
        if not empty.any():
            break
        empty &= column.alias("").is_null().to_numpy()
    return ~empty


def _check_cells(table: Table) -> None:
    """Raise for a cell that is longer than any number, name or text of a table should be."""
    longest = table.frame.select(pl.all().str.len_chars().max()).row(0)
    for name, length in zip(table.columns, longest, strict=True):
        if (length or 0) > LONGEST_CELL:
            row = int(table.column(name).str.len_chars().fill_null(0).arg_max() or 0)
            raise InvalidInputError(
                f"Column {quoted(name)} has a cell of {length:,} characters in {table.place(row)}, more than "
                f"{LONGEST_CELL:,}; shorten it, or look for a quote that is not closed."
            )


def _line_of(text: str, record: int) -> int:
    """The line, from 1, on which a record begins, the header and blank lines before it not counted as records.

    A line ends a record unless a quote is open, which is so after an odd number of them.
    """
    started, is_open, number = -1, False, 1
    for number, line in enumerate(io.StringIO(text), start=1):
        if started < 0 and not line.strip("\r\n"):
            continue
        if not is_open:
            started += 1
            if started == record + 1:
                return number
        is_open ^= line.count('"') % 2 == 1
    return number  # reached where polars reads quotes differently


def _unpacked(content: bytes, path: str) -> bytes:
    """The content of a gzip file, up to the limit of files."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"{quoted(path)} is a damaged gzip file ({error}); pack it again.") from error
    if len(unpacked) > MOST_BYTES:
        raise InvalidInputError(
            f"{quoted(path)} unpacks to more than {MOST_BYTES / 2**30:g} GiB, the most that is read."
        )
    return unpacked


def _decoded(content: bytes, path: str) -> str:
    remedy = "give a CSV file (comma, semicolon or tab between values) or a Parquet file."
    if content[:4] == b"PK\x03\x04":
        raise InvalidInputError(f"{quoted(path)} is not a table but a spreadsheet or archive; {remedy}")
    for code in ENCODINGS if content[:2] not in UTF_16 else ("utf-16",):
        try:
            text = content.decode(code)
            break
        except UnicodeDecodeError:
            continue
    if any(sign in text for sign in CONTROLS):
        raise InvalidInputError(f"{quoted(path)} is not a table of text in UTF-8, UTF-16 or Windows' code; {remedy}")
    if "\0" in text:
        raise InvalidInputError(f"{quoted(path)} is not a table but binary data; {remedy}")
    return text


def _header(text: str, delimiter: str, path: str) -> list[str]:
    try:
        names = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=delimiter))]
    except csv.Error as error:
        raise InvalidInputError(
            f"The header of {quoted(path)} could not be read: {error}; look for a quote that is not closed."
        ) from error
    if "" in names:
        raise InvalidInputError(
            f"Column {names.index('') + 1} of {quoted(path)} has no name in the header; name every column "
            "(pandas writes such a column for the index, `to_csv(index=False)` does not)."
        )
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise InvalidInputError(
            f"{quoted(path)} has more than one column named {listed(repeated)}; rename or remove them."
        )
    if all(_is_number(name) for name in names) and not all(name.isdigit() for name in names):
        raise InvalidInputError(
            f"The first line of {quoted(path)} holds numbers and no column names ({listed(names)}); add a header."
        )
    return names


def _csv_defect(text: str, delimiter: str, n_columns: int, path: str) -> str:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if len(row) > n_columns:
                return (
                    f"Line {reader.line_num} of {quoted(path)} has {len(row)} values where the header has {n_columns}; "
                    "put text that contains the delimiter in quotes."
                )
    except csv.Error as error:
        return f"{quoted(path)} is not a table: {error} in line {reader.line_num}; look for a quote that is not closed."
    return f"{quoted(path)} could not be read as a CSV table; look for quotes that are not closed."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
