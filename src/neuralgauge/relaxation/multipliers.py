"""Any multipliers of the relaxation, turned into an upper bound on the polar gauge that holds in floating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..errors import InvalidInputError

UNIT = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Multipliers:
    r"""Weights of products that are >= 0 for every neuron of one sign; they prove a bound on its scores.

    For u with :math:`|u| = a`, :math:`h = X u / \text{scale}`, :math:`p = h_+` and :math:`q = h_-` these hold:

    .. math:: p_i p_j,\; p_i q_j,\; q_i q_j \ge 0, \quad p_i q_i = 0, \quad a p_i \ge |p_i u|, \quad a q_i \ge |q_i u|,
              \quad a^2 = |u|^2

    Attributes
    ----------
    scale : float
        Power of two that the rows are divided by, which rounds nothing.
    pp, pq, qq : array of shape (n, n)
        Of p_i p_j, p_i q_j and q_i q_j. Negative entries are read as 0, but for the diagonal of `pq`, which is free.
    p, q : array of shape (n, d + 1)
        Of the cones: (l, g) stands for :math:`2 (l a - g^T u) p_i \ge 0`, l being raised to |g| where it is less.
    balance : float
        Of :math:`a^2 - |u|^2`, free.
    """

    scale: float
    pp: Array
    pq: Array
    qq: Array
    p: Array
    q: Array
    balance: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < np.inf:
            raise InvalidInputError(f"`scale` must be finite and > 0, got {self.scale}; use `power_of_two(X)`.")

    @classmethod
    def none(cls, n: int, d: int) -> Multipliers:
        """Multipliers of nothing: they leave |v| |X| as the bound."""
        products, cones = np.zeros((n, n)), np.zeros((n, d + 1))
        return cls(1.0, products, products, products, cones, cones)

    def signed(self) -> Multipliers:
        """The multipliers cut to their signs, with heads of the cones raised above the lengths of their tails."""
        pq = np.maximum(self.pq, 0.0)
        np.fill_diagonal(pq, np.diag(self.pq))
        pp, qq = np.maximum(self.pp, 0.0), np.maximum(self.qq, 0.0)
        pp, qq = np.maximum(pp, pp.T), np.maximum(qq, qq.T)
        return Multipliers(self.scale, pp, pq, qq, _in_cone(self.p), _in_cone(self.q), self.balance)

    def polar_bound(self, X: Array, v: Array, beta: float) -> float:
        r"""Return an upper bound on the largest score :math:`v^T (X u)_+` over :math:`|u| \le 1`, rounding included.

        With z = (m, u, a), m = (p + q) / 2, the products add up to a quadratic form z^T N z >= 0, in which v counts as
        a p_i, too. For S = diag(0, beta/2 - balance, beta/2 + balance) - N and |u| = a = 1

        .. math:: v^T (X u)_+ \;\le\; \beta - z^T S z \;\le\; \beta - \min(0, \lambda_{\min}(S))\, (2 + |X|^2 / (2\,
                  \text{scale})^2)

        whatever the multipliers are; |v| |X| is taken where it is less. What the products in S and its eigenvalues can
        be off by, through rounding, is subtracted from the eigenvalue. Costs one eigenvalue decomposition of order
        n + d + 1. The other sign of output weights is bounded at -v.
        """
        own, H = self.signed(), 0.5 * (X / self.scale)
        n, d = H.shape
        S, size = own._slack_matrix(H, v, beta)
        length = float(np.linalg.norm(H))
        slack = 16.0 * (n + d) * UNIT
        norm = float(np.linalg.norm(H, 2)) * (1.0 + slack)
        crude = 2.0 * self.scale * norm * float(np.linalg.norm(v)) * (1.0 + slack)
        # Sums of at most n + d products, twice one after the other, in blocks whose terms are these large (Higham,
        # Accuracy and Stability of Numerical Algorithms, 3.5); the eigenvalues are those of a matrix that is as near.
        rounding = 4.0 * (n + d + 8) * UNIT * ((1.0 + length) ** 2 * size + float(np.linalg.norm(S)))
        if not np.isfinite(rounding):
            return crude
        least = float(np.linalg.eigvalsh(S)[0]) - rounding
        return min(crude, (beta + max(0.0, -least) * (2.0 + norm**2)) * (1.0 + 8.0 * UNIT))

    def _slack_matrix(self, H: Array, v: Array, beta: float) -> tuple[Array, float]:
        """S for rows H = X / (2 scale), and what its entries are made of: norms of the multipliers."""
        n, d = H.shape
        gp, gq, lq = self.p[:, 1:], self.q[:, 1:], self.q[:, 0]
        lp = self.p[:, 0] + 0.5 * self.scale * v
        even, odd, turn = self.pp + self.qq, self.pp - self.qq, self.pq.T - self.pq
        both = self.pq + self.pq.T
        tails = H.T @ (gp - gq)
        S = np.zeros((n + d + 1, n + d + 1))
        S[:n, :n] = -(even + both)
        S[:n, n:-1] = gp + gq - (odd + turn) @ H
        S[n:-1, n:-1] = tails + tails.T - H.T @ ((even - both) @ H)
        S[n:-1, n:-1] += (0.5 * beta - self.balance) * np.eye(d)
        S[:n, -1], S[n:-1, -1], S[-1, -1] = -(lp + lq), -(H.T @ (lp - lq)), 0.5 * beta + self.balance
        upper = np.triu(S, 1)
        pairs = float(np.linalg.norm(np.abs(self.pp) + 2.0 * np.abs(self.pq) + np.abs(self.qq)))
        heads = np.linalg.norm(np.abs(self.p[:, 0]) + 0.5 * self.scale * np.abs(v)) + np.linalg.norm(lq)
        size = pairs + 2.0 * float(np.linalg.norm(gp) + np.linalg.norm(gq) + heads) + beta + abs(self.balance)
        return np.diag(np.diag(S)) + upper + upper.T, size


def _in_cone(cone: Array) -> Array:
    """Rows (l, g) with l raised to |g|, rounded up."""
    cone = cone.copy()
    length = np.linalg.norm(cone[:, 1:], axis=1) * (1.0 + (cone.shape[1] + 8) * UNIT)
    cone[:, 0] = np.maximum(cone[:, 0], length)
    return cone


def power_of_two(X: Array) -> float:
    """A power of two by which the rows have spectral norm at most about one, > 1/2; 1 for rows of zeros."""
    norm = float(np.linalg.norm(X, 2))
    return float(2.0 ** np.ceil(np.log2(norm))) if norm > 0 else 1.0
