"""Descent against loops, differences and PyTorch."""

from types import SimpleNamespace

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge_reproduction.baseline import baseline
from neuralgauge_reproduction.descent import Training, _batches, _best_step, _initial, _run, descend
from neuralgauge_reproduction.gradients import gradients


def outputs_by_loops(training, U, A):
    n, K, d = training.X.shape
    f = np.zeros(n)
    for i in range(n):
        for j in range(U.shape[1]):
            if training.readout == "circular":
                for k in range(d):
                    f[i] += A[j, k] * sum(training.X[i, 0, (k + a) % d] * U[a, j] for a in range(len(U)))
                continue
            for k in range(K):
                h = max(float(training.X[i, k] @ U[:, j]), 0.0)
                f[i] += h * (A[j, 0] / K if training.readout == "pooled" else A[j, k])
    return f


def objective_by_loops(training, U, A):
    f = outputs_by_loops(training, U, A)
    if training.loss == "squared":
        loss = 0.5 * np.sum((f - training.y) ** 2)
    else:
        loss = np.sum(np.maximum(1.0 - training.y * f, 0.0))
    return loss + 0.5 * training.beta * (np.sum(U**2) + np.sum(A**2))


def case_of(readout, loss, rng):
    X = rng.standard_normal((6, 1 if readout == "circular" else 3, 5))
    y = np.where(rng.standard_normal(6) > 0, 1.0, -1.0)
    return Training(X, y, 0.3, loss, 2, 6, 1, 2, readout, 3 if readout == "circular" else 0, seed=4)


@pytest.mark.parametrize("readout", ["pooled", "flattened", "circular"])
@pytest.mark.parametrize("loss", ["squared", "hinge"])
def test_a_step_follows_the_gradient(readout, loss, rng):
    training = case_of(readout, loss, rng)
    trace = _run(training, 0.01, 1, 1)
    U, A = _initial(training, np.random.default_rng(4))
    np.testing.assert_array_equal(trace.initial_U, U)
    for t in range(2):
        for which, start in enumerate((U[t], A[t])):
            moved = trace.snapshots[-1][which][t]
            for entry in np.ndindex(start.shape):
                values = []
                for h in (1e-6, -1e-6):
                    weights = [U[t].copy(), A[t].copy()]
                    weights[which][entry] += h
                    values.append(objective_by_loops(training, *weights))
                gradient = (values[0] - values[1]) / 2e-6 / len(training.y)
                assert moved[entry] == pytest.approx(start[entry] - 0.01 * gradient, abs=1e-7)
        assert trace.objectives[-1, t] == pytest.approx(
            objective_by_loops(training, *(part[t] for part in trace.snapshots[-1]))
        )


@pytest.mark.parametrize("readout", ["pooled", "flattened"])
def test_gradients_are_those_of_torch(readout, rng):
    torch = pytest.importorskip("torch")
    training = case_of(readout, "squared", rng)
    U, A = _initial(training, rng)
    X = np.stack([training.X, training.X])
    ours = gradients(readout, X, U, A, lambda f: np.cos(f))
    parts = [torch.tensor(W, requires_grad=True) for W in (U, A)]
    H = torch.relu(torch.einsum("tbkd,tdm->tbkm", torch.tensor(X), parts[0]))
    if readout == "pooled":
        H = H.mean(dim=2, keepdim=True)
    torch.sin(torch.einsum("tbqm,tmq->tb", H, parts[1])).sum().backward()
    for found, part in zip(ours, parts, strict=True):
        np.testing.assert_allclose(found, part.grad.numpy(), atol=1e-12)


def test_batches_visit_every_sample_once_an_epoch(rng):
    batches = _batches(7, 3, 2, rng)
    first = np.concatenate([next(batches) for _ in range(2)], axis=1)  # 7 = 3 + 3 and one left out
    for order in first.tolist():
        assert len(set(order)) == 6


def test_descent_falls_and_is_repeatable(paper):
    problem = paper(1e-2)
    training = Training(problem.X[:, None], problem.y, 1e-2, "squared", 10, 5, 500, 3)
    found = baseline(training, ng.TwoLayerNetwork, problem.objective)
    assert len(found.method.objectives) == 3
    assert all(curve.y[-1] < 0.5 * curve.y[0] for curve in found.objectives)
    # The objective of the library for the returned weights is the one that descent saw.
    assert [curve.y[-1] for curve in found.objectives] == pytest.approx(found.method.objectives)
    times = found.over_time(found.objectives)[0].x
    assert list(times) == sorted(times)
    assert 3 * times[-1] == pytest.approx(found.method.seconds)
    again = descend(training)
    np.testing.assert_array_equal(again.objectives[-1], [curve.y[-1] for curve in found.objectives])


@pytest.mark.parametrize(
    ("means", "step", "tries"),
    [
        ([np.inf, np.nan, 5.0, 3.0, 4.0], 1e-2, 5),
        ([2.0, 3.0], 0.3, 2),
        ([np.nan] * 8, 1e-4, 8),
        ([9, 8, 7, 6, 5, 4, 3, 2], 1e-4, 8),
    ],
)
def test_the_sweep_goes_down_until_it_rises(means, step, tries):
    asked = []

    def tried(step):
        asked.append(step)
        return SimpleNamespace(objectives=np.array([[means[len(asked) - 1]]]))

    assert _best_step(tried) == step
    assert len(asked) == tries


def test_a_step_that_diverges_is_shortened(rng):
    X = 100.0 * rng.standard_normal((20, 1, 5))
    trace = descend(Training(X, np.ones(20), 1.0, "squared", 4, 20, 40, 2))
    assert np.isfinite(trace.objectives).all()
