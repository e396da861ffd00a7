"""The range of a network over a box: by enumeration, by samples, in other units, and where solvers fail."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from box_twin import random_box, random_network, vertices
from scipy.optimize import LinearConstraint
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng
from neuralgauge.surrogates import linear_program


def check(found, values):
    """Attained values are those of the list, and bounds hold and are tight, to 1e-9."""
    for got, want, sign in ((found.minimum, values.min(), -1.0), (found.maximum, values.max(), 1.0)):
        assert abs(got.value - want) <= 1e-9 * max(1.0, abs(want))
        assert 0.0 <= sign * (got.bound - got.value) <= 1e-9 * max(1.0, abs(want))


@pytest.mark.parametrize("seed", range(50))
def test_equals_enumeration_at_two_features(seed):
    rng = np.random.default_rng(seed)
    network, (lower, upper) = random_network(rng, bias=seed % 3 > 0), random_box(rng)
    found = ng.output_range(network, lower, upper)
    check(found, network.predict(vertices(network, lower, upper)))
    for extreme in (found.minimum, found.maximum):
        assert np.all((lower <= extreme.point) & (extreme.point <= upper))
        assert extreme.value == network.predict(extreme.point[None])[0]


@pytest.mark.parametrize("seed", range(3))
def test_equals_enumeration_for_trained_networks(seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, size=(30, 2)) * [1e3, 1e-3] + [5e3, 0.0]
    y = 1e4 * np.sin(X[:, 0] / 300.0) * np.cos(3e3 * X[:, 1]) + 1e5
    model = ng.ReLURegressor(gap=1e-2).fit(X, y)
    lower, upper = X.min(axis=0), X.max(axis=0)
    network, found = model.network_, ng.output_range(model, lower, upper)
    scaled = model.scaling_.features
    problem_network = model.solution_.network
    points = vertices(problem_network, *scaled(np.array([lower, upper])))
    values = model.scaling_.original(problem_network.predict(points))
    assert found.maximum.value == pytest.approx(values.max(), rel=1e-9)
    assert found.minimum.value == pytest.approx(values.min(), rel=1e-9)
    assert found.maximum.gap <= 1e-9 * np.abs(values).max()
    assert found.maximum.value == network.predict(found.maximum.point[None])[0]


def test_no_sample_passes_the_bounds_and_a_larger_box_has_a_larger_range(rng):
    network = random_network(rng, d=6, m=30)
    lower, upper = random_box(rng, 6)
    outer = ng.output_range(network, lower, upper)
    outputs = network.predict(rng.uniform(lower, upper, size=(200_000, 6)))
    assert outer.minimum.bound <= outputs.min()
    assert outputs.max() <= outer.maximum.bound
    inner = ng.output_range(network, lower + 0.1, upper - 0.05 * (upper - lower - 0.1))
    assert outer.minimum.value <= inner.minimum.value <= inner.maximum.value <= outer.maximum.value


def test_whole_numbers_equal_all_of_them(rng):
    for _ in range(4):
        network = random_network(rng, d=3, m=8)
        found = ng.output_range(network, [-3.5, -2, -2.2], [2.9, 2, 1.9], integer=[0, 1, 2])
        grid = np.array(list(itertools.product(range(-3, 3), range(-2, 3), range(-2, 2))), dtype=float)
        check(found, network.predict(grid))
        assert np.all(found.maximum.point == np.rint(found.maximum.point))
        mixed = ng.output_range(network, [-3.5, -2, -2.2], [2.9, 2, 1.9], integer=[True, False, False])
        slices = [ng.output_range(network, [k, -2, -2.2], [k, 2, 1.9]) for k in range(-3, 3)]
        assert mixed.maximum.value == pytest.approx(max(one.maximum.value for one in slices), abs=1e-9)


def test_constraints_equal_a_smaller_arrangement(rng):
    for _ in range(10):
        network, (lower, upper) = random_network(rng), random_box(rng)
        a = rng.standard_normal(2)
        side = a @ (0.3 * lower + 0.7 * upper)
        # A neuron of weight zero on the same line adds the vertices that lie on the constraint.
        lined = network.join(ng.TwoLayerNetwork([[a[0]], [a[1]], [-side]], [[0.0]]))
        points = vertices(lined, lower, upper)
        points = points[points @ a <= side + 1e-9]
        check(
            ng.output_range(network, lower, upper, constraints=LinearConstraint(a, -np.inf, side)),
            network.predict(points),
        )
    equal = ng.output_range(
        network, lower, upper, constraints=[LinearConstraint(np.ones((1, 2)), lower.sum(), lower.sum())]
    )
    assert np.allclose(equal.maximum.point, lower, atol=1e-8)


def test_constraints_that_no_point_keeps_are_refused(rng):
    network = random_network(rng, m=8)
    with pytest.raises(ng.InvalidInputError, match="no point keeps"):
        ng.output_range(network, 0.0, 1.0, constraints=LinearConstraint(np.ones(2), 2.5, np.inf))
    with pytest.raises(ng.InvalidInputError, match="no point keeps"):
        ng.output_range(network, 0.0, 3.0, integer=[0, 1], constraints=LinearConstraint(np.ones(2), 2.4, 2.6))


def test_outputs_by_position_and_by_weights(rng):
    network, (lower, upper) = random_network(rng, m=9, c=3), random_box(rng)
    values = network.predict(vertices(network, lower, upper))
    check(ng.output_range(network, lower, upper, output=2), values[:, 2])
    check(ng.output_range(network, lower, upper, output=[1.0, -1.0, 0.0]), values[:, 0] - values[:, 1])


def test_few_neurons_and_fixed_features(rng):
    none = ng.TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 1)), offset=2.5)
    found = ng.output_range(none, [0, 1], [0, 2])
    assert (found.minimum.value, found.maximum.value) == (2.5, 2.5)
    assert found.maximum.gap < 1e-12
    network = random_network(rng, d=3, m=7)
    fixed = ng.output_range(network, [1, 2, 3], [1, 2, 3])
    assert fixed.minimum.value == fixed.maximum.value == network.predict([[1, 2, 3]])[0]
    line = np.linspace(-2, 2, 100_001)
    along = network.predict(np.column_stack([np.full(len(line), 1.0), line, np.full(len(line), 3.0)]))
    assert along.max() <= ng.output_range(network, [1, -2, 3], [1, 2, 3]).maximum.bound <= along.max() + 1e-3
    zero = ng.TwoLayerNetwork([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]], [1.0, 1.0])
    assert ng.output_range(zero, -1, 2).maximum.value == 2.0


@pytest.mark.parametrize(("unit", "shift", "scale"), [(1e9, 0.0, 1.0), (1e-9, 0.0, 1e12), (1.0, 1e5, 1e-12)])
def test_units_do_not_matter(rng, unit, shift, scale):
    network, (lower, upper) = random_network(rng, m=12), random_box(rng)
    U = network.U.copy()
    U[:2] /= unit
    U[2] -= shift * U[:2].sum(axis=0) * unit
    other = ng.TwoLayerNetwork(U, network.A * scale, offset=network.offset * scale)
    plain = ng.output_range(network, lower, upper)
    found = ng.output_range(other, (lower + shift) * unit, (upper + shift) * unit)
    allowed = 1e-9 if shift == 0.0 else 1e-8  # weights that cancel a shift of 1e5 are rounded
    assert found.maximum.value / scale == pytest.approx(plain.maximum.value, abs=allowed)
    assert found.minimum.bound / scale == pytest.approx(plain.minimum.value, abs=allowed)


def test_models_of_all_kinds(rng, tmp_path):
    X = rng.uniform(-1, 1, size=(60, 2))
    y = np.abs(X[:, 0]) - X[:, 1]
    model = ng.ReLURegressor(gap=1e-2).fit(X * [100.0, 1.0], y)
    ng.save_model(model, tmp_path / "model.safetensors")
    box = ([-100.0, -1.0], [100.0, 1.0])
    own, saved = ng.output_range(model, *box), ng.output_range(ng.load_model(tmp_path / "model.safetensors"), *box)
    assert own.maximum.value == pytest.approx(model.predict(own.maximum.point[None])[0], rel=1e-12)
    assert saved.maximum.value == pytest.approx(own.maximum.value, rel=1e-12)
    foreign = MLPRegressor(hidden_layer_sizes=(5,), max_iter=5000, tol=1e-3, random_state=0).fit(X, y)
    found = ng.output_range(foreign, -1, 1)
    assert found.maximum.value == pytest.approx(foreign.predict(found.maximum.point[None])[0], rel=1e-12)
    with pytest.raises(ng.InvalidInputError, match="last step"):
        ng.output_range(make_pipeline(StandardScaler(), model).fit(X, y), *box)
    with pytest.raises(ng.InvalidInputError, match="must be fitted"):
        ng.output_range(ng.ReLURegressor(), *box)
    geometry = ng.PatchGeometry((4, 4), filter_size=2)
    images = ng.ReLUConvNetwork(np.ones((9, 1)), np.ones((1, 1)), geometry=geometry)
    with pytest.raises(ng.InvalidInputError, match="dense"):
        ng.output_range(images, 0, 1)


def test_a_time_limit_gives_bounds_that_hold(rng):
    network = random_network(rng, d=10, m=80)
    found = ng.output_range(network, -1.0, 1.0, time_limit=1e-3)
    assert found.maximum.gap > 1e-3
    outputs = network.predict(rng.uniform(-1, 1, size=(100_000, 10)))
    assert found.minimum.bound <= outputs.min()
    assert outputs.max() <= found.maximum.bound
    assert found.maximum.value == network.predict(found.maximum.point[None])[0]


@pytest.mark.parametrize("status", [1, 2, 4])
def test_bounds_hold_without_a_solver(rng, monkeypatch, status):
    network, (lower, upper) = random_network(rng, m=10), random_box(rng)
    exact = ng.output_range(network, lower, upper)
    monkeypatch.setattr(linear_program, "linprog", lambda *_, **__: SimpleNamespace(status=status, x=None))
    found = ng.output_range(network, lower, upper)
    assert found.maximum.value <= exact.maximum.value
    assert exact.maximum.value <= found.maximum.bound
    assert found.maximum.gap > 0.0


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((-np.inf, 1), {}, "must be finite"),
        ((0, [1, np.nan]), {}, "for feature 1"),
        ((1, 0), {}, "must not be above"),
        ((0.2, 0.8), {"integer": [1]}, "whole numbers 1 and 0"),
        (([0, 0, 0], 1), {}, "each of 2 features"),
        (("low", 1), {}, "must hold numbers"),
        ((0, 1), {"output": 1}, "must be from 0 to 0"),
        ((0, 1), {"output": [1.0, 2.0]}, "1 finite weights"),
        ((0, 1), {"output": "first"}, "a position"),
        ((0, 1), {"integer": [2]}, "positions of features from 0 to 1"),
        ((0, 1), {"constraints": [[1, 2]]}, "LinearConstraint"),
        ((0, 1), {"constraints": LinearConstraint(np.ones(3), 0, 1)}, "2 coefficients"),
        ((0, 1), {"constraints": LinearConstraint(np.ones(2), 1, 0)}, "lb <= ub"),
        ((0, 1), {"gap": 0.0}, "gap"),
        ((0, 1), {"time_limit": -1.0}, "time_limit"),
        ((-1e300, 1e300), {}, "too large"),
    ],
)
def test_what_is_refused(rng, arguments, options, message):
    network = random_network(rng, m=3).with_neurons(rng.standard_normal((3, 2)) * 1e10, np.ones((2, 1)))
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.output_range(network, *arguments, **options)


def test_several_outputs_must_be_chosen_from(rng):
    with pytest.raises(ng.InvalidInputError, match="which of the 3 outputs"):
        ng.output_range(random_network(rng, c=3), 0, 1)
