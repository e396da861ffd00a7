r"""A start on the central path of the blocks.

With the dual variable v = 0 the blocks decouple: at complementarity mu = beta every block minimises

.. math:: \phi(w) = \min_t \; t - \tfrac12 \log(t^2 - \|w\|^2) - \sum_j \log \tilde x_j^T w ,

a self-concordant function whose minimiser scales with mu / beta. Damped Newton from the witness of each
pattern, all blocks at once, leaves an interior point that violates nothing but the link between outputs and v.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._array import Array
from ._second_order import dot

NEWTON_STEPS = 12


def symmetric_products(X: Array) -> tuple[Array, npt.NDArray[np.intp]]:
    """Columns x_a x_b, a <= b, shape (n, d (d + 1) / 2), and the (d, d) index that unfolds them to matrices.

    Weighted Grams of all blocks are then one matrix product: (theta @ products)[:, unfold] for theta (m, n).
    """
    d = X.shape[1]
    upper = np.triu_indices(d)
    unfold = np.empty((d, d), dtype=np.intp)
    unfold[upper] = np.arange(len(upper[0]))
    unfold.T[upper] = unfold[upper]
    return np.ascontiguousarray(X[:, upper[0]] * X[:, upper[1]]), unfold


def centred_blocks(
    X: Array, cone_signs: Array, witnesses: Array, products: Array, unfold: npt.NDArray[np.intp]
) -> Array:
    """Near-minimisers of phi, (m, d), strictly inside the cones if the witnesses are.

    `cone_signs` is 2 D_i - 1 as (m, n). Cost: one (m, n) by (n, d^2/2) product a Newton step.
    """
    d = X.shape[1]
    diagonal = np.arange(d)
    W = witnesses * (np.sqrt(X.shape[0]) / np.linalg.norm(witnesses, axis=1))[:, None]
    for _ in range(NEWTON_STEPS):
        root = np.sqrt(0.25 + dot(W, W))
        t = 0.5 + root
        inverse = 1.0 / (cone_signs * (W @ X.T))
        gradient = W / t[:, None] - (cone_signs * inverse) @ X
        M = (inverse**2 @ products)[:, unfold]
        M[:, diagonal, diagonal] += (1.0 / t)[:, None]
        M -= W[:, :, None] * W[:, None, :] / (t**2 * root)[:, None, None]
        M[:, diagonal, diagonal] += (1e-14 * np.trace(M, axis1=1, axis2=2))[:, None]  # thin cells
        dW = -np.linalg.solve(M, gradient[:, :, None])[:, :, 0]
        decrement = np.sqrt(np.maximum(0.0, -dot(gradient, dW)))
        rate = np.max(-(cone_signs * (dW @ X.T)) * inverse, axis=1)
        reach = 1.0 / np.maximum(rate, 1e-300)
        # Full steps once Newton converges; before, the guaranteed step or a good part of the way to the wall.
        step = np.where(decrement < 0.25, 0.9 * reach, np.maximum(1.0 / (1.0 + decrement), 0.6 * reach))
        W = W + np.minimum(1.0, np.minimum(step, 0.9 * reach))[:, None] * dW
        if decrement.max() < 0.3:
            break
    return W
