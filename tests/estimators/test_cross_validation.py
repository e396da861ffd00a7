"""Choosing beta: the grid, the scores against separate fits, the rules, the limits."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold

from neuralgauge import beta_max
from neuralgauge.errors import InvalidInputError
from neuralgauge.estimators import ReLUClassifier, ReLUClassifierCV, ReLURegressor, ReLURegressorCV
from neuralgauge.estimators.descent import Point, below, is_past_the_best, still_pays
from neuralgauge.estimators.folds import chosen
from neuralgauge.problems.training import TrainingProblem
from neuralgauge.solvers.solution import Status
from neuralgauge.training.screening import screen


@pytest.fixture(scope="module")
def curve():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, size=(60, 1))
    return X, np.abs(X[:, 0]) + 0.3 * rng.normal(size=60)


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(n_samples=60, centers=3, n_features=2, cluster_std=2.5, center_box=(-5, 5), random_state=1)
    return X / X.std(axis=0), np.array(["a", "b", "c"])[y]


def test_scores_are_those_of_fits_fold_by_fold(curve):
    X, y = curve
    cv, betas = KFold(3), [3.0, 0.3]
    model = ReLURegressorCV(betas=betas, cv=cv, gap_path=1e-7, early_stopping=False).fit(X, y)
    scales = [y[rows].std() for rows, _ in cv.split(X)]  # of the folds' own targets
    assert model.betas_.tolist() == betas
    assert model.scores_.shape == (2, 3)
    for k, beta in enumerate(betas):
        for j, (rows, held_out) in enumerate(cv.split(X)):
            single = ReLURegressor(beta=beta * len(rows) / 60, gap=1e-7).fit(X[rows], y[rows])
            error = 0.5 * np.mean((single.predict(X[held_out]) - y[held_out]) ** 2)
            assert model.scores_[k, j] == pytest.approx(-error / scales[j] ** 2, rel=1e-2)
    np.testing.assert_allclose(model.mean_scores_, model.scores_.mean(axis=1))


def test_final_network_is_that_of_a_fit_at_beta(curve):
    X, y = curve
    model = ReLURegressorCV(n_betas=6, beta_min_ratio=0.01, standardize=False).fit(X, y)
    assert model.betas_[0] == pytest.approx(beta_max(TrainingProblem(X, y, beta=1.0)))
    assert model.beta_ == model.betas_[model.mean_scores_.argmax()]
    np.testing.assert_allclose(
        model.predict(X), ReLURegressor(beta=model.beta_, standardize=False).fit(X, y).predict(X), atol=0.05
    )
    assert model.certificate_.gap <= 1e-3
    assert model.score(X, y) > 0.6


def test_accuracy_is_the_score_of_classifiers(blobs):
    X, y = blobs
    cv = StratifiedKFold(3)
    model = ReLUClassifierCV(betas=[20.0, 2.0], cv=cv, gap_path=1e-4).fit(X, y)
    for j, (rows, held_out) in enumerate(cv.split(X, y)):
        single = ReLUClassifier(beta=2.0 * len(rows) / 60, gap=1e-4).fit(X[rows], y[rows])
        assert model.scores_[1, j] == pytest.approx(single.score(X[held_out], y[held_out]), abs=0.051)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.score(X, y) > 0.75
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


@pytest.mark.parametrize(
    "model",
    [
        ReLUClassifierCV(n_betas=3, cv=2, multi_class="one_vs_rest", loss="hinge", gap=0.05),
        ReLUClassifierCV(n_betas=3, cv=2, scoring="neg_log_loss", offset=True, gap=0.05),
        ReLUClassifierCV(n_betas=3, cv=2, scoring=lambda model, X, y: model.score(X, y), rule="one_standard_error"),
    ],
)
def test_variants_choose_and_fit(model, blobs):
    X, y = blobs
    model = clone(model).fit(pd.DataFrame(X, columns=["p", "q"]), y)
    assert model.beta_ in model.betas_
    assert model.feature_names_in_.tolist() == ["p", "q"]
    assert model.score(pd.DataFrame(X, columns=["p", "q"]), y) > 0.7


@pytest.mark.slow
def test_folds_in_processes_give_the_same(blobs):
    X, y = blobs
    alone, together = (ReLUClassifierCV(n_betas=3, cv=2, gap=0.05, n_jobs=jobs).fit(X, y) for jobs in (None, 2))
    np.testing.assert_array_equal(alone.scores_, together.scores_)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_searched_folds_score_like_trained_ones(loss, curve):
    options = {"loss": loss, "n_betas": 6, "beta_min_ratio": 0.01, "early_stopping": False}
    trained, searched = (ReLURegressorCV(gap_path=gap, **options).fit(*curve) for gap in (0.0099, 0.03))
    np.testing.assert_allclose(searched.mean_scores_, trained.mean_scores_, rtol=0.05)
    # With kinks both are trained, only to another gap.
    rough = [fold_trainer(ReLURegressorCV(loss=loss), gap) for gap in (0.0099, 0.01)]
    assert rough == [False, loss == "squared"]


def fold_trainer(model, gap):
    """Whether the folds are searched only."""
    problem = TrainingProblem([[0.0], [1.0]], [0.0, 1.0], beta=1.0, loss=model.loss)
    return model._fold_trainer(problem, gap) is screen


def test_shares_of_weight_scale_beta(curve):
    # Weights all doubled are the same problem at twice the beta, in every fold.
    X, y = curve
    plain = ReLURegressorCV(betas=[1.0, 0.2], cv=KFold(3), gap_path=1e-6).fit(X, y)
    doubled = ReLURegressorCV(betas=[2.0, 0.4], cv=KFold(3), gap_path=1e-6).fit(X, y, sample_weight=np.full(60, 2.0))
    np.testing.assert_allclose(plain.scores_, doubled.scores_, rtol=2e-3)


def test_weights_reach_the_scores(curve):
    X, y = curve
    weight = np.where(np.arange(60) % 2, 1.0, 0.0)
    cv = KFold(3)
    weighted = ReLURegressorCV(betas=[0.5], cv=cv, scoring="neg_mean_absolute_error").fit(X, y, sample_weight=weight)
    odd = [(rows[rows % 2 == 1] // 2, held_out[held_out % 2 == 1] // 2) for rows, held_out in cv.split(X)]
    dropped = ReLURegressorCV(betas=[0.5], cv=odd, scoring="neg_mean_absolute_error").fit(X[1::2], y[1::2])
    np.testing.assert_allclose(weighted.scores_, dropped.scores_)


def test_rules_and_ties():
    scores = np.array([[0.5, 0.5, 0.5], [0.8, 0.9, 0.7], [0.9, 0.8, 1.0], [0.9, 0.9, 0.9], [0.2, 0.2, 0.2]])
    assert chosen(scores, "best") == 2
    assert chosen(scores, "one_standard_error") == 2  # 0.9 - 0.1 / sqrt(3) = 0.842
    assert chosen(scores[:, :1], "one_standard_error") == 2
    assert chosen(np.array([[-1.0, -1.4], [-1.0, -1.2]]), "one_standard_error") == 0


def test_one_standard_error_never_takes_a_smaller_beta(curve):
    best, simple = (ReLURegressorCV(n_betas=6, rule=rule).fit(*curve) for rule in ("best", "one_standard_error"))
    np.testing.assert_array_equal(best.scores_, simple.scores_)
    assert simple.beta_ >= best.beta_
    margin = best.scores_[best.mean_scores_.argmax()].std(ddof=1) / np.sqrt(5)
    assert simple.mean_scores_[list(simple.betas_).index(simple.beta_)] >= best.mean_scores_.max() - margin


def test_descent_ends_past_the_best():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, size=(40, 3))
    y = np.abs(X[:, 0]) + rng.normal(size=40)
    options = {"n_betas": 6, "beta_min_ratio": 1e-3, "standardize": False}
    whole = ReLURegressorCV(**options, early_stopping=False).fit(X, y)
    stopped = ReLURegressorCV(**options).fit(X, y)
    second, best = np.sort(whole.mean_scores_)[-2:]
    assert second < 1.1 * best < 0.0  # one penalty is the best beyond rounding
    assert len(whole.betas_) == 6
    assert len(stopped.betas_) < 6
    np.testing.assert_array_equal(stopped.scores_, whole.scores_[: len(stopped.scores_)])
    assert stopped.beta_ == whole.beta_


def points(scores, losses, right):
    """Points of given mean scores and losses, without folds."""
    made = []
    for score, loss, is_right in zip(scores, losses, right, strict=True):
        point = Point(1.0, (), (score, score))
        point.__dict__.update(loss=loss, is_right=is_right)
        made.append(point)
    return made


def test_what_ends_the_descent():
    falling = [1.0, 0.9, 0.8, 0.7, 0.6]
    assert is_past_the_best(points([0.9] * 5, falling, [True] * 5))
    assert not is_past_the_best(points([0.9] * 4, falling[:4], [True] * 4))
    assert not is_past_the_best(points([0.9] * 5, falling, [True, True, False, True, True]))
    assert is_past_the_best(points([0.9] * 3, [0.6, 0.62, 0.7], [False] * 3))
    assert not is_past_the_best(points([0.9] * 3, [0.6, 0.62, 0.62], [False] * 3))
    assert not is_past_the_best(points([0.9, 0.9, 0.91], [0.6, 0.62, 0.7], [False] * 3))


def test_penalties_below_the_range():
    grid = np.geomspace(50.0, 0.05, 7)
    found = list(below(grid))
    np.testing.assert_allclose(found, 0.05 * 10.0 ** -np.arange(1, 4))
    assert list(below(np.array([2.0]))) == []


def test_what_pays_is_better_by_a_share_of_the_error():
    scores = np.array([[1.0, 2.0], [2.0, 4.0], [1.0, 2.0], [2.0, 4.2]])
    assert not still_pays(scores)  # 3.1 - 3 is below a tenth of the error, 1.1
    scores[-1, 1] = 4.5
    assert still_pays(scores)
    assert not still_pays(np.vstack([scores, scores[:2]]))


def test_descent_goes_on_while_it_pays():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, size=(80, 2))
    y = np.sin(3.0 * X[:, 0]) + X[:, 1] ** 2
    model = ReLURegressorCV(n_betas=7, cv=3, gap=0.1).fit(X, y)
    ratios = model.betas_ / model.betas_[0]
    assert 1e-6 * (1 - 1e-9) <= ratios[-1] < 1e-3
    assert model.beta_ < 1e-3 * model.betas_[0]
    np.testing.assert_allclose(ratios[:7], np.geomspace(1.0, 1e-3, 7))
    short = ReLURegressorCV(n_betas=7, beta_min_ratio=1e-3, cv=3, gap=0.1).fit(X, y)
    np.testing.assert_array_equal(short.scores_, model.scores_[:7])
    assert model.mean_scores_.max() > short.mean_scores_.max()


def test_an_offset_is_taken_where_it_scores_better(curve):
    X, y = curve
    plain, chosen_, with_one = (
        ReLURegressorCV(betas=[30.0], cv=3, offset=offset, standardize=False).fit(X, y + 30.0)
        for offset in (False, "auto", True)
    )
    assert (plain.offset_, chosen_.offset_, with_one.offset_) == (False, True, True)
    np.testing.assert_array_equal(with_one.scores_, chosen_.scores_)
    assert plain.certificate_.upper > 2.0 * chosen_.certificate_.upper
    centred = ReLURegressorCV(betas=[1e3], cv=3, offset="auto").fit(X, y - y.mean())
    assert not centred.offset_


def test_final_training_ends_by_patience_without_a_warning(curve):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 20))
    y = np.abs(X[:, 0]) + rng.standard_normal(150)
    options = {"betas": [0.3], "cv": 2, "gap": 1e-4}
    model = ReLURegressorCV(**options, patience=1).fit(X, y)
    assert model.solution_.status is Status.SLOW
    assert model.certificate_.gap > 1e-4
    with pytest.raises(InvalidInputError, match="`patience` must be an integer >= 1, or None for no limit, got 0"):
        ReLURegressorCV(**options, patience=0).fit(*curve)


def test_time_limit_is_kept_and_told(blobs):
    model = ReLUClassifierCV(n_betas=30, time_limit=0.5, early_stopping=False, beta_min_ratio=1e-4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*blobs)
    told = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    assert any("of 30 penalties in half of `time_limit`" in message for message in told)
    assert 1 <= len(model.betas_) < 30


def test_verbose_tells_every_penalty(curve, capsys):
    model = ReLURegressorCV(betas=[2.0, 1.0], verbose=True).fit(*curve)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("beta ")]
    assert len(lines) == len(model.betas_) == 2
    records = []
    ReLURegressorCV(betas=[1.0], verbose=records.append).fit(*curve)
    assert records


def test_copies(blobs):
    X, y = blobs
    model = ReLUClassifierCV(n_betas=3, cv=KFold(2, shuffle=True, random_state=0), rule="one_standard_error", gap=0.05)
    assert str(clone(model)) == str(model)
    again = pickle.loads(pickle.dumps(model.fit(X, y)))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.scores_, model.scores_)


def test_several_targets(curve):
    X, y = curve
    model = ReLURegressorCV(n_betas=4, cv=2).fit(X, np.column_stack([y, -y]))
    assert model.predict(X).shape == (60, 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"offset": "maybe"}, "`offset` must be True, False or 'auto', got 'maybe'"),
        ({"rule": "simplest"}, "`rule` must be 'best' or 'one_standard_error', got 'simplest'"),
        ({"betas": [1.0, 0.0]}, r"`betas` must be one or more numbers > 0, got \[1\.0, 0\.0\]"),
        ({"betas": []}, r"`betas` must be one or more numbers > 0, got \[\]"),
        ({"n_betas": 0}, "`n_betas` must be at least 1, got 0"),
        ({"beta_min_ratio": 1.5}, r"`beta_min_ratio` must be below 1, got 1\.5"),
        ({"gap_path": 0.0}, r"`gap_path` must be finite and > 0, got 0\.0"),
        ({"time_limit": -1.0}, r"`time_limit` must be finite and > 0, got -1\.0"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message, curve):
    with pytest.raises(InvalidInputError, match=message):
        ReLURegressorCV(**parameters).fit(*curve)


def test_fold_without_weight_is_refused(curve):
    X, y = curve
    weight = (np.arange(60) >= 30).astype(float)
    with pytest.raises(InvalidInputError, match="on both sides of every split of `cv`"):
        ReLURegressorCV(cv=KFold(2)).fit(X, y, sample_weight=weight)
