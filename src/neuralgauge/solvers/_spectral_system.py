r"""The Newton system of the interior point in the Fourier domain.

With H the curvature of the loss, H = R R^T, and E repeating an offset in every row, find dw, db and dg with

.. math:: dg = \text{shift} + H\,dF + R \rho, \quad dw = r - T A^* dg, \quad dF = A\,dw + E\,db, \quad E^T dg = r_b .

For :math:`z = R^T dF + \rho` and K = A T A^* these are n c unknowns,

.. math:: (I + R^T K R)\, z = R^T (A r - K\,\text{shift} + E\,db) + \rho, \qquad E^T R z = r_b - E^T \text{shift},

or, with T = C C^T and dw = C x, as many as there are real numbers in the blocks:

.. math:: x + C^T A^* H (A C x + E\,db) = C^{-1} r - C^T A^* (\text{shift} + R \rho), \qquad
          E^T H (A C x + E\,db) = r_b - E^T (\text{shift} + R \rho) .

The smaller is taken: n^2 p c^2 or n p^2 c operations for p = 2 M channels, and one Cholesky factorization.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import blas

from .._array import Array
from ..features.spectrum import ComplexArray
from ..programs.circular_conv import CircularProgram, complex_blocks, real_rows
from ._hermitian_cone import HermitianScaling
from ._reduced_system import BlockFactor, CurvatureRoot, KeptGram, SampleFactor

SPECTRAL_ACCURACY, SPECTRAL_REFINEMENTS = 1e-12, 3  # relative residual that is good enough, and most attempts
Solve = Callable[[ComplexArray, Array, Array, Array], tuple[ComplexArray, Array, Array]]


class SpectralSystem:
    """Factorizations of one program's Newton systems; outputs are (n, c) here."""

    def __init__(self, program: CircularProgram, offset: bool) -> None:
        self.program, self.offset = program, offset
        self.n, self.p = program.features.shape
        self.c = program.c
        self.by_samples = self.n < self.p
        self.transposed = np.ascontiguousarray(program.features.T) if self.by_samples else program.features.T
        self.kept = KeptGram()

    def factorize(self, scaling: HermitianScaling, root: CurvatureRoot) -> Solve:
        """A function (r, shift, rho, r_b) -> (dw, db, dg)."""
        return self._by_samples(scaling, root) if self.by_samples else self._by_blocks(scaling, root)

    def _by_samples(self, scaling: HermitianScaling, root: CurvatureRoot) -> Solve:
        program, factor = self.program, SampleFactor(self._response(scaling.response_root()), root, self.offset)

        def solve(r: ComplexArray, shift: Array, rho: Array, r_b: Array) -> tuple[ComplexArray, Array, Array]:
            known = program.forward(r - scaling.respond(program.adjoint(shift)))
            z, db = factor.solve(root.transposed(known) + rho, r_b - shift.sum(axis=0))
            for attempt in range(SPECTRAL_REFINEMENTS + 1):
                dg = shift + root.times(z)
                dw = r - scaling.respond(program.adjoint(dg))
                left = root.transposed(program.forward(dw) + db) + rho - z
                if attempt == SPECTRAL_REFINEMENTS or np.max(np.abs(left)) <= SPECTRAL_ACCURACY * np.max(np.abs(z)):
                    break
                more, more_db = factor.solve(left, r_b - dg.sum(axis=0))
                z, db = z + more, db + more_db
            return dw, db, dg

        return solve

    def _response(self, C: Array) -> Array:
        """K (n c, n c), outputs of one sample next to each other; output by output, for A does not mix them."""
        n, c = self.n, self.c
        blocked = self.transposed.reshape(len(C), -1, n)
        if c == 1:  # one symmetric product, half the work
            half = np.matmul(C.swapaxes(1, 2), blocked)
            return blas.dsyrk(1.0, half.reshape(-1, n).T, lower=1)
        T = np.matmul(C, C.swapaxes(1, 2)).reshape(len(C), -1, c, blocked.shape[1], c)
        K = np.empty((n, c, n, c))
        for o in range(c):
            for q in range(o + 1):
                K[:, o, :, q] = self.transposed.T @ np.matmul(T[:, :, o, :, q], blocked).reshape(-1, n)
                K[:, q, :, o] = K[:, o, :, q].T
        return np.asfortranarray(K.reshape(n * c, n * c))

    def _by_blocks(self, scaling: HermitianScaling, root: CurvatureRoot) -> Solve:
        program, c = self.program, self.c
        M, size = program.n_blocks, self.p * self.c
        C = scaling.response_root()
        D = C.swapaxes(1, 2)
        system = self.kept.of(root, self._weighted_gram).copy()
        system[:size] = np.matmul(D, system[:size].reshape(M, size // M, -1)).reshape(size, -1)
        columns = system[:, :size].reshape(-1, M, 1, size // M)
        system[:, :size] = np.matmul(columns, C).reshape(-1, size)
        system[np.arange(size), np.arange(size)] += 1.0
        factor = BlockFactor(np.asfortranarray(system), size, root)

        def vector(w: ComplexArray) -> Array:
            return real_rows(w).reshape(M, -1, 1)

        def solve(r: ComplexArray, shift: Array, rho: Array, r_b: Array) -> tuple[ComplexArray, Array, Array]:
            known = np.linalg.solve(C, vector(r))
            x, db, dg = np.zeros_like(known), np.zeros(c), shift + root.times(rho)
            for _ in range(SPECTRAL_REFINEMENTS + 1):
                left = known - x - np.matmul(D, vector(program.adjoint(dg)))
                if np.max(np.abs(left)) <= SPECTRAL_ACCURACY * np.max(np.abs(known)):
                    break
                found, ddb = factor.solve(left, r_b - dg.sum(axis=0))
                dx = found.reshape(x.shape)
                x, db = x + dx, db + ddb
                dF = program.features @ np.matmul(C, dx).reshape(self.p, c) + ddb
                dg = dg + root.times(root.transposed(dF))
            return complex_blocks(np.matmul(C, x).reshape(self.p, c), program.channels), db, dg

        return solve

    def _weighted_gram(self, root: CurvatureRoot) -> Array:
        """(A, E)^T H (A, E)."""
        c, rows = self.c, self.program.features
        if self.offset:
            rows = np.hstack([rows, np.ones((self.n, 1))])
        q = rows.shape[1]
        gram = np.zeros((q, c, q, c))
        H = root.values @ root.values.swapaxes(1, 2) if root.coupled else root.values**2
        for o in range(c):
            for k in range(c) if root.coupled else (o,):
                gram[:, o, :, k] = (rows * (H[:, o, k] if root.coupled else H[:, o])[:, None]).T @ rows
        return gram.reshape(q * c, q * c)
