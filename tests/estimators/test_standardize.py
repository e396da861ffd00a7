"""Standardisation inside the estimators: raw units give what standardised ones give, and everything comes back."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng
from neuralgauge.features import kinds
from neuralgauge.preparation import Standardization

SCALES = np.array([1e-3, 1.0, 1e3, 40.0, 0.1])
MEANS = np.array([0.0, 5.0, -2e4, 700.0, 3.0])


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 5))
    y = np.maximum(X[:, 0] + X[:, 1], 0.0) + 0.5 * X[:, 2] + 0.1 * rng.standard_normal(120)
    return X, y


def raw(X, y):
    """The same in a user's units."""
    return X * SCALES + MEANS, 250.0 * y + 1e4


def test_raw_units_score_like_standardised_ones(table):
    X, y = table
    rows, targets = raw(X, y)
    model = ng.ReLURegressor().fit(rows, targets)
    before = ng.ReLURegressor(standardize=False).fit(StandardScaler().fit_transform(X), (y - y.mean()) / y.std())
    assert model.score(rows, targets) == pytest.approx(ng.ReLURegressor().fit(X, y).score(X, y), abs=1e-4)
    assert model.score(rows, targets) > 0.95
    assert model.certificate_.upper == pytest.approx(before.certificate_.upper, rel=2e-3)
    assert model.beta_ == pytest.approx(before.beta_, rel=1e-6)
    with pytest.warns(ng.ColumnScaleWarning, match="more than a hundredfold"):
        assert ng.ReLURegressor(standardize=False).fit(rows, targets).score(rows, targets) < 0.5


@pytest.mark.parametrize(("bias", "offset"), [(True, False), (True, True), (False, False), (False, True)])
@pytest.mark.parametrize("several", [False, True])
def test_the_network_is_in_the_users_units(table, bias, offset, several):
    rows, targets = raw(*table)
    targets = np.column_stack([targets, -1e-3 * targets]) if several else targets
    model = ng.ReLURegressor(beta=1.0, gap=1e-2, bias=bias, offset=offset).fit(rows, targets)
    np.testing.assert_allclose(model.network_.predict(rows), model.predict(rows), rtol=1e-9)
    problem = ng.TrainingProblem(
        model.scaling_.features(rows), model.scaling_.target(targets), beta=1.0, bias=bias, offset=offset
    )
    assert problem.objective(model.solution_.network) == pytest.approx(model.certificate_.upper, rel=1e-9)
    scaled = model.scaling_.features(rows)
    np.testing.assert_allclose(np.mean(scaled**2, axis=0), 1.0)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-9) if bias else None
    assert bias or not np.any(model.scaling_.feature_mean)


def test_weights_are_those_of_the_means(table):
    rows, targets = raw(*table)
    weight = np.arange(120) % 3
    weighted = ng.ReLURegressor(gap=1e-2).fit(rows, targets, sample_weight=weight)
    repeated = ng.ReLURegressor(gap=1e-2).fit(np.repeat(rows, weight, axis=0), np.repeat(targets, weight))
    np.testing.assert_array_equal(weighted.scaling_.feature_mean, repeated.scaling_.feature_mean)
    np.testing.assert_array_equal(weighted.predict(rows), repeated.predict(rows))
    expected = np.average(rows, axis=0, weights=weight)
    np.testing.assert_allclose(weighted.scaling_.feature_mean, expected, rtol=1e-9)


def test_counts_and_classes_keep_their_targets(table):
    rows, targets = raw(*table)
    counts = ng.ReLURegressor(loss="poisson", gap=1e-2).fit(rows, np.floor(np.exp(table[1])))
    labels = ng.ReLUClassifier(gap=1e-2).fit(rows, targets > 1e4)
    for model in (counts, labels):
        assert (model.scaling_.target_mean, model.scaling_.target_scale) == (0.0, 1.0)
        assert not model.scaling_.is_identity
    assert labels.score(rows, targets > 1e4) > 0.95


def test_folds_are_standardised_by_their_own_rows(table):
    X, y = table
    rows, targets = raw(X, y)
    rows[::2] *= 1.3  # so that the folds' means differ
    options = {"betas": [3.0, 1.0], "cv": [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]}
    model = ng.ReLURegressorCV(**options, gap_path=1e-5, scoring="r2").fit(rows, targets)
    for j, (inside, outside) in enumerate(options["cv"]):
        single = ng.ReLURegressor(beta=0.5, gap=1e-5).fit(rows[inside], targets[inside])
        assert model.scores_[1, j] == pytest.approx(single.score(rows[outside], targets[outside]), abs=2e-2)
    assert model.score(rows, targets) > 0.8


def test_large_arrays_are_standardised_where_they_are(table, monkeypatch, tmp_path):
    rows, targets = raw(*table)
    whole = ng.ReLURegressor(beta=2.0, gap=1e-2).fit(rows, targets)
    monkeypatch.setattr(kinds, "CONVERTED", 100)
    np.save(tmp_path / "X.npy", rows)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for given, exact in ((rows.astype(np.float32), 1e-4), (mapped, 1e-12)):
        model = ng.ReLURegressor(beta=2.0, gap=1e-2).fit(given, targets)
        np.testing.assert_allclose(model.scaling_.feature_scale, whole.scaling_.feature_scale, rtol=exact)
        assert model.certificate_.upper == pytest.approx(whole.certificate_.upper, rel=2e-2)
        assert model.score(given, targets) == pytest.approx(whole.score(rows, targets), abs=1e-2)


def test_sparse_rows_that_stay_sparse_are_scaled_only(table, monkeypatch):
    X, y = table
    X = np.where(X > 0.5, X, 0.0) * SCALES
    monkeypatch.setattr(kinds, "CONVERTED", 100)
    model = ng.ReLURegressor(beta=1.0, gap=1e-2).fit(sp.csr_array(X), y)
    assert not np.any(model.scaling_.feature_mean)
    np.testing.assert_allclose(model.scaling_.feature_scale, np.sqrt(np.mean(X**2, axis=0)))
    np.testing.assert_allclose(model.predict(sp.csr_array(X)), model.network_.predict(X), rtol=1e-9)


def test_constant_columns_and_targets_are_left_alone():
    X = np.column_stack([np.full(6, 1e6), np.arange(6.0)])
    model = ng.ReLURegressor(gap=1e-6).fit(X, np.full(6, 42.0))
    assert model.predict(X).tolist() == [42.0] * 6
    assert model.scaling_.feature_scale[0] == 1.0


def test_a_saved_model_predicts_in_the_users_units(table, tmp_path):
    rows, targets = raw(*table)
    model = ng.ReLURegressor(gap=1e-2).fit(rows, targets)
    ng.save_model(model, tmp_path / "m")
    np.testing.assert_array_equal(ng.load_model(tmp_path / "m").predict(rows), model.predict(rows))


def test_standardization_of_a_standardization():
    rng = np.random.default_rng(0)
    X, y = raw(rng.standard_normal((50, 5)), rng.standard_normal(50))
    first, second = Standardization.fit(X[:30], y[:30]), Standardization.fit(X, y)
    between = first.relative_to(second)
    np.testing.assert_allclose(between.features(second.features(X)), first.features(X), atol=1e-9)
    np.testing.assert_allclose(between.target(second.target(y)), first.target(y), atol=1e-9)
    network = ng.TwoLayerNetwork(rng.standard_normal((6, 3)), rng.standard_normal(3))
    moved = second.original(between.unscaled(network).predict(second.features(X)))
    np.testing.assert_allclose(moved, first.original(network.predict(first.features(X))), rtol=1e-9)
    with pytest.raises(ng.InvalidInputError, match="without bias cannot take up means"):
        first.unscaled(ng.TwoLayerNetwork(np.ones((5, 1)), [1.0], bias=False))


@pytest.mark.parametrize(
    ("columns", "warns"),
    [
        ([np.arange(1000.0) == 7, np.arange(1000.0)], True),
        ([np.arange(1000.0) == 7, np.arange(1000.0) % 2], False),
        ([np.arange(1000.0) == 7, np.zeros(1000)], False),
        ([np.linspace(-1, 1, 1000), 99.0 * np.linspace(-1, 1, 1000)], False),
        ([np.linspace(-1, 1, 1000), 101.0 * np.linspace(-1, 1, 1000)], True),
        ([np.full(1000, 2020.0)], False),
    ],
)
def test_problems_warn_of_columns_in_other_units(columns, warns):
    X, y = np.column_stack(columns), np.ones(1000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problem = ng.TrainingProblem(X, y, beta=1.0)
        problem.with_data(X, y)
        problem.with_beta(2.0)
    assert [w.category for w in caught] == ([ng.ColumnScaleWarning] if warns else [])
    assert all(w.filename == __file__ for w in caught)
