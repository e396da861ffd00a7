"""Several classes and targets, every loss, output offsets, and the choice of beta by cross-validation."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import KFold

import neuralgauge as ng


def blobs(n=60, seed=0):
    X, y = make_blobs(n, centers=[[-2, 0], [2, 0], [0, 2.5]], cluster_std=0.7, random_state=seed)
    return X, np.array(["left", "right", "top"])[y]


def targets(n=40, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, 2))
    return X, np.column_stack([np.abs(X[:, 0]), X[:, 1] ** 2])


@pytest.mark.parametrize("loss", ["logistic", "softmax", "hinge", "squared_hinge"])
@pytest.mark.parametrize("multi_class", ["joint", "one_vs_rest"])
def test_three_classes(loss, multi_class):
    if (loss, multi_class) == ("softmax", "one_vs_rest"):
        pytest.skip("softmax has no separate networks")
    X, y = blobs()
    model = ng.ReLUClassifier(loss=loss, multi_class=multi_class, beta=0.5).fit(X, y)
    assert model.score(X, y) > 0.95
    assert model.classes_.tolist() == ["left", "right", "top"]
    scores = model.decision_function(X)
    assert scores.shape == (60, 3)
    assert (model.predict(X) == model.classes_[np.argmax(scores, axis=1)]).all()
    assert model.network_.n_outputs == 3
    if loss in ("logistic", "softmax"):
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
        assert (np.argmax(model.predict_proba(X), axis=1) == np.argmax(scores, axis=1)).all()
    else:
        with pytest.raises(AttributeError, match="predict_proba"):
            _ = model.predict_proba


def test_one_against_the_rest_is_separate_networks():
    X, y = blobs()
    model = ng.ReLUClassifier(loss="hinge", multi_class="one_vs_rest", beta=0.5, gap=1e-5).fit(X, y)
    apart = [ng.ReLUClassifier(loss="hinge", beta=0.5, gap=1e-5).fit(X, y == name) for name in model.classes_]
    for k, part in enumerate(apart):
        np.testing.assert_allclose(model.decision_function(X)[:, k], part.decision_function(X), atol=2e-2)
    total = sum(part.certificate_.upper for part in apart)
    assert model.certificate_.upper == pytest.approx(total, rel=3e-5)
    joint = ng.ReLUClassifier(loss="hinge", beta=0.5, gap=1e-5).fit(X, y)
    assert joint.certificate_.upper <= model.certificate_.upper * (1 + 1e-5)


def test_weights_are_repeated_rows_for_several_classes():
    X, y = blobs(30)
    weight = np.random.default_rng(0).integers(1, 3, 30)
    first = ng.ReLUClassifier(beta=1.0).fit(X, y, weight)
    second = ng.ReLUClassifier(beta=1.0).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_array_equal(first.decision_function(X), second.decision_function(X))


def test_two_targets_share_neurons():
    X, Y = targets()
    together = ng.ReLURegressor(beta=0.3).fit(X, Y)
    assert together.predict(X).shape == (40, 2)
    assert together.score(X, Y) > 0.9
    apart = [ng.ReLURegressor(beta=0.3).fit(X, Y[:, k]).certificate_.upper for k in range(2)]
    assert together.certificate_.upper <= sum(apart) * (1 + 1e-3)


@pytest.mark.parametrize("loss", ["absolute", ng.Huber(delta=0.3), ng.Quantile(level=0.9), "epsilon_insensitive"])
def test_regression_losses(loss):
    X, Y = targets(60)
    model = ng.ReLURegressor(loss=loss, beta=0.1).fit(X, Y[:, 0])
    assert model.certificate_.gap <= 1e-3
    below = np.mean(Y[:, 0] <= model.predict(X) + 1e-6)
    assert below > 0.8 if isinstance(loss, ng.Quantile) else model.score(X, Y[:, 0]) > 0.9


def test_poisson_predicts_means():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 1))
    y = rng.poisson(np.exp(1.0 + np.abs(X[:, 0])))
    model = ng.ReLURegressor(loss="poisson", beta=1.0).fit(X, y)
    assert np.all(model.predict(X) > 0)
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.1)


def test_an_offset_takes_a_shift_of_the_target():
    X, Y = targets()
    plain = ng.ReLURegressor(beta=1.0, offset=True, gap=1e-6).fit(X, Y)
    moved = ng.ReLURegressor(beta=1.0, offset=True, gap=1e-6).fit(X, Y + 100.0)
    np.testing.assert_allclose(moved.predict(X), plain.predict(X) + 100.0, atol=0.05)


@pytest.mark.parametrize("rule", ["best", "one_standard_error"])
def test_cross_validated_classifier(rule):
    X, y = blobs()
    model = ng.ReLUClassifierCV(n_betas=6, beta_min_ratio=1e-2, cv=3, rule=rule).fit(X, y)
    assert model.score(X, y) > 0.95
    assert model.beta_ in model.betas_
    assert model.scores_.shape == (len(model.betas_), 3)
    best = int(np.argmax(model.mean_scores_))
    picked = int(np.flatnonzero(model.betas_ == model.beta_)[0])
    assert picked == best if rule == "best" else picked <= best
    alone = ng.ReLUClassifier(beta=model.beta_).fit(X, y)
    assert model.certificate_.upper == pytest.approx(alone.certificate_.upper, rel=2e-3)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert clone(model).get_params()["rule"] == rule


def test_cross_validation_scores_are_those_of_single_fits():
    X, Y = targets()
    folds = list(KFold(3).split(X))
    options = {"scoring": "r2", "early_stopping": False}
    model = ng.ReLURegressorCV(betas=[3.0, 0.3], cv=folds, gap_path=1e-5, **options).fit(X, Y)
    for j, (rows, held_out) in enumerate(folds):
        for k, beta in enumerate(model.betas_):
            share = len(rows) / len(X)  # the penalty of a fold follows its share of the rows
            single = ng.ReLURegressor(beta=beta * share, gap=1e-5).fit(X[rows], Y[rows])
            assert model.scores_[k, j] == pytest.approx(single.score(X[held_out], Y[held_out]), abs=2e-2)


def test_folds_in_parallel_change_nothing():
    X, y = blobs(40)
    models = [ng.ReLUClassifierCV(n_betas=3, beta_min_ratio=0.1, cv=2, n_jobs=jobs).fit(X, y) for jobs in (1, 2)]
    np.testing.assert_array_equal(models[0].scores_, models[1].scores_)
    assert models[0].beta_ == models[1].beta_
