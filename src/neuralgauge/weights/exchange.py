r"""Caratheodory by hand: shares of the neurons move in the null space of their outputs until neurons vanish.

Unlike a solver for linear programs it starts from the feasible point at hand and cannot lose it, however many neurons
of nearly one direction there are; unlike one it stops at a vertex that need not be the cheapest.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..readouts import Readout
from .protocol import N, atoms


def exchange(network: N, X: Array, readout: Readout | None = None) -> N:
    """The same outputs on the samples, at no higher penalty, from at most n c of the neurons.

    Parameters
    ----------
    network : Network
    X : array of shape (n, d)
    readout : Readout, optional
        Of the rows of X; dense by default.

    Returns
    -------
    Network
        Balanced; outputs and penalty up to rounding.

    Notes
    -----
    Shares t, at first 1, follow the steepest descent of the penalty in the null space of the atoms
    (X u_j)_+ alpha_j^T until one is zero; a reflection of the null space's basis then keeps it there. Cost O(m^2 k) for
    m neurons, k of them to go, and the memory of an (m, m) matrix.
    """
    balanced = network.balance()
    columns = atoms(balanced, X, readout)
    if columns.shape[1] <= len(columns):
        return balanced
    cost: Array = np.einsum("ij,ij->i", balanced.A, balanced.A)
    null = np.linalg.qr(columns.T, mode="complete")[0][:, len(columns) :]
    share = np.ones(balanced.n_neurons)
    while null.shape[1]:
        move = null @ (null.T @ -cost)
        if not np.any(move < 0):  # the penalty is the same in all directions
            largest = null[np.argmax(np.abs(null[:, 0])), 0]
            move = -np.sign(largest) * null[:, 0]
        falling = np.flatnonzero(move < 0)
        reach = share[falling] / -move[falling]
        gone = falling[np.argmin(reach)]
        share = np.maximum(share + reach.min() * move, 0.0)
        mirror = null[gone].copy()
        mirror[0] += np.copysign(np.linalg.norm(mirror), mirror[0])
        null = (null - np.outer(null @ mirror, 2.0 / (mirror @ mirror) * mirror))[:, 1:]
        share[gone], null[gone] = 0.0, 0.0
    keep = share > 0
    root = np.sqrt(share[keep])
    return balanced.with_neurons(balanced.U[:, keep] * root, balanced.A[keep] * root[:, None])
