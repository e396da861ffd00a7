"""The dual side of training: the best dual point, what pricing knows of its polar gauge, and the bound that follows."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..certificate import Certificate, Scope, lower_bound
from ..features.rows import Features, Span
from ..networks.dense import TwoLayerNetwork
from ..pricing import Columns, Price, plane_maxima, search
from ..pricing.explore import KEPT_POINTS
from ..pricing.search import maximised
from ..pricing.survey import Survey, survey
from ..problems.training import TrainingProblem
from ..solvers.run import Run

PROVEN_RANK = 5  # exact pricing is tried up to here unless told otherwise
SWEPT_RANK = 3  # up to here by a sweep, for any number of outputs
SWEPT_CONFINED = 2  # the same for neurons that are confined to an orthant
SWEPT_ROWS = 5000  # a sweep of rank 3 takes n^2 log n, and cannot be cut short
PROOF_SECONDS = 30.0  # for all branch and bound of a run when nobody asked for a proof
START_WORK, EXPLORED_WORK = 5e5, 4e6  # entries of X touched by one sweep over all starts: ascents, or explored starts
FEWEST_STARTS, MOST_STARTS, MOST_EXPLORED = 32, 128, 1024
NEIGHBOURS = (-1.0, 0.0)  # powers of ten of the relative distance at which neighbours of neurons are tried
SURVEY_WORK = 1e7  # entries of X times output weights that the ascents of one survey touch in a sweep
FEWEST_SURVEYED, MOST_SURVEYED = 64, 2048  # ascents; where fewer are affordable, starts are explored instead
SPANNED_COLUMNS, ROWS_OF_SPAN = 1000, 50  # columns up to which the row space is found, by so many rows a column
CLOSE, FINISHED = 512, 160  # starts near known maxima of a close search, and how many of all it finishes: 40 leave most
# columns that a program is short of to the thorough search, which then takes half of the time
OTHERS = 3  # dual points besides the best that are kept
KNOWN = 100  # maxima of each part that later searches start from
SAME_MAXIMUM = 1e-4  # 1 - cosine under which two of them are one


def priced_exactly(problem: TrainingProblem) -> bool:
    """Whether exact pricing is tried when nobody asks for it."""
    if not problem.features.resident:
        return False
    rank, N = problem.rank, problem.features.N
    return rank <= (PROVEN_RANK if problem.q == 1 else SWEPT_RANK) and (rank < 3 or N <= SWEPT_ROWS)


def _span(features: Features, rng: np.random.Generator) -> Span:
    """The row space, of a sample where rows are not whole in memory; of none where they have very many columns."""
    if features.resident:
        return features.span
    if features.d > SPANNED_COLUMNS:
        return Span(np.ones(features.d), np.zeros((features.d, 0)))
    count = min(features.n, ROWS_OF_SPAN * features.d)
    return features.dense_part(np.sort(rng.choice(features.n, count, replace=False))).span


class DualSide:
    """The best dual point v of a run, the largest score found at it, and the bounds that follow."""

    def __init__(
        self, problem: TrainingProblem, rng: np.random.Generator, prove: bool | None, most_starts: int | None = None
    ) -> None:
        self.problem, self.rng = problem, rng
        features = problem.features
        span = _span(features, rng)
        self.rank = problem.rank if features.resident else span.rank
        # Vectors that make X u of unit covariance, for data far from the origin, where most uniform u cut no cell.
        self.whitening = span.whitening
        self.prove = priced_exactly(problem) if prove is None else prove
        self.insist = prove is True
        self.swept = SWEPT_RANK if problem.constraints is None else SWEPT_CONFINED
        self.budget = PROOF_SECONDS if prove is None and self.rank > self.swept else np.inf  # seconds left for proofs
        compiled = problem.q == 1 or not features.patched
        work, most = (EXPLORED_WORK, MOST_EXPLORED) if compiled else (START_WORK, MOST_STARTS)
        self.n_starts = int(np.clip(work / features.size, FEWEST_STARTS, most_starts or most))
        in_plane = self.rank == 2 and features.resident and problem.constraints is None
        self.plane = span.axes if in_plane else None
        self.v = np.zeros_like(problem.y)
        self.polar, self.lower = 0.0, lower_bound(problem, self.v, 0.0)
        self.proven = self.lower
        self.scope: Scope = "bounded"
        self.starts = self.unseen = 0
        self.known = [Columns.none(problem.d, problem.q) for _ in problem.sides]
        self.begun = False
        self.others: list[tuple[Array, float]] = []

    def remember(self, columns: Columns) -> None:
        """Begin later searches at these neurons, too."""
        if self.problem.q > 1:
            self._keep([columns])
        else:
            self._keep([columns.take(columns.G[:, 0] == sign) for sign, _ in self.problem.sides])

    def price(
        self, v: Array, network: TwoLayerNetwork, finish: int = KEPT_POINTS, *, closely: bool = False
    ) -> list[Columns]:
        """Local maximisers from random starts and the network's neurons, for each sign; keeps v if it is the best.

        At most `finish` of a part, where there are many; `closely` finishes far more, near each other or not, for a v
        that few of those known violate.
        """
        problem, v = self.problem, self.problem.fit.project(v)
        if closely and problem.q == 1 and problem.features.resident and self.plane is None:
            found = self._close_maximisers(v, network)
            self._keep(found)
        else:
            uniform, near = self.n_starts // 4, self.n_starts // 2
            if self.begun:
                uniform, near = uniform // 2, near // 4
            found = self._maximisers(v, network, uniform, near, wide=True, finish=finish)
        self._raise_polar(max(float(np.max(problem.scores(self.v, part.U))) for part in found))
        polar = max(float(part.values[0]) for part in found)
        self._choose(v, polar, found)
        return found

    def _choose(self, v: Array, polar: float, found: list[Columns]) -> None:
        """Take the best of this dual point, the one at hand and others, all of them with the columns found.

        Where a search refutes the bound of the best, another one's takes its place.
        """
        problem, U = self.problem, np.hstack([part.U for part in found])
        points = [(self.v, self.polar)]
        points += [(w, max(known, float(np.max(problem.scores(w, U))))) for w, known in self.others]
        points.append((v, polar))
        bounds = [lower_bound(problem, w, known) for w, known in points]
        order = np.argsort(-np.array(bounds), kind="stable")
        (self.v, self.polar), self.lower = points[order[0]], bounds[order[0]]
        self.others = [points[k] for k in order[1 : 1 + OTHERS]]

    def _close_maximisers(self, v: Array, network: TwoLayerNetwork) -> list[Columns]:
        """Local maximisers of each sign near those known and the network's neurons."""
        features = self.problem.features
        parts = []
        for (sign, orthant), known in zip(self.problem.sides, self.known, strict=True):
            own = _of_sign(network, sign)
            near = self._around(np.hstack([own, known.U]), CLOSE)
            starts = np.hstack([own, known.U, self._sample(self.n_starts // 2), near])
            parts.append(maximised(v, features, starts, FINISHED, self.rng, sign, orthant))
        return parts

    def _maximisers(
        self, v: Array, network: TwoLayerNetwork, uniform: int, near: int, *, wide: bool, finish: int = KEPT_POINTS
    ) -> list[Columns]:
        """Local maximisers, best first: a part for each sign where these are searched apart, else one part.

        Starts are uniform, near the network's neurons, and with `wide` those neurons, the maxima known and
        vectors that make X u of unit covariance.
        """
        features = self.problem.features
        if self.plane is not None:
            return [plane_maxima(features.lifted(v), features.dense(), self.plane)]
        parts = []
        for (sign, orthant), known in zip(self.problem.sides, self.known, strict=True):
            starts = self._starts(_of_sign(network, sign), known, near, wide)
            parts.append(
                search(v, features, uniform, self.rng, starts=starts, sign=sign, orthant=orthant, finish=finish)
            )
        return parts

    def _starts(self, own: Array, known: Columns, near: int, wide: bool) -> Array:
        if not wide:
            return np.hstack([known.U, self._around(own, near)])
        whitened = self.whitening @ self.rng.standard_normal((self.whitening.shape[1], self.n_starts // 4))
        return np.hstack([own, known.U, whitened, self._around(own, near)])

    def _keep(self, found: list[Columns]) -> None:
        """Remember maxima as starts of later searches, those found last first; in the plane all are found anew."""
        if self.plane is not None:
            return
        self.known = [
            Columns.joined([new, old]).distinct(KNOWN, SAME_MAXIMUM) for new, old in zip(found, self.known, strict=True)
        ]

    def _around(self, U: Array, count: int) -> Array:
        """Vectors near the neurons at hand, where better ones are found far more often than by uniform starts."""
        if U.shape[1] == 0:
            return self.rng.standard_normal((len(U), count))
        chosen = U[:, self.rng.integers(U.shape[1], size=count)]
        noise = self.rng.standard_normal(chosen.shape) * np.linalg.norm(chosen, axis=0)
        distance = 10.0 ** self.rng.uniform(*NEIGHBOURS, size=count)
        return chosen + distance * noise / np.sqrt(len(U))

    def settle(self, run: Run) -> bool:
        """Whether a proof, or failing that many more starts, leave the bound within the run's gap of its network."""
        room = run.target_gap * abs(run.upper)
        goal = run.upper - room
        if self.prove and self.budget > 0.0:
            if self.rank > self.swept and self.lower < run.upper - 0.7 * room:
                return False  # branching takes far less with some room between the two
            if self._proves(goal, run):
                return True
        if self.insist or self.lower < goal:
            return False
        self._search_thoroughly(run.point)
        return self.lower >= goal

    def _search_thoroughly(self, network: TwoLayerNetwork) -> None:
        """Search for larger scores at v from many fresh starts; update the polar gauge and the maxima known."""
        most = int(min(SURVEY_WORK / (self.problem.features.size * self.problem.q), MOST_SURVEYED))
        if most < FEWEST_SURVEYED or not self.problem.features.resident:
            found = self._maximisers(self.v, network, 6 * self.n_starts, self.n_starts, wide=False, finish=200)
            self.starts = self.unseen = 0
        else:
            surveys = self._surveys(network, most)
            found = [one.maxima for one in surveys]
            self.starts, self.unseen = (
                sum(counts) for counts in zip(*((s.starts, s.unseen) for s in surveys), strict=True)
            )
        self._keep(found)
        self._raise_polar(max(float(part.values[0]) for part in found))

    def _surveys(self, network: TwoLayerNetwork, most: int) -> list[Survey]:
        """A search for each sign, or for all directions of several outputs."""
        features, rng = self.problem.features, self.rng
        surveys = []
        for side, known in zip(self.problem.sides, self.known, strict=True):

            def ascents(starts: Array, most: int, side: tuple[float | None, Array | None] = side) -> Columns:
                return maximised(self.v, features, starts, most, rng, *side)

            own = np.hstack([_of_sign(network, side[0]), known.U])
            surveys.append(survey(ascents, self._sample, own, most, rng))
        return surveys

    def _sample(self, count: int) -> Array:
        """Independent starts (d, count): uniform on the sphere, or such that X u has unit covariance, half of each."""
        uniform = self.rng.standard_normal((self.problem.d, count))
        whitened = self.whitening @ self.rng.standard_normal((self.whitening.shape[1], count))
        return np.where(self.rng.random(count) < 0.5, uniform, whitened)

    def _proves(self, goal: float, run: Run) -> bool:
        priced = self._price_exactly(self._largest_polar(goal), run)
        if self.proven >= goal:
            self.scope = "exact"
            return True
        if self._raise_polar(priced.value):
            direction = np.reshape(priced.direction, (1, -1))
            self.remember(Columns(np.array([priced.value]), priced.u[:, None], direction))
        return False

    def conclude(self, run: Run) -> None:
        """Prove what can be proven of a run that ends short of its gap: a sweep, or what time is left for branching."""
        no_time = self.rank > self.swept and (self.budget <= 0.0 or run.seconds >= run.limit)
        if self.scope == "exact" or not self.prove or no_time:
            return
        priced = self._price_exactly(None, run)
        if priced.closed:
            self.scope = "exact"
        self._raise_polar(priced.value)

    def _price_exactly(self, target: float | None, run: Run) -> Price:
        begun = run.seconds
        limit = max(min(run.limit - begun, self.budget), 1e-3)
        priced = self.problem.priced(self.v, target, limit if np.isfinite(limit) else None)
        self.budget -= run.seconds - begun
        self.proven = max(self.proven, lower_bound(self.problem, self.v, priced.bound))
        return priced

    def certificate(self, upper: float) -> Certificate:
        """The strongest true statement: proven where that was done, else estimated, with what is proven besides."""
        if self.scope == "exact" or self.insist:
            return Certificate(upper, self.proven, self.scope)
        estimated = Certificate(upper, self.lower, "estimated", self.starts, unseen=self.unseen)
        return estimated.with_proven(self.proven)

    def _largest_polar(self, goal: float) -> float:
        """The largest G(v) at which v still proves `goal`, by bisection."""
        low, high = self.polar, 4.0 * max(self.polar, self.problem.beta)
        for _ in range(60):
            middle = 0.5 * (low + high)
            if lower_bound(self.problem, self.v, middle) >= goal:
                low = middle
            else:
                high = middle
        return low

    def _raise_polar(self, value: float) -> bool:
        """Raise the polar gauge to a larger score, which lowers the bound; return whether it was larger."""
        if value <= self.polar * (1.0 + 1e-12):
            return False
        self.polar, self.lower = value, lower_bound(self.problem, self.v, value)
        return True


def _of_sign(network: TwoLayerNetwork, sign: float | None) -> Array:
    """The neurons (d, k) whose output weight has this sign; all for None."""
    return network.U if sign is None else network.U[:, sign * network.A[:, 0] > 0]
