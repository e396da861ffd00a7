"""Model files made by someone who means harm: every load ends in a sentence or in a model that makes sense.

Headers are edited field by field, and bytes at random; the checksum, which guards against damage and not against
intent, is made to fit each time.
"""

import copy
import json
import os
import time
import tracemalloc
from itertools import islice, product

import numpy as np
import pytest
import safetensors.numpy
from model_parts import content_of, parts_of

from neuralgauge.certificate import Certificate
from neuralgauge.conv_networks import ReLUConvNetwork
from neuralgauge.errors import InvalidInputError, ModelFileError
from neuralgauge.interchange import SavedModel, Standardization, load_model, save_model
from neuralgauge.linear_conv import LinearConvNetwork
from neuralgauge.networks import TwoLayerNetwork
from neuralgauge.patches import PatchGeometry
from neuralgauge.readouts import regions_of

SECONDS, MEBIBYTES = 1.0, 300  # of the processor, and of memory, for one load
MOST_TRIED = 100_000  # entries of an image on which a surviving model is tried
VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 4, 7, 0.5, -0.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"),
    2**31, 200_000_000, 2**63, -(2**63) - 1, 2**64, 10**400, "", "a", "1", "exact", "same", "softmax", "poisson",
    "regression", "classification", "\x00", "\ud800", "x" * 10_000, [], [None], [0], [-1, 2], [1.5, 1.5], [2, 1],
    [200_000_000, 1], [20_000, 10_000, 1], [10**400, 1], ["a", "a"], ["a", "b", "c"], ["a\x00", "a"], [True, 1],
    [[[1]]] * 3, {}, {"delta": -1.0}, {"delta": 10**400}, {"kind": "relu_conv"},
]  # fmt: skip


def dense(c=1, offset=0.0, m=3, **fields):
    rng = np.random.default_rng(0)
    network = TwoLayerNetwork(rng.normal(size=(3, m)), rng.normal(size=(m, c)), True, offset)
    return model_of(network, 2, **{"feature_names": ("a", "b"), "target_name": "y", **fields})


def classifier(classes, c, loss, **fields):
    return dense(c, task="classification", loss=loss, classes=classes, **fields)


def images(readout, shape=(5, 4, 2), c=1, m=3, options=None, **fields):
    rng = np.random.default_rng(0)
    geometry = PatchGeometry(shape, **{"filter_size": 2, "padding": 1, **(options or {})})
    if readout == "linear":
        A = rng.normal(size=(m, geometry.n_positions, c))
        return model_of(LinearConvNetwork(rng.normal(size=(geometry.d, m)), A, geometry), shape[-1], **fields)
    A = rng.normal(size=(m, c * regions_of(readout, geometry.output_shape)[2]))
    U = rng.normal(size=(geometry.d + 1, m))
    return model_of(ReLUConvNetwork(U, A, True, geometry=geometry, readout=readout), shape[-1], **fields)


def model_of(network, d, **fields):
    fields = {"task": "regression", "loss": "squared", **fields}
    certificate = Certificate(6.0, 5.9, "exact")
    return SavedModel(
        network=network, beta=0.1, certificate=certificate, standardization=Standardization.identity(d), **fields
    )


MODELS = {
    "regressor": dense(loss="huber", loss_parameters={"delta": 0.5}, offset=0.3),
    "outputs": dense(3, target_name=("u", "v", "w"), loss="poisson"),
    "empty": dense(m=0),
    "two classes": classifier(("no", "yes"), 1, "logistic"),
    "softmax": classifier((3, 1, 2), 3, "softmax"),
    "one_vs_rest": classifier((0.5, 1.5, 2.5), 3, "hinge", multi_class="one_vs_rest"),
    "pooled": images("pooled"),
    "flattened": images("flattened", (9, 1)),
    "no filters": images("flattened", (9, 1), m=0),
    "regions": images((2, 1), options={"padding": "same", "padding_mode": "circular"}),
    "separable": images("separable", task="classification", loss="logistic", classes=(True, False)),
    "linear": images("linear", c=3, task="classification", loss="softmax", classes=("a", "b", "c")),
    "linear signal": images("linear", (9, 1), options={"stride": 2}),
}


def saved_parts(model, tmp_path):
    save_model(model, tmp_path / "whole", force=True)
    return parts_of(tmp_path / "whole")


def places(tree, path=()):
    """The path to each field and entry of a header, those that hold others included."""
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        yield (*path, key)
        if isinstance(tree[key], dict | list):
            yield from places(tree[key], (*path, key))


def edited(header, path, value):
    """The header with another value in this place, or without the field where the value is KeyError."""
    result = place = copy.deepcopy(header)
    for key in path[:-1]:
        place = place[key]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return result


def edited_tensors(tensors):
    """The tensors with each one left out, of another type or shape, or of hostile values."""
    for name, tensor in tensors.items():
        yield {key: other for key, other in tensors.items() if key != name}
        for value in (np.nan, np.inf, 0.0, -1.0, 5e-324, 1e200, 1e308):
            yield {**tensors, name: np.full_like(tensor, value)}
        for kind in (np.float32, np.int64, np.bool_):
            yield {**tensors, name: tensor.astype(kind)}
        for other in (tensor.T, tensor.ravel(), tensor[None], tensor[:0], tensor[..., :0], tensor.sum(), tensor[:1]):
            yield {**tensors, name: np.ascontiguousarray(other).reshape(np.shape(other))}
    for columns in (2, 2**20, 2**40):
        yield {**tensors, "U": tensors["U"][:, :0], "A": np.zeros((0, columns, *tensors["A"].shape[2:]))}
        yield {**tensors, "U": np.zeros((columns, 0)), "A": tensors["A"][:0]}


def edited_files(tmp_path):
    """Files with one edit of the header or of a tensor each, of all kinds of models, as functions of no argument."""
    for name, model in MODELS.items():
        header, tensors = saved_parts(model, tmp_path)
        for path, value in product(places(header), [KeyError, *VALUES]):
            yield name, lambda h=header, t=tensors, p=path, v=value: content_of(edited(h, p, v), t)
        for changed in edited_tensors(tensors):
            yield name, lambda h=header, t=changed: content_of(h, t)


def random_files(n, tmp_path):
    """Files in which some bytes of a tensor, of the header's text or of the file are others."""
    rng = np.random.default_rng(0)
    whole = {name: saved_parts(model, tmp_path) for name, model in MODELS.items()}
    for k in range(n):
        name = list(MODELS)[k % len(MODELS)]
        yield name, lambda name=name: disturbed(*whole[name], rng)


def disturbed(header, tensors, rng):
    kind = rng.integers(3)
    if kind == 0:
        tensors = {key: tensor.copy() for key, tensor in tensors.items()}
        disturb(tensors[rng.choice(sorted(tensors))].reshape(-1).view(np.uint8), rng)
        return content_of(header, tensors)
    if kind == 1:
        text = np.frombuffer(json.dumps(header).encode(), np.uint8).copy()
        disturb(text, rng)
        try:
            return content_of(json.loads(text.tobytes()), tensors)
        except ValueError:
            return safetensors.numpy.save(tensors, metadata={"neuralgauge": text.tobytes().decode("latin-1")})
    raw = np.frombuffer(content_of(header, tensors), np.uint8).copy()
    disturb(raw, rng)
    return raw.tobytes()


def disturb(values, rng):
    """Some bytes become random ones."""
    if values.size:
        values[rng.integers(values.size, size=rng.integers(1, 4))] = rng.integers(256)


def outcome(name, content, path):
    """ "refused" or "sane"; anything else is an error."""
    path.write_bytes(content())
    tracemalloc.reset_peak()
    start, before = time.process_time(), tracemalloc.get_traced_memory()[0]
    try:
        model = load_model(path)
    except ModelFileError:
        model = None
    seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
    assert seconds < SECONDS, f"{name}: {seconds:.1f} s"
    assert peak < MEBIBYTES * 2**20, f"{name}: {peak / 2**20:.0f} MiB"
    if model is None:
        return "refused"
    check(model)
    return "sane"


def check(model):
    """Assert that a model makes sense by itself and predicts finite numbers, or its own labels."""
    certificate, scaling = model.certificate, model.standardization
    assert np.isfinite(model.beta)
    assert model.beta > 0
    assert np.isfinite(certificate.upper)
    assert certificate.lower <= certificate.upper * (1 + 1e-6 * np.sign(certificate.upper))
    assert "states" in str(certificate)
    assert len(set(np.array(model.classes).tolist())) == len(model.classes)
    for names in (model.feature_names, model.target_names):
        assert len(set(names)) == len(names)
    geometry = getattr(model.network, "geometry", None)
    shape = geometry.shape if geometry else (model.network.n_features,)
    if np.prod(shape, dtype=float) > MOST_TRIED:
        return
    with np.errstate(over="ignore"):
        X = scaling.feature_mean + scaling.feature_scale * np.random.default_rng(0).uniform(-1, 1, size=(3, *shape))
    X = X[np.isfinite(X.reshape(3, -1)).all(axis=1)]
    if len(X) == 0:
        return
    scores = model.decision_function(X)
    assert np.isfinite(scores).all()
    assert len(scores) == len(X)
    if model.loss == "poisson" and scores.max() > 700:
        with pytest.raises(InvalidInputError, match="counts overflow"):
            model.predict(X)
        return
    predicted = model.predict(X)
    if model.task == "classification":
        assert set(predicted.tolist()) <= set(model.classes)
        assert model.loss_parameters is None or len(model.encode(np.array(model.classes))) == len(model.classes)
    if model.has_probabilities:
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


@pytest.fixture
def outcomes(tmp_path):
    """Loads each of some files; how many were refused and how many made sense."""

    def call(files):
        counts, failures = {"refused": 0, "sane": 0}, []
        tracemalloc.start()
        try:
            for name, content in files:
                try:
                    counts[outcome(name, content, tmp_path / "edited")] += 1
                except Exception as error:
                    failures.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
        finally:
            tracemalloc.stop()
        assert not failures, f"{len(failures)} of {len(failures) + sum(counts.values())}: {sorted(set(failures))[:20]}"
        return counts

    return call


def test_some_edits_of_each_field(outcomes, tmp_path):
    counts = outcomes(islice(edited_files(tmp_path), 5, None, 41))
    assert counts["refused"] > 300
    assert counts["sane"] > 10


def test_some_random_edits(outcomes, tmp_path):
    counts = outcomes(random_files(200, tmp_path))
    assert counts["refused"] > 100
    assert counts["sane"] > 10


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("regressor", {"beta": -0.1}, "`float` > 0.0 - at `..beta`"),
        ("regressor", {"beta": float("nan")}, "`float` > 0.0 - at `..beta`"),
        ("regressor", {"format_version": 0}, "`int` >= 1 - at `..format_version`"),
        ("regressor", {"format_version": float("inf")}, "`int`, got `float` - at `..format_version`"),
        ("regressor", {"feature_names": ["a", "a"]}, "`feature_names` must differ, got 'a' more than once"),
        ("regressor", {"feature_names": ["a", "\ud800"]}, "surrogates not allowed"),
        ("regressor", {"loss": "hinge", "loss_parameters": {}}, "of a regression model must be one of .*'hinge'"),
        ("regressor", {"more": 1}, "unknown field `more`"),
        ("two classes", {"loss": "softmax"}, "'softmax' loss needs an output for each class"),
        ("two classes", {"classes": ["no", "no"]}, "`classes` must differ"),
        ("two classes", {"classes": ["no", "no\x00"]}, "text that does not end in a null character"),
        ("two classes", {"classes": [["no"], "yes"]}, r"`bool . int . float . str`, got `array` - at `..classes.0.`"),
        ("two classes", {"classes": ["no", 1]}, "`classes` must be all text or all numbers"),
        ("two classes", {"classes": [1, 10**400]}, "numbers of at most 64 bits"),
        ("empty", {"certificate": {"upper": 6.0, "lower": 1e9, "scope": "exact"}}, "at most the objective, 6.0, got 1"),
        ("empty", {"certificate": {"upper": 6.0, "lower": 1.0, "scope": "proven"}}, "at `..certificate.scope`"),
        ("pooled", {"format_version": 2}, "a convolutional network in version 3 alone"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(name, change, message, tmp_path):
    header, tensors = saved_parts(MODELS[name], tmp_path)
    (tmp_path / "m").write_bytes(content_of({**header, **change}, tensors))
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "m")


def test_an_image_that_no_memory_holds_is_refused(tmp_path):
    header, tensors = saved_parts(MODELS["pooled"], tmp_path)
    header["network"]["geometry"]["shape"][0] = 50_000_000
    (tmp_path / "m").write_bytes(content_of(header, tensors))
    with pytest.raises(ModelFileError, match="images of at most 67108864 numbers, padding included, got 600000024"):
        load_model(tmp_path / "m")


def test_a_number_of_outputs_that_no_tensor_holds_is_refused(tmp_path):
    """Without neurons an array of any number of outputs takes no room in the file."""
    header, tensors = saved_parts(MODELS["empty"], tmp_path)
    (tmp_path / "m").write_bytes(content_of(header, {**tensors, "A": np.zeros((0, 2**40))}))
    with pytest.raises(ModelFileError, match=r"`offset` must have an entry for each of 1099511627776 outputs, got .1,"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 5_000, '{"format": "neuralgauge"}'])
def test_texts_that_are_no_header_are_refused(text, tmp_path):
    (tmp_path / "m").write_bytes(safetensors.numpy.save({"U": np.ones(1)}, metadata={"neuralgauge": text}))
    with pytest.raises(ModelFileError, match="is not a neuralgauge model"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(
    "field", [[[]] * 2**18, {str(k): 1 for k in range(2**15)}, "x" * 2**22], ids=["lists", "keys", "text"]
)
def test_long_headers_are_refused_in_no_time(field, outcomes, tmp_path):
    header, tensors = saved_parts(MODELS["regressor"], tmp_path)
    assert outcomes([("regressor", lambda: content_of({**header, "more": field}, tensors))])["refused"] == 1


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "a\x00b"])
def test_what_is_no_ordinary_file_is_refused(path):
    with pytest.raises(ModelFileError):
        load_model(path)


@pytest.mark.slow
def test_every_edit_of_each_field(outcomes, tmp_path):
    assert sum(outcomes(edited_files(tmp_path)).values()) > 5000


@pytest.mark.slow
def test_many_random_edits(outcomes, tmp_path):
    assert sum(outcomes(random_files(4000, tmp_path)).values()) > 3900
