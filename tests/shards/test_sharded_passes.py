"""Passes over rows in shards against those over the same rows in memory: values, traffic, and workers that are lost."""

import os
import signal

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.pricing.columns import Columns
from neuralgauge.solvers.passes import Passes
from neuralgauge.solvers.sharded_passes import ShardedPasses, passes_of

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

N, D, M = 6000, 6, 8
REPEATS = 9
MESSAGE = 2000  # bytes that Dask adds to a message, at most


def problems(loss="squared", n=N):
    rows = da.random.default_rng(0).standard_normal((n, D), chunks=(n // 7, D))
    targets = da.sin(2.0 * rows[:, 0]) + rows[:, 1]
    if loss == "logistic":
        targets = da.sign(targets)
    X, y = (np.asarray(values) for values in (rows, targets))
    return ng.TrainingProblem(X, y, beta=n / 100, loss=loss), ng.TrainingProblem(rows, targets, beta=n / 100, loss=loss)


def weights(seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((D + 1, M)), rng.standard_normal((M, 1)), rng.uniform(0.1, 0.5, M)


def answers(passes):
    """What every pass gives for the same weights."""
    U, A, width = weights()
    network = ng.TwoLayerNetwork(U, A)
    v, other = passes.residual(network), passes.residual(ng.TwoLayerNetwork(0.1 * U, A))
    columns = Columns(np.ones(M), U / np.linalg.norm(U, axis=0), np.sign(A))
    return [
        passes.objective(network),
        *passes.smoothed(U, A, np.zeros(1), width),
        passes.spread(columns.U),
        passes.gains(v, U),
        passes.gains(other, U),
        *passes.score_gradient(v, U, columns.G),
        *passes.curvature(columns, np.abs(A[:, 0]), np.zeros(1)),
        passes.bound(other, 100.0),
        np.asarray(v),
    ]


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_answers_are_those_of_rows_in_memory(loss, client):
    whole, sharded = problems(loss)
    assert isinstance(passes_of(sharded), ShardedPasses)
    for found, expected in zip(answers(passes_of(sharded)), answers(Passes(whole)), strict=True):
        assert np.max(np.abs(np.asarray(found) - expected)) <= 1e-5 * np.max(np.abs(expected))


def test_a_sample_holds_rows_with_their_dual_point(client):
    whole, sharded = problems()
    passes = passes_of(sharded)
    v = passes.residual(ng.TwoLayerNetwork(*weights()[:2]))
    for most in (50, N):
        sample = passes.sample(v, most, np.random.default_rng(0))
        assert len(sample.rows) == len(sample.v) == most
        scale = sample.rows[0, -1]  # of the column of ones
        place = {value: row for row, value in enumerate(np.asarray(v))}
        found = [place[value] for value in sample.v]
        np.testing.assert_allclose(sample.rows / scale, whole.X[found], rtol=1e-5, atol=1e-6)


@pytest.fixture
def processes():
    """A client of two workers, each a process."""
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, distributed.Client(cluster) as made:
        yield made


def traffic(client, passes):
    """Bytes that the workers had from each other in a pass, of each kind: the median, for at first shards are moved."""
    U, A, width = weights()
    v = passes.residual(ng.TwoLayerNetwork(U, A))
    asked = [
        lambda: passes.smoothed(U, A, np.zeros(1), width),
        lambda: passes.gains(v, U),
        lambda: passes.score_gradient(v, U, np.sign(A)),
    ]
    found = [received(client)]
    for ask in REPEATS * asked:
        ask()
        found.append(received(client))
    return np.median(np.diff(found).reshape(REPEATS, len(asked)), axis=0)


@pytest.mark.slow
def test_what_travels_does_not_depend_on_the_rows(processes):
    few, many = (traffic(processes, passes_of(problems(n=n)[1])) for n in (200_000, 600_000))
    messages = 4  # weights to the second worker, sums between the two
    network_size = 8 * sum(part.size for part in weights())
    assert max(*few, *many) <= messages * (network_size + MESSAGE), (few, many)


@pytest.mark.slow
def test_what_is_lost_with_a_worker_is_made_again(processes):
    passes = passes_of(problems()[1])
    U, A, _ = weights()
    v, expected = passes.residual(ng.TwoLayerNetwork(U, A)), answers(passes)
    os.kill(next(iter(processes.run(os.getpid).values())), signal.SIGKILL)
    np.testing.assert_array_equal(passes.gains(v, U), expected[6])
    assert all(np.array_equal(found, before) for found, before in zip(answers(passes), expected, strict=True))


def received(client):
    """Bytes that the workers have had from each other."""
    return sum(client.run(lambda dask_worker: sum(e["total"] for e in dask_worker.transfer_incoming_log)).values())
