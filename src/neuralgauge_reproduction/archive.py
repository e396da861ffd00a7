"""Arrays of numbers from a NumPy archive (npz), their shapes known before anything is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

import neuralgauge as ng
from neuralgauge.quoting import quoted

from ._array import Array

Shape = tuple[int | None, ...]  # None is any length up to `MOST_ROWS`
MOST_ROWS = 60_000  # the images of CIFAR-10
MOST_BYTES = 8  # a number


def read_archive(path: Path, shapes: Mapping[str, Sequence[Shape]]) -> dict[str, Array]:
    """The named arrays of an archive, each of one of its shapes, of finite numbers.

    Parameters
    ----------
    path : Path
    shapes : mapping of str to sequence of tuple
        What each array may look like. Its header is compared with that first, so an archive that claims to hold more
        than that is not unpacked, however small it is.

    Raises
    ------
    InvalidInputError
        Says why it is no such archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _read(archive, name, allowed) for name, allowed in shapes.items()}
    except ng.InvalidInputError:
        raise
    except zipfile.BadZipFile as error:
        raise ng.InvalidInputError("it is no NumPy archive (npz), or a damaged one") from error
    # What decompressors and the reader of headers raise about damaged bytes is many things: zlib.error, EOFError,
    # RuntimeError of passwords, NotImplementedError of methods, TokenError.
    except Exception as error:
        reason = getattr(error, "strerror", None) or quoted(str(error)) or type(error).__name__
        raise ng.InvalidInputError(f"it cannot be read: {reason}") from error


def _read(archive: zipfile.ZipFile, name: str, allowed: Sequence[Shape]) -> Array:
    member = f"{name}.npy"
    if member not in archive.namelist():
        raise ng.InvalidInputError(f"it has no array {name!r}")
    with archive.open(member) as file:
        shape, dtype = _header(file, name)
    if not any(_fits(shape, one) for one in allowed):
        wanted = " or ".join(_written(one) for one in allowed)
        raise ng.InvalidInputError(f"{name} must have the shape {wanted}, got {quoted(shape)}")
    if dtype.kind not in "biuf" or dtype.itemsize > MOST_BYTES:
        raise ng.InvalidInputError(f"{name} must hold numbers, got the type {quoted(str(dtype))}")
    with archive.open(member) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    if dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise ng.InvalidInputError(f"{name} must hold finite numbers, got {array[place]} at {list(place)}")
    return array


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ng.InvalidInputError(
            f"{name} is of version {version} of NumPy's format, which is not for arrays of numbers"
        )
    shape, _, dtype = readers[version](file)
    return shape, dtype


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        have == want if want is not None else 0 < have <= MOST_ROWS for have, want in zip(shape, wanted, strict=True)
    )


def _written(shape: Shape) -> str:
    return f"({', '.join('n' if size is None else str(size) for size in shape)}{',' if len(shape) == 1 else ''})"
