"""Samples of activation patterns, for data with too many to list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np

from .._array import Array, as_matrix
from ..errors import InvalidInputError
from .counting import count_patterns
from .pattern_set import Coverage, PatternSet
from .strategies import cluster_vectors, flips, interior_vectors, neurons

Strategy = Literal["gaussian", "initial", "network", "sign_flips", "clusters"]
DRAWS_PER_PATTERN = 50  # after which fewer patterns than asked for are returned
ENTRIES = 2**22  # draws times samples handled at a time


def sample_patterns(
    X: Any, n_patterns: int, random_state: int = 0, *, strategy: Strategy = "gaussian", network: Any = None
) -> PatternSet:
    r"""Return distinct patterns 1[X u >= 0] of vectors u that a strategy chooses.

    ================ =============================================================================================
    `strategy`       vectors u
    ================ =============================================================================================
    ``"gaussian"``   standard normal
    ``"initial"``    neurons before training, uniform in the cube [-1, 1]^d as scikit-learn and PyTorch draw them
                     (Alg2 of the paper); for a network you have, "network" with it
    ``"network"``    neurons u_j of a trained network (Alg1), largest :math:`\|u_j\|\,\|\alpha_j\|` first
    ``"sign_flips"`` half of them neurons of the network, or Gaussian without one; the other half have stepped across
                     hyperplanes :math:`x_i^T u = 0` that were nearest, where :math:`|x_i^T u| / \|x_i\|` is
                     smallest (Alg3)
    ``"clusters"``   centres c_a of the rows by k-means and differences c_a - c_b, meant for rows that are patches
    ================ =============================================================================================

    Parameters
    ----------
    X : array of shape (n, d)
        Design matrix, used as it is (for a problem: ``problem.X``); for a convolution its stacked patches.
    n_patterns : int
        Distinct patterns wanted, >= 1. Fewer come back when 50 draws a pattern do not show that many; when the network
        has fewer neurons; when the flips are all known; or when clusters or their differences share patterns.
    random_state : int
        Seed.
    strategy : {"gaussian", "initial", "network", "sign_flips", "clusters"}
    network : TwoLayerNetwork or Solution, optional
        For "network", which needs it, and "sign_flips".

    Returns
    -------
    PatternSet
        Every pattern is that of its witness, strictly inside an open cell (zero rows aside). A neuron on hyperplanes
        gives one of the cells whose closure holds it (to 1e-7), so the program [8] over the patterns of all neurons,
        with their output directions, is no worse than the network. For "gaussian" and "initial" with `coverage`:
        draws made, estimated probability mass of the patterns seen, bound on their number.

    Raises
    ------
    InvalidInputError
        For `n_patterns` < 1, a bad X, an unknown strategy, a network that is missing, not used or of another shape.

    Notes
    -----
    Cost O(n d) a draw or flip; for clusters n k d an iteration of k-means besides, k = sqrt(n_patterns), on 50,000
    rows at most. The chance of a random pattern is the solid angle of its cone, so small cones are missed.
    A flip moves u and reads off the pattern attained, since the pattern with one sign changed may belong to no u.
    Across the l-th nearest hyperplane at most l samples change, of the l nearest.
    With a constant column in X the difference of two centres is the hyperplane half-way between them.
    Source: [8] of Pilanci & Ergen (2020) and the strategies of their experiments.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> X = [[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]]
    >>> patterns = ng.sample_patterns(X, n_patterns=10)
    >>> len(patterns), patterns.coverage.n_patterns_bound
    (10, 10)
    >>> network = ng.TwoLayerNetwork([[1.0, -1.0], [0.5, 0.5]], [2.0, 1.0])
    >>> ng.sample_patterns(X, n_patterns=2, strategy="network", network=network).dense().astype(int).tolist()
    [[0, 0, 1, 1, 1], [1, 1, 1, 0, 0]]
    >>> ng.sample_patterns(X, n_patterns=2, strategy="sign_flips", network=network).dense().astype(int).tolist()
    [[0, 0, 1, 1, 1], [0, 1, 1, 1, 1]]
    """
    matrix = as_matrix(X)
    if n_patterns < 1:
        raise InvalidInputError(f"`n_patterns` must be at least 1, got {n_patterns}.")
    hidden = _checked_neurons(strategy, network, matrix.shape[1])
    vectors = _vectors(matrix, n_patterns, strategy, hidden, np.random.default_rng(random_state))
    return _distinct(matrix, vectors, n_patterns, with_coverage=strategy in ("gaussian", "initial"))


def _checked_neurons(strategy: str, network: Any, d: int) -> Array | None:
    if strategy not in get_args(Strategy):
        raise InvalidInputError(f"`strategy` must be one of {list(get_args(Strategy))}, got {strategy!r}.")
    if network is None:
        if strategy == "network":
            raise InvalidInputError(
                '`network` must be given for strategy "network", whose witnesses are its neurons, got None.'
            )
        return None
    if strategy not in ("network", "sign_flips"):
        raise InvalidInputError(
            f'`network` must be None for strategy "{strategy}", which makes no use of it; '
            'leave it out, or take strategy "network".'
        )
    return neurons(network, d)


def _vectors(
    X: Array, n_patterns: int, strategy: Strategy, hidden: Array | None, rng: np.random.Generator
) -> Iterator[Array]:
    """Vectors to take patterns of, best first, in batches."""
    n, d = X.shape
    batch = max(1, min(256, ENTRIES // n))
    # The stream of draws does not depend on the batch, nor on the number of patterns asked for.
    while strategy == "gaussian":
        yield rng.standard_normal((batch, d))
    while strategy == "initial":
        yield rng.uniform(-1.0, 1.0, (batch, d))
    if strategy == "clusters":
        given = cluster_vectors(X, n_patterns, rng)
    else:
        half = (n_patterns + 1) // 2
        given = rng.standard_normal((half, d)) if hidden is None else hidden
        given = given[:half] if strategy == "sign_flips" else given
    inside = []
    for start in range(0, len(given), batch):
        inside.append(interior_vectors(X, given[start : start + batch], rng))
        yield inside[-1]
    if strategy == "sign_flips":
        yield from flips(X, np.vstack(inside), batch, DRAWS_PER_PATTERN * n_patterns)


def _distinct(X: Array, batches: Iterator[Array], n_patterns: int, *, with_coverage: bool) -> PatternSet:
    """The first `n_patterns` distinct patterns of the vectors, as far as these and the limit on them go."""
    seen: dict[bytes, int] = {}
    kept, n_draws, limit = [], 0, DRAWS_PER_PATTERN * n_patterns
    for vectors in batches:
        packed = np.packbits(vectors @ X.T >= 0, axis=1)
        for vector, bits in zip(vectors[: limit - n_draws], packed, strict=False):
            key = bits.tobytes()
            n_draws += 1
            if key not in seen:
                kept.append((bits, vector))
            seen[key] = seen.get(key, 0) + 1
            if len(seen) >= n_patterns:
                break
        if len(seen) >= n_patterns or n_draws >= limit:
            break
    coverage = None
    if with_coverage:
        singletons = sum(count == 1 for count in seen.values())
        bound = count_patterns(X.shape[0], max(1, int(np.linalg.matrix_rank(X))))
        coverage = Coverage(n_draws, 1.0 - singletons / n_draws, bound)
    return PatternSet(np.array([bits for bits, _ in kept]), len(X), np.array([u for _, u in kept]), coverage=coverage)
