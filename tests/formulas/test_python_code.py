"""Modules of Python that are run give the predictions of the model."""

import ast
import datetime
import subprocess
import sys

import numpy as np
import pytest
from code_models import HOSTILE, MODELS, rows_of, sizes, wanted
from sklearn.pipeline import make_pipeline

import neuralgauge as ng


def namespace_of(code):
    names = {}
    exec(compile(code, "model", "exec"), names)
    return names


def test_equals_the_model(model):
    names, X = namespace_of(ng.to_python(model)), rows_of(model)
    tolerance = 1e-13 * sizes(model, X)
    rows = X.tolist()
    if not model.classes:
        found = np.array([names["predict"](row) for row in rows]).reshape(len(X), -1)
        relative = np.max(np.abs(wanted(model, X))) if model.loss == "poisson" else 1.0
        assert np.abs(found - wanted(model, X)).max() <= tolerance * relative
        return
    assert [names["predict"](row) for row in rows] == model.predict(X).tolist()
    found = [names["predict_proba" if model.has_probabilities else "predict_scores"](row) for row in rows]
    assert np.abs(np.array(found) - wanted(model, X)).max() <= tolerance


def test_columns_by_name_in_any_order():
    model = MODELS["names"]
    predict = namespace_of(ng.to_python(model))["predict"]
    (row,) = rows_of(model, 1).tolist()
    named = dict(reversed(list(zip(HOSTILE, row, strict=True))))
    assert predict(named | {"other": None}) == predict(row) == pytest.approx(model.predict([row])[0], rel=1e-12)
    with pytest.raises(KeyError):
        predict({})
    with pytest.raises(ValueError, match="must have 9 cells, got 2"):
        predict([1.0, 2.0])


def test_text_gaps_and_levels(encoded, table):
    columns, _ = table
    predict = namespace_of(ng.to_python(encoded))["predict"]
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    assert np.allclose([predict(row) for row in rows], encoded.predict(columns), rtol=1e-12)
    spaced = rows[5] | {"street": "  A ", "size": " 70.5 "}
    plain = rows[5] | {"street": "A", "size": 70.5}
    assert predict(spaced) == predict(plain)
    assert predict(plain | {"street": "n/a"}) == predict(plain | {"street": None}) != predict(plain)


def test_dates():
    days = [datetime.date(2015, 1, 1) + datetime.timedelta(days=9 * k) for k in range(80)]
    y = np.sin(np.arange(80) / 7.0)
    for cells in (days, [day.isoformat() for day in days], [None, *(day.isoformat() for day in days[1:])]):
        columns = {"day": cells}
        model = make_pipeline(ng.TableEncoder(), ng.ReLURegressor(beta=1.0, gap=0.1, prove=False)).fit(columns, y)
        predict = namespace_of(ng.to_python(model))["predict"]
        found = [predict([cell]) for cell in cells]
        assert np.allclose(found, model.predict(columns), rtol=1e-9, atol=1e-9)


def test_imports_nothing_but_the_standard_library(model):
    code = ng.to_python(model)
    imported = {name.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import) for name in node.names}
    assert imported <= {"math", "datetime"}


def test_runs_alone(tmp_path):
    model = MODELS["names"]
    (row,) = rows_of(model, 1).tolist()
    (tmp_path / "own.py").write_text(ng.to_python(model), encoding="utf-8")
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.append('.'); import own; print(own.predict({row}))"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert float(done.stdout) == pytest.approx(model.predict([row])[0], rel=1e-12)


def test_names_and_labels_are_literals_and_inject_nothing():
    names = ("a'''b", 'c"""d', "e\nimport os", "\\", "f\u2028g")
    network = ng.TwoLayerNetwork(np.ones((6, 1)), [1.0])
    code = ng.to_python(network, feature_names=names)
    assert namespace_of(code)["COLUMNS"] == names
    assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(code)))


def test_what_is_not_a_number_stays_so():
    for name in ("one feature", "two classes", "softmax"):
        names = namespace_of(ng.to_python(MODELS[name]))
        result = names["predict"]([float("nan")] * MODELS[name].network.n_features)
        assert result is None or result != result


@pytest.mark.parametrize("name", ["for", "a b", "_scores", "math", "HIDDEN", "1a", ""])
def test_names_that_are_refused(name):
    with pytest.raises(ng.InvalidInputError, match="name that Python allows"):
        ng.to_python(MODELS["one feature"], name)


def test_pipelines_with_other_steps_and_quantiles_are_refused(table):
    from sklearn.preprocessing import StandardScaler

    X, y = np.linspace(0, 1, 30)[:, None], np.linspace(0, 1, 30)
    with pytest.raises(ng.InvalidInputError, match="StandardScaler"):
        ng.to_python(make_pipeline(StandardScaler(), ng.ReLURegressor(beta=1.0)).fit(X, y))
    model = ng.ReLUQuantileRegressor(levels=(0.5,), gap=0.5, beta=1.0).fit(X, y)
    with pytest.raises(ng.InvalidInputError, match="estimators_"):
        ng.to_python(model)
    assert "def predict(row)" in ng.to_python(model.estimators_[0])
