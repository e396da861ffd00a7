"""The best output weights of given neurons, against optimality conditions and proximal gradient steps."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.solvers.group_lasso import group_lasso
from neuralgauge.solvers.run import Run


def several_outputs(loss, offset=False):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 4))
    y = rng.integers(0, 3, 90) if loss == "softmax" else rng.standard_normal((90, 3))
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, offset=offset)
    U = rng.standard_normal((problem.d, 15))
    A = 0.01 * rng.standard_normal((15, 3))
    return problem.with_beta(0.2 * ng.beta_max(problem)), U / np.linalg.norm(U, axis=0), A


def value(problem, U, A, b):
    f = np.maximum(problem.X @ U, 0.0) @ A + b
    return problem.fit.value(f) + problem.beta * np.linalg.norm(A, axis=1).sum()


def proximal_gradient(problem, U, steps=20_000):
    """The same without an offset: a step of the loss, then every row of A shortened."""
    H = np.maximum(problem.X @ U, 0.0)
    A, length = np.zeros((H.shape[1], 3)), 1.0 / np.linalg.norm(H, 2) ** 2
    for _ in range(steps):
        A = A - length * H.T @ problem.fit.gradient(H @ A)
        size = np.linalg.norm(A, axis=1, keepdims=True)
        A = A * np.maximum(0.0, 1.0 - length * problem.beta / np.maximum(size, 1e-300))
    return A


@pytest.mark.parametrize("loss", ["squared", "softmax"])
def test_the_objective_is_that_of_proximal_gradient_steps(loss):
    problem, U, A = several_outputs(loss)
    found, b = group_lasso(problem, U, A, np.zeros(3), 2000)
    best = value(problem, U, proximal_gradient(problem, U), 0.0)
    assert np.all(b == 0.0)
    assert value(problem, U, found, b) == pytest.approx(best, rel=1e-5)


def test_no_score_exceeds_beta_and_the_offset_balances():
    problem, U, A = several_outputs("softmax", offset=True)
    found, b = group_lasso(problem, U, A, np.zeros(3), 2000)
    H = np.maximum(problem.X @ U, 0.0)
    v = -problem.fit.gradient(H @ found + b)
    scores = np.linalg.norm(H.T @ v, axis=1)
    assert scores.max() <= problem.beta * (1.0 + 1e-2)
    assert np.abs(v.sum(axis=0)).max() < 1e-2
    used = np.linalg.norm(found, axis=1) > 1e-2
    assert 0 < used.sum() < len(used)
    np.testing.assert_allclose(scores[used], problem.beta, rtol=1e-2)


def test_a_coarser_accuracy_ends_earlier_and_no_neurons_stay_none():
    problem, U, A = several_outputs("softmax")
    coarse, b = group_lasso(problem, U, A, np.zeros(3), 2000, excess=10.0)
    assert value(problem, U, coarse, b) <= value(problem, U, A, 0.0)
    none, _ = group_lasso(problem, U[:, :0], A[:0], np.zeros(3), 10)
    assert none.shape == (0, 3)


def test_no_iteration_starts_when_time_is_over():
    problem, U, A = several_outputs("squared")
    late, _ = group_lasso(problem, U, A, np.zeros(3), 2000, run=Run(1e-4, 1e-9))
    best, _ = group_lasso(problem, U, A, np.zeros(3), 2000)
    assert value(problem, U, best, 0.0) < value(problem, U, late, 0.0) < value(problem, U, A, 0.0)
