"""Vectors for sampled patterns: inside cells, across hyperplanes, from networks and clusters."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from math import ceil, isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from .._array import Array, lengths
from ..errors import InvalidInputError

BOUNDARY = 1e-7  # |x_i^T u| / (|x_i| |u|) up to which u counts as on the hyperplane of a sample
THIN = 1e-12  # |x_i^T u| / (|x_i| |u|) down to which the sign of a product is taken for certain
SAME_CROSSING = 1e-9  # relative difference of two crossings that count as one
CLUSTERED_ROWS = 50_000  # most rows that k-means sees, drawn at random


def interior_vectors(X: Array, U: Array, rng: np.random.Generator, inward: Array | None = None) -> Array:
    """Return for every row of U (k, d), normalised, a vector inside an open cell whose closure holds it, (k, d).

    The best neurons sit on kinks, where x_i^T u = 0 for several samples and the pattern is undecided. Each row moves
    along a random direction, half-way to the next hyperplane it is not already on, which decides the ties.
    Samples with |x_i^T u| <= 1e-7 |x_i| count as tied. Entries move in the directions of the signs `inward` (k, d),
    where these are not 0, so that vectors of an orthant come to lie inside it. Cost O(n d k).
    """
    unit = U / np.linalg.norm(U, axis=1, keepdims=True)
    move = rng.standard_normal(U.shape)
    if inward is not None:
        move = np.where(inward != 0.0, inward * np.abs(move), move)
    Z, Z_move = np.abs(unit @ X.T), np.abs(move @ X.T)
    free = BOUNDARY * np.linalg.norm(X, axis=1) < Z
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(free, Z / Z_move, np.inf).min(axis=1, initial=np.inf)
    return unit + 0.5 * np.minimum(reach, 0.2)[:, None] * move


def neurons(network: Any, d: int) -> Array:
    """The hidden vectors u_j of a network, (m, d), largest |u_j| |alpha_j| first.

    Without those that are zero, and scaled by powers of two, so that their squares can be added.
    """
    network = getattr(network, "network", network)  # of a Solution
    if not hasattr(network, "U"):
        raise InvalidInputError(
            f"`network` must have hidden weights, as a TwoLayerNetwork or a solution with one has, got "
            f"{type(network).__name__}; neuralgauge.networks.foreign.network_of takes others."
        )
    U: Array = network.U
    if U.shape[0] != d:
        raise InvalidInputError(
            f"`network` must have {d} rows of hidden weights, one for each column of X, got {U.shape[0]}; "
            "a hidden bias needs the column of ones in X (for a problem: `problem.X`)."
        )
    (u, u_exponent), (a, a_exponent) = lengths(U.T), lengths(network.A)
    with np.errstate(divide="ignore"):
        order = np.argsort(-(np.log2(u * a) + u_exponent + a_exponent), kind="stable")
    order = order[u[order] > 0.0]
    if len(order) == 0:
        raise InvalidInputError("`network` must have a neuron whose hidden weights are not all zero, got none.")
    return np.ldexp(U.T[order], -u_exponent[order, None])


def flip(X: Array, U: Array, rows: npt.NDArray[np.intp]) -> Array:
    r"""Return for every row u of U (k, d) a vector across the hyperplane of one sample, inside a cell, (k, d).

    `rows` (k,) names the sample of each u, with x_i^T u not zero. The vector lies on
    :math:`u - t\,\mathrm{sign}(x_i^T u)\,x_i / \|x_i\|`, half-way between the hyperplane and the next one, at most at
    the mirror image of u. When x_i is the l-th nearest of the hyperplanes, the signs of at most these l samples change,
    that of x_i among them; the pattern with x_i alone flipped may belong to no u. Cost O(n d k).
    """
    normal = X[rows] / np.linalg.norm(X[rows], axis=1, keepdims=True)
    side = np.sign(np.sum(normal * U, axis=1, keepdims=True))
    Z, rate = U @ X.T, side * (normal @ X.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.where(Z * rate > 0.0, Z / rate, np.inf)
    here = np.take_along_axis(crossing, rows[:, None], axis=1)
    beyond = np.where(crossing > here * (1.0 + SAME_CROSSING), crossing, np.inf).min(axis=1, keepdims=True)
    return U - 0.5 * (here + np.minimum(beyond, 3.0 * here)) * side * normal


def flips(X: Array, parents: Array, batch: int, most: int) -> Iterator[Array]:
    """Vectors across the nearest hyperplane of every parent, then across the second nearest, and so on.

    About `most` in all, `batch` at a time. Those in cells too thin to be sure of their pattern are left out.
    """
    length = np.linalg.norm(X, axis=1)
    depth = min(int(np.sum(length > 0.0)), ceil(most / len(parents)))
    nearest = np.empty((len(parents), depth), dtype=np.intp)
    parts = [slice(start, start + batch) for start in range(0, len(parents), batch)]
    for part in parts:
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(length > 0.0, np.abs(parents[part] @ X.T) / length, np.inf)
        nearest[part] = np.argsort(distance, axis=1, kind="stable")[:, :depth]
    for rank in range(depth):
        for part in parts:
            U = flip(X, parents[part], nearest[part, rank])
            sure = np.abs(U @ X.T) > THIN * length * np.linalg.norm(U, axis=1, keepdims=True)
            yield U[np.all(sure | (length == 0.0), axis=1)]


def cluster_vectors(X: Array, count: int, rng: np.random.Generator) -> Array:
    """Return centres c_a of the rows by k-means, the largest cluster first, then all differences c_a - c_b.

    These are the first `count` of k^2 for k = ceil(sqrt(count)) clusters, two at least; fewer where X has fewer than k
    distinct rows. None is zero. A column of X that is constant takes no part in the differences; its entry moves their
    hyperplanes half-way between the two centres, (|c_b|^2 - |c_a|^2) / 2 for a column of ones. Cost O(n k d) an
    iteration of k-means, on 50,000 rows at most, drawn at random.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    rows = X if len(X) <= CLUSTERED_ROWS else X[rng.choice(len(X), CLUSTERED_ROWS, replace=False)]
    k = min(max(2, isqrt(count - 1) + 1), len(np.unique(rows, axis=0)))
    means = KMeans(k, n_init=1, random_state=int(rng.integers(2**31)))
    # One thread: several add up in any order. Rows that differ in their last digits share a centre, with a warning.
    with threadpool_limits(1), warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        label = means.fit_predict(rows)
    centres = means.cluster_centers_[np.argsort(-np.bincount(label, minlength=k), kind="stable")]
    a, b = np.nonzero(~np.eye(k, dtype=bool))
    differences = centres[a] - centres[b]
    constant = np.flatnonzero(np.all(rows == rows[0], axis=0) & (rows[0] != 0.0))
    if len(constant):
        squares = np.sum(np.delete(centres, constant, axis=1) ** 2, axis=1)
        differences[:, constant] = 0.0
        differences[:, constant[-1]] = (squares[b] - squares[a]) / (2.0 * rows[0, constant[-1]])
    vectors = np.vstack([centres, differences])
    vectors = vectors[np.any(vectors != 0.0, axis=1)][:count]
    return vectors if len(vectors) else np.ones((1, X.shape[1]))  # X is zero
