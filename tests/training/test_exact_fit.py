"""Small corrections that make a network interpolate."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.training import exact_fit
from neuralgauge.training.exact_fit import first_fit, fit_exactly, misfit


def teacher(rng, n=30, d=3, m=12, c=1):
    """A design matrix and a network that fits y on it."""
    X = np.hstack([rng.standard_normal((n, d)), np.ones((n, 1))])
    network = ng.TwoLayerNetwork(rng.standard_normal((d + 1, m)), rng.standard_normal((m, c))).balance()
    return X, network, network.forward(X)


def test_misfit_counts_roundings_of_each_sample(rng):
    """In units of the rounding of that very output: a small target among large ones is held to its own size."""
    X, network, y = teacher(rng)
    assert misfit(network, X, y) <= 1.0
    size = np.abs(y) + (np.abs(X) @ np.abs(network.U)) @ np.abs(network.A[:, 0])
    unit = (network.n_neurons + 4) * np.finfo(float).eps * size
    for row, factor in ((3, 2.0), (7, 1e6)):
        bent = y.copy()
        bent[row] += factor * unit[row]
        assert misfit(network, X, bent) == pytest.approx(factor, rel=0.6)
    small = X.copy()
    small[0] *= 1e-9
    bent = network.forward(small)
    bent[0] *= 1.0 + 1e-6  # nothing against the largest target, everything against rounding
    assert misfit(network, small, bent) > 1e6


def test_no_misfit_where_nothing_is_added():
    X, nothing = np.eye(2), ng.TwoLayerNetwork(np.zeros((2, 0)), np.zeros((0, 1)))
    assert misfit(nothing, X, np.zeros(2)) == 0.0
    assert misfit(nothing, X, np.array([0.0, 1e-30])) > 1e10


def test_what_small_corrections_leave_is_fitted_too(rng, monkeypatch):
    """Were Gauss-Newton to end early, the rest is fitted by neurons of its own, and no misfit is left."""
    X, network, y = teacher(rng, m=30)
    target = y + 1e-8 * rng.standard_normal(len(y))
    monkeypatch.setattr(exact_fit, "GAUSS_NEWTON_STEPS", 1)
    found = fit_exactly(network, X, target, False, rng)
    assert misfit(network, X, target) > 1e3
    assert misfit(found, X, target) <= 1.0
    assert found.n_neurons <= 30


@pytest.mark.parametrize("c", [1, 3])
@pytest.mark.parametrize("offset", [False, True])
def test_removes_a_small_misfit_at_a_small_cost(rng, c, offset):
    X, network, y = teacher(rng, m=30, c=c)
    target = y + 1e-6 * rng.standard_normal(y.shape) + (1e-5 if offset else 0.0)
    found = fit_exactly(network, X, target, offset, rng)
    assert misfit(found, X, target) <= 1.0
    assert found.weight_decay() == pytest.approx(network.weight_decay(), rel=1e-3)
    assert np.any(found.offset) == offset


def test_neurons_stay_on_their_kinks(rng):
    X, network, _ = teacher(rng, n=20, m=30)
    U = network.U.copy()
    for j in range(30):  # neuron j: on the kink of sample j mod 20, up to 1e-8
        x = X[j % 20]
        U[:, j] -= x * (x @ U[:, j]) / (x @ x) * (1.0 - 1e-8)
    network = ng.TwoLayerNetwork(U, network.A)
    y = network.forward(X) + 1e-5 * rng.standard_normal(20)
    found = fit_exactly(network, X, y, False, rng)
    assert misfit(found, X, y) <= 1.0
    on = np.abs(X @ found.U) <= 1e-12 * np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(found.U, axis=0)
    assert np.sum(on) >= 20


def test_more_neurons_than_outputs_are_exchanged(rng):
    X, network, y = teacher(rng, n=10, m=40)
    found = fit_exactly(network, X, y, False, rng)
    assert found.n_neurons <= 10
    assert misfit(found, X, y) <= 1.0
    assert found.weight_decay() <= network.weight_decay() * (1 + 1e-9)


def test_no_correction_of_a_network_that_is_too_small(rng):
    X, _, y = teacher(rng, n=40)
    small = ng.TwoLayerNetwork(rng.standard_normal((4, 2)), rng.standard_normal(2))
    assert fit_exactly(small, X, y, False, rng) is None
    assert fit_exactly(small.take([]), X, y, False, rng) is None


@pytest.mark.parametrize("d", [1, 2, 6])
@pytest.mark.parametrize("offset", [False, True])
def test_first_fit(rng, d, offset):
    X = np.hstack([rng.standard_normal((40, d)) + 100.0, np.ones((40, 1))])
    y = rng.standard_normal((40, 2))
    network = first_fit(X, y, True, offset, rng)
    assert np.max(np.abs(network.forward(X) - y)) <= 1e-9 * np.max(np.abs(y))


def test_first_fit_needs_interpolable_data(rng):
    X = np.ones((3, 2))
    assert first_fit(X, np.array([1.0, 2.0, 3.0]), True, False, rng) is None
