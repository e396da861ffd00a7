"""Problems whose atoms are ReLU neurons: their scores at dual points, searched or priced, under constraints or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._array import Array
from .._threads import threads
from ..errors import InvalidInputError
from ..features.rows import Features
from ..networks.dense import N, TwoLayerNetwork
from .base import Problem
from .constraints import NeuronConstraints
from .polar import Polar

if TYPE_CHECKING:
    from ..pricing import Price

SWEPT_RANKS = ((1, np.inf), (2, np.inf), (3, 2000))  # rank, and rows up to which a sweep takes less than a search
SEARCH_STARTS = 64  # of a search


class ScoredProblem(Problem[TwoLayerNetwork]):
    """A problem over the rows `features`, whose neurons obey `constraints` where there are some."""

    features: Features
    constraints: NeuronConstraints | None = None

    @property
    def q(self) -> int:
        """Output weights of a neuron: c, times the regions of a convolutional readout."""
        return self.features.n_regions * self.c

    def merged(self, network: N, angle: float = 1e-12) -> N:
        """The network with neurons of nearly one ray joined, as `merge` does, every one obeying the constraints."""
        joined = network.merge(angle)
        return joined if self.constraints is None else self.constraints.confined_network(joined)

    def obedient(self, network: TwoLayerNetwork) -> TwoLayerNetwork:
        """Return the network; an InvalidInputError if a neuron does not obey the constraints."""
        obeyed = np.ones(1) if self.constraints is None else self.constraints.obeyed(network.U, network.A[:, 0])
        if not np.all(obeyed):
            raise InvalidInputError(
                "every neuron of the network must obey the constraints of the problem, got neuron "
                f"{int(np.argmin(obeyed))}, which does not; take a network that was trained under them, or a problem "
                "without."
            )
        return network

    def scores(self, v: Array, U: Array) -> Array:
        """The largest score g^T V^T (X u)_+ / |u| over output directions g, for every column of U (d, k)."""
        gains = self.features.gains(v, U)
        size = np.linalg.norm(gains, axis=1) if self.constraints is None else self.constraints.scores(gains[:, 0], U)
        return size / np.linalg.norm(U, axis=0)

    @property
    def sides(self) -> tuple[tuple[Any, Array | None], ...]:
        """Signs of output weights that are searched apart, with the orthant of their neurons; None is any."""
        if self.q > 1:
            return ((None, None),)
        return ((1.0, None), (-1.0, None)) if self.constraints is None else tuple(self.constraints.orthants.items())

    @property
    def rank(self) -> int:
        """Dimensions of u that a score depends on: the rank of X, and of the entries that are confined."""
        span = self.features.span
        if self.constraints is None:
            return span.rank
        return int(np.linalg.matrix_rank(np.vstack([span.axes.T, self.constraints.walls])))

    def priced(self, v: Array, target: float | None = None, time_limit: float | None = None) -> Price:
        """The polar gauge of v priced exactly, over neurons that obey; arguments as in `price`."""
        from ..pricing import price
        from ..pricing.price_in_orthant import price_in_orthant

        lifted, X = self.features.lifted(v), self.features.dense()
        if self.constraints is None:
            return price(lifted, X, target=target, time_limit=time_limit)
        return price_in_orthant(lifted, X, self.constraints.orthants, target, time_limit)

    def attained(self, v: Array, network: TwoLayerNetwork) -> float:
        """The largest score of the network's own neurons at v: never above G(v)."""
        return float(np.max(self.scores(v, network.U), initial=0.0))

    def polar(self, v: Array, random_state: int = 0) -> Polar:
        """The polar gauge G(v): exactly for rank 1 and 2, and for rank 3 up to 2,000 rows, else by a search."""
        from ..pricing import search  # compiled, and not needed to hold a problem

        features = self.features
        if not np.any(v):
            return Polar(0.0, 0.0, "exact")
        rank = self.rank if features.resident else np.inf
        if any(rank <= most and rows >= features.N for most, rows in SWEPT_RANKS):
            priced = self.priced(v)
            return Polar(priced.value, priced.bound, "exact")
        rng = np.random.default_rng(random_state)
        with threads():
            found = [
                float(search(v, features, SEARCH_STARTS, rng, sign=sign, orthant=orthant).values[0])
                for sign, orthant in self.sides
            ]
        return Polar(max(0.0, *found), np.inf, "estimated")
