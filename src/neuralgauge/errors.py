"""Exceptions and warnings: one tree, so that ``except NeuralgaugeError`` catches all of ours."""

from __future__ import annotations


class NeuralgaugeError(Exception):
    """Base of every exception raised on purpose by this package."""


class InvalidInputError(NeuralgaugeError, ValueError):
    """An argument or a table has values that the mathematics does not allow."""


class NotInterpolatableError(InvalidInputError):
    """No network, or none in double precision, passes through all the points."""


class TooManyPatternsError(NeuralgaugeError, MemoryError):
    """The data has more activation patterns than the caller allows to be listed."""


class ModelFileError(NeuralgaugeError, ValueError):
    """A model file is damaged, foreign, of an unknown format version, or made for other columns."""


class MissingDependencyError(NeuralgaugeError, ImportError):
    """An optional package is needed for this call and is not installed."""


class MissingDataError(NeuralgaugeError, LookupError):
    """A data set is neither at hand nor reachable, or is not the known one."""


class ColumnScaleWarning(UserWarning):
    """Columns of X are in such different units that the penalty decides which of them are used."""


class UnknownLevelWarning(UserWarning):
    """A table has levels of a category, or gaps in a column, that the one its encoding is of did not have."""


class DroppedPixelsWarning(UserWarning):
    """Filters of this size, stride and padding never see some pixels."""


def wrong_kind(name: str, allowed: str, given: object, *attributes: str) -> InvalidInputError:
    """Return the error for an argument of another type; the remedy is the first of the attributes that it has."""
    remedy = next((f"; pass its `{held}`" for held in attributes if hasattr(given, held)), "")
    return InvalidInputError(f"`{name}` must be {allowed}, got {type(given).__name__}{remedy}.")
