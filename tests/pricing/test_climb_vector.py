"""The compiled climb for several outputs, against the climb written in NumPy."""

import numpy as np
import pytest

from neuralgauge.features.readouts import DenseReadout
from neuralgauge.features.rows import DenseFeatures
from neuralgauge.pricing import ascend_vector, search
from neuralgauge.pricing._climb_vector import climb_vector
from neuralgauge.pricing.explore import CLIMB_STEPS, _climb


def table(n, d, c, k):
    rng = np.random.default_rng(0)
    U = rng.standard_normal((d, k))
    X, V = rng.standard_normal((n, d)), rng.standard_normal((n, c))
    return X, V, U / np.linalg.norm(U, axis=0)


def lengths(X, V, U):
    return np.linalg.norm(V.T @ np.maximum(X @ U, 0.0), axis=0)


@pytest.mark.parametrize(("n", "d", "c", "k"), [(7, 3, 2, 1), (300, 5, 4, 40), (1500, 9, 3, 64)])
def test_values_are_attained_and_no_less_than_at_the_start(n, d, c, k):
    X, V, U = table(n, d, c, k)
    moved = U.astype(np.float32)
    values = climb_vector(X.astype(np.float32), V.astype(np.float32), moved, CLIMB_STEPS)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=0), 1.0, rtol=1e-5)
    np.testing.assert_allclose(values, lengths(X, V, moved.astype(float)), rtol=1e-4)
    assert np.all(values >= lengths(X, V, U) * (1.0 - 1e-4))


def test_one_step_is_that_of_the_plain_climb():
    X, V, U = table(200, 6, 3, 12)
    compiled, plain = U.astype(np.float32), np.ascontiguousarray(U.T)
    values = climb_vector(X.astype(np.float32), V.astype(np.float32), compiled, 1)
    single = X.astype(np.float32), DenseReadout(len(X))
    np.testing.assert_allclose(values, _climb(V.astype(np.float32), *single, plain, 1), rtol=1e-4)
    np.testing.assert_allclose(compiled.T, plain, atol=1e-4)


def test_a_dual_point_of_zeros_has_no_scores():
    X, V, U = table(20, 3, 2, 4)
    assert np.all(climb_vector(X.astype(np.float32), 0.0 * V.astype(np.float32), U.astype(np.float32), 5) == 0.0)


def test_the_search_finds_what_many_ascents_find():
    X, V, _ = table(120, 4, 3, 1)
    found = search(V, DenseFeatures(X), 100, np.random.default_rng(1))
    assert found.values[0] == pytest.approx(ascend_vector(V, X, 200).values[0], rel=1e-6)
