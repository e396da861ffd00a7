"""One of those who divide cones side by side: the arrays of the compiled search, kept from one part to the next."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from .._array import Array
from ._cone_search import search
from ._incumbent import STATE
from .kinks import KinkForm

STEPS_LEFT = 8.0  # a node is divided when that many more steps like the last would not bring it below the threshold
PAUSE = 0.1  # seconds between looks at the clock


class Searcher:
    """A stack of cones, one arena for their lists of undecided kinks, and the best value met.

    A cone that is handed in or out is a row: bound, sign of h, unit vertices (r, r), dual basis (r, r).
    """

    def __init__(self, form: KinkForm, tol: float) -> None:
        r, n = form.rank, len(form.w)
        self._form, self._chunk = form, 256
        room, entries = 64 * (r + 1), 32 * n + 64
        self._stack = [np.zeros((room, r, r)), np.zeros((room, r, r)), np.zeros((room, r)), np.zeros(room)]
        self._info = np.zeros((room, 4), dtype=np.int64)
        self._index, self._T, self._Y = np.zeros(entries, dtype=np.int64), np.zeros((entries, r)), np.zeros(entries)
        self._index[:n] = np.arange(n)
        self._leaves, self._work = np.zeros((room, 2 + 2 * r * r)), np.zeros((5 + r, r))
        self._state = np.array((0, 0.0, 0.0, tol, 0.0, np.inf, 0, 0, 0.0, form.one_sided), STATE)[()]
        self.z = np.zeros(r)

    @property
    def value(self) -> float:
        """The best value met, or the one that was given."""
        return float(self._state["value"])

    @property
    def settled(self) -> float:
        """The largest bound of a cone of the last part that is not handed out."""
        return float(self._state["closed"])

    @property
    def n_nodes(self) -> int:
        """Cones relaxed so far."""
        return int(self._state["nodes"])

    def divide(
        self,
        cones: Array,
        threshold: float,
        settled: float,
        value: float,
        ends: tuple[float, Callable[[], bool]],
        whole: bool,
    ) -> Array:
        """Divide cones until no bound is above the threshold; return those with bounds above `settled`, any number.

        `ends` are a value above which to stop, and what says that time is up; cones then are returned as they are. With
        `whole` the cones themselves are returned, if there was time, with the largest bound of their parts.
        """
        self._start(cones)
        above, stop = ends
        state = self._state
        state["threshold"], state["stop_above"], state["value"] = threshold, above, value
        state["closed"], state["leaves"], state["kept_above"] = 0.0, 0, np.inf if whole else settled
        while not self._advance() and self.value <= above and not stop():
            pass
        if whole and state["open"] == 0:
            bound, state["closed"] = self.settled, 0.0
            return np.column_stack([np.minimum(cones[:, 0], bound), cones[:, 1:]])
        return np.concatenate([self._leaves[: state["leaves"]], self._left()])

    def _start(self, cones: Array) -> None:
        """Put cones on the stack, the best last, every kink undecided."""
        while len(self._info) < len(cones):
            self._grow()
        r, k = self._form.rank, len(cones)
        cones = cones[::-1]
        vertices, dual, linear, bounds = self._stack
        bounds[:k], vertices[:k] = cones[:, 0], cones[:, 2 : 2 + r * r].reshape(k, r, r)
        dual[:k], linear[:k] = cones[:, 2 + r * r :].reshape(k, r, r), cones[:, 1:2] * self._form.b
        self._info[:k, 0], self._info[:k, 1], self._info[:k, 2] = 0, len(self._form.w), -1
        self._info[:k, 3] = cones[:, 1]
        self._state["open"] = k

    def _left(self) -> Array:
        k, square = int(self._state["open"]), self._form.rank**2
        vertices, dual, _, bounds = (array[:k] for array in self._stack)
        side = self._info[:k, 3].astype(float)
        return np.column_stack([bounds, side, vertices.reshape(k, square), dual.reshape(k, square)])

    def _advance(self) -> bool:
        """Work for about a tenth of a second; True when no cone is left."""
        began = time.perf_counter()
        form, (vertices, dual, linear, bounds) = self._form, self._stack
        status = search(
            form.w, form.Z, form.b, vertices, dual, linear, bounds, self._info, self._index, self._T, self._Y,
            self._leaves, self._state, self.z, self._work, self._chunk, STEPS_LEFT,
        )  # fmt: skip
        if status == 2:
            self._grow()
        elif status == 1:
            pace = PAUSE / max(time.perf_counter() - began, 1e-6)
            self._chunk = int(max(64, self._chunk * min(4.0, max(0.25, pace))))
        return bool(status == 0)

    def _grow(self) -> None:
        self._stack = [np.concatenate([a, np.zeros_like(a)]) for a in self._stack]
        self._info, self._index, self._T, self._Y, self._leaves = (
            np.concatenate([a, np.zeros_like(a)]) for a in (self._info, self._index, self._T, self._Y, self._leaves)
        )
