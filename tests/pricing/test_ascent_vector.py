"""Multi-start ascent for several outputs: attained values, no start lost, one column as the scalar ascent."""

import numpy as np
import pytest

from neuralgauge.pricing import ascend, ascend_vector


def outputs(V, X, U):
    """V^T (X u)_+, one row a point."""
    return np.maximum(X @ U, 0.0).T @ V


def tables(problems, ranks, seed, count, n_max=30):
    rng = np.random.default_rng(seed)
    for k, (v, X) in enumerate(problems(ranks, seed, count=count, n_max=n_max)):
        c = 1 + k % 4
        V = rng.integers(-2, 3, (len(v), c)) if k % 2 else rng.standard_normal((len(v), c))
        V = V.astype(float)
        yield (V - V.mean(axis=1, keepdims=True) if k % 3 == 0 else V), X


@pytest.mark.parametrize("seed", range(3))
def test_values_are_attained_in_unit_directions_largest_first(seed, problems):
    for V, X in tables(problems, [2, 3, 4, 6], seed, count=16):
        values, U, G = ascend_vector(V, X, 20)
        assert U.shape == (X.shape[1], 20)
        assert G.shape == (20, V.shape[1])
        np.testing.assert_allclose(np.linalg.norm(U, axis=0), 1.0, rtol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(G, axis=1), 1.0, rtol=1e-12)
        assert np.all(np.diff(values) <= 0.0)
        mass = np.linalg.norm(V, axis=1) @ np.linalg.norm(X, axis=1)
        attained = outputs(V, X, U)
        np.testing.assert_allclose(values, np.linalg.norm(attained, axis=1), rtol=0.0, atol=1e-13 * (1.0 + mass))
        np.testing.assert_allclose(values, np.einsum("jk,jk->j", attained, G), rtol=0.0, atol=1e-13 * (1.0 + mass))


def test_never_below_the_start(problems):
    rng = np.random.default_rng(0)
    for V, X in tables(problems, [2, 3, 5], seed=7, count=30):
        start, g = rng.standard_normal((X.shape[1], 1)), rng.standard_normal((1, V.shape[1]))
        start, g = start / np.linalg.norm(start), g / np.linalg.norm(g)
        output = outputs(V, X, start)[0]
        assert ascend_vector(V, X, 0, starts=start).values[0] >= np.linalg.norm(output) - 1e-12
        assert ascend_vector(V, X, 0, starts=start, directions=g).values[0] >= output @ g[0] - 1e-12


def test_directions_choose_where_a_start_climbs():
    """Between two maxima of opposite sign the start has no output; its direction decides."""
    X, V = np.eye(2), np.array([[1.0], [-1.0]])
    starts = np.full((2, 2), 3.0)
    for g in (1.0, -1.0):
        found = ascend_vector(V, X, 0, starts=starts[:, :1], directions=np.array([[g]]))
        assert found.values[0] == pytest.approx(1.0)
        np.testing.assert_allclose(found.U[:, 0], [1.0, 0.0] if g > 0 else [0.0, 1.0], atol=1e-9)
        assert found.G[0, 0] == g


def test_one_column_is_the_scalar_ascent_of_both_signs(problems):
    for v, X in problems([2, 3, 4], seed=3, count=20):
        scalar = max(0.0, *(ascend(sign * v, X, 100)[0][0] for sign in (1.0, -1.0)))
        assert ascend_vector(v[:, None], X, 200).values[0] == pytest.approx(scalar, rel=1e-6, abs=1e-12)


def test_finds_the_maximum_of_a_dense_grid(problems):
    angle = np.linspace(0.0, 2.0 * np.pi, 4001)
    for V, X in tables(problems, [2], seed=5, count=20):
        axes = np.linalg.svd(X)[2][:2]
        grid = np.linalg.norm(outputs(V, X, axes.T @ np.stack([np.cos(angle), np.sin(angle)])), axis=1).max()
        assert ascend_vector(V, X, 60).values[0] >= grid * (1.0 - 1e-6) - 1e-12


def test_zero_dual_and_zero_starts(rng):
    found = ascend_vector(np.zeros((4, 2)), np.arange(8.0).reshape(4, 2) - 3.0, 5)
    assert np.all(found.values == 0.0)
    np.testing.assert_allclose(np.linalg.norm(found.G, axis=1), 1.0)
    starts, directions = np.array([[0.0, 1.0], [0.0, 2.0]]), np.eye(2)
    found = ascend_vector(
        rng.standard_normal((9, 2)), rng.standard_normal((9, 2)), 0, starts=starts, directions=directions
    )
    assert found.U.shape == (2, 1)


def test_deterministic_and_leaves_its_arguments_alone(rng):
    arrays = V, X, starts, directions = tuple(rng.standard_normal(s) for s in ((30, 3), (30, 4), (4, 2), (2, 3)))
    copies = [array.copy() for array in arrays]
    X.setflags(write=False)
    first, second = (ascend_vector(V, X, 40, 5, starts=starts, directions=directions) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(np.array_equal(array, copy) for array, copy in zip(arrays, copies, strict=True))
    assert not np.array_equal(first.U, ascend_vector(V, X, 40, 6, starts=starts).U)
