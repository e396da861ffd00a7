"""ONNX models predict what the models predict, in onnxruntime: every kind of network, estimator, loss and encoding."""

import os
import sys
import warnings
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from cases import own_loss, targets_of
from sklearn.pipeline import make_pipeline

import neuralgauge as ng
from neuralgauge.certificate import Certificate
from neuralgauge.features.readouts import regions_of
from neuralgauge.interchange import SavedModel
from neuralgauge.interchange.model_file import from_estimator
from neuralgauge.losses import LOSSES, get_loss
from neuralgauge.preparation import Standardization
from neuralgauge.preparation.encoding import ColumnCode
from neuralgauge.preparation.table_encoding import feature_names

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_runs import close, columns_of, of, run

PRECISIONS = ("float64", "float32")


def single(X):
    """Numbers that single precision holds, so that inputs are the same in both."""
    return X.astype(np.float32).astype(np.float64)


def table(n=40, seed=0):
    """Columns in wild units: a mean of a million deviations, deviations of 1e-5 and 1e9."""
    z = np.random.default_rng(seed).standard_normal((n, 3))
    return single(np.column_stack([1e6 + z[:, 0], 2.0 + 1e-5 * z[:, 1], 1e9 * z[:, 2]])), z


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("precision", PRECISIONS)
def test_random_dense_networks(seed, precision):
    rng = np.random.default_rng(seed)
    d, m, c, bias = rng.integers(1, 6), rng.integers(0, 9), rng.integers(1, 4), bool(seed % 2)
    weights = rng.normal(size=(d + bias, m)), rng.normal(size=(m, c))
    network = ng.TwoLayerNetwork(*weights, bias, rng.normal(size=c) if seed % 3 else 0.0)
    X = single(rng.normal(size=(7, d)))
    found = of(network, X, precision)["variable"]
    assert found.shape == (7, c)
    assert found.dtype == precision
    assert np.allclose(found, network.predict(X).reshape(7, c), rtol=0, atol=1e-13 if precision == "float64" else 1e-5)
    if m == 0:
        np.testing.assert_array_equal(found, np.broadcast_to(network.offset.astype(precision), (7, c)))


@pytest.mark.parametrize("seed", range(10))
def test_single_precision_is_off_by_what_the_terms_allow(seed):
    """Neurons in pairs that cancel, and columns in wild units: the bound of the docstring, and that it is needed."""
    rng = np.random.default_rng(seed)
    U, A = rng.normal(size=(4, 20)), 1e3 * rng.normal(size=(20, 1))
    U, A = np.hstack([U, U + 1e-4 * rng.normal(size=U.shape)]), np.vstack([A, -A])
    X, _ = table(seed=seed)
    scaling = Standardization(X.mean(axis=0), X.std(axis=0), -40.0, 3.0)
    saved = SavedModel(
        network=ng.TwoLayerNetwork(U, A),
        task="regression",
        loss="squared",
        beta=1.0,
        certificate=Certificate(1.0, 0.5, "estimated"),
        standardization=scaling,
    )
    Z = np.column_stack([scaling.features(X), np.ones(len(X))])
    terms = 40.0 + 3.0 * np.abs(Z) @ np.abs(U) @ np.abs(A)[:, 0]
    error = np.abs(of(saved, X, "float32")["variable"][:, 0] - saved.predict(X))
    assert np.all(error <= 1e-7 * terms)
    assert np.max(error) > 1e-6 * np.max(np.abs(saved.predict(X)))


CONVOLUTIONS = [
    {},
    {"bias": False, "c": 3},
    {"readout": "flattened", "c": 3},
    {"readout": "flattened", "stride": (2, 1), "filter_size": (3, 2)},
    {"readout": (2, 3), "c": 2},
    {"readout": "separable"},
    {"readout": "separable", "c": 3},
    {"padding": (0, 2), "readout": "flattened"},
    {"padding": (0, 2), "mode": "circular", "readout": "flattened"},
    {"padding": "same", "mode": "circular", "stride": 2, "c": 2},
    {"shape": (9, 1), "padding": "same"},
    {"shape": (9, 2), "padding": "same", "mode": "circular", "readout": (3,), "c": 3},
    {"m": 0},
]


def geometry_of(shape=(6, 5, 2), filter_size=2, stride=1, padding=0, mode="zeros", **_):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ng.DroppedPixelsWarning)
        return ng.PatchGeometry(shape, filter_size, stride, padding, mode)


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_convolutional_networks(case, precision):
    rng, geometry = np.random.default_rng(0), geometry_of(**case)
    readout, bias, c, m = case.get("readout", "pooled"), case.get("bias", True), case.get("c", 1), case.get("m", 4)
    P = regions_of(readout, geometry.output_shape)[2]
    U, A = rng.normal(size=(geometry.d + bias, m)), rng.normal(size=(m, P * c))
    network = ng.ReLUConvNetwork(U, A, bias, rng.normal(size=c), geometry=geometry, readout=readout)
    images = single(rng.normal(size=(3, *geometry.shape)))
    found = of(network, images, precision)["variable"]
    assert found.shape == (*network.predict(images).shape[: 2 if readout == "separable" else 1], c)
    assert close(found, network.predict(images), precision)
    kinds = {node.op_type for node in ng.to_onnx(network, precision=precision).graph.node}
    assert ("Conv" in kinds) == (precision == "float32")
    A = rng.normal(size=(m, geometry.n_positions, c))
    linear = ng.LinearConvNetwork(U[: geometry.d], A, geometry, rng.normal(size=c))
    assert close(of(linear, images, precision)["variable"], linear.predict(images), precision)


def regression_losses():
    return [name for name in LOSSES if get_loss(name).targets in ("real", "count")]


@pytest.mark.parametrize("loss", [*regression_losses(), "own"])
def test_regressors_in_wild_units(loss):
    X, z = table(20)
    loss = own_loss() if loss == "own" else loss
    for c, offset in ((1, True), (2, False)):
        y = targets_of(loss, np.abs(z[:, :c]) + z[:, 1:2])
        y = y * 1e3 + 5e3 if get_loss(loss).targets == "real" else y
        model = ng.ReLURegressor(loss=loss, gap=0.3, beta=1.0, offset=offset).fit(X, y)
        assert model.network_.n_neurons
        for precision in PRECISIONS:
            assert close(of(model, X, precision)["variable"], model.predict(X), precision)


CLASSES = [["ja", "né\"in'"], ["c", "b", "a"], [-3, 7], [False, True], [1.0, 3.0, 2e9]]
CLASS_LOSSES = [name for name in LOSSES if get_loss(name).targets in ("sign", "simplex")]


@pytest.mark.parametrize(
    ("loss", "classes"), [(loss, one) for loss in CLASS_LOSSES for one in CLASSES[: 5 if loss == "logistic" else 2]]
)
def test_classifiers(loss, classes):
    X, z = table(30)
    labels = np.array(classes)[np.searchsorted(np.quantile(z[:, 0], [0.4, 0.7][: len(classes) - 1]), z[:, 0])]
    for multi_class in ("joint", "one_vs_rest")[: 1 if loss == "softmax" else len(classes) - 1]:
        model = ng.ReLUClassifier(loss=loss, multi_class=multi_class, gap=0.3, beta=0.3).fit(X, labels)
        for precision in PRECISIONS:
            found = of(model, X, precision)
            assert found["label"].tolist() == model.predict(X).tolist()
            assert len(set(found["label"].tolist())) > 1
            if loss in ("logistic", "softmax"):
                assert close(found["probabilities"], model.predict_proba(X), precision)
                assert set(found) == {"label", "probabilities"}
            else:
                assert close(found["scores"], model.decision_function(X), precision)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_probabilities_of_one_against_the_rest_far_from_all_classes(precision):
    """All sigmoids underflow, whose quotients would be NaN."""
    saved = SavedModel(
        network=ng.TwoLayerNetwork([[1.0], [0.0]], [[-1000.0, -999.0, -1010.0]]),
        task="classification",
        loss="logistic",
        multi_class="one_vs_rest",
        beta=1.0,
        certificate=Certificate(1.0, 0.5, "estimated"),
        standardization=Standardization.identity(1),
        classes=("a", "b", "c"),
    )
    X = np.array([[1.0], [3.0], [0.0]])
    assert close(of(saved, X, precision)["probabilities"], saved.predict_proba(X), precision)
    assert 0.7 < saved.predict_proba(X)[0, 1] < 0.74


def test_other_estimators_of_tables():
    X, z = table(30)
    y = 10.0 * z[:, 0] + z[:, 1]
    quantiles = ng.ReLUQuantileRegressor(levels=(0.9, 0.1, 0.4), gap=0.3).fit(X, y)
    models = (
        ng.ReLURegressorCV(n_betas=2, cv=2, gap=0.3).fit(X, y),
        ng.ReLURegressor(standardize=False, gap=0.3).fit(single(z), y),
        ng.ReLURegressor(bias=False, gap=0.3).fit(single(z), y),
        ng.ReLUQuantileRegressor(levels=(0.5,), gap=0.3).fit(X, y),
    )
    classifier = ng.ReLUClassifierCV(n_betas=2, cv=2, gap=0.3).fit(X, y > 0)
    for precision in PRECISIONS:
        found = of(quantiles, X, precision)
        assert close(found["quantiles"], quantiles.predict_quantiles(X), precision)
        assert close(found["variable"], quantiles.predict(X), precision)
        for model, rows in zip(models, (X, single(z), single(z), X), strict=True):
            assert close(of(model, rows, precision)["variable"], model.predict(rows), precision)
        assert close(of(classifier, X, precision)["probabilities"], classifier.predict_proba(X), precision)


def test_estimators_of_images():
    rng = np.random.default_rng(0)
    X = single(rng.uniform(size=(20, 5, 4, 2)))
    y = X[:, 1:, 1:].sum(axis=(1, 2, 3))
    labels, circular = np.digitize(y, np.quantile(y, [0.3, 0.6])), {"padding": "same", "padding_mode": "circular"}
    regressors = [
        ng.ReLUConvRegressor(filter_size=2, gap=0.4).fit(X, y),
        ng.ReLUConvRegressor(filter_size=2, readout="separable", gap=0.4).fit(X, y),
        ng.ReLUConvRegressorCV(filter_size=2, n_betas=2, cv=2, gap=0.4).fit(X, y),
        ng.LinearConvRegressor(filter_size=(5, 4), gap=0.1, **circular).fit(X, y),
    ]
    scaling = Standardization([0.5, 40.0], [0.1, 7.0], 3.0, 2.0)
    regressors.append(replace(from_estimator(regressors[0]), standardization=scaling))
    kinds = (ng.ReLUConvClassifier, ng.LinearConvClassifier)
    classifiers = [kind(filter_size=2, gap=0.4).fit(X, labels) for kind in kinds]
    for precision in PRECISIONS:
        for model in regressors:
            assert close(of(model, X, precision)["variable"], model.predict(X), precision)
        for model in classifiers:
            assert close(of(model, X, precision)["probabilities"], model.predict_proba(X), precision)


FRAME = pl.DataFrame(
    {
        "size, m²": [1.5, 2.5, None, 4.0, 1e6, 3.0, 2.0, 2.5],
        "X": [1, 2, 3, 4, 5, 6, 7, 9],
        'kind "of" house': ["old", "new", "old", "new", "ö'l", None, "old", "new"],
        "side": ["left", "right"] * 4,
        "label": ["a", "a", "b", "b", "N/a", "rare", "seldom", " b "],
        "built": [
            "2001-05-01",
            "2010-01-31",
            None,
            "1999-12-31",
            "2020-02-29",
            "2001-06-01",
            "2003-01-01",
            "2002-02-02",
        ],
        "seen": [f"2024-03-{day:02d} {day:02d}:30" for day in range(1, 24, 3)],
        "number": [f"row {k}" for k in range(8)],
        "constant": ["same"] * 8,
    }
)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_encoded_columns(precision):
    encoder = ng.TableEncoder().fit(FRAME)
    assert {code.kind for code in encoder.codes_} == {"number", "category", "date", "left out"}
    assert any(code.joined for code in encoder.codes_)
    features = encoder.transform(FRAME)
    for y in (features @ np.arange(1.0, features.shape[1] + 1.0), ["yes", "no"] * 4):
        estimator = ng.ReLUClassifier if isinstance(y, list) else ng.ReLURegressor
        fitted = from_estimator(estimator(beta=0.1).fit(features, y))
        saved = replace(fitted, encoding=encoder.codes_, feature_names=feature_names(encoder.codes_))
        pipeline = make_pipeline(ng.TableEncoder(), estimator(beta=0.1)).fit(FRAME, y)
        other = FRAME.with_columns(
            pl.Series("side", ["left", "unseen", None, "NA", "nUlL", "right", "?", "none"]),
            pl.Series("label", ["unseen", None, "", "a", "b", "rare", "nan", "NaN"]),
            pl.Series("X", [None, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]),
            pl.Series("seen", [None, *FRAME["seen"][1:]]),
        )
        for frame in (FRAME, other):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ng.UnknownLevelWarning)
                expected = saved.predict(frame) if estimator is ng.ReLURegressor else saved.predict_proba(frame)
            found = of(saved, columns_of(frame, saved.encoding, precision), precision)
            name = "variable" if estimator is ng.ReLURegressor else "probabilities"
            assert close(found[name], expected, precision)
            inputs = columns_of(frame, saved.encoding, precision)
            assert close(of(pipeline, inputs, precision)[name], expected, precision)
        assert set(found) == ({"variable"} if name == "variable" else {"label (2)", "probabilities"})


def test_a_level_that_is_a_word_for_missing_values():
    code = ColumnCode("a", "category", levels=("NA", "b", "c"), missing=True)
    frame = pl.DataFrame({"a": ["NA", "b", "c", "", "d"]})
    network = ng.TwoLayerNetwork([[1.0], [2.0], [4.0], [8.0], [0.0]], [1.0])
    saved = SavedModel(
        network=network,
        task="regression",
        loss="squared",
        beta=1.0,
        certificate=Certificate(1.0, 0.5, "estimated"),
        standardization=Standardization.identity(4),
        encoding=(code,),
        feature_names=feature_names((code,)),
    )
    with pytest.warns(ng.UnknownLevelWarning):
        expected = saved.predict(frame)
    assert expected.tolist() == [8.0, 2.0, 4.0, 8.0, 0.0]
    for precision in PRECISIONS:
        found = of(saved, columns_of(frame, (code,), precision), precision)["variable"]
        assert found[:, 0].tolist() == expected.tolist()


def test_saved_models_without_encoding(tmp_path):
    X, z = table()
    names = ("a b", 'c"', "d")
    model = from_estimator(ng.ReLURegressor(loss="poisson", gap=0.1).fit(X, z[:, 0] > 0), feature_names=names)
    ng.save_model(model, tmp_path / "m")
    made = ng.to_onnx(ng.load_model(tmp_path / "m"), precision="float64")
    assert close(run(made, X)["variable"], model.predict(X), "float64")
    facts = {one.key: one.value for one in made.metadata_props}
    assert facts["feature_names"] == '["a b", "c\\"", "d"]'
    assert facts["certificate"].startswith("As the model file states")


def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    network, path = ng.TwoLayerNetwork([[1.0], [0.5]], [1.0]), tmp_path / "model.onnx"
    made = ng.to_onnx(network, path)
    assert path.read_bytes() == made.SerializeToString(deterministic=True)
    assert {one.name: one.type.tensor_type.elem_type for one in made.graph.input} == {"X": 1}
    with pytest.raises(ng.InvalidInputError, match="exists already"):
        ng.to_onnx(network, path)
    ng.to_onnx(network, str(path), "float64", force=True)
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ng.InvalidInputError, match="No space left"):
        ng.to_onnx(network, path, force=True)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_refusals(monkeypatch):
    network = ng.TwoLayerNetwork([[1.0], [0.5]], [1.0])
    pipeline = make_pipeline(ng.ReLURegressor())
    for model, words in (
        (ng.ReLURegressor(), "got ReLURegressor; call its `fit` first"),
        (pipeline, "got Pipeline; pass its last step, or convert it by skl2onnx"),
        (3, "fitted estimator of neuralgauge, got int"),
        (ng.train(ng.TrainingProblem([[0.0], [1.0]], [0.0, 1.0], beta=1.0), 0.1), "got Solution; pass its `network`"),
        (ng.GatedNetwork(np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 1))), "got GatedNetwork"),
        (ng.TwoLayerNetwork(np.ones((1, 2)), [1.0, 1.0]), "must have features and outputs, got 0 features"),
    ):
        with pytest.raises(ng.InvalidInputError, match=words):
            ng.to_onnx(model)
    with pytest.raises(ng.InvalidInputError, match="`precision` must be one of"):
        ng.to_onnx(network, precision="float16")
    for scale in (1e60, 1e-60):
        with pytest.raises(ng.InvalidInputError, match="'float64' for this model, got 'float32': its hidden_weights"):
            ng.to_onnx(ng.TwoLayerNetwork([[scale], [0.5]], [1.0]))
        assert of(ng.TwoLayerNetwork([[scale], [0.5]], [1.0]), np.ones((1, 1)))["variable"].item() == scale + 0.5
    code = ColumnCode("", "number")
    saved = replace(
        from_estimator(ng.ReLURegressor(beta=1.0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])),
        encoding=(code,),
        feature_names=("",),
        certificate=Certificate(1.0, 0.5, "exact"),
    )
    with pytest.raises(ng.InvalidInputError, match="Every column must have a name"):
        ng.to_onnx(saved)
    named = replace(saved, encoding=(replace(code, name="\ud800"),), feature_names=("\ud800",))
    with pytest.raises(ng.InvalidInputError, match="must be text that UTF-8 can hold"):
        ng.to_onnx(named)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ng.MissingDependencyError, match=r"`to_onnx` needs the package onnx.*neuralgauge\[onnx\]"):
        ng.to_onnx(network)
