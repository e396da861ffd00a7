"""The neurons of one sign of output weights, or of all output weights, in the splitting: moments and products."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ._products import TILE, VANISHING, move_products
from .joint_multipliers import JointMultipliers
from .moments import ALPHA_WEIGHT, OUTPUT_WEIGHT, Lift
from .multipliers import Multipliers
from .output_cones import OutputCones
from .positive_part import PositivePart

OVER_RELAXATION = 1.8


class Half:
    """Moments of the neurons of one sign, or of all, their products, and what the signs of these have answered.

    Attributes
    ----------
    root : array of shape (2 n + r + q + 1, rank)
        Of the moments, times the root of the metric.
    output : array of shape (n, 1) or (n, q)
        What the outputs, E[a p] or E[p alpha^T] times the root of their weight, are asked to be near to.
    reflection : array of shape (n, 1) or (n, q)
        Of the outputs: kept + scaled multiplier. The loss, which both signs share, sets it after each step.
    """

    def __init__(self, lift: Lift, cost: Array, start: Array) -> None:
        n, side = lift.n, max(3 * lift.n, lift.order)
        self.lift, self.cost = lift, cost
        self._positive, self._metric = PositivePart(), np.sqrt(lift.metric)
        self._aims, self._work, self._sums = np.zeros((4, 4, n, n)), np.empty((side, side)), np.empty((4, n))
        self._alpha = OutputCones(n, lift.q)
        self.output, self.reflection = np.zeros((n, max(lift.q, 1))), np.zeros((n, max(lift.q, 1)))
        self._balance = np.zeros(len(lift.balance_weight))
        self.root = start * self._metric[:, None]
        self._move(1.0)
        self.reflection, self._balance = self.output.copy(), np.zeros(len(lift.balance_weight))

    def step(self) -> None:
        """The semidefinite step, and the products after it."""
        self.root = self._positive.root(self._filled())
        self._move(OVER_RELAXATION)

    def _move(self, relaxation: float) -> None:
        """The products of the moments, and where they send the aims."""
        lift, n = self.lift, self.lift.n
        self._z = z = self.root / self._metric[:, None]
        e, m, c, alpha, a = z[:n], z[n : 2 * n], z[2 * n : 2 * n + lift.r], z[2 * n + lift.r : -1], z[-1]
        Q_c, gate = lift.Q @ c, lift.gate * a
        products = np.stack([gate + e, gate - e, m + Q_c, m - Q_c]) / np.sqrt(2.0)
        tiles = -(-n // TILE)
        factors = np.zeros((4, tiles * TILE, len(a)))
        factors[:, :n] = products
        factors = factors.reshape(4, tiles, TILE, -1).transpose(1, 0, 2, 3).reshape(tiles, 4 * TILE, -1)
        move_products(np.ascontiguousarray(factors), self._aims, relaxation, self._work, self._sums)
        self._output_image = np.sqrt(OUTPUT_WEIGHT) * (products[2] @ (alpha if lift.q else a[None]).T)
        sizes = np.array([lift.length**2 @ np.sum(c**2, axis=1), np.sum(alpha**2)])[: len(self._balance)]
        self._balance_image = np.sqrt(lift.balance_weight) * (sizes - a @ a)
        if lift.q:
            self._alpha.move(np.sqrt(ALPHA_WEIGHT) * (products @ np.concatenate([a[None], alpha]).T), relaxation)
        self.output += relaxation * (self._output_image - 0.5 * (self.output + self.reflection))
        self._balance += relaxation * self._balance_image  # |u|^2 = |alpha|^2 = a^2: nothing is kept

    def _filled(self) -> Array:
        """The matrix whose positive part is the next moments: these less the adjoint of image - kept - scaled and cost.

        In the root of the metric. Images are isometric to moments, which cancel for e and m.
        """
        lift, n, r, Q = self.lift, self.lift.n, self.lift.r, self.lift.Q
        weight = np.concatenate([np.ones(2 * n + r), np.zeros(lift.q), [lift.gate * np.sqrt(n)]])
        z = self._z * weight[:, None]
        K = (z @ z[2 * n :].T) * weight[2 * n :]  # the last columns of the adjoint
        c = slice(2 * n, 2 * n + r)
        across = self._work[: 3 * n, 2 * n : 3 * n] @ Q
        K[: 2 * n, :r] -= across[: 2 * n]
        K[c, :r] -= Q.T @ across[2 * n :]
        sums = lift.gate * self._sums
        K[: 2 * n, -1] -= np.concatenate([sums[0], sums[1]])
        K[c, -1] -= Q.T @ sums[2]
        K[-1, -1] = weight[-1] * K[-1, -1] - lift.gate * np.sum(sums[3])
        ends = np.sqrt(ALPHA_WEIGHT) * np.roll(self._alpha.away, -1, axis=2)  # of alpha, then of a
        ends[2, :, : self.output.shape[1]] += np.sqrt(OUTPUT_WEIGHT) * (self._output_image - self.reflection)
        on, off, p, q = ends / np.sqrt(8.0)
        K[: 2 * n, r:] += np.concatenate([on - off, p + q])
        K[c, r:] += Q.T @ (p - q)
        K[-1, r:] += lift.gate * np.sum(on + off, axis=0)
        K[-1, -1] += lift.gate * np.sum((on + off)[:, -1])
        K[2 * n + r : -1, -1] = K[-1, r:-1]
        K[2 * n + r :, :r] = K[c, r:].T
        balance = np.sqrt(lift.balance_weight) * (self._balance_image + self._balance)
        sizes = [balance[0] * lift.length**2, np.full(lift.q, balance[-1]), [-balance.sum()]]
        K[2 * n :] += np.diag(self.cost[2 * n :] + np.concatenate(sizes))
        M = self._work[: lift.order, : lift.order]
        M[:, 2 * n :] = self.root @ self.root[2 * n :].T - K / np.outer(self._metric, self._metric[2 * n :])
        M[2 * n :, : 2 * n] = M[: 2 * n, 2 * n :].T
        return M

    def multipliers(self, penalty: float) -> Multipliers | JointMultipliers:
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
        own = Multipliers(lift.scale, W.transpose(0, 2, 1, 3).reshape(4 * n, 4 * n), float(balance[0]))
        if not lift.q:
            return own
        cones = 0.25 * penalty * np.sqrt(ALPHA_WEIGHT) * self._alpha.multipliers()
        cones[:2] *= np.sqrt(2.0) * lift.gate
        return JointMultipliers(own, cones, float(balance[1]))
