"""Model files: equal after a round trip, refused when they are not what they should be, never half written."""

import json
import os
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import safetensors.numpy

from neuralgauge.certificate import Certificate
from neuralgauge.errors import InvalidInputError, ModelFileError
from neuralgauge.estimators import ReLUClassifier, ReLURegressor
from neuralgauge.interchange import SavedModel, Standardization, load_model, save_model
from neuralgauge.interchange import model_file as model_file_module
from neuralgauge.networks import TwoLayerNetwork


def saved_model(**changes):
    fields = {
        "network": TwoLayerNetwork([[1.0, -2.0], [0.3, 1.0 / 3.0], [0.0, 1.0]], [1.0, -0.5]),
        "task": "regression",
        "loss": "squared",
        "beta": 0.1,
        "certificate": Certificate(2.0, 1.9999, "exact"),
        "standardization": Standardization([1.0, 2.0], [3.0, 4.0], 5.0, 6.0),
        "feature_names": ("größe", "weight, kg"),
        "target_name": "price",
        "package_version": "1.2.3",
    }
    return SavedModel(**{**fields, **changes})


def classification_model(**changes):
    options = {"task": "classification", "loss": "logistic", "classes": ("no", "yes")}
    return saved_model(**options, standardization=Standardization.identity(2), **changes)


def assert_equal(left, right):
    for name in ("task", "loss", "beta", "certificate", "feature_names", "target_name", "classes", "package_version"):
        assert getattr(left, name) == getattr(right, name), name
    np.testing.assert_array_equal(left.network.U, right.network.U)
    np.testing.assert_array_equal(left.network.A, right.network.A)
    assert left.network.bias == right.network.bias
    for name in ("feature_mean", "feature_scale", "target_mean", "target_scale"):
        np.testing.assert_array_equal(getattr(left.standardization, name), getattr(right.standardization, name))


@pytest.mark.parametrize(
    "model",
    [
        saved_model(),
        classification_model(),
        saved_model(network=TwoLayerNetwork(np.zeros((2, 1)), [0.0], bias=False)),
        saved_model(network=TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 1)))),
        saved_model(certificate=Certificate(1.0, -np.inf, "estimated"), target_name=None, feature_names=()),
        saved_model(task="classification", loss="hinge", classes=(0, 1)),
    ],
)
def test_round_trip_to_the_last_bit(model, tmp_path):
    save_model(model, tmp_path / "m.safetensors")
    assert_equal(load_model(tmp_path / "m.safetensors"), model)


def test_equal_models_are_equal_files(tmp_path):
    for name in ("a", "b"):
        save_model(saved_model(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_estimators_can_be_saved(tmp_path):
    X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
    regressor = ReLURegressor(beta=0.1).fit(X, [0.0, 1.0, 0.5, 2.0])
    classifier = ReLUClassifier(beta=0.1).fit(X, [True, False, False, True])
    for name, estimator in (("r", regressor), ("c", classifier)):
        save_model(estimator, tmp_path / name)
        loaded = load_model(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict(X[["b", "a"]]), estimator.predict(X))
        assert loaded.certificate == estimator.certificate_
    np.testing.assert_array_equal(load_model(tmp_path / "c").predict_proba(X), classifier.predict_proba(X))
    with pytest.raises(InvalidInputError, match="call `fit` first"):
        save_model(ReLURegressor(), tmp_path / "x")


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame])
def test_columns_are_found_by_name(table):
    model = saved_model()
    values = {"weight, kg": [1.0, 2.0], "price": ["?", "?"], "größe": [3.0, 4.0]}
    np.testing.assert_array_equal(model.predict(table(values)), model.predict([[3.0, 1.0], [4.0, 2.0]]))


def test_integer_column_names_are_found():
    model = saved_model(feature_names=("0", "1"))
    frame = pd.DataFrame({1: [1.0], 0: [3.0]})
    np.testing.assert_array_equal(model.predict(frame), model.predict([[3.0, 1.0]]))


def test_labels_and_probabilities():
    model = classification_model()
    X = np.array([[5.0, 0.0], [-5.0, 0.0]])
    np.testing.assert_array_equal(model.predict(X), ["yes", "no"])
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.signs(np.array(["yes", "no"])), [1.0, -1.0])
    with pytest.raises(InvalidInputError, match=r"the classes of the model, .'no', 'yes'., got 'maybe'"):
        model.signs(np.array(["maybe"]))
    with pytest.raises(InvalidInputError, match="Probabilities need the logistic loss"):
        saved_model().predict_proba(X)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["größe"], "other columns: missing 'weight, kg'"),
        (["größe", "weight, kg", "colour"], "other columns: unknown 'colour'. Leave out"),
        (["grösse", "weight, kg"], "missing 'größe', unknown 'grösse'. Is 'grösse' meant to be 'größe'"),
    ],
)
def test_other_columns_are_named(columns, message):
    with pytest.raises(ModelFileError, match=message):
        saved_model().predict(pd.DataFrame({name: [1.0] for name in columns}))


def test_arrays_of_wrong_width_and_overflow():
    with pytest.raises(InvalidInputError, match="the 2 columns the model was trained on, got 3"):
        saved_model().predict(np.ones((1, 3)))
    huge = saved_model(network=TwoLayerNetwork(np.full((3, 1), 1e200), [1e200]))
    with pytest.raises(InvalidInputError, match="overflow"), np.errstate(over="ignore"):
        huge.predict([[1e3, 1e3]])


def test_inconsistent_models_are_refused():
    for changes, message in (
        ({"feature_names": ("a",)}, "got 1 names and 2 means"),
        ({"task": "ranking"}, "`task` must be"),
        ({"classes": ("a", "b")}, "cannot have 2 classes"),
        ({"network": TwoLayerNetwork(np.ones((3, 1)), np.ones((1, 2)))}, "one output, got 2"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            saved_model(**changes)


@pytest.fixture
def file(tmp_path):
    save_model(saved_model(), tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def test_truncated_anywhere_is_refused(file):
    content = file.read_bytes()
    for size in [*range(0, len(content), 37), len(content) - 1]:
        file.write_bytes(content[:size])
        with pytest.raises(ModelFileError, match=r"damaged|empty"):
            load_model(file)


def test_one_changed_byte_anywhere_is_refused(file):
    content = file.read_bytes()
    for position in range(0, len(content), 11):
        changed = bytearray(content)
        changed[position] ^= 1
        file.write_bytes(changed)
        with pytest.raises(ModelFileError):
            load_model(file)


@pytest.mark.parametrize(
    "content",
    [
        b"price,size\n1,2\n",
        pickle.dumps({"U": 1}),
        safetensors.numpy.save({"U": np.ones(3)}),
        safetensors.numpy.save({"U": np.ones(3)}, metadata={"neuralgauge": json.dumps({"format": "other"})}),
        b"\xff" * 100,
    ],
)
def test_foreign_files_are_refused(content, file):
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match="is not a neuralgauge model"):
        load_model(file)


def test_newer_format_asks_for_an_upgrade(file, monkeypatch):
    monkeypatch.setattr(model_file_module, "FORMAT_VERSION", 2)
    save_model(saved_model(), file, force=True)
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match=r"format version 2, this version .* reads up to 1; upgrade"):
        load_model(file)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        load_model(tmp_path / "none")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_model(tmp_path)
    with pytest.raises(InvalidInputError, match="does not exist; create it first"):
        save_model(saved_model(), tmp_path / "no" / "m")
    with pytest.raises(InvalidInputError, match="is a folder"):
        save_model(saved_model(), tmp_path)


def test_existing_file_needs_force(file):
    before = file.read_bytes()
    with pytest.raises(InvalidInputError, match="exists already"):
        save_model(saved_model(beta=9.0), file)
    assert file.read_bytes() == before
    save_model(saved_model(beta=9.0), file, force=True)
    assert load_model(file).beta == 9.0


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interruption_leaves_the_old_file_and_no_litter(file, monkeypatch, function, error):
    before = file.read_bytes()

    def interrupted(*_):
        raise error

    monkeypatch.setattr(os, function, interrupted)
    with pytest.raises((KeyboardInterrupt, InvalidInputError)):
        save_model(saved_model(beta=9.0), file, force=True)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_link_is_followed(file):
    link = file.with_name("latest")
    link.symlink_to(file.name)
    save_model(saved_model(beta=9.0), link, force=True)
    assert link.is_symlink()
    assert load_model(file).beta == 9.0
