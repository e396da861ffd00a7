"""Multi-start ascent: every value is attained, never below its start, never above the bound of exact pricing."""

import numpy as np
import pytest

from neuralgauge.pricing import ascend, price


def scores(v, X, U):
    return v @ np.maximum(X @ U, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_values_are_attained_on_the_unit_sphere_largest_first(seed, problems):
    for v, X in problems([2, 3, 4, 6], seed, count=15, n_max=30):
        values, U = ascend(v, X, 20)
        assert U.shape == (X.shape[1], 20)
        assert np.allclose(np.linalg.norm(U, axis=0), 1.0, rtol=1e-12)
        assert np.all(np.diff(values) <= 0.0)
        attained = scores(v, X, U)
        mass = np.abs(v) @ np.linalg.norm(X, axis=1)
        assert np.allclose(values, attained, rtol=0.0, atol=1e-13 * mass)


def test_never_below_the_start(problems):
    for v, X in problems([2, 3, 5], seed=7, count=30, n_max=40):
        for start in np.random.default_rng(0).standard_normal((5, X.shape[1])):
            unit = start / np.linalg.norm(start)
            values, _ = ascend(v, X, 0, starts=start[:, None])
            assert values[0] >= scores(v, X, unit) - 1e-12


@pytest.mark.parametrize("rank", [2, 3])
def test_finds_the_maximum_and_nothing_above(rank, problems):
    for v, X in problems([rank], seed=11, count=60):
        exact = price(v, X)
        best = max(ascend(sign * v, X, 200)[0][0] for sign in (1.0, -1.0))
        assert best <= exact.bound
        assert best >= exact.value * (1.0 - 1e-9) - 1e-12


@pytest.mark.parametrize("rank", [4, 6])
def test_never_above_the_bound_of_branch_and_bound(rank, problems):
    for v, X in problems([rank], seed=13, count=6, n_max=14):
        bound = price(v, X, time_limit=1.0).bound
        assert max(ascend(sign * v, X, 50)[0][0] for sign in (1.0, -1.0)) <= bound


def test_sits_on_concave_kinks():
    """|x_2| is charged, so the maximiser has u_2 = 0 exactly; its slopes to both sides are steep."""
    X = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    values, U = ascend(np.array([1.0, -5.0, -5.0]), X, 10)
    assert values[0] == pytest.approx(1.0, rel=1e-9)
    assert np.allclose(U[:, 0], [1.0, 0.0], atol=1e-9)


def test_zero_dual():
    values, U = ascend(np.zeros(4), np.arange(8.0).reshape(4, 2) - 3.0, 5)
    assert np.all(values == 0.0)
    assert np.allclose(np.linalg.norm(U, axis=0), 1.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_dual_of_one_sign(sign, rng):
    X, v = rng.standard_normal((20, 3)), sign * rng.uniform(0.5, 1.0, 20)
    values, U = ascend(v, X, 50)
    exact = price(v, X)
    if sign > 0:
        assert values[0] == pytest.approx(exact.value, rel=1e-9)
        assert exact.sign == 1
    else:  # nothing pays: no value is above what u = 0 gives
        assert np.all(values <= 1e-12)
        assert np.all(scores(v, X, U) <= 1e-12)


def test_many_local_maxima_in_one_call():
    """Six directions that pay alike and charge each other: a maximum in each."""
    X, v = np.vstack([np.eye(6), 1.0 - np.eye(6)]), np.concatenate([np.ones(6), np.full(6, -2.0)])
    values, U = ascend(v, X, 200)
    assert values[0] >= 1.0
    best = U[:, values > values[0] * (1.0 - 1e-6)]
    assert len(np.unique(np.round(best, 4), axis=1).T) >= 6


def test_deterministic_and_leaves_its_arguments_alone(rng):
    X, v, starts = rng.standard_normal((30, 4)), rng.standard_normal(30), rng.standard_normal((4, 3))
    copies = [array.copy() for array in (X, v, starts)]
    X.setflags(write=False)
    first, second = ascend(v, X, 40, 5, starts=starts), ascend(v, X, 40, 5, starts=starts)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert len(first[0]) == 43
    assert all(np.array_equal(array, copy) for array, copy in zip((X, v, starts), copies, strict=True))
    fresh = ascend(v, X, 40, 6)
    assert not np.array_equal(first[1][:, :40], fresh[1])


def test_zero_starts_are_left_out(rng):
    values, U = ascend(rng.standard_normal(10), rng.standard_normal((10, 2)), 3, starts=np.zeros((2, 4)))
    assert len(values) == U.shape[1] == 3
