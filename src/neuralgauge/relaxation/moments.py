r"""Second moments of neurons, and the products of them that are >= 0 for every network.

A neuron with :math:`|u| = a`, rows :math:`X u / \text{scale} = p - q` split into their positive parts, is the vector
:math:`z = (m, c, a)` with :math:`p = (m + Q c) / \sqrt 2`, :math:`q = (m - Q c) / \sqrt 2` and
:math:`u = \sqrt 2 R\, (c / s)`, X / scale = Q diag(s) R^T. A network has the moments :math:`Z = \sum z z^T` for each
sign of output weights; in these coordinates the map from Z to E[p p^T], E[p q^T], E[q p^T], E[q q^T] is an isometry.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from .multipliers import power_of_two

LEAST_SINGULAR_VALUE = 1e-9  # relative; directions below are left to the rounding of the proof
CONE_WEIGHT = 0.03  # of the cones beside the products; 0.01 to 0.1 are alike on 60 to 200 rows, 1 takes thrice as long
OUTPUT_WEIGHT = 0.2  # of the outputs beside the products; 0.1 to 0.5 are alike
MOST_SHARED = 0.98  # of |u|^2, at most, that the rows take
SHARE_STEPS, SPREAD = 200, 0.3  # of the shares; how much they are spread over the rows
METRIC_MARGIN = 1.05  # of the metric above what products and cones need, for the balance


class Lift:
    """The coordinates of moments, for given rows, and the weights of their products.

    Attributes
    ----------
    scale : float
        Power of two of about the spectral norm of X.
    metric : array of shape (n + r + 1,)
        D with |products of Z|^2 <= |D^(1/2) Z D^(1/2)|^2 for every Z.
    cost : array of shape (n + r + 1,)
        Diagonal of the matrix whose product with Z is E[|u|^2] + E[a^2].
    """

    def __init__(self, X: Array) -> None:
        self.scale = power_of_two(X)
        Q, s, Rt = np.linalg.svd(X / self.scale, full_matrices=False)
        r = int(np.sum(s > LEAST_SINGULAR_VALUE * max(s[0], 1e-300)))
        self.Q, self.s, self.R = np.ascontiguousarray(Q[:, :r]), s[:r], Rt[:r].T
        self.n, self.r, self.order = len(X), r, len(X) + r + 1
        self.length = np.sqrt(2.0) / self.s  # u = R (length * c)
        self.shares = row_shares(Q[:, :r] * self.s)
        A = np.eye(r) - (self.s[:, None] * self.Q.T * self.shares) @ (self.Q * self.s)
        self.rest = np.linalg.cholesky(A).T if r else A  # |u|^2 = |rest u|^2 + sum of shares (x_i^T u / scale)^2
        along = METRIC_MARGIN * (1.0 + 0.5 * CONE_WEIGHT * self.length**2)
        last = 0.5 * (CONE_WEIGHT + OUTPUT_WEIGHT)
        self.metric = np.concatenate([1.0 + CONE_WEIGHT * self.shares, along, [last]])
        self.cost = np.concatenate([np.zeros(self.n), self.length**2, [1.0]])
        # METRIC_MARGIN^2 - 1 of the metric's square is left over for the balance.
        self.balance_weight = 1.0 / (
            np.sum(self.length**4 / along**2) * METRIC_MARGIN**2 / (METRIC_MARGIN**2 - 1.0) + last**-2
        )

    def moments(self, network: TwoLayerNetwork, sign: float) -> Array:
        """A root of the moments of a network's neurons with output weights of this sign, a column a neuron."""
        alpha = network.A[:, 0]
        size = np.sqrt(np.linalg.norm(network.U, axis=0) * np.abs(alpha))
        some = (sign * alpha > 0) & (size > 0)
        U = network.U[:, some] * (size[some] / np.linalg.norm(network.U[:, some], axis=0))
        c = (self.s[:, None] * (self.R.T @ U)) / np.sqrt(2.0)
        return np.concatenate([np.abs(self.Q @ c), c, size[None, some]])


def row_shares(X: Array) -> Array:
    r"""Weights w >= 0 of the rows with :math:`X^T \text{diag}(w) X \preceq` `MOST_SHARED` I, and not far from it.

    Multiplicative steps on the squared distance plus a multiple of |w|^2, which spreads the weights.
    """
    n, r = X.shape
    if r == 0:
        return np.zeros(n)
    size = np.sum(X**2, axis=1)
    ridge = SPREAD * float(np.sum(size)) ** 2 / (n * r)
    w = np.full(n, r / float(np.sum(size)))
    for _ in range(SHARE_STEPS):
        w *= size / (np.sum((X @ (X.T @ (w[:, None] * X))) * X, axis=1) + ridge * w + 1e-300)
    return np.asarray(w * (MOST_SHARED / np.linalg.norm(X.T @ (w[:, None] * X), 2)))
