"""Best-first branch and bound for a maximum."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, Protocol

import numpy as np

from .._array import Array, as_positive


class Node(Protocol):
    """A part of the inputs, and a number that nothing on it exceeds."""

    @property
    def bound(self) -> float:
        """Never below the maximum on the part."""


class Search:
    """The best value attained so far, the bound on all parts, and the time they took.

    Parameters
    ----------
    time_limit : float or None
        Seconds.

    Attributes
    ----------
    tolerance : float
        A part is left when its bound is above the best value by no more than this.
    floor : float
        Below every value there is: a part of such a bound is empty.
    value, point, extra
        The best value so far, where it is attained, and what came with it.
    nodes : int
        Parts that were bounded.
    """

    def __init__(self, time_limit: float | None) -> None:
        self.tolerance, self.floor = 0.0, -np.inf
        self.begin = time.perf_counter()
        self.end = np.inf if time_limit is None else self.begin + as_positive(time_limit, "time_limit")
        self.value, self.nodes, self._left = -np.inf, 0, -np.inf
        self.point: Array | None = None
        self.extra: Any = None

    def offer(self, value: float, point: Array, extra: Any = None) -> None:
        """A value that is attained."""
        if value > self.value:
            self.value, self.point, self.extra = value, point, extra

    def is_open(self, bound: float) -> bool:
        """Whether a part of this bound is to be looked at."""
        return bound > max(self.value + self.tolerance, self.floor)

    @property
    def is_over(self) -> bool:
        """Whether the time is."""
        return time.perf_counter() >= self.end

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.begin

    def run(self, roots: Iterable[Node], split: Callable[[Any], Iterable[Node]]) -> float:
        """Split the part of the largest bound until none is open or time is over; return the bound of all of them.

        A node that `split` gives no parts of, although it is open, keeps its bound.
        """
        order, heap = count(), list[tuple[float, int, Any]]()

        def keep(nodes: Iterable[Node]) -> int:
            kept = 0
            for node in nodes:
                self.nodes += 1
                kept += 1
                if self.is_open(node.bound):
                    heapq.heappush(heap, (-node.bound, next(order), node))
                else:
                    self._left = max(self._left, node.bound)
            return kept

        keep(roots)
        while heap and self.is_open(-heap[0][0]) and not self.is_over:
            node = heapq.heappop(heap)[2]
            if not keep(split(node)):
                self._left = max(self._left, node.bound)
        return float(max(self.value, self._left, -heap[0][0] if heap else -np.inf))
