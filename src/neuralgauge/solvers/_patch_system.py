"""The Newton system where samples have many rows: the blocks' maps to the outputs, formed once, replace D_i X."""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

from .._array import Array
from ..programs.block import BlockProgram
from ._block_system import CHUNK, BlockSystem, CurvatureRoot
from ._second_order import Scaling


class PatchSystem(BlockSystem):
    """As `BlockSystem`, from the program's maps Z_i (n c, d): sum_i Z_i w_i are the outputs."""

    def _form(self, program: BlockProgram) -> None:
        assert program.maps is not None
        self.maps = program.maps

    def forward(self, W: Array, b: Array | float = 0.0) -> Array:
        """B W + E b, (n, c)."""
        result: Array = np.matmul(self.maps, W[:, :, None]).sum(axis=0).reshape(self.n, self.c) + b
        return result

    def adjoint(self, V: Array) -> Array:
        """B^T V as (m, d)."""
        result: Array = np.matmul(V.reshape(-1), self.maps)
        return result

    def _gram_of(self, inverse: Array) -> Array:
        """Lower half of B M^{-1} B^T from the inverses of the Cholesky factors."""
        size = self.n * self.c
        K = np.zeros((size, size), order="F")
        chunk = max(1, CHUNK // (self.d * size))
        for start in range(0, self.m, chunk):
            part = slice(start, start + chunk)
            F = np.matmul(inverse[part], self.maps[part].transpose(0, 2, 1)).reshape(-1, size)
            K = blas.dsyrk(1.0, F.T, beta=1.0, c=K, lower=1, overwrite_c=1)
        return K

    def _free_gram(self, scaling: Scaling) -> Array:
        """The same without cones: M^{-1} = eta^2 (I + 2 b b^T)."""
        scaled = scaling.eta[:, None, None] * self.maps
        along = np.matmul(scaled, scaling.b[:, :, None])[:, :, 0]
        K: Array = blas.dsyrk(1.0, scaled.transpose(0, 2, 1).reshape(-1, self.n * self.c).T, lower=1)
        return blas.dsyrk(2.0, along.T, beta=1.0, c=K, lower=1, overwrite_c=1)

    def _rooted_maps(self, root: CurvatureRoot) -> Array:
        """B^T R, (m d, n c)."""
        columns = self.maps.transpose(0, 2, 1).reshape(self.m * self.d, self.n, self.c)
        return root.transposed(columns).reshape(self.m * self.d, -1)


def block_system(program: BlockProgram) -> BlockSystem:
    """The system that suits the program's readout."""
    return BlockSystem(program) if program.maps is None else PatchSystem(program)
