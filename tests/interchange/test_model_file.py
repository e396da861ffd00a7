"""Model files: equal after a round trip, refused when they are not what they should be, never half written."""

import json
import os
import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import safetensors.numpy
from edited_models import content_of, parts_of

import neuralgauge as ng
from neuralgauge.certificate import Certificate
from neuralgauge.errors import DroppedPixelsWarning, InvalidInputError, ModelFileError
from neuralgauge.estimators import (
    LinearConvClassifier,
    LinearConvRegressor,
    ReLUClassifier,
    ReLUConvClassifier,
    ReLUConvRegressor,
    ReLURegressor,
)
from neuralgauge.features.patches import PatchGeometry
from neuralgauge.features.readouts import regions_of
from neuralgauge.interchange import (
    SavedModel,
    StatedCertificate,
    load_model,
    model_content,
    save_model,
)
from neuralgauge.interchange.loss_record import parameters_of
from neuralgauge.losses import EpsilonInsensitive, Huber, Poisson, Quantile, Squared
from neuralgauge.networks.conv import ReLUConvNetwork
from neuralgauge.networks.dense import TwoLayerNetwork
from neuralgauge.networks.linear_conv import LinearConvNetwork
from neuralgauge.preparation import Standardization
from neuralgauge.preparation.encoding import ColumnCode
from neuralgauge.preparation.table_encoding import feature_names
from neuralgauge.problems.constraints import Constraints

DATA = Path(__file__).parent / "data"


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


def several_outputs(c=3, **changes):
    rng = np.random.default_rng(0)
    network = TwoLayerNetwork(rng.normal(size=(3, 4)), rng.normal(size=(4, c)), True, rng.normal(size=c))
    return saved_model(**{
        "network": network,
        "standardization": Standardization([1.0, 2.0], [3.0, 4.0], np.arange(c) + 0.1, np.arange(c) + 1.5),
        "target_name": tuple(f"y{k}" for k in range(c)),
        **changes,
    })  # fmt: skip


def several_classes(loss="softmax", **changes):
    options = {"task": "classification", "loss": loss, "classes": ("a", "b", "c"), "target_name": "kind"}
    return several_outputs(3, **{**options, "standardization": Standardization.identity(2), **changes})


def image_network(kind=ReLUConvNetwork, shape=(5, 4, 2), c=1, readout="pooled", **options):
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedPixelsWarning)
        geometry = PatchGeometry(shape, **{"filter_size": 2, **options})
    if kind is LinearConvNetwork:
        A = rng.normal(size=(3, geometry.n_positions, c))
        return LinearConvNetwork(rng.normal(size=(geometry.d, 3)), A, geometry, rng.normal(size=c))
    n_regions = regions_of(readout, geometry.output_shape)[2]
    U, A = rng.normal(size=(geometry.d + 1, 3)), rng.normal(size=(3, n_regions * c))
    return ReLUConvNetwork(U, A, True, rng.normal(size=c), geometry=geometry, readout=readout)


IMAGES = {"standardization": Standardization([1.0, 2.0], [3.0, 4.0], 5.0, 6.0), "feature_names": ()}


@dataclass(frozen=True)
class MyLoss(Squared):
    """A loss of the user's own, under a name that the package has too."""


def bounds(model):
    certificate = getattr(model, "certificate_", None) or model.certificate
    return certificate.upper, certificate.lower, certificate.scope, certificate.separate, certificate.proven


def assert_equal(left, right):
    for name in ("task", "loss", "loss_parameters", "beta", "feature_names", "target_name", "classes",
                 "package_version", "multi_class", "offset"):  # fmt: skip
        assert getattr(left, name) == getattr(right, name), name
    assert bounds(left) == bounds(right)
    for name in ("U", "A", "offset"):
        np.testing.assert_array_equal(getattr(left.network, name), getattr(right.network, name))
    assert type(left.network) is type(right.network)
    for name in ("bias", "geometry", "readout"):
        assert getattr(left.network, name, None) == getattr(right.network, name, None)
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
        saved_model(certificate=Certificate(1.0, 0.9, "estimated", proven=0.1 + 0.2)),
        saved_model(certificate=Certificate(1.0, 0.9, "patterns")),
        saved_model(task="classification", loss="hinge", classes=(0, 1), standardization=Standardization.identity(2)),
        saved_model(network=TwoLayerNetwork(np.ones((3, 1)), [1.0], True, -0.7)),
        saved_model(loss="huber", loss_parameters={"delta": 0.1 + 0.2}),
        saved_model(loss="quantile", loss_parameters={"level": 0.9}),
        saved_model(loss="epsilon_insensitive", loss_parameters={"epsilon": 0.0}),
        saved_model(loss="poisson"),
        saved_model(loss="mine", loss_parameters=None),
        several_outputs(),
        several_outputs(target_name=None, standardization=Standardization.identity(2)),
        several_classes(),
        several_classes("hinge"),
        several_classes("hinge", multi_class="one_vs_rest"),
        saved_model(offset=True),
        several_classes(classes=(3, 1, 2)),
        saved_model(network=image_network(), **IMAGES),
        saved_model(network=image_network(readout="separable", stride=2), **IMAGES),
        saved_model(network=image_network(readout=(2, 1), padding="same", padding_mode="circular"), **IMAGES),
        saved_model(network=image_network(shape=(9, 2), readout="flattened", padding=(1,)), **IMAGES),
        saved_model(network=image_network(LinearConvNetwork), **IMAGES),
        several_classes(network=image_network(LinearConvNetwork, c=3), **IMAGES),
        several_classes(network=image_network(c=3), **IMAGES),
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
        assert bounds(loaded) == bounds(estimator)
    np.testing.assert_array_equal(load_model(tmp_path / "c").predict_proba(X), classifier.predict_proba(X))
    with pytest.raises(InvalidInputError, match="call `fit` first"):
        save_model(ReLURegressor(), tmp_path / "x")


@pytest.mark.parametrize("readout", ["pooled", "separable"])
def test_image_estimators_can_be_saved(readout, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 3, 4, 2)), np.arange(8) % 2
    options = {"filter_size": (1, 2), "beta": 2.0, "gap": 0.1}
    for k, estimator in enumerate([
        ReLUConvClassifier(readout=readout, bias=False, **options),
        ReLUConvRegressor(readout=readout, bias=False, **options),
        LinearConvClassifier(**options),
        LinearConvRegressor(offset=True, **options),
    ]):  # fmt: skip
        save_model(estimator.fit(X, y), tmp_path / str(k))
        loaded = load_model(tmp_path / str(k))
        np.testing.assert_array_equal(loaded.decision_function(X), estimator._outputs(X))
        np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
        assert bounds(loaded) == bounds(estimator)
        assert loaded.network.geometry == estimator.geometry_
        if loaded.task == "classification":
            np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))
        with pytest.raises(InvalidInputError, match=r"`X` must have shape \(n, height, width, channels\)"):
            loaded.predict(pd.DataFrame({"a": [1.0, 2.0]}))


def test_channels_are_standardised():
    model = saved_model(network=image_network(), **IMAGES)
    X = np.random.default_rng(1).normal(size=(3, 5, 4, 2))
    expected = model.network.predict((X - [1.0, 2.0]) / [3.0, 4.0]) * 6.0 + 5.0
    np.testing.assert_allclose(model.predict(X), expected)
    with pytest.raises(InvalidInputError, match="A network of 2 features needs as many names and means, got 1 names"):
        saved_model(network=image_network(), **{**IMAGES, "feature_names": ("red",)})


@pytest.mark.parametrize(("version", "changes"), [(2, {}), (3, {"network": image_network(), **IMAGES})])
@pytest.mark.parametrize(("scope", "proven"), [("exact", 1.5), ("bounded", 1.5), ("estimated", -np.inf)])
def test_files_of_versions_2_and_3_state_nothing_proven_but_the_bound(version, changes, scope, proven, file):
    model = saved_model(certificate=Certificate(2.0, 1.5, scope, proven=1.0), **changes)
    save_model(model, file, force=True)
    header, tensors = parts_of(file)
    header["format_version"] = version
    file.write_bytes(content_of(header, tensors))
    with pytest.raises(ModelFileError, match="Expected a proven bound in version 4 and later alone"):
        load_model(file)
    stated = header["certificate"].pop("proven")
    assert stated == model.certificate.proven
    file.write_bytes(content_of(header, tensors))
    loaded = load_model(file)
    assert loaded.certificate.proven == proven
    np.testing.assert_array_equal(loaded.network.U, model.network.U)
    assert ("proven     nothing" in str(loaded.certificate)) is (scope == "estimated")


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
    np.testing.assert_array_equal(model.encode(np.array(["yes", "no"])), [1.0, -1.0])
    with pytest.raises(InvalidInputError, match="the classes of the model, 'no', 'yes', got 'maybe'"):
        model.encode(np.array(["maybe"]))
    with pytest.raises(InvalidInputError, match="Probabilities need the logistic or the softmax loss"):
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
        ({"network": TwoLayerNetwork(np.ones((3, 1)), np.ones((1, 2)))}, "needs 2 target names and means, got 1 names"),
        ({"target_name": ("a", "b")}, "needs 1 target names and means, got 2 names"),
        ({"multi_class": "each"}, "`multi_class` must be 'joint' or 'one_vs_rest', got 'each'"),
        (
            {"network": ng.GatedNetwork(np.ones((1, 3)), None)},
            "`network` must be a TwoLayerNetwork, .* got GatedNetwork",
        ),
        (
            {"network": TwoLayerNetwork(np.ones((1, 1)), [1.0])},
            "must have features and outputs, got 0 features and 1 out",
        ),
        ({"network": TwoLayerNetwork(np.ones((3, 1)), np.ones((1, 0)))}, "got 2 features and 0 outputs"),
        ({"beta": float("nan")}, "`beta` must be finite and > 0, got nan"),
        ({"feature_names": ("a", "a")}, "`feature_names` must differ, got 'a' more than once"),
        ({"certificate": Certificate(2.0, 2.1, "exact")}, "a lower bound of at most the objective, 2.0, got 2.1"),
        ({"certificate": Certificate(2.0, np.nan, "exact")}, "a lower bound of at most the objective, 2.0, got nan"),
        ({"certificate": Certificate(2.0, np.inf, "exact")}, "a lower bound of at most the objective, 2.0, got inf"),
        ({"certificate": Certificate(np.inf, 2.1, "exact")}, "must have a finite objective, got inf"),
        (
            {"certificate": Certificate(2.0, 1.5, "estimated", proven=1.6)},
            "a proven bound of at most its lower one, 1.5, got 1.6",
        ),
        ({"certificate": Certificate(2.0, 1.5, "patterns", proven=np.nan)}, "of at most its lower one, 1.5, got nan"),
        ({"loss": "logistic"}, "`loss` of a regression model must be one of .* got 'logistic'"),
        ({"loss": "hubert"}, "`loss` must be one of .*, got 'hubert'"),
        ({"loss": "huber", "loss_parameters": {"level": 1.0}}, r"huber loss has the parameters .'delta'., got 'level'"),
        ({"loss": "huber", "loss_parameters": {"delta": -1.0}}, "`delta` must be finite and > 0"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            saved_model(**changes)
    with pytest.raises(InvalidInputError, match="classification model of 3 outputs cannot have 2 classes"):
        several_classes(classes=("a", "b"))
    for classes, message in (
        (("a", "a", "b"), "`classes` must differ"),
        (("a", 1, 2), "all text or all numbers"),
        ((1.0, np.nan, 2.0), "must be finite numbers"),
        ((1, 2, 2**70), "at most 64 bits"),
        (("a", "b", "c" * 2**23), "`classes` must be shorter"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            several_classes(classes=classes)


def test_rounding_may_lift_the_lower_bound_over_the_objective():
    assert saved_model(certificate=Certificate(2.0, 2.0 + 1e-9, "exact")).certificate.lower > 2.0


def test_what_could_not_be_read_is_not_written(tmp_path):
    huge = saved_model(network=TwoLayerNetwork(np.full((3, 1), 1e200), [1e200]))
    with pytest.raises(InvalidInputError, match="cannot be saved, for no such file could be read: `network` must have"):
        save_model(huge, tmp_path / "m")
    with pytest.raises(
        InvalidInputError, match="names of columns and classes of a saved model must take at most 2097152"
    ):
        save_model(saved_model(feature_names=("a", "b" * 2**21)), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_certificate_from_a_file_is_no_more_than_its_word(file):
    model = load_model(file)
    assert isinstance(model.certificate, StatedCertificate)
    assert str(model.certificate).endswith(
        '"exact": as the model file states, not checked against data: holds for every network of every width'
    )
    assert model.certificate != saved_model().certificate
    save_model(model, file, force=True)
    assert load_model(file).certificate == model.certificate


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
    monkeypatch.setattr(model_content, "FORMAT_VERSION", 7)
    save_model(saved_model(network=image_network(), **IMAGES), file, force=True)
    with pytest.raises(ModelFileError, match=r"format version 7, this version .* reads up to 6; upgrade"):
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


def test_several_outputs_come_in_the_units_of_their_targets():
    model = several_outputs()
    X = np.array([[4.0, -2.0], [0.0, 7.0]])
    U, A, offset = model.network.U, model.network.A, model.network.offset
    hidden = np.maximum(np.column_stack([(X - [1.0, 2.0]) / [3.0, 4.0], np.ones(2)]) @ U, 0.0)
    expected = (hidden @ A + offset) * [1.5, 2.5, 3.5] + [0.1, 1.1, 2.1]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-13)


def test_labels_and_probabilities_of_several_classes():
    X = np.random.default_rng(1).normal(size=(6, 2))
    model = several_classes()
    scores = model.network.predict(X)
    np.testing.assert_array_equal(model.predict(X), np.array(["a", "b", "c"])[scores.argmax(axis=1)])
    powers = np.exp(scores)
    np.testing.assert_allclose(model.predict_proba(X), powers / powers.sum(axis=1)[:, None], rtol=1e-13)
    np.testing.assert_array_equal(model.encode(np.array(["c", "a"])), [[0, 0, 1], [1, 0, 0]])
    sigmoids = 1.0 / (1.0 + np.exp(-scores))
    against_the_rest = several_classes("logistic")
    np.testing.assert_allclose(against_the_rest.predict_proba(X), sigmoids / sigmoids.sum(axis=1)[:, None], rtol=1e-12)
    np.testing.assert_array_equal(against_the_rest.encode(np.array(["c", "a"])), [[-1, -1, 1], [1, -1, -1]])
    with pytest.raises(InvalidInputError, match="Probabilities need"):
        several_classes("hinge").predict_proba(X)


def test_sigmoids_that_are_all_zero_still_give_probabilities():
    low = TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 3)), True, [-2000.0, -2001.0, -2000.0])
    probabilities = several_classes("logistic", network=low).predict_proba([[0.0, 0.0]])
    np.testing.assert_allclose(probabilities, [[0.4223187982515182, 0.1553624034969636, 0.4223187982515182]])


def test_poisson_predicts_expected_counts():
    model = saved_model(loss="poisson", standardization=Standardization.identity(2))
    X = np.array([[1.0, 2.0], [3.0, -1.0]])
    np.testing.assert_allclose(model.predict(X), np.exp(model.network.predict(X)))
    np.testing.assert_allclose(model.decision_function(X), model.network.predict(X))
    with pytest.raises(InvalidInputError, match="expected counts overflow"):
        model.predict([[1e4, 0.0]])


@pytest.mark.parametrize("loss", [Huber(0.3), Quantile(0.9), EpsilonInsensitive(0.05)])
def test_the_loss_of_an_estimator_is_kept_with_its_parameters(loss, tmp_path):
    X = np.arange(8.0)[:, None]
    save_model(ReLURegressor(loss=loss, beta=0.1, gap=1e-2).fit(X, np.abs(X[:, 0] - 3.0)), tmp_path / "m")
    assert load_model(tmp_path / "m").training_loss == loss


def test_a_loss_of_the_users_own_is_a_name_in_the_file(tmp_path):
    X = np.arange(8.0)[:, None]
    estimator = ReLURegressor(loss=MyLoss(), beta=0.1).fit(X, np.abs(X[:, 0] - 3.0))
    save_model(estimator, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    with pytest.raises(InvalidInputError, match="a loss of your own, 'squared', which a model file cannot hold"):
        _ = loaded.training_loss


@pytest.mark.parametrize("options", [{}, {"loss": "softmax"}, {"multi_class": "one_vs_rest", "offset": True}])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifiers_predict_the_same_from_a_file(options, n_classes, tmp_path):
    if n_classes == 2 and options.get("loss") is None and options:
        options = {"offset": True}
    X = np.random.default_rng(0).normal(size=(20, 1))
    labels = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.4, 0.4] if n_classes == 3 else [0.0])]
    classifier = ReLUClassifier(beta=0.2, gap=1e-2, **options).fit(X, labels)
    save_model(classifier, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    for method in ("decision_function", "predict", "predict_proba"):
        np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(classifier, method)(X))
    assert loaded.training_loss == classifier.loss_
    assert loaded.offset == classifier.offset
    assert loaded.is_apart == loaded.certificate.separate == (n_classes == 3 and "multi_class" in options)
    assert loaded.certificate.separate == classifier.certificate_.separate


@pytest.mark.parametrize(("loss", "shape"), [("squared", (20, 2)), ("poisson", (20,)), ("poisson", (20, 2))])
def test_regressors_predict_the_same_from_a_file(loss, shape, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 1))
    regressor = ReLURegressor(loss=loss, beta=0.2, gap=1e-2).fit(X, rng.poisson(3.0, size=shape).astype(float))
    save_model(regressor, tmp_path / "m")
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), regressor.predict(X))


def test_a_loss_of_the_users_own_for_counts_is_not_saved(tmp_path):
    class MyCounts(Poisson):
        pass

    X = np.arange(8.0)[:, None]
    with pytest.raises(InvalidInputError, match="a loss of your own for counts, 'poisson', cannot be saved"):
        save_model(ReLURegressor(loss=MyCounts(), beta=0.1, gap=0.1).fit(X, X[:, 0]), tmp_path / "m")


def test_the_network_of_one_output():
    model = several_outputs()
    for k in range(3):
        np.testing.assert_allclose(
            model.network.output(k).predict([[1.0, 2.0]]), model.network.predict([[1.0, 2.0]])[:, k]
        )


def test_a_renamed_loss_counts_as_the_users_own():
    assert parameters_of(Huber(2.0, name="mine")) is None
    assert parameters_of(Huber(2.0, targets="count")) is None
    assert parameters_of(Huber(2.0)) == {"delta": 2.0}


def test_files_of_version_1_are_read():
    """Written before there were several outputs, offsets and loss parameters; the numbers are what was predicted."""
    X = [[1.0, 2.0], [5.0, 3.0], [8.0, 0.0]]
    regression = load_model(DATA / "version1_regression.safetensors")
    assert (regression.loss, regression.loss_parameters, regression.target_name) == ("squared", {}, "price")
    assert regression.network.offset.tolist() == [0.0]
    np.testing.assert_allclose(regression.predict(X), [10.575782708829177, 6.901126800135541, 10.462875103765906])
    assert regression.certificate.upper == pytest.approx(1.916517168)
    classification = load_model(DATA / "version1_classification.safetensors")
    assert (classification.loss, classification.classes) == ("logistic", ("no", "yes"))
    np.testing.assert_allclose(
        classification.decision_function(X), [0.9126926931963443, -0.6546702057027316, -3.575317607167979]
    )
    assert classification.predict(X).tolist() == ["yes", "no", "no"]


def test_version_1_with_a_loss_of_the_users_own_is_not_taken_for_a_later_one(tmp_path):
    model = saved_model(target_name=None)
    save_model(model, tmp_path / "m")
    header, tensors = parts_of(tmp_path / "m")
    del tensors["offset"], header["certificate"]["proven"]
    for name in ("loss_parameters", "target_names", "multi_class", "offset"):
        del header[name]
    first = {**header, "format_version": 1, "loss": "huber", "target_name": None}
    (tmp_path / "m").write_bytes(content_of(first, tensors))
    loaded = load_model(tmp_path / "m")
    assert loaded.loss_parameters is None
    np.testing.assert_array_equal(loaded.predict([[1.0, 2.0]]), model.predict([[1.0, 2.0]]))


def encoded_model(**changes):
    codes = (
        ColumnCode("size", "number", fill=2.0, missing=True),
        ColumnCode("kind", "category", levels=("a", "b", "c"), joined=1, rare=("d",)),
        ColumnCode("name", "left out", "it has one value"),
    )
    d = len(feature_names(codes))
    network = TwoLayerNetwork(np.random.default_rng(0).standard_normal((d + 1, 2)), [1.0, -1.0])
    fields = {
        "network": network,
        "standardization": Standardization.identity(d),
        "feature_names": feature_names(codes),
        "encoding": codes,
    }
    return saved_model(**{**fields, **changes})


def test_the_encoding_of_a_table_is_kept(file):
    model = encoded_model()
    save_model(model, file, force=True)
    loaded = load_model(file)
    assert loaded.encoding == model.encoding
    assert loaded.table_columns == ("size", "kind", "name")
    table = {"kind": ["d", "a", None], "size": ["1,5", "", "3"], "name": ["x", "x", "y"]}
    by_hand = [[1.5, 0, 0, 0, 0, 1], [2.0, 1, 1, 0, 0, 0], [3.0, 0, 0, 0, 0, 0]]
    for frame in (pd.DataFrame(table), pl.DataFrame(table)):
        np.testing.assert_array_equal(loaded.predict(frame), loaded.predict(by_hand))
    with pytest.raises(ModelFileError, match="missing 'kind'"):
        loaded.predict(pd.DataFrame({"size": [1.0]}))


def test_encodings_that_do_not_fit_are_refused(file, monkeypatch):
    with pytest.raises(InvalidInputError, match="`encoding` must make the columns `feature_names`"):
        encoded_model(feature_names=tuple("abcdef"))
    monkeypatch.setattr(model_content, "FORMAT_VERSION", 4)
    with pytest.raises(InvalidInputError, match="an encoding of columns in version 5 and later alone"):
        save_model(encoded_model(), file, force=True)


def test_constraints_are_kept_and_checked(file, monkeypatch):
    asked = Constraints((1, 0))
    save_model(saved_model(constraints=asked), file, force=True)
    loaded = load_model(file)
    assert loaded.constraints == asked
    assert loaded.certificate.constrained
    with pytest.raises(InvalidInputError, match="must be obeyed by every neuron"):
        saved_model(constraints=Constraints((0, 1)))
    with pytest.raises(InvalidInputError, match="must be 2 numbers -1, 0 or 1"):
        saved_model(constraints=Constraints((1,)))
    with pytest.raises(InvalidInputError, match="for those without offset"):
        saved_model(constraints=Constraints(None, None, True), offset=True)
    with pytest.raises(InvalidInputError, match="of one output on a table"):
        saved_model(network=image_network(), constraints=Constraints(None, "convex"), **IMAGES)
    monkeypatch.setattr(model_content, "FORMAT_VERSION", 5)
    with pytest.raises(InvalidInputError, match="constraints in version 6 and later alone"):
        save_model(saved_model(constraints=asked), file, force=True)
