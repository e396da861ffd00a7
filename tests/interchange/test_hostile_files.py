"""Model files made by someone who means harm: every load ends in a sentence or in a model that makes sense.

Headers are edited field by field, and bytes at random; the checksum, which guards against damage and not against
intent, is made to fit each time.
"""

import os
import tracemalloc
from itertools import islice

import numpy as np
import pytest
import safetensors.numpy
from edited_models import MODELS, content_of, edited_files, random_files, saved_parts

from neuralgauge.errors import InvalidInputError, ModelFileError
from neuralgauge.interchange import load_model

MEBIBYTES = 300  # of memory for one load
MOST_TRIED = 100_000  # entries of an image on which a surviving model is tried


def outcome(name, content, path):
    """ "refused" or "sane"; anything else is an error."""
    path.write_bytes(content())
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        model = load_model(path)
    except ModelFileError:
        model = None
    peak = tracemalloc.get_traced_memory()[1] - before
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


BOUNDS = {"upper": 6.0, "lower": 1.0, "scope": "exact", "proven": 1.0}


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
        ("empty", {"certificate": {**BOUNDS, "lower": 1e9}}, "at most the objective, 6.0, got 1"),
        ("empty", {"certificate": {**BOUNDS, "scope": "proven"}}, "at `..certificate.scope`"),
        ("empty", {"certificate": {**BOUNDS, "scope": "patterns", "proven": 2.0}}, "at most its lower one, 1.0, got 2"),
        ("empty", {"certificate": {**BOUNDS, "proven": float("inf")}}, "at `..certificate.proven`"),
        ("pooled", {"format_version": 2}, "a convolutional network in version 3 and later alone"),
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
def test_long_headers_are_refused(field, outcomes, tmp_path):
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
