"""Sparse matrices, several targets in tables, and what scikit-learn hands on: to estimators of tables and of images."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neuralgauge.estimators import (
    ReLUClassifier,
    ReLUClassifierCV,
    ReLUConvRegressor,
    ReLUQuantileRegressor,
    ReLURegressor,
    ReLURegressorCV,
)


@pytest.fixture(scope="module")
def table():
    """Many zeros, numbers and labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) * (rng.random((60, 5)) < 0.4)
    y = np.abs(X[:, 0]) + X[:, 1]
    return X, y, np.where(y > 0.2, "high", "low")


FORMS = [sp.csr_array, sp.csc_matrix, sp.coo_array, sp.lil_matrix]
ESTIMATORS = [
    ReLURegressor(beta=0.3),
    ReLURegressorCV(n_betas=3, cv=2, gap=1e-2),
    ReLUQuantileRegressor(levels=(0.2, 0.8), gap=0.1),
    ReLUClassifier(beta=0.3),
    ReLUClassifierCV(n_betas=3, cv=2, gap=1e-2),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("model", ESTIMATORS, ids=lambda model: type(model).__name__)
def test_sparse_is_dense(form, model, table):
    X, y, labels = table
    target = labels if isinstance(model, ReLUClassifier | ReLUClassifierCV) else y
    dense, sparse = clone(model).fit(X, target), clone(model).fit(form(X), target)
    np.testing.assert_array_equal(sparse.network_.U, dense.network_.U)
    np.testing.assert_array_equal(sparse.predict(form(X)), dense.predict(X))
    np.testing.assert_array_equal(sparse.predict(X), dense.predict(form(X)))


def both(X, y, frame):
    return frame({f"x{k}": X[:, k] for k in range(5)}), frame({"sum": y, "square": y**2, "sign": np.sign(y)})


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("model", [ReLURegressor(beta=0.3), ReLURegressorCV(n_betas=3, cv=2, gap=1e-2)], ids=["", "CV"])
def test_several_targets_in_tables(frame, model, table):
    X, y, _ = table
    rows, targets = both(X, y, frame)
    model = clone(model).fit(rows, targets)
    assert model.feature_names_in_.tolist() == [f"x{k}" for k in range(5)]
    assert model.network_.n_outputs == 3
    plain = clone(model).fit(X, np.asarray(targets))
    np.testing.assert_array_equal(model.predict(rows), plain.predict(X))
    assert model.predict(rows).shape == (60, 3)
    assert model.score(rows, targets) == pytest.approx(plain.score(X, np.asarray(targets)))


def test_one_target_in_a_table_is_a_column(table):
    X, y, _ = table
    with pytest.warns(sklearn.exceptions.DataConversionWarning, match="column-vector"):
        model = ReLURegressor(beta=0.3).fit(X, pd.DataFrame({"y": y}))
    assert model.predict(X).shape == (60,)


@pytest.mark.parametrize("model", [ReLURegressor(beta=0.3), ReLUConvRegressor(beta=0.3, filter_size=2, gap=1e-2)])
def test_weights_are_routed_to_fits_and_scores(model, table):
    X, y, _ = table
    weight = np.random.default_rng(0).integers(0, 4, size=60).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        asked = clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        found = cross_validate(asked, X, y, cv=2, params={"sample_weight": weight})["test_score"]
        refused = clone(model).set_fit_request(sample_weight=False).set_score_request(sample_weight=False)
        search = GridSearchCV(asked, {"beta": [0.3]}, cv=2).fit(X, y, sample_weight=weight)
        with pytest.raises(TypeError, match="sample_weight"):
            cross_validate(refused, X, y, cv=2, params={"sample_weight": weight})
    for score, (train, test) in zip(found, KFold(2).split(X), strict=True):
        by_hand = clone(model).fit(X[train], y[train], weight[train]).score(X[test], y[test], weight[test])
        assert score == pytest.approx(by_hand)
    np.testing.assert_array_equal(search.predict(X), clone(model).fit(X, y, weight).predict(X))


def test_groups_of_folds_and_weights_reach_cross_validation(table):
    """The folds of a CV estimator may be any splits, those of groups too; weights count in fits and in scores."""
    X, y, _ = table
    groups, weight = np.arange(60) // 6, np.arange(60) % 3 + 1.0
    splits = list(GroupKFold(2).split(X, y, groups))
    model = ReLURegressorCV(betas=[0.5], cv=splits, gap_path=1e-3, scoring="neg_mean_squared_error").fit(X, y, weight)
    for score, (train, test) in zip(model.scores_[0], splits, strict=True):
        share = weight[train].sum() / weight.sum()
        single = ReLURegressor(beta=0.5 * share, gap=1e-3).fit(X[train], y[train], weight[train])
        error = np.average((single.predict(X[test]) - y[test]) ** 2, weights=weight[test])
        assert score == pytest.approx(-error, rel=0.05)


def test_pipelines_that_pass_frames_on(table):
    X, y, _ = table
    frame = pd.DataFrame(X, columns=list("abcde"))
    pipeline = make_pipeline(StandardScaler(), ReLURegressor(beta=0.3)).set_output(transform="pandas").fit(frame, y)
    assert pipeline[-1].feature_names_in_.tolist() == list("abcde")
    assert isinstance(pipeline.predict(frame), np.ndarray)
