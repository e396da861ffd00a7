"""Constraints as parameters of estimators, in the user's units, and in model files."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng
from neuralgauge.errors import InvalidInputError


def houses(n=150, seed=0):
    """Prices that rise with size and fall with age, in wild units."""
    rng = np.random.default_rng(seed)
    size, age = rng.uniform(5e4, 3e5, n), rng.uniform(0.0, 1e-3, n)
    price = 1e6 + 4.0 * size - 2e8 * age + 1e5 * rng.standard_normal(n)
    return pd.DataFrame({"size": size, "age": age}), price


def order_violations(predict, X, signs, count=20_000):
    """Of random pairs that differ in one column, how many are in the wrong order."""
    rng, wrong = np.random.default_rng(0), 0
    low, high = X.min().to_numpy(), X.max().to_numpy()
    for k, sign in enumerate(signs):
        x = low + (high - low) * (3.0 * rng.random((count, len(signs))) - 1.0)
        moved = x.copy()
        moved[:, k] += sign * (high - low)[k] * rng.random(count)
        pairs = [pd.DataFrame(rows, columns=X.columns) for rows in (x, moved)]
        wrong += int(np.sum(predict(pairs[1]) < predict(pairs[0])))
    return wrong


@pytest.mark.parametrize("standardize", [True, False])
def test_regressors_obey_in_the_units_of_the_user(standardize):
    X, y = houses()
    with warnings.catch_warnings(action="ignore", category=ng.ColumnScaleWarning):
        model = ng.ReLURegressor(monotonic_cst={"size": 1, "age": -1}, standardize=standardize, time_limit=20).fit(X, y)
    assert model.certificate_.constrained
    assert order_violations(model.predict, X, (1, -1)) == 0
    if standardize:
        assert model.score(X, y) > 0.8
        assert model.network_.n_neurons > 0


def test_names_and_positions_are_the_same():
    X, y = houses()
    named = ng.ReLURegressor(monotonic_cst={"age": -1}).fit(X, y)
    numbered = ng.ReLURegressor(monotonic_cst=[0, -1]).fit(X.to_numpy(), y)
    assert named.predict(X).tolist() == numbered.predict(X.to_numpy()).tolist()
    with pytest.raises(InvalidInputError, match="must name columns of X, got 'rooms'"):
        ng.ReLURegressor(monotonic_cst={"rooms": 1}).fit(X, y)
    with pytest.raises(InvalidInputError, match="only where X has named columns"):
        ng.ReLURegressor(monotonic_cst={"size": 1}).fit(X.to_numpy(), y)


def test_the_probability_of_the_second_class_obeys():
    X, y = houses()
    labels = np.where(y > np.median(y), "dear", "cheap")
    model = ng.ReLUClassifier(monotonic_cst={"size": -1, "age": 1}, gap=1e-2).fit(X, labels)  # of "dear": it falls
    assert order_violations(lambda rows: model.predict_proba(rows)[:, 0], X, (1, -1)) == 0
    model = ng.ReLUClassifier(monotonic_cst=[-1, 1], gap=1e-2).fit(X.to_numpy(), labels)
    assert model.classes_.tolist() == ["cheap", "dear"]
    three = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    with pytest.raises(InvalidInputError, match="are for one output, got 3"):
        ng.ReLUClassifier(monotonic_cst=[1, 0]).fit(X.to_numpy(), three)


def test_positive_regression_does_not_centre_the_target():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 2)) + np.array([50.0, -3.0])
    y = 30.0 * np.maximum(X[:, 0] - 50.0, 0.0) + rng.standard_normal(80)
    model = ng.ReLURegressor(positive=True).fit(X, y)
    assert model.scaling_.target_mean == 0.0
    assert model.score(X, y) > 0.9
    assert np.all(model.predict(100.0 * rng.standard_normal((5000, 2))) >= 0.0)
    with pytest.raises(InvalidInputError, match="leave one of them out"):
        ng.ReLURegressor(positive=True, offset=True).fit(X, y)


def test_quantiles_obey():
    X, y = houses(60)
    model = ng.ReLUQuantileRegressor(monotonic_cst={"size": 1}, levels=(0.1, 0.9), gap=1e-2, holdout=0.0).fit(X, y)
    for k in range(2):
        assert order_violations(lambda rows, k=k: model.predict_quantiles(rows)[:, k], X, (1, 0), 2000) == 0
    with pytest.raises(InvalidInputError, match="`convexity` is for one level"):
        ng.ReLUQuantileRegressor(convexity="convex").fit(X, y)


def test_searches_and_pipelines_take_them():
    X, y = houses(60)
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), ng.ReLURegressor(gap=1e-2))
    grid = {"reluregressor__monotonic_cst": [None, {"size": 1, "age": -1}, [1, -1]]}
    found = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert len(found.cv_results_["params"]) == 3
    scores = found.cv_results_["mean_test_score"]
    assert scores[1] == scores[2]


def test_cross_validation_keeps_them():
    X, y = houses(60)
    model = ng.ReLURegressorCV(monotonic_cst=[1, -1], n_betas=3, cv=2, gap=1e-2).fit(X.to_numpy(), y)
    assert model.certificate_.constrained
    assert np.all(np.sign(model.network_.A[:, 0]) * model.network_.U[0] >= 0.0)


def test_model_files_keep_them(tmp_path):
    X, y = houses()
    model = ng.ReLURegressor(monotonic_cst={"size": 1}, convexity="concave").fit(X, y)
    ng.save_model(model, tmp_path / "m")
    loaded = ng.load_model(tmp_path / "m")
    assert loaded.constraints == ((1, 0), "concave", False)
    assert loaded.certificate.constrained
    assert loaded.predict(X).tolist() == model.predict(X).tolist()
    plain = ng.ReLURegressor().fit(X, y)
    ng.save_model(plain, tmp_path / "p")
    assert ng.load_model(tmp_path / "p").constraints == (None, None, False)
