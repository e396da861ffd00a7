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
from scipy.linalg import blas

from .._array import Array
from ..losses import Squared
from ..programs.block import BlockProgram
from ._reduced_system import MOST_RIDGE, BlockFactor, CurvatureRoot, KeptGram, SampleFactor
from ._second_order import ConeScaling

Solve = Callable[[Array, Array, Array | float], tuple[Array, Array, Array]]


class BlockSystem:
    """Factorizations of one program's Newton systems; outputs are (n, c) here."""

    def __init__(self, program: BlockProgram) -> None:
        self.operator, self.offset = program.operator, program.problem.offset
        self.m, self.n, self.d, self.c = (getattr(program.operator, size) for size in ("m", "n", "d", "c"))
        self.small_side_is_samples = self._samples_cost_less(isinstance(program.problem.loss, Squared))
        self.kept = KeptGram()

    def _samples_cost_less(self, gram_is_kept: bool) -> bool:
        """Whether n c unknowns cost less than m d: products, unless they are kept, and a Cholesky factorization."""
        blocks, samples = float(self.m * self.d), float(self.n * self.c)
        if not gram_is_kept:
            return blocks > samples
        one, _, left = self.operator.twins
        columns = float((len(one) + len(left)) * self.d)
        return blocks**3 / 3.0 > samples**2 * columns + samples**3 / 3.0

    def forward(self, W: Array, b: Array | float = 0.0) -> Array:
        """B W + E b, (n, c)."""
        return self.operator.forward(W) + b

    def adjoint(self, V: Array) -> Array:
        """B^T V as (m, d)."""
        return self.operator.adjoint(V)

    def factorize(self, scaling: ConeScaling, cone_curvature: Array | None, root: CurvatureRoot) -> Solve:
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
            return np.matmul(inverse.transpose(0, 2, 1), half)[:, :, 0]

        return self._by_samples(self.operator.gram(inverse), solve_M, root)

    def _by_samples(self, K: Array, solve_M: Callable[[Array], Array], root: CurvatureRoot) -> Solve:
        factor = SampleFactor(K, root, self.offset)

        def solve(R: Array, r_b: Array, r_dF: Array | float) -> tuple[Array, Array, Array]:
            dW = solve_M(R)
            z, db = factor.solve(root.transposed(self.forward(dW) + r_dF), r_b)
            H_dF = root.times(z)
            return dW - solve_M(self.adjoint(H_dF)), db, H_dF

        return solve

    def _by_blocks(self, M: Array, root: CurvatureRoot) -> Solve:
        m, d = self.m, self.d
        H = self.kept.of(root, self._weighted_gram).copy(order="F")
        first = np.arange(m) * d
        grid = first[:, None, None] + np.arange(d)[None, :, None], first[:, None, None] + np.arange(d)[None, None, :]
        H[grid] += M
        factor = BlockFactor(H, m * d, root)

        def solve(R: Array, r_b: Array, r_dF: Array | float) -> tuple[Array, Array, Array]:
            if np.any(r_dF):
                H_r = root.times(root.transposed(np.broadcast_to(r_dF, (self.n, self.c))))
                R, r_b = R - self.adjoint(H_r), r_b - H_r.sum(axis=0)
            x, db = factor.solve(R, r_b)
            dW = x.reshape(m, d)
            return dW, db, root.times(root.transposed(self.forward(dW, db) + r_dF))

        return solve

    def _weighted_gram(self, root: CurvatureRoot) -> Array:
        """(B, E)^T H (B, E)."""
        F = self.operator.transposed_times(root.transposed)
        return blas.dsyrk(1.0, (np.vstack([F, root.border(self.n)]) if self.offset else F).T, trans=1, lower=1)


def _cholesky(M: Array) -> Array:
    """Batched Cholesky factors; a tiny ridge, undone by refinement, keeps degenerate blocks positive."""
    diagonal = np.arange(M.shape[1])
    ridge = np.minimum(1e-15 * np.trace(M, axis1=1, axis2=2)[:, None], MOST_RIDGE * M[:, diagonal, diagonal])
    for _ in range(6):
        try:
            shifted = M.copy()
            shifted[:, diagonal, diagonal] += ridge
            return np.linalg.cholesky(shifted).astype(np.float64, copy=False)
        except np.linalg.LinAlgError:
            ridge *= 30.0
    raise np.linalg.LinAlgError("a block of the Newton system is not positive definite")
