"""One sign of output weights in the splitting: its moments and its products."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ._products import move_cones, move_pairs
from .moments import CONE_WEIGHT, OUTPUT_WEIGHT, Lift
from .multipliers import Multipliers, Shares
from .positive_part import PositivePart

OVER_RELAXATION = 1.8


class Half:
    """Moments of the neurons of one sign, their products, and what the cones of these have answered.

    Attributes
    ----------
    root : array of shape (n + r + 1, rank)
        Of the moments, times the root of the metric.
    output : array of shape (n,)
        What the outputs, E[a p] times the root of their weight, are asked to be near to.
    reflection : array of shape (n,)
        Of the outputs: kept + scaled multiplier. The loss, which both halves share, sets it after each step.
    """

    def __init__(self, lift: Lift, cost: Array, start: Array) -> None:
        n, r, k = lift.n, lift.r, lift.order
        self.lift, self.cost = lift, cost
        self._positive, self._metric = PositivePart(), np.sqrt(lift.metric)
        self._images, self._aims = np.empty((4, n, n)), np.zeros((4, n, n))
        self._cones, self._cone_aims, self._reflected = (
            np.empty((2, n, r + 1)),
            np.zeros((2, n, r + 1)),
            np.zeros((2, n, 2)),
        )
        self._row_aims, self._rows = np.zeros((2, n, n)), np.empty((2, n, n))
        self._matrix, self._odd, self._turn = np.empty((k, k)), np.empty((n, n)), np.empty((n, n))
        self._shares = np.sqrt(CONE_WEIGHT * lift.shares)
        self.output, self.reflection, self._balance = np.zeros(n), np.zeros(n), 0.0
        self.root = start * self._metric[:, None]
        self._move(1.0)
        self.reflection, self._balance = self.output.copy(), 0.0

    def step(self) -> None:
        """The semidefinite step, and the products after it."""
        self._fill()
        self.root = self._positive.root(self._matrix)
        self._move(OVER_RELAXATION)

    def _move(self, relaxation: float) -> None:
        """The products of the moments, and where they send the aims."""
        lift, n = self.lift, self.lift.n
        self._z = z = self.root / self._metric[:, None]
        m, c, a = z[:n], z[n:-1], z[-1]
        Q_c = lift.Q @ c
        pq = np.concatenate([m + Q_c, m - Q_c]) / np.sqrt(2.0)
        p, q = pq[:n], pq[n:]
        for image, one, other in zip(self._images, (p, p, q, q), (p, q, p, q), strict=True):
            np.matmul(one, other.T, out=image)
        tail = np.concatenate([a[None], lift.rest @ (lift.length[:, None] * c)])
        np.matmul(pq, np.sqrt(CONE_WEIGHT) * tail.T, out=self._cones.reshape(2 * n, -1))
        self._output_image = np.sqrt(OUTPUT_WEIGHT) * (p @ a)
        self._balance_image = np.sqrt(lift.balance_weight) * float(lift.length**2 @ np.sum(c**2, axis=1) - a @ a)
        cones = self._cones, self._shares, self._cone_aims, self._row_aims, self._reflected
        move_cones(self._images, *cones, relaxation, self._rows)
        near = self._matrix, self._odd, self._turn
        move_pairs(self._images, self._aims, relaxation, self._rows, self._metric, *near)
        self.output += relaxation * (self._output_image - 0.5 * (self.output + self.reflection))
        self._balance += relaxation * self._balance_image  # |u|^2 = a^2: nothing is kept

    def _fill(self) -> None:
        """The matrix whose positive part is the next moments: these less the adjoint of image - kept - scaled and cost.

        In the root of the metric; `move_pairs` has written the block of m.
        """
        lift, n, Q, M = self.lift, self.lift.n, self.lift.Q, self._matrix
        m, c = self._z[:n], self._z[n:-1]
        heads = np.sqrt(CONE_WEIGHT) * self._cones[..., 0]
        heads[0] += np.sqrt(OUTPUT_WEIGHT) * (self._output_image - self.reflection)
        tails = np.sqrt(0.5 * CONE_WEIGHT) * (self._cones[..., 1:] @ (lift.rest * lift.length))
        across = Q.T @ (tails[0] - tails[1])
        balance = np.sqrt(lift.balance_weight) * (self._balance_image + self._balance)
        K = np.empty((lift.order, lift.r + 1))  # the last columns of the adjoint
        K[:n, :-1] = m @ c.T - self._odd @ Q + 0.5 * (tails[0] + tails[1])
        K[n:-1, :-1] = c @ c.T - Q.T @ (self._turn @ Q) + 0.5 * (across + across.T) + balance * np.diag(lift.length**2)
        K[:n, -1], K[n:-1, -1] = (heads[0] + heads[1]) / np.sqrt(8.0), Q.T @ (heads[0] - heads[1]) / np.sqrt(8.0)
        K[-1, :-1], K[-1, -1] = K[n:-1, -1], -balance
        K[n:] += np.diag(self.cost[n:])
        M[:, n:] = self.root @ self.root[n:].T - K / np.outer(self._metric, self._metric[n:])
        M[n:, :n] = M[:n, n:].T

    def multipliers(self, penalty: float) -> Multipliers:
        """Multipliers of the products in the coordinates of the rows: the scaled ones times the penalty."""
        lift = self.lift
        pp, pq, qp, qq = (penalty * np.triu(np.maximum(-aims, 0.0)) for aims in self._aims)
        pairs = [one + np.triu(other, 1).T for one, other in ((pp, pp), (pq, qp), (qq, qq))]
        np.fill_diagonal(pairs[1], -penalty * np.diag(self._aims[1]))
        turned, half = 1.0 - self._reflected[..., :1], 0.25 * penalty
        heads = half * np.sqrt(CONE_WEIGHT) * (self._reflected[..., 1:] - self._cone_aims[..., :1])
        g = half * np.sqrt(CONE_WEIGHT) * (turned * self._cone_aims[..., 1:]) @ (lift.rest @ lift.R.T)
        k = half * self._shares * (turned * self._row_aims)
        cones = np.concatenate([heads, g], axis=2)
        balance = -penalty * np.sqrt(lift.balance_weight) * self._balance
        shares = Shares(lift.shares, k[0], k[1])
        return Multipliers(lift.scale, pairs[0], pairs[1], pairs[2], cones[0], cones[1], float(balance), shares)
