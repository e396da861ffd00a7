"""Training where the rows are: in a cluster, or on a device."""

import numpy as np
import pytest

import neuralgauge as ng

da = pytest.importorskip("dask.array")
strict = pytest.importorskip("array_api_strict")


def data(n=2000):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3)).astype(np.float32)
    return X, np.sin(2.0 * X[:, 0].astype(float)) + X[:, 1]


def in_shards(X):
    return da.from_array(X, chunks=(600, 3))


def on_a_device(X):
    return strict.asarray(X, device=strict.Device("no_float64"))


@pytest.mark.slow
@pytest.mark.parametrize("place", [in_shards, on_a_device])
def test_training_reaches_the_optimum_of_rows_in_memory(place, client):
    X, y = data()
    whole = ng.TrainingProblem(X, y, beta=20.0)
    best = ng.train(whole, gap=1e-4, prove=False).certificate
    problem = ng.TrainingProblem(place(X), y, beta=20.0)
    solution = ng.train(problem, gap=1e-2, time_limit=120.0)
    assert solution.status is ng.Status.SOLVED
    assert whole.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-6)
    assert solution.certificate.lower <= best.upper * (1.0 + 1e-6)
    assert best.lower <= solution.certificate.upper <= 1.01 * best.upper
    assert ng.certify(solution.network, problem, time_limit=20.0, gap=1e-2).gap <= 2e-2
