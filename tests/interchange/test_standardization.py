"""Means and scales: exact inverses, constant columns, numbers near the ends of the range."""

import numpy as np
import pytest

from neuralgauge.errors import InvalidInputError
from neuralgauge.interchange import Standardization


def test_columns_get_mean_zero_and_deviation_one():
    X = np.random.default_rng(0).normal(5.0, 3.0, size=(50, 2))
    y = X[:, 0] * 100
    scaling = Standardization.fit(X, y)
    np.testing.assert_allclose(scaling.features(X).mean(axis=0), 0.0, atol=1e-13)
    np.testing.assert_allclose(scaling.features(X).std(axis=0), 1.0)
    np.testing.assert_allclose(scaling.original(scaling.target(y)), y)


def test_constant_columns_become_exact_zeros():
    X = np.full((7, 1), 0.1)
    scaling = Standardization.fit(X, np.full(7, 0.3))
    assert scaling.feature_scale.tolist() == [1.0]
    assert np.all(scaling.features(X) == 0.0)
    assert np.all(scaling.target(np.full(7, 0.3)) == 0.0)
    assert scaling.original(np.zeros(1)).tolist() == [0.3]


def test_tiny_deviations_are_not_divided_by_zero():
    scaling = Standardization.fit(np.array([[0.0], [1e-200]]))
    assert np.isfinite(scaling.features(np.array([[1e-200]]))).all()


def test_overflow_names_the_column():
    X = np.array([[1.0, 1e300], [2.0, -1e300]])
    with pytest.raises(InvalidInputError, match="'b' are too large"):
        Standardization.fit(X, names=["a", "b"])
    with pytest.raises(InvalidInputError, match="'the target' are too large"):
        Standardization.fit(X[:, :1], X[:, 1])


@pytest.mark.parametrize(
    ("mean", "scale", "message"),
    [([0.0], [0.0], "> 0, got 0.0"), ([0.0], [1.0, 2.0], "one length"), ([np.nan], [1.0], "must be finite")],
)
def test_impossible_scales_are_refused(mean, scale, message):
    with pytest.raises(InvalidInputError, match=message):
        Standardization(mean, scale)
