"""Reading a file whole, up to a limit, so that a device or a large file does not fill the memory."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

GIBIBYTE = 2**30
MOST_BYTES = GIBIBYTE


def read_whole(path: str | Path) -> bytes:
    """The content of a file of at most a gibibyte; whatever prevents that is an OSError."""
    try:
        with open(path, "rb") as file:
            return read_stream(file)
    except ValueError as error:  # a null character in the name
        raise OSError(errno.EINVAL, f"its name is none for a file ({error})") from error


def read_stream(file: BinaryIO) -> bytes:
    """The rest of an open file, likewise."""
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MOST_BYTES / GIBIBYTE:g} GiB, the most that is read")
    return content
