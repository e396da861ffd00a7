"""A model as the header and the tensors of its file, and back."""

from __future__ import annotations

import hashlib
import importlib.metadata
from typing import Any

import numpy as np
from msgspec.structs import astuple
from safetensors.numpy import save as save_tensors

from .._array import Array
from ..errors import InvalidInputError
from ..preparation.standardization import Standardization
from ..problems.constraints import UNCONSTRAINED, Constraints
from .conv_record import rebuilt_network, record_of
from .model_checks import CONVOLUTIONAL, check_outputs
from .model_header import (
    FORMAT_NAME,
    FORMAT_VERSION,
    MOST_HEADER_BYTES,
    Header,
    StatedBounds,
    fields_of,
    header_of,
    header_text,
)
from .saved_model import SavedModel
from .stated import StatedCertificate

TENSORS = ("U", "A", "offset", "feature_mean", "feature_scale", "target_mean", "target_scale")
# Fields of one name in a `SavedModel` and in the header of its file.
SHARED = ("task", "loss", "loss_parameters", "beta", "offset", "feature_names", "classes", "multi_class", "encoding")


def package_version() -> str:
    """Version of the installed package, "unknown" when run from a source folder without installing."""
    try:
        return importlib.metadata.version(FORMAT_NAME)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def encoded(model: SavedModel) -> bytes:
    """Return the content of the file of a model; an InvalidInputError where no such file could be read."""
    header, tensors = _header_of_model(model), _tensors_of_model(model)
    try:
        decoded(header_of(fields_of(header_text(header))), tensors)
    except ValueError as error:
        raise InvalidInputError(f"The model cannot be saved, for no such file could be read: {error}") from error
    header["checksum"] = checksum(header, tensors)
    # One metadata entry: the writer shuffles several, and equal models should be equal files.
    content = bytes(save_tensors(tensors, metadata={FORMAT_NAME: header_text(header)}))
    if header_size(content) > MOST_HEADER_BYTES:
        raise InvalidInputError(
            f"The names of columns and classes of a saved model must take at most {MOST_HEADER_BYTES} bytes, got "
            f"{header_size(content)}; give shorter ones."
        )
    return content


def _tensors_of_model(model: SavedModel) -> dict[str, Array]:
    sources = ((model.network, TENSORS[:3]), (model.standardization, TENSORS[3:]))
    return {name: np.ascontiguousarray(getattr(source, name)) for source, names in sources for name in names}


def _header_of_model(model: SavedModel) -> dict[str, Any]:
    header: dict[str, Any] = {
        "format": FORMAT_NAME,
        "format_version": FORMAT_VERSION,
        "package_version": model.package_version or package_version(),
        "bias": getattr(model.network, "bias", False),
        "target_names": model.target_names,
        "certificate": {name: getattr(model.certificate, name) for name in StatedBounds.__struct_fields__},
        **{name: getattr(model, name) for name in SHARED},
        "encoding": [vars(code) for code in model.encoding],
    }
    if model.constraints != UNCONSTRAINED:
        header["constraints"] = model.constraints._asdict()
    if isinstance(model.network, CONVOLUTIONAL):
        header["network"] = record_of(model.network)
    return header


def checksum(header: dict[str, Any], tensors: dict[str, Array]) -> str:
    """Return the checksum of a header, without its checksum, and the tensors: it detects damage, not forgery."""
    digest = hashlib.sha256(header_text(header).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tensor.shape} ".encode())
        digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()


def header_size(content: bytes) -> int:
    """The bytes of the header, which a safetensors file begins with."""
    return int.from_bytes(content[:8], "little")


def decoded(header: Header, tensors: dict[str, Array]) -> SavedModel:
    """The model of a header and tensors; an InvalidInputError where they do not fit together or make no sense."""
    first = {"offset": np.zeros(1)}  # version 1 had one output without offset
    U, A, offset, *scaling = ({**first, **tensors}[name] for name in TENSORS)
    stated = header.certificate
    proven = -np.inf if stated.proven is None else stated.proven
    model = SavedModel(
        network=rebuilt_network(header.network, U, A, header.bias, offset),
        certificate=StatedCertificate(stated.upper, stated.lower, stated.scope, proven=proven),
        standardization=Standardization(*scaling),
        target_name=header.target_names,
        package_version=header.package_version,
        constraints=UNCONSTRAINED if header.constraints is None else Constraints(*astuple(header.constraints)),
        **{name: getattr(header, name) for name in SHARED},
    )
    check_outputs(model.network, model.standardization)
    return model
