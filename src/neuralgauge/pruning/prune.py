"""Networks with fewer neurons: with the same outputs on the samples, or of a given width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
from scipy.spatial import cKDTree

from .._array import Array
from .._threads import threads
from ..errors import InvalidInputError
from ..networks.base import Net
from ..networks.dense import N, TwoLayerNetwork
from ..problems.base import Problem, checked_problem
from ..problems.linear_conv import LinearConvProblem
from ..problems.training import TrainingProblem
from ..solvers.local_search import local_search
from .caratheodory import basic
from .cells import joined_in_cells
from .linear_conv import fewest_filters

KEPT_OUTPUTS = 1e-10  # change of an output, relative to the largest sum of |activation times output weight|
KEPT_OBJECTIVE = 1e-10  # relative
NARROWING = 0.05  # share of the neurons dropped between two local searches
FEWER_TRIED = 2  # widths in turn that are no better: from 3 neurons to 1 in a case where 2 are no better
REPAIR, FINISH = 20, 500  # iterations of local search between and at the end


@dataclass(frozen=True)
class Pruning(Generic[Net]):
    """A network with fewer neurons, and the change of its objective.

    Attributes
    ----------
    network : TwoLayerNetwork
        The pruned network, balanced.
    before, after : float
        The objective [2] of the network as it came and of the pruned one.
    width_before : int
        Neurons of the network as it came.
    """

    network: Net
    before: float
    after: float
    width_before: int

    @property
    def width(self) -> int:
        """Neurons left."""
        return self.network.n_neurons

    @property
    def cost(self) -> float:
        """(after - before) / before, negative where the objective fell; 0 if both are 0."""
        return (self.after - self.before) / self.before if self.before > 0.0 else 0.0


def prune(
    network: Net, problem: Problem[Net], width: int | None = None, *, random_state: int | np.random.Generator | None = 0
) -> Pruning[Net]:
    r"""Return a network with fewer neurons and the same outputs on the samples, or of a given width at some cost.

    Without `width`, neurons of one output direction that have the same sign on every sample are added up,
    (X u)_+ + (X w)_+ = (X (u + w))_+, and amplitudes t >= 0 are chosen by a linear program over the atoms
    a_j = (X u_j)_+ alpha_j^T,

    .. math:: \min_{t \ge 0}\ \sum_j t_j \|u_j\|_2 \|\alpha_j\|_2
              \quad\text{such that}\quad \sum_j t_j a_j = \sum_j a_j ,

    whose vertices use at most rank(a_1, ..., a_m) <= n c neurons. Among those of least cost some are drawn for
    one that uses fewer still; finding the fewest is NP-hard, and this is a heuristic.

    With `width` the nearest neurons are joined, or neurons dropped, whichever raises the objective least,
    one in twenty at a time, each time followed by L-BFGS on all weights; fewer neurons than `width` are kept where the
    objective is lower with them.

    Of a linear convolutional network the fewest filters are known: as many as the rank of Z = sum_j u_j alpha_j^T, or
    of its largest block where filters have every cyclic shift as a position. `width` keeps the largest singular values.

    Parameters
    ----------
    network : TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
        The problem that the network was trained on.
    width : int, optional
        Neurons to end with at most, >= 1.
    random_state : int, Generator or None
        Seed of the draws.

    Returns
    -------
    Pruning
        Without `width`: at most n c neurons, outputs on the samples to 1e-10 relative to the sum of
        |activations| |output weights|, an objective that does not rise by more than 1e-10 relative (it falls
        where a network is not optimal), and the same `offset`; steps that rounding does not allow are not taken.
        Outputs elsewhere may change. With `width`: no guarantee on the cost.

    Raises
    ------
    InvalidInputError
        For a width below 1, or a problem of another shape.

    Notes
    -----
    Cost O(n c m^2) and a linear program of min(n c, m) rows and m columns; with `width` some 20 log(m / width)
    searches of 20 iterations and two or more of 500, O(n (d + c) m) each. Source: Theorem 1 of Pilanci & Ergen
    (2020) and Caratheodory's theorem.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-1.0], [0.0], [2.0]], [0.0, 1.0, 3.0], beta=0.1)
    >>> split = ng.TwoLayerNetwork([[1.0, 1.0, 0.5], [1.0, 1.0, 0.8]], [0.4, 0.3, 0.5])
    >>> pruning = ng.prune(split, problem)
    >>> pruning.width_before, pruning.width
    (3, 1)
    >>> pruning.after <= pruning.before
    True
    """
    if width is not None and not width >= 1:
        raise InvalidInputError(f"`width` must be >= 1, got {width}; leave it out to keep the objective.")
    with threads():
        small = _pruned(network, checked_problem(problem), width, np.random.default_rng(random_state))
    return Pruning(small, problem.objective(network), problem.objective(small), network.n_neurons)


def _pruned(network: Any, problem: Any, width: int | None, rng: np.random.Generator) -> Any:
    if isinstance(problem, LinearConvProblem):
        return fewest_filters(problem.network_of(network), problem, width)
    _check(network, problem)
    if not problem.features.resident:
        return _merged(network, problem, width)
    small = _lossless(network, problem, rng)
    return small if width is None or small.n_neurons <= width else _narrowed(small, problem, width)


def _merged(network: N, problem: TrainingProblem, width: int | None) -> N:
    """The neurons of one ray joined, which takes no pass over the rows; outputs of all neurons would not fit."""
    small = network.merge()
    if width is not None and small.n_neurons > width:
        raise InvalidInputError(
            f"`width` needs the rows of X whole in memory, got {small.n_neurons} neurons for a width of {width}; prune "
            "on a part of the samples, `problem.part(samples)` of few enough rows, or leave `width` out."
        )
    return small if _as_good(small, network.balance(), problem) else network.balance()


def _check(network: Any, problem: TrainingProblem) -> None:
    if not isinstance(network, TwoLayerNetwork):
        raise InvalidInputError(
            f"the network of a ReLU problem must be a TwoLayerNetwork, got {type(network).__name__}; prune a network "
            "on the problem it was trained on."
        )
    found, expected = (network.U.shape[0], network.A.shape[1]), (problem.d, problem.q)
    if found != expected:
        raise InvalidInputError(
            f"`problem` must have as many columns and outputs as the network, {found}, got {expected}; "
            "prune a network on the problem it was trained on."
        )


def _lossless(network: N, problem: TrainingProblem, rng: np.random.Generator) -> N:
    small = network.merge()
    joined = joined_in_cells(small, problem.features)
    small = joined if _as_good(joined, small, problem) else small
    fewer = basic(small, problem.features, rng)
    return fewer if _as_good(fewer, small, problem) else small


def _as_good(found: TwoLayerNetwork, network: TwoLayerNetwork, problem: TrainingProblem) -> bool:
    """Whether outputs on the samples and the objective are kept."""
    scale = problem.features.outputs(network.U, np.abs(network.A)).max()
    change = np.abs(problem.outputs(found) - problem.outputs(network)).max()
    limit = problem.objective(network) * (1.0 + KEPT_OBJECTIVE)
    return bool(change <= KEPT_OUTPUTS * scale) and problem.objective(found) <= limit


def _narrowed(network: N, problem: TrainingProblem, width: int) -> N:
    """Return a network of at most `width` neurons, a few dropped or joined at a time, each time with a local search.

    Fewer neurons are tried until some in turn bring nothing: the search may end in a worse optimum with more of them.
    """
    while network.n_neurons > width:
        network = local_search(problem, _fewer(network, problem, width), REPAIR)
    best = fewer = local_search(problem, network, FINISH)
    worse = 0
    while fewer.n_neurons > 1 and worse < FEWER_TRIED:
        fewer = local_search(problem, _fewer(fewer, problem, fewer.n_neurons - 1), FINISH)
        worse = worse + 1 if problem.objective(fewer) >= problem.objective(best) else 0
        best = best if worse else fewer
    return best


def _fewer(network: N, problem: TrainingProblem, width: int) -> N:
    """Drop neurons or join near pairs, whichever raises the objective least, each neuron at most once."""
    m = network.n_neurons
    wanted = min(m - width, max(1, int(NARROWING * m)))
    blocks = _Blocks(network, problem)
    moves: list[tuple[float, int, int | None]] = [(blocks.without(j, None), j, None) for j in range(m)]
    moves += [(blocks.without(j, k), j, k) for j, k in blocks.near()]
    touched: set[int | None] = set()
    left = np.ones(m, dtype=bool)
    for _, j, k in sorted(moves, key=lambda move: move[0]):
        if not touched & {j, k}:
            touched |= {j} if k is None else {j, k}
            left[j] = False
            if k is not None:
                blocks.W[:, k], blocks.G[k] = blocks.sum(j, k)
            if m - np.count_nonzero(left) == wanted:
                break
    root = np.sqrt(np.linalg.norm(blocks.W[:, left], axis=0))
    return network.with_neurons(blocks.W[:, left] / root, blocks.G[left] * root[:, None])


class _Blocks:
    """The network as atoms w_j g_j^T with unit g_j, and what a step to fewer of them does to the objective."""

    def __init__(self, network: TwoLayerNetwork, problem: TrainingProblem) -> None:
        size = np.linalg.norm(network.A, axis=1)
        self.problem = problem
        self.W, self.G, self.cost = network.U * size, network.A / size[:, None], size**2
        self.f = problem.outputs(network).reshape(problem.n, -1)
        self.atoms = self._outputs(self.W, self.G).reshape(*self.f.shape, -1)

    def _outputs(self, W: Array, G: Array) -> Array:
        return self.problem.features.atoms(W, G)

    def near(self) -> list[tuple[int, int]]:
        """Every block and its nearest other, in the directions of w and g."""
        rows = np.hstack([(self.W / self.cost).T, self.G])
        if len(rows) < 2:
            return []
        nearest = np.asarray(cKDTree(rows).query(rows, k=2)[1])[:, 1]
        return [(j, int(k)) for j, k in enumerate(nearest) if j != k]

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
