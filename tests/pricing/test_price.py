"""The public function: any rank, any data, targets, limits, errors."""

import numpy as np
import pytest

from neuralgauge.errors import InvalidInputError
from neuralgauge.pricing import Price, price


def score(result, v, X):
    return result.sign * v @ np.maximum(X @ result.u, 0.0)


@pytest.mark.parametrize(("ranks", "count", "n_max"), [([1], 60, 12), ([2, 3], 120, 12), ([4], 40, 9), ([5], 20, 8)])
def test_is_the_gauge(ranks, count, n_max, brute_force, problems):
    for v, X in problems(ranks, seed=40 + ranks[0], count=count, n_max=n_max):
        v_before, X_before = v.copy(), X.copy()
        result, truth = price(v, X), brute_force(v, X)
        assert result.value == pytest.approx(truth, rel=2e-9, abs=1e-13)
        assert truth * (1.0 - 1e-14) <= result.bound <= truth * (1.0 + 1e-8) + 1e-11
        assert result.closed
        assert result.value == pytest.approx(score(result, v, X), rel=1e-14, abs=1e-300)
        assert np.linalg.norm(result.u) == pytest.approx(1.0, abs=1e-14)
        assert np.array_equal(v, v_before)
        assert np.array_equal(X, X_before)


def test_either_sign_of_v_gives_the_same_gauge():
    rng = np.random.default_rng(0)
    v, X = rng.standard_normal(40), rng.standard_normal((40, 3))
    plus, minus = price(v, X), price(-v, X)
    assert plus.value == pytest.approx(minus.value, rel=1e-14)
    assert plus.sign == -minus.sign


@pytest.mark.parametrize(("d", "method"), [(1, "sweep"), (2, "sweep"), (3, "sweep"), (4, "branch_and_bound")])
def test_method_follows_the_rank(d, method):
    rng = np.random.default_rng(d)
    result = price(rng.standard_normal(20), rng.standard_normal((20, d)))
    assert result.method == method
    assert bool(result.history) == (method == "branch_and_bound")


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_nothing_to_gain_is_worth_nothing(d):
    for v, X in ((np.zeros(4), np.ones((4, d))), (np.ones(4), np.zeros((4, d)))):
        result = price(v, X)
        assert (result.value, result.bound, result.closed) == (0.0, 0.0, True)
        assert np.linalg.norm(result.u) == 1.0


@pytest.mark.parametrize("d", [2, 3, 4])
def test_scales_with_its_arguments(d):
    rng = np.random.default_rng(d)
    v, X = rng.standard_normal(15), rng.standard_normal((15, d))
    value = price(v, X).value
    for a, b in ((1e200, 1e-100), (1e-180, 1e-20), (1e3, 1e3)):
        assert price(a * v, b * X).value == pytest.approx(a * b * value, rel=1e-12)


def test_a_direction_lost_to_the_rank_decision_is_in_the_bound():
    rng = np.random.default_rng(5)
    X = np.column_stack([rng.standard_normal((20, 2)), 1e-17 * rng.standard_normal(20)])
    result = price(np.ones(20), X)
    assert result.closed
    assert result.bound >= result.value


@pytest.mark.parametrize(("factor", "above"), [(0.9, True), (1.01, False), (-1.0, True)])
def test_target_is_decided(factor, above):
    rng = np.random.default_rng(6)
    v, X = rng.standard_normal(60), rng.standard_normal((60, 4))
    target = factor * price(v, X).value
    result = price(v, X, target=target)
    assert (result.value > target) is above
    assert above or result.bound <= target


def test_time_limit_leaves_a_bound():
    rng = np.random.default_rng(7)
    v, X = rng.standard_normal(80), rng.standard_normal((80, 7))
    result = price(v, X, time_limit=0.2)
    assert not result.closed
    assert result.value < result.bound
    assert result.history[-1][0] < 10.0
    assert result.history[-1][2] == pytest.approx(result.bound, rel=1e-12)


def test_same_seed_same_result():
    rng = np.random.default_rng(8)
    v, X = rng.standard_normal(50), rng.standard_normal((50, 4))
    first, second = price(v, X, random_state=1), price(v, X, random_state=1)
    assert first.value == second.value
    assert np.array_equal(first.u, second.u)


def test_result_is_frozen():
    result = price([1.0, 2.0], [[1.0], [2.0]])
    assert isinstance(result, Price)
    with pytest.raises(ValueError, match="read-only"):
        result.u[0] = 2.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"v": [1.0]}, "`v` must have one entry per row of X"),
        ({"v": [1.0, np.nan]}, "`v` must be finite"),
        ({"X": [[1.0, np.inf], [0.0, 1.0]]}, "`X` must be finite"),
        ({"tol": 0.0}, "`tol` must be finite and > 0"),
        ({"time_limit": -1.0}, "`time_limit` must be finite and > 0"),
        ({"target": "beta"}, "`target` must be a number"),
        ({"target": np.inf}, "`target` must be finite"),
        ({"method": "guess"}, "`method` must be one of"),
        ({"v": np.ones(4), "X": np.eye(4), "method": "sweep"}, "handles X of rank at most 3, got rank 4"),
    ],
)
def test_errors_are_sentences(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        price(**{"v": [1.0, 2.0], "X": np.eye(2), **arguments})
