"""The model and the table of a command, either of which may come from standard input."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InvalidInputError, ModelFileError
from ..interchange import SavedModel
from ..interchange.model_file import decoded_model
from ..quoting import quoted
from .streams import STREAM, content_of, shown
from .tables import Table, read_table


def model_and_table(model: str, data: str, drop: Sequence[str]) -> tuple[SavedModel, Table]:
    """Both as read, the table less the columns to be left out."""
    if model == data == STREAM:
        raise InvalidInputError("Only one of MODEL and DATA can be `-`, standard input; give a file for the other.")
    return read_model(model), read_table(data).without(drop)


def read_model(model: str) -> SavedModel:
    """The model in a file or from standard input."""
    try:
        content = content_of(model)
    except OSError as error:
        raise ModelFileError(
            f"The model file {quoted(shown(model))} cannot be read: {error.strerror or error}."
        ) from error
    return decoded_model(content, shown(model))
