r"""Neurons with entries of given signs: the score over a ball cut by coordinate planes.

With signs s_k in {-1, 0, +1}, 0 for entries that are free, the best neuron of the cut ball is that of the whole ball
for more rows, for every penalty :math:`M_k \ge \sum_i |v_i| |x_{ik}|`,

.. math:: \max_{\|u\| \le 1,\, s_k u_k \ge 0} v^T (Xu)_+ = \max_{\|u\| \le 1} v^T (Xu)_+ - \sum_k M_k (-s_k u_k)_+ ,

for setting entries of the wrong sign to zero shortens u and changes :math:`v^T (Xu)_+` by at most
:math:`\sum_k M_k |u_k|` over these. The rows added, walls, are kinks of negative weight, which no search has to divide.
"""

from __future__ import annotations

import numpy as np

from .._array import Array

ABOVE = 1.01  # times the least penalty, which a sum of n terms knows up to its rounding


def reflected(U: Array, orthant: Array | None) -> Array:
    """Vectors U (d, k) with entries of the wrong sign reversed: uniform ones stay uniform, in the orthant."""
    return U if orthant is None else np.where(orthant[:, None] * U < 0.0, -U, U)


def clipped(U: Array, orthant: Array | None) -> Array:
    """Vectors U (d, k) with entries of the wrong sign set to zero: the nearest ones of the orthant."""
    return U if orthant is None else np.where(orthant[:, None] * U < 0.0, 0.0, U)


def with_walls(v: Array, X: Array, orthant: Array) -> tuple[Array, Array]:
    """Dual point (n + p,) and rows (n + p, d) whose score over the ball has the same maximum as that over the orthant.

    A wall for each of the p entries that are not free, as long as the column of X is.
    """
    columns = np.flatnonzero(orthant)
    size = np.linalg.norm(X[:, columns], axis=0)
    size[size == 0.0] = 1.0
    walls = np.zeros((len(columns), X.shape[1]))
    walls[np.arange(len(columns)), columns] = -orthant[columns] * size
    penalty = ABOVE * (np.abs(v) @ np.abs(X[:, columns])) / size
    return np.concatenate([v, -penalty]), np.vstack([X, walls])
