"""The threads of a run: one pool, as many as the user allows; BLAS on one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from joblib import cpu_count
from joblib.parallel import get_active_backend
from threadpoolctl import OpenBLASController, ThreadpoolController

from .errors import InvalidInputError

MOST_THREADS = 8  # threads, unless told otherwise
NAME = "neuralgauge"  # what threads are called

T = TypeVar("T")


def n_threads(n_jobs: int | None) -> int:
    """How many threads `n_jobs` allows, as in joblib: None for what its context says, negative to count from all cores.

    Cores are those that the process may use. Without a context they are all taken, at most 8; inside a worker of
    joblib, which has others beside it, one.
    """
    if n_jobs is None:
        backend, n_jobs = get_active_backend()
        if (backend.nesting_level or 0) > 0:
            return 1
        if n_jobs is None:
            return min(MOST_THREADS, cpu_count())
    if not isinstance(n_jobs, int | np.integer) or n_jobs == 0:
        raise InvalidInputError(
            f"`n_jobs` must be a whole number of threads, or negative to count from all cores (-1), got {n_jobs!r}; "
            "leave it out for the default."
        )
    return max(1, int(n_jobs) if n_jobs > 0 else cpu_count() + 1 + int(n_jobs))


class _Pool:
    """Threads that start with the first work and again in a process forked since."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._threads: tuple[int, ThreadPoolExecutor] | None = None

    def map(self, work: Callable[..., T], *items: Sequence[Any]) -> list[T]:
        """The work on every item, in order."""
        if self.size == 1:
            return list(map(work, *items))
        if self._threads is None or self._threads[0] != os.getpid():
            self._threads = os.getpid(), ThreadPoolExecutor(self.size, NAME, _current.set, (_SERIAL,))
        return list(self._threads[1].map(work, *items))

    def close(self) -> None:
        """End the threads."""
        if self._threads is not None and self._threads[0] == os.getpid():
            self._threads[1].shutdown()


class _OneBlasThread:
    """BLAS on one thread as long as any run of the process is inside, in whatever order runs in threads end.

    Limits of its own for each run would leave BLAS at one thread where the last to end began inside another.
    """

    def __init__(self) -> None:
        self._lock, self._users = Lock(), 0
        self._limit: Any = None

    @cached_property
    def _libraries(self) -> Any:
        return ThreadpoolController().select(user_api="blas")  # looking for libraries takes milliseconds

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._limit = self._libraries.limit(limits=1, user_api="blas")
                self._release()

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limit.restore_original_limits()
                self._release()

    @staticmethod
    def _release() -> None:
        # Since 3.8 threadpoolctl lets only the thread that set a limit change it, until it is told otherwise.
        if hasattr(OpenBLASController, "clear_controlling_thread"):
            OpenBLASController.clear_controlling_thread()


_SERIAL = _Pool(1)
_current: ContextVar[_Pool | None] = ContextVar("pool", default=None)
_one_blas_thread = _OneBlasThread()


@contextmanager
def threads(n_jobs: int | None = None) -> Iterator[_Pool]:
    """A run: inside, `in_threads` shares one pool, and BLAS keeps to one thread, for products here are skinny.

    A run inside another one uses its pool, unless it says how many threads it wants.
    """
    if n_jobs is None and (pool := _current.get()) is not None:
        yield pool
        return
    pool = _Pool(n_threads(n_jobs))
    token = _current.set(pool)
    try:
        with _one_blas_thread:
            yield pool
    finally:
        _current.reset(token)
        pool.close()


def in_threads(work: Callable[..., T], *items: Sequence[Any]) -> list[T]:
    """The work on every item, in order, in the threads of the run; outside of one, in a run of its own.

    The result does not depend on the number of threads as long as the items do not.
    """
    if len(items[0]) < 2:
        return list(map(work, *items))
    with threads() as pool:
        return pool.map(work, *items)
