"""Means and scales: exact inverses, constant columns, numbers near the ends of the range."""

import numpy as np
import pytest

from neuralgauge.errors import InvalidInputError
from neuralgauge.preparation import Standardization


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


def test_several_targets():
    X = np.random.default_rng(0).normal(size=(30, 2))
    Y = np.column_stack([X[:, 0] * 100.0, np.full(30, 7.0), X[:, 1] + 3.0])
    scaling = Standardization.fit(X, Y)
    np.testing.assert_allclose(scaling.target(Y).std(axis=0), [1.0, 0.0, 1.0])
    np.testing.assert_allclose(scaling.original(scaling.target(Y)), Y)
    with pytest.raises(InvalidInputError, match="'rent' are too large"):
        Standardization.fit(X, Y * [1.0, 1.0, 1e300], target_names=["price", "age", "rent"])
    with pytest.raises(InvalidInputError, match="vectors of one length, got shapes"):
        Standardization([0.0], [1.0], [0.0, 1.0], 1.0)


def test_a_target_of_one_column_is_one_target():
    scaling = Standardization([0.0], [1.0], [2.0], [3.0])
    assert (scaling.target_mean, scaling.target_scale) == (2.0, 3.0)


def test_blocks_of_rows_give_the_same_as_all_of_them():
    rng = np.random.default_rng(0)
    X, y = 100.0 + rng.standard_normal((500, 3)) * [1.0, 1e-3, 0.0], rng.standard_normal(500)
    streamed = Standardization.streamed(lambda: (X[first : first + 70] for first in range(0, 500, 70)), y)
    whole = Standardization.fit(X, y)
    assert np.allclose(streamed.feature_mean, whole.feature_mean, rtol=1e-14, atol=0.0)
    assert np.allclose(streamed.feature_scale, whole.feature_scale, rtol=1e-10, atol=0.0)
    assert (streamed.target_mean, streamed.target_scale) == (whole.target_mean, whole.target_scale)
    with pytest.raises(InvalidInputError, match="'b' are too large"):
        Standardization.streamed(lambda: iter([np.array([[0.0, 1e300], [0.0, -1e300]])]), names=["a", "b"])
