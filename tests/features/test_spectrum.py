"""Frequencies of real images: pairs, transforms, norms and pricing, against dense DFTs and matrices of patches."""

from fractions import Fraction

import numpy as np
import pytest
from cases import dft_matrix

from neuralgauge import PatchGeometry
from neuralgauge.features.spectrum import Spectrum, nuclear_norms, price_frequencies, spectral_norms

SHAPES = [(1, 1), (2, 1), (5, 1), (8, 2), (3, 4, 1), (4, 3, 2), (4, 4, 3), (1, 6, 1), (2, 2, 1)]


def all_frequencies(shape, theta):
    K = int(np.prod(shape[:-1]))
    c = theta.shape[1]
    return (dft_matrix(shape[:-1]) @ theta.reshape(K, -1)).reshape(K, shape[-1], c)


def full_circle_of(shape):
    return PatchGeometry(shape, shape[:-1], padding="same", padding_mode="circular")


@pytest.mark.parametrize("shape", SHAPES)
def test_multiplicities_count_every_frequency_once(shape):
    spectrum = Spectrum.of(shape)
    assert spectrum.multiplicity.sum() == spectrum.n_positions == np.prod(shape[:-1])
    real = np.prod([2 - size % 2 for size in shape[:-1]])  # 0 and, for even sizes, the middle
    assert np.count_nonzero(spectrum.multiplicity == 1.0) == real


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_and_pixels_are_inverse(shape, rng):
    theta = rng.standard_normal((int(np.prod(shape)), 2))
    spectrum = Spectrum.of(shape)
    np.testing.assert_allclose(spectrum.pixels(spectrum.blocks(theta)), theta, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_transform_is_the_dense_one(shape, rng):
    images = rng.standard_normal((3, *shape))
    spectrum = Spectrum.of(shape)
    found = spectrum.transform(images)
    dense = np.stack([all_frequencies(shape, image.reshape(-1, 1))[:, :, 0] for image in images])
    half = (*shape[:-2], shape[-2] // 2 + 1)
    places = np.ravel_multi_index(np.unravel_index(spectrum.chosen, half), shape[:-1])
    np.testing.assert_allclose(found, dense[:, places], atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_parseval_in_both_conventions(shape, rng):
    theta = rng.standard_normal((int(np.prod(shape)), 3))
    spectrum = Spectrum.of(shape)
    K, hat = spectrum.n_positions, all_frequencies(shape, theta)
    unitary = hat / np.sqrt(K)
    assert np.sum(np.abs(unitary) ** 2) == pytest.approx(np.sum(theta**2))
    # sum_l |w_l|_* in terms of all frequencies: 1 / K unnormalised, 1 / sqrt(K) unitary.
    penalty = nuclear_norms(spectrum.blocks(theta)).sum()
    assert nuclear_norms(hat).sum() / K == pytest.approx(penalty, rel=1e-13)
    assert nuclear_norms(unitary).sum() / np.sqrt(K) == pytest.approx(penalty, rel=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_inner_products_are_those_of_the_pixels(shape, rng):
    """theta^T x = sum_l Re x^_l^H w_l."""
    size = int(np.prod(shape))
    x, theta = rng.standard_normal(size), rng.standard_normal((size, 2))
    spectrum = Spectrum.of(shape)
    x_hat, w = spectrum.transform(x.reshape(1, *shape))[0], spectrum.blocks(theta)
    np.testing.assert_allclose(np.einsum("la,lac->c", x_hat.conj(), w).real, x @ theta, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_of_the_circulant_are_those_of_the_blocks(shape, rng):
    theta = rng.standard_normal((int(np.prod(shape)), 2))
    geometry = full_circle_of(shape)
    Z = geometry.unfold(theta).transpose(1, 0, 2).reshape(geometry.d, -1) / geometry.n_positions
    dense = np.linalg.svd(Z, compute_uv=False)
    spectrum = Spectrum.of(shape)
    blocks = np.linalg.svd(spectrum.blocks(theta), compute_uv=False)
    each = np.repeat(
        blocks / spectrum.multiplicity[:, None], spectrum.multiplicity.astype(int), axis=0
    ).ravel()  # fmt: skip
    count = len(each)
    np.testing.assert_allclose(np.sort(dense)[::-1][:count], np.sort(each)[::-1], atol=1e-13)
    assert np.all(np.sort(dense)[::-1][count:] < 1e-13)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("c", [1, 2])
def test_pricing_is_the_largest_singular_value_of_the_patches(shape, c, rng):
    X, V = rng.standard_normal((4, int(np.prod(shape)))), rng.standard_normal((4, c))
    geometry = full_circle_of(shape)
    dense = np.linalg.norm(geometry.unfold(X.T @ V).transpose(1, 0, 2).reshape(geometry.d, -1), 2)
    pull, bound = price_frequencies(X, V, Spectrum.of(shape))
    assert pull.max() == pytest.approx(dense, rel=1e-13)
    assert dense <= bound * (1 + 1e-14) <= dense * (1 + 1e-11)


@pytest.mark.parametrize("size", [16, 97, 251, 1009])
def test_the_bound_covers_rounding(size, rng):
    """sum_i v_i x_i summed exactly, and its frequency 0, where |sum| is the dual block."""
    X, v = 1.0 + rng.random((50, size)), rng.standard_normal(50)
    v -= v.mean()  # cancels nearly everything
    exact = [sum((Fraction(v[i]) * Fraction(X[i, p]) for i in range(50)), Fraction(0)) for p in range(size)]
    _, bound = price_frequencies(X, v[:, None], Spectrum.of((size, 1)))
    pull = price_frequencies(X, v[:, None], Spectrum.of((size, 1)))[0]
    at_zero = float(abs(sum(exact)))
    assert abs(pull[0] - at_zero) <= bound - pull.max()
    hat = np.fft.fft(np.array(exact, dtype=np.float64))
    assert np.abs(hat).max() <= bound


def test_norms_of_vectors_and_matrices(rng):
    for shape in ((5, 1, 1), (5, 3, 1), (5, 1, 4), (5, 2, 3)):
        w = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
        s = np.stack([np.linalg.svd(block, compute_uv=False) for block in w])
        np.testing.assert_allclose(spectral_norms(w), s[:, 0])
        np.testing.assert_allclose(nuclear_norms(w), s.sum(axis=1))
