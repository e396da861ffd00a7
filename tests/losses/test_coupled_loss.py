"""A coupled loss of the user's own: its bounds hold, or it is refused."""

import cvxpy as cp
import numpy as np
import pytest
from row_loss import RowHuber, Undeclared
from scipy.optimize import minimize

import neuralgauge as ng
from neuralgauge.certificate import lower_bound


@pytest.fixture
def data(rng):
    return rng.standard_normal((15, 2)), rng.standard_normal((15, 2))


def test_it_keeps_fenchel_and_young(rng):
    loss, y, f = RowHuber(), rng.standard_normal((200, 3)), 3.0 * rng.standard_normal((200, 3))
    g = loss.project(rng.standard_normal((200, 3)), y)
    assert np.all(loss.outside(g, y) == 0.0)
    assert np.all(loss.value(f, y) + loss.conjugate(g, y) >= np.sum(f * g, axis=1) - 1e-12)
    g = loss.gradient(f, y)
    np.testing.assert_allclose(loss.value(f, y) + loss.conjugate(g, y), np.sum(f * g, axis=1), atol=1e-12)


def test_training_is_certified_below_a_general_minimiser(data):
    """The bound is near the optimum and below what L-BFGS finds from many starts."""
    X, Y = data
    problem = ng.TrainingProblem(X, Y, beta=0.3, loss=RowHuber())
    certificate = ng.train(problem, gap=1e-5).certificate
    assert certificate.gap <= 1e-5
    assert 0.5 * problem.objective(problem.empty_network()) < certificate.lower

    def objective(weights):
        U, A = weights[:30].reshape(3, 10), weights[30:].reshape(10, 2)
        return problem.objective(ng.TwoLayerNetwork(U, A))

    starts = np.random.default_rng(0).standard_normal((4, 50))
    found = min(minimize(objective, start, method="L-BFGS-B", options={"maxiter": 200}).fun for start in starts)
    assert certificate.lower <= found
    assert found <= 1.1 * certificate.upper


def test_the_program_agrees_with_cvxpy(data):
    X, Y = data
    problem = ng.TrainingProblem(X[:8], Y[:8], beta=0.3, loss=RowHuber())
    patterns = ng.enumerate_patterns(problem.X)
    solved = ng.solve_program(problem, patterns)
    assert solved.status is ng.Status.SOLVED
    gates, G, delta = np.vstack([patterns.dense()] * 4), np.vstack([np.eye(2), -np.eye(2)]), problem.loss.delta
    W = cp.Variable((3, len(gates)))
    X_W = problem.X @ W
    f = cp.multiply(gates.T, X_W) @ np.repeat(G, len(patterns), axis=0)
    size = cp.norm(cp.hstack([np.full((8, 1), delta), f - problem.y]), 2, axis=1)
    objective = cp.sum(delta * size) - 8 * delta**2 + problem.beta * cp.sum(cp.norm(W, 2, axis=0))
    task = cp.Problem(cp.Minimize(objective), [cp.multiply(np.where(gates, 1.0, -1.0).T, X_W) >= 0])
    assert solved.certificate.upper == pytest.approx(task.solve(solver=cp.CLARABEL), rel=1e-6)


def test_a_dual_point_outside_its_domain_proves_nothing(data):
    X, Y = data
    problem = ng.TrainingProblem(X, Y, beta=0.3, loss=RowHuber())
    v = np.full(Y.shape, 0.7)  # inside the box of `domain`, rows too long
    assert lower_bound(problem, v, 1e-3) <= 0.0
    assert lower_bound(problem, problem.fit.project(v), 1e-3) == pytest.approx(
        problem.fit.dual_objective(problem.fit.project(v))
    )


def test_linear_convolutions_take_it(rng):
    images, Y = rng.standard_normal((12, 6, 1)), rng.standard_normal((12, 2))
    problem = ng.LinearConvProblem(images, Y, beta=1.0, loss=RowHuber(), filter_size=2)
    solution = ng.train(problem, gap=1e-6)
    assert solution.status is ng.Status.SOLVED
    assert (
        solution.certificate.lower <= problem.objective(solution.network) <= problem.objective(problem.empty_network())
    )


@pytest.mark.parametrize(
    ("loss", "offset", "columns", "message"),
    [
        (Undeclared(), False, 2, "it lacks outside, project; add them"),
        (RowHuber(), True, 2, "it lacks best_constant, outside_balanced, project_balanced"),
        (RowHuber(), False, 1, "must have two columns or more, got one"),
    ],
)
def test_what_it_does_not_say_is_refused(data, loss, offset, columns, message):
    X, Y = data
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.TrainingProblem(X, Y[:, :columns], beta=0.3, loss=loss, offset=offset)
