r"""A start on the central path of the blocks.

With the dual variable v = 0 the blocks decouple: at complementarity mu = beta every block minimises

.. math:: \phi(w) = \min_t \; t - \tfrac12 \log(t^2 - \|w\|^2) - \sum_j \log \tilde x_j^T w ,

a self-concordant function whose minimiser scales with mu / beta. Damped Newton from the witness of each
pattern, all blocks at once, leaves an interior point that violates nothing but the link between outputs and v.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..features.cones import ConeRows
from ._second_order import dot

CENTRING_STEPS = 12
FARTHEST = 1.0  # longest step on trust, in sizes of the block


def centred_blocks(cones: ConeRows, witnesses: Array) -> Array:
    """Near-minimisers of phi, (m, d), strictly inside the cones if the witnesses are; one Gram a Newton step."""
    d = witnesses.shape[1]
    diagonal = np.arange(d)
    W = witnesses * (np.sqrt(cones.count) / np.linalg.norm(witnesses, axis=1))[:, None]
    for _ in range(CENTRING_STEPS):
        root = np.sqrt(0.25 + dot(W, W))
        t = 0.5 + root
        inverse = 1.0 / cones.forward(W)
        gradient = W / t[:, None] - cones.adjoint(inverse)
        M = cones.gram(inverse**2)
        M[:, diagonal, diagonal] += (1.0 / t)[:, None]
        M -= W[:, :, None] * W[:, None, :] / (t**2 * root)[:, None, None]
        M[:, diagonal, diagonal] += (1e-14 * np.trace(M, axis1=1, axis2=2))[:, None]  # thin cells
        dW = -np.linalg.solve(M, gradient[:, :, None])[:, :, 0]
        decrement = np.sqrt(np.maximum(0.0, -dot(gradient, dW)))
        rate = np.max(-cones.forward(dW) * inverse, axis=1)
        reach = 1.0 / np.maximum(rate, 1e-300)
        # Full steps once Newton converges; before, the guaranteed step or a good part of the way to the wall. Where no
        # wall is ahead, phi grows like the norm and bends too little for the model to tell how far its minimum is.
        bold = np.minimum(0.6 * reach, FARTHEST * t / np.maximum(np.linalg.norm(dW, axis=1), 1e-300))
        step = np.where(decrement < 0.25, 0.9 * reach, np.maximum(1.0 / (1.0 + decrement), bold))
        W = W + np.minimum(1.0, np.minimum(step, 0.9 * reach))[:, None] * dW
        if decrement.max() < 0.3:
            break
    return W
