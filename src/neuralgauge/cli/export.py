"""`neuralgauge export`: a model file in the format of another program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated

import typer

from ..errors import InvalidInputError
from ..interchange import SavedModel
from ..interchange.atomic_write import check_output, write_atomically
from ..onnx_models.graph import Precision
from ..quoting import listed, quoted
from .exit_codes import DONE
from .models import read_model
from .options import Force, Model, plain_errors

Writer = Callable[[SavedModel, Precision | None], bytes]
TABLE = "data"  # what a query reads from


def onnx_content(model: SavedModel, precision: Precision | None) -> bytes:
    """The content of an ONNX file."""
    from ..onnx_models.writer import to_onnx

    return bytes(to_onnx(model, precision=precision or "float32").SerializeToString(deterministic=True))


def c_content(model: SavedModel, precision: Precision | None) -> bytes:
    """The content of a C file."""
    from ..formulas import to_c

    return to_c(model, precision=precision or "float32").encode()


def python_content(model: SavedModel, precision: Precision | None) -> bytes:
    """The content of a Python module."""
    from ..formulas import to_python

    _refuse(precision, "Python")
    return to_python(model).encode()


def sql_content(model: SavedModel, precision: Precision | None) -> bytes:
    """The content of a file with a query."""
    from ..formulas import to_sql

    _refuse(precision, "SQL")
    return f"{to_sql(model, TABLE)}\n".encode()


def text_content(model: SavedModel, precision: Precision | None) -> bytes:
    """The formula as text."""
    from ..formulas import formula

    _refuse(precision, "A formula")
    return f"{formula(model)}\n".encode()


def latex_content(model: SavedModel, precision: Precision | None) -> bytes:
    """The formula in LaTeX."""
    from ..formulas import formula

    _refuse(precision, "A formula")
    return f"{formula(model).latex()}\n".encode()


def _refuse(precision: Precision | None, format: str) -> None:
    if precision == "float32":
        raise InvalidInputError(f"{format} has numbers of double precision; leave `--precision` out.")


# What writes each format, by how the name of the output ends.
WRITERS: dict[str, Writer] = {
    ".onnx": onnx_content,
    ".c": c_content,
    ".py": python_content,
    ".sql": sql_content,
    ".txt": text_content,
    ".tex": latex_content,
}


@plain_errors
def export(
    model: Model,
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help=f"File to write: {', '.join(WRITERS)}.")],
    precision: Annotated[
        Precision | None, typer.Option(help="Of numbers and of the arithmetic in ONNX and C, float32 by default.")
    ] = None,
    force: Force = False,
) -> int:
    """Write MODEL in the format that the name of OUTPUT ends in, with scaling, encoding, labels and probabilities.

    Code has the function "predict"; a query reads from the table "data"; a formula, .txt or .tex, has four digits.
    """
    suffix = PurePath(output).suffix.lower()
    if suffix not in WRITERS:
        raise InvalidInputError(
            f"The output must end in {listed(list(WRITERS), 'or')}, which says the format, got {quoted(output)}."
        )
    check_output(output, force=force)
    write_atomically(output, WRITERS[suffix](read_model(model), precision), force=force)
    return DONE
