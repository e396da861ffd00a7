"""Multipliers of the quartic relaxation, turned into a bound on the polar gauge that holds in floating point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import Array
from ..features.rows import Index
from ._quartic_system import RowPowers
from .multipliers import UNIT

INDEX = np.arange(5)
ALTERNATING = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
# Moments m_0 to m_4 of a measure on [0, 1] as the matrices (m_{i+j}) and (m_{i+j+1} - m_{i+j+2}).
HANKEL = (np.add.outer(np.arange(3), np.arange(3)) == INDEX[:, None, None]).astype(float)
LOCAL = (np.add.outer(np.arange(2), np.arange(2)) + 1 == INDEX[:, None, None]).astype(float)
LOCAL -= np.add.outer(np.arange(2), np.arange(2)) + 2 == INDEX[:, None, None]


@dataclass(frozen=True, eq=False)
class QuarticMultipliers:
    r"""Polynomials of one row each that bound its score, and a sum of squares that bounds their sum.

    Rows are divided by `scale` and taken in the coordinates `axes`; h is the product of u with one of them, of unit
    length, |u| = 1. On [0, 1] a polynomial of degree four is >= 0 if it is :math:`(1, t, t^2) H (1, t, t^2)^T + t (1 -
    t) (1, t) L (1, t)^T` for positive semidefinite H and L.

    Attributes
    ----------
    scale : float
        Power of two that the rows are divided by, which rounds nothing.
    axes : array of shape (d, r)
        Orthonormal columns that span the rows, up to rounding; or zero.
    rows : array of shape (m,)
        Rows that are not zero.
    hankel, local : arrays of shape (2, m, 3, 3) and (2, m, 2, 2)
        H and L of what the majorant of a row has to spare at h > 0, and at h < 0 where t = -h. Raised to positive
        semidefinite ones where they are not.
    along : array of shape (m, r)
        Vectors g, for :math:`|h| |g_i| \ge h\, g_i^T u`.
    square : array of shape (k, k)
        S of a sum of squares y(u)^T S y(u), in the basis of `_sphere`. Any matrix; corrected until it is the form that
        it should be.
    """

    scale: float
    axes: Array
    rows: Index
    hankel: Array
    local: Array
    along: Array
    square: Array

    def polar_bound(self, X: Array, v: Array, beta: float) -> float:
        r"""Return an upper bound on the largest score :math:`v^T (X u)_+` over :math:`|u| \le 1`, rounding included.

        With q_i the majorants, :math:`q_i(h) \ge \sigma_i h_+ + |g_i| |h|` on [-1, 1] for :math:`\sigma_i h_+` the
        score of row i, the polynomial :math:`F(u) = \beta - \sum_i (q_i(h_i) - h_i\, g_i^T u)` is at most beta minus
        the score. Where it is :math:`y^T S y`, it is at least :math:`2 \lambda_{\min}(S)`, for :math:`|y|^2 = 2`. |v|
        |X| is taken where it is less. Costs n r^4 / 24 operations and one eigenvalue decomposition of order (r^2 + 3 r)
        / 2.
        """
        n, d = X.shape
        H = X / self.scale
        slack = 4.0 * (n + 8) * (d + 8) * UNIT
        crude = self.scale * float(np.linalg.norm(H)) * float(np.linalg.norm(v)) * (1.0 + slack)
        with np.errstate(over="ignore", invalid="ignore"):
            bound = self._bound(H, self.scale * v, beta)
        return min(crude, bound) if np.isfinite(bound) else crude

    def _bound(self, H: Array, v: Array, beta: float) -> float:
        """The bound for rows H in units of `scale`."""
        n, d = H.shape
        r = self.axes.shape[1]
        Y = H @ self.axes
        # Rows outside the span, and zero ones, count with their lengths; axes may stretch by their own error.
        beyond = np.linalg.norm(H - Y @ self.axes.T, axis=1) + 8.0 * (d + r) * UNIT * np.linalg.norm(H, axis=1)
        outside = np.ones(n, dtype=np.bool_)
        outside[self.rows] = False
        beyond[outside] = np.linalg.norm(H[outside], axis=1) * (1.0 + d * UNIT)
        stretch = float(np.sqrt(np.linalg.norm(self.axes.T @ self.axes, 2))) * (1.0 + 4.0 * (d + r) * r * UNIT)
        Y, v_rows = Y[self.rows], v[self.rows]
        lengths = np.linalg.norm(Y, axis=1) * (1.0 + (r + 8) * UNIT)
        if not np.all(lengths > 0):
            return np.inf
        powers = RowPowers(Y / lengths[:, None])
        q, along = self._majorants(lengths * v_rows)
        whole = powers.sphere
        F = beta * (powers.trace @ whole.squares) - powers.pulled(q.T[None], -self.along[None])[0]
        S = self.square
        S = 0.5 * (S + S.T)
        S = S + (whole.inverse @ (F - whole.basis.T @ S.ravel())).reshape(S.shape)
        left = F - whole.basis.T @ S.ravel()
        # Sums of n products, whose terms are at most these on the sphere; sums of the entries of S; its eigenvalues.
        terms = float(np.sum(np.abs(q)) + np.sum(along)) + beta
        size = float(np.linalg.norm(S))
        rounding = 8.0 * (n + d + 64) * UNIT * terms + 8.0 * len(S) * UNIT * float(np.sum(np.abs(S)))
        least = float(np.linalg.eigvalsh(S)[0]) - 8.0 * len(S) * UNIT * size
        inner = beta + 2.0 * max(0.0, -least) + float(np.sum(np.abs(left))) + rounding
        return (stretch * inner + float(np.abs(v) @ beyond)) * (1.0 + (n + 8) * UNIT)

    def _majorants(self, sigma: Array) -> tuple[Array, Array]:
        """Coefficients (m, 5) of the majorants and lengths (m,) of the vectors g, rounded up."""
        along = np.linalg.norm(self.along, axis=1) * (1.0 + (self.along.shape[1] + 8) * UNIT)
        hankel, local = _raised(self.hankel), _raised(self.local)
        spare: Any = np.einsum("emab,kab->emk", hankel, HANKEL) + np.einsum("emab,kab->emk", local, LOCAL)
        q = ALTERNATING * spare[1]
        q[:, 1] -= along
        rest = q - spare[0]
        rest[:, 1] -= sigma + along
        size = np.abs(spare).sum(axis=(0, 2)) + np.abs(hankel).sum(axis=(0, 2, 3)) + np.abs(local).sum(axis=(0, 2, 3))
        # On [0, 1] a polynomial is at least the sum of its negative coefficients.
        q[:, 0] += -np.minimum(rest, 0.0).sum(axis=1) + 64.0 * UNIT * (size + np.abs(sigma) + 2.0 * along)
        return q, along


def _raised(matrices: Array) -> Array:
    """The symmetric matrices, raised by multiples of the identity to positive semidefinite ones."""
    matrices = 0.5 * (matrices + matrices.swapaxes(-1, -2))
    size = np.linalg.norm(matrices, axis=(-1, -2))
    lift = np.maximum(0.0, 32.0 * UNIT * size - np.linalg.eigvalsh(matrices)[..., 0])
    return np.asarray(matrices + lift[..., None, None] * np.eye(matrices.shape[-1]))
