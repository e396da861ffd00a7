r"""Rounds of a search with smoothed activations, the best weights of all neurons at hand, and pricing.

The search moves many neurons at once past the kinks of the objective; the weights of its neurons and of columns priced
are then optimal for what these neurons are, a convex problem, whose residual no column at hand violates: pricing finds
those that are missing. Widths of smoothing fall from round to round.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from .._array import Array
from ..certificate import Certificate
from ..losses.envelope import is_kinked
from ..losses.protocol import SmoothLoss
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from ..pruning.simplify import simplify
from ..solvers.local_search import smoothed_search
from ..solvers.passes import Passes
from ..solvers.reweighting import reweighted
from ..solvers.run import Run

FEWEST_ENTRIES = 2_000  # entries of X; below, the first convex programs take less than one search
FEWEST_KINKED = 500  # the same for losses with kinks; at 500 the absolute loss takes 0.8 of the time, the hinge 1.4
MANY_NEURONS, FEW_NEURONS = 100, 20  # to begin with, fewer where these weights would be more:
MANY_WEIGHTS = 2e5
SEARCH_ITERATIONS = 200  # iterations of a search
WIDTHS = (0.3, 0.1, 0.03, 0.01)  # shares of the spread of x^T u over the rows, one a round; then
BEGUN = 2  # where these begin for a network that is given
NARROW = (0.01, 0.003, 0.001)  # in turns
DECREASE, LARGEST_GAP = 3e-4, 1e-2  # of an iteration at which a search ends, relative to the gap or this one
LASSOS, NEW = 2, 25  # of a round, each with so many columns of each sign that the one before misses
MOST_LASSOS = 8  # at the end, with as many more columns, but of few rows, where the convex program goes further sooner:
PROGRAM_WORK = 1e7  # n^2 d, a Newton step of a block
SAME_RAYS = 1e-5  # 1 - cosine under which two of them count as one
ALMOST = 0.98  # share of beta above which a column is worth its place
KINKED_ALMOST = 0.8  # the same for losses with kinks, whose dual points move further
ROUNDED, LEAST_ROUNDING = 0.1, 1e-300  # largest gap that the rounding of kinks is to cost, and the least of its widths
JOINED = 0.5  # distance of directions that are joined for the next search, relative to its width
LEFT_OUT = 1e-4  # weights relative to the largest that it leaves out
SIMPLER = 0.02  # of the gap wanted: what each step of simplifying may cost
NEW_SIZE = 0.1  # of new neurons, relative to the root mean square of those at hand


class Pricing(Protocol):
    """Finds columns at dual points, and keeps the best of these."""

    lower: float

    def price(self, v: Any, network: TwoLayerNetwork) -> list[Columns]:
        """Columns of large scores at v, best first, a part for each sign."""


def searched_smoothly(problem: TrainingProblem) -> bool:
    """Whether the rounds take the problem: one output weight a neuron, second derivatives or kinks to round."""
    return problem.q == 1 and (isinstance(problem.loss, SmoothLoss) or is_kinked(problem.loss))


def smoothable(problem: TrainingProblem) -> bool:
    """Whether the rounds take the problem, and pay."""
    least = FEWEST_KINKED if is_kinked(problem.loss) else FEWEST_ENTRIES
    return searched_smoothly(problem) and problem.features.size >= least


class SmoothedRounds:
    """The best network and the best dual point of one training, by passes over the rows alone."""

    patience = 4  # rounds

    def __init__(
        self, passes: Passes, run: Run, rng: np.random.Generator, dual: Pricing, network: TwoLayerNetwork
    ) -> None:
        self.passes, self.run, self.rng, self.dual = passes, run, rng, dual
        self.problem = passes.problem
        self.lassos, self.new = LASSOS, NEW
        self.kinked = is_kinked(self.problem.loss)
        self.kept = 1.0 - (KINKED_ALMOST if self.kinked else ALMOST)
        self.best: tuple[float, TwoLayerNetwork] = np.inf, network
        self.begun = network.n_neurons > 0
        self.active = network if self.begun else self._random_neurons()

    def steps(self) -> Iterator[None]:
        """Rounds without end, each handed out when its dual points are priced."""
        for width in itertools.chain(WIDTHS[BEGUN if self.begun else 0 :], itertools.cycle(NARROW)):
            try:
                self._round(width)
            finally:  # Ctrl-C keeps what the round has found
                self.run.offer(*self.best)
            yield

    def widen(self) -> bool:
        """Price more often from now on, with more columns; False at the end of that, or where programs are cheap."""
        features = self.problem.features
        programs = features.resident and features.n**2 * features.d <= PROGRAM_WORK
        wider = self.lassos < (LASSOS if programs else MOST_LASSOS)
        if wider:
            self.lassos, self.new = 2 * self.lassos, 2 * self.new
        return wider

    @property
    def gap(self) -> float:
        """Gap of the best pair, estimated."""
        return abs(Certificate(self.run.upper, self.dual.lower, "estimated").gap)

    def _random_neurons(self) -> TwoLayerNetwork:
        """Random small neurons, which all together are a penalty of 1 % of the loss, whatever the units of X and y."""
        problem = self.problem
        empty = problem.empty_network()
        m = min(int(np.clip(MANY_WEIGHTS / problem.d, FEW_NEURONS, MANY_NEURONS)), 2 * problem.n)
        size = np.sqrt(0.01 * problem.objective(empty) / (problem.beta * m))
        U = self.rng.standard_normal((problem.d, m))
        G = np.where(np.arange(m) % 2 == 0, 1.0, -1.0)[:, None]
        network = empty.with_neurons(U * (size / np.linalg.norm(U, axis=0)), size * G)
        return network if problem.constraints is None else problem.constraints.admitted(network)

    def _round_kinks(self) -> None:
        """Round kinks so far that it may cost the gap at hand, where the loss has some."""
        if self.kinked:
            value = min(self.run.upper, self.passes.objective(self.problem.empty_network()))
            cost = max(self.run.target_gap, min(ROUNDED, self.gap)) * value
            self.passes = self.passes.rounded(max(2.0 * cost / self.problem.fit.steepness, LEAST_ROUNDING))

    def _round(self, share: float) -> None:
        self._round_kinks()
        least = DECREASE * min(LARGEST_GAP, self.gap)
        network = smoothed_search(self.passes, self.active, share, SEARCH_ITERATIONS, self.run, least)
        columns, weight = _columns(network)
        found = self._priced(network)
        for _ in range(self.lassos):
            columns, weight = Columns.joined([columns, found]), np.append(weight, np.zeros(len(found.values)))
            best = reweighted(self.passes, columns, weight, network.offset)
            if best is None:
                break
            network = best.network
            found = self._priced(network, best.v)
            near = best.shortfall < self.kept
            columns, weight = columns.take(near), best.weight[near]
        self._offer_simplified()
        self.active = self._with_new(_reduced(network, JOINED * share), found)

    def _priced(self, network: TwoLayerNetwork, v: Any = None) -> Columns:
        """Columns that v nearly violates or does, by default the network's residual; keeps the best of the round."""
        value = self.passes.objective(network)
        if value < self.best[0]:
            self.best = value, network
        v = self.passes.residual(network) if v is None else v
        least = ALMOST * self.problem.beta
        parts = self.dual.price(v, network)
        return Columns.joined([part.take(part.values > least).distinct(self.new, SAME_RAYS) for part in parts])

    def _offer_simplified(self) -> None:
        """Offer the best network of the round with fewer neurons, where it is better than those before."""
        value, network = self.best
        if value < self.run.upper:
            smaller = simplify(network, self.problem, SIMPLER * self.run.target_gap)
            self.run.offer(self.passes.objective(smaller), smaller)
        self.best = np.inf, network

    def _with_new(self, network: TwoLayerNetwork, columns: Columns) -> TwoLayerNetwork:
        if network.n_neurons == 0 or len(columns.values) == 0:
            return network if network.n_neurons else self._random_neurons()
        size = NEW_SIZE * np.sqrt(np.mean(np.sum(network.A**2, axis=1)))
        return network.join(network.with_neurons(size * columns.U, size * columns.G))


def _reduced(network: TwoLayerNetwork, angle: float) -> TwoLayerNetwork:
    """The neurons of some size, those of nearly one direction joined."""
    size = np.linalg.norm(network.A, axis=1) ** 2
    return network.take(size > LEFT_OUT * size.max(initial=0.0)).merge(angle)


def _columns(network: TwoLayerNetwork) -> tuple[Columns, Array]:
    """The neurons of a network as columns of unit length, and their weights \\|u\\| \\|alpha\\|."""
    length, size = np.linalg.norm(network.U, axis=0), np.linalg.norm(network.A, axis=1)
    return Columns(length * size, network.U / length, network.A / size[:, None]), length * size
