"""Local search: never worse than the start, and stationary where it stops by itself."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.solvers.local_search import local_search


def problem_of(loss, seed=0, n=40, weighted=False):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    y = np.abs(X[:, 0]) - X[:, 1] if loss == "squared" else np.where(np.abs(X[:, 0]) > 0.7, 1.0, -1.0)
    weight = rng.integers(1, 4, n) if weighted else None
    return ng.TrainingProblem(X, y, beta=0.3, loss=loss, sample_weight=weight)


def random_network(m, seed=0, d=4):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.standard_normal((d, m)), rng.standard_normal(m))


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@pytest.mark.parametrize("max_iter", [1, 5, 200])
@pytest.mark.parametrize("seed", range(3))
def test_never_worse_than_the_start(loss, max_iter, seed):
    problem, start = problem_of(loss, seed, weighted=seed % 2 == 1), random_network(8, seed)
    found = local_search(problem, start, max_iter)
    assert problem.objective(found) <= problem.objective(start.balance()) * (1 + 1e-12)
    norms = np.linalg.norm(found.U, axis=0)
    assert np.allclose(norms, np.abs(found.A[:, 0]), rtol=1e-10)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_reaches_a_stationary_point(loss):
    """Random directions in weight space lead nowhere lower, to first order."""
    problem = problem_of(loss)
    found = local_search(problem, random_network(6), 3000)
    value, rng = problem.objective(found), np.random.default_rng(0)
    for _ in range(200):
        step = 1e-4
        U = found.U + step * rng.standard_normal(found.U.shape)
        A = found.A + step * rng.standard_normal(found.A.shape)
        assert problem.objective(ng.TwoLayerNetwork(U, A)) >= value - 1e-6 * value


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_goes_far_from_a_small_start(loss):
    problem = problem_of(loss)
    start = random_network(20)
    small = ng.TwoLayerNetwork(0.05 * start.U, 0.05 * start.A)
    best = ng.train(problem, gap=1e-4).certificate.lower
    zero = problem.fit.value(np.zeros(problem.n))
    reached = problem.objective(local_search(problem, small, 100))
    assert best <= reached
    assert reached - best <= 0.2 * (zero - best)


def test_keeps_its_start_unchanged_and_gives_the_same_twice():
    problem, start = problem_of("squared"), random_network(5)
    U = start.U.copy()
    first, second = local_search(problem, start, 30), local_search(problem, start, 30)
    assert np.array_equal(start.U, U)
    assert np.array_equal(first.U, second.U)
    assert np.array_equal(first.A, second.A)
    assert first.bias is start.bias


def test_nothing_to_search():
    problem = problem_of("squared")
    empty = ng.TwoLayerNetwork(np.zeros((4, 0)), np.zeros((0, 1)))
    assert local_search(problem, empty, 10).n_neurons == 0
    start = random_network(5)
    assert np.array_equal(local_search(problem, start, 0).U, start.balance().U)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6])
def test_searches_go_as_far_in_any_unit_of_the_targets(unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = np.sin(2.0 * X[:, 0]) + X[:, 1]
    problem = ng.TrainingProblem(X, unit * y, beta=0.05 * unit)
    size = 0.1 * np.sqrt(unit)
    start = ng.TwoLayerNetwork(size * rng.standard_normal((4, 10)), size * rng.standard_normal(10))
    assert problem.objective(start) > 30.0 * unit**2
    assert problem.objective(local_search(problem, start, 2000)) < unit**2  # to 0.48 to 0.63 times unit^2
