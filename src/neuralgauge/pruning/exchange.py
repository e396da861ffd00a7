r"""Caratheodory's theorem by exchanges: shares of the neurons move in the null space of their outputs to zero.

Unlike a solver for linear programs it keeps a feasible point, also for many neurons of nearly one direction; the vertex
at which it stops need not be the cheapest.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..features.rows import Features
from ..networks.dense import N

LEVEL = 1e-12  # steepest descent, relative to the costs, below which the penalty is the same in all directions
WORST = 1e6  # mean eigenvalue of the inverse Gram matrix from which on the atoms that are left are factorised anew
PROJECTIONS = 4  # most of one vector; each takes away the rounding of the one before, and two are usual


def exchange(network: N, features: Features) -> N:
    """Return a balanced network of at most n c of the neurons: the same outputs on the samples, no higher penalty.

    Both hold up to rounding. Shares t, at first 1, follow the steepest descent of the penalty in the null space of the
    atoms (X u_j)_+ alpha_j^T until one is zero, and stays there. A step costs O(m n c) for m neurons, and takes the
    memory of their atoms.
    """
    balanced = network.balance()
    columns = features.atoms(balanced.U, balanced.A)
    cost: Array = np.einsum("ij,ij->i", balanced.A, balanced.A)
    share = np.ones(balanced.n_neurons)
    live = np.arange(len(share))
    while len(live) > len(columns):
        null = _NullSpace(columns[:, live])
        share[live] = _descended(null, cost[live], share[live])
        live = live[null.left]
    root = np.sqrt(share[live])
    return balanced.with_neurons(balanced.U[:, live] * root, balanced.A[live] * root[:, None])


def _descended(null: _NullSpace, cost: Array, share: Array) -> Array:
    """Shares after exchanges, one neuron each, until the null space is empty or has to be computed anew."""
    while null.exact:
        move = -null.projected(cost)
        if np.linalg.norm(move) <= LEVEL * np.linalg.norm(cost[null.left]) or not np.any(move < 0):
            move = -null.projected(null.freest())
        falling = np.flatnonzero(move < 0)
        reach = share[falling] / -move[falling]
        gone = int(falling[np.argmin(reach)])
        share = np.maximum(share + reach.min() * move, 0.0)
        share[gone] = 0.0
        null.remove(gone)
    return share


class _NullSpace:
    """The null space of columns (r, m), some removed: vectors t (m,) that are zero there and have columns t = 0.

    With orthonormal Q (m, r) whose columns span the rows, and zero rows where columns went, the projection of t is
    t - Q (Q^T Q)^-1 Q^T t. The inverse is kept up to date by Sherman and Morrison's formula.
    """

    def __init__(self, columns: Array) -> None:
        self.Q = np.linalg.qr(columns.T)[0]
        self.inverse = np.eye(self.Q.shape[1])
        self.left = np.ones(len(self.Q), dtype=np.bool_)
        self.count = len(self.left)
        self.fewest = max(self.Q.shape[1], self.count // 2)  # with half of the rows zero, products take twice the time

    @property
    def exact(self) -> bool:
        """Whether there is a null space, zero rows are few, and rounding is small."""
        return self.count > self.fewest and bool(np.trace(self.inverse) <= WORST * len(self.inverse))

    def projected(self, t: Array) -> Array:
        """The part of t in the null space, to rounding relative to itself."""
        t = np.where(self.left, t, 0.0)
        for _ in range(PROJECTIONS):
            before = np.linalg.norm(t)
            t = t - self.Q @ (self.inverse @ (t @ self.Q))
            if np.linalg.norm(t) >= 0.5 * before:
                break
        return t

    def freest(self) -> Array:
        """The unit vector with the largest part in the null space."""
        bound = np.where(self.left, np.einsum("ij,ij->i", self.Q @ self.inverse, self.Q), np.inf)
        unit = np.zeros(len(bound))
        unit[np.argmin(bound)] = 1.0
        return unit

    def remove(self, column: int) -> None:
        """Leave this column out."""
        q = self.Q[column].copy()
        along = self.inverse @ q
        room = max(1.0 - float(q @ along), np.finfo(float).eps)  # 0 for a column that is no combination of the others
        self.inverse += np.outer(along, along / room)
        self.Q[column], self.left[column] = 0.0, False
        self.count -= 1
