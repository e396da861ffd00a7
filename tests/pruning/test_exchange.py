"""Exchanging neurons until at most n c are left."""

import tracemalloc

import numpy as np
import pytest
from scipy.optimize import linprog

import neuralgauge as ng
from neuralgauge.features.rows import DenseFeatures
from neuralgauge.pruning.exchange import exchange


def crowd(rng, n, c, copies):
    """A design matrix and a network of many neurons, some nearly of one direction."""
    X = np.hstack([rng.standard_normal((n, 3)), np.ones((n, 1))])
    U = np.repeat(rng.standard_normal((4, 3 * n * c)), copies, axis=1)
    U += 1e-9 * rng.standard_normal(U.shape)
    A = np.repeat(rng.standard_normal((3 * n * c, c)), copies, axis=0)
    return X, ng.TwoLayerNetwork(U, A)


@pytest.mark.parametrize(("n", "c", "copies"), [(8, 1, 1), (20, 1, 4), (7, 3, 2)])
def test_keeps_outputs_and_never_costs(rng, n, c, copies):
    X, network = crowd(rng, n, c, copies)
    found = exchange(network, DenseFeatures(X))
    assert found.n_neurons <= n * c < network.n_neurons
    assert np.allclose(found.forward(X), network.forward(X), rtol=0, atol=1e-9 * np.abs(network.forward(X)).max())
    assert found.weight_decay() < network.balance().weight_decay()
    assert found.weight_decay() >= cheapest(network.balance(), X) * (1 - 1e-9)


def cheapest(network, X):
    """The least penalty over all amplitudes with these outputs."""
    hidden = np.maximum(X @ network.U, 0.0)
    atoms = (hidden[:, None, :] * network.A.T).reshape(-1, network.n_neurons)
    cost = np.sum(network.A**2, axis=1)
    return linprog(cost, A_eq=atoms, b_eq=atoms.sum(axis=1), method="highs").fun


def test_one_neuron_many_times(rng):
    """All amplitudes cost the same: no descent tells which neuron goes."""
    X = rng.standard_normal((1, 3))
    u = X[0][:, None] + np.zeros((3, 5))
    found = exchange(ng.TwoLayerNetwork(u, np.ones(5)), DenseFeatures(X))
    assert found.n_neurons == 1
    assert found.forward(X) == pytest.approx(5.0 * X[0] @ X[0], rel=1e-12)


def test_few_neurons_stay(rng):
    X, network = crowd(rng, 20, 1, 1)
    small = network.take(np.arange(15))
    assert np.array_equal(exchange(small, DenseFeatures(X)).forward(X), small.balance().forward(X))


def test_neurons_that_linear_programs_cannot_handle_are_exchanged(monkeypatch):
    """HiGHS calls programs with many columns of nearly one direction infeasible; the promise of n c neurons stands."""
    from neuralgauge.pruning import caratheodory

    rng = np.random.default_rng(0)
    X = rng.standard_normal((8, 3))
    network = ng.TwoLayerNetwork(rng.standard_normal((3, 60)), rng.standard_normal(60))
    monkeypatch.setattr(caratheodory, "_cheapest", lambda program, rows: None)
    fewer = caratheodory.basic(network, DenseFeatures(X))
    assert fewer.n_neurons <= 8
    np.testing.assert_allclose(fewer.forward(X), network.forward(X), atol=1e-11)
    assert fewer.weight_decay() <= network.balance().weight_decay() * (1 + 1e-12)


def descended(columns, cost):
    """The slow twin: a null space by singular vectors for every step of the steepest descent of cost^T t."""
    share, live = np.ones(len(cost)), np.arange(len(cost))
    while len(live) > len(columns):
        null = np.linalg.svd(columns[:, live])[2][len(columns) :].T
        move = null @ (null.T @ -cost[live])
        reach = np.where(move < 0, share[live] / np.maximum(-move, 1e-300), np.inf)
        share[live] += reach.min() * move
        share[live[np.argmin(reach)]] = 0.0
        live = np.delete(live, np.argmin(reach))
    return share


@pytest.mark.parametrize(("n", "c", "m"), [(6, 1, 40), (10, 2, 30), (12, 1, 13)])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_follows_the_steepest_descent(rng, n, c, m, scale):
    X = rng.standard_normal((n, 3))
    U = rng.standard_normal((3, m)) * scale ** rng.uniform(-1.0, 1.0, m)
    network = ng.TwoLayerNetwork(U, rng.standard_normal((m, c)), bias=False).balance()
    atoms = (np.maximum(X @ network.U, 0.0)[:, None, :] * network.A.T).reshape(-1, m)
    share = descended(atoms, np.sum(network.A**2, axis=1))
    found = exchange(network, DenseFeatures(X))
    assert found.n_neurons == np.count_nonzero(share) == n * c
    np.testing.assert_allclose(np.sum(found.A**2, axis=1), (share * np.sum(network.A**2, axis=1))[share > 0], rtol=1e-6)


def test_many_neurons_take_few_factorisations_and_no_square_matrix(rng, monkeypatch):
    X = np.hstack([rng.standard_normal((20, 3)), np.ones((20, 1))])
    network = ng.TwoLayerNetwork(rng.standard_normal((4, 1200)), rng.standard_normal(1200))
    shapes, qr = [], np.linalg.qr
    monkeypatch.setattr(np.linalg, "qr", lambda a, *rest, **more: shapes.append(a.shape) or qr(a, *rest, **more))
    tracemalloc.start()
    try:
        found = exchange(network, DenseFeatures(X))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.n_neurons == 20
    assert len(shapes) < 20  # six halvings, and a few more on the way
    assert peak < 10 * 8 * 20 * 1200
    scale = np.abs(np.maximum(X @ network.U, 0.0) @ np.abs(network.A)).max()
    np.testing.assert_allclose(found.forward(X), network.forward(X), rtol=0, atol=1e-13 * scale)
