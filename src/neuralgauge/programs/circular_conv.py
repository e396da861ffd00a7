r"""The program of a circular linear convolution with filters as long as the image [13], [14], in the Fourier domain.

Averaging Z = sum_j u_j alpha_j^T over the cyclic shifts leaves the outputs alone and never raises the nuclear norm
[12], so the best Z for given pixel weights theta is circulant, :math:`z_k = P_k \theta / K` for K positions. The DFT
makes it block-diagonal, with one block :math:`\hat\theta_l \in C^{a \times c}` a frequency for a channels, and

.. math:: \|[z_1, \ldots, z_K]\|_* = \frac1K \sum_l \|\hat\theta_l\|_*, \qquad
          \hat\theta = \text{the unnormalised DFT; } \frac1{\sqrt K} \text{ with the unitary one:}

the l1 norm of complex numbers for one channel and one output, a group norm where one of the two is one. Real weights
have conjugate blocks at l and -l, of which one is kept: with :math:`w_l = m_l \hat\theta_l / K`, m_l = 2, or 1 where
l = -l,

.. math:: \min_{w, b} \; L(F(w) + 1 b^T) + \beta \sum_l \|w_l\|_*, \qquad
          F(w)_i = \sum_l \operatorname{Re} \hat x_{i,l}^H w_l = \theta^T x_i .

The dual constraint is :math:`\sigma_{max}(\zeta_l) \le \beta` for every l, where :math:`\zeta_l = \sum_i \hat x_{i,l}
v_i^T` is the unnormalised DFT of X^T V.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from ..features.patches import PatchGeometry
from ..features.spectrum import ZERO, ComplexArray, Index, Spectrum
from ..networks.linear_conv import LinearConvNetwork


@dataclass(frozen=True)
class CircularProgram:
    """Blocks w_l of one problem, for all frequencies or some.

    Attributes
    ----------
    spectrum : Spectrum
        The frequencies, M of them.
    features : array of shape (n, 2 M channels)
        Real and imaginary parts of the DFT of the images at these frequencies, next to each other.
    channels, c : int
    """

    spectrum: Spectrum
    features: Array
    channels: int
    c: int

    @classmethod
    def of(cls, images: Array, c: int) -> CircularProgram:
        """All frequencies of images (n, *shape), for c outputs: one FFT, and memory like that of the images."""
        spectrum = Spectrum.of(images.shape[1:])
        hat = np.ascontiguousarray(spectrum.transform(images))
        return cls(spectrum, hat.view(np.float64).reshape(len(images), -1), images.shape[-1], c)

    @property
    def n_blocks(self) -> int:
        """M."""
        return len(self.spectrum.chosen)

    def take(self, kept: Index) -> CircularProgram:
        """Only these frequencies, copied."""
        blocked = self.features.reshape(len(self.features), self.n_blocks, -1)
        features = np.ascontiguousarray(blocked[:, kept]).reshape(len(self.features), -1)
        return CircularProgram(self.spectrum.take(kept), features, self.channels, self.c)

    def forward(self, w: ComplexArray) -> Array:
        """F(w), (n, c), for w (M, channels, c): 4 n M channels c operations."""
        return self.features @ real_rows(w)

    def adjoint(self, V: Array) -> ComplexArray:
        """zeta (M, channels, c) for V (n, c): the same cost."""
        return complex_blocks(self.features.T @ V, self.channels)


def real_rows(w: ComplexArray) -> Array:
    """Blocks (M, a, c) as rows of real numbers in the order of the features, (2 M a, c)."""
    return np.stack([w.real, w.imag], axis=2).reshape(-1, w.shape[2])


def complex_blocks(rows: Array, channels: int) -> ComplexArray:
    """The inverse of `real_rows`."""
    parts = rows.reshape(-1, channels, 2, rows.shape[1])
    return parts[:, :, 0] + 1j * parts[:, :, 1]


def network_of_blocks(
    w: ComplexArray,
    spectrum: Spectrum,
    geometry: PatchGeometry,
    offset: Array | float = 0.0,
    fewest: bool = False,
) -> LinearConvNetwork:
    r"""The real network of blocks: for each singular triple (s, p, q) of w_l one filter and its output weights,

    .. math:: u = \sqrt{s m_l / K} \operatorname{Re} p\, e^{2 \pi i l k / K}, \qquad
              \alpha = \sqrt{s m_l / K} \operatorname{Re} \bar q\, e^{2 \pi i l k / K}

    (several axes add up in the exponent). The convolution of two cosines is one, so for one channel and one output a
    pair of frequencies takes one filter, a cosine. Balanced: the weight decay is sum_l \|w_l\|_*.

    Waves of different frequencies are orthogonal and their convolution vanishes, so the r-th filters of all frequencies
    may be added up, and their output weights too: the same function and weight decay with max_l rank(w_l) filters, one
    for one channel or one output. No network with this function has fewer. That is `fewest`.
    """
    K, a = spectrum.n_positions, w.shape[1]
    P, s, Q_h = np.linalg.svd(w, full_matrices=False)
    real = spectrum.multiplicity == 1.0
    P[real], s[real], Q_h[real] = np.linalg.svd(w[real].real, full_matrices=False)
    block, rank = np.nonzero(s > ZERO * s.max(initial=0.0))
    size = np.sqrt(s[block, rank] * spectrum.multiplicity[block] / K)
    waves = np.exp(1j * spectrum.take(block).angles())
    # Position k holds the patch that begins `before` pixels ahead of pixel k.
    ahead = [np.arange(length) - before for length, (before, _) in zip(spectrum.shape, geometry.pads, strict=False)]
    moved = np.ravel_multi_index(np.ix_(*ahead), geometry.spatial_shape, mode="wrap").ravel()
    U = size * (waves[:, None, :] * P[block, :, rank].T).real
    A = size * (waves[moved][:, None, :] * Q_h[block, rank, :].T).real
    U, A = U.reshape(K * a, -1), A.transpose(2, 0, 1)
    if fewest:
        joined = rank == np.arange(rank.max(initial=-1) + 1)[:, None]
        U, A = U @ joined.T, np.tensordot(joined.astype(np.float64), A, axes=1)
    return LinearConvNetwork(U, A, geometry, offset)
