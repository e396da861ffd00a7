"""Any multipliers of the relaxation, turned into an upper bound on the polar gauge that holds in floating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..errors import InvalidInputError

UNIT = float(np.finfo(float).eps)
EXCLUSIVE = ((0, 1), (2, 3), (0, 3), (1, 2))  # of on, off, p, q: one of the two, of one row, is 0 for every neuron


@dataclass(frozen=True, eq=False)
class Multipliers:
    r"""Weights of products that are >= 0 for every neuron of one sign; they prove a bound on its scores.

    For u with :math:`|u| = a`, :math:`h = X u / \text{scale}`, :math:`p = h_+`, :math:`q = (-h)_+` and the gates,
    on = a where h > 0 and else 0, off = a - on, all of y = (on, off, p, q) is >= 0, and

    .. math:: \text{on}_i\, \text{off}_i = p_i q_i = \text{on}_i\, q_i = \text{off}_i\, p_i = 0, \quad a^2 = |u|^2

    Attributes
    ----------
    scale : float
        Power of two that the rows are divided by, which rounds nothing.
    products : array of shape (4 n, 4 n)
        Of :math:`y_k y_l`, its symmetric part. Negative entries are read as 0, but for those of products that are 0.
    balance : float
        Of :math:`a^2 - |u|^2`, free.
    """

    scale: float
    products: Array
    balance: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < np.inf:
            raise InvalidInputError(f"`scale` must be finite and > 0, got {self.scale}; use `power_of_two(X)`.")

    @classmethod
    def none(cls, n: int) -> Multipliers:
        """Multipliers of nothing: they leave |v| |X| as the bound."""
        return cls(1.0, np.zeros((4 * n, 4 * n)))

    def signed(self) -> Multipliers:
        """The multipliers cut to their signs."""
        n = len(self.products) // 4
        cut, i = np.maximum(self.products, 0.0), np.arange(n)
        for k, other in EXCLUSIVE:
            for rows, columns in ((k * n + i, other * n + i), (other * n + i, k * n + i)):
                cut[rows, columns] = self.products[rows, columns]
        return Multipliers(self.scale, 0.5 * (cut + cut.T), self.balance)

    def polar_bound(self, X: Array, v: Array, beta: float) -> float:
        r"""Return an upper bound on the largest score :math:`v^T (X u)_+` over :math:`|u| \le 1`, rounding included.

        With z = (e, m, u, a), e = (on - off) / w for a power of two w with :math:`w^2 \ge n`, m = p + q, the products
        add up to a quadratic form z^T N z >= 0, in which v counts as a p_i, too. For S = diag(0, 0, beta/2 - balance,
        beta/2 + balance) - N and |u| = a = 1

        .. math:: v^T (X u)_+ \;\le\; \beta - z^T S z \;\le\; \beta - \min(0, \lambda_{\min}(S))\, (3 + |X|^2 /
                  \text{scale}^2)

        whatever the multipliers are; |v| |X| is taken where it is less. What the products in S and its eigenvalues can
        be off by, through rounding, is subtracted from the eigenvalue. Costs one eigenvalue decomposition of order
        2 n + d + 1. The other sign of output weights is bounded at -v.
        """
        own, H = self.signed(), X / self.scale
        n, d = H.shape
        S, size = own._slack_matrix(H, v, beta)
        slack = 16.0 * (n + d) * UNIT
        norm = float(np.linalg.norm(H, 2)) * (1.0 + slack)
        crude = self.scale * norm * float(np.linalg.norm(v)) * (1.0 + slack)
        # Sums of at most n + d products, twice one after the other, of terms that are these large (Higham, Accuracy and
        # Stability of Numerical Algorithms, 3.5); the eigenvalues are those of a matrix that is as near.
        rounding = 4.0 * (n + d + 16) * UNIT * (size + float(np.linalg.norm(S)))
        if not np.isfinite(rounding):
            return crude
        least = float(np.linalg.eigvalsh(S)[0]) - rounding
        return min(crude, (beta + max(0.0, -least) * (3.0 + norm**2)) * (1.0 + 8.0 * UNIT))

    def _slack_matrix(self, H: Array, v: Array, beta: float) -> tuple[Array, float]:
        """S for rows H = X / scale, and what its entries are made of: norms of the multipliers."""
        n, d = H.shape
        width = gate_width(n)
        W = self.products.reshape(4, n, 4, n)
        on, off, p, q = 0.5 * W
        on, off, p, q = on - off, p + q, p - q, on + off  # rows by e, m, h and a
        rows = np.stack([on, off, p, q]).transpose(2, 0, 1, 3)
        on, off, p, q = 0.5 * rows
        T = np.stack([on - off, p + q, p - q, on + off])  # (column kind, row kind, row, column)
        S = np.zeros((2 * n + d + 1, 2 * n + d + 1))
        for x in (0, 1):
            S[x * n : (x + 1) * n, n : 2 * n] = -T[1, x]
            S[x * n : (x + 1) * n, 2 * n : -1] = -(T[2, x] @ H)
            S[x * n : (x + 1) * n, -1] = -np.sum(T[3, x], axis=1)
        S[:n, :n] = -T[0, 0]
        S[2 * n : -1, 2 * n : -1] = (0.5 * beta - self.balance) * np.eye(d) - H.T @ (T[2, 2] @ H)
        score = 0.25 * self.scale * v
        S[n : 2 * n, -1] -= score
        S[2 * n : -1, -1] = -(H.T @ (np.sum(T[3, 2], axis=1) + score))
        S[-1, -1] = 0.5 * beta + self.balance - np.sum(T[3, 3])
        S[:n] *= width  # exact
        S[:, :n] *= width
        reach = 1.0 + width + float(np.linalg.norm(H))
        size = reach**2 * float(np.linalg.norm(self.products)) + reach * self.scale * float(np.linalg.norm(v))
        upper = np.triu(S, 1)
        return np.diag(np.diag(S)) + upper + upper.T, size + beta + abs(self.balance)


def gate_width(n: int) -> float:
    """A power of two whose square is at least n."""
    return float(2.0 ** np.ceil(0.5 * np.log2(n)))


def power_of_two(X: Array) -> float:
    """A power of two by which the rows have spectral norm at most about one, > 1/2; 1 for rows of zeros."""
    norm = float(np.linalg.norm(X, 2))
    return float(2.0 ** np.ceil(np.log2(norm))) if norm > 0 else 1.0
