"""Whole images as rows: the maps of linear convolutions, without forming patches."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .._array import Array, frozen
from .patches import PatchGeometry
from .spectrum import Spectrum, price_frequencies


class Images:
    """Images X (n, n_pixels), read-only, and where filters sit on them."""

    def __init__(self, X: Array, geometry: PatchGeometry) -> None:
        self.X, self.geometry = frozen(X), geometry

    @property
    def n(self) -> int:
        """Samples."""
        return len(self.X)

    @property
    def n_pixels(self) -> int:
        """Pixels times channels."""
        return self.X.shape[1]

    def outputs(self, theta: Array) -> Array:
        """X theta (n, c) for pixel weights theta (n_pixels, c)."""
        return self.X @ theta

    def adjoint(self, V: Array) -> Array:
        """X^T V (n_pixels, c) for V (n, c)."""
        return self.X.T @ V

    def dense(self) -> Array:
        """X itself, for Newton systems and transforms of all images at once."""
        return self.X

    @cached_property
    def cover(self) -> int:
        """The most patches that one pixel is seen in."""
        geometry = self.geometry
        if geometry.full_circle:
            return geometry.n_positions
        return int(geometry.fold(np.ones((geometry.n_positions, geometry.d, 1))).max())

    @cached_property
    def size(self) -> float:
        """A bound on the Frobenius norm of all patches of all images."""
        return float(np.sqrt(self.cover) * np.linalg.norm(self.X))

    @cached_property
    def reach(self) -> float:
        """A bound on the Frobenius norm of all patches of one image, and on what one atom makes of it."""
        return float(np.sqrt(self.cover * np.einsum("ij,ij->i", self.X, self.X).max()))

    def patched_adjoint(self, V: Array) -> Array:
        """T = [X_1^T V, ..., X_K^T V], (d, K c): the gradient of <V, outputs> in a filter's output weights."""
        gathered = self.geometry.unfold(self.adjoint(V))
        return gathered.transpose(1, 0, 2).reshape(self.geometry.d, -1)

    def largest_singular_value(self, V: Array) -> tuple[float, float]:
        r"""sigma_max of T: its value, and an upper bound on it.

        In closed form, by the eigenvalues of the smaller Gram, or the DFT where filters have every cyclic shift as a
        position; the bound adds what rounding can have taken away.
        """
        if self.geometry.full_circle:
            singular, bound = price_frequencies(self.X, V, Spectrum.of(self.geometry.shape))
            return float(singular.max()), bound
        T = self.patched_adjoint(V)
        G = T @ T.T if T.shape[0] <= T.shape[1] else T.T @ T
        square, energy = float(np.linalg.eigvalsh(G)[-1]), float(np.sum(T * T))
        eps = float(np.finfo(float).eps)
        # Of the Gram max(T.shape) products are added up, of X^T V n of them; the rest is the eigenvalue's.
        rounded = max(square, 0.0) + (max(T.shape) + 10 * min(T.shape)) * eps * energy
        slack = (self.n + 2) * eps * self.size * float(np.linalg.norm(V))
        return float(np.sqrt(max(square, 0.0))), float(np.sqrt(rounded)) + slack
