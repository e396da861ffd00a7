"""The one place that knows the compiler."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, update_wrapper
from threading import RLock
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function compiled to machine code at its first call, released from the interpreter lock.

    The code is kept on disk where there is a folder to write to. Until then neither it nor the compiler is loaded:
    problems that need no compiled function pay for none.
    """
    return cast(F, Kernel(function, False))


def reordered(function: F) -> F:
    """The same with sums in any order, several terms at a time."""
    return cast(F, Kernel(function, {"contract", "reassoc"}))


class Kernel:
    """A function and, from its first call on, what the compiler makes of it; other such functions may call it."""

    _lock = RLock()  # two dispatchers of one function would both compile it

    def __init__(self, function: Callable[..., Any], fastmath: bool | set[str]) -> None:
        self._function, self._fastmath, self._dispatcher = function, fastmath, cast(Any, None)
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        return (self._dispatcher or self.dispatcher)(*arguments)

    @property
    def dispatcher(self) -> Any:
        """The function as the compiler knows it."""
        with self._lock:
            if self._dispatcher is None:
                self._dispatcher = _compiler()(self._function, self._fastmath)
        return self._dispatcher


@cache
def _compiler() -> Callable[[Callable[..., Any], bool | set[str]], Any]:
    """The compiler, told that a `Kernel` within compiled code is what it stands for."""
    import numba
    from numba.extending import typeof_impl

    typeof_impl.register(Kernel)(lambda kernel, context: typeof_impl(kernel.dispatcher, context))

    def made(function: Callable[..., Any], fastmath: bool | set[str]) -> Any:
        try:
            return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            return numba.njit(nogil=True, error_model="numpy", fastmath=fastmath)(function)

    return made
