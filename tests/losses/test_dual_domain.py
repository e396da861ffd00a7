"""Where the dual objective is finite: nearest points, how far they are from exact, and the best constant outputs."""

import numpy as np
import pytest
from cases import targets_of
from registry.losses import has_kinks
from scipy.optimize import minimize

import neuralgauge as ng
from neuralgauge.certificate import lower_bound
from neuralgauge.losses import LOSSES, dual_domain


def problem_of(loss, c, offset, seed=0, n=30, beta=0.5):
    rng = np.random.default_rng(seed)
    y = targets_of(loss, rng.standard_normal((n, c)))
    weight = rng.uniform(0.5, 2.0, n)
    return ng.TrainingProblem(rng.standard_normal((n, 2)), y, beta=beta, loss=loss, offset=offset, sample_weight=weight)


cases = pytest.mark.parametrize(
    ("loss", "c"), [(loss, c) for loss in LOSSES.values() for c in (1, 3) if not (loss.coupled and c == 1)],
    ids=lambda value: getattr(value, "name", str(value)),
)  # fmt: skip


@cases
@pytest.mark.parametrize("offset", [False, True])
def test_clipped_dual_points_are_feasible(loss, c, offset):
    problem = problem_of(loss, c, offset)
    rng = np.random.default_rng(1)
    lower, upper = loss.domain(problem.y)
    for size in (0.01, 1.0, 100.0):
        v = problem.fit.project(size * rng.standard_normal(problem.y.shape))
        g = -v / problem.fit.output_weight
        assert np.all(g >= lower - 1e-12)
        assert np.all(g <= upper + 1e-12)
        if loss.coupled:
            np.testing.assert_allclose(v.sum(axis=1), 0.0, atol=1e-12)
        if offset:
            np.testing.assert_allclose(v.reshape(problem.n, -1).sum(axis=0), 0.0, atol=1e-9 * np.abs(v).sum())
        assert problem.fit.distance(v) <= 1e-9 * np.abs(v).sum() + 1e-12
        np.testing.assert_allclose(problem.fit.project(v), v, atol=1e-9 * np.abs(v).max())


@cases
def test_best_constant_outputs(loss, c):
    """Against a general minimiser; kinked losses by value only."""
    problem = problem_of(loss, c, offset=True)
    empty = problem.empty_network()
    value = problem.objective(empty)

    def at(b):
        return problem.fit.value(np.broadcast_to(b, (problem.n, c)).reshape(problem.y.shape))

    found = min(
        (minimize(at, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000})
         for start in (np.zeros(c), np.asarray(empty.offset) + 0.1)), key=lambda result: result.fun,
    )  # fmt: skip
    assert value <= found.fun + 1e-7 * abs(found.fun)
    gradient = problem.fit.gradient(empty.forward(problem.X)).reshape(problem.n, -1).sum(axis=0)
    if not has_kinks(loss):
        np.testing.assert_allclose(gradient, 0.0, atol=1e-6 * problem.n)


@cases
@pytest.mark.parametrize("offset", [False, True])
def test_lower_bounds_hold_for_any_network(loss, c, offset):
    """Random networks and offsets never lie below the bound of a random dual point whose gauge is known from above."""
    problem, rng = problem_of(loss, c, offset, beta=0.3), np.random.default_rng(2)
    best = -np.inf
    for size in (0.03, 0.3, 1.0):
        v = problem.fit.project(size * rng.standard_normal(problem.y.shape))
        gauge = float(np.linalg.norm(np.abs(v).reshape(problem.n, -1), axis=1) @ np.linalg.norm(problem.X, axis=1))
        best = max(best, lower_bound(problem, v, gauge))
    assert np.isfinite(best)
    for m in (0, 1, 3, 20):
        for scale in (0.01, 0.3, 1.0):
            U, A = scale * rng.standard_normal((problem.d, m)), scale * rng.standard_normal((m, c))
            for b in (problem.empty_network().offset, rng.standard_normal(c)):
                network = ng.TwoLayerNetwork(U, A, True, b if offset else 0.0)
                assert problem.objective(network) >= best


@pytest.mark.parametrize("loss", ["squared", "softmax"])
def test_sums_that_do_not_vanish_give_the_trivial_bound(loss):
    problem = problem_of(LOSSES[loss], 3, offset=True)
    v = problem.fit.project(np.random.default_rng(0).standard_normal(problem.y.shape))
    assert lower_bound(problem, v + 1e-3, 1.0) <= 0.0
    assert problem.fit.distance(v + 1e-3) > 1e-4


def test_distance_covers_a_broken_sum():
    """The shortened side of a column is as near as the bound says, and exactly feasible."""
    y, weight = np.array([1.0, -1.0, 1.0, -1.0]), np.ones(4)
    g = np.array([-0.5, 0.25, -0.25, 0.5 + 1e-6])
    distance = dual_domain.distance(g, y, weight, LOSSES["hinge"], True)
    assert 1e-6 <= distance <= 1e-6 + 1e-12


def test_an_offset_follows_a_shift_of_the_targets():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 2)), rng.standard_normal((40, 2))
    plain = ng.TrainingProblem(X, y, beta=2.0, offset=True)
    shifted = ng.TrainingProblem(X, y + np.array([10.0, -3.0]), beta=2.0, offset=True)
    np.testing.assert_allclose(
        shifted.empty_network().offset, np.array([10.0, -3.0]) + plain.empty_network().offset, atol=1e-12
    )
    first, second = ng.train(plain, gap=1e-5).certificate, ng.train(shifted, gap=1e-5).certificate
    assert first.upper == pytest.approx(second.upper, rel=3e-5)
