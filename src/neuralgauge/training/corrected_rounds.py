r"""Rounds for several outputs: the best output weights of all neurons at hand, pricing, and a short local search.

Local maximisers of the score lie where many kinks meet, and stay there while the dual point moves: there a descent on
all weights stops, and convex programs over cells are large, n c equations each. So the neurons priced are kept as they
are, and the group lasso finds their best output weights (fully corrective conditional gradients); the local search
moves what is in use, smoothed (Denoyelle et al. 2019, "sliding Frank-Wolfe").
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from .._array import Array, BoolArray
from ..losses.protocol import SmoothLoss
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem
from ..solvers.group_lasso import group_lasso
from ..solvers.local_search import smoothed_search
from ..solvers.passes import Passes
from ..solvers.run import Run
from .dual_side import DualSide

FEWEST_SIZE = 5_000  # entries of X times outputs; below, the first convex programs take less
FIRST_NUMBER, FIRST_DESCENT, DESCENT = 100, 100, 60  # neurons; iterations of each of the first searches, of a round's
FIRST_WIDTHS, WIDTH = (0.3, 0.1, 0.03, 0.01), 0.003  # of smoothing, of the first searches and of a round's
FIRST_DECREASE = 1e-6  # relative, of an iteration at which a first search ends
MOST_ITERATIONS, EXCESS_SHARE = 400, 0.5  # of a group lasso; share of the largest excess over beta at which it ends
JOINING, SAME_JOINING = 100, 1e-4  # columns of a round, and 1 - cosine under which two are one
IN_USE = 1e-3  # weight relative to the largest
KEPT_UNUSED = 0.1  # most shortfall of scores from beta at which neurons out of use are kept
JOINING_WEIGHT = 1e-3  # of a new column, relative to the median in use


def corrected(problem: TrainingProblem) -> bool:
    """Whether these rounds take the problem, and pay: several outputs, rows whole in memory, a smooth loss."""
    features = problem.features
    takes = features.resident and not features.patched and isinstance(problem.loss, SmoothLoss)
    return takes and problem.q > 1 and features.size * problem.q >= FEWEST_SIZE


class CorrectedRounds:
    """The neurons at hand, unit vectors U (d, m) with their output weights A (m, c)."""

    U: Array
    A: Array
    b: Array
    patience = 30  # rounds: bounds of single rounds jump by more than the gap falls in a few

    def __init__(
        self, problem: TrainingProblem, run: Run, rng: np.random.Generator, dual: DualSide, network: TwoLayerNetwork
    ) -> None:
        self.problem, self.run, self.rng, self.dual = problem, run, rng, dual
        self.passes = Passes(problem)
        if network.n_neurons == 0:
            network = self._random_neurons()
            for width in FIRST_WIDTHS:
                network = smoothed_search(self.passes, network, width, FIRST_DESCENT, run, FIRST_DECREASE)
            network = network.merge(1e-3)
        self.excess = 1.0  # of the largest score found over beta, relative, in the last round
        self._take(network)

    def steps(self) -> Iterator[None]:
        """Rounds without end, each handed out when its dual points are priced."""
        for _ in itertools.count():
            self.A, self.b = group_lasso(
                self.problem, self.U, self.A, self.b, MOST_ITERATIONS, EXCESS_SHARE * self.excess, self.run
            )
            self._join(self._priced())
            yield
            self._descend()

    def widen(self) -> bool:
        """Whether pricing can be made wider: no, every round takes as many columns as it is worth."""
        return False

    def _random_neurons(self) -> TwoLayerNetwork:
        """Random small neurons, which all together are a penalty of 1 % of the loss, whatever the units of X and y."""
        problem = self.problem
        empty, m = problem.empty_network(), min(FIRST_NUMBER, 2 * problem.n)
        size = np.sqrt(0.01 * problem.objective(empty) / (problem.beta * m))
        U, G = self.rng.standard_normal((problem.d, m)), self.rng.standard_normal((m, problem.q))
        return empty.with_neurons(
            U * (size / np.linalg.norm(U, axis=0)), G * (size / np.linalg.norm(G, axis=1, keepdims=True))
        )

    def _take(self, network: TwoLayerNetwork) -> None:
        length = np.linalg.norm(network.U, axis=0)
        self.U, self.A = network.U / length, network.A * length[:, None]
        self.b = np.broadcast_to(np.asarray(network.offset, dtype=float), (self.problem.c,))

    def _used(self) -> BoolArray:
        size = np.linalg.norm(self.A, axis=1)
        used: BoolArray = size > IN_USE * size.max(initial=0.0)
        return used

    def _network(self, used: BoolArray) -> TwoLayerNetwork:
        root = np.sqrt(np.linalg.norm(self.A[used], axis=1))
        return self.problem.empty_network().with_neurons(
            self.U[:, used] * root, self.A[used] / root[:, None], self.b if self.problem.offset else 0.0
        )

    def _priced(self) -> Columns:
        """Columns that the residual violates, or a point between it and the best v; offers network and bound."""
        problem, dual = self.problem, self.dual
        used = self._used()
        network = self._network(used)
        self.run.offer(problem.objective(network), network)
        f = problem.features.outputs(self.U, self.A) + self.b
        v = problem.fit.project(-problem.fit.gradient(f.reshape(problem.y.shape)))
        found = Columns.joined(dual.price(v, network, JOINING)).best_first()
        self.excess = max(float(np.max(found.values, initial=0.0)) / problem.beta - 1.0, 0.0)
        score = problem.scores(v, self.U) if len(used) else np.zeros(0)
        kept = used | (score > (1.0 - min(2.0 * self.excess, KEPT_UNUSED)) * problem.beta)
        self.U, self.A = self.U[:, kept], self.A[kept]
        return found.take(found.values > problem.beta).distinct(JOINING, SAME_JOINING)

    def _join(self, columns: Columns) -> None:
        """Take columns in at small weights."""
        used = self._used()
        typical = np.median(np.linalg.norm(self.A[used], axis=1)) if used.any() else self.run.upper / self.problem.beta
        weight = JOINING_WEIGHT * float(typical)
        self.U = np.hstack([self.U, columns.U])
        self.A = np.vstack([self.A, weight * columns.G])

    def _descend(self) -> None:
        """Move the neurons in use by local search."""
        used = self._used()
        U, A = self.U[:, ~used], self.A[~used]
        self._take(smoothed_search(self.passes, self._network(used), WIDTH, DESCENT, self.run))
        self.U, self.A = np.hstack([self.U, U]), np.vstack([self.A, A])
