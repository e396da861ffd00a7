r"""Second moments of neurons, and the products of them that are >= 0 for every network.

A neuron with :math:`|u| = a`, rows :math:`X u / \text{scale} = p - q` split into their positive parts, is the vector
:math:`z = (m, c, a)` with :math:`p = (m + Q c) / \sqrt 2`, :math:`q = (m - Q c) / \sqrt 2` and
:math:`u = \sqrt 2 R\, (c / s)`, X / scale = Q diag(s) R^T. A network has the moments :math:`Z = \sum z z^T` for each
sign of output weights; in these coordinates the map from Z to E[p p^T], E[p q^T], E[q p^T], E[q q^T] is an isometry.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from .multipliers import Multipliers, power_of_two

LEAST_SINGULAR_VALUE = 1e-9  # relative; directions below are left to the rounding of the proof
CONE_WEIGHT = 0.03  # of the cones beside the products; 0.01 to 0.1 are alike on 60 to 200 rows, 1 takes thrice as long
OUTPUT_WEIGHT = 0.2  # of the outputs beside the products; 0.1 to 0.5 are alike
METRIC_MARGIN = 1.05  # of the metric above what products and cones need, for the balance


@dataclass
class Products:
    """Products of one sign, scaled by the roots of their weights; or multipliers of them.

    Attributes
    ----------
    pp, pq, qq : array of shape (n, n)
        E[p p^T], E[p q^T], E[q q^T].
    p, q : array of shape (n, r + 1)
        Cones (E[a p_i], E[p_i u]), u in the coordinates of its r singular vectors.
    output : array of shape (n,)
        E[a p]: outputs of the sign, divided by `scale`.
    balance : float
        E[|u|^2] - E[a^2].
    """

    pp: Array
    pq: Array
    qq: Array
    p: Array
    q: Array
    output: Array
    balance: float

    def combined(self, own: float, other: Products, factor: float) -> Products:
        """own * self + factor * other."""
        return Products(*(own * getattr(self, one.name) + factor * getattr(other, one.name) for one in fields(self)))


class Lift:
    """The map from moments to products, and its adjoint, for given rows.

    Attributes
    ----------
    scale : float
        Power of two of about the spectral norm of X.
    metric : array of shape (n + r + 1,)
        D with |products(Z)|^2 <= |D^(1/2) Z D^(1/2)|^2 for every Z.
    cost : array of shape (n + r + 1,)
        Diagonal of the matrix whose product with Z is E[|u|^2] + E[a^2].
    """

    def __init__(self, X: Array) -> None:
        self.scale = power_of_two(X)
        Q, s, Rt = np.linalg.svd(X / self.scale, full_matrices=False)
        r = int(np.sum(s > LEAST_SINGULAR_VALUE * max(s[0], 1e-300)))
        self.Q, self.s, self.R = Q[:, :r], s[:r], Rt[:r].T
        self.n, self.r, self.order = len(X), r, len(X) + r + 1
        self.length = np.sqrt(2.0) / self.s  # u = R (length * c)
        along = METRIC_MARGIN * (1.0 + 0.5 * CONE_WEIGHT * self.length**2)
        last = 0.5 * (CONE_WEIGHT + OUTPUT_WEIGHT)
        self.metric = np.concatenate([np.ones(self.n), along, [last]])
        self.cost = np.concatenate([np.zeros(self.n), self.length**2, [1.0]])
        # METRIC_MARGIN^2 - 1 of the metric's square is left over for the balance.
        self.balance_weight = 1.0 / (
            np.sum(self.length**4 / along**2) * METRIC_MARGIN**2 / (METRIC_MARGIN**2 - 1.0) + last**-2
        )

    def products(self, Z: Array) -> Products:
        """The weighted products of moments Z."""
        n, Q = self.n, self.Q
        mm, mc, cc, ma, ca = Z[:n, :n], Z[:n, n:-1], Z[n:-1, n:-1], Z[:n, -1], Q @ Z[n:-1, -1]
        Q_cc = Q @ cc
        C, D = mc @ Q.T, Q_cc @ Q.T
        even, odd = mm + D, C + C.T
        pa, qa = (ma + ca) / np.sqrt(2.0), (ma - ca) / np.sqrt(2.0)
        tail, weight = self.length / np.sqrt(2.0), np.sqrt(CONE_WEIGHT)
        return Products(
            pp=0.5 * (even + odd),
            pq=0.5 * (mm - D + C.T - C),
            qq=0.5 * (even - odd),
            p=weight * np.column_stack([pa, (mc + Q_cc) * tail]),
            q=weight * np.column_stack([qa, (mc - Q_cc) * tail]),
            output=np.sqrt(OUTPUT_WEIGHT) * pa,
            balance=float(np.sqrt(self.balance_weight) * (self.length**2 @ np.diag(cc) - Z[-1, -1])),
        )

    def adjoint(self, W: Products) -> Array:
        """The symmetric K with <K, Z> = <W, products(Z)> for every Z, `pq` counted twice."""
        n, Q, K = self.n, self.Q, np.zeros((self.order, self.order))
        both = W.pq + W.pq.T
        even, tail = W.pp + W.qq, np.sqrt(0.5 * CONE_WEIGHT) * self.length
        Gp, Gq = W.p[:, 1:] * tail, W.q[:, 1:] * tail
        K[:n, :n] = 0.5 * (even + both)
        K[:n, n:-1] = 0.5 * ((W.pp - W.qq + W.pq.T - W.pq) @ Q + Gp + Gq)
        tails, balance = Q.T @ (Gp - Gq), float(np.sqrt(self.balance_weight) * W.balance)
        K[n:-1, n:-1] = 0.5 * (Q.T @ ((even - both) @ Q) + tails + tails.T) + balance * np.diag(self.length**2)
        hp = np.sqrt(CONE_WEIGHT) * W.p[:, 0] + np.sqrt(OUTPUT_WEIGHT) * W.output
        hq = np.sqrt(CONE_WEIGHT) * W.q[:, 0]
        K[:n, -1], K[n:-1, -1], K[-1, -1] = (hp + hq) / np.sqrt(8.0), Q.T @ (hp - hq) / np.sqrt(8.0), -balance
        K[n:-1, :n], K[-1, :-1] = K[:n, n:-1].T, K[:-1, -1]
        return K

    def multipliers(self, W: Products) -> Multipliers:
        """Multipliers of weighted products in the coordinates of the rows."""
        weight, balance = 0.5 * np.sqrt(CONE_WEIGHT), float(np.sqrt(self.balance_weight) * W.balance)
        p, q = (weight * np.column_stack([one[:, 0], -one[:, 1:] @ self.R.T]) for one in (W.p, W.q))
        return Multipliers(self.scale, W.pp, W.pq, W.qq, p, q, balance)

    def moments(self, network: TwoLayerNetwork, sign: float) -> Array:
        """The moments of a network's neurons with output weights of this sign."""
        alpha = network.A[:, 0]
        size = np.sqrt(np.linalg.norm(network.U, axis=0) * np.abs(alpha))
        some = (sign * alpha > 0) & (size > 0)
        U = network.U[:, some] * (size[some] / np.linalg.norm(network.U[:, some], axis=0))
        c = (self.s[:, None] * (self.R.T @ U)) / np.sqrt(2.0)
        z = np.concatenate([np.abs(self.Q @ c), c, size[None, some]])
        return z @ z.T
