"""The theorem's mapping between blocks of the convex program and neurons, both ways."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..networks import TwoLayerNetwork
from ..problem import TrainingProblem
from .block import BlockProgram


def network_of_blocks(W: Array, signs: Array, bias: bool) -> TwoLayerNetwork:
    r"""Neurons u_i = w_i / sqrt|w_i|, alpha_i = sigma_i sqrt|w_i|; zero blocks give none.

    The network is balanced, so its weight decay (|U|^2 + |alpha|^2) / 2 equals sum |w_i|.

    Parameters
    ----------
    W : array of shape (m, d)
    signs : array of shape (m,)
    bias : bool
        Whether the last column of W multiplies the constant one.
    """
    norms = np.sqrt(np.einsum("ij,ij->i", W, W))
    keep = norms > 0
    root = np.sqrt(norms[keep])
    return TwoLayerNetwork((W[keep] / root[:, None]).T, signs[keep] * root, bias)


def blocks_of_network(network: TwoLayerNetwork, problem: TrainingProblem) -> tuple[BlockProgram, Array]:
    r"""The program over the network's own patterns, and the blocks w_i = |alpha_i| u_i that are feasible in it.

    Their program objective equals beta times the balanced weight decay plus the loss of the network.
    """
    balanced = network.balance()
    alpha = balanced.A[:, 0]
    gates = np.ascontiguousarray((problem.X @ balanced.U >= 0).T)
    program = BlockProgram(problem, gates, np.where(alpha > 0, 1.0, -1.0))
    return program, np.ascontiguousarray((balanced.U * np.abs(alpha)).T)
