"""Multipliers of the relaxation for several output weights, which bound the polar gauge in floating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from .multipliers import UNIT, Multipliers, gate_width


@dataclass(frozen=True, eq=False)
class JointMultipliers:
    r"""Weights of products that are >= 0 for every neuron with output weights alpha, :math:`|u| = |\alpha| = a`.

    Attributes
    ----------
    own : Multipliers
        Of the products of on, off, p and q, and of a and u, which do not know alpha.
    cones : array of shape (4, n, c + 1)
        Of on, off, p and q: (l, g) stands for :math:`2 (l a - g^T \alpha) y_i \ge 0`, l being raised to |g| where it is
        less.
    balance : float
        Of :math:`a^2 - |\alpha|^2`, free.
    """

    own: Multipliers
    cones: Array
    balance: float = 0.0

    @classmethod
    def none(cls, n: int, c: int) -> JointMultipliers:
        """Multipliers of nothing: they leave |V| |X| as the bound, in Frobenius' and the spectral norm."""
        return cls(Multipliers.none(n), np.zeros((4, n, c + 1)))

    def polar_bound(self, X: Array, v: Array, beta: float) -> float:
        r"""Return an upper bound on the largest score :math:`|V^T (X u)_+|` over :math:`|u| \le 1`, rounding included.

        With z = (e, m, u, alpha, a), e and m as for `Multipliers`, products add up to a quadratic form z^T N z >= 0,
        in which V counts as p_i alpha_k, too. For S = diag(0, 0, beta/2 - nu, beta/2 - balance, nu + balance) - N, nu
        the balance of `own`, and |u| = |alpha| = a = 1

        .. math:: \alpha^T V^T (X u)_+ \;\le\; \beta - z^T S z \;\le\; \beta - \min(0, \lambda_{\min}(S))\, (4 + |X|^2 /
                  \text{scale}^2)

        whatever the multipliers are; |V| |X| is taken where it is less. What S and its eigenvalues can be off by,
        through rounding, is subtracted. Costs one eigenvalue decomposition of order 2 n + d + c + 1.

        Parameters
        ----------
        X : array of shape (n, d)
        v : array of shape (n, c)
            V: the dual point, or of patches what `Features.lifted` makes of it.
        beta : float
        """
        H = X / self.own.scale
        n, d = H.shape
        slack = 16.0 * (n + d) * UNIT
        norm = float(np.linalg.norm(H, 2)) * (1.0 + slack)
        crude = self.own.scale * norm * float(np.linalg.norm(v)) * (1.0 + slack)
        S, size = self._slack_matrix(X, v, beta)
        # As in `Multipliers.polar_bound`, with c more columns.
        rounding = 4.0 * (n + d + v.shape[1] + 16) * UNIT * (size + float(np.linalg.norm(S)))
        if not np.isfinite(rounding):
            return crude
        least = float(np.linalg.eigvalsh(S)[0]) - rounding
        return min(crude, (beta + max(0.0, -least) * (4.0 + norm**2)) * (1.0 + 8.0 * UNIT))

    def _slack_matrix(self, X: Array, v: Array, beta: float) -> tuple[Array, float]:
        """S, and what its entries are made of: norms of the multipliers."""
        H, (n, d), c = X / self.own.scale, X.shape, v.shape[1]
        of_own, size = self.own.signed()._slack_matrix(H, np.zeros(n), beta)
        width, few = gate_width(n), 2 * n + d
        S = np.zeros((few + c + 1, few + c + 1))
        S[:few, :few], S[:few, -1] = of_own[:-1, :-1], of_own[:-1, -1]
        S[-1, -1] = of_own[-1, -1] - 0.5 * beta + self.balance
        tails = self.cones[..., 1:].copy()
        heads = np.maximum(self.cones[..., 0], np.linalg.norm(tails, axis=2) * (1.0 + (c + 8) * UNIT))
        tails[2] -= 0.5 * self.own.scale * v
        on, off, p, q = 0.5 * np.concatenate([tails, -heads[..., None]], axis=2)  # columns by alpha and a
        S[:n, few:] += width * (on - off)
        S[n : 2 * n, few:] += p + q
        S[2 * n : few, few:] += H.T @ (p - q)
        S[few:-1, -1] = 0.5 * np.sum(tails[0] + tails[1], axis=0)
        S[-1, -1] -= np.sum(heads[:2])
        S[few:-1, few:-1] = (0.5 * beta - self.balance) * np.eye(c)
        reach = 1.0 + width + float(np.linalg.norm(H))
        size += 2.0 * reach * float(np.linalg.norm(heads) + np.linalg.norm(self.cones[..., 1:]))
        size += reach * self.own.scale * float(np.linalg.norm(v)) + beta + abs(self.balance)
        upper = np.triu(S, 1)
        return np.diag(np.diag(S)) + upper + upper.T, size
