"""Multipliers of the relaxation row by row, turned into a bound on the polar gauge that holds in floating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from .multipliers import UNIT


@dataclass(frozen=True, eq=False)
class RowMultipliers:
    r"""Weights of inequalities in one row each that hold for every neuron of one sign.

    For u with :math:`|u| = a`, :math:`h_i = x_i^T u / \text{scale}` these hold, for every ratio > 0 and every vector g:

    .. math:: a |h_i| \ge a h_i, \quad a |h_i| \ge -a h_i, \quad a |h_i| |g_i| \ge h_i\, g_i^T u, \quad
              a |h_i| \le \tfrac12 (h_i^2 / \text{ratio}_i + \text{ratio}_i\, a^2)

    Attributes
    ----------
    scale : float
        Power of two that the rows are divided by, which rounds nothing.
    ratio : array of shape (n,)
        Where the last inequality is tight: :math:`|h_i| / a`. Entries that are not finite and > 0 are read as 1.
    lower : array of shape (2, n)
        Weights of the first two; negative entries are read as 0.
    along : array of shape (n, d)
        The vectors g.
    balance : float
        Of :math:`a^2 - |u|^2`, free.
    """

    scale: float
    ratio: Array
    lower: Array
    along: Array
    balance: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < np.inf:
            raise InvalidInputError(f"`scale` must be finite and > 0, got {self.scale}; use `power_of_two(X)`.")

    @classmethod
    def none(cls, n: int, d: int) -> RowMultipliers:
        """Multipliers of nothing: they leave about |v| |X| as the bound."""
        return cls(1.0, np.ones(n), np.zeros((2, n)), np.zeros((n, d)))

    def polar_bound(self, X: Array, v: Array, beta: float) -> float:
        r"""Return an upper bound on the largest score :math:`v^T (X u)_+` over :math:`|u| \le 1`, rounding included.

        With :math:`\sigma = \text{scale}\, v / 2` and :math:`\lambda_i = \max(0, \sigma_i + \text{rise}_i +
        \text{fall}_i + |g_i|)`, rise and fall being the rows of `lower`, the inequalities bound :math:`\sigma_i (a h_i
        + a |h_i|)` by a quadratic form of (u, a); those of all rows add up to one of order d + 1, N. For S =
        diag(beta/2 - balance, beta/2 + balance) - N

        .. math:: v^T (X u)_+ \;\le\; \beta - 2 \min(0, \lambda_{\min}(S))

        whatever the multipliers are; |v| |X| is taken where it is less. Costs n d^2 operations and one eigenvalue
        decomposition of order d + 1. The other sign of output weights is bounded at -v.
        """
        H = X / self.scale
        n, d = H.shape
        slack = 4.0 * (n + 8) * (d + 8) * UNIT
        norm = float(np.sqrt(np.linalg.norm(H.T @ H, 2))) * (1.0 + slack)
        crude = self.scale * norm * float(np.linalg.norm(v)) * (1.0 + slack)
        with np.errstate(over="ignore", invalid="ignore"):
            S, rounding = self._slack_matrix(H, 0.5 * self.scale * v, beta)
        if not (np.isfinite(rounding) and np.isfinite(S).all()):
            return crude
        least = float(np.linalg.eigvalsh(S)[0]) - rounding
        return min(crude, (beta + 2.0 * max(0.0, -least)) * (1.0 + 8.0 * UNIT))

    def _slack_matrix(self, H: Array, sigma: Array, beta: float) -> tuple[Array, float]:
        """S for rows H and halved dual point sigma, and what its eigenvalues can be off by."""
        n, d = H.shape
        lengths = np.linalg.norm(H, axis=1)
        rise, fall = np.maximum(self.lower, 0.0)
        tails = np.linalg.norm(self.along, axis=1) * (1.0 + (d + 8) * UNIT)
        ratio = np.where((self.ratio > 0.0) & np.isfinite(self.ratio), self.ratio, 1.0)
        # Rounded up, so that (h^2 / ratio + ratio a^2) weight / 2 >= weight a |h| for the numbers as they are.
        total = np.maximum(sigma + rise + fall + tails, 0.0)
        raised = (total + 8.0 * UNIT * (np.abs(sigma) + rise + fall + tails)) * (0.5 + 8.0 * UNIT)
        of_hh, of_aa = raised / ratio, raised * ratio
        of_ha = 0.5 * (sigma - rise + fall)
        S = np.zeros((d + 1, d + 1))
        S[:d, :d] = (0.5 * beta - self.balance) * np.eye(d) - H.T @ (of_hh[:, None] * H - 0.5 * self.along)
        S[:d, :d] += 0.5 * (self.along.T @ H)
        S[:d, d] = S[d, :d] = -(H.T @ of_ha)
        S[d, d] = 0.5 * beta + self.balance - np.sum(of_aa)
        # Sums of n products each (Higham, Accuracy and Stability of Numerical Algorithms, 3.5), of these sizes; the
        # eigenvalues are those of a matrix that is as near.
        size = float(of_hh @ lengths**2 + of_aa.sum() + tails @ lengths)
        size += float((np.abs(sigma) + rise + fall) @ lengths) + beta + abs(self.balance)
        return np.tril(S) + np.tril(S, -1).T, 4.0 * (n + d + 8) * UNIT * (size + float(np.linalg.norm(S)))
