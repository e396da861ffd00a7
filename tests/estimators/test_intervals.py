"""Intervals: the rank, against all ways to hold rows out; coverage; quantiles that do not cross; messages."""

from fractions import Fraction
from itertools import permutations
from math import ceil

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_diabetes

import neuralgauge as ng
from neuralgauge.estimators import LinearConvRegressor, ReLUQuantileRegressor, ReLURegressor
from neuralgauge.estimators.conformal import Calibration, conformal_margin
from neuralgauge.estimators.quantile import held_out_weights
from neuralgauge.features import kinds

QUICK = {"gap": 0.1, "random_state": 0}


def fan(n, seed=0):
    """Targets that spread with x, skewed."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(0.0, 2.0, size=(n, 2))
    return X, X[:, 0] + (0.1 + X[:, 1]) * rng.exponential(size=n)


def share_inside(interval, y):
    return float(np.mean((interval[..., 0] <= y) & (y <= interval[..., 1])))


# The rank.


def slow_margin(scores, weight, coverage):
    """By the definition: every row listed as often as it counts, and the score of number ceil((N + 1) coverage)."""
    listed = sorted(np.repeat(scores, weight).tolist())
    return listed[ceil((len(listed) + 1) * Fraction(str(coverage))) - 1]


@pytest.mark.parametrize("coverage", [0.05, 0.1, 0.5, 0.55, 0.7, 0.9, 0.95])
def test_margin_is_the_score_of_that_number(coverage):
    rng = np.random.default_rng(0)
    for n in (19, 20, 40, 99, 100):
        scores, weight = rng.normal(size=n).round(1), rng.integers(0, 3, size=n)
        weight[0] += 19 * (weight.sum() < 19)
        assert conformal_margin(scores, weight, coverage) == slow_margin(scores, weight, coverage)
        assert conformal_margin(scores, np.ones(n), coverage) == slow_margin(scores, np.ones(n, dtype=int), coverage)


def test_the_rank_does_not_hang_on_the_last_bit():
    scores = np.arange(1.0, 100.0)
    for coverage in (0.55, np.nextafter(0.55, 1.0), np.nextafter(0.55, 0.0), 1.0 - 0.45):
        assert conformal_margin(scores, np.ones(99), coverage) == 55.0


def test_coverage_over_all_orders_is_exactly_the_nominal_one():
    """Any row of a set may be the new one: the share of orders in which it is inside is ceil((N + 1) c) / (N + 1)."""
    scores = np.array([0.3, -1.0, 2.0, 0.7, 5.0])
    for coverage, rank in ((0.2, 1), (0.5, 3), (0.6, 3), (0.61, 4), (0.8, 4)):
        inside = [
            scores[new] <= conformal_margin(scores[list(kept)], np.ones(4), coverage)
            for *kept, new in permutations(range(5))
        ]
        assert np.mean(inside) == pytest.approx(rank / 5)


@pytest.mark.parametrize(("n", "coverage", "least"), [(8, 0.9, 9), (18, 0.95, 19), (98, 0.99, 99), (0, 0.5, 1)])
def test_too_few_rows_are_refused_and_one_more_is_enough(n, coverage, least):
    with pytest.raises(ng.InvalidInputError, match=f"needs at least {least} rows held out, got {n}.*less coverage"):
        conformal_margin(np.arange(n + 1.0), np.r_[np.ones(n), 0.0], coverage)
    assert conformal_margin(np.arange(n + 1.0), np.ones(n + 1), coverage) == n


# Rows held out.


def test_equal_rows_are_held_out_one_by_one():
    rng = np.random.default_rng(0)
    weight = np.array([4.0, 0.0, 1.0, 5.0])
    counts = np.array([held_out_weights(weight, 0.3, rng) for _ in range(4000)])
    assert np.all(counts.sum(axis=1) == 3)
    assert np.all(counts <= weight)
    assert set(counts[:, 0]) == {0.0, 1.0, 2.0, 3.0}
    # Hypergeometric: drawn without replacement from the ten rows that the weights count.
    np.testing.assert_allclose(counts.mean(axis=0), 0.3 * weight, atol=0.05)
    np.testing.assert_allclose(counts[:, 0].var(), 3 * 0.4 * 0.6 * 7 / 9, rtol=0.1)


def test_weights_are_repeats_and_the_order_does_not_count():
    X, y = fan(40)
    weight = np.arange(40) % 3
    listed = np.random.default_rng(1).permutation(np.repeat(np.arange(40), weight))
    weighted = ReLUQuantileRegressor(levels=(0.5, 0.9), **QUICK).fit(X, y, weight)
    repeated = ReLUQuantileRegressor(levels=(0.5, 0.9), **QUICK).fit(X[listed], y[listed])
    np.testing.assert_array_equal(weighted.predict_interval(X, 0.8), repeated.predict_interval(X, 0.8))
    assert weighted.calibration_.weight.sum() == int(0.25 * weight.sum())


def test_rows_held_out_are_not_trained_on():
    X, y = fan(80)
    model = ReLUQuantileRegressor(levels=(0.25, 0.75), **QUICK).fit(X, y)
    held = np.isin(y, model.calibration_.y)
    assert held.sum() == 20
    for level, single in zip((0.25, 0.75), model.estimators_, strict=True):
        alone = ReLURegressor(loss=ng.Quantile(level), offset=True, beta=single.beta_, gap=0.1).fit(X[~held], y[~held])
        np.testing.assert_allclose(single.predict(X), alone.predict(X), rtol=1e-9)
        assert single.certificate_.gap <= 0.1
        largest = ng.beta_max(single._prepared(single._checked_data(X[~held], y[~held], None)).problem)
        assert single.beta_ == pytest.approx(0.1 * largest)


# Quantiles and intervals.


def test_levels_are_sorted_and_quantiles_do_not_cross():
    X, y = fan(30)
    model = ReLUQuantileRegressor(levels=(0.9, 0.5, 0.45, 0.1), holdout=0.0, beta=0.05, **QUICK).fit(X, y)
    assert model.levels_.tolist() == [0.1, 0.45, 0.5, 0.9]
    single = np.column_stack([one.predict(X) for one in model.estimators_])
    assert np.any(np.diff(single) < 0)
    quantiles = model.predict_quantiles(X)
    assert np.all(np.diff(quantiles) >= 0)
    np.testing.assert_array_equal(quantiles, np.sort(single))
    np.testing.assert_array_equal(model.predict(X), quantiles[:, 2])
    np.testing.assert_array_equal(model.network_.U, model.estimators_[2].network_.U)


def test_intervals_are_by_hand():
    X, y = fan(120)
    model = ReLUQuantileRegressor(levels=(0.1, 0.3, 0.7, 0.9), holdout=0.0, **QUICK).fit(X[:60], y[:60])
    with pytest.raises(ng.InvalidInputError, match="needs rows held out from training, got none"):
        model.predict_interval(X)
    model.calibrate(X[60:], y[60:])
    for coverage, first, last in ((0.8, 0, 3), (0.5, 1, 2), (0.35, 1, 2)):
        quantiles = model.predict_quantiles(X[60:])
        scores = np.maximum(quantiles[:, first] - y[60:], y[60:] - quantiles[:, last])
        margin = slow_margin(scores, np.ones(60, dtype=int), coverage)
        interval = model.predict_interval(X[:5], coverage)
        for quantile, (lower, upper) in zip(model.predict_quantiles(X[:5]), interval, strict=True):
            ends = quantile[first] - margin, quantile[last] + margin
            assert (lower, upper) == pytest.approx(ends if ends[0] <= ends[1] else (sum(ends) / 2, sum(ends) / 2))


def test_intervals_that_shrink_to_less_than_nothing_are_their_middle():
    model = ReLUQuantileRegressor(holdout=0.0, **QUICK).fit(*fan(30))
    model.calibration_ = Calibration(np.tile([-9.0, 0.0, 9.0], (20, 1)), np.zeros(20), np.ones(20))
    interval = model.predict_interval(fan(5)[0], 0.9)
    np.testing.assert_array_equal(interval[:, 0], interval[:, 1])


def test_intervals_follow_the_spread():
    X, y = fan(300)
    model = ReLUQuantileRegressor(levels=(0.1, 0.9), **QUICK).fit(X, y)
    near, far = np.diff(model.predict_interval([[1.0, 0.1], [1.0, 1.9]], 0.8))[:, 0]
    assert far > 3.0 * near


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_coverage_on_new_rows(coverage):
    """Of one fit it scatters around the nominal one by the rows held out; over many draws of them it does not."""
    X, y = fan(8000, seed=1)
    model = ReLUQuantileRegressor(levels=(0.1, 0.9), holdout=0.0, **QUICK).fit(X[:100], y[:100])
    inside = []
    for start in range(100, 4900, 40):
        model.calibrate(X[start : start + 39], y[start : start + 39])
        inside.append(share_inside(model.predict_interval(X[4900:], coverage), y[4900:]))
    assert np.mean(inside) == pytest.approx(coverage, abs=0.02)


def test_coverage_on_a_table_of_ten_columns():
    X, y = load_diabetes(return_X_y=True)
    X, y = 20.0 * X, (y - y.mean()) / y.std()
    rng, inside = np.random.default_rng(0), []
    for _ in range(4):
        order = rng.permutation(len(y))
        rows, new = order[:200], order[200:]
        model = ReLUQuantileRegressor(levels=(0.1, 0.9), beta=5.0, **QUICK).fit(X[rows], y[rows])
        inside.append(share_inside(model.predict_interval(X[new], 0.8), y[new]))
    # A fit holds 50 rows out, so its coverage has a deviation of 0.055; the mean of four is within three of them.
    assert np.mean(inside) == pytest.approx(0.8, abs=0.085)


# Other regressors.


def test_regressors_have_intervals_of_one_width():
    X, y = fan(90)
    model = ReLURegressor(beta=1.0, gap=0.1).fit(X[:40], y[:40])
    with pytest.raises(ng.InvalidInputError, match=r"give some to `calibrate\(X, y\)`"):
        model.predict_interval(X)
    interval = model.calibrate(X[40:], y[40:]).predict_interval(X, 0.8)
    margin = slow_margin(np.abs(y[40:] - model.predict(X[40:])), np.ones(50, dtype=int), 0.8)
    np.testing.assert_allclose(interval, model.predict(X)[:, None] + [-margin, margin], rtol=1e-12)
    assert not hasattr(model.fit(X, y), "calibration_")


def test_each_of_several_targets_has_its_own_width():
    X, y = fan(90)
    Y = np.column_stack([y, 10.0 * y**2])
    model = ReLURegressor(beta=1.0, gap=0.1).fit(X[:40], Y[:40])
    interval = model.calibrate(X[40:], pd.DataFrame(Y[40:])).predict_interval(X, 0.8)
    assert interval.shape == (90, 2, 2)
    for k in range(2):
        margin = slow_margin(np.abs(Y[40:, k] - model.predict(X[40:])[:, k]), np.ones(50, dtype=int), 0.8)
        np.testing.assert_allclose(np.ptp(interval[:, k], axis=1), 2.0 * margin, rtol=1e-9)
    with pytest.raises(ng.InvalidInputError, match=r"`y` must have 2 target\(s\) a row like those of `fit`, got 1"):
        model.calibrate(X, y)


def test_images_have_intervals_too():
    X = np.random.default_rng(0).normal(size=(40, 6))
    y = X[:, 0] - X[:, 2]
    model = LinearConvRegressor(filter_size=2, beta=0.1).fit(X[:20], y[:20]).calibrate(X[20:], y[20:])
    assert share_inside(model.predict_interval(X[20:], 0.9), y[20:]) >= 0.9


# What scikit-learn's users give.


def test_units_do_not_matter():
    X, y = fan(60)
    plain = ReLUQuantileRegressor(levels=(0.2, 0.8), **QUICK).fit(X, y).predict_interval(X, 0.6)
    scaled = ReLUQuantileRegressor(levels=(0.2, 0.8), **QUICK).fit(X * [1e3, 1e-2] + 5.0, 1e4 * y - 7.0)
    np.testing.assert_allclose(scaled.predict_interval(X * [1e3, 1e-2] + 5.0, 0.6), 1e4 * plain - 7.0, rtol=1e-6)


@pytest.mark.parametrize("form", ["csr", "coo", "mapped", "parquet"])
def test_rows_that_stay_as_they_are(form, tmp_path, monkeypatch):
    X, y = fan(200)
    monkeypatch.setattr(kinds, "CONVERTED", 100)
    if form == "mapped":
        np.save(tmp_path / "X.npy", X)
        rows = np.load(tmp_path / "X.npy", mmap_mode="r")
    elif form == "parquet":
        pl.DataFrame(X).write_parquet(tmp_path / "t.parquet")
        rows = ng.ParquetRows(str(tmp_path / "t.parquet"))
        with pytest.raises(ng.InvalidInputError, match="give `holdout=0`, and other rows to `calibrate`"):
            ReLUQuantileRegressor(**QUICK).fit(rows, y)
    else:
        rows = {"csr": sp.csr_array, "coo": sp.coo_array}[form](X)
    model = ReLUQuantileRegressor(levels=(0.2, 0.8), holdout=0.25 * (form != "parquet"), **QUICK).fit(rows, y)
    if form == "parquet":
        model.calibrate(pl.DataFrame(X[:50]), y[:50])
    assert len(model.calibration_.y) == 50
    assert 0.5 <= share_inside(model.predict_interval(rows, 0.6), y) <= 0.8


def test_tables_sparse_matrices_and_a_second_fit():
    X, y = fan(60)
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = ReLUQuantileRegressor(**QUICK, warm_start=True).fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == ["a", "b"]
    again = clone(model).fit(sp.csr_array(X), y)
    assert not hasattr(again, "feature_names_in_")
    np.testing.assert_array_equal(model.predict_quantiles(frame), again.predict_quantiles(X))
    first = [one.n_iter_ for one in again.estimators_]
    again.fit(X, y)
    assert sum(one.n_iter_ for one in again.estimators_) < sum(first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": ()}, r"`levels` must be one or more numbers > 0 and < 1, got \(\)"),
        ({"levels": (0.5, 1.0)}, r"`levels` must be one or more numbers > 0 and < 1"),
        ({"holdout": 1.0}, r"`holdout` must be >= 0 and < 1, got 1\.0"),
    ],
)
def test_parameters_out_of_range_are_named(options, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ReLUQuantileRegressor(**options).fit(*fan(20))


@pytest.mark.parametrize("coverage", [0.0, 1.0, 90])
def test_coverage_out_of_range_is_refused(coverage):
    model = ReLUQuantileRegressor(levels=(0.5,), **QUICK).fit(*fan(40))
    with pytest.raises(ng.InvalidInputError, match=r"`coverage` must be > 0 and < 1, got .*nine rows of ten"):
        model.predict_interval(fan(5)[0], coverage)
