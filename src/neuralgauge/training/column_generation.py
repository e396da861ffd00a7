"""The rounds of column generation: price, search locally, solve the restricted convex program, simplify."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from ..certificate import Certificate
from ..losses.envelope import is_kinked
from ..networks.dense import TwoLayerNetwork
from ..patterns.strategies import interior_vectors
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from ..programs.block import BlockProgram
from ..pruning.simplify import simplify
from ..solvers.facets import solve_on_facets
from ..solvers.local_search import local_search
from ..solvers.passes import Passes
from ..solvers.run import Run
from ..solvers.solution import Solution, Status
from .columns import violated, with_columns
from .corrected_rounds import CorrectedRounds, corrected
from .dual_side import DualSide
from .failed_programs import FailedPrograms, block_keys
from .row_sample import FINE_GAP, RowSample
from .smoothed_rounds import SmoothedRounds, smoothable

FIRST_NEURONS, FIRST_SEARCH, ROUND_SEARCH = 60, 100, 60  # neurons; iterations of local search
LARGE_DATA, COARSER = 4e6, 4  # entries of X from which rounds on a part of the samples come first; how many times fewer
COARSE_GAP, COARSE_ROUNDS, COARSE_SHARE = 0.05, 8, 0.35  # their goal, and their share of the time left
LAST_SEARCH = 20  # iterations from there on all samples
PRICED_OUT = 0.1  # see `_not_priced_out`
PROGRAM_ITERATIONS = 100  # most of the interior point, over all relaxations of a program
ROWS_TO_WAIT = 1_500  # from which on the program waits for local searches
FAST = 0.05  # share of the gap by which a local search must lower it to be followed by another
MOST_CUTS = 300  # see `Rounds.cuts`
SLOW = 0.7  # factor by which rounds without programs must lower the gap within their patience
IDLE_ROUNDS = 8  # without progress that are waited for
PRICING_SHARE = 0.3  # of the whole time: the most that is kept for the last pricing


@dataclass(frozen=True)
class Start:
    """A network of the problem's shape, a dual point, columns for the first program, and where to begin to search."""

    network: TwoLayerNetwork
    dual: Array
    columns: Columns
    known: Columns | None = None


class Rounds:
    """One training: the best network is the point of its run, and the dual side holds the best dual point."""

    def __init__(
        self,
        problem: TrainingProblem,
        run: Run,
        rng: np.random.Generator,
        prove: bool | None,
        start: Start | None = None,
    ) -> None:
        self.problem, self.run, self.rng = problem, run, rng
        self.active = problem.empty_network()
        run.offer(problem.objective(self.active), self.active)
        self.dual = DualSide(problem, rng, prove)
        self.v = problem.fit.empty_dual
        self.sample = RowSample(problem.features.N, problem.d, rng)
        self.failures = FailedPrograms()
        # Columns of rounds that left the objective alone: without weight in the network, but v must not violate them.
        self.cuts = Columns.none(problem.d, problem.q)
        if start is not None:
            self._consider(start.network)
            self.v, self.cuts = start.dual, start.columns
            if start.known is not None:
                self.dual.remember(start.known)
                self.dual.begun = True

    @property
    def network(self) -> TwoLayerNetwork:
        """The best network."""
        return self.run.point

    @property
    def gap(self) -> float:
        """Gap of the best pair, estimated."""
        return Certificate(self.run.upper, self.dual.lower, "estimated").gap

    def solve(self, max_rounds: int) -> Solution[Any]:
        """Rounds until the gap is reached, nothing moves, or time is up; what there is then, certified."""
        run = self.run
        ended = run.follow(lambda: self.steps(max_rounds))
        if ended not in (Status.SOLVED, Status.INTERRUPTED):
            try:
                self.dual.conclude(run)
            except KeyboardInterrupt:
                run.interrupt()
        found = run.solution(self.network, self.dual.certificate(run.upper), ended, dual=self.dual.v)
        return replace(found, columns=Columns.joined(self.dual.known))

    def steps(self, max_rounds: int) -> Generator[None, None, Status]:
        """The rounds, each handed out when its dual point is priced."""
        run = self.run
        if (yield from self._rounds_without_programs(max_rounds)):
            return Status.SOLVED
        idle, best, v = 0, (run.upper, self.dual.lower), self.v
        for index in range(run.n_iter, max_rounds):
            run.n_iter = index
            columns = self._columns(v)
            run.record(self.network.n_neurons, self.dual.lower)
            if self.gap <= run.target_gap:
                if self.dual.settle(run):
                    return Status.SOLVED
                columns = self._columns(v)
            yield
            better = run.upper < best[0] * (1 - 1e-3 * run.target_gap)
            idle, best = 0 if better or self.dual.lower > best[1] else idle + 1, (run.upper, self.dual.lower)
            if better:
                self.cuts = self.cuts.take(slice(0))
            if idle > IDLE_ROUNDS:
                return Status.STALLED
            v = self._improved(columns)
            if (verdict := self.failures.verdict) is not None:
                return verdict
        return Status.ITERATION_LIMIT

    def _rounds_without_programs(self, max_rounds: int) -> Generator[None, None, bool]:
        """Rounds of smoothed search, or with corrected weights, while they close the gap; whether they closed it."""
        run, dual = self.run, self.dual
        rounds: SmoothedRounds | CorrectedRounds
        if smoothable(self.problem):
            rounds = SmoothedRounds(Passes(self.problem), run, self.rng, dual, self.active)
        elif corrected(self.problem) and len(self.cuts.values) == 0:
            rounds = CorrectedRounds(self.problem, run, self.rng, dual, self.active)
        else:
            return False
        gaps: list[float] = []
        wait = fails = 0  # rounds before the next thorough search, which takes as long as several
        for index, _ in zip(range(max_rounds), rounds.steps(), strict=False):
            run.n_iter = index + 1
            run.record(self.network.n_neurons, dual.lower)
            if self.gap <= run.target_gap and (wait := wait - 1) < 0:
                if dual.settle(run):
                    return True
                rounds.widen()
                wait = fails = 2 * fails + 1
            yield
            gaps.append(self.gap)
            if len(gaps) > rounds.patience and gaps[-1] > SLOW * gaps[-1 - rounds.patience]:
                if is_kinked(self.problem.loss) or not rounds.widen():
                    break
                gaps = gaps[-1:]
        self._consider(self.network)
        self.v = self.problem.fit.project(-self.problem.fit.gradient(self.problem.outputs(self.active)))
        return False

    def _improved(self, columns: Columns) -> Array:
        """The dual point after a first network, a local search or the convex program has moved the network."""
        problem = self.problem
        if self.active.n_neurons == 0 and self.run.upper > 0 and len(self.cuts.values) == 0:
            few = problem.features.size < LARGE_DATA or not problem.features.resident
            (self._first_network if few else self._from_fewer_samples)()
            if not problem.features.resident:
                return -problem.fit.gradient(problem.outputs(self.active))
        elif not problem.features.resident:  # programs need all rows at once
            self._consider(local_search(problem, self._started(columns), ROUND_SEARCH, self.run))
            return -problem.fit.gradient(problem.outputs(self.active))
        elif self._search(columns):
            return -problem.fit.gradient(problem.outputs(self.active))
        return self._solve(columns)

    def _started(self, columns: Columns) -> TwoLayerNetwork:
        return with_columns(self.problem, self.active, self.run.upper, columns)

    def _columns(self, v: Array) -> Columns:
        """Neurons that v violates; the lower bound is updated on the way."""
        run, begun = self.run, self.run.seconds
        found = self.dual.price(v, self.active, closely=True)
        if np.any(v != self.dual.v):
            # Half-way to the best v the polar gauge is steadier: better bounds, and columns that last.
            found += self.dual.price(0.5 * (self.dual.v + v), self.active, closely=True)
        run.reserve = min(run.seconds - begun, PRICING_SHARE * run.limit)
        least = self.problem.beta * (1.0 + 0.1 * min(self.gap, 1.0))
        return violated(found, least)

    def _first_network(self) -> None:
        """Random small neurons, grown by local search."""
        problem = self.problem
        m = min(FIRST_NEURONS, 2 * problem.n)
        # All together the neurons start at a penalty of 1 % of the loss, whatever the units of X and y.
        size = np.sqrt(0.01 * self.run.upper / (problem.beta * m))
        U = self.rng.standard_normal((problem.d, m))
        U *= size / np.linalg.norm(U, axis=0)
        G = np.where(np.arange(m) % 2 == 0, 1.0, -1.0)[:, None]
        if problem.q > 1:
            G = self.rng.standard_normal((m, problem.q))
            G /= np.linalg.norm(G, axis=1, keepdims=True)
        network = self.network.with_neurons(U, size * G)
        if problem.constraints is not None:
            network = problem.constraints.admitted(network)
        self._consider(local_search(problem, network, FIRST_SEARCH, self.run))

    def _from_fewer_samples(self) -> None:
        """The network that rounds on a part of the samples end with, where the penalty weighs as much."""
        problem = self.problem
        samples = np.sort(self.rng.choice(problem.n, max(1, round(problem.n / COARSER)), replace=False))
        part = problem.part(samples).with_beta(len(samples) / problem.n * problem.beta)
        run = self.run.inner(max(self.run.target_gap, COARSE_GAP), COARSE_SHARE)
        coarse = Rounds(part, run, self.rng, False)
        if run.follow(lambda: coarse.steps(COARSE_ROUNDS)) is Status.INTERRUPTED:
            raise KeyboardInterrupt
        self._consider(local_search(problem, coarse.network, LAST_SEARCH, self.run))

    def _search(self, columns: Columns) -> bool:
        """Local search from the neurons in play and new ones at a small weight; whether the convex program can wait.

        With many rows a program costs far more, so the search goes on as long as it lowers the gap by a lot.
        """
        if self.gap < FINE_GAP or self.active.n_neurons == 0 or len(columns.values) == 0:
            return False
        run, fast = self.run, False
        start = with_columns(self.problem, self.active, run.upper, columns)
        while True:
            before = run.upper
            found = local_search(self.problem, start, ROUND_SEARCH, run)
            if self.problem.objective(found) < run.upper:
                self._consider(found)
            slow = before - run.upper <= FAST * (run.upper - self.dual.lower)
            if slow or self.problem.features.N < ROWS_TO_WAIT or self.gap < FINE_GAP or run.late():
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
        among = self.sample.draw(self.gap)
        inward = None if problem.constraints is None else np.sign(G) * problem.constraints.monotone
        witnesses = interior_vectors(problem.features.dense(among), vectors, self.rng, inward)
        gates = problem.features.gates(witnesses)
        first = _first_of_each(gates, G)
        program = BlockProgram(problem, gates[first], G[first])
        if (before := self.failures.known(program)) is not None:
            return self._around(program, before, columns)
        run = self.run.inner(max(0.1 * self.run.target_gap, min(0.03 * self.gap, 1e-2)))
        solved = solve_on_facets(program, witnesses[first], run, PROGRAM_ITERATIONS, strict=False, among=among)
        if solved.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        assert isinstance(solved.network, TwoLayerNetwork)
        if solved.status is not Status.SOLVED and solved.certificate.gap > max(run.target_gap, self.gap):
            if problem.objective(solved.network) < self.run.upper:
                self._consider(solved.network)
            return self._around(program, solved.status, columns)
        self.failures.forgive()
        self._take(solved, sampled=among is not None)
        return solved.dual

    def _take(self, solved: Solution[Any], sampled: bool) -> None:
        """Go on from the network of a program, without the neurons that its dual point prices out."""
        problem, run, network = self.problem, self.run, solved.network
        assert isinstance(network, TwoLayerNetwork)
        if sampled:
            error = problem.objective(network) - solved.certificate.upper
            self.sample.update(error / max(run.upper - self.dual.lower, 1e-300))
            network = local_search(problem, network, ROUND_SEARCH, run)
        self._consider(network)
        behind = problem.objective(self.active) > run.upper * (1.0 + 1e-9)
        self.active = self._not_priced_out(self.active, solved.dual)
        if behind:  # some neuron that the best network needs had been let go
            self.active = self.active.join(self.network)

    def _around(self, program: BlockProgram, status: Status, columns: Columns) -> Array:
        """The dual point to go on from when a program was not solved: minus the gradient at the best network.

        From there a local search with the new columns, better or not, changes the blocks of the next program.
        """
        problem = self.problem
        if status is not Status.TIME_LIMIT:
            self.failures.note(program, status)
        start = with_columns(problem, self.network, self.run.upper, columns)
        self._consider(local_search(problem, start, ROUND_SEARCH, self.run))
        return -problem.fit.gradient(problem.outputs(self.network))

    def _not_priced_out(self, network: TwoLayerNetwork, v: Array) -> TwoLayerNetwork:
        """The neurons whose share of the penalty exceeds what their scores fall short of beta, relative to it.

        On the central path the two have a constant product, so neurons that end at zero have them the other way round.
        """
        A, problem = network.A, self.problem
        share = np.sum(A**2, axis=1)
        score = np.sum(problem.features.gains(v, network.U) * A, axis=1) / np.sqrt(share)
        shortfall = 1.0 - score / (problem.beta * np.linalg.norm(network.U, axis=0))
        return network.take(share > PRICED_OUT * shortfall * share.sum())

    def _consider(self, network: TwoLayerNetwork) -> None:
        """Simplify the network, go on from it, and offer it."""
        self.active = simplify(network, self.problem, 0.02 * self.run.target_gap)
        self.run.offer(self.problem.objective(self.active), self.active)


def _first_of_each(gates: BoolArray, G: Array) -> npt.NDArray[np.intp]:
    """Index of the first block of each pattern and direction, in order."""
    return np.sort(np.unique(block_keys(gates, G), axis=0, return_index=True)[1])
