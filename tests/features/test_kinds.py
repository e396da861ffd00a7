"""Passes over the rows, of every kind of features, against the obvious formulas on a dense array."""

import tempfile

import numpy as np
import pytest
from scipy.sparse import csr_array

import neuralgauge as ng
from neuralgauge.features import chunks, rows
from neuralgauge.features.rows import DenseFeatures, Features
from neuralgauge.features.sparse import SparseFeatures
from neuralgauge.features.streamed import ArrayRows, FileRows, StreamedFeatures


def data(q, seed=0, n=300, d=5, m=4):
    rng = np.random.default_rng(seed)
    X = np.hstack([rng.standard_normal((n, d - 1)), np.ones((n, 1))])
    X[rng.random(X.shape) < 0.2] = 0.0
    X[:, -1] = 1.0
    X = X.astype(np.float32).astype(np.float64)  # so that every kind holds the same numbers
    return X, rng.standard_normal((n, q)), rng.standard_normal((d, m)), rng.standard_normal((m, q))


class Streamed(Features):
    """The smallest kind there can be: an array behind the four methods."""

    def __init__(self, X, readout):
        self.X, self.readout = X, readout

    N = property(lambda self: len(self.X))
    d = property(lambda self: self.X.shape[1])
    lengths = property(lambda self: np.linalg.norm(self.X, axis=1))

    def block(self, rows, searched=False):
        return rows_block(self.X[rows])

    def gathered(self, rows):
        return self.X[rows]

    def take(self, rows, readout):
        return Streamed(self.X[rows], readout)


rows_block = rows.DenseBlock


def file_rows(X):
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(X.tobytes())
    file.flush()
    return FileRows(file, X.shape, X.dtype)


KINDS = {
    "dense": DenseFeatures,
    "streamed": lambda X: Streamed(X, DenseFeatures(X).readout),
    "float32": lambda X: StreamedFeatures(ArrayRows(X[:, :-1].astype(np.float32)), True),
    "by columns": lambda X: StreamedFeatures(ArrayRows(np.asfortranarray(X[:, :-1])), True),
    "without ones": lambda X: StreamedFeatures(ArrayRows(X), False),
    "file": lambda X: StreamedFeatures(file_rows(X[:, :-1].astype(np.float32)), True),
    "sparse": lambda X: SparseFeatures(csr_array(X[:, :-1]), True),
    "sparse float32": lambda X: SparseFeatures(csr_array(X.astype(np.float32)), False),
}
SINGLE = {"float32", "file"}  # searches in single precision
every_kind = pytest.mark.parametrize("kind", KINDS)
outputs = pytest.mark.parametrize("q", [1, 3])


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    monkeypatch.setattr(rows, "CHUNK", 150.0)
    monkeypatch.setattr(rows, "BLOCK", 300.0)


@every_kind
@outputs
def test_passes(kind, q):
    X, V, U, A = data(q)
    features, H = KINDS[kind](X), np.maximum(X @ U, 0.0)
    close = {"rtol": 0.0, "atol": 1e-10}
    assert np.allclose(features.outputs(U, A), H @ A, **close)
    assert np.allclose(features.gains(V, U), H.T @ V, **close)
    assert np.allclose(features.hidden(U), H, **close)
    assert np.array_equal(features.gates(U.T), U.T @ X.T >= 0)
    assert np.allclose(features.margins(U.T), U.T @ X.T, **close)
    assert np.allclose(features.absolute_sum(V[:, 0]), V[:, 0] @ np.abs(X), **close)
    assert np.allclose(features.lengths, np.linalg.norm(X, axis=1), **close)
    assert features.reach == pytest.approx(np.linalg.norm(X, axis=1).max(), rel=1e-12)
    assert np.allclose(features.span.stretch, np.linalg.svd(X, compute_uv=False), **close)


@every_kind
@outputs
def test_gradients(kind, q):
    X, V, U, A = data(q)
    features, H, Z = KINDS[kind](X), np.maximum(X @ U, 0.0), X @ U > 0
    value, by_U, by_A, by_b = features.value_and_gradient(
        U, A, lambda samples: lambda f: (0.5 * np.sum((f - V[samples]) ** 2), f - V[samples])
    )
    r, within = H @ A - V, 1e-6 if kind in SINGLE else 1e-12
    assert value == pytest.approx(0.5 * np.sum(r**2), rel=within)
    close(by_U, X.T @ (Z * (r @ A.T)), within)
    close(by_A, H.T @ r, within)
    close(by_b, r.sum(axis=0), within)
    scores, by_u = features.score_gradient(V, U, A)
    close(scores, np.einsum("rm,rm->m", H, V @ A.T), within)
    close(by_u, X.T @ (Z * (V @ A.T)), within)


def close(found, expected, within):
    assert found.dtype == np.float64
    assert np.max(np.abs(found - expected)) <= within * np.max(np.abs(expected)) * 10


@every_kind
def test_parts(kind):
    X, _, U, A = data(1)
    chosen = np.array([3, 50, 51, 299])
    for part in (KINDS[kind](X).part(chosen), KINDS[kind](X).dense_part(chosen)):
        assert np.allclose(part.outputs(U, A), np.maximum(X[chosen] @ U, 0.0) @ A, rtol=0.0, atol=1e-12)
    assert np.array_equal(part.dense(), X[chosen])
    assert isinstance(part, DenseFeatures)
    assert part.resident


def test_rows_kept_otherwise_are_not_gathered_unasked():
    X = data(1)[0]
    with pytest.raises(ng.InvalidInputError, match="give X as a float64 array"):
        KINDS["streamed"](X).dense()
    assert np.array_equal(KINDS["streamed"](X).dense(slice(0, 2)), X[:2])


def test_single_precision_is_left_where_it_would_overflow():
    X, V, U, A = data(1)
    features = KINDS["float32"](X)
    scores, by_u = features.score_gradient(1e200 * V, U, A)
    exact, slopes = DenseFeatures(X).score_gradient(1e200 * V, U, A)
    close(scores, exact, 1e-12)
    close(by_u, slopes, 1e-12)
    heads = lambda samples: lambda f: (float(np.sum(f)), np.full(f.shape, 1e60))  # noqa: E731
    found, exact = (kind.value_and_gradient(U, A, heads) for kind in (features, DenseFeatures(X)))
    for one, other in zip(found[1:], exact[1:], strict=True):
        close(one, other, 1e-12)


@every_kind
def test_sums_are_formed_in_groups(kind, monkeypatch):
    X, V, U, _ = data(1)
    monkeypatch.setattr(chunks, "GROUPS", 4)
    assert np.allclose(KINDS[kind](X).gains(V, U), np.maximum(X @ U, 0.0).T @ V, rtol=0.0, atol=1e-10)


def test_a_file_cut_short_is_an_error():
    X = data(1)[0]
    source = file_rows(X)
    features = StreamedFeatures(source, False)
    source._file.truncate(100)
    with pytest.raises(ng.InvalidInputError, match="was cut short"):
        features.gathered(slice(0, 300))
