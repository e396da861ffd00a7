"""The Lipschitz constant on a box: by enumeration of cells, by samples, and what counts as a region."""

from types import SimpleNamespace

import numpy as np
import pytest
from box_twin import cells, jacobians, random_box, random_network

import neuralgauge as ng
from neuralgauge.surrogates import linear_program

NORMS = (1, 2, np.inf)


def largest(network, points, norm):
    return max(np.linalg.norm(J, norm) for J in jacobians(network, points))


@pytest.mark.parametrize("seed", range(24))
def test_equals_enumeration_at_two_features(seed):
    rng = np.random.default_rng(seed)
    network, (lower, upper) = random_network(rng, c=1 + 2 * (seed % 4 == 3), bias=seed % 3 > 0), random_box(rng)
    points = cells(network, lower, upper)
    for norm in NORMS:
        found = ng.lipschitz(network, lower, upper, norm)
        want = largest(network, points, norm)
        assert abs(found.value - want) <= 1e-9
        assert 0.0 <= found.gap <= 1e-9
        assert np.allclose(jacobians(network, found.point[None])[0], found.jacobian, atol=1e-12)
        assert np.linalg.norm(found.jacobian, norm) == pytest.approx(found.value, abs=1e-12)


@pytest.mark.parametrize("c", [1, 2])
def test_no_pair_of_samples_is_steeper(rng, c):
    network, (lower, upper) = random_network(rng, d=4, m=12, c=c), random_box(rng, 4)
    x, z = rng.uniform(lower, upper, size=(2, 20_000, 4))
    z = x + 1e-3 * (z - x)  # near, or few pairs would be steep
    for norm in NORMS:
        found = ng.lipschitz(network, lower, upper, norm)
        moved = np.linalg.norm(np.reshape(network.predict(x) - network.predict(z), (len(x), -1)), norm, axis=1)
        steepest = np.max(moved / np.linalg.norm(x - z, norm, axis=1))
        assert steepest <= found.bound * (1.0 + 1e-9)
        assert found.value <= found.bound
        inner = ng.lipschitz(network, lower + 0.05, upper, norm)
        assert inner.value <= found.bound


def test_two_neurons_on_one_hyperplane_have_no_region_between(rng):
    u = rng.standard_normal(3)
    for scale in (1.0, 0.3, 7.1):
        ridge = ng.TwoLayerNetwork(np.column_stack([u, -scale * u]), [1.0, 1.0 / scale])
        found = ng.lipschitz(ridge, -5.0, 5.0)
        assert found.value == pytest.approx(np.linalg.norm(u[:2]), rel=1e-12)
        assert found.gap <= 1e-9
    # Neurons that are on together, from 1e-3 to either side of the line.
    U = np.column_stack([u, -u])
    U[2] += 1e-3
    overlap = ng.TwoLayerNetwork(U, [1.0, -1.0])
    assert ng.lipschitz(overlap, -5.0, 5.0).value == pytest.approx(2.0 * np.linalg.norm(u[:2]), rel=1e-12)


def test_a_kink_that_only_touches_the_box_does_not_count():
    network = ng.TwoLayerNetwork([[1.0, 1.0], [1.0, -3.0], [-2.0, 0.0]], [100.0, 1.0])  # x + y = 2 through a corner
    found = ng.lipschitz(network, 0.0, 1.0)
    assert found.value == pytest.approx(np.sqrt(10.0))
    assert ng.lipschitz(network, 0.0, 1.01).value > 100.0


def test_fixed_features_and_few_neurons(rng):
    network = random_network(rng, d=3, m=9)
    found = ng.lipschitz(network, [-1, 0.5, -1], [1, 0.5, 1])
    line = found.jacobian
    assert line[0, 1] == 0.0
    assert np.linalg.norm(line) == found.value
    assert ng.lipschitz(network, 1.0, 1.0).value == 0.0
    none = ng.TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 1)))
    assert [ng.lipschitz(none, 0, 1, norm).value for norm in NORMS] == [0.0, 0.0, 0.0]
    linear = ng.TwoLayerNetwork([[3.0], [4.0], [10.0]], [2.0])
    assert [ng.lipschitz(linear, -1, 1, norm).value for norm in NORMS] == [8.0, 10.0, 14.0]


def test_in_the_units_of_an_estimator(rng):
    X = rng.uniform(-1, 1, size=(20, 2)) * [1e3, 1e-3]
    model = ng.ReLURegressor(gap=0.1).fit(X, np.abs(X[:, 0]) + 1e5 * X[:, 1])
    found = ng.lipschitz(model, X.min(axis=0), X.max(axis=0), norm=1)
    step = np.array([0.0, 1e-7])
    slope = (model.predict((found.point + step)[None]) - model.predict((found.point - step)[None]))[0] / 2e-7
    assert abs(slope) == pytest.approx(found.value, rel=1e-5)


def test_a_time_limit_gives_bounds_that_hold(rng):
    network = random_network(rng, d=8, m=40)
    for norm in NORMS:
        found = ng.lipschitz(network, -1.0, 1.0, norm, time_limit=1e-3)
        points = rng.uniform(-1, 1, size=(2_000, 8))
        assert found.gap > 1e-3
        assert largest(network, points, norm) <= found.bound
        assert found.value == pytest.approx(np.linalg.norm(jacobians(network, found.point[None])[0], norm))


def test_bounds_hold_without_a_solver(rng, monkeypatch):
    network, (lower, upper) = random_network(rng, m=6), random_box(rng)
    exact = [ng.lipschitz(network, lower, upper, norm) for norm in NORMS]
    monkeypatch.setattr(linear_program, "linprog", lambda *_, **__: SimpleNamespace(status=4, x=None))
    for norm, want in zip(NORMS, exact, strict=True):
        found = ng.lipschitz(network, lower, upper, norm)
        assert found.value <= want.value + 1e-12
        assert want.value <= found.bound + 1e-12


def test_units_do_not_matter(rng):
    network = random_network(rng, m=8)
    for norm in NORMS:
        want = ng.lipschitz(network, 0, 1, norm).value
        for first, second in ((2.0**300, 2.0**200), (2.0**-300, 2.0**-200)):
            scaled = network.with_neurons(network.U * first, network.A * second)
            assert ng.lipschitz(scaled, 0, 1, norm).value == pytest.approx(want * first * second, rel=1e-12)
    with pytest.raises(ng.InvalidInputError, match="products overflow"):
        ng.lipschitz(network.with_neurons(network.U * [[1e200], [1e200], [0.0]], network.A * 1e110), 0, 1e-4)


@pytest.mark.parametrize("norm", [0, 3, "2", True, None])
def test_other_norms_are_refused(rng, norm):
    with pytest.raises(ng.InvalidInputError, match="`norm` must be 1, 2 or"):
        ng.lipschitz(random_network(rng), 0, 1, norm)
