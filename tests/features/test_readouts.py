"""Readouts against loops over rows, and their adjoints."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.features.readouts import DenseReadout, PatchReadout, regions_of


def random_readout(seed, n=5, n_regions=3):
    """Rows in the order of samples, in numbers that differ; some regions of some samples are empty."""
    rng = np.random.default_rng(seed)
    sample = np.repeat(np.arange(n), rng.integers(1, 6, n))
    region = rng.integers(0, n_regions, len(sample))
    return PatchReadout(sample, region, rng.uniform(0.2, 2.0, len(sample)), n, n_regions), rng


def readouts(c):
    dense, rng = DenseReadout(7), np.random.default_rng(0)
    cases = [(dense, 7, rng)]
    for seed, n_regions in enumerate((1, 3)):
        readout, rng = random_readout(seed, n_regions=n_regions)
        cases.append((readout, len(readout.sample), rng))
    return [
        (readout, rng.standard_normal((N, 4)), rng.standard_normal((4, c * readout.n_regions)), rng)
        for readout, N, rng in cases
    ]


def outputs_by_hand(readout, H, A):
    P = readout.n_regions
    c = A.shape[1] // P
    f = np.zeros((readout.n, c))
    for r in range(len(H)):
        i, p, s = (
            (r, 0, 1.0)
            if P == 1 and isinstance(readout, DenseReadout)
            else (readout.sample[r], readout.region[r], readout.weight[r])
        )
        for j in range(len(A)):
            f[i] += s * H[r, j] * A[j, p * c : (p + 1) * c]
    return f


@pytest.mark.parametrize("c", [1, 2])
def test_outputs_and_adjoints(c):
    for readout, H, A, rng in readouts(c):
        f = readout.outputs(H, A)
        V = rng.standard_normal(f.shape)
        np.testing.assert_allclose(f, outputs_by_hand(readout, H, A), atol=1e-13)
        value = float(np.sum(f * V))
        assert np.sum(readout.gains(V, H) * A) == pytest.approx(value, abs=1e-12)
        assert np.sum(readout.along(V, A) * H) == pytest.approx(value, abs=1e-12)
        lifted = readout.lifted(V).reshape(len(H), -1)
        assert np.sum(H.T @ lifted * A) == pytest.approx(value, abs=1e-12)
        np.testing.assert_allclose(readout.atoms(H, A).sum(axis=1).reshape(f.shape), f, atol=1e-12)


@pytest.mark.parametrize("c", [1, 2])
def test_maps_are_what_open_rows_put_out(c):
    readout, rng = random_readout(3)
    X, G = rng.standard_normal((len(readout.sample), 4)), rng.standard_normal((6, 3 * c))
    gates, w = rng.random((6, len(X))) < 0.5, rng.standard_normal(4)
    for gate, g, Z in zip(gates, G, readout.maps(gates, X, G), strict=True):
        np.testing.assert_allclose(Z @ w, readout.outputs((gate * (X @ w))[:, None], g[None]), atol=1e-13)


def test_parts_and_chunks_put_out_the_same():
    for readout, H, A, rng in readouts(2):
        f = readout.outputs(H, A)
        chosen = np.sort(rng.choice(readout.n, 3, replace=False))
        rows, part = readout.part(chosen)
        np.testing.assert_allclose(part.outputs(H[rows], A), f[chosen], atol=1e-13)
        for most in (1, 4, 100):
            chunks = readout.chunks(most)
            together = np.vstack([part.outputs(H[rows], A) for rows, _, part in chunks])
            np.testing.assert_allclose(together, f, atol=1e-13)
            assert [samples.start for _, samples, _ in chunks] == [0, *(samples.stop for _, samples, _ in chunks[:-1])]
            assert all(part.n == 1 or rows.stop - rows.start <= most for rows, _, part in chunks)


def test_reach_bounds_what_a_sample_puts_out():
    for readout, X, _, rng in readouts(2):
        reach = readout.reach(np.linalg.norm(X, axis=1))
        for _ in range(50):
            u, g = rng.standard_normal(X.shape[1]), rng.standard_normal(2 * readout.n_regions)
            f = readout.outputs(np.maximum(X @ u, 0.0)[:, None], g[None])
            assert np.linalg.norm(f, axis=1).max() <= reach * np.linalg.norm(u) * np.linalg.norm(g) * (1 + 1e-12)


def test_regions():
    region, weight, P = regions_of("pooled", (2, 3))
    assert (region.tolist(), weight.tolist(), P) == ([0] * 6, [1 / 6] * 6, 1)
    assert regions_of("flattened", (2, 3))[0].tolist() == list(range(6))
    region, weight, P = regions_of((1, 2), (2, 3))
    assert (region.tolist(), P) == ([0, 0, 1, 0, 0, 1], 2)
    assert weight.tolist() == [0.25, 0.25, 0.5, 0.25, 0.25, 0.5]


@pytest.mark.parametrize("readout", ["average", (0, 1), (3, 1), (1,), (1.5, 1), 2])
def test_unknown_regions_are_refused(readout):
    with pytest.raises(ng.InvalidInputError, match='`readout` must be "pooled"'):
        regions_of(readout, (2, 3))
