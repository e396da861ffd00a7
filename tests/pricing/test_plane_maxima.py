"""The sweep of the circle against a dense grid and the exact price."""

import numpy as np
import pytest

from neuralgauge.pricing import plane_maxima, price


def dense_maxima(v, X, axes, n=20001):
    angles = np.linspace(0.0, 2.0 * np.pi, n)[:-1]
    h = v @ np.maximum(X @ axes @ np.stack([np.cos(angles), np.sin(angles)]), 0.0)
    return h[(h >= np.roll(h, 1)) & (h >= np.roll(h, -1)) & (h > 1e-9)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("integer", [False, True])
def test_finds_every_local_maximum(seed, integer):
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (9, 2)).astype(float) if integer else rng.standard_normal((9, 2))
    v = rng.integers(-2, 3, 9).astype(float) if integer else rng.standard_normal(9)
    values, U, G = plane_maxima(v, X, np.eye(2))
    np.testing.assert_allclose(np.linalg.norm(U, axis=0), 1.0)
    assert np.all(np.abs(G) == 1.0)
    np.testing.assert_allclose(values, G[:, 0] * (v @ np.maximum(X @ U, 0.0)), atol=1e-12)
    for sign in (1.0, -1.0):
        for value in dense_maxima(sign * v, X, np.eye(2)):
            assert np.min(np.abs(values[G[:, 0] == sign] - value)) < 1e-3  # the grid may straddle a kink
    assert values[0] == pytest.approx(price(v, X).value, abs=1e-9)


def test_zero_data_and_few_maxima():
    values, U, G = plane_maxima(np.ones(3), np.zeros((3, 2)), np.eye(2))
    assert values.tolist() == [0.0]
    assert (U.shape, G.shape) == ((2, 1), (1, 1))
    rng = np.random.default_rng(0)
    few = plane_maxima(rng.standard_normal(50), rng.standard_normal((50, 2)), np.eye(2), most=3)
    assert len(few.values) == 3
