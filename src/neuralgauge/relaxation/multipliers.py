"""Any multipliers of the relaxation, turned into an upper bound on the polar gauge that holds in floating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..errors import InvalidInputError

UNIT = float(np.finfo(float).eps)
LEAST_REST = 1e-3  # of |u|^2 that is left to B in every direction, for a system that is well conditioned


@dataclass(frozen=True, eq=False)
class Shares:
    r"""Multipliers of |h| in the cones: where rows take shares of |u|^2, what is left of the tail is shorter.

    .. math:: |u|^2 = |B u|^2 + \sum_i \text{weights}_i h_i^2, \quad B^T B = I - H^T \text{diag}(\text{weights}) H,
              \quad H = X / \text{scale}

    Attributes
    ----------
    weights : array of shape (n,)
        Of the rows; entries that are not finite and > 0 are read as 0. B is what is nearest where they are too large.
    p, q : array of shape (n, n)
        Row i is the k of :math:`2 (l a - g^T u - k^T |h|) p_i \ge 0`. Read as 0 where the weight is 0.
    """

    weights: Array
    p: Array
    q: Array

    def cut(self) -> Shares:
        """The same without what is read as 0."""
        given = np.isfinite(self.weights) & (self.weights > 0.0)
        return Shares(np.where(given, self.weights, 0.0), np.where(given, self.p, 0.0), np.where(given, self.q, 0.0))

    def reach(self, H: Array, G: Array, K: Array) -> Array:
        r"""The most that g^T u + k^T |H u| is over |u| = 1, or more, for the rows of G and K.

        With g = B^T f + rest it is at most :math:`|(f, k / w)|\, \sigma_{\max}(B; \text{diag}(w) H) + |\text{rest}|`
        for every B, f and w, here w^2 = weights.
        """
        w = np.sqrt(self.weights)
        values, vectors = np.linalg.eigh(np.eye(H.shape[1]) - H.T @ (self.weights[:, None] * H))
        root = np.sqrt(np.maximum(values, LEAST_REST))
        B = root[:, None] * vectors.T
        F = (G @ vectors) / root
        size = float(np.linalg.norm(np.concatenate([B, w[:, None] * H]), 2))
        length = np.sqrt(np.sum(F**2, axis=1) + np.sum((K / np.where(w > 0.0, w, 1.0)) ** 2, axis=1))
        off = 4.0 * (len(root) + 4) * UNIT * (np.linalg.norm(G, axis=1) + np.linalg.norm(B) * np.linalg.norm(F, axis=1))
        up = 1.0 + 16.0 * sum(H.shape) * UNIT
        return np.asarray((length * size * up + np.linalg.norm(G - F @ B, axis=1) + off) * up)


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
    shares : Shares, optional
        More of the cones, with the rows in their tails.
    """

    scale: float
    pp: Array
    pq: Array
    qq: Array
    p: Array
    q: Array
    balance: float = 0.0
    shares: Shares | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < np.inf:
            raise InvalidInputError(f"`scale` must be finite and > 0, got {self.scale}; use `power_of_two(X)`.")

    @classmethod
    def none(cls, n: int, d: int) -> Multipliers:
        """Multipliers of nothing: they leave |v| |X| as the bound."""
        products, cones = np.zeros((n, n)), np.zeros((n, d + 1))
        return cls(1.0, products, products, products, cones, cones)

    def signed(self, X: Array) -> Multipliers:
        """The multipliers cut to their signs, with heads of the cones raised to the most that their tails can be."""
        pq = np.maximum(self.pq, 0.0)
        np.fill_diagonal(pq, np.diag(self.pq))
        pp, qq = np.maximum(self.pp, 0.0), np.maximum(self.qq, 0.0)
        pp, qq = np.maximum(pp, pp.T), np.maximum(qq, qq.T)
        p, q, shares = self.p.copy(), self.q.copy(), None
        if self.shares is None:
            reach = [np.linalg.norm(one[:, 1:], axis=1) * (1.0 + (one.shape[1] + 8) * UNIT) for one in (p, q)]
        else:
            shares = self.shares.cut()
            reach = [shares.reach(X / self.scale, one[:, 1:], rows) for one, rows in ((p, shares.p), (q, shares.q))]
        p[:, 0], q[:, 0] = np.maximum(p[:, 0], reach[0]), np.maximum(q[:, 0], reach[1])
        return Multipliers(self.scale, pp, pq, qq, p, q, self.balance, shares)

    def polar_bound(self, X: Array, v: Array, beta: float) -> float:
        r"""Return an upper bound on the largest score :math:`v^T (X u)_+` over :math:`|u| \le 1`, rounding included.

        With z = (m, u, a), m = p + q, the products add up to a quadratic form z^T N z >= 0, in which v counts as
        a p_i, too. For S = diag(0, beta/2 - balance, beta/2 + balance) - N and |u| = a = 1

        .. math:: v^T (X u)_+ \;\le\; \beta - z^T S z \;\le\; \beta - \min(0, \lambda_{\min}(S))\, (2 + |X|^2 /
                  \text{scale}^2)

        whatever the multipliers are; |v| |X| is taken where it is less. What the products in S and its eigenvalues can
        be off by, through rounding, is subtracted from the eigenvalue. Costs one eigenvalue decomposition of order
        n + d + 1. The other sign of output weights is bounded at -v.
        """
        own, H = self.signed(X), X / self.scale
        n, d = H.shape
        S, size = own._slack_matrix(H, v, beta)
        length = float(np.linalg.norm(H))
        slack = 16.0 * (n + d) * UNIT
        norm = float(np.linalg.norm(H, 2)) * (1.0 + slack)
        crude = self.scale * norm * float(np.linalg.norm(v)) * (1.0 + slack)
        # Sums of at most n + d products, twice one after the other, in blocks whose terms are these large (Higham,
        # Accuracy and Stability of Numerical Algorithms, 3.5); the eigenvalues are those of a matrix that is as near.
        rounding = 4.0 * (n + d + 8) * UNIT * ((1.0 + length) ** 2 * size + float(np.linalg.norm(S)))
        if not np.isfinite(rounding):
            return crude
        least = float(np.linalg.eigvalsh(S)[0]) - rounding
        return min(crude, (beta + max(0.0, -least) * (2.0 + norm**2)) * (1.0 + 8.0 * UNIT))

    def _slack_matrix(self, H: Array, v: Array, beta: float) -> tuple[Array, float]:
        """S for rows H = X / scale, and what its entries are made of: norms of the multipliers."""
        n, d = H.shape
        gp, gq, lq = self.p[:, 1:], self.q[:, 1:], self.q[:, 0]
        lp = self.p[:, 0] + 0.5 * self.scale * v
        even, odd, turn = self.pp + self.qq, self.pp - self.qq, self.pq.T - self.pq
        both = self.pq + self.pq.T
        tails = H.T @ (gp - gq)
        S = np.zeros((n + d + 1, n + d + 1))
        S[:n, :n] = -0.25 * (even + both)
        S[:n, n:-1] = 0.5 * (gp + gq) - 0.25 * ((odd + turn) @ H)
        S[n:-1, n:-1] = 0.5 * (tails + tails.T) - 0.25 * (H.T @ ((even - both) @ H))
        S[n:-1, n:-1] += (0.5 * beta - self.balance) * np.eye(d)
        S[:n, -1], S[n:-1, -1] = -0.5 * (lp + lq), -0.5 * (H.T @ (lp - lq))
        S[-1, -1] = 0.5 * beta + self.balance
        pairs = float(np.linalg.norm(np.abs(self.pp) + 2.0 * np.abs(self.pq) + np.abs(self.qq)))
        if self.shares is not None:
            kp, kq = self.shares.p, self.shares.q
            S[:n, :n] += 0.5 * ((kp + kq) + (kp + kq).T)
            S[:n, n:-1] += 0.5 * ((kp - kq).T @ H)
            pairs += 2.0 * float(np.linalg.norm(np.abs(kp) + np.abs(kq)))
        heads = np.linalg.norm(np.abs(self.p[:, 0]) + 0.5 * self.scale * np.abs(v)) + np.linalg.norm(lq)
        size = pairs + 2.0 * float(np.linalg.norm(gp) + np.linalg.norm(gq) + heads) + beta + abs(self.balance)
        upper = np.triu(S, 1)
        return np.diag(np.diag(S)) + upper + upper.T, size


def power_of_two(X: Array) -> float:
    """A power of two by which the rows have spectral norm at most about one, > 1/2; 1 for rows of zeros."""
    norm = float(np.linalg.norm(X, 2))
    return float(2.0 ** np.ceil(np.log2(norm))) if norm > 0 else 1.0
