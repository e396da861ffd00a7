"""Rows of other array libraries against the same rows in memory."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.features import device as device_module
from neuralgauge.features.device import DeviceRows
from neuralgauge.features.places import HOST
from neuralgauge.features.rows import DenseFeatures

strict = pytest.importorskip("array_api_strict")

N, D, M = 300, 5, 7


def data(dtype="float32"):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D)).astype(dtype)
    return X, np.sin(2.0 * X[:, 0].astype(float)) + X[:, 1]


def on_torch(X):
    return pytest.importorskip("torch").asarray(X)


def on_strict(name):
    return lambda X: strict.asarray(X, device=strict.Device(name))


PLACES = {"elsewhere": on_strict("device1"), "without float64": on_strict("no_float64"), "PyTorch": on_torch}


@pytest.fixture(params=PLACES)
def place(request, monkeypatch):
    monkeypatch.setattr(device_module, "DEVICE_ACTIVATIONS", 500)  # several chunks
    return PLACES[request.param]


def pair(place, ones=True, dtype="float32"):
    X, _ = data(dtype)
    rows = X.astype(float)
    return DenseFeatures(np.column_stack([rows, np.ones(N)]) if ones else rows), DeviceRows(place(X), ones)


@pytest.mark.parametrize("ones", [True, False])
@pytest.mark.parametrize("c", [1, 3])
def test_bounds_rest_on_double_precision(place, ones, c):
    rng = np.random.default_rng(1)
    dense, rows = pair(place, ones)
    U, A, V = rng.standard_normal((dense.d, M)), rng.standard_normal((M, c)), rng.standard_normal((N, c))
    np.testing.assert_allclose(rows.outputs(U, A), dense.outputs(U, A), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(rows.gains(V, U), dense.gains(V, U), rtol=1e-11)
    np.testing.assert_allclose(rows.lengths, dense.lengths, rtol=1e-14)
    np.testing.assert_allclose(rows.span.stretch, dense.span.stretch, rtol=1e-12)
    assert rows.reach == pytest.approx(dense.reach, rel=1e-14)


@pytest.mark.parametrize("ones", [True, False])
@pytest.mark.parametrize("c", [1, 3])
def test_searches_agree_to_single_precision(place, ones, c):
    rng = np.random.default_rng(2)
    dense, rows = pair(place, ones)
    U, A, V = rng.standard_normal((dense.d, M)), rng.standard_normal((M, c)), rng.standard_normal((N, c))

    def heads(samples):
        return lambda f: (0.5 * float(np.sum((f - V[samples]) ** 2)), f - V[samples])

    for found, expected in zip(
        rows.value_and_gradient(U, A, heads), dense.value_and_gradient(U, A, heads), strict=True
    ):
        assert_close(found, expected)
    for found, expected in zip(rows.score_gradient(V, U, A), dense.score_gradient(V, U, A), strict=True):
        assert_close(found, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("c", [1, 3])
def test_smoothed_passes(place, c, dtype):
    if dtype == "float64" and "no_float64" in str(DeviceRows(place(data()[0]), True).place.device):
        return
    rng = np.random.default_rng(4)
    dense, rows = pair(place, dtype=dtype)
    U, A, V = rng.standard_normal((dense.d, M)), rng.standard_normal((M, c)), rng.standard_normal((N, c))
    width, s = rng.uniform(0.1, 1.0, M), rng.uniform(0.5, 2.0, (N, 1))

    def heads(samples):
        return lambda f: (0.5 * float(np.sum((f - V[samples]) ** 2)), f - V[samples])

    def second_order(samples):
        return lambda f: (*heads(samples)(f), s[samples])

    found, expected = (one.smoothed.value_and_gradient(U, A, width, heads) for one in (rows, dense))
    for mine, other in zip(found, expected, strict=True):
        assert_close(mine, other)
    if c == 1:
        weight, G = np.abs(A[:, 0]), np.sign(A)
        found, expected = (one.smoothed.curvature(U, G, weight, second_order) for one in (rows, dense))
        for mine, other in zip(found, expected, strict=True):
            assert_close(mine, other)
    chosen = np.array([1, 5, 200])
    assert_close(rows.smoothed.sampled(chosen) * rows.smoothed.scale, dense.dense(chosen), 1e-6)


def assert_close(found, expected, tolerance=1e-5):
    assert np.max(np.abs(np.asarray(found) - expected)) <= tolerance * np.max(np.abs(expected))


def test_values_that_are_not_finite_have_no_gradient(place):
    dense, rows = pair(place)
    U, A = np.ones((dense.d, 2)), np.ones((2, 1))
    value, *gradients = rows.value_and_gradient(U, A, lambda samples: lambda f: (np.inf, np.zeros_like(f)))
    assert value == np.inf
    assert not any(np.any(gradient) for gradient in gradients)


def test_rows_are_taken_on_the_device_or_brought_here(place):
    dense, rows = pair(place)
    chosen = np.array([0, 3, 99, N - 1])
    np.testing.assert_array_equal(rows.dense_part(chosen).X, dense.X[chosen])
    part = rows.part(chosen)
    assert isinstance(part, DeviceRows)
    np.testing.assert_array_equal(part.gathered(slice(1, 3)), dense.X[chosen[1:3]])


def test_passes_without_a_method_on_the_device(place):
    dense, rows = pair(place)
    W = np.random.default_rng(3).standard_normal((4, dense.d))
    np.testing.assert_allclose(rows.margins(W), dense.margins(W), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(rows.gates(W), dense.gates(W))


def test_double_precision_is_on_the_device_where_it_has_it():
    X, _ = data()
    assert DeviceRows(on_strict("no_float64")(X), True).exact is HOST
    assert DeviceRows(on_strict("device1")(X), True).exact.dtype == strict.float64


@pytest.mark.parametrize("name", ["device1", "no_float64"])
def test_problems_on_a_device(name):
    X, y = data()
    put = on_strict(name)
    problem, whole = ng.TrainingProblem(put(X), put(y.astype("float32")), beta=1.0), ng.TrainingProblem(X, y, beta=1.0)
    assert isinstance(problem.features, DeviceRows)
    network = ng.TwoLayerNetwork(np.ones((D + 1, 2)), np.array([0.5, -1.0]))
    assert problem.objective(network) == pytest.approx(whole.objective(network), rel=1e-6)
    assert ng.beta_max(problem) == pytest.approx(ng.beta_max(whole), rel=1e-4)


def test_memory_that_numpy_sees_is_shared_rather_than_passed_over_elsewhere():
    torch = pytest.importorskip("torch")
    X, y = data("float64")
    problem = ng.TrainingProblem(torch.asarray(X).requires_grad_(), torch.asarray(y), beta=1.0)
    assert isinstance(problem.features, DenseFeatures)


def test_wrong_arrays_are_refused(monkeypatch):
    monkeypatch.setattr(device_module, "DEVICE_ACTIVATIONS", 500)
    X, y = data()
    put = on_strict("device1")
    wrong = X.copy()
    wrong[207, 2] = np.nan
    for values, message in [
        (wrong, r"must be finite.*row 207, column 2"),
        (X.astype(int), "must be of type float32 or float64"),
        (X[:, 0], "two dimensions"),
        (1e20 * X, "largest entry between"),
    ]:
        with pytest.raises(ng.InvalidInputError, match=message):
            ng.TrainingProblem(put(values), y, beta=1.0)
