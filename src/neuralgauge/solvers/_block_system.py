r"""The Newton system of the interior-point method: (blockdiag(M_i) + B^T diag(h) B) dW = R.

B = [sigma_1 D_1 X, ..., sigma_m D_m X] is n x m d and never formed whole. With M_i = C_i C_i^T the system is reduced
to whichever side is smaller: m d unknowns, or n of them,

.. math:: K = I + \sum_i F_i F_i^T, \qquad F_i = \mathrm{diag}(\sqrt h)\, \sigma_i D_i X C_i^{-T}.

Cost: one symmetric product, n^2 m d or n (m d)^2 operations, and one Cholesky factorization.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import blas, lapack

from .._array import Array
from ..programs.block import BlockProgram
from ._second_order import Scaling

Solve = Callable[[Array], tuple[Array, Array]]
CHUNK = 2_000_000  # entries of F in memory at a time


class BlockSystem:
    """Factorizations of one program's Newton systems.

    `gate_weights` is sigma_i D_i as (m, n) floats, shared with the caller.
    """

    def __init__(self, program: BlockProgram, gate_weights: Array) -> None:
        self.X, self.gates = program.problem.X, gate_weights
        self.Xt = np.ascontiguousarray(self.X.T)
        self.m, self.n = gate_weights.shape
        self.d = self.X.shape[1]
        self.small_side_is_samples = self.m * self.d > self.n
        self._X_Xt: Array | None = None
        self._gram: Array | None = None
        self._gram_weights: Array | None = None

    def forward(self, W: Array) -> Array:
        """B W."""
        result: Array = np.einsum("mn,mn->n", self.gates, W @ self.Xt)
        return result

    def adjoint(self, v: Array) -> Array:
        """B^T v as (m, d)."""
        return (self.gates * v) @ self.X

    def factorize(self, scaling: Scaling, cone_curvature: Array | None, h: Array) -> Solve:
        """A function R -> (dW, h * B dW); its rounding is undone by the caller's refinement.

        M_i is the curvature of the norm under its scaling plus `cone_curvature` (m, d, d), None without cones.
        """
        if not self.small_side_is_samples:
            M = scaling.curvature()
            return self._by_blocks(M if cone_curvature is None else M + cone_curvature, h)
        if cone_curvature is None:
            return self._by_samples(self._free_gram(scaling), scaling.curvature_solve, h)
        inverse: Array = np.linalg.inv(_cholesky(scaling.curvature() + cone_curvature)).astype(np.float64, copy=False)

        def solve_M(R: Array) -> Array:
            half = np.matmul(inverse, R[:, :, None])
            result: Array = np.matmul(inverse.transpose(0, 2, 1), half)[:, :, 0]
            return result

        return self._by_samples(self._gram_of(inverse), solve_M, h)

    def _gram_of(self, inverse: Array) -> Array:
        """Lower half of B M^{-1} B^T from the inverses of the Cholesky factors."""
        n, d = self.n, self.d
        K = np.zeros((n, n), order="F")
        chunk = max(1, CHUNK // (d * n))
        for start in range(0, self.m, chunk):
            C = inverse[start : start + chunk]
            F = (C.reshape(-1, d) @ self.Xt).reshape(len(C), d, n)
            F *= self.gates[start : start + chunk, None, :]
            K = blas.dsyrk(1.0, F.reshape(-1, n).T, beta=1.0, c=K, lower=1, overwrite_c=1)
        return K

    def _free_gram(self, scaling: Scaling) -> Array:
        """The same without cones: M^{-1} = eta^2 (I + 2 b b^T) makes it two products of (m, n), a d-th of the work."""
        if self._X_Xt is None:
            self._X_Xt = self.X @ self.Xt
        gates = scaling.eta[:, None] * self.gates
        K: Array = blas.dsyrk(1.0, gates.T, lower=1)
        K *= self._X_Xt
        gates *= scaling.b @ self.Xt
        return blas.dsyrk(2.0, gates.T, beta=1.0, c=K, lower=1, overwrite_c=1)

    def _by_samples(self, K: Array, solve_M: Callable[[Array], Array], h: Array) -> Solve:
        root = np.sqrt(h)
        K *= root[:, None]
        K *= root
        K[np.diag_indices(self.n)] += 1.0
        factor = _factor(K)

        def solve(R: Array) -> tuple[Array, Array]:
            dW = solve_M(R)
            h_df: Array = root * lapack.dpotrs(factor, root * self.forward(dW), lower=1)[0]
            return dW - solve_M(self.adjoint(h_df)), h_df

        return solve

    def _by_blocks(self, M: Array, h: Array) -> Solve:
        m, d = self.m, self.d
        H = self._weighted_gram(h).copy(order="F")
        first = np.arange(m) * d
        grid = first[:, None, None] + np.arange(d)[None, :, None], first[:, None, None] + np.arange(d)[None, None, :]
        H[grid] += M
        factor = _factor(H)

        def solve(R: Array) -> tuple[Array, Array]:
            dW: Array = lapack.dpotrs(factor, R.ravel(), lower=1)[0].reshape(m, d)
            return dW, h * self.forward(dW)

        return solve

    def _weighted_gram(self, h: Array) -> Array:
        """B^T diag(h) B, kept while h stays the same (the squared loss)."""
        if self._gram is None or self._gram_weights is None or not np.array_equal(h, self._gram_weights):
            F = ((self.gates * np.sqrt(h))[:, None, :] * self.Xt[None]).reshape(self.m * self.d, self.n)
            self._gram = blas.dsyrk(1.0, F.T, trans=1, lower=1)
            self._gram_weights = h.copy()
        return self._gram


def _cholesky(M: Array) -> Array:
    """Batched Cholesky factors; a tiny ridge, undone by refinement, keeps degenerate blocks positive."""
    diagonal = np.arange(M.shape[1])
    ridge = 1e-15 * np.trace(M, axis1=1, axis2=2)
    for _ in range(6):
        try:
            shifted = M.copy()
            shifted[:, diagonal, diagonal] += ridge[:, None]
            factor: Array = np.linalg.cholesky(shifted).astype(np.float64, copy=False)
            return factor
        except np.linalg.LinAlgError:
            ridge *= 30.0
    raise np.linalg.LinAlgError("a block of the Newton system is not positive definite")


def _factor(K: Array) -> Array:
    diagonal = np.diag_indices(len(K))
    ridge = 1e-16 * float(np.max(K[diagonal]))
    for _ in range(6):
        factor, info = lapack.dpotrf(K, lower=1, overwrite_a=0)
        if info == 0:
            result: Array = factor
            return result
        K[diagonal] += ridge
        ridge *= 100.0
    raise np.linalg.LinAlgError("the Newton system is not positive definite")
