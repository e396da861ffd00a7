"""The best weights of given columns, against optimality conditions and a general-purpose solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

import neuralgauge as ng
from neuralgauge.pricing.columns import Columns
from neuralgauge.solvers.nonnegative import solve_nonnegative
from neuralgauge.solvers.passes import Passes
from neuralgauge.solvers.reweighting import reweighted


@pytest.mark.parametrize("free", [0, 1])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_quadratics_over_the_orthant(free, scale):
    rng = np.random.default_rng(0)
    B = rng.standard_normal((40, 12 + free))
    Q, q, cost = scale * B.T @ B, scale * rng.standard_normal(12 + free) * 5, np.full(12, 4.0 * scale)
    found = solve_nonnegative(Q, q, cost, np.zeros(12))
    x = np.append(found.w, found.free)
    slope = (Q @ x + q + np.append(cost, np.zeros(free))) / scale
    assert np.all(slope[:12] > -1e-4)
    assert np.all(np.abs(slope[12:]) < 1e-4)
    assert found.w @ slope[:12] < 1e-4
    np.testing.assert_allclose(found.slack / scale, slope[:12], atol=1e-3)


def test_columns_without_curvature_get_no_weight():
    Q = np.diag([1.0, 0.0])
    found = solve_nonnegative(Q, np.array([-2.0, 0.0]), np.ones(2), np.zeros(2))
    np.testing.assert_allclose(found.w, [1.0, 0.0], atol=1e-4)


def test_what_has_no_factor_is_refused():
    assert solve_nonnegative(np.full((2, 2), np.nan), np.ones(2), np.ones(2), np.zeros(2)) is None


def columns_of(rng, problem, count):
    U = rng.standard_normal((problem.d, count))
    return Columns(np.zeros(count), U / np.linalg.norm(U, axis=0), np.sign(rng.standard_normal((count, 1))))


@pytest.mark.parametrize("loss", ["squared", "logistic", "poisson", "huber"])
@pytest.mark.parametrize("offset", [False, True])
def test_weights_are_the_best(loss, offset):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((60, 3)), rng.standard_normal(60)
    y = {"logistic": np.sign(y), "poisson": np.round(np.abs(2 * y))}.get(loss, y)
    problem = ng.TrainingProblem(X, y, beta=0.6, loss=loss, offset=offset)
    columns = columns_of(rng, problem, 15)
    found = reweighted(Passes(problem), columns, np.zeros(15), problem.empty_network().offset)
    atoms = problem.features.atoms(columns.U, columns.G)

    def objective(x):
        f = atoms @ x[:15] + (x[15] if offset else 0.0)
        g = problem.fit.gradient(f)
        slope = np.append(atoms.T @ g + problem.beta, np.sum(g) if offset else 0.0)
        return problem.fit.value(f) + problem.beta * x[:15].sum(), slope

    bounds = [(0, None)] * 15 + [(None, None)]
    best = minimize(objective, np.zeros(16), jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 5000})
    assert problem.objective(found.network) == pytest.approx(best.fun, rel=1e-5)
    scores = -atoms.T @ problem.fit.gradient(problem.outputs(found.network))
    np.testing.assert_allclose(found.shortfall, 1.0 - scores / problem.beta, atol=2e-3)


def test_without_columns_there_are_no_weights():
    problem = ng.TrainingProblem([[1.0], [2.0]], [1.0, 0.0], beta=1.0)
    assert reweighted(Passes(problem), Columns.none(2, 1), np.zeros(0), np.zeros(1)) is None
