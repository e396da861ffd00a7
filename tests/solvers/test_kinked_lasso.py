"""The best weights of columns under losses with kinks, against a conic solver and the conditions of optimality."""

import cvxpy as cp
import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.pricing.columns import Columns
from neuralgauge.solvers.kinked_lasso import MOST_LASSO_STEPS, kinked_lasso
from neuralgauge.solvers.passes import Passes
from neuralgauge.solvers.reweighting import reweighted

CONVEX = {
    "absolute": lambda f, y: cp.abs(f - y),
    "quantile": lambda f, y: cp.maximum(0.9 * (y - f), 0.1 * (f - y)),
    "epsilon_insensitive": lambda f, y: cp.pos(cp.abs(f - y) - 0.1),
    "hinge": lambda f, y: cp.pos(1.0 - cp.multiply(y, f)),
}


def problem_of(loss, offset, n=60):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((n, 3)), rng.standard_normal(n)
    X[5], y[6] = X[4], y[4]  # a row that repeats, and a tie
    y = np.sign(y) if loss == "hinge" else y
    given = ng.Quantile(0.9) if loss == "quantile" else loss
    return ng.TrainingProblem(X, y, beta=0.6, loss=given, offset=offset, sample_weight=rng.uniform(0.5, 2.0, n))


def columns_of(problem, count):
    rng = np.random.default_rng(2)
    U = rng.standard_normal((problem.d, count))
    return Columns(np.zeros(count), U / np.linalg.norm(U, axis=0), np.sign(rng.standard_normal((count, 1))))


@pytest.mark.parametrize("loss", list(CONVEX))
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("count", [15, 150])
def test_weights_are_the_best(loss, offset, count):
    problem = problem_of(loss, offset)
    columns, passes = columns_of(problem, count), Passes(problem)
    H, width = passes.atoms(columns), 1e-6
    point = kinked_lasso(passes.rounded(width).searched, H, np.zeros(count), problem.empty_network().offset)
    w, b = cp.Variable(count, nonneg=True), cp.Variable()
    f = H @ w + (b if offset else 0.0)
    value = cp.sum(cp.multiply(problem.sample_weight, CONVEX[loss](f, problem.y))) + problem.beta * cp.sum(w)
    best = cp.Problem(cp.Minimize(value)).solve(solver="CLARABEL")
    found = problem.fit.value(H @ point.w + point.b) + problem.beta * point.w.sum()
    assert best * (1 - 1e-7) <= found <= best + width * problem.fit.steepness + 1e-7 * best
    v = problem.fit.project(-point.g)
    most = float(np.max(H.T @ v))
    assert most <= problem.beta * (1 + 1e-4)
    assert problem.fit.dual_objective(v * min(1.0, problem.beta / most)) >= best * (1 - 1e-4)
    assert float(point.b[0] != problem.empty_network().offset[0]) == float(offset)


class Elsewhere(Passes):
    """Rows whose columns do not fit in memory."""

    def atoms(self, columns):
        return None


@pytest.mark.parametrize("loss", list(CONVEX))
@pytest.mark.parametrize("offset", [False, True])
def test_networks_are_those_of_newton_steps(loss, offset):
    problem = problem_of(loss, offset)
    columns, start = columns_of(problem, 40), problem.empty_network().offset
    found = reweighted(Passes(problem, 1.0), columns, np.zeros(40), start)
    near = found.weight * np.random.default_rng(0).uniform(0.9, 1.1, 40)
    other = reweighted(Elsewhere(problem, 1.0), columns, near, found.network.offset)
    assert found.v is not None
    assert other.v is None
    rounded, allowed = Passes(problem, 1.0).searched, 0.01 * 0.5 * problem.fit.steepness
    assert rounded.objective(found.network) == pytest.approx(rounded.objective(other.network), abs=allowed)
    np.testing.assert_allclose(found.v, Passes(problem, 1.0).residual(found.network), atol=0.1)


def test_newton_steps_need_curvature():
    problem = problem_of("hinge", offset=False)
    columns = columns_of(problem, 40)
    assert reweighted(Elsewhere(problem, 1.0), columns, np.zeros(40), 0.0) is None


def test_iterations_are_few(monkeypatch):
    problem = problem_of("absolute", offset=False, n=200)
    columns, passes = columns_of(problem, 60), Passes(problem, 1e-5)
    monkeypatch.setattr("neuralgauge.solvers.kinked_lasso.MOST_LASSO_STEPS", 25)
    H = passes.atoms(columns)
    early = kinked_lasso(passes.searched, H, np.zeros(60), 0.0)
    monkeypatch.setattr("neuralgauge.solvers.kinked_lasso.MOST_LASSO_STEPS", MOST_LASSO_STEPS)
    late = kinked_lasso(passes.searched, H, np.zeros(60), 0.0)
    np.testing.assert_array_equal(early.w, late.w)
