"""Pipelines with our estimators become ONNX models by skl2onnx, and predict the same."""

import sys

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng

pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")
import skl2onnx
from onnx_runs import close, columns_of, run
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

PRECISIONS = {"float32": FloatTensorType, "float64": DoubleTensorType}


@pytest.fixture(autouse=True, scope="module")
def registered():
    ng.register_onnx_converters()
    ng.register_onnx_converters()


def rows(precision):
    z = np.random.default_rng(0).standard_normal((30, 3))
    return (z * [1.0, 50.0, 1e-2] + [5.0, -200.0, 0.0]).astype(precision), z


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("classes", [["no", "yes"], [0, 1], [False, True], ["c", "b", "a"], [1.0, 2.0, 7.0]])
def test_a_scaler_and_a_classifier(precision, classes):
    X, z = rows(precision)
    labels = np.array(classes)[np.digitize(z[:, 0], np.quantile(z[:, 0], np.arange(1, len(classes)) / len(classes)))]
    pipeline = make_pipeline(StandardScaler(), ng.ReLUClassifier(beta=0.3, gap=0.3)).fit(X, labels)
    found = run(skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False}), X)
    assert list(found) == ["label", "probabilities"]
    assert found["label"].tolist() == pipeline.predict(X).tolist()
    assert found["probabilities"].dtype == precision
    assert (
        np.max(np.abs(found["probabilities"] - pipeline.predict_proba(X)))
        < {"float32": 1e-6, "float64": 1e-12}[precision]
    )


def test_classes_as_dictionaries_and_losses_without_probabilities():
    X, z = rows("float32")
    for labels in (z[:, 0] > 0, np.digitize(z[:, 0], [-0.5, 0.5])):
        for loss in ("logistic", "hinge"):
            model = ng.ReLUClassifier(loss=loss, beta=0.3, gap=0.3).fit(X, labels)
            (label, maps) = run(skl2onnx.to_onnx(model, X[:1]), X).values()
            assert label.tolist() == model.predict(X).tolist()
            numbered = run(skl2onnx.to_onnx(model, X[:1], options={"zipmap": False, "nocl": True}), X)["label"]
            assert model.classes_[numbered].tolist() == label.tolist()
            assert list(maps[0]) == sorted(set(labels.tolist()))
            if loss == "logistic":
                expected = model.predict_proba(X)
            else:
                scores = model.decision_function(X)
                expected = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
            assert close(np.array([list(one.values()) for one in maps]), expected, "float32")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_regressors_alone_in_pipelines_and_in_searches(precision):
    X, z = rows(precision)
    y = np.column_stack([z[:, 0], np.abs(z[:, 1])])
    search = GridSearchCV(ng.ReLURegressor(gap=0.5), {"beta": [0.3, 1.0]}, cv=2)
    for model, targets in (
        (make_pipeline(StandardScaler(), ng.ReLURegressor(beta=0.3, gap=0.3)), y),
        (make_pipeline(StandardScaler(), search), y[:, 0]),
        (ng.ReLUQuantileRegressor(beta=3.0, gap=0.5), y[:, 0]),
        (ng.ReLURegressor(loss="poisson", beta=3.0, gap=0.5), np.floor(y[:, 1])),
    ):
        model.fit(X, targets)
        found = run(skl2onnx.to_onnx(model, X[:1]), X)["variable"]
        expected = model.predict(X)
        assert found.shape == expected.reshape(len(X), -1).shape
        assert np.max(np.abs(found.reshape(expected.shape) - expected)) < {"float32": 1e-5, "float64": 1e-12}[precision]


def test_whole_numbers_several_inputs_and_images():
    X, z = rows("float64")
    whole = np.round(X).astype(np.int64)
    model = ng.ReLURegressor(beta=1.0, gap=0.5).fit(whole, z[:, 0])
    assert close(run(skl2onnx.to_onnx(model, whole[:1]), whole)["variable"], model.predict(whole), "float32")
    types = [("a", DoubleTensorType([None, 2])), ("b", DoubleTensorType([None, 1]))]
    made = skl2onnx.to_onnx(model, initial_types=types)
    assert close(run(made, {"a": X[:, :2], "b": X[:, 2:]})["variable"], model.predict(X), "float64")
    images = np.random.default_rng(0).uniform(size=(12, 4, 4, 1)).astype(np.float32)
    conv = ng.ReLUConvRegressor(filter_size=2, beta=1.0, gap=0.5).fit(images, images[:, 0, 0, 0])
    made = skl2onnx.to_onnx(conv, initial_types=[("X", FloatTensorType([None, 4, 4, 1]))])
    assert close(run(made, images)["variable"], conv.predict(images), "float32")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_tables_of_any_kind(precision):
    frame = pl.DataFrame(
        {
            "size": [1.5, None, 3.0, 4.0, 2.0, 6.0] * 3,
            "row": [f"r{k}" for k in range(18)],
            'the "kind"': ["old", "new", None, "old", "new", "old"] * 3,
            "built": [f"20{k:02d}-0{1 + k % 9}-11" for k in range(18)],
        }
    )
    y = np.arange(18.0)
    pipeline = make_pipeline(ng.TableEncoder(), StandardScaler(), ng.ReLURegressor(beta=0.3, gap=0.3)).fit(frame, y)
    inputs = columns_of(frame, pipeline[0].codes_, precision)
    number = PRECISIONS[precision]
    kinds = {"size": number, 'the "kind"': StringTensorType, "built": number}
    inputs["built"] = inputs["built"].astype(precision)
    for names in (list(kinds), list(kinds)[::-1]):
        types = [(name, kinds[name]([None, 1])) for name in names]
        made = skl2onnx.to_onnx(pipeline, initial_types=types)
        given = dict(zip([one.name for one in made.graph.input], [inputs[name] for name in names], strict=True))
        found = run(made, given)["variable"]
        assert np.max(np.abs(found[:, 0] - pipeline.predict(frame))) < {"float32": 1e-4, "float64": 1e-11}[precision]
    with pytest.raises(ng.InvalidInputError, match="takes one input a column, 'size', 'the"):
        skl2onnx.to_onnx(pipeline, initial_types=types[:1])


def test_refusals(monkeypatch):
    X, z = rows("float32")
    model = ng.ReLUClassifier(beta=1.0, gap=0.5).fit(X, np.where(z[:, 0] > 0, 0, 1))
    model.classes_ = np.array([0.5, 1.5])
    with pytest.raises(ng.InvalidInputError, match=r"skl2onnx knows classes of text and whole numbers, got 0\.5, 1\.5"):
        skl2onnx.to_onnx(model, X[:1], options={"zipmap": False})
    with pytest.raises(ng.InvalidInputError, match="call its `fit` first"):
        skl2onnx.to_onnx(ng.ReLURegressor(), X[:1])
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ng.MissingDependencyError, match="`register_onnx_converters` needs skl2onnx"):
        ng.register_onnx_converters()
