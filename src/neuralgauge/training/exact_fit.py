r"""From a network that nearly interpolates to one that does, and a first one from nothing.

The correction is Gauss-Newton on all weights of the balanced network, in the norm of the penalty: the least change with
:math:`\sum_j (X du_j)_+ \alpha_j^T + (X u_j)_+ d\alpha_j^T = y - f`. Neurons that sit on a kink, x_i^T u_j = 0 as the
optimum has many, stay on it; off the kinks f is smooth and a few steps end at rounding.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..features.rows import DenseFeatures
from ..networks.dense import TwoLayerNetwork
from ..pruning.caratheodory import basic

FITTED, NEARLY_FITTED = 1e-9, 1e-6  # |f - y| relative to the largest |y|: the most allowed, and the most completed
KINKS = (0.0, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)  # x_i^T u relative to |x_i| |u| that is taken for 0
GAUSS_NEWTON_STEPS = 12
DIVERGED = 1e3  # times the misfit at the start
HINGES = 4  # neurons of a first network for each sample: two through it, and two opposite ones
EPS = float(np.finfo(float).eps)


def misfit(network: TwoLayerNetwork, X: Array, y: Array) -> float:
    r"""Largest \|f - y\| in units of the rounding of f: up to 1 a network interpolates as far as arithmetic can tell.

    The unit of sample i is :math:`(m + d)\,\varepsilon\,(|y_i| + \sum_j |x_i|^T |u_j| |\alpha_j| + |b|)`, what rounding
    alone can add to its outputs from these weights. It is relative to each sample: one with a small target, between
    near neighbours, is held to it as firmly as the others.
    """
    U, A, c = network.U, network.A, network.n_outputs
    Y = y.reshape(len(X), c)
    f = network.forward(X).reshape(Y.shape)
    size = np.abs(Y) + (np.abs(X) @ np.abs(U)) @ np.abs(A) + np.abs(network.offset)
    unit = np.minimum((U.shape[1] + len(U)) * EPS * size, FITTED * np.max(np.abs(Y)))
    error = np.abs(f - Y)
    return float(np.max(np.divide(error, unit, out=np.where(error > 0.0, np.inf, 0.0), where=unit > 0.0)))


def fit_exactly(
    network: TwoLayerNetwork, X: Array, y: Array, offset: bool, rng: np.random.Generator
) -> TwoLayerNetwork | None:
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
    rng : numpy.random.Generator
        For the neurons of the last resort, see below.

    Returns
    -------
    TwoLayerNetwork or None
        Balanced, at most n c neurons unless rounding forbids it, `misfit` at most 1; None if no correction gets
        there.

    Notes
    -----
    What Gauss-Newton leaves above rounding is fitted by a network of its own, `least_squares_fit`, and added: its
    weight decay is paid for, so that a misfit never makes an objective look smaller. Cost O((n c)^2 m (d + c)) a step,
    and a linear program of m columns.
    """
    best: TwoLayerNetwork | None = None
    for kink in KINKS:
        found = _corrected(network, X, y, offset, kink)
        found = None if found is None else _completed(found, X, y, offset, rng)
        if found is not None and (best is None or found.weight_decay() < best.weight_decay()):
            best = found
    if best is None:
        return None
    fewer = basic(best, DenseFeatures(X))
    if misfit(fewer, X, y) > 1.0:
        polished = _corrected(fewer, X, y, offset, 0.0)
        fewer = best if polished is None else polished
    good = misfit(fewer, X, y) <= 1.0 and fewer.weight_decay() <= best.weight_decay() * (1.0 + 1e-9)
    return fewer if good else best


def _completed(
    network: TwoLayerNetwork, X: Array, y: Array, offset: bool, rng: np.random.Generator
) -> TwoLayerNetwork | None:
    """The network, or with a second one for what it leaves of y; None if that is not enough."""
    if misfit(network, X, y) <= 1.0:
        return network
    left = y - network.forward(X)
    if not np.max(np.abs(left)) <= NEARLY_FITTED * np.max(np.abs(y)):
        return None
    rest = least_squares_fit(X, left, network.bias, offset, rng)
    both = network.join(rest)
    both = both.with_neurons(both.U, both.A, np.asarray(network.offset) + rest.offset)
    return both if misfit(both, X, y) <= 1.0 else None


def first_fit(X: Array, y: Array, bias: bool, offset: bool, rng: np.random.Generator) -> TwoLayerNetwork | None:
    """An interpolating network from random neurons, of `misfit` at most 1; None if none is found."""
    network = least_squares_fit(X, y, bias, offset, rng)
    return network if misfit(network, X, y) <= 1.0 else None


def least_squares_fit(X: Array, y: Array, bias: bool, offset: bool, rng: np.random.Generator) -> TwoLayerNetwork:
    """The output weights of least norm among those of least squares, on random neurons, half of them at a sample.

    Each of these has its kink at one sample, for any X. Cost O((n c)^2 n).
    """
    n = len(X)
    to_white = DenseFeatures(X).span.whitening
    rank = to_white.shape[1]
    white = X @ to_white
    Z = rng.standard_normal((HINGES, n, rank))
    Z[3] = -Z[1]  # in rank 1 none is left that goes through a sample, and both directions are needed
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
    return TwoLayerNetwork(U, weights[: U.shape[1]], bias, b).balance()


def _corrected(network: TwoLayerNetwork, X: Array, y: Array, offset: bool, kink: float) -> TwoLayerNetwork | None:
    """The network after Gauss-Newton; None where that does not end near, or least squares fail."""
    try:
        return _gauss_newton(network, X, y, offset, kink)
    except np.linalg.LinAlgError:  # a singular value decomposition that does not converge
        return None


def _gauss_newton(network: TwoLayerNetwork, X: Array, y: Array, offset: bool, kink: float) -> TwoLayerNetwork | None:
    """The iterate of least misfit, by Gauss-Newton as long as that halves it; None if it only grows."""
    net = network.balance()
    if net.n_neurons == 0:
        return net if misfit(net, X, y) <= 1.0 else None
    free, U = _faces(X, net.U, kink)
    A, b = net.A.copy(), np.array(net.offset)
    best, least = None, np.inf
    for _ in range(GAUSS_NEWTON_STEPS):
        net = TwoLayerNetwork(U, A, network.bias, b)
        error = misfit(net, X, y)
        if error <= 0.5 * least:
            best, least = net, error
        elif least <= 1.0 or not error <= DIVERGED * least:
            break
        if error == 0.0:
            break
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
    return Q @ np.linalg.lstsq(R.T, residual, rcond=1e-14)[0]
