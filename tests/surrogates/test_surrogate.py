"""The mixed-integer program: equal to enumeration and to `output_range`, few binaries, and what HiGHS may answer."""

import numpy as np
import pytest
from box_twin import random_box, random_network, vertices
from scipy.optimize import LinearConstraint, OptimizeResult, milp

import neuralgauge as ng
from neuralgauge.surrogates import optimum


def solved(model, output=None, extra=()):
    """The value of the program as it is given to SciPy."""
    result = milp(
        model.cost(output),
        constraints=[model.constraints, *extra],
        bounds=model.bounds,
        integrality=model.integrality,
        options={"mip_rel_gap": 1e-9},
    )
    return -result.fun if model.sense == "maximize" else result.fun


@pytest.mark.parametrize("seed", range(50))
def test_equals_enumeration_at_two_features(seed):
    rng = np.random.default_rng(seed)
    network, (lower, upper) = random_network(rng, c=1 + seed % 2, bias=seed % 3 > 0), random_box(rng)
    output = network.n_outputs - 1
    values = np.reshape(network.predict(vertices(network, lower, upper)), (-1, network.n_outputs))[:, output]
    model = ng.surrogate(network, lower, upper)
    least, most = model.minimize(output), model.maximize(output)
    assert least.value == pytest.approx(values.min(), abs=1e-9)
    assert most.value == pytest.approx(values.max(), abs=1e-9)
    assert (least.status, most.status) == ("solved", "solved")
    for sense, best in (("minimize", least), ("maximize", most)):
        assert abs(best.gap) <= 1e-5
        own = ng.surrogate(network, lower, upper, sense=sense)
        assert own.n_binaries <= model.n_binaries
        assert solved(own, output) == pytest.approx(best.value, abs=1e-5)  # by HiGHS alone: to its tolerance
    assert solved(model, output) == pytest.approx(least.value, abs=1e-5)


def test_equals_the_proven_range_with_constraints_and_whole_numbers(rng):
    for d in (2, 3, 4, 5):
        network, (lower, upper) = random_network(rng, d=d, m=10), random_box(rng, d)
        lower[0], upper[0] = -4.2, 5.1
        A = rng.standard_normal((2, d))
        rows = LinearConstraint(A, -np.inf, A @ np.append(1.0, rng.uniform(lower, upper)[1:]))
        options = {"integer": [0]}
        model = ng.surrogate(network, lower, upper, **options)
        want = ng.output_range(network, lower, upper, constraints=rows, **options)
        least, most = model.minimize(constraints=rows), model.maximize(constraints=[rows])
        assert least.value == pytest.approx(want.minimum.value, abs=1e-8)
        assert most.value == pytest.approx(want.maximum.value, abs=1e-8)
        assert least.point[0] == np.rint(least.point[0])
        assert np.all(rows.A @ least.point <= rows.ub + 1e-7)
        wide = np.hstack([rows.A, np.zeros((2, model.n_variables - d))])
        assert solved(model, extra=[LinearConstraint(wide, -np.inf, rows.ub)]) == pytest.approx(least.value, abs=1e-5)


def test_the_program_holds_at_every_input(rng):
    network, (lower, upper) = random_network(rng, d=3, m=12, c=2), random_box(rng, 3)
    model = ng.surrogate(network, lower, upper)
    for x in rng.uniform(lower, upper, size=(20, 3)):
        fixed = np.zeros((3, model.n_variables))
        fixed[np.arange(3), model.inputs] = 1.0
        rows = LinearConstraint(fixed, x, x)
        for weights in ([1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]):
            assert solved(model, weights, [rows]) == pytest.approx(network.predict(x[None])[0] @ weights, abs=1e-5)


def test_a_convex_network_is_minimised_by_a_linear_program(rng):
    network = ng.TwoLayerNetwork(rng.standard_normal((4, 30)), rng.uniform(0.1, 1.0, 30))
    convex = ng.surrogate(network, -1.0, 1.0, sense="minimize")
    assert convex.n_binaries == 0
    assert convex.minimize().nodes == 0
    assert len(convex.neurons) > 20
    assert solved(convex) == pytest.approx(ng.output_range(network, -1.0, 1.0).minimum.value, abs=1e-6)
    assert ng.surrogate(network, -1.0, 1.0, sense="maximize").n_binaries == len(convex.neurons)
    several = ng.TwoLayerNetwork(network.U, np.column_stack([network.A, -network.A]))
    assert ng.surrogate(several, -1.0, 1.0, sense="minimize").n_binaries == len(convex.neurons)


def test_only_neurons_that_change_sign_are_variables(rng):
    network = ng.TwoLayerNetwork([[1.0, 1.0, 1.0], [2.0, -2.0, 0.5]], [1.0, 5.0, -1.0], offset=3.0)
    model = ng.surrogate(network, -1.0, 1.0)
    assert (len(model.neurons), model.n_binaries, model.n_variables) == (1, 1, 4)
    assert solved(model) == pytest.approx(network.predict(vertices(network, [-1.0], [1.0])).min(), abs=1e-8)
    none = ng.surrogate(ng.TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 1)), offset=2.0), 0, 1)
    assert (none.n_variables, none.minimize().value, none.maximize().value, solved(none)) == (3, 2.0, 2.0, 2.0)


def test_units_that_solvers_would_round_away(rng):
    network, (lower, upper) = random_network(rng, m=8), random_box(rng)
    want = ng.surrogate(network, lower, upper).minimize().value
    U = network.U * [[1e-11], [1.0], [1.0]]
    wild = ng.surrogate(
        ng.TwoLayerNetwork(U, network.A * 1e10, offset=network.offset * 1e10), lower * [1e11, 1], upper * [1e11, 1]
    )
    assert wild.minimize().value == pytest.approx(1e10 * want, rel=1e-8)
    with pytest.raises(ng.InvalidInputError, match="taken for zero"):
        _ = wild.A


def test_what_is_refused(rng):
    network = random_network(rng, m=6)
    with pytest.raises(ng.InvalidInputError, match="`sense` must be"):
        ng.surrogate(network, 0, 1, sense="min")
    with pytest.raises(ng.InvalidInputError, match=r"X\.min\(axis=0\)"):
        ng.surrogate(network, -np.inf, 1)
    with pytest.raises(ng.InvalidInputError, match="no point keeps"):
        ng.surrogate(network, 0, 1).minimize(constraints=LinearConstraint(np.ones(2), 3.0, 4.0))


def test_what_highs_may_answer(rng, monkeypatch):
    network, (lower, upper) = random_network(rng, m=15), random_box(rng)
    model, exact = ng.surrogate(network, lower, upper), ng.output_range(network, lower, upper)

    def answer(**fields):
        result = OptimizeResult(
            x=None, fun=None, mip_dual_bound=None, mip_node_count=None, message="as told.", **fields
        )
        monkeypatch.setattr(optimum, "milp", lambda *_, **__: result)

    answer(status=4)
    with pytest.raises(ng.NeuralgaugeError, match="as told"):
        model.minimize()
    answer(status=1)
    found = model.minimize()
    assert found.status == "time limit"
    assert found.bound <= exact.minimum.value <= found.value
    found = model.maximize()
    assert found.value <= exact.maximum.value <= found.bound
    with pytest.raises(ng.NeuralgaugeError, match="within the time limit"):
        ng.surrogate(network, 0, 3, integer=[0, 1]).minimize(constraints=LinearConstraint([2.0, 2.0], 7.0, 7.0))


def test_a_time_limit_is_honest(rng):
    network = random_network(rng, d=10, m=80)
    found = ng.surrogate(network, -1.0, 1.0).maximize(time_limit=0.05)
    assert found.value <= found.bound
    assert network.predict(rng.uniform(-1, 1, size=(10_000, 10))).max() <= found.bound
    assert found.value == network.predict(found.point[None])[0]
