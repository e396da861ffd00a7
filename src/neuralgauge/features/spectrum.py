r"""Real images in the Fourier domain: one frequency of each pair l, -l, and norms of the blocks found there.

Where filters of the size of the image have all its K cyclic shifts as positions, the matrix of patches
:math:`[P_1 \theta, \ldots, P_K \theta]` of pixel weights theta (K a, c), a channels, is block-circulant. Its singular
values are those of the blocks :math:`\hat\theta_l \in C^{a \times c}` of the unnormalised DFT, all frequencies l
together. Of l and -l, whose blocks are conjugates, one is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from .._array import Array

ComplexArray = npt.NDArray[np.complex128]
Index = npt.NDArray[np.intp]
ZERO = 1e-14  # singular values up to so much of the largest are rounding


@dataclass(frozen=True)
class Spectrum:
    """The M frequencies of real images, one of each pair l, -l, and the transforms between them and pixels."""

    shape: tuple[int, ...]  # (*spatial, channels) of one image
    chosen: Index  # (M,), places in the half spectrum that `scipy.fft.rfftn` returns, in C order
    multiplicity: Array  # (M,), m_l: 2, or 1 where l = -l

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Spectrum:
        """All pairs of an image of this shape."""
        place, partner, paired = _partners(shape[:-1])
        # On the first and the middle plane of the last axis both of a pair are present.
        chosen = np.flatnonzero(~paired | (place <= partner))
        return cls(shape, chosen, np.where(paired[chosen] & (place == partner)[chosen], 1.0, 2.0))

    @property
    def n_positions(self) -> int:
        """K."""
        return int(np.prod(self.shape[:-1]))

    def take(self, kept: Index) -> Spectrum:
        """Only these frequencies."""
        return Spectrum(self.shape, self.chosen[kept], self.multiplicity[kept])

    def transform(self, images: Array) -> ComplexArray:
        """Unnormalised DFT (n, M, channels) of images (n, *shape): the last axis of the shape may be any number."""
        half = fft.rfftn(images, axes=tuple(range(1, images.ndim - 1)))
        flat = half.reshape(len(images), -1, images.shape[-1])
        return flat if flat.shape[1] == len(self.chosen) else flat[:, self.chosen]

    def blocks(self, theta: Array) -> ComplexArray:
        """w (M, channels, c) of pixel weights theta (n_pixels, c)."""
        images = theta.reshape(1, *self.shape[:-1], -1)
        hat = self.transform(images)[0].reshape(len(self.chosen), self.shape[-1], -1)
        return (self.multiplicity / self.n_positions)[:, None, None] * hat

    def pixels(self, w: ComplexArray) -> Array:
        """theta (n_pixels, c) of blocks w, the inverse of `blocks` where all other frequencies are zero."""
        spatial = self.shape[:-1]
        half_shape = (*spatial[:-1], spatial[-1] // 2 + 1)
        _, partner, paired = _partners(spatial)
        hat = np.zeros((int(np.prod(half_shape)), w.shape[1] * w.shape[2]), dtype=np.complex128)
        values = (self.n_positions / self.multiplicity)[:, None] * w.reshape(len(w), -1)
        both = paired[self.chosen]
        hat[partner[self.chosen[both]]] = values[both].conj()
        hat[self.chosen] = values
        axes = tuple(range(len(spatial)))
        theta = fft.irfftn(hat.reshape(*half_shape, -1), s=spatial, axes=axes)
        return theta.reshape(-1, w.shape[2])

    def angles(self) -> Array:
        """2 pi l^T p / K_axis for every position p and frequency l, (K, M): waves are its cosines."""
        spatial = self.shape[:-1]
        frequencies = np.unravel_index(self.chosen, (*spatial[:-1], spatial[-1] // 2 + 1))
        places = np.unravel_index(np.arange(self.n_positions), spatial)
        turns = np.zeros((self.n_positions, len(self.chosen)))
        for size, place, frequency in zip(spatial, places, frequencies, strict=True):
            turns += np.outer(place, frequency) % size / size  # whole numbers first: exact
        return 2.0 * np.pi * (turns % 1.0)


def _partners(spatial: tuple[int, ...]) -> tuple[Index, Index, npt.NDArray[np.bool_]]:
    """Flat places of the half spectrum, those of -l, and whether -l is in the half spectrum at all."""
    half = (*spatial[:-1], spatial[-1] // 2 + 1)
    frequency = np.indices(half).reshape(len(half), -1)
    paired = (2 * frequency[-1]) % spatial[-1] == 0
    mirrored = [(-axis) % size for axis, size in zip(frequency, spatial, strict=True)]
    mirrored[-1] = np.where(paired, frequency[-1], 0)
    place = np.arange(frequency.shape[1])
    partner = np.where(paired, np.ravel_multi_index(mirrored, half), place)
    return place, partner, paired


def price_frequencies(X: Array, V: Array, spectrum: Spectrum) -> tuple[Array, float]:
    r"""sigma_max(zeta_l) for all frequencies (M,), and an upper bound on the largest that holds despite rounding.

    zeta is the unnormalised DFT of X^T V for images X (n, n_pixels) and V (n, c): 2 n n_pixels c operations and c FFTs.
    Entries of X^T V are wrong by (n + 2) eps \|X\|^T \|V\| at most, which the DFT adds up over K positions; the FFT
    itself is normwise stable, with a constant here that allows for lengths with large prime factors.
    """
    K, c = spectrum.n_positions, V.shape[1]
    X_V = X.T @ V
    hat = spectrum.transform(X_V.reshape(1, *spectrum.shape[:-1], -1))
    singular = spectral_norms(hat.reshape(hat.shape[1], -1, c))
    products = (len(X) + 2.0) * float(np.sqrt(np.einsum("ij,ij->i", X, X)) @ np.linalg.norm(V, axis=1))
    transform = 32.0 * (1.0 + np.log2(K)) * float(np.linalg.norm(X_V))
    margin = float(np.finfo(float).eps * (np.sqrt(K) * (products + transform) + 64.0 * singular.max()))
    return singular, float(singular.max()) + margin


def spectral_norms(w: ComplexArray) -> Array:
    """sigma_max of every block, (M,)."""
    if min(w.shape[1:]) == 1:
        return np.sqrt((w.real**2 + w.imag**2).sum(axis=(1, 2)))
    return np.linalg.svd(w, compute_uv=False)[:, 0].astype(np.float64, copy=False)


def ranks(w: ComplexArray) -> int:
    """Return the number of singular values of all blocks that are above rounding: the filters of a network."""
    s = np.linalg.svd(w, compute_uv=False)
    return int(np.count_nonzero(s > ZERO * s.max(initial=0.0)))


def nuclear_norms(w: ComplexArray) -> Array:
    """Sum of the singular values of every block, (M,)."""
    if min(w.shape[1:]) == 1:
        return spectral_norms(w)
    return np.linalg.svd(w, compute_uv=False).sum(axis=1).astype(np.float64, copy=False)
