"""One step to another width: neurons dropped or joined, a neuron added, each followed by a local search."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .._array import Array
from ..networks.dense import N, TwoLayerNetwork
from ..pricing.columns import Columns
from ..pricing.search import search
from ..problems.training import TrainingProblem
from ..solvers.local_search import local_search

NARROWING = 0.05  # share of the neurons dropped between two local searches
TRIED = 4  # steps to one width that a short local search compares; see "Pruning" in benchmarks/README.md
TRIAL, REPAIR = 20, 100  # iterations of local search for each of them, and after the best
ADDING_STARTS = 32  # of the search for a neuron to add
SAME_STEP = 1e-2  # 1 - cosine of neurons of which one is tried

Move = tuple[float, int, int | None]  # the objective up to a constant, the neuron that goes, and which it joins


def fewer(network: N, problem: TrainingProblem, width: int) -> N:
    """Drop neurons or join near pairs, whichever raises the objective least, each neuron at most once."""
    m = network.n_neurons
    wanted = min(m - width, max(1, int(NARROWING * m)))
    blocks = Blocks(network, problem)
    touched: set[int | None] = set()
    left = np.ones(m, dtype=bool)
    for _, j, k in blocks.moves():
        if not touched & {j, k}:
            touched |= {j} if k is None else {j, k}
            left[j] = False
            if k is not None:
                blocks.W[:, k], blocks.G[k] = blocks.sum(j, k)
            if m - np.count_nonzero(left) == wanted:
                break
    return blocks.network(network, left)


def one_fewer(network: N, problem: TrainingProblem) -> N:
    """Return the best found with a neuron dropped or joined with another, after a local search."""
    if network.n_neurons == 0:
        return network
    blocks = Blocks(network, problem)
    candidates = []
    for _, j, k in blocks.moves()[:TRIED]:
        left = np.arange(network.n_neurons) != j
        if k is None:
            candidates.append(blocks.network(network, left))
            continue
        w, g = blocks.W[:, k].copy(), blocks.G[k].copy()
        blocks.W[:, k], blocks.G[k] = blocks.sum(j, k)
        candidates.append(blocks.network(network, left))
        blocks.W[:, k], blocks.G[k] = w, g
    return _best(candidates, problem)


def one_more(network: N, problem: TrainingProblem, rng: np.random.Generator) -> N:
    """Return the best found with a neuron added, one of large score at the residual; `network` itself if none pays."""
    f = problem.outputs(network)
    v = -problem.fit.gradient(f)
    searches = [
        search(v, problem.features, ADDING_STARTS, rng, sign=sign, orthant=orthant) for sign, orthant in problem.sides
    ]
    found = Columns.joined(searches).best_first()
    columns = found.take(found.values > problem.beta).distinct(TRIED, SAME_STEP)
    if len(columns.values) == 0:
        return network
    candidates = []
    for j, atom in enumerate(problem.features.atoms(columns.U, columns.G).T):
        root = np.sqrt(_amplitude(problem, f, atom.reshape(f.shape)))
        U, A = np.column_stack([network.U, root * columns.U[:, j]]), np.vstack([network.A, root * columns.G[j]])
        candidates.append(network.with_neurons(U, A))
    return _best(candidates, problem)


def _amplitude(problem: TrainingProblem, f: Array, atom: Array) -> float:
    """Return t > 0 at which L(f + t atom) + beta t, convex, is about as low as can be: up to a factor of two."""

    def value(t: float) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return problem.fit.value(f + t * atom) + problem.beta * t

    t = 1.0 / float(np.max(np.abs(atom)))
    factor = 2.0 if value(2.0 * t) < value(t) else 0.5
    while value(factor * t) < value(t):
        t *= factor
    return t


def _best(candidates: list[N], problem: TrainingProblem) -> N:
    """The one that ends lowest after a short local search, after a longer one."""
    tried = [local_search(problem, candidate, TRIAL) for candidate in candidates]
    return local_search(problem, min(tried, key=problem.objective), REPAIR)


class Blocks:
    """The network as atoms w_j g_j^T with unit g_j, and what a step to fewer of them does to the objective."""

    def __init__(self, network: TwoLayerNetwork, problem: TrainingProblem) -> None:
        size = np.linalg.norm(network.A, axis=1)
        self.problem = problem
        self.W, self.G, self.cost = network.U * size, network.A / size[:, None], size**2
        self.f = problem.outputs(network).reshape(problem.n, -1)
        self.atoms = self._outputs(self.W, self.G).reshape(*self.f.shape, -1)

    def _outputs(self, W: Array, G: Array) -> Array:
        return self.problem.features.atoms(W, G)

    def moves(self) -> list[Move]:
        """Every neuron dropped, and every one joined with its nearest: the lowest objective first."""
        moves: list[Move] = [(self.without(j, None), j, None) for j in range(len(self.G))]
        moves += [(self.without(j, k), j, k) for j, k in self.near()]
        return sorted(moves, key=lambda move: move[0])

    def near(self) -> list[tuple[int, int]]:
        """Every block and its nearest other, in the directions of w and g; each pair once.

        Under constraints no pair of different signs, whose sum may be in neither orthant.
        """
        rows = np.hstack([(self.W / self.cost).T, self.G])
        if len(rows) < 2:
            return []
        nearest = np.asarray(cKDTree(rows).query(rows, k=2)[1])[:, 1]
        pairs = [(j, int(k)) for j, k in enumerate(nearest) if j != k and (j < k or nearest[k] != j)]
        free = self.problem.constraints is None
        return [(j, k) for j, k in pairs if free or self.G[j, 0] == self.G[k, 0]]

    def sum(self, j: int, k: int) -> tuple[Array, Array]:
        """One atom instead of two that are close: w_j + w_k, and the mean of g_j and g_k by cost."""
        g = self.cost[j] * self.G[j] + self.cost[k] * self.G[k]
        norm = float(np.linalg.norm(g))
        return self.W[:, j] + self.W[:, k], g / norm if norm > 0.0 else g

    def without(self, j: int, k: int | None) -> float:
        """The objective, up to a constant, after dropping j or joining it with k; infinite where these cancel."""
        f, penalty = self.f - self.atoms[:, :, j], -self.cost[j]
        if k is not None:
            w, g = self.sum(j, k)
            if not (np.any(w) and np.any(g)):
                return np.inf
            f += self._outputs(w[:, None], g[None])[:, 0].reshape(f.shape) - self.atoms[:, :, k]
            penalty += np.linalg.norm(w) - self.cost[k]
        return self.problem.fit.value(f.reshape(self.problem.y.shape)) + self.problem.beta * float(penalty)

    def network(self, network: N, left: Array) -> N:
        """The blocks that are left, balanced."""
        root = np.sqrt(np.linalg.norm(self.W[:, left], axis=0))
        return network.with_neurons(self.W[:, left] / root, self.G[left] * root[:, None])
