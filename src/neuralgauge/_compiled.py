"""The one place that knows the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function compiled to machine code at its first call, released from the interpreter lock.

    The code is kept on disk where there is a folder to write to.
    """
    return _compile(function, False)


def reordered(function: F) -> F:
    """The same with sums in any order, several terms at a time."""
    return _compile(function, {"contract", "reassoc"})


def _compile(function: F, fastmath: bool | set[str]) -> F:
    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(function))
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast(F, numba.njit(nogil=True, error_model="numpy", fastmath=fastmath)(function))
