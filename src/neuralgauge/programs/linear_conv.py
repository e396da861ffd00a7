r"""The nuclear-norm program of linear convolutional networks [11], [12], as data.

.. math:: \min_{Z, b} \; L\Big(\sum_k X_k z_k + 1 b^T\Big) + \beta \|Z\|_*, \qquad Z = [z_1, \ldots, z_K]
          \in \mathbb{R}^{d \times K c},

with X_k (n, d) the patches of all images at position k. Patches of data are never formed: the outputs are one linear
map of the images, X theta with theta = sum_k P_k^T z_k, and the gradient in Z gathers the patches of X^T v.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from .._array import Array
from ..problems.linear_conv import LinearConvProblem


@dataclass(frozen=True)
class LinearConvProgram:
    """Operator and adjoint of one problem, as sparse matrices of zeros and ones between pixels and patches.

    Matrices Z and T have shape (d, K c), columns ordered by position, then output.
    """

    problem: LinearConvProblem

    @cached_property
    def fold(self) -> csr_array:
        """(n_pixels, d K): adds up patches, one column for each filter entry and position, in this order."""
        pixel = self.taps.ravel()
        seen = np.flatnonzero(pixel >= 0)
        shape = (self.problem.geometry.n_pixels, len(pixel))
        return csr_array((np.ones(len(seen)), (pixel[seen], seen)), shape=shape)

    @cached_property
    def unfold(self) -> csr_array:
        """The transpose, (d K, n_pixels)."""
        return csr_array(self.fold.T)

    @cached_property
    def taps(self) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
        """(d, K): the pixel under each filter entry at each position, -1 for padding."""
        geometry = self.problem.geometry
        numbers = np.arange(1.0, geometry.n_pixels + 1.0)[:, None]
        return geometry.unfold(numbers)[:, :, 0].T.astype(np.intp) - 1

    def pixels(self, Z: Array) -> Array:
        """theta = sum_k P_k^T z_k, (n_pixels, c)."""
        return self.fold @ Z.reshape(-1, self.problem.c)

    def forward(self, Z: Array, offset: Array | float = 0.0) -> Array:
        """Outputs of y's shape: 2 n n_pixels c operations."""
        problem = self.problem
        return (problem.images.outputs(self.pixels(Z)) + offset).reshape(problem.y.shape)

    def adjoint(self, v: Array) -> Array:
        """T = [X_1^T v, ..., X_K^T v], (d, K c), at the same cost."""
        problem = self.problem
        result: Array = self.unfold @ problem.images.adjoint(v.reshape(problem.n, -1))
        return result.reshape(problem.d, -1)

    def objective(self, Z: Array, offset: Array | float = 0.0) -> float:
        """L + beta |Z|_*."""
        penalty = self.problem.beta * float(np.sum(np.linalg.svd(Z, compute_uv=False)))
        return self.problem.fit.value(self.forward(Z, offset)) + penalty


class ConvIterate(NamedTuple):
    """A point of a solver: Z (d, K c), the offset (c,), and a dual point v of y's shape, not clipped."""

    Z: Array
    offset: Array
    v: Array
