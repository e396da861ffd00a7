"""Standard input, output and error: `-` for a file, results written at once, remarks on standard error."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import BinaryIO, TextIO

from ..errors import InvalidInputError

STREAM = "-"
MOST_BYTES = 2**30  # of a file that is read
STANDARD_INPUT, STANDARD_OUTPUT = "standard input", "standard output"


def shown(path: str) -> str:
    """Return the name of a file that is read, for messages."""
    return STANDARD_INPUT if path == STREAM else path


def content_of(path: str) -> bytes:
    """Return a file of at most a gibibyte, or standard input for `-`; an OSError says what prevents that."""
    if path == STREAM:
        if sys.stdin is None:
            raise OSError("it is closed")
        return _whole(sys.stdin.buffer)
    try:
        with open(path, "rb") as file:
            return _whole(file)
    except ValueError as error:  # a null character in the name
        raise OSError(errno.EINVAL, f"its name is none for a file ({error})") from error


def _whole(file: BinaryIO) -> bytes:
    """Return the rest of an open file, up to a limit: a device or a large file would fill the memory."""
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MOST_BYTES / 2**30:g} GiB, the most that is read")
    return content


def write_bytes(content: bytes) -> None:
    """Write to standard output and flush it; InvalidInputError where it takes nothing, a closed pipe excepted."""
    if sys.stdout is None:
        raise InvalidInputError("Standard output is closed; open it, or redirect it to a file.")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        abandon(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise
        raise InvalidInputError(
            f"Standard output could not be written: {error.strerror or error}; free space or redirect it elsewhere."
        ) from error


def write_text(text: str) -> None:
    """Write text in the encoding of standard output, characters that it lacks as escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    write_bytes(text.replace("\n", os.linesep).encode(encoding, "backslashreplace"))


def note(text: str) -> None:
    """A remark on standard error, so that standard output stays a result; lost if nothing can be written there."""
    if sys.stderr is None:
        return
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)


def abandon(stream: TextIO | None) -> None:
    """Send what is left in a stream that takes nothing to the null device, where the flush at exit cannot fail."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
