"""Patterns around given vectors: strictly inside an open cell, and the cell's closure holds the vector."""

import numpy as np
import pytest

from neuralgauge.patterns.strategies import interior_vectors


def on_kinks(X, rng):
    """A unit vector orthogonal to all but one of as many rows as it can be."""
    d = X.shape[1]
    rows = X[rng.choice(len(X), d - 1, replace=False)]
    return np.linalg.svd(rows)[2][-1]


def assert_inside_and_in_the_closure(X, starts, inside):
    length = np.linalg.norm(X, axis=1)
    X, length = X[length > 0], length[length > 0]
    for u, w in zip(starts / np.linalg.norm(starts, axis=1)[:, None], inside, strict=True):
        side = X @ w / (length * np.linalg.norm(w))
        assert np.all(np.abs(side) > 1e-12), "on a hyperplane"
        at = X @ u / length
        decided = np.abs(at) > 1e-7
        assert np.array_equal(at[decided] > 0, side[decided] > 0), "in a cell whose closure misses the start"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("d", [2, 3, 5])
def test_vectors_on_kinks(d, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, d))
    starts = np.array([on_kinks(X, rng) for _ in range(25)])
    assert_inside_and_in_the_closure(X, starts, interior_vectors(X, starts, rng))


@pytest.mark.parametrize("seed", range(4))
def test_integer_data_with_repeated_zero_and_opposite_rows(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (30, 3)).astype(float)
    X[:3] = 0.0
    X[3:6], X[6:9], X[9:12] = X[12:15], -X[12:15], 3.0 * X[12:15]
    starts = np.vstack([rng.integers(-1, 2, (20, 3)) + np.array([0.0, 0.0, 1.0]), np.eye(3), -np.eye(3)])
    starts = starts[np.any(starts != 0, axis=1)]
    assert_inside_and_in_the_closure(X, starts, interior_vectors(X, starts, rng))


def test_vectors_inside_a_cell_stay_there(rng):
    X, starts = rng.standard_normal((50, 3)), rng.standard_normal((30, 3))
    inside = interior_vectors(X, starts, rng)
    assert np.array_equal(X @ starts.T > 0, X @ inside.T > 0)


def test_scale_of_the_data_does_not_matter(rng):
    X = rng.standard_normal((20, 3))
    starts = np.array([on_kinks(X, rng) for _ in range(10)])
    for scale in (2.0**-400, 2.0**400):
        inside = interior_vectors(scale * X, starts, np.random.default_rng(0))
        assert np.array_equal(inside, interior_vectors(X, starts, np.random.default_rng(0)))


def test_data_of_zeros_alone(rng):
    assert np.isfinite(interior_vectors(np.zeros((4, 2)), np.eye(2), rng)).all()
