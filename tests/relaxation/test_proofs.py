"""No multipliers prove too much: bounds of exact problems, of scores, and of numbers that nobody chose well."""

from itertools import islice

import numpy as np
import pytest
from cases import rough_rows
from proof_cases import LOSSES, names, small_problem

import neuralgauge as ng
from neuralgauge.relaxation.multipliers import Multipliers, power_of_two
from neuralgauge.relaxation.proven_bound import proven_value
from neuralgauge.relaxation.splitting import Splitting


def iterates(problem, count, every=10):
    """Dual points and multipliers of every tenth iterate."""
    for iterate in islice(Splitting(problem, None), every - 1, count, every):
        yield problem.fit.project(iterate.v), iterate.multipliers()


def random_multipliers(rng, n, scale, size):
    return Multipliers(scale, size * rng.standard_normal((4 * n, 4 * n)), float(size * rng.standard_normal()))


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 20))])
@pytest.mark.parametrize("loss", LOSSES, ids=names)
def test_no_bound_is_above_the_optimum(loss, seed):
    problem = small_problem(loss, seed)
    trained = ng.train(problem, gap=1e-6)
    assert trained.certificate.scope == "exact"
    bounds = [proven_value(problem, v, multipliers) for v, multipliers in iterates(problem, 60)]
    assert max(bounds) <= trained.certificate.upper
    assert min(bounds) >= problem.fit.dual_bound(np.zeros(problem.n))


@pytest.mark.parametrize("seed", range(60))
def test_any_multipliers_bound_the_scores(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    X, v = rough_rows(rng, seed, n, d), 10.0 ** rng.integers(-3, 4) * rng.standard_normal(n)
    scale, size = float(2.0 ** rng.integers(-3, 4)), 10.0 ** rng.integers(-4, 3)
    multipliers = random_multipliers(rng, n, scale, size)
    bound = multipliers.polar_bound(X, v, beta=float(rng.uniform(0.0, 3.0)))
    U = rng.standard_normal((d, 2000))
    assert np.max(v @ np.maximum(X @ U, 0.0) / np.linalg.norm(U, axis=0)) <= bound


@pytest.mark.parametrize("seed", range(10))
def test_the_matrix_is_the_sum_of_the_products(seed):
    """z^T S z is beta less the score and the products, each written as it is defined."""
    rng = np.random.default_rng(seed)
    X, v, beta = rng.standard_normal((6, 3)), rng.standard_normal(6), 0.7
    own = random_multipliers(rng, 6, power_of_two(X), 1.0).signed()
    S, _ = own._slack_matrix(X / own.scale, v, beta)
    for u in rng.standard_normal((20, 3)):
        u /= np.linalg.norm(u)
        p, q = np.maximum(X @ u, 0.0) / own.scale, np.maximum(-X @ u, 0.0) / own.scale
        on = np.where(X @ u > 0.0, 1.0, 0.0)
        z = np.concatenate([(2.0 * on - 1.0) / 4.0, p + q, u, [1.0]])  # 4^2 >= 6
        y = np.concatenate([on, 1.0 - on, p, q])
        products = y @ own.products @ y
        assert products >= 0
        assert z @ z <= 3.0 + np.linalg.norm(X / own.scale, 2) ** 2
        assert z @ S @ z == pytest.approx(beta - v @ np.maximum(X @ u, 0.0) - products, abs=1e-12)


def test_multipliers_that_are_not_finite_prove_nothing():
    X, v = np.eye(2), np.ones(2)
    none = Multipliers.none(2)
    broken = Multipliers(1.0, np.full((8, 8), np.inf))
    with np.errstate(invalid="ignore"):
        for multipliers in (none, broken):
            assert multipliers.polar_bound(X, v, 1.0) == pytest.approx(np.sqrt(2.0))


def test_a_scale_that_is_not_positive_is_refused():
    none = Multipliers.none(2)
    with pytest.raises(ng.InvalidInputError, match=r"`scale` must be finite and > 0, got -1\.0"):
        Multipliers(-1.0, none.products)


def test_scaling_the_data_scales_the_bound():
    """Powers of two on X and y, as u and alpha take them up, leave every digit."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
    values = []
    for a, b in ((1.0, 1.0), (1024.0, 2.0**-20), (2.0**-30, 2.0**30)):
        problem = ng.TrainingProblem(a * X, b * y, beta=0.3 * a * b, bias=False)
        values.append(max(proven_value(problem, v, w) for v, w in iterates(problem, 200)) / b**2)
    assert values == pytest.approx([values[0]] * 3, rel=1e-6)
