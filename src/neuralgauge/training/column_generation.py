"""The rounds of column generation: price, search locally, solve the restricted convex program, simplify."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from ..certificate import Certificate
from ..networks.dense import TwoLayerNetwork
from ..patterns.strategies import interior_vectors
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from ..programs.block import BlockProgram
from ..pruning.simplify import simplify
from ..solvers.facets import run_on_facets
from ..solvers.local_search import local_search
from ..solvers.solution import Record, Solution, Status
from .dual_side import DualSide
from .failed_programs import FailedPrograms, block_keys

FIRST_NEURONS, FIRST_SEARCH, ROUND_SEARCH = 60, 100, 60  # neurons; iterations of local search
LARGE, COARSER = 4e6, 4  # entries of X from which rounds on a part of the samples come first; how many times fewer
COARSE_GAP, COARSE_ROUNDS, COARSE_SHARE = 0.05, 8, 0.35  # their goal, and their share of the time left
LAST_SEARCH = 20  # iterations from there on all samples
COLUMNS = 25  # most new neurons of each sign and round
SPREAD = 1e-4  # 1 - cosine under which two of them count as one
DUST = 0.1  # see `_paid`
SEARCH_ABOVE = 1e-2  # gap down to which a local search in every round saves more than it costs
ROWS_TO_WAIT = 1_500  # from which on the program waits for such searches
FAST = 0.05  # share of the gap by which a local search lowers it when it is worth going on
MANY_ROWS = 5_000  # above them, and down to the same gap, the cones of a round keep a sample of the rows
FIRST_ROWS = 2  # of that sample, for each column of X
MOST_CUTS = 300  # see `Rounds.cuts`
PATIENCE = 8  # rounds without progress


@dataclass(frozen=True)
class Start:
    """A network of the problem's shape, a dual point and columns for the first program to begin with."""

    network: TwoLayerNetwork
    dual: Array
    columns: Columns


class Rounds:
    """State of one training run: the best network, the best dual point, the neurons in play."""

    def __init__(
        self,
        problem: TrainingProblem,
        gap: float,
        time_limit: float | None,
        rng: np.random.Generator,
        prove: bool | None,
        progress: Callable[[Record], None] | None,
        start: Start | None = None,
    ) -> None:
        self.problem, self.target, self.rng, self.progress = problem, gap, rng, progress
        self.start = time.perf_counter()
        self.deadline = np.inf if time_limit is None else self.start + time_limit
        self.pricing = 0.0  # seconds that the last round took for it: what the end needs to certify what it has
        self.network = self.active = problem.empty_network()
        self.upper = problem.objective(self.network)
        self.dual = DualSide(problem, rng, prove)
        self.history: list[Record] = []
        self.v = problem.fit.empty_dual
        self.trusted = FIRST_ROWS * problem.d
        self.failures = FailedPrograms()
        # Columns of rounds that left the objective alone: without weight in the network, but v must not overpay them.
        self.cuts = Columns.none(problem.d, problem.q)
        if start is not None:
            self._consider(start.network)
            self.v, self.cuts = start.dual, start.columns

    @property
    def gap(self) -> float:
        """Gap of the best pair, estimated."""
        return Certificate(self.upper, self.dual.lower, "estimated").gap

    @property
    def until(self) -> float:
        """When to stop searching and solving, so that pricing ends in time."""
        return self.deadline - min(self.pricing, 0.3 * (self.deadline - self.start))

    def run(self, max_rounds: int) -> Status:
        """Rounds until the gap is reached, nothing moves, or time is up."""
        v, problem = self.v, self.problem
        idle, best = 0, (self.upper, self.dual.lower)
        for index in range(max_rounds):
            columns = self._columns(v)
            self._record()
            if self.gap <= self.target:
                if self.dual.settle(self.network, self.upper, self.target, self.deadline):
                    return Status.SOLVED
                columns = self._columns(v)
            if time.perf_counter() >= self.until:
                return Status.TIME_LIMIT
            better = self.upper < best[0] * (1 - 1e-3 * self.target)
            idle, best = 0 if better or self.dual.lower > best[1] else idle + 1, (self.upper, self.dual.lower)
            if better:
                self.cuts = self.cuts.take(slice(0))
            if idle > PATIENCE:
                return Status.STALLED
            if index == 0 and self.active.n_neurons == 0 and len(self.cuts.values) == 0:
                (self._first_network if problem.features.size < LARGE else self._from_fewer_samples)()
            elif self._search(columns):
                v = -problem.fit.gradient(problem.outputs(self.active))
                continue
            v = self._solve(columns)
            if (verdict := self.failures.verdict) is not None:
                return verdict
        return Status.ITERATION_LIMIT

    def solution(self, status: Status) -> Solution:
        """What there is so far, certified."""
        if status not in (Status.SOLVED, Status.INTERRUPTED):
            self.dual.conclude(self.deadline)
        certificate = self.dual.certificate(self.upper)
        if certificate.gap <= self.target and status is not Status.INTERRUPTED:
            status = Status.SOLVED
        elif status is Status.SOLVED:
            status = Status.STALLED
        seconds = time.perf_counter() - self.start
        n_iter = max(0, len(self.history) - 1)
        return Solution(self.network, certificate, status, n_iter, seconds, self.dual.v, tuple(self.history))

    def _columns(self, v: Array) -> Columns:
        """Neurons that v pays for; the lower bound is updated on the way."""
        begun = time.perf_counter()
        found = self.dual.price(v, self.active)
        if np.any(v != self.dual.v):
            # Half-way to the best v the gauge is steadier: better bounds, and columns that last.
            found += self.dual.price(0.5 * (self.dual.v + v), self.active)
        self.pricing = time.perf_counter() - begun
        worth = self.problem.beta * (1.0 + 0.1 * min(self.gap, 1.0))
        return Columns.joined([spread(part.take(part.values > worth)) for part in found])

    def _first_network(self) -> None:
        """Random small neurons, grown by local search."""
        problem = self.problem
        m = min(FIRST_NEURONS, 2 * problem.n)
        # All together the neurons start at a penalty of 1 % of the loss, whatever the units of X and y.
        size = np.sqrt(0.01 * self.upper / (problem.beta * m))
        U = self.rng.standard_normal((problem.d, m))
        U *= size / np.linalg.norm(U, axis=0)
        G = np.where(np.arange(m) % 2 == 0, 1.0, -1.0)[:, None]
        if problem.q > 1:
            G = self.rng.standard_normal((m, problem.q))
            G /= np.linalg.norm(G, axis=1, keepdims=True)
        network = self.network.with_neurons(U, size * G)
        self._consider(local_search(problem, network, FIRST_SEARCH, self.until))

    def _from_fewer_samples(self) -> None:
        """The network that rounds on a part of the samples end with, where the penalty weighs as much."""
        problem = self.problem
        samples = np.sort(self.rng.choice(problem.n, max(1, round(problem.n / COARSER)), replace=False))
        part = problem.part(samples).with_beta(len(samples) / problem.n * problem.beta)
        left = COARSE_SHARE * (self.until - time.perf_counter())
        limit = max(left, 1e-9) if np.isfinite(left) else None
        coarse = Rounds(part, max(self.target, COARSE_GAP), limit, self.rng, False, None)
        coarse.run(COARSE_ROUNDS)
        self._consider(local_search(problem, coarse.network, LAST_SEARCH, self.until))

    def _search(self, columns: Columns) -> bool:
        """Local search from the neurons in play and new ones at a small weight; whether the convex program can wait.

        With many rows a program costs far more, so the search goes on as long as it lowers the gap by a lot.
        """
        if self.gap < SEARCH_ABOVE or self.active.n_neurons == 0 or len(columns.values) == 0:
            return False
        start, fast = with_columns(self.problem, self.active, self.upper, columns), False
        while True:
            before = self.upper
            found = local_search(self.problem, start, ROUND_SEARCH, self.until)
            if self.problem.objective(found) < self.upper:
                self._consider(found)
            slow = before - self.upper <= FAST * (self.upper - self.dual.lower)
            if slow or self.problem.features.N < ROWS_TO_WAIT or self.gap < SEARCH_ABOVE:
                return fast
            if time.perf_counter() >= self.until:
                return fast
            fast, start = True, self.active

    def _solve(self, columns: Columns) -> Array:
        """The convex program over the patterns of the neurons in play and of the new ones; its dual point."""
        problem = self.problem
        new = Columns.joined([columns, self.cuts])
        self.cuts = new.take(slice(0, MOST_CUTS))
        vectors = np.hstack([self.active.U, new.U]).T
        G = np.vstack([self.active.A / np.linalg.norm(self.active.A, axis=1, keepdims=True), new.G])
        if len(vectors) == 0:
            return self.dual.v
        among = self._sampled_rows()
        witnesses = interior_vectors(problem.features.dense(among), vectors, self.rng)
        gates = problem.features.gates(witnesses)
        first = _first_of_each(gates, G)
        tol = max(0.1 * self.target, min(0.03 * self.gap, 1e-2))
        left = max(self.until - time.perf_counter(), 1e-9)
        program = BlockProgram(problem, gates[first], G[first])
        if (before := self.failures.known(program)) is not None:
            return self._around(program, before, columns)
        limit = left if np.isfinite(left) else None
        solved = run_on_facets(program, witnesses[first], tol, 100, limit, strict=False, among=among)
        if solved.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        assert isinstance(solved.network, TwoLayerNetwork)
        if solved.status is not Status.SOLVED and solved.certificate.gap > max(tol, self.gap):
            if problem.objective(solved.network) < self.upper:
                self._consider(solved.network)
            return self._around(program, solved.status, columns)
        self.failures.forgive()
        network = solved.network
        if among is not None:
            self._trust(network, solved.certificate.upper)
            network = local_search(problem, network, ROUND_SEARCH, self.until)
        self._consider(network)
        behind = problem.objective(self.active) > self.upper * (1.0 + 1e-9)
        self.active = self._paid(self.active, solved.dual)
        if behind:  # some neuron that the best network needs had been let go
            self.active = self.active.join(self.network)
        return solved.dual

    def _around(self, program: BlockProgram, status: Status, columns: Columns) -> Array:
        """The dual point to go on from when a program was not solved: minus the gradient at the best network.

        From there a local search with the new columns, better or not, changes the blocks of the next program.
        """
        problem = self.problem
        if status is not Status.TIME_LIMIT:
            self.failures.note(program, status)
        start = with_columns(problem, self.network, self.upper, columns)
        self._consider(local_search(problem, start, ROUND_SEARCH, self.until))
        return -problem.fit.gradient(problem.outputs(self.network))

    @property
    def _samples_rows(self) -> bool:
        """Whether the cones of this round keep a sample of the rows.

        With many rows the cells are so small that no block could turn. Held to some rows only, blocks may: a step of
        the network with the sample as its region of trust.
        """
        N = self.problem.features.N
        return N > MANY_ROWS and self.trusted < N and self.gap >= SEARCH_ABOVE

    def _sampled_rows(self) -> npt.NDArray[np.intp] | None:
        if not self._samples_rows:
            return None
        return np.sort(self.rng.choice(self.problem.features.N, self.trusted, replace=False)).astype(np.intp)

    def _trust(self, network: TwoLayerNetwork, promised: float) -> None:
        """More rows where the network falls short of what the program promised, fewer where it hardly does."""
        error = (self.problem.objective(network) - promised) / max(self.upper - self.dual.lower, 1e-300)
        if error > 0.5:
            self.trusted *= 16 if error > 2.0 else 4
        elif error < 0.1:
            self.trusted = max(self.trusted // 4, self.problem.d)

    def _paid(self, network: TwoLayerNetwork, v: Array) -> TwoLayerNetwork:
        """The neurons whose share of the penalty exceeds what v falls short of paying for them.

        On the central path the two have a constant product, so neurons that end at zero have them the other way round.
        """
        A, problem = network.A, self.problem
        share = np.sum(A**2, axis=1)
        gain = np.sum(problem.features.gains(v, network.U) * A, axis=1) / np.sqrt(share)
        shortfall = 1.0 - gain / (problem.beta * np.linalg.norm(network.U, axis=0))
        return network.take(share > DUST * shortfall * share.sum())

    def _consider(self, network: TwoLayerNetwork) -> None:
        """Simplify the network, go on from it, and keep it if it is the best."""
        self.active = simplify(network, self.problem, 0.02 * self.target)
        value = self.problem.objective(self.active)
        if value < self.upper:
            self.network, self.upper = self.active, value

    def _record(self) -> None:
        seconds = time.perf_counter() - self.start
        self.history.append(Record(seconds, self.upper, self.dual.lower, self.network.n_neurons))
        if self.progress is not None:
            self.progress(self.history[-1])


def with_columns(problem: TrainingProblem, network: TwoLayerNetwork, upper: float, columns: Columns) -> TwoLayerNetwork:
    """The network and the columns at a small weight: a tenth of its neurons' or, without any, 1 % of the loss."""
    if len(columns.values) == 0:
        return network
    if network.n_neurons:
        size = 0.1 * np.sqrt(np.mean(np.sum(network.A**2, axis=1)))
    else:
        size = np.sqrt(0.01 * upper / (problem.beta * len(columns.values)))
    return network.join(network.with_neurons(size * columns.U, size * columns.G))


def spread(columns: Columns) -> Columns:
    """The first columns that differ from those before them, at most COLUMNS."""
    U, G = columns.U, columns.G
    kept: list[int] = []
    for k in range(U.shape[1]):
        if len(kept) == COLUMNS:
            break
        if not kept or np.max((U[:, kept].T @ U[:, k]) * (G[kept] @ G[k])) < 1.0 - SPREAD:
            kept.append(k)
    return columns.take(np.array(kept, dtype=np.intp))


def _first_of_each(gates: BoolArray, G: Array) -> npt.NDArray[np.intp]:
    """Index of the first block of each pattern and direction, in order."""
    return np.sort(np.unique(block_keys(gates, G), axis=0, return_index=True)[1])
