r"""Nuclear norms of complex matrices as cones of Hermitian matrices, many at once, with Nesterov-Todd scaling.

.. math:: \|w\|_* = \min \tfrac12 (\operatorname{tr} P_1 + \operatorname{tr} P_2) \quad\text{such that}\quad
          P = \begin{pmatrix} P_1 & w \\ w^H & P_2 \end{pmatrix} \succeq 0,

with the multiplier :math:`Q = \frac12 \begin{pmatrix} \beta I & -\zeta \\ -\zeta^H & \beta I \end{pmatrix} \succeq 0`
of beta \|w\|_*, that is sigma_max(zeta) <= beta. For an interior pair the scaling is a matrix G with

.. math:: G^{-1} P G^{-H} = G^H Q G = \Lambda, \text{ diagonal.}

Arrays have shape (M, N, N), N = channels + outputs: 2 x 2 for complex numbers, where the cone is one of second order.
Source: Vandenberghe, "The CVXOPT linear and quadratic cone program solvers" (2010), section 4, for Hermitian matrices.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..features.spectrum import ComplexArray


def adjoint(matrices: ComplexArray) -> ComplexArray:
    """Conjugate transposes."""
    return matrices.conj().swapaxes(-1, -2)


def multiplier(zeta: ComplexArray, diagonal: float) -> ComplexArray:
    """Q of zeta (M, a, c), with beta / 2 as `diagonal`; with 0 its change."""
    M, a, c = zeta.shape
    Q = np.zeros((M, a + c, a + c), dtype=np.complex128)
    Q[:, np.arange(a + c), np.arange(a + c)] = diagonal
    Q[:, :a, a:] = -0.5 * zeta
    Q[:, a:, :a] = -0.5 * adjoint(zeta)
    return Q


def total_product(P: ComplexArray, Q: ComplexArray) -> float:
    """sum tr(P Q)."""
    return float(np.vdot(P, Q).real)


class HermitianScaling:
    """Nesterov-Todd scaling of P and Q; raises LinAlgError at the boundary.

    Attributes
    ----------
    point : array (M, N)
        Diagonals of Lambda.
    """

    def __init__(self, P: ComplexArray, Q: ComplexArray, a: int) -> None:
        L, R = np.linalg.cholesky(P), np.linalg.cholesky(Q)
        V_h: ComplexArray
        _, self.point, V_h = np.linalg.svd(R.conj().swapaxes(-1, -2) @ L)
        if not np.all(self.point > 0):
            raise np.linalg.LinAlgError("a point on the boundary of its cone")
        self.a = a
        self.G: ComplexArray = (L @ adjoint(V_h)) / np.sqrt(self.point)[:, None, :]
        self._G_h = adjoint(self.G)

    def unscale(self, scaled: ComplexArray) -> ComplexArray:
        """G (.) G^H, from scaled changes of P to changes of P."""
        return self.G @ scaled @ self._G_h

    def scale(self, dQ: ComplexArray) -> ComplexArray:
        """G^H (.) G, of changes of Q."""
        return self._G_h @ dQ @ self.G

    def quotient(self, r: ComplexArray) -> ComplexArray:
        """The e with (Lambda e + e Lambda) / 2 = r."""
        return 2.0 * r / (self.point[:, :, None] + self.point[:, None, :])

    def diagonal(self, values: Array) -> ComplexArray:
        """Diagonal matrices (M, N, N) of values (M, N)."""
        D = np.zeros(self.G.shape, dtype=np.complex128)
        index = np.arange(values.shape[1])
        D[:, index, index] = values
        return D

    def respond(self, dzeta: ComplexArray) -> ComplexArray:
        r"""T dzeta = (G (G^H E G) G^H)_12 / 2, how w follows zeta, where E has dzeta and dzeta^H off its diagonal."""
        return self.unscale(self.scale(multiplier(-dzeta, 0.0)))[:, : self.a, self.a :]

    def response_root(self) -> Array:
        """C with T = C C^T as real matrices (M, 2 a c, 2 a c), in the order channels, real and imaginary part, outputs.

        By orthogonalising E -> G^H E G / 2: T itself may be too ill-conditioned for a Cholesky factorization.
        """
        upper, lower = self.G[:, : self.a], self.G[:, self.a :]
        M, a, N = upper.shape
        c = lower.shape[1]
        X = 0.5 * upper.conj()[:, :, None, :, None] * lower[:, None, :, None, :]
        X_h = adjoint(X)
        images = np.stack([X + X_h, 1j * (X - X_h)], axis=2).reshape(M, 2 * a * c, N * N)
        real = np.concatenate([images.real, images.imag], axis=2)
        return np.linalg.qr(real.swapaxes(1, 2)).R.swapaxes(1, 2)

    def step_length(self, scaled: ComplexArray) -> float:
        """Largest alpha (maybe inf) with Lambda + alpha * scaled in the cones."""
        root = 1.0 / np.sqrt(self.point)
        least = float(np.min(np.linalg.eigvalsh(root[:, :, None] * scaled * root[:, None, :])[:, 0], initial=0.0))
        return -1.0 / least if least < 0 else np.inf
