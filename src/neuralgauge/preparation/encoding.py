"""Columns of any kind as columns of numbers: what is learned of each, listed, and repeated on other tables."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from .._array import Array
from ..errors import InvalidInputError, UnknownLevelWarning
from ..quoting import listed, quoted
from .cells import date_format, dates, is_text_type, known, parsed

# A level of a category has a column of its own from so many rows on, a share of all and at least two, and the most
# frequent ones alone: each has weights of its own, which fewer rows do not decide.
LEAST_SHARE, MOST_LEVELS = 0.01, 30
IDENTIFIER = 10  # rows from which text that differs in each of them identifies rows
MOST_RARE = 1000  # names of rare levels that are kept, to tell them from unknown ones
MISTAKES = 2  # a column of text is one of numbers where less than one cell in so many is none: such a cell is refused
DAY = 86_400.0  # seconds
PERIODS = {"year": 365.2425, "week": 7.0, "day": 1.0}  # days; the first day of 1970 is the fourth of its week

Place = Callable[[int], str]


@dataclass(frozen=True)
class ColumnCode:
    """What is done to one column of a table.

    Attributes
    ----------
    name : str
    kind : {"number", "category", "date", "left out"}
        Numbers stay, with the median for missing ones; categories become a column of 0 and 1 a level; dates become
        days, and the cosine and sine of each period they span.
    reason : str
        Why a column is left out.
    fill : float
        The median, of dates in days since 1970.
    missing : bool
        Whether values were missing, which a column of 0 and 1 tells.
    levels : tuple of str
        Levels of a category with a column of their own; two that are all take one column, for the second.
    joined : int
        Levels that share one column because they are rare.
    rare : tuple of str
        Their names, unless they are too many.
    format : str
        Of dates in text.
    periods : tuple of str
        Of dates: "year", "week", "day".
    """

    name: str
    kind: Literal["number", "category", "date", "left out"]
    reason: str = ""
    fill: float = 0.0
    missing: bool = False
    levels: tuple[str, ...] = ()
    joined: int = 0
    rare: tuple[str, ...] = ()
    format: str = ""
    periods: tuple[Literal["year", "week", "day"], ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.fill):
            raise InvalidInputError(f"The median of column {quoted(self.name)} must be finite, got {self.fill}.")

    @property
    def is_plain(self) -> bool:
        """Whether the column is one of numbers, and stays as it is."""
        return self.kind == "number" and not self.missing

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of numbers that come of it."""
        name, end = self.name, (f"{self.name} is missing",) if self.missing else ()
        if self.kind == "number":
            return (name, *end)
        if self.kind == "date":
            return (name, *(f"{name} {wave} of the {p}" for p in self.periods for wave in ("cosine", "sine")), *end)
        if self.kind == "category":
            rare = (f"{name} is rare",) if self.joined else ()
            return (*(f"{name} = {level}" for level in self.shown), *rare, *end)
        return ()

    @property
    def shown(self) -> tuple[str, ...]:
        """Levels with a column of their own."""
        return self.levels[1:] if len(self.levels) == 2 and not (self.joined or self.missing) else self.levels

    @property
    def said(self) -> str:
        """What is done, in words."""
        gaps = ", and one that tells missing values" if self.missing else ""
        if self.kind == "left out":
            return f"left out: {self.reason}"
        if self.kind == "category":
            rare = f", {self.joined} rare ones joined" if self.joined else ""
            k = len(self.features)
            return f"{len(self.levels) + self.joined} levels{rare}: {k} column{'s' if k > 1 else ''} of 0 and 1"
        filled = f", missing ones filled with the median{gaps}" if self.missing else ""
        if self.kind == "date":
            cycles = f", with the times of {listed(self.periods, 'and')}".replace("'", "") if self.periods else ""
            form = f" read as {self.format}" if self.format else ""
            return f"dates{form}: days since 1970{cycles}{filled}"
        return f"numbers{filled}"

    def encode(self, raw: pl.Series, place: Place) -> Array:
        """The column of a table as numbers (n, k); `place` names a row in messages."""
        if self.kind == "left out":
            return np.empty((raw.len(), 0))
        if self.kind == "category":
            return self._indicators(raw)
        values, missing = _numbers(raw, place, self.name) if self.kind == "number" else self._days(raw, place)
        if missing.any() and not self.missing:
            _warn(
                f"Column {quoted(self.name)} has no value in {int(missing.sum())} rows, and had one in all rows that "
                "the encoding is of; the median is taken."
            )
        days = np.where(missing, self.fill, values)
        angles = [2.0 * np.pi * days / PERIODS[period] for period in self.periods]
        waves = [wave(angle) for angle in angles for wave in (np.cos, np.sin)]
        return np.column_stack([days, *waves, *([missing] if self.missing else [])]).astype(np.float64)

    def _indicators(self, raw: pl.Series) -> Array:
        text = known(raw)
        is_known = text.is_in(list(self.levels)).fill_null(False)
        other = (~is_known & text.is_not_null()).to_numpy()
        unknown = text.filter(pl.Series(other)).unique().sort().to_list()
        unknown = [] if self.joined > len(self.rare) else [level for level in unknown if level not in self.rare]
        if unknown:
            _warn(
                f"Column {quoted(self.name)} has levels that the encoding does not know, {listed(unknown, limit=3)}: "
                f"they count as {'rare ones' if self.joined else 'none of the known ones'}."
            )
        columns = [(text == level).fill_null(False).to_numpy() for level in self.shown]
        columns += [other] if self.joined else []
        columns += [text.is_null().to_numpy()] if self.missing else []
        return np.column_stack(columns).astype(np.float64)

    def _days(self, raw: pl.Series, place: Place) -> tuple[Array, npt.NDArray[np.bool_]]:
        times, absent = dates(raw, self.format), known(raw).is_null() if is_text_type(raw.dtype) else raw.is_null()
        bad = np.flatnonzero((times.is_null() & ~absent).to_numpy())
        if bad.size:
            raise InvalidInputError(
                f"Column {quoted(self.name)} must hold dates like those of {self.format or 'the table'}, got "
                f"{quoted(str(raw[int(bad[0])]))} in {place(int(bad[0]))}; write all of them alike."
            )
        return times.dt.epoch("us").cast(pl.Float64).to_numpy() / (1e6 * DAY), absent.to_numpy()


def learned(name: str, raw: pl.Series) -> ColumnCode:
    """What is to be done to a column, from its cells.

    Examples
    --------
    >>> learned("kind", pl.Series(["old", "new", "old", "new"])).features
    ('kind = old',)
    >>> learned("size", pl.Series(["1,5", "", "2,5"])).said
    'numbers, missing ones filled with the median, and one that tells missing values'
    """
    missing, values = parsed(raw)
    if missing.all():
        return ColumnCode(name, "left out", "it has no values")
    unread, cells = int((values.is_null() & ~missing).sum()), int((~missing).sum())
    if unread == 0 or (is_text_type(raw.dtype) and unread * MISTAKES < cells):
        found = values.filter(~missing)
        middle = found.filter(found.is_finite().fill_null(False)).median()
        return ColumnCode(name, "number", fill=_float(middle), missing=bool(missing.any()))
    if raw.dtype.is_temporal() and raw.dtype not in (pl.Duration, pl.Time):
        return _date(name, raw, "")
    if not is_text_type(raw.dtype):
        return ColumnCode(name, "left out", f"cells of type {raw.dtype} are neither numbers, text nor dates")
    text = known(raw)
    form = date_format(text)
    return _date(name, raw, form) if form else _category(name, text)


def _date(name: str, raw: pl.Series, form: str) -> ColumnCode:
    days = dates(raw, form).dt.epoch("us").cast(pl.Float64) / (1e6 * DAY)
    found = days.drop_nulls().to_numpy()
    span, has_times = float(np.ptp(found)), bool(np.any(found != np.floor(found)))
    spanned: dict[Literal["year", "week", "day"], bool] = {
        "year": span >= PERIODS["year"],
        "week": span >= 2.0 * PERIODS["week"],
        "day": has_times,
    }
    periods = tuple(period for period, long_enough in spanned.items() if long_enough)
    is_missing = days.null_count() > 0
    return ColumnCode(name, "date", fill=float(np.median(found)), missing=is_missing, format=form, periods=periods)


def _category(name: str, text: pl.Series) -> ColumnCode:
    counts = text.drop_nulls().value_counts(sort=True).rows()
    counts.sort(key=lambda one: (-one[1], one[0]))
    if len(counts) == text.len() - text.null_count() and len(counts) >= IDENTIFIER:
        return ColumnCode(name, "left out", "its text differs in every row, as names and numbers of rows do")
    if len(counts) == 1 and not text.null_count():
        return ColumnCode(name, "left out", "it has one value")
    least = max(2, math.ceil(LEAST_SHARE * text.len()))
    frequent = [level for level, count in counts[:MOST_LEVELS] if count >= least]
    rare = [level for level, _ in counts if level not in set(frequent)]
    if len(rare) == 1 and len(frequent) < MOST_LEVELS:
        frequent, rare = [*frequent, *rare], []  # one rare level would share its column with none
    if not frequent and not text.null_count():
        return ColumnCode(name, "left out", "each of its levels is in one row")
    kept = tuple(rare) if len(rare) <= MOST_RARE else ()
    return ColumnCode(
        name, "category", missing=bool(text.null_count()), levels=tuple(sorted(frequent)), joined=len(rare), rare=kept
    )


def _numbers(raw: pl.Series, place: Place, name: str) -> tuple[Array, npt.NDArray[np.bool_]]:
    missing, values = parsed(raw)
    bad = np.flatnonzero((~missing & ~values.is_finite().fill_null(False)).to_numpy())
    if bad.size:
        kind = "finite numbers" if values[int(bad[0])] is not None else "numbers"
        raise InvalidInputError(
            f"Column {quoted(name)} must hold {kind}, got {quoted(str(raw[int(bad[0])]))} in "
            f"{place(int(bad[0]))} ({bad.size} such value{'s' if bad.size > 1 else ''}); correct such values or leave "
            "them empty."
        )
    return values.fill_null(0.0).to_numpy().astype(np.float64), missing.to_numpy()


def _float(value: Any) -> float:
    return 0.0 if value is None else float(value)


def _warn(message: str) -> None:
    warnings.warn(message, UnknownLevelWarning, stacklevel=2)
