"""The theorem's mapping from blocks of the convex program to neurons."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..networks.dense import TwoLayerNetwork


def network_of_blocks(
    W: Array, directions: Array, empty: TwoLayerNetwork, offset: Array | float = 0.0
) -> TwoLayerNetwork:
    r"""Neurons u_i = w_i / sqrt|w_i|, alpha_i = sqrt|w_i| g_i; zero blocks give none.

    The network is balanced, so its weight decay (|U|^2 + |A|^2) / 2 equals sum |w_i|.

    Parameters
    ----------
    W : array of shape (m, d)
    directions : array of shape (m, q)
        Unit rows g_i.
    empty : TwoLayerNetwork
        Whose kind of network to make.
    offset : float or array of shape (c,)
    """
    norms = np.sqrt(np.einsum("ij,ij->i", W, W))
    keep = norms > 0
    root = np.sqrt(norms[keep])[:, None]
    return empty.with_neurons((W[keep] / root).T, directions[keep] * root, offset)
