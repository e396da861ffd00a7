"""What stops, times and judges every solver: the clock, the best bounds, the history, the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from .._array import Array, as_positive
from ..certificate import Certificate
from .solution import Record, Solution, Status

LEAST_SECONDS = 1e-9  # of a part of a run whose time is over: limits must be > 0
LOOSE, AHEAD, TIGHT = 1e-2, 0.1, 0.3  # gaps of parts: the first, relative to the whole one, to the one wanted

T = TypeVar("T")


class Run:
    """One call of a solver: how long it may take, what it has found, how it ends.

    A solver is an iterator of iterates; `follow` takes them one after the other. What an iterate proves is offered to
    the run, which keeps the best of it: a bound once proven is never lost.

    Parameters
    ----------
    target_gap : float
        Relative gap (upper - lower) / |upper| at which the run ends.
    time_limit : float, optional
        Seconds, > 0; the best result so far is returned when they are over.
    progress : callable, optional
        Called with every `Record` of the history.

    Attributes
    ----------
    upper, point
        Best primal value and where it is attained: infinite and None before the first offer.
    lower, dual
        Best proven dual value and the dual point v behind it: minus infinity and None before the first offer.
    limit : float
        The time limit, infinite without one.
    n_iter : int
        Iterations used, those of inner runs included as their solvers add them.
    reserve : float
        Seconds at the end that are kept for what must still follow; `late` and `left` leave them out.
    slow_rounds : float
        Iterates in a row that may together lower the objective by less than the gap; inner runs have no such limit.
    """

    def __init__(
        self, target_gap: float, time_limit: float | None = None, progress: Callable[[Record], None] | None = None
    ) -> None:
        self._start = time.perf_counter()
        self.target_gap, self._progress = target_gap, progress
        self.limit = np.inf if time_limit is None else as_positive(time_limit, "time_limit")
        self._outer: Run | None = None
        self.upper, self.lower = np.inf, -np.inf
        self.point: Any = None
        self.dual: Any = None
        self.n_iter, self.reserve, self.interrupted = 0, 0.0, False
        self.slow_rounds = np.inf
        self.history: list[Record] = []

    @property
    def seconds(self) -> float:
        """Wall-clock time since the start."""
        return time.perf_counter() - self._start

    def left(self, share: float = 1.0) -> float | None:
        """Seconds left, or a share of them, > 0; None without a limit."""
        left = self.limit - self.reserve - self.seconds
        return max(share * left, LEAST_SECONDS) if np.isfinite(left) else None

    def late(self, ahead: float = 0.0) -> bool:
        """Whether the time is over, or will be after so many seconds more."""
        return self.seconds + ahead >= self.limit - self.reserve

    def inner(
        self, target_gap: float | None = None, share: float = 1.0, *, primal: bool = False, dual: bool = False
    ) -> Run:
        """A run inside this one, of a share of the time left; Ctrl-C in it interrupts both.

        Parameters
        ----------
        primal, dual : bool
            Whether objectives of the inner run are values of this one too, and its bounds bounds of this one. Its
            records then enter this history, as far as they hold here; if neither is true, they do not.
        """

        def relay(record: Record) -> None:
            upper = min(self.upper, record.objective) if primal else self.upper
            lower = max(self.lower, record.lower_bound) if dual else self.lower
            self.note(Record(self.seconds, upper, lower, record.n_neurons))

        gap = self.target_gap if target_gap is None else target_gap
        run = Run(gap, self.left(share), relay if primal or dual else None)
        run._outer = self
        return run

    def offer(self, value: float, point: Any) -> bool:
        """Keep this point if its objective is below all others; whether it is."""
        better = value < self.upper
        if better:
            self.upper, self.point = value, point
        return better

    def offer_dual(self, bound: float, v: Array) -> bool:
        """Keep this dual point if its bound is above all others; whether it is."""
        better = bound > self.lower
        if better or self.dual is None:
            self.lower, self.dual = bound, v
        return better

    @property
    def gap(self) -> float:
        """Relative gap of the best pair."""
        return Certificate(self.upper, self.lower, "patterns").gap

    @property
    def part_gap(self) -> float:
        """Gap at which a program over some of the variables is solved well enough to price the others again."""
        return max(TIGHT * self.target_gap, min(AHEAD * self.gap, LOOSE))

    @property
    def reached(self) -> bool:
        """Whether the gap is what was wanted. One below minus that is none: it contradicts itself."""
        return abs(self.gap) <= self.target_gap

    def record(self, n_neurons: int, lower: float | None = None) -> None:
        """Write the best pair into the history, or the best point with a bound that is not proven."""
        self.note(Record(self.seconds, self.upper, self.lower if lower is None else lower, n_neurons))

    def note(self, record: Record) -> None:
        """Write a record into the history."""
        self.history.append(record)
        if self._progress is not None:
            self._progress(record)

    def interrupt(self) -> None:
        """End this run and those around it as interrupted."""
        self.interrupted = True
        if self._outer is not None:
            self._outer.interrupt()

    def over(self, max_iter: float = np.inf, ahead: float = 0.0) -> Status | None:
        """How the run must end now; None while it may go on for `ahead` seconds more."""
        if self.interrupted:
            return Status.INTERRUPTED
        if self.reached:
            return Status.SOLVED
        if self.n_iter >= max_iter:
            return Status.ITERATION_LIMIT
        return Status.TIME_LIMIT if self.late(ahead) else None

    def _ended(self, otherwise: Status, reached: bool) -> Status:
        """The verdict."""
        if self.interrupted:
            return Status.INTERRUPTED
        return Status.SOLVED if reached else otherwise

    def _slow(self, uppers: list[float]) -> bool:
        """Whether the last of the objectives after each iterate fell by less than the gap."""
        if len(uppers) <= self.slow_rounds:
            return False
        return uppers[-1 - int(self.slow_rounds)] - uppers[-1] < self.target_gap * abs(uppers[-1])

    def follow(
        self,
        iterates: Callable[[], Iterable[T]],
        consider: Callable[[T], object] | None = None,
        max_iter: float = np.inf,
        *,
        stride: int = 0,
        patience: float = np.inf,
    ) -> Status:
        """Take iterates until the gap is reached, a limit is met, or they end; how it ended.

        Parameters
        ----------
        iterates : callable
            Makes the iterator, inside the run, so that Ctrl-C ends its preparations too. A generator that ends by
            itself returns how, a `Status`; without one it has stalled.
        consider : callable, optional
            Takes each iterate: offers what it proves, and writes records.
        stride : int
            Iterations from one iterate to the next, none of which can be cut short: no next one begins that would
            overrun the time limit if it takes as long as the last. 0 for iterators that watch the time and count
            their iterations themselves.
        patience : float
            Iterates in a row that may leave both bounds as they are.
        """
        count, idle, before = 0, 0, self.seconds
        uppers: list[float] = []
        try:
            if self.reached:
                return Status.SOLVED
            iterator = iter(iterates())
            while True:
                known = self.upper, self.lower
                try:
                    iterate = next(iterator)
                except StopIteration as end:
                    return self._ended(end.value or Status.STALLED, self.reached)
                if stride:
                    self.n_iter = count * stride
                if consider is not None:
                    consider(iterate)
                idle = idle + 1 if (self.upper, self.lower) == known else 0
                took, before = self.seconds - before, self.seconds
                if (status := self.over(max_iter, took if stride and count else 0.0)) is not None:
                    return status
                if idle > patience:
                    return Status.STALLED
                uppers.append(self.upper)
                if self._slow(uppers):
                    return Status.SLOW
                count += 1
        except KeyboardInterrupt:
            self.interrupt()
            return Status.INTERRUPTED

    def solution(
        self,
        network: Any,
        certificate: Certificate,
        ended: Status,
        *,
        dual: Array | None = None,
        blocks: Array | None = None,
    ) -> Solution[Any]:
        """The result: solved exactly if the gap of its certificate is reached and nothing has interrupted the run."""
        reached = abs(certificate.gap) <= self.target_gap
        status = self._ended(Status.STALLED if ended is Status.SOLVED else ended, reached)
        v = self.dual if dual is None else dual
        return Solution(network, certificate, status, self.n_iter, self.seconds, v, tuple(self.history), blocks)
