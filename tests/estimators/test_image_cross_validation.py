"""Choosing beta for images: the scores against separate fits, readouts, classes, one code for tables and images."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

import neuralgauge as ng
from neuralgauge.estimators import ReLUConvClassifier, ReLUConvClassifierCV, ReLUConvRegressor, ReLUConvRegressorCV
from neuralgauge.estimators.cross_validation import CrossValidated


def steps(n=24, seed=0):
    """Signals of six numbers with one step, the number of its height, and whether it goes up."""
    rng = np.random.default_rng(seed)
    heights, places = rng.normal(size=n), rng.integers(1, 6, size=n)
    X = np.where(np.arange(6) >= places[:, None], heights[:, None], 0.0) + 0.05 * rng.normal(size=(n, 6))
    return X, np.maximum(heights, 0.0), np.where(heights > 0.0, "up", "down")


@pytest.mark.parametrize("readout", ["pooled", "flattened", "separable"])
def test_scores_are_those_of_fits_fold_by_fold(readout):
    X, y, _ = steps()
    cv, betas, options = KFold(3), [1.0, 0.2], {"filter_size": 2, "readout": readout}
    model = ReLUConvRegressorCV(
        betas=betas, cv=cv, gap_path=1e-6, early_stopping=False, scoring="neg_mean_squared_error", **options
    ).fit(X, y)
    assert model.betas_.tolist() == betas
    for k, beta in enumerate(betas):
        for j, (rows, held_out) in enumerate(cv.split(X)):
            single = ReLUConvRegressor(beta=beta * len(rows) / 24, gap=1e-6, **options).fit(X[rows], y[rows])
            error = np.mean((single.predict(X[held_out]) - y[held_out]) ** 2)
            assert model.scores_[k, j] == pytest.approx(-error, rel=1e-2)


def test_final_network_is_that_of_a_fit_at_beta():
    X, y, _ = steps()
    model = ReLUConvRegressorCV(filter_size=2, n_betas=5).fit(X, y)
    assert model.beta_ == model.betas_[model.mean_scores_.argmax()]
    problem = ng.ReLUConvProblem(X, y, beta=model.beta_, filter_size=2)
    assert model.betas_[0] == pytest.approx(ng.beta_max(problem))
    assert problem.objective(model.network_) == pytest.approx(model.certificate_.upper, rel=1e-10)
    assert ng.train(problem, gap=1e-3).certificate.lower <= model.certificate_.upper * (1.0 + 1e-12)
    assert model.score(X, y) > 0.9
    assert model.filters_.shape[1:] == (2, 1)


def test_classes_of_images_and_an_offset_that_the_folds_try():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(30, 4, 4, 1)), np.array(["bright", "dark", "dark"] * 10)
    X[labels == "bright", 1:3, 1:3] += 3.0
    model = ReLUConvClassifierCV(n_betas=3, cv=3, offset="auto", gap=1e-2).fit(X, labels)
    assert model.mean_scores_.max() > 0.9
    assert model.predict(X[:3]).tolist() == ["bright", "dark", "dark"]
    assert model.offset_ in (True, False)
    assert model.image_shape_ == (4, 4, 1)
    single = ReLUConvClassifier(beta=model.beta_, offset=model.offset_, gap=1e-3).fit(X, labels)
    np.testing.assert_allclose(model.predict_proba(X), single.predict_proba(X), atol=0.1)


def test_one_network_a_class_and_copies():
    X, _, labels = steps(30)
    labels = np.where(np.abs(X).max(axis=1) < 0.4, "flat", labels)
    model = ReLUConvClassifierCV(filter_size=2, n_betas=3, cv=3, multi_class="one_vs_rest", gap=1e-2).fit(X, labels)
    assert model.certificate_.separate
    assert model.decision_function(X).shape == (30, 3)
    assert clone(model).fit(X, labels).scores_.tolist() == model.scores_.tolist()


@pytest.mark.parametrize("cls", [ReLUConvRegressorCV, ReLUConvClassifierCV])
def test_tables_and_images_share_the_choice(cls):
    assert cls._fit_data is CrossValidated._fit_data
    with pytest.raises(ng.InvalidInputError, match="`rule` must be"):
        cls(filter_size=2, rule="worst").fit(steps()[0], [0, 1] * 12)
    with pytest.raises(ng.InvalidInputError, match="channels last"):
        cls().fit(np.zeros((6, 3, 8, 8)), [0, 1] * 3)
