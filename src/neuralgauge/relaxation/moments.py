r"""Second moments of neurons, and the products of them that are >= 0 for every network.

A neuron with :math:`|u| = a`, rows :math:`X u / \text{scale} = p - q` split into their positive parts, and gates,
on = a where the row is > 0 and else 0, off = a - on, is the vector :math:`z = (e, m, c, a)` with

.. math:: (\text{on}, \text{off}) = \frac{a \pm e / \text{gate}}{2}, \quad (p, q) = \frac{m \pm Q c}{\sqrt 2}, \quad
          u = \sqrt 2 R\, (c / s)

and X / scale = Q diag(s) R^T. A network has the moments :math:`Z = \sum z z^T` for each sign of output weights. In the
coordinates e, m, c and sqrt(n) gate a the map from Z to all products of sqrt(2) gate (on, off), p, q is an isometry.
Several output weights, :math:`|\alpha| = a`, are not split: :math:`z = (e, m, c, \alpha, a)` for all neurons.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from .multipliers import power_of_two

LEAST_SINGULAR_VALUE = 1e-9  # relative; directions below are left to the rounding of the proof
OUTPUT_WEIGHT = 0.2  # of the outputs beside the products; 0.1 to 0.5 are alike
ALPHA_WEIGHT = 0.05  # of the cones in alpha beside the products; 0.02 to 0.2 are alike on Iris
GATE_WEIGHT = 0.3  # of the gates beside the rows, times sqrt(n); 0.1 and 1 take twice the iterations
SHORT = 0.015  # of |u|^2 in the metric, which the balance is held against: short directions of the rows have long u
METRIC_MARGIN = 1.05  # of the metric above what products and outputs need, for the balance


class Lift:
    """The coordinates of moments, for given rows and q output weights, 0 where |alpha| is all there is of them.

    Attributes
    ----------
    scale : float
        Power of two of about the spectral norm of X.
    gate : float
        Weight of the gates.
    metric : array of shape (2 n + r + q + 1,)
        D with |products of Z|^2 <= |D^(1/2) Z D^(1/2)|^2 for every Z. It is 1 for e and m.
    cost : array of shape (2 n + r + q + 1,)
        Diagonal of the matrix whose product with Z is E[|u|^2] + E[|alpha|^2].
    balance_weight : array of shape (1,) or (2,)
        Of E[|u|^2] = E[a^2], and of E[|alpha|^2] = E[a^2].
    """

    def __init__(self, X: Array, q: int = 0) -> None:
        self.scale = power_of_two(X)
        Q, s, Rt = np.linalg.svd(X / self.scale, full_matrices=False)
        r = int(np.sum(s > LEAST_SINGULAR_VALUE * max(s[0], 1e-300)))
        self.Q, self.s, self.R = np.ascontiguousarray(Q[:, :r]), s[:r], Rt[:r].T
        self.n, self.r, self.q, self.order = len(X), r, q, 2 * len(X) + r + q + 1
        self.gate = GATE_WEIGHT / np.sqrt(self.n)
        self.length = np.sqrt(2.0) / self.s  # u = R (length * c)
        along, last = 1.0 + SHORT * self.length**2, GATE_WEIGHT**2 + 0.5 * (ALPHA_WEIGHT if q else OUTPUT_WEIGHT)
        needed = np.concatenate([along, np.full(q, 0.5 * (ALPHA_WEIGHT + OUTPUT_WEIGHT)), [last]])
        self.metric = np.concatenate([np.ones(2 * self.n), METRIC_MARGIN * needed])
        self.cost = np.concatenate([np.zeros(2 * self.n), self.length**2, np.ones(q), [0.0 if q else 1.0]])
        # What is left of the metric's square is for the balance; that of a is shared.
        left = (METRIC_MARGIN * needed) ** 2 - np.concatenate([np.ones(r), np.zeros(q), [last**2]])
        of_u, of_alpha = float(np.sum(self.length**4 / left[:r])), float(np.sum(1.0 / left[r:-1]))
        self.balance_weight = 1.0 / (np.array([of_u, of_alpha] if q else [of_u]) + (2.0 if q else 1.0) / left[-1])

    def moments(self, network: TwoLayerNetwork, sign: float) -> Array:
        """A root of the moments of a network's neurons, a column a neuron; of this sign alone if q = 0."""
        length = np.linalg.norm(network.A, axis=1)
        size = np.sqrt(np.linalg.norm(network.U, axis=0) * length)
        some = (size > 0) if self.q else (size > 0) & (sign * network.A[:, 0] > 0)
        size, alpha = size[some], (network.A.T * (size / np.where(size > 0, length, 1.0)))[: self.q, some]
        U = network.U[:, some] * (size / np.linalg.norm(network.U[:, some], axis=0))
        c = (self.s[:, None] * (self.R.T @ U)) / np.sqrt(2.0)
        e = self.gate * np.where(self.Q @ c > 0.0, size, -size)
        return np.concatenate([e, np.abs(self.Q @ c), c, alpha, size[None]])
