"""Passes over the rows, of every kind of features, against the obvious formulas on a dense array."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.features import rows
from neuralgauge.features.rows import DenseFeatures, Features


def data(q, seed=0, n=300, d=5, m=4):
    rng = np.random.default_rng(seed)
    X = np.hstack([rng.standard_normal((n, d - 1)), np.ones((n, 1))])
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
KINDS = {"dense": DenseFeatures, "streamed": lambda X: Streamed(X, DenseFeatures(X).readout)}
every_kind = pytest.mark.parametrize("kind", KINDS)
outputs = pytest.mark.parametrize("q", [1, 3])


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    monkeypatch.setattr(rows, "CHUNK", 150.0)


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
    assert np.allclose(features.weighted_sums(V.T), V.T @ X, **close)
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
    r = H @ A - V
    assert value == pytest.approx(0.5 * np.sum(r**2), rel=1e-12)
    assert np.allclose(by_U, X.T @ (Z * (r @ A.T)), rtol=0.0, atol=1e-9)
    assert np.allclose(by_A, H.T @ r, rtol=0.0, atol=1e-9)
    assert np.allclose(by_b, r.sum(axis=0), rtol=0.0, atol=1e-10)
    scores, by_u = features.score_gradient(V, U, A)
    assert np.allclose(scores, np.einsum("rm,rm->m", H, V @ A.T), rtol=0.0, atol=1e-10)
    assert np.allclose(by_u, X.T @ (Z * (V @ A.T)), rtol=0.0, atol=1e-10)


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
