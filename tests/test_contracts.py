"""What every problem and every solver of the registry keeps, whatever its atoms and its loss."""

from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from registry.losses import TYPICAL
from registry.problems import PROBLEMS, random_network
from registry.solvers import SOLVERS

import neuralgauge as ng
from neuralgauge.certificate import lower_bound
from neuralgauge.losses import LOSSES

GAP = 1e-5


@cache
def problem_of(kind, loss, seed=0):
    return PROBLEMS[kind](loss, seed)


@cache
def solved(kind, loss, solver):
    return SOLVERS[solver].solve(problem_of(kind, loss), GAP)


every_problem = pytest.mark.parametrize(("kind", "loss"), list(product(PROBLEMS, LOSSES)))
every_solver = pytest.mark.parametrize(
    ("kind", "loss", "solver"),
    [
        (kind, loss, name)
        for kind, loss in product(PROBLEMS, (*TYPICAL, "softmax"))
        for name, solver in SOLVERS.items()
        if solver.takes(problem_of(kind, loss))
    ],
)


@every_problem
def test_no_neuron_scores_above_the_polar_gauge(kind, loss):
    problem = problem_of(kind, loss)
    for seed in range(5):
        v = np.random.default_rng(seed).standard_normal(problem.y.shape)
        polar = problem.polar(v)
        assert 0.0 < polar.value <= polar.bound
        assert problem.attained(v, random_network(problem, seed, m=30)) <= polar.bound
        assert problem.polar(2.0 * v).value == pytest.approx(2.0 * polar.value, rel=1e-9)


@every_problem
def test_scores_are_gains_of_the_loss(kind, loss):
    """By moving the outputs along a neuron a little, L changes by its score at v = -grad L, at most by G(v)."""
    problem = problem_of(kind, loss)
    small, rng = 1e-6, np.random.default_rng(0)
    f = problem.outputs(random_network(problem, 0)) + 0.1 * rng.standard_normal(problem.y.shape)  # off the kinks
    v = -problem.fit.gradient(f)
    polar = problem.polar(v)
    for seed in range(3):
        atom = random_network(problem, seed, m=1)
        cost = np.linalg.norm(atom.U) * np.linalg.norm(atom.A)
        direction = (problem.outputs(atom) - problem.outputs(random_network(problem, 0, m=0))) / cost
        gain = problem.fit.value(f) - problem.fit.value(f + small * direction)
        assert gain / small == pytest.approx(float(np.sum(v * direction)), rel=1e-3, abs=1e-3 * polar.value)
        assert np.sum(v * direction) <= polar.bound * (1.0 + 1e-12)


@every_problem
def test_lower_bounds_hold_for_any_network(kind, loss):
    problem = problem_of(kind, loss)
    bounds = []
    for seed, size in enumerate((0.03, 0.3, 1.0)):
        v = problem.fit.project(size * np.random.default_rng(seed).standard_normal(problem.y.shape))
        bounds.append(lower_bound(problem, v, problem.polar(v).bound))
    assert np.isfinite(bounds).all()
    for seed, scale in product(range(4), (0.1, 1.0)):
        assert problem.objective(random_network(problem, seed, scale=scale)) >= max(bounds)
    assert problem.objective(problem.empty_network()) >= max(bounds)


@every_problem
def test_the_empty_network_is_optimal_from_beta_max_on(kind, loss):
    problem = problem_of(kind, loss)
    largest, v = ng.beta_max(problem), problem.fit.empty_dual
    at_most = problem.with_beta((1.0 + 1e-9) * problem.polar(v).bound)
    empty = at_most.objective(at_most.empty_network())
    assert lower_bound(at_most, v, problem.polar(v).bound) == pytest.approx(empty, rel=1e-9)
    assert 0.0 < largest <= at_most.beta
    assert at_most.objective(random_network(problem, 0, scale=0.1)) >= empty * (1.0 - 1e-12)


@every_problem
def test_balancing_keeps_outputs_and_lowers_the_objective(kind, loss):
    problem = problem_of(kind, loss)
    network = random_network(problem, 3)
    balanced = network.balance()
    np.testing.assert_allclose(problem.outputs(balanced), problem.outputs(network), rtol=1e-10, atol=1e-10)
    assert problem.objective(balanced) <= problem.objective(network)


@every_problem
def test_arrays_are_read_only_and_penalties_are_checked(kind, loss):
    problem = problem_of(kind, loss)
    assert not any(array.flags.writeable for array in (problem.X, problem.y, problem.sample_weight))
    assert problem.with_beta(2.0).beta == 2.0
    assert problem.beta == 0.3
    with pytest.raises(ng.InvalidInputError, match=r"`beta` must be finite and > 0, got -1.0"):
        problem.with_beta(-1.0)


@every_solver
def test_a_solver_proves_what_it_claims(kind, loss, solver):
    problem, solution = problem_of(kind, loss), solved(kind, loss, solver)
    certificate = solution.certificate
    assert solution.status is ng.Status.SOLVED
    assert certificate.gap <= GAP
    assert certificate.lower <= certificate.upper < problem.objective(problem.empty_network())
    own = problem.objective(solution.network)
    assert own <= certificate.upper * (1.0 + GAP), "the network is no worse than what is claimed of it"
    assert lower_bound(problem, solution.dual, problem.polar(solution.dual).bound) <= own
    for seed in range(3):
        assert problem.objective(random_network(problem, seed, scale=0.3)) >= certificate.lower


@every_solver
def test_bounds_of_a_history_only_improve(kind, loss, solver):
    for before, after in pairwise(solved(kind, loss, solver).history):
        assert after.seconds >= before.seconds
        assert after.lower_bound >= before.lower_bound
        assert after.objective <= before.objective


@pytest.mark.parametrize(("kind", "loss"), product(PROBLEMS, (*TYPICAL, "softmax")))
def test_solvers_agree(kind, loss):
    problem = problem_of(kind, loss)
    found = [solved(kind, loss, name).certificate for name, solver in SOLVERS.items() if solver.takes(problem)]
    assert found, "a problem that nothing solves"
    for one, other in product(found, found):
        assert one.lower <= other.upper
