"""ONNX files as they lie on disk: the model, and arrays in it or in files beside it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelFileError
from ..quoting import quoted
from .affine import check_entries
from .operators import FLOATS, Constant

MOST_FILE_BYTES = 2**31  # of a file, the most that the format allows
# What NumPy and the package onnx raise for content that makes no sense.
MALFORMED = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, NotImplementedError)


def loaded(onnx: Any, model: Any) -> tuple[Any, Stored]:
    """The model of a file or a ModelProto, and where its arrays lie."""
    if isinstance(model, onnx.ModelProto):
        return model, Stored(onnx, "The ONNX model", None)
    name = f"The ONNX file {quoted(str(model))}"
    try:
        path = Path(model)
        if not path.is_file():
            raise ModelFileError(f"{name} does not exist, or is not a file.")
        if path.stat().st_size > MOST_FILE_BYTES:
            raise ModelFileError(
                f"{name} is larger than {MOST_FILE_BYTES / 2**30:g} GiB, the most that the format allows."
            )
        content = path.read_bytes()
    except (OSError, TypeError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(content)
    except Exception as error:  # a class of protobuf's, which another version may have elsewhere
        raise ModelFileError(f"{name} is not an ONNX model, or it is damaged or cut short ({error}).") from error
    return proto, Stored(onnx, name, path.parent)


@dataclass(frozen=True)
class Stored:
    """Where the arrays of a model lie.

    Attributes
    ----------
    onnx : module
    name : str
        What messages call the model.
    folder : Path or None
        Of its file, where other files with arrays may be.
    """

    onnx: Any
    name: str
    folder: Path | None

    def array(self, tensor: Any) -> Constant:
        """A tensor as an array, floats in double precision."""
        shape = tuple(tensor.dims)
        check_entries(shape)
        try:
            if tensor.data_location == self.onnx.TensorProto.EXTERNAL:
                content = self.onnx.TensorProto()
                content.CopyFrom(tensor)
                content.raw_data = self._external(tensor)
                content.data_location = self.onnx.TensorProto.DEFAULT
                tensor = content
            array = np.asarray(self.onnx.numpy_helper.to_array(tensor))
        except MALFORMED as error:
            if isinstance(error, ModelFileError):
                raise
            raise ModelFileError(f"{self.name} is damaged: the values of {quoted(tensor.name)} ({error}).") from error
        return array.astype(np.float64) if tensor.data_type in FLOATS else array

    def _external(self, tensor: Any) -> bytes:
        """The bytes of a tensor that lie in another file, which must be an ordinary one beside the model."""
        entries = {one.key: one.value for one in tensor.external_data}
        place = entries.get("location", "")
        if self.folder is None or place != os.path.basename(place) or place in ("", ".", ".."):
            raise ModelFileError(
                f"{self.name} refers to weights in {quoted(place)}; only files beside it are read: give the path "
                "of the model, with its weights in the same folder."
            )
        first, length = int(entries.get("offset", 0)), int(entries.get("length", -1))
        try:
            handle = os.open(
                self.folder / place,
                os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0),
            )
            with open(handle, "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or not 0 <= first <= status.st_size <= MOST_FILE_BYTES:
                    raise ModelFileError(f"{self.name} refers to weights that {quoted(place)} does not have.")
                file.seek(first)
                return file.read(length if length >= 0 else -1)
        except OSError as error:
            raise ModelFileError(
                f"{self.name} refers to weights in {quoted(place)}, which cannot be read: {error.strerror or error}."
            ) from error
