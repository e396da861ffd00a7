r"""From a network that nearly interpolates to one that does, and a first one from nothing.

The correction is Gauss-Newton on all weights of the balanced network, in the norm of the penalty: the least change with
:math:`\sum_j (X du_j)_+ \alpha_j^T + (X u_j)_+ d\alpha_j^T = y - f`. Neurons that sit on a kink, x_i^T u_j = 0 as the
optimum has many, stay on it; off the kinks f is smooth and a few steps end at rounding.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..networks import TwoLayerNetwork
from ..weights.caratheodory import basic

FITTED = 1e-9  # largest |f - y| relative to the largest |y|
KINKS = (0.0, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)  # x_i^T u relative to |x_i| |u| that is taken for 0
STEPS = 12
HINGES = 4  # neurons of a first network for each sample, half of them through it


def misfit(network: TwoLayerNetwork, X: Array, y: Array) -> float:
    """Largest |f - y|, relative to the largest |y|, from the network's own outputs on the design matrix."""
    return float(np.max(np.abs(network.forward(X) - y)) / np.max(np.abs(y)))


def fit_exactly(network: TwoLayerNetwork, X: Array, y: Array, offset: bool) -> TwoLayerNetwork | None:
    """The interpolating network of least weight decay among those found by small corrections of this one.

    Parameters
    ----------
    network : TwoLayerNetwork
        Nearly interpolating.
    X : array of shape (n, d)
        Design matrix.
    y : array of shape (n,) or (n, c)
    offset : bool
        Whether the output offset may change.

    Returns
    -------
    TwoLayerNetwork or None
        Balanced, at most n c neurons unless rounding forbids it, `misfit` at most 1e-9; None if no
        correction gets there.

    Notes
    -----
    Cost O((n c)^2 m (d + c)) a step, and a linear program of m columns.
    """
    best: TwoLayerNetwork | None = None
    for kink in KINKS:
        found = _corrected(network, X, y, offset, kink)
        if found is not None and (best is None or found.weight_decay() < best.weight_decay()):
            best = found
    if best is None:
        return None
    fewer = basic(best, X)
    good = misfit(fewer, X, y) <= FITTED and fewer.weight_decay() <= best.weight_decay() * (1.0 + 1e-9)
    return fewer if good else best


def first_fit(X: Array, y: Array, bias: bool, offset: bool, rng: np.random.Generator) -> TwoLayerNetwork | None:
    """An interpolating network from random neurons, half of them with their kink at a sample; None if none is found.

    Cost O((n c)^2 n).
    """
    n = len(X)
    _, stretch, axes = np.linalg.svd(X, full_matrices=False)
    rank = int(np.sum(stretch > stretch[0] * max(X.shape) * np.finfo(float).eps))
    to_white = axes[:rank].T / stretch[:rank]
    white = X @ to_white
    Z = rng.standard_normal((HINGES, n, rank))
    squares = np.maximum(np.einsum("ij,ij->i", white, white), np.finfo(float).tiny)
    pinned = np.arange(HINGES) % 2 == 0
    Z[pinned] -= (np.einsum("kij,ij->ki", Z[pinned], white) / squares)[:, :, None] * white
    U = to_white @ Z.reshape(-1, rank).T
    U = U[:, np.linalg.norm(U, axis=0) > 0]
    U /= np.linalg.norm(U, axis=0)
    hidden = np.maximum(X @ U, 0.0)
    columns = np.hstack([hidden, np.ones((n, 1))]) if offset else hidden
    weights, left = np.zeros((columns.shape[1], y.reshape(n, -1).shape[1])), y.reshape(n, -1)
    for _ in range(3):
        weights += _least_change(columns, left)
        left = y.reshape(n, -1) - columns @ weights
    b = weights[-1] if offset else 0.0
    network = TwoLayerNetwork(U, weights[: U.shape[1]], bias, b).balance()
    return network if misfit(network, X, y) <= FITTED else None


def _corrected(network: TwoLayerNetwork, X: Array, y: Array, offset: bool, kink: float) -> TwoLayerNetwork | None:
    net = network.balance()
    if net.n_neurons == 0:
        return net if misfit(net, X, y) <= FITTED else None
    free, U = _faces(X, net.U, kink)
    A, b = net.A.copy(), np.array(net.offset)
    best, least = None, FITTED
    for _ in range(STEPS):
        net = TwoLayerNetwork(U, A, network.bias, b)
        error = misfit(net, X, y)
        if error <= least:
            best = net
        elif best is not None:
            break
        if not error > 1e-15 or error > 1e3:
            break
        least = min(least, 0.5 * error)
        change = _least_change(_jacobian(X, U, A, free, offset), (y - net.forward(X)).reshape(-1, 1))[:, 0]
        m, d, c = len(A), len(U), A.shape[1]
        parts = change[: m * (d + c)].reshape(m, d + c)
        U = U + np.matmul(free, parts[:, :d, None])[:, :, 0].T
        A = A + parts[:, d:]
        b = b + change[m * (d + c) :] if offset else b
    return None if best is None else best.balance()


def _faces(X: Array, U: Array, kink: float) -> tuple[Array, Array]:
    """Projections (m, d, d) onto the directions that keep each neuron on its kinks, and the neurons moved onto them."""
    size = np.maximum(np.linalg.norm(X, axis=1), np.finfo(float).tiny)
    on = np.abs(X @ U) <= kink * size[:, None] * np.linalg.norm(U, axis=0)
    free = np.repeat(np.eye(len(U))[None], U.shape[1], axis=0)
    for j in np.flatnonzero(on.any(axis=0)):
        _, s, axes = np.linalg.svd(X[on[:, j]] / size[on[:, j], None], full_matrices=True)
        held = axes[: int(np.sum(s > 1e-8))]
        projection = np.eye(len(U)) - held.T @ held
        # Samples of all directions at once pin the neuron to 0: then it is no kink of one cell but a tiny cell.
        if np.linalg.norm(projection @ U[:, j]) > 0.9 * np.linalg.norm(U[:, j]):
            free[j] = projection
    return free, np.einsum("mij,jm->im", free, U)


def _jacobian(X: Array, U: Array, A: Array, free: Array, offset: bool) -> Array:
    """Derivative of the outputs (n c) in the free parts of U, in A, and in the offset."""
    n, (m, c) = len(X), A.shape
    X_U = X @ U
    by_U = np.matmul(X[None], free) * (X_U > 0).T[:, :, None]  # (m, n, d)
    J = np.zeros((n, c, m, len(U) + c))
    J[..., : len(U)] = by_U.transpose(1, 0, 2)[:, None] * A.T[None, :, :, None]
    for k in range(c):
        J[:, k, :, len(U) + k] = np.maximum(X_U, 0.0)
    J = J.reshape(n * c, -1)
    return np.hstack([J, np.tile(np.eye(c), (n, 1))]) if offset else J


def _least_change(J: Array, residual: Array) -> Array:
    """Minimum-norm least-squares solution; J may be rank deficient and has more columns than rows or not."""
    Q, R = np.linalg.qr(J.T)
    result: Array = Q @ np.linalg.lstsq(R.T, residual, rcond=1e-14)[0]
    return result
