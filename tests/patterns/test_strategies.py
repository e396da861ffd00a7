"""Vectors strictly inside an open cell: whose closure holds a given vector, or across a hyperplane from it."""

from fractions import Fraction

import numpy as np
import pytest

from neuralgauge.patterns.strategies import flip, flips, interior_vectors


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


def exactly(rows):
    return [[Fraction(a) for a in row] for row in rows.tolist()]


def dot(a, b):
    return sum(p * q for p, q in zip(a, b, strict=True))


@pytest.mark.parametrize("seed", range(30))
def test_flips_against_exact_crossings(seed):
    """Along u - t sign(x_i^T u) x_i in rational arithmetic: what is crossed up to x_i has changed, and nothing else."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 5))
    X = rng.integers(-3, 4, (12, d)).astype(float)
    X = X[np.any(X != 0, axis=1)]
    U = interior_vectors(X, rng.standard_normal((8, d)), rng)
    rows = rng.integers(len(X), size=8)
    exact_X = exactly(X)
    for u, w, i in zip(exactly(U), exactly(flip(X, U, rows)), rows, strict=True):
        side = 1 if dot(exact_X[i], u) > 0 else -1
        here = abs(dot(exact_X[i], u)) / dot(exact_X[i], exact_X[i])
        farther = 0
        for x in exact_X:
            before, after, rate = dot(x, u), dot(x, w), side * dot(x, exact_X[i])
            crossed = before * rate > 0 and before / rate <= here
            assert after != 0
            assert (before * after < 0) == crossed
            farther += crossed and before**2 / dot(x, x) > dot(exact_X[i], u) ** 2 / dot(exact_X[i], exact_X[i])
        assert farther == 0, "crossed a hyperplane farther from u than the one asked for"


def test_flips_go_from_near_to_far_and_reach_the_neighbours(rng):
    """Points on a line: each cell has two neighbours, which differ in one sample, and both are reached."""
    X = np.column_stack([np.arange(-5.0, 6.0), np.ones(11)])
    parent = np.array([[1.0, 0.3]])
    found = list(flips(X, parent, batch=4, most=50))
    assert [len(part) for part in found] == [1] * 11
    changed = [np.flatnonzero((X @ part[0] >= 0) != (X @ parent[0] >= 0)) for part in found]
    assert changed[0].tolist() == [int(np.argmin(np.abs(X @ parent[0]) / np.linalg.norm(X, axis=1)))]
    assert {4, 5} <= {int(c[0]) for c in changed if len(c) == 1}
    assert all(len(c) <= rank + 1 for rank, c in enumerate(changed))
    assert len(list(flips(X, np.repeat(parent, 3, axis=0), batch=4, most=5))) == 2


def test_flips_in_cells_of_no_width_are_left_out():
    X = np.array([[1.0, 0.0], [1.0, 2.0**-45], [0.0, 1.0]])
    parent = np.array([[1e-3, 1.0]])
    found = np.vstack(list(flips(X, parent, batch=8, most=50)))
    margin = np.abs(found @ X.T) / np.linalg.norm(X, axis=1) / np.linalg.norm(found, axis=1, keepdims=True)
    assert np.all(margin > 1e-12)


def test_zero_rows_are_never_flipped(rng):
    X = np.vstack([np.zeros((3, 2)), rng.standard_normal((4, 2))])
    found = list(flips(X, np.array([[0.3, 1.0]]), batch=8, most=50))
    assert len(found) == 4
    assert np.isfinite(np.vstack(found)).all()
    assert list(flips(np.zeros((3, 2)), np.ones((1, 2)), batch=8, most=50)) == []
