"""Linear convolutional networks with a flattened readout [9]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from .._array import Array, balanced_rows
from ..errors import InvalidInputError
from ..features.patches import PatchGeometry
from .base import Network

Shift = Array | float


@dataclass(frozen=True)
class LinearConvNetwork(Network):
    r"""f(x) = sum_j sum_k (x_k^T u_j) alpha_{j,k} + b over the patches x_k of an image: filters, then output weights.

    Parameters
    ----------
    U : array of shape (d, m)
        Filters, one a column, entries in the order of `geometry`.
    A : array of shape (m, K, c)
        Output weights of each filter at each position; (m, K) is taken as c = 1.
    geometry : PatchGeometry
        Where the filters sit.
    offset : float or array of shape (c,)
        Output offset b, 0 by default; not part of the weight decay.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> geometry = ng.PatchGeometry((4, 1), filter_size=2)
    >>> net = ng.LinearConvNetwork([[-1.0], [1.0]], [[1.0, 1.0, 2.0]], geometry)
    >>> net.predict([[0.0, 1.0, 2.0, 5.0]]).tolist(), net.weight_decay()
    ([8.0], 4.0)
    """

    geometry: PatchGeometry
    offset: Shift = 0.0

    def __post_init__(self) -> None:
        U, A = np.array(self.U, dtype=np.float64, order="C"), np.array(self.A, dtype=np.float64, order="C")
        A = A[:, :, None] if A.ndim == 2 else A
        d, K = self.geometry.d, self.geometry.n_positions
        if U.ndim != 2 or A.ndim != 3 or U.shape[0] != d or A.shape[:2] != (U.shape[1], K):
            raise InvalidInputError(
                f"`U` must have shape (d, m) = ({d}, m) and `A` (m, K) or (m, K, c) with K = {K} positions, "
                f"got {U.shape} and {A.shape}; columns of U are filters, transpose if yours are rows."
            )
        self._freeze(U, A, self.offset)

    def _outputs_of(self, A: Array) -> int:
        return A.shape[2]

    @classmethod
    def of_matrix(cls, Z: Array, geometry: PatchGeometry, offset: Shift = 0.0) -> LinearConvNetwork:
        """The balanced network of Z = sum_j s_j p_j q_j^T (d, K c): u_j = sqrt(s_j) p_j, alpha_j = sqrt(s_j) q_j.

        Its weight decay is the nuclear norm of Z, the least of all networks with this function [11].
        """
        P, s, Qt = np.linalg.svd(Z, full_matrices=False)
        alive = s > max(Z.shape) * np.finfo(float).eps * np.max(s, initial=0.0)  # below, zeros are rounded
        root = np.sqrt(s[alive])
        A = (root[:, None] * Qt[alive]).reshape(len(root), geometry.n_positions, Z.shape[1] // geometry.n_positions)
        return cls(P[:, alive] * root, A, geometry, offset)

    @property
    def filters(self) -> Array:
        """The filters as images, (m, *filter_size, channels)."""
        return self.U.T.reshape(-1, *self.geometry.filters, self.geometry.channels)

    @property
    def matrix(self) -> Array:
        """Z = U A (d, K c), which decides the outputs."""
        return self.U @ self.A.reshape(self.n_neurons, self.A.shape[1] * self.A.shape[2])

    @property
    def pixels(self) -> Array:
        """theta (n_pixels, c): the network is the linear map x^T theta + b of whole images."""
        if self.geometry.full_circle:
            return self._cyclic_pixels()
        Z = self.matrix.reshape(len(self.U), *self.A.shape[1:])
        return self.geometry.fold(Z.transpose(1, 0, 2))

    def _cyclic_pixels(self) -> Array:
        """Return `pixels` by the convolution theorem, for a `full_circle` geometry: no matrix of K^2 entries."""
        geometry, (m, _, c) = self.geometry, self.A.shape
        spatial, axes = geometry.spatial_shape, tuple(range(1, len(geometry.shape)))
        U_hat = fft.rfftn(self.U.T.reshape(m, *geometry.shape), axes=axes)
        A_hat = fft.rfftn(self.A.reshape(m, *spatial, c), axes=axes)
        product = np.einsum("m...a,m...c->...ac", U_hat, A_hat).reshape(*U_hat.shape[1:-1], geometry.channels * c)
        axes = tuple(range(len(spatial)))
        theta = fft.irfftn(product, s=spatial, axes=axes)
        # Position k holds the patch that begins `before` pixels ahead of pixel k.
        return np.roll(theta, [-before for before, _ in geometry.pads], axis=axes).reshape(geometry.n_pixels, c)

    def predict(self, images: Any) -> Array:
        """Outputs for images (n, *geometry.shape): (n,) for c = 1, else (n, c). No patches are copied."""
        values = self.geometry.images(images)
        outputs: Array = values.reshape(len(values), -1) @ self.pixels + self.offset
        return outputs[:, 0] if self.n_outputs == 1 else outputs

    def balance(self) -> LinearConvNetwork:
        """Return the same function with |u_j| = |alpha_j|, without filters for which |u_j| |alpha_j| < 1e-300."""
        flat = self.A.reshape(self.n_neurons, self.A.shape[1] * self.A.shape[2])
        columns, rows, alive = balanced_rows(self.U.T, flat)
        A = rows.reshape(int(alive.sum()), *self.A.shape[1:])
        return LinearConvNetwork(columns.T, A, self.geometry, self.offset)
