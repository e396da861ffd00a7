"""Cells of tables: what is missing, and which text is a number or a date."""

from __future__ import annotations

import polars as pl

MISSING_WORDS = ["", "na", "n/a", "nan", "null", "none", "?"]
TRUTH_WORDS = ["true", "false"]
DECIMAL_COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+([eE][+-]?\d+)?$"  # points before it separate thousands
# Of dates in text, tried in this order; where days and months cannot be told apart, months come first.
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
)


def is_number_type(dtype: pl.DataType) -> bool:
    """Whether cells of this type are numbers without parsing."""
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)


def is_text_type(dtype: pl.DataType) -> bool:
    """Whether cells of this type are text, or categories with text for names."""
    return dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)


def text_of(raw: pl.Series) -> pl.Series:
    """Cells as text without spaces around it."""
    return raw.cast(pl.String).str.strip_chars()


def known(raw: pl.Series) -> pl.Series:
    """Text, null where the cell holds a word for a missing value."""
    text = text_of(raw)
    missing = text.str.to_lowercase().is_in(MISSING_WORDS).fill_null(True)
    return text.set(missing, None)


def parsed(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return a mask of missing values, and all values as floats, null where text is no number.

    A decimal comma is one if no point follows; true and false, in a column that has nothing else, are 1 and 0.

    Examples
    --------
    >>> missing, values = parsed(pl.Series(["1.5", " 2,5", "1.234,5", "NA", "red"]))
    >>> missing.to_list(), values.to_list()
    ([False, False, False, True, False], [1.5, 2.5, 1234.5, None, None])
    """
    if is_number_type(raw.dtype):
        values = raw.cast(pl.Float64)
        return values.is_null() | values.is_nan().fill_null(True), values
    if not is_text_type(raw.dtype):
        return raw.is_null(), pl.Series(raw.name, [None] * raw.len(), dtype=pl.Float64)
    text = known(raw)
    missing, lowered = text.is_null(), text.str.to_lowercase()
    if lowered.filter(~missing).is_in(TRUTH_WORDS).all():
        return missing, (lowered == "true").cast(pl.Float64)
    values = text.cast(pl.Float64, strict=False)
    if values.null_count() > missing.sum():
        comma = text.str.contains(DECIMAL_COMMA).fill_null(False)
        pointed = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        values = values.zip_with(~comma, pointed.cast(pl.Float64, strict=False))
    return missing, values


def date_format(text: pl.Series) -> str:
    """The first format in which all text that is not null is a date; "" if there is none."""
    if not text.drop_nulls().str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}").all():
        return ""
    return next((one for one in DATE_FORMATS if dates(text, one).null_count() == text.null_count()), "")


def dates(raw: pl.Series, form: str) -> pl.Series:
    """Cells as times, null where they are none; text is read in the given format."""
    if not is_text_type(raw.dtype):
        return raw.cast(pl.Datetime("us"), strict=False)
    text = known(raw)
    if "%H" not in form:
        return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    return text.str.to_datetime(form, strict=False, time_unit="us")
