"""One sign of output weights in the splitting: its moments and its products."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ._products import TILE, VANISHING, move_products
from .moments import OUTPUT_WEIGHT, Lift
from .multipliers import Multipliers
from .positive_part import PositivePart

OVER_RELAXATION = 1.8


class Half:
    """Moments of the neurons of one sign, their products, and what their signs have answered.

    Attributes
    ----------
    root : array of shape (2 n + r + 1, rank)
        Of the moments, times the root of the metric.
    output : array of shape (n,)
        What the outputs, E[a p] times the root of their weight, are asked to be near to.
    reflection : array of shape (n,)
        Of the outputs: kept + scaled multiplier. The loss, which both halves share, sets it after each step.
    """

    def __init__(self, lift: Lift, cost: Array, start: Array) -> None:
        n, side = lift.n, max(3 * lift.n, lift.order)
        self.lift, self.cost = lift, cost
        self._positive, self._metric = PositivePart(), np.sqrt(lift.metric)
        self._aims, self._work, self._sums = np.zeros((4, 4, n, n)), np.empty((side, side)), np.empty((4, n))
        self.output, self.reflection, self._balance = np.zeros(n), np.zeros(n), 0.0
        self.root = start * self._metric[:, None]
        self._move(1.0)
        self.reflection, self._balance = self.output.copy(), 0.0

    def step(self) -> None:
        """The semidefinite step, and the products after it."""
        self.root = self._positive.root(self._filled())
        self._move(OVER_RELAXATION)

    def _move(self, relaxation: float) -> None:
        """The products of the moments, and where they send the aims."""
        lift, n = self.lift, self.lift.n
        self._z = z = self.root / self._metric[:, None]
        e, m, c, a = z[:n], z[n : 2 * n], z[2 * n : -1], z[-1]
        Q_c, gate = lift.Q @ c, lift.gate * a
        products = np.stack([gate + e, gate - e, m + Q_c, m - Q_c]) / np.sqrt(2.0)
        tiles = -(-n // TILE)
        factors = np.zeros((4, tiles * TILE, len(a)))
        factors[:, :n] = products
        factors = factors.reshape(4, tiles, TILE, -1).transpose(1, 0, 2, 3).reshape(tiles, 4 * TILE, -1)
        move_products(np.ascontiguousarray(factors), self._aims, relaxation, self._work, self._sums)
        self._output_image = np.sqrt(OUTPUT_WEIGHT) * (products[2] @ a)
        self._balance_image = np.sqrt(lift.balance_weight) * float(lift.length**2 @ np.sum(c**2, axis=1) - a @ a)
        self.output += relaxation * (self._output_image - 0.5 * (self.output + self.reflection))
        self._balance += relaxation * self._balance_image  # |u|^2 = a^2: nothing is kept

    def _filled(self) -> Array:
        """The matrix whose positive part is the next moments: these less the adjoint of image - kept - scaled and cost.

        In the root of the metric. Images are isometric to moments, which cancel for e and m.
        """
        lift, n, Q = self.lift, self.lift.n, self.lift.Q
        weight = np.concatenate([np.ones(lift.order - 1), [lift.gate * np.sqrt(n)]])
        z = self._z * weight[:, None]
        K = (z @ z[2 * n :].T) * weight[2 * n :]  # the last columns of the adjoint
        across = self._work[: 3 * n, 2 * n : 3 * n] @ Q
        K[: 2 * n, :-1] -= across[: 2 * n]
        K[2 * n : -1, :-1] -= Q.T @ across[2 * n :]
        outputs = np.sqrt(OUTPUT_WEIGHT / 8.0) * (self._output_image - self.reflection)
        sums = lift.gate * self._sums
        K[: 2 * n, -1] -= np.concatenate([sums[0], sums[1] - outputs])
        K[2 * n : -1, -1] -= Q.T @ (sums[2] - outputs)
        K[-1, -1] = weight[-1] * K[-1, -1] - lift.gate * np.sum(sums[3])
        K[-1, :-1] = K[2 * n : -1, -1]
        balance = np.sqrt(lift.balance_weight) * (self._balance_image + self._balance)
        K[2 * n :] += np.diag(self.cost[2 * n :] + balance * np.concatenate([lift.length**2, [-1.0]]))
        M = self._work[: lift.order, : lift.order]
        M[:, 2 * n :] = self.root @ self.root[2 * n :].T - K / np.outer(self._metric, self._metric[2 * n :])
        M[2 * n :, : 2 * n] = M[: 2 * n, 2 * n :].T
        return M

    def multipliers(self, penalty: float) -> Multipliers:
        """Multipliers of the products in the coordinates of the rows: the scaled ones times the penalty."""
        lift, n = self.lift, self.lift.n
        scaled = penalty * np.maximum(-self._aims, 0.0)
        i = np.arange(n)
        for k, other in VANISHING:
            scaled[k, other, i, i] = -penalty * self._aims[k, other, i, i]
        above = np.triu(np.ones((n, n)))
        W = scaled * above + (scaled * np.triu(above, 1)).transpose(1, 0, 3, 2)
        W[:2] *= np.sqrt(2.0) * lift.gate
        W[:, :2] *= np.sqrt(2.0) * lift.gate
        balance = -penalty * np.sqrt(lift.balance_weight) * self._balance
        return Multipliers(lift.scale, W.transpose(0, 2, 1, 3).reshape(4 * n, 4 * n), float(balance))
