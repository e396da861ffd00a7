r"""Pricing in any rank by branch and bound over simplicial cones, exact when it finishes and a bound at any time.

The orthants of the principal axes of the rows are halved along their longest edges until no cone can hold more than a
threshold (`_cone_search`), depth first. Passes with falling thresholds replace a queue: each begins with the cones that
the pass before has left, those of the largest bounds first, in threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise, product

import numpy as np

from .._array import Array
from .._threads import in_threads
from ._cone_search import SAME_SIDE
from ._searcher import Searcher
from .kinks import EPS, Enclosure, History, KinkForm

THRESHOLDS = (3.0, 1.0, 0.5)  # thresholds above the best value of the first passes, relative
SEARCHERS = 8  # that divide cones at the same time, for any number of threads: what they find does not depend on it
AT_ONCE = 8 * SEARCHERS  # cones handed out at a time; then all know the best value
MOST_CONES = 300  # kept between two passes; of more, a pass keeps those it began with: others would be relaxed anew


def branch_and_bound(
    form: KinkForm,
    z: Array,
    *,
    target: float | None = None,
    tol: float = 1e-9,
    time_limit: float | None = None,
    least: float = 0.0,
) -> Enclosure:
    r"""Enclose max over the unit ball of :math:`|b^T z| + |E(z)|`, or + E(z), for a form of any rank r >= 2.

    The search starts from the unit vector `z`; the better it is, the fewer cones are opened. `target` and `tol` are as
    in `price`; a target that is not close costs far less than closing. With `time_limit`, in seconds, passes start at a
    coarse threshold, so that there is a useful bound whenever time is up. Maxima below `least` are not told from it.
    Once it is closed, the result does not depend on the number of threads. With N kinks the cost of a cone is O(m r)
    for the m kinks that cross its parent; their number falls with the diameter. Near a trained network the number of
    cones grows about 15 times a rank. Memory O(N r depth) and the cones between two passes.
    """
    started = time.perf_counter()

    def seconds() -> float:
        return time.perf_counter() - started

    tree = _Tree(form, z, tol, least)
    rounding = form.margin + (4.0 * SAME_SIDE * form.rank**0.5 + (2.0 * len(form.w) + 64.0) * EPS) * form.mass
    proven = float(np.linalg.norm(form.b) + np.sum(np.abs(form.w)))
    goal, limit = -np.inf if target is None else target - rounding, np.inf if time_limit is None else time_limit
    above = np.inf if target is None else target + rounding
    history = [(seconds(), tree.value, proven + rounding)]
    ended = True
    for step in (*THRESHOLDS, 0.0):
        threshold = tree.value * (1.0 + step)
        last = step == 0.0 or threshold <= goal
        if not last and threshold >= proven:
            continue
        for goes_on in tree.divided(goal if last else threshold, goal, above, lambda: seconds() >= limit):
            ended, proven = goes_on, min(proven, tree.bound)
            history.append((seconds(), tree.value, proven + rounding))
        if last or not ended:
            break
    closed = ended and proven <= tree.value * (1.0 + 2.0 * tol)
    return Enclosure(tree.z, tree.value, proven + rounding, closed, _changes(history), tree.n_nodes)


class _Tree:
    """The cones that are left between two passes, and who divides them."""

    def __init__(self, form: KinkForm, z: Array, tol: float, least: float) -> None:
        self._searchers = [Searcher(form, tol) for _ in range(SEARCHERS)]
        self.value, self.z, self._tol = max(form.polar(z), least), np.array(z), tol
        self._settled = 0.0  # largest bound of the cones that are not kept
        orthants = [np.diag(signs).ravel() for signs in product((1.0, -1.0), repeat=form.rank)]
        self.cones = np.array([(np.inf, side, *cone, *cone) for side in form.signs for cone in orthants])

    @property
    def bound(self) -> float:
        """The largest bound of any cone, or the best value if that is larger."""
        return float(max(self.value, self._settled, np.max(self.cones[:, 0], initial=0.0)))

    @property
    def n_nodes(self) -> int:
        return sum(searcher.n_nodes for searcher in self._searchers)

    def divided(self, threshold: float, goal: float, above: float, stop: Callable[[], bool]) -> Iterator[bool]:
        """Divide the cones with bounds above the threshold, some at a time; say each time whether to go on.

        Those up to `goal`, or the tolerance above the best value, are settled. The end comes early where the value is
        larger than `above`, or at `stop`.
        """
        whole = threshold > goal and len(self.cones) > MOST_CONES
        waiting = self.cones[np.argsort(-self.cones[:, 0], kind="stable")]
        others = waiting[:0]  # divided in this pass, whatever is left of them
        while True:
            settled = self.value * (1.0 + self._tol)
            first = waiting[:AT_ONCE][waiting[:AT_ONCE, 0] > max(threshold, settled)]
            if not len(first):
                yield True
                return
            parts = [first[k::SEARCHERS] for k in range(min(SEARCHERS, len(first)))]

            def divide(searcher: Searcher, part: Array, settled: float = max(goal, settled)) -> Array:
                return searcher.divide(part, threshold, settled, self.value, (above, stop), whole)

            found = in_threads(divide, self._searchers[: len(parts)], parts)
            waiting, others = waiting[len(first) :], np.concatenate([others, *found])
            self.cones = np.concatenate([waiting, others])
            self._collect()
            if self.value > above or stop():
                yield False
                return
            yield True

    def _collect(self) -> None:
        """Take over the best of the searchers' values, in their order, and the largest bounds they have settled."""
        for searcher in self._searchers:
            self._settled = max(self._settled, searcher.settled)
            if searcher.value > self.value:
                self.value, self.z = searcher.value, searcher.z.copy()


def _changes(history: list[tuple[float, float, float]]) -> History:
    kept = [history[0]]
    kept += [now for before, now in pairwise(history[:-1]) if now[1:] != before[1:]]
    return (*kept, history[-1])
