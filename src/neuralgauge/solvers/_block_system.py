r"""The Newton system of the interior-point method, for blocks W and the offset b of the outputs:

.. math:: M_i\,dw_i + (B^T H\,dF)_i = R_i, \quad E^T H\,dF = r_b, \qquad dF = B\,dW + E\,db + r_{dF} .

B dW = sum_i D_i X dw_i g_i^T is never formed whole, E db repeats db in every row (absent without an offset), and H, the
curvature of the loss, is given by a root: H = R R^T, sample by sample. With M_i = C_i C_i^T the system is reduced to
whichever side is smaller: m d unknowns, or n c of them,

.. math:: K = I + \sum_i F_i F_i^T, \qquad F_i = R^T (g_i \otimes D_i X C_i^{-T}).

Cost: one symmetric product, (n c)^2 m d or n c (m d)^2 operations, and one Cholesky factorization.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import blas, lapack

from .._array import Array
from ..programs.block import BlockProgram
from ._second_order import Scaling

Solve = Callable[[Array, Array, Array | float], tuple[Array, Array, Array]]
MOST_RIDGE = 1e-8  # of each entry of a diagonal, which small columns of X make small


class CurvatureRoot:
    """R with H = R R^T: one number an output, shape of the outputs, or a square matrix a sample, (n, c, c)."""

    def __init__(self, values: Array, n: int) -> None:
        self.coupled = values.ndim == 3
        self.values = values if self.coupled else values.reshape(n, -1)

    def transposed(self, V: Array) -> Array:
        """R^T V for V (..., n, c)."""
        if not self.coupled:
            return self.values * V
        result: Array = np.matmul(V[..., None, :], self.values)[..., 0, :]
        return result

    def times(self, V: Array) -> Array:
        """R V for V (n, c)."""
        if not self.coupled:
            return self.values * V
        result: Array = np.matmul(self.values, V[:, :, None])[:, :, 0]
        return result

    def around(self, K: Array) -> Array:
        """R^T K R from the lower half of K (n c, n c), overwritten; at least the lower half."""
        if not self.coupled:
            root = self.values.ravel()
            K *= root[:, None]
            K *= root
            return K
        n, c, _ = self.values.shape
        K = np.tril(K) + np.tril(K, -1).T
        half = np.matmul(self.values.transpose(0, 2, 1), K.reshape(n, c, n * c)).reshape(n * c, n, c)
        return np.asfortranarray(self.transposed(half).reshape(n * c, n * c))


class BlockSystem:
    """Factorizations of one program's Newton systems; outputs are (n, c) here."""

    def __init__(self, program: BlockProgram) -> None:
        self.operator, self.offset = program.operator, program.problem.offset
        self.m, self.n, self.d, self.c = (getattr(program.operator, size) for size in ("m", "n", "d", "c"))
        self.small_side_is_samples = self.m * self.d > self.n * self.c
        self._gram: Array | None = None
        self._gram_root: Array | None = None

    def forward(self, W: Array, b: Array | float = 0.0) -> Array:
        """B W + E b, (n, c)."""
        return self.operator.forward(W) + b

    def adjoint(self, V: Array) -> Array:
        """B^T V as (m, d)."""
        return self.operator.adjoint(V)

    def factorize(self, scaling: Scaling, cone_curvature: Array | None, root: CurvatureRoot) -> Solve:
        """A function (R, r_b, r_dF) -> (dW, db, H dF); its rounding is undone by the caller's refinement.

        M_i is the curvature of the norm under its scaling plus `cone_curvature` (m, d, d), None without cones.
        """
        if not self.small_side_is_samples:
            M = scaling.curvature()
            return self._by_blocks(M if cone_curvature is None else M + cone_curvature, root)
        if cone_curvature is None:
            return self._by_samples(self.operator.reflected_gram(scaling.eta, scaling.b), scaling.curvature_solve, root)
        inverse: Array = np.linalg.inv(_cholesky(scaling.curvature() + cone_curvature)).astype(np.float64, copy=False)

        def solve_M(R: Array) -> Array:
            half = np.matmul(inverse, R[:, :, None])
            result: Array = np.matmul(inverse.transpose(0, 2, 1), half)[:, :, 0]
            return result

        return self._by_samples(self.operator.gram(inverse), solve_M, root)

    def _by_samples(self, K: Array, solve_M: Callable[[Array], Array], root: CurvatureRoot) -> Solve:
        n, c = self.n, self.c
        K = root.around(K)
        K[np.diag_indices(n * c)] += 1.0
        factor = cholesky_factor(K)
        # Rows of the border: how each output of the offset moves R^T dF.
        border = root.transposed(np.repeat(np.eye(c)[:, None], n, axis=1)).reshape(c, -1) if self.offset else None
        if border is not None:
            K_border = lapack.dpotrs(factor, border.T, lower=1)[0]
            # Softmax does not see a common shift of all offsets, hence the pseudo-inverse.
            inverse = np.linalg.pinv(border @ K_border, rcond=1e-13, hermitian=True)

        def solve(R: Array, r_b: Array, r_dF: Array | float) -> tuple[Array, Array, Array]:
            dW, db = solve_M(R), np.zeros(c)
            z = lapack.dpotrs(factor, root.transposed(self.forward(dW) + r_dF).ravel(), lower=1)[0]
            if border is not None:
                db = inverse @ (r_b - border @ z)
                z = z + K_border @ db
            H_dF = root.times(z.reshape(n, c))
            return dW - solve_M(self.adjoint(H_dF)), db, H_dF

        return solve

    def _by_blocks(self, M: Array, root: CurvatureRoot) -> Solve:
        m, d, c = self.m, self.d, self.c
        H = self._weighted_gram(root).copy(order="F")
        first = np.arange(m) * d
        grid = first[:, None, None] + np.arange(d)[None, :, None], first[:, None, None] + np.arange(d)[None, None, :]
        H[grid] += M
        if self.offset and root.coupled:  # the common shift that softmax does not see
            last = np.arange(m * d, m * d + c)
            H[last, last] += 1e-12 * float(np.max(H[last, last]))
        factor = cholesky_factor(H)

        def solve(R: Array, r_b: Array, r_dF: Array | float) -> tuple[Array, Array, Array]:
            if np.any(r_dF):
                H_r = root.times(root.transposed(np.broadcast_to(r_dF, (self.n, c))))
                R, r_b = R - self.adjoint(H_r), r_b - H_r.sum(axis=0)
            right = np.concatenate([R.ravel(), r_b]) if self.offset else R.ravel()
            found = lapack.dpotrs(factor, right, lower=1)[0]
            dW, db = found[: m * d].reshape(m, d), found[m * d :] if self.offset else np.zeros(c)
            return dW, db, root.times(root.transposed(self.forward(dW, db) + r_dF))

        return solve

    def _weighted_gram(self, root: CurvatureRoot) -> Array:
        """(B, E)^T H (B, E), kept while the root stays the same (the squared loss)."""
        if self._gram is None or self._gram_root is None or not np.array_equal(root.values, self._gram_root):
            n, c = self.n, self.c
            F = self.operator.transposed_times(root.transposed)
            if self.offset:
                F = np.vstack([F, root.transposed(np.repeat(np.eye(c)[:, None], n, axis=1)).reshape(c, -1)])
            self._gram = blas.dsyrk(1.0, F.T, trans=1, lower=1)
            self._gram_root = root.values.copy()
        return self._gram


def _cholesky(M: Array) -> Array:
    """Batched Cholesky factors; a tiny ridge, undone by refinement, keeps degenerate blocks positive."""
    diagonal = np.arange(M.shape[1])
    ridge = np.minimum(1e-15 * np.trace(M, axis1=1, axis2=2)[:, None], MOST_RIDGE * M[:, diagonal, diagonal])
    for _ in range(6):
        try:
            shifted = M.copy()
            shifted[:, diagonal, diagonal] += ridge
            factor: Array = np.linalg.cholesky(shifted).astype(np.float64, copy=False)
            return factor
        except np.linalg.LinAlgError:
            ridge *= 30.0
    raise np.linalg.LinAlgError("a block of the Newton system is not positive definite")


def cholesky_factor(K: Array) -> Array:
    """Lower Cholesky factor; a tiny ridge where rounding asks for one."""
    diagonal = np.diag_indices(len(K))
    ridge = np.minimum(1e-16 * float(np.max(K[diagonal])), MOST_RIDGE * K[diagonal])
    for _ in range(6):
        factor, info = lapack.dpotrf(K, lower=1, overwrite_a=0)
        if info == 0:
            result: Array = factor
            return result
        K[diagonal] += ridge
        ridge = 100.0 * ridge
    raise np.linalg.LinAlgError("the Newton system is not positive definite")
