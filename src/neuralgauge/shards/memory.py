"""Memory of worker processes."""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
LARGEST_KEPT = 2**25  # bytes: the largest threshold that glibc reaches by itself


def keep_freed_memory() -> None:
    """Let this process keep memory that it frees for the next chunk, as glibc does unless told otherwise.

    Dask starts workers with a trimming threshold of 64 KiB, which also fixes the one above which each array is a
    mapping of its own: every chunk of a pass then waits for its pages anew, and a pass takes three times as long.
    """
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
    mallopt(M_TRIM_THRESHOLD, 2 * LARGEST_KEPT)
