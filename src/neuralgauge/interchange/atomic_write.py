"""Writing a file atomically: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from ..errors import InvalidInputError
from ..quoting import quoted


def check_output(path: str | Path, *, force: bool = False) -> Path:
    """Return the path a file can be written to, links followed; else InvalidInputError says why not.

    A file is made in the folder and removed again, for permissions alone do not tell (read-only and virtual folders).
    """
    shown = f"The output {quoted(str(path))}"
    try:
        target = Path(os.path.realpath(path))
        mode = _mode(target)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{shown} cannot be written: {_reason(error)}; give another name.") from error
    folder = f"The folder {quoted(str(target.parent))}"
    if stat.S_ISDIR(mode):
        raise InvalidInputError(f"{shown} is a folder; give the name of a file in it.")
    if not target.parent.is_dir():
        raise InvalidInputError(f"{folder} of the output {quoted(target.name)} does not exist; create it first.")
    if mode and not stat.S_ISREG(mode):
        raise InvalidInputError(f"{shown} is not an ordinary file; give another name.")
    if mode and not force:
        raise InvalidInputError(
            f"{shown} exists already; give another name, or force to replace it (`--force`, `force=True`)."
        )
    temporary = _temporary(target)
    try:
        with open(temporary, "xb"):
            pass
    except OSError as error:
        raise InvalidInputError(f"{folder} may not be written to ({_reason(error)}); choose another output.") from error
    finally:
        _remove(temporary)
    return target


def write_atomically(path: str | Path, content: bytes, *, force: bool = False) -> None:
    """Write `content` under a temporary name in the same folder, flush it to the disk, then rename.

    A symbolic link is followed. An InvalidInputError if the file exists and `force` is False, if the folder is missing,
    or if the system refuses to write. Until the rename an existing file is untouched, and the temporary file is removed
    whatever ends the write (a killed process or a power cut excepted).
    """
    target = check_output(path, force=force)
    temporary = _temporary(target)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise InvalidInputError(
            f"The output {quoted(str(path))} could not be written: {_reason(error)}; free space or choose another."
        ) from error
    finally:
        _remove(temporary)
    _flush_folder(target.parent)


def _mode(target: Path) -> int:
    """Return the mode of the file, 0 if there is none."""
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return 0


def _temporary(target: Path) -> Path:
    return target.with_name(f".{secrets.token_hex(8)}.part")


def _remove(temporary: Path) -> None:
    # A read-only disk refuses even where there is nothing to remove, and the first error is the one to report.
    with contextlib.suppress(OSError):
        temporary.unlink()


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _flush_folder(folder: Path) -> None:
    # The rename itself lies in the folder; systems that cannot open folders (Windows) need no flush.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
