"""The best networks found of every width: by elimination, and forward and backward from there."""

from __future__ import annotations

from typing import Generic

import numpy as np

from ..networks.dense import N
from ..problems.training import TrainingProblem
from ..solvers.local_search import local_search
from .steps import REPAIR, fewer, one_fewer, one_more

ONE_AT_A_TIME = 40  # neurons from which on every width is visited, and steps to it are compared by searches
COARSE, FINISH = 20, 500  # iterations of local search between coarse steps, and at the start and the end
FEWER_TRIED = 2  # widths in turn that are no better: from 3 neurons to 1 in a case where 2 are no better
EXCHANGES = 3  # neurons added and dropped in turn, to lower the objective of one width
LOWER_BY = 1e-6  # relative decrease of the objective that counts as one


class Widths(Generic[N]):
    """The best network found of every width, each after a local search, and their objectives.

    Parameters
    ----------
    problem : TrainingProblem
        Of rows whole in memory.
    network : Network
        Start: it is polished, and the best network without neurons joins it.
    rng : numpy.random.Generator
        Of the searches for neurons to add.
    """

    def __init__(self, problem: TrainingProblem, network: N, rng: np.random.Generator) -> None:
        self.problem, self.rng = problem, rng
        self.networks: dict[int, N] = {}
        self.values: dict[int, float] = {}
        empty = problem.empty_network()
        self.offer(network.with_neurons(empty.U, empty.A, empty.offset if problem.offset else None))
        self.offer(local_search(problem, network, FINISH))

    def offer(self, network: N) -> bool:
        """Keep the network if it is better than what is known at its width; say whether it is."""
        width, value = network.n_neurons, self.problem.objective(network)
        known = self.values.get(width, np.inf)
        better = value < known - LOWER_BY * abs(known) if np.isfinite(known) else True
        if better:
            self.networks[width], self.values[width] = network, value
        return better

    def best(self, width: int) -> N:
        """The best network of at most so many neurons; of equals the one with fewest."""
        return self.networks[min((w for w in self.values if w <= width), key=lambda w: (self.values[w], w))]

    def narrowest(self, limit: float) -> int | None:
        """The smallest width with an objective up to the limit; None if there is none."""
        return min((width for width, value in self.values.items() if value <= limit), default=None)

    def eliminate(self, width: int) -> None:
        """From the widest network down to `width`, one neuron in twenty at a time; from 40 on also step by step.

        Steps that are compared end lower mostly, not always, and the others take little time.
        """
        network = narrow = self.networks[max(self.networks)]
        while network.n_neurons > width:
            network = local_search(self.problem, fewer(network, self.problem, width), COARSE)
            self.offer(network)
            narrow = network if narrow.n_neurons > ONE_AT_A_TIME else narrow
        self.offer(local_search(self.problem, network, FINISH))
        while narrow.n_neurons > width:
            narrow = one_fewer(narrow, self.problem)
            self.offer(narrow)

    def sweep(self, width: int) -> None:
        """Every width up to `width` from the one below by one more neuron, then from the one above by one fewer.

        Once: a second time lowers few of them, and none by much.
        """
        for fewest in range(width):
            if fewest in self.networks:
                self.offer(one_more(self.networks[fewest], self.problem, self.rng))
        for widest in range(width, 1, -1):
            if widest in self.networks:
                self.offer(one_fewer(self.networks[widest], self.problem))

    def settle(self) -> None:
        """Search on where coarse steps left off, and sweep over the widths below."""
        for width in sorted(self.networks, reverse=True):
            if width > ONE_AT_A_TIME:
                self.offer(local_search(self.problem, self.networks[width], REPAIR))
        self.sweep(min(ONE_AT_A_TIME, max(self.networks)))

    def exchange(self, width: int, limit: float = -np.inf) -> None:
        """Lower the objective of a width by a neuron more and one fewer, in turn, until it is up to the limit."""
        for _ in range(EXCHANGES):
            network = self.best(width)
            more = one_more(network, self.problem, self.rng)
            if self.problem.objective(network) <= limit or more.n_neurons <= network.n_neurons:
                return
            self.offer(more)
            if not self.offer(one_fewer(more, self.problem)):
                return

    def finish(self, width: int) -> float:
        """Search on from the best network of at most so many neurons; its objective."""
        self.offer(local_search(self.problem, self.best(width), FINISH))
        return self.problem.objective(self.best(width))


def narrowed(network: N, problem: TrainingProblem, width: int, rng: np.random.Generator) -> N:
    """Return the best network found of at most `width` neurons, fewer where some in turn bring nothing more."""
    found = Widths(problem, network, rng)
    found.eliminate(width)
    found.exchange(width)
    lowest, worse = found.finish(width), 0
    fewest = width
    while fewest > 1 and worse < FEWER_TRIED:
        found.offer(one_fewer(found.best(fewest), problem))
        fewest -= 1
        value = found.finish(fewest)
        worse = 0 if value < lowest else worse + 1
        lowest = min(value, lowest)
    return found.best(width)


def fewest_within(network: N, problem: TrainingProblem, limit: float, rng: np.random.Generator) -> N:
    """Return the network with the fewest neurons found of an objective up to the limit, which `network` keeps."""
    found = Widths(problem, network, rng)
    if found.narrowest(limit) == 0:
        return found.networks[0]
    found.eliminate(1)
    for coarse in sorted(found.networks, reverse=True):  # these were left after a few iterations
        if coarse > ONE_AT_A_TIME and found.finish(coarse) > limit:
            break
    widest = found.narrowest(limit)
    if widest is not None and widest <= ONE_AT_A_TIME:
        found.sweep(widest)
    while (width := found.narrowest(limit)) is not None:
        found.offer(one_fewer(found.networks[width], problem))
        found.exchange(width - 1, limit)
        if found.finish(width - 1) > limit:
            return found.networks[width]
    return network
