"""The relaxation row by row: no bound too high, the value of the same program by a general solver, degenerate rows."""

from itertools import islice

import numpy as np
import pytest
from cases import rough_rows
from proof_cases import LOSSES, names, small_problem
from relaxation_twin import row_by_row_value

import neuralgauge as ng
from neuralgauge.relaxation._row_method import gain
from neuralgauge.relaxation.multipliers import power_of_two
from neuralgauge.relaxation.proven_bound import proven_value
from neuralgauge.relaxation.row_interior_point import RowByRow
from neuralgauge.relaxation.row_multipliers import RowMultipliers


def bounds(problem, count=25):
    """What each iterate proves."""
    for iterate in islice(RowByRow(problem), count):
        yield proven_value(problem, problem.fit.project(iterate.v), iterate.multipliers())


def random_multipliers(rng, n, d, scale, size):
    ratio = rng.uniform(-1.0, 3.0, n)
    lower, along = size * rng.standard_normal((2, n)), size * rng.standard_normal((n, d))
    return RowMultipliers(scale, ratio, lower, along, float(size * rng.standard_normal()))


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 20))])
@pytest.mark.parametrize("loss", LOSSES, ids=names)
def test_no_bound_is_above_the_optimum(loss, seed):
    problem = small_problem(loss, seed)
    if not (gain(problem) > 0 and np.any(problem.X)):
        return
    trained = ng.train(problem, gap=1e-6)
    assert trained.certificate.scope == "exact"
    found = list(bounds(problem))
    assert len(found) > 5
    assert max(found) <= trained.certificate.upper
    assert found[-1] > 0.5 * max(found)


@pytest.mark.parametrize("seed", range(60))
def test_any_multipliers_bound_the_scores(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    X, v = rough_rows(rng, seed, n, d), 10.0 ** rng.integers(-3, 4) * rng.standard_normal(n)
    scale, size = float(2.0 ** rng.integers(-3, 4)), 10.0 ** rng.integers(-4, 3)
    bound = random_multipliers(rng, n, d, scale, size).polar_bound(X, v, beta=float(rng.uniform(0.0, 3.0)))
    U = rng.standard_normal((d, 2000))
    assert np.max(v @ np.maximum(X @ U, 0.0) / np.linalg.norm(U, axis=0)) <= bound


@pytest.mark.parametrize("seed", range(10))
def test_the_matrix_is_the_sum_of_the_inequalities(seed):
    """(u, a)^T S (u, a) is beta less the score and the inequalities, each written as it is defined."""
    rng = np.random.default_rng(seed)
    X, v, beta = rng.standard_normal((6, 3)), rng.standard_normal(6), 0.7
    own = random_multipliers(rng, 6, 3, power_of_two(X), 1.0)
    sigma = 0.5 * own.scale * v
    S, _ = own._slack_matrix(X / own.scale, sigma, beta)
    rise, fall = np.maximum(own.lower, 0.0)
    ratio = np.where(own.ratio > 0, own.ratio, 1.0)
    for u in rng.standard_normal((20, 3)):
        u /= np.linalg.norm(u)
        h = X @ u / own.scale
        lengths = np.linalg.norm(own.along, axis=1)
        weight = np.maximum(sigma + rise + fall + lengths, 0.0)
        slacks = rise * (abs(h) - h) + fall * (abs(h) + h) + lengths * abs(h) - h * (own.along @ u)
        slacks += weight * (0.5 * (h**2 / ratio + ratio) - abs(h)) + (weight - sigma - rise - fall - lengths) * abs(h)
        assert np.all(slacks >= -1e-15)
        z = np.append(u, 1.0)
        assert z @ S @ z == pytest.approx(beta - v @ np.maximum(X @ u, 0.0) - np.sum(slacks), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_value_is_that_of_a_general_solver(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((15, 4))
    problem = ng.TrainingProblem(X, np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.standard_normal(15), beta=1.0)
    problem = problem.with_beta([0.03, 0.1, 0.3, 0.7][seed] * float(ng.beta_max(problem)))
    assert max(bounds(problem)) == pytest.approx(row_by_row_value(problem), rel=1e-5)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_scales_change_nothing(loss):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 4))
    y = np.sign(X[:, 0] * X[:, 1])
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, bias=False)
    value = max(bounds(problem))
    for scale in (1e-50, 1e50):
        scaled = ng.TrainingProblem(scale * X, y, beta=scale, loss=loss, bias=False)
        assert max(bounds(scaled)) == pytest.approx(value, rel=1e-6)


def test_copies_and_rows_of_zeros_are_taken():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 4))
    y = X[:, 0] - np.abs(X[:, 1])
    weighted = ng.TrainingProblem(X, y, beta=0.5, bias=False, sample_weight=np.full(12, 2.0))
    rows = np.concatenate([X, X, np.zeros((3, 4))])
    copied = ng.TrainingProblem(rows, np.concatenate([y, y, np.zeros(3)]), beta=0.5, bias=False)
    assert max(bounds(copied)) == pytest.approx(max(bounds(weighted)), rel=1e-5)


def test_many_rows_are_proven_row_by_row():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((6000, 6))
    problem = ng.TrainingProblem(X, X[:, 0] + 0.1 * rng.standard_normal(6000), beta=1.0)
    problem = problem.with_beta(0.5 * float(ng.beta_max(problem)))
    bound = ng.prove_bound(problem)
    assert bound.check(problem) == bound.value
    assert bound.value >= 0.8 * ng.train(problem, gap=1e-2, prove=False).certificate.upper
