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

Writer = Callable[[SavedModel, Precision], bytes]


def onnx_content(model: SavedModel, precision: Precision) -> bytes:
    """The content of an ONNX file."""
    from ..onnx_models.writer import to_onnx

    return bytes(to_onnx(model, precision=precision).SerializeToString(deterministic=True))


# What writes each format, by how the name of the output ends.
WRITERS: dict[str, Writer] = {".onnx": onnx_content}


@plain_errors
def export(
    model: Model,
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help=f"File to write: {', '.join(WRITERS)}.")],
    precision: Annotated[Precision, typer.Option(help="Of numbers and of the arithmetic.")] = "float32",
    force: Force = False,
) -> int:
    """Write MODEL in the format that the name of OUTPUT ends in, with scaling, encoding, labels and probabilities."""
    suffix = PurePath(output).suffix.lower()
    if suffix not in WRITERS:
        raise InvalidInputError(
            f"The output must end in {listed(list(WRITERS), 'or')}, which says the format, got {quoted(output)}."
        )
    check_output(output, force=force)
    write_atomically(output, WRITERS[suffix](read_model(model), precision), force=force)
    return DONE
