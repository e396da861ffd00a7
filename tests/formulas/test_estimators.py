"""Fitted estimators of every kind, as formulas and as code."""

import numpy as np
import pytest
from code_models import MODELS, rows_of, sizes

import neuralgauge as ng

X = np.column_stack([np.linspace(1990, 2020, 40), 1e-6 * np.sin(np.arange(40.0))])
UP = X[:, 0] > 2005
THREE = np.where(UP, "late", np.where(X[:, 1] > 0, "early, up", "early, down"))
REAL = {"beta": 2.0, "gap": 0.2, "prove": False}
FITTED = {
    "squared": (ng.ReLURegressor(**REAL), 3.0 * UP + 1e5 * X[:, 1]),
    "absolute": (ng.ReLURegressor(loss="absolute", **REAL), np.abs(X[:, 0] - 2000)),
    "poisson": (ng.ReLURegressor(loss="poisson", **REAL), np.round(2 + 5.0 * UP)),
    "two targets": (ng.ReLURegressor(**REAL), np.column_stack([UP, X[:, 0]]).astype(float)),
    "without bias": (ng.ReLURegressor(bias=False, **REAL), X[:, 0]),
    "offset": (ng.ReLURegressor(offset=True, **REAL), 100.0 + UP),
    "chosen": (ng.ReLURegressorCV(n_betas=2, cv=2, gap=0.5), np.abs(X[:, 0] - 2000)),
    "logistic": (ng.ReLUClassifier(**REAL), UP),
    "softmax of two": (ng.ReLUClassifier(loss="softmax", **REAL), np.where(UP, 2.0, 1.0)),
    "softmax": (ng.ReLUClassifier(**REAL), THREE),
    "apart": (ng.ReLUClassifier(multi_class="one_vs_rest", **REAL), THREE),
    "hinge": (ng.ReLUClassifier(loss="squared_hinge", **REAL), THREE),
}


@pytest.fixture(params=FITTED, scope="module")
def fitted(request):
    model, y = FITTED[request.param]
    return model.fit(X, y)


def test_python_predicts_what_the_estimator_does(fitted):
    names = {}
    exec(ng.to_python(fitted), names)
    found, right = [names["predict"](row) for row in X.tolist()], fitted.predict(X)
    if not hasattr(fitted, "classes_"):
        assert np.allclose(found, right, rtol=1e-11, atol=1e-11 * np.abs(right).max())
        return
    assert found == right.tolist()
    if hasattr(fitted, "predict_proba"):
        probabilities = [names["predict_proba"](row) for row in X.tolist()]
        assert np.allclose(probabilities, fitted.predict_proba(X), atol=1e-11)


def test_the_formula_has_the_outputs(fitted):
    outputs = fitted.decision_function(X) if hasattr(fitted, "classes_") else fitted.predict(X)
    outputs = np.log(outputs) if fitted.loss == "poisson" else outputs
    formula = ng.formula(fitted, ["year", "phase"], digits=None)
    assert np.allclose(formula.predict(X), outputs, rtol=1e-9, atol=1e-9 * np.abs(outputs).max())
    assert str(ng.formula(fitted)).count("\n") >= outputs.ndim - 1


def test_formulas_of_saved_models(model):
    rows = rows_of(model)
    wanted = model.decision_function(rows)
    found = ng.formula(model, digits=None).predict(rows)
    # Without the centres the products of columns of large means lose digits that their means have.
    assert np.abs(found - wanted).max() <= 1e-9 * sizes(model, rows)


def test_outputs_are_named_by_classes_and_targets():
    lines = str(ng.formula(MODELS["softmax"])).splitlines()
    assert [line.split(" = ")[0] for line in lines if not line.startswith(" ")] == [
        "score_red",
        '`score_it\'s "blue"`',
        "score_gr\u00fcn",
    ]
    text = str(ng.formula(MODELS["targets"]))
    assert text.startswith("prediction_u = ")
    assert "`prediction_w x` = " in text


def test_names_are_those_of_the_table():
    table = {"size": X[:, 0], "a b": X[:, 1]}
    import pandas as pd

    model = ng.ReLURegressor(**REAL).fit(pd.DataFrame(table), X[:, 0])
    assert "`a b`" in str(ng.formula(model))
    assert "x[1]: a b" in ng.to_c(model)
    with pytest.raises(ng.InvalidInputError, match="must be 2 names"):
        ng.formula(model, ["one"])


def test_names_of_encoded_columns_cannot_be_changed(encoded):
    assert "street" in str(ng.formula(encoded))
    with pytest.raises(ng.InvalidInputError, match="with an encoding"):
        ng.formula(encoded, ["a"])


@pytest.mark.parametrize("write", [ng.formula, ng.to_c, ng.to_python, ng.to_excel, lambda model: ng.to_sql(model, "t")])
def test_networks_of_images_are_refused(write):
    images, y = np.random.default_rng(0).random((8, 4, 4)), np.arange(8.0)
    for model in (
        ng.ReLUConvRegressor(filter_size=2, beta=5.0, gap=0.5),
        ng.LinearConvRegressor(filter_size=2, beta=5.0),
    ):
        with pytest.raises(ng.InvalidInputError):
            write(model.fit(images, y))
