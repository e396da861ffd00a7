"""C that is compiled and run gives the predictions of the model."""

import ctypes
import itertools
import re
import shutil
import subprocess

import numpy as np
import pytest
from code_models import MODELS, network, rows_of, saved, sizes, wanted

import neuralgauge as ng
from neuralgauge.preparation.standardization import Standardization

COMPILER = shutil.which("gcc") or shutil.which("clang")
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
numbers = itertools.count()
pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a compiler of C")


def compiled(code, folder, *options):
    source, library = folder / f"model{next(numbers)}.c", folder / f"model{next(numbers)}.so"
    source.write_text(code, encoding="utf-8")
    language = ["-std=c99"] if not options else list(options)
    subprocess.run([COMPILER, *language, *STRICT, "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
    return ctypes.CDLL(str(library))


def run(code, X, width, folder, precision, name="predict", *options):
    """Outputs (n, width), and what the function returns."""
    function = getattr(compiled(code, folder, *options), name)
    kind = ctypes.c_float if precision == "float32" else ctypes.c_double
    function.argtypes = [ctypes.POINTER(kind)] * 2
    outputs, returned = np.full((len(X), width + 1), np.nan), []
    for row, output in zip(X, outputs, strict=True):
        y = (kind * (width + 1))(*([7.0] * (width + 1)))
        returned.append(function((kind * max(len(row), 1))(*row), y))
        output[:] = list(y)
    assert np.all(outputs[:, width] == 7.0), "written beyond the outputs"
    return outputs[:, :width], np.array(returned)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_equals_the_model(model, precision, tolerance, tmp_path):
    X = rows_of(model)
    X = X.astype(np.float32).astype(float) if precision == "float32" else X
    right = wanted(model, X)
    found, index = run(ng.to_c(model, precision=precision), X, right.shape[1], tmp_path, precision)
    if model.loss == "poisson":
        found, right = np.log(found), np.log(right)
    assert np.abs(found - right).max() <= tolerance * sizes(model, X)
    if model.classes:
        labels = np.array(model.classes)[index]
        scores = model.decision_function(X)
        near = np.abs(scores) if scores.ndim == 1 else np.ptp(np.sort(scores, axis=1)[:, -2:], axis=1)
        assert np.all((labels == model.predict(X)) | (near < 1e-4))
        assert np.mean(labels == model.predict(X)) > 0.9


def test_single_precision_serves_columns_of_large_means(tmp_path):
    rng = np.random.default_rng(0)
    model = saved(rng, 3, 6)
    scaling = Standardization([2003.7, 1e6 + 0.3, 5.0], [5.0, 40.0, 1.0], 0.0, 1.0)
    model = ng.SavedModel(**{**vars(model), "standardization": scaling})
    X = rows_of(model).astype(np.float32).astype(float)
    found, _ = run(ng.to_c(model), X, 1, tmp_path, "float32")
    assert np.abs(found[:, 0] - model.predict(X)).max() <= 2e-6 * np.abs(model.predict(X)).max()


@pytest.mark.parametrize("name", ["names", "softmax", "counts"])
def test_is_cplusplus_too(name, tmp_path):
    model = MODELS[name]
    X = rows_of(model).astype(np.float32).astype(float)
    found, _ = run(ng.to_c(model), X, wanted(model, X).shape[1], tmp_path, "float32", "predict", "-xc++", "-std=c++11")
    assert np.all(np.isfinite(found))


def own_test(code, folder):
    source, program = folder / "own.c", folder / "own"
    source.write_text(code, encoding="utf-8")
    subprocess.run([COMPILER, "-std=c99", *STRICT, "-DF_TEST", source, "-o", program, "-lm"], check=True)
    return subprocess.run([program], check=False).returncode


@pytest.mark.parametrize("name", ["no neurons", "names", "counts", "apart", "margins of three"])
def test_its_own_test_passes(name, tmp_path):
    assert own_test(ng.to_c(MODELS[name], "f", test_rows=rows_of(MODELS[name], 5)), tmp_path) == 0


@pytest.mark.parametrize("name", ["one feature", "targets", "two classes"])
def test_its_own_test_finds_a_wrong_number(name, tmp_path):
    code = ng.to_c(MODELS[name], "f", test_rows=rows_of(MODELS[name], 5))
    wrong = re.sub(r"(constant\[\d+\] = \{\s*)", r"\g<1>9e5f + ", code)
    assert wrong != code
    assert own_test(wrong, tmp_path) == 1


@pytest.mark.parametrize("name", ["one feature", "two classes", "softmax", "margins of three"])
def test_what_is_not_a_number_stays_so(name, tmp_path):
    model = MODELS[name]
    X = np.full((1, model.network.n_features), np.nan)
    found, index = run(ng.to_c(model), X, wanted(model, rows_of(model)).shape[1], tmp_path, "float32")
    assert np.all(np.isnan(found))
    assert not model.classes or index[0] == -1


def test_networks_without_bias_features_or_outputs_of_one_kind(tmp_path):
    rng = np.random.default_rng(3)
    for one in (network(rng, 2, 4, 2, bias=False), ng.TwoLayerNetwork([[1.0, -1.0]], [2.0, 3.0], offset=1.0)):
        X = rng.standard_normal((9, one.n_features))
        found, _ = run(ng.to_c(one, precision="float64"), X, one.n_outputs, tmp_path, "float64")
        right = one.forward(np.column_stack([X, np.ones(9)]) if one.bias else X).reshape(9, -1)
        assert np.allclose(found, right, rtol=1e-12, atol=1e-14)


def test_encoded_columns_are_inputs(encoded, table, tmp_path):
    columns, _ = table
    features = encoded[0].transform(columns)
    code = ng.to_c(encoded, precision="float64")
    found, _ = run(code, features, 1, tmp_path, "float64")
    assert np.allclose(found[:, 0], encoded.predict(columns), rtol=1e-12)
    assert "x[0]: size" in code
    assert "size is missing" in code


def test_names_stay_in_the_comment():
    code = ng.to_c(MODELS["names"])
    head, _, rest = code.partition("\n */")
    assert all(mark not in head[2:] for mark in ("*/", "/*", "??"))
    assert not any(word in rest for word in ("DROP", "int x", "größe"))
    lines = ng.to_c(saved(np.random.default_rng(0), 1, 1, feature_names=("a\nb\u202e",)))
    assert "a\\nb\\u202e" in lines


def test_digits_are_those_asked_for():
    code = ng.to_c(MODELS["one feature"], digits=3)
    found = re.findall(r"-?\d[\d.]*(?:e[+-]?\d+)?(?=f)", code)
    assert found
    assert all(len(re.sub(r"e.*|\D", "", one).strip("0")) <= 3 for one in found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "int"}, "name that C allows"),
        ({"name": "a b"}, "name that C allows"),
        ({"name": "sin"}, "name that C allows"),
        ({"name": "wanted"}, "name that C allows"),
        ({"name": "f(void){}"}, "name that C allows"),
        ({"precision": "half"}, "`precision`"),
        ({"digits": 0}, "`digits`"),
        ({"test_rows": [[1.0, 2.0]]}, "`test_rows` must have 1 columns"),
        ({"test_rows": [[1e39]]}, "3e38"),
        ({"feature_names": ["a", "b"]}, "must be 1 names"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.to_c(MODELS["one feature"], **options)


def test_numbers_that_single_precision_does_not_hold_are_refused(tmp_path):
    one = ng.TwoLayerNetwork([[1e60], [0.0]], [1e-60])
    with pytest.raises(ng.InvalidInputError, match="float64"):
        ng.to_c(one)
    found, _ = run(ng.to_c(one, precision="float64"), np.array([[3.0]]), 1, tmp_path, "float64")
    assert found[0, 0] == pytest.approx(3.0)


def test_other_kinds_are_refused():
    geometry = ng.PatchGeometry((4, 4, 1), filter_size=2)
    conv = ng.ReLUConvNetwork([[1.0]] * 4, [1.0], bias=False, geometry=geometry)
    for model in (conv, object(), ng.ReLURegressor()):
        with pytest.raises(ng.InvalidInputError):
            ng.to_c(model)
