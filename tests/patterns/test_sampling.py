"""Random patterns."""

import numpy as np
import pytest

import neuralgauge as ng


def pattern_set(patterns):
    return {tuple(row) for row in patterns.dense().tolist()}


@pytest.mark.parametrize("seed", range(5))
def test_sampled_patterns_are_distinct_patterns_with_witnesses(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (12, 3)).astype(float)
    patterns = ng.sample_patterns(X, 30, random_state=seed)
    assert len(pattern_set(patterns)) == len(patterns) <= 30
    assert pattern_set(patterns) <= pattern_set(ng.enumerate_patterns(X))
    np.testing.assert_array_equal(patterns.witness(slice(None)) @ X.T >= 0, patterns.dense())
    assert not patterns.complete


def test_many_draws_find_all_of_few_patterns():
    X = [[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]]
    patterns = ng.sample_patterns(X, 1000)
    assert pattern_set(patterns) == pattern_set(ng.enumerate_patterns(X))
    assert patterns.coverage.n_draws == 50_000
    assert patterns.coverage.mass == 1.0
    assert patterns.coverage.n_patterns_bound == 10


def test_coverage_estimates_the_probability_of_what_was_seen(rng):
    """Against fresh draws: the share of them that shows a known pattern."""
    X = rng.standard_normal((15, 3))
    patterns = ng.sample_patterns(X, 120, random_state=1)
    known = pattern_set(patterns)
    fresh = (np.random.default_rng(2).standard_normal((5000, 3)) @ X.T >= 0).tolist()
    assert patterns.coverage.mass == pytest.approx(np.mean([tuple(row) in known for row in fresh]), abs=0.05)


def test_coverage_is_zero_where_every_draw_is_new(rng):
    patterns = ng.sample_patterns(rng.standard_normal((200, 20)), 50)
    assert patterns.coverage.mass == 0.0
    assert patterns.coverage.n_draws == 50


def test_same_seed_same_patterns_and_more_of_them_when_asked(rng):
    X = rng.standard_normal((40, 4))
    few, again, many, other = (ng.sample_patterns(X, n, seed) for n, seed in [(100, 3), (100, 3), (400, 3), (100, 4)])
    np.testing.assert_array_equal(few.packed, again.packed)
    np.testing.assert_array_equal(few.vectors, again.vectors)
    np.testing.assert_array_equal(few.packed, many.packed[:100])
    assert pattern_set(few) != pattern_set(other)


def test_batches_do_not_change_the_draws(rng, monkeypatch):
    X = rng.standard_normal((40, 4))
    expected = ng.sample_patterns(X, 300)
    monkeypatch.setattr(f"{ng.sample_patterns.__module__}.ENTRIES", 40 * 7)
    np.testing.assert_array_equal(ng.sample_patterns(X, 300).packed, expected.packed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], 0), "`n_patterns` must be at least 1, got 0"),
        (([1.0, 2.0], 3), "two dimensions"),
        (([[1.0, np.nan]], 3), "row 0, column 1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.sample_patterns(*arguments)
