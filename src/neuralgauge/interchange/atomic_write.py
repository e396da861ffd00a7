"""Writing a file so that a reader sees the old one or the new one, whole, whatever interrupts the writer."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..errors import InvalidInputError


def check_output(path: str | Path, *, force: bool = False) -> Path:
    """The path a file can be written to, links followed; else InvalidInputError says why not."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InvalidInputError(f"The output {str(path)!r} is a folder; give the name of a file in it.")
    if not target.parent.is_dir():
        raise InvalidInputError(
            f"The folder {str(target.parent)!r} of the output {target.name!r} does not exist; create it first."
        )
    if target.exists() and not target.is_file():
        raise InvalidInputError(f"The output {str(path)!r} is not an ordinary file; give another name.")
    if target.exists() and not force:
        raise InvalidInputError(
            f"The output {str(path)!r} exists already; give another name, or force to replace it (`--force`, "
            "`force=True`)."
        )
    if not os.access(target.parent, os.W_OK):
        raise InvalidInputError(f"The folder {str(target.parent)!r} may not be written to; choose another output.")
    return target


def write_atomically(path: str | Path, content: bytes, *, force: bool = False) -> None:
    """Write `content` under a temporary name in the same folder, flush it to the disk, then rename.

    Parameters
    ----------
    path : str or Path
        Where to; the folder must exist. A symbolic link is followed.
    content : bytes
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InvalidInputError
        If the file exists and `force` is False, or the folder is missing, or the system refuses to write.

    Notes
    -----
    Until the rename an existing file is untouched, and the temporary file is removed whatever ends the write
    (a killed process or a power cut excepted).
    """
    target = check_output(path, force=force)
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise InvalidInputError(
            f"The output {str(path)!r} could not be written: {error.strerror or error}; free space or choose another."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    # The rename itself lies in the folder; systems that cannot open folders (Windows) need no flush.
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
