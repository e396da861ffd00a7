r"""Pricing in any rank by branch and bound over simplicial cones, exact when it finishes and a bound at any time.

The orthants of the principal axes of the rows are halved along their longest edges until no cone can hold more than a
threshold (`_cone_search`). Passes with falling thresholds replace a queue: a pass visits just the cones whose bound
lies above its threshold, depth first, so memory is a few megabytes however many cones there are.
"""

from __future__ import annotations

import time
from itertools import pairwise, product

import numpy as np

from .._array import Array
from ._cone_search import SAME_SIDE, search
from ._incumbent import STATE
from .kinks import EPS, Enclosure, History, KinkForm

STEPS_LEFT = 8.0  # a node is divided when that many more steps like the last would not bring it below the threshold
THRESHOLDS = (3.0, 1.0, 0.5, 0.2, 0.06)  # thresholds above the best value of the first passes, relative
PAUSE = 0.1  # seconds between looks at the clock


def branch_and_bound(
    form: KinkForm, z: Array, *, target: float | None = None, tol: float = 1e-9, time_limit: float | None = None
) -> Enclosure:
    r"""Enclose max over the unit ball of :math:`|b^T z| + |E(z)|`, for a form of any rank r >= 2.

    The search starts from the unit vector `z`; the better it is, the fewer cones are opened. `target` and `tol` are as
    in `price`; a target that is not close costs far less than closing. With `time_limit`, in seconds, passes start at a
    coarse threshold, so that there is a useful bound whenever time is up; without it there is one pass. With N kinks
    the cost of a cone is O(m r) for the m kinks that cross its parent; their number falls with the diameter. Near a
    trained network the number of cones grows about 15 times a rank. Memory O(N r depth).
    """
    started = time.perf_counter()

    def seconds() -> float:
        return time.perf_counter() - started

    tree = _Tree(form, z, tol)
    rounding = form.margin + (4.0 * SAME_SIDE * form.rank**0.5 + (2.0 * len(form.w) + 64.0) * EPS) * form.mass
    proven = float(np.linalg.norm(form.b) + np.sum(np.abs(form.w)))
    goal, limit = -np.inf if target is None else target - rounding, np.inf if time_limit is None else time_limit
    history = [(seconds(), tree.value, proven + rounding)]
    closed = False
    steps = (*THRESHOLDS, 0.0) if time_limit is not None else (0.0,)
    for step in steps:
        if step > 0.0 and max(tree.value * (1.0 + step), goal) >= proven:
            continue
        last = step == 0.0 or tree.value * (1.0 + step) <= goal
        tree.start(goal if last else tree.value * (1.0 + step), np.inf if target is None else target + rounding)
        while not (ended := tree.advance()) and seconds() < limit and not tree.above:
            history.append((seconds(), tree.value, proven + rounding))
        proven = min(proven, tree.bound)
        history.append((seconds(), tree.value, proven + rounding))
        if not ended or last:
            closed = proven <= tree.value * (1.0 + 2.0 * tol)
            break
    return Enclosure(tree.z, tree.value, proven + rounding, closed, _changes(history), tree.n_nodes)


class _Tree:
    """The arrays of the compiled search: a stack of cones and one arena for their lists of undecided kinks."""

    def __init__(self, form: KinkForm, z: Array, tol: float) -> None:
        r, n = form.rank, len(form.w)
        self._form, self._roots = form, 2 * 2**r
        room, entries = self._roots + 64 * r, 32 * n + 64
        self._stack = [np.zeros((room, r, r)), np.zeros((room, r, r)), np.zeros((room, r)), np.zeros(room)]
        self._info = np.zeros((room, 4), dtype=np.int64)
        self._index, self._T, self._Y = np.zeros(entries, dtype=np.int64), np.zeros((entries, r)), np.zeros(entries)
        self._work = np.zeros((5 + r, r))
        self._state = np.array((0, 0.0, form.polar(z), tol, 0.0, np.inf, 0), STATE)[()]
        self._chunk = 256
        self.z = np.array(z)

    @property
    def value(self) -> float:
        return float(self._state["value"])

    @property
    def above(self) -> bool:
        return bool(self._state["value"] > self._state["stop_above"])

    @property
    def bound(self) -> float:
        """Bound over the closed and open cones of this pass."""
        still_open = self._stack[3][: self._state["open"]]
        return float(max(self._state["value"], self._state["closed"], np.max(still_open, initial=0.0)))

    @property
    def n_nodes(self) -> int:
        return int(self._state["nodes"])

    def start(self, threshold: float, stop_above: float) -> None:
        """Put all orthants with both signs of h on the stack, every kink undecided."""
        form, k = self._form, 0
        vertices, dual, linear, bounds = self._stack
        for sign in (1.0, -1.0):
            for orthant in product((1.0, -1.0), repeat=form.rank):
                vertices[k] = dual[k] = np.diag(orthant)
                linear[k], self._info[k] = sign * form.b, (0, len(form.w), -1, sign)
                k += 1
        bounds[:k] = np.inf
        self._index[: len(form.w)] = np.arange(len(form.w))
        self._state["open"], self._state["closed"] = k, 0.0
        self._state["threshold"], self._state["stop_above"] = threshold, stop_above

    def advance(self) -> bool:
        """Work for about a tenth of a second; True when no cone is left."""
        began = time.perf_counter()
        form, (vertices, dual, linear, bounds) = self._form, self._stack
        status = search(
            form.w, form.Z, form.b, vertices, dual, linear, bounds, self._info, self._index, self._T, self._Y,
            self._state, self.z, self._work, self._chunk, STEPS_LEFT,
        )  # fmt: skip
        if status == 2:
            self._grow()
        elif status == 1:
            pace = PAUSE / max(time.perf_counter() - began, 1e-6)
            self._chunk = int(max(64, self._chunk * min(4.0, max(0.25, pace))))
        return bool(status == 0)

    def _grow(self) -> None:
        self._stack = [np.concatenate([a, np.zeros_like(a)]) for a in self._stack]
        self._info, self._index, self._T, self._Y = (
            np.concatenate([a, np.zeros_like(a)]) for a in (self._info, self._index, self._T, self._Y)
        )


def _changes(history: list[tuple[float, float, float]]) -> History:
    kept = [history[0]]
    kept += [now for before, now in pairwise(history[:-1]) if now[1:] != before[1:]]
    return (*kept, history[-1])
