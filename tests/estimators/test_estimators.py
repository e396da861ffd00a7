"""What scikit-learn's contract does not ask: messages, certificates, canonical rows, tables."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neuralgauge.errors import InvalidInputError
from neuralgauge.estimators import ReLUClassifier, ReLURegressor
from neuralgauge.problems.penalty import beta_max
from neuralgauge.problems.training import TrainingProblem


@pytest.fixture
def regression_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    return X, np.abs(X[:, 0]) + 0.5 * X[:, 1]


@pytest.fixture
def class_data(regression_data):
    X, y = regression_data
    return X, np.where(y > np.median(y), "yes", "no")


def test_fitted_regressor_carries_its_certificate(regression_data):
    X, y = regression_data
    model = ReLURegressor(beta=0.5, standardize=False).fit(X, y)
    assert model.beta_ == 0.5
    assert model.certificate_.gap <= 1e-3
    assert model.network_.n_features == 3
    problem = TrainingProblem(X, y, beta=0.5)
    objective = problem.fit.value(model.predict(X)) + 0.5 * model.network_.weight_decay()
    assert objective == pytest.approx(model.certificate_.upper, rel=1e-10)


def test_beta_none_is_one_percent_of_beta_max(regression_data):
    X, y = regression_data
    expected = 0.01 * beta_max(TrainingProblem(X, y, beta=1.0))
    assert ReLURegressor(gap=0.1, standardize=False).fit(X, y).beta_ == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("estimator", [ReLURegressor(), ReLUClassifier(), ReLUClassifier(loss="hinge")])
def test_rows_in_any_order_and_weights_as_repeats_fit_to_the_last_bit(estimator, regression_data):
    X, y = regression_data
    X, y = X[:15].round(1), np.where(y[:15] > 0.5, 1.0, 0.0)
    weight = np.arange(15) % 4
    repeated = np.random.default_rng(1).permutation(np.repeat(np.arange(15), weight))
    weighted = clone(estimator).fit(X, y, sample_weight=weight)
    listed = clone(estimator).fit(X[repeated], y[repeated])
    np.testing.assert_array_equal(weighted.network_.U, listed.network_.U)
    np.testing.assert_array_equal(weighted.network_.A, listed.network_.A)


def test_negative_zero_is_zero():
    y = [0.0, 1.0, 2.0]
    plus = ReLURegressor(beta=0.1).fit([[0.0], [1.0], [2.0]], y)
    minus = ReLURegressor(beta=0.1).fit([[-0.0], [1.0], [2.0]], y)
    np.testing.assert_array_equal(plus.network_.U, minus.network_.U)


def test_gap_not_reached_warns_with_both_gaps(regression_data):
    with pytest.warns(ConvergenceWarning, match=r"reached a relative gap of .*1\.00e-13 was asked for.*time limit"):
        ReLURegressor(beta=0.01, gap=1e-13, time_limit=1e-3).fit(*regression_data)


def test_classifier_outputs_agree(class_data):
    X, y = class_data
    model = ReLUClassifier(beta=0.1).fit(X, y)
    margin, probability = model.decision_function(X), model.predict_proba(X)
    assert model.classes_.tolist() == ["no", "yes"]
    assert margin.shape == (30,)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.log(probability[:, 1] / probability[:, 0]), margin, atol=1e-9)
    np.testing.assert_array_equal(model.predict(X), np.where(margin > 0, "yes", "no"))
    assert model.score(X, y) > 0.9


def test_hinge_has_no_probabilities_and_says_why(class_data):
    model = ReLUClassifier(loss="hinge", beta=0.1).fit(*class_data)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError) as caught:
        model.predict_proba(class_data[0])
    assert "loss='logistic'" in str(caught.value.__cause__ or caught.value)


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame])
def test_tables_give_feature_names(table, regression_data):
    X, y = regression_data
    frame = table({name: X[:, k] for k, name in enumerate("abc")})
    model = ReLURegressor(beta=1.0).fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(model.predict(frame), ReLURegressor(beta=1.0).fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["c", "b", "a"]])


def test_pandas_and_polars_targets(class_data):
    X, y = class_data
    for target in (pd.Series(y), pl.Series(y), list(y)):
        assert ReLUClassifier(beta=1.0).fit(X, target).classes_.tolist() == ["no", "yes"]


def test_pipeline_and_grid_search(regression_data):
    pipeline = make_pipeline(StandardScaler(), ReLURegressor(gap=1e-2))
    search = GridSearchCV(pipeline, {"reluregressor__beta": [0.1, 100.0]}, cv=2).fit(*regression_data)
    assert search.best_params_ == {"reluregressor__beta": 0.1}
    assert search.best_estimator_[-1].beta_ == 0.1


@pytest.mark.parametrize("beta", [None, 0.5])
def test_constant_targets_and_constant_columns_work(beta):
    X = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    np.testing.assert_allclose(ReLURegressor(beta=beta).fit(X, [0.0, 0.0, 0.0]).predict(X), 0.0, atol=1e-6)
    assert ReLURegressor(beta=beta).fit(X, [7.0, 7.0, 7.0]).predict(X) == pytest.approx(7.0, rel=0.2)
    assert ReLURegressor(beta=beta).fit(X * 0, [1.0, 2.0, 3.0]).predict(X * 0).shape == (3,)


def test_progress_callable_and_verbose(regression_data, capsys):
    records = []
    ReLURegressor(beta=0.5, verbose=records.append).fit(*regression_data)
    assert records
    assert records[-1].objective >= records[-1].lower_bound
    ReLURegressor(beta=0.5, verbose=True).fit(*regression_data)
    captured = capsys.readouterr()
    assert "gap" in captured.err
    assert captured.out == ""


def test_random_state_may_be_a_generator(regression_data):
    X, y = regression_data
    first, second = (ReLURegressor(beta=0.5, random_state=np.random.RandomState(3)).fit(X, y) for _ in range(2))
    assert np.array_equal(first.predict(X), second.predict(X))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ReLURegressor(beta=-1.0), r"`beta` must be finite and > 0, got -1\.0"),
        (ReLURegressor(gap=0), r"`gap` must be finite and > 0, got 0\.0"),
        (ReLURegressor(time_limit=-3), r"`time_limit` must be finite and > 0, got -3\.0"),
        (ReLURegressor(loss="hinge"), "must be one of .'squared', .*, got 'hinge', which belongs to ReLUClassifier"),
        (ReLURegressor(loss="magic"), "`loss` must be one of .* got 'magic'"),
        (ReLUClassifier(loss="squared"), "got 'squared', which belongs to ReLURegressor"),
    ],
)
def test_parameters_out_of_range_are_named(estimator, message):
    with pytest.raises(InvalidInputError, match=message):
        estimator.fit([[0.0], [1.0], [2.0]], [0, 1, 1])


@pytest.mark.parametrize(
    ("X", "y", "weight", "message"),
    [
        ([[0.0]], [1.0], None, "1 sample"),
        ([[0.0], [np.nan]], [1.0, 2.0], None, "`X` must be finite, got NaN in row 1, column 0"),
        (pd.DataFrame({"age": [1.0, np.inf]}), [1.0, 2.0], None, "got inf in row 1, column 'age'"),
        ([[0.0], [1.0]], [1.0, np.nan], None, "y contains NaN"),
        ([[0.0], [1.0]], [1.0, 2.0], [1.0, -1.0], "`sample_weight` must be >= 0, got -1.0 in row 1"),
        ([[0.0], [1.0]], [1.0, 2.0], [0.0, 0.0], "only weights of zero"),
        ([[0.0], [1.0]], [1.0, 2.0], [1.0], "one entry per row"),
    ],
)
def test_bad_data_is_located(X, y, weight, message):
    with pytest.raises(ValueError, match=message):
        ReLURegressor(beta=1.0).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize(
    ("y", "weight", "message"),
    [
        ([1, 1, 1], None, "two classes among the rows of positive weight, got one class, 1"),
        ([0, 1, 1], [0, 1, 1], "got one class, 1"),
        ([0.5, 1.5, 2.5], None, "continuous"),
    ],
)
def test_wrong_classes_are_explained(y, weight, message):
    with pytest.raises(ValueError, match=message):
        ReLUClassifier(beta=1.0).fit([[0.0], [1.0], [2.0]], y, sample_weight=weight)
