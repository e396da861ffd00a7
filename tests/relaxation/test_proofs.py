"""No multipliers prove too much: bounds of exact problems, of scores, and of numbers that nobody chose well."""

from itertools import islice

import numpy as np
import pytest
from cases import rough_rows
from proof_cases import LOSSES, names, small_problem

import neuralgauge as ng
from neuralgauge.relaxation.multipliers import Multipliers, Shares, power_of_two
from neuralgauge.relaxation.proven_bound import proven_value
from neuralgauge.relaxation.splitting import Splitting


def iterates(problem, count, every=10):
    """Dual points and multipliers of every tenth iterate."""
    for iterate in islice(Splitting(problem, None), every - 1, count, every):
        yield problem.fit.project(iterate.v), iterate.multipliers()


def random_multipliers(rng, n, d, scale, size):
    square = lambda: size * rng.standard_normal((n, n))  # noqa: E731
    cone = lambda: size * rng.standard_normal((n, d + 1))  # noqa: E731
    shares = None
    if rng.uniform() < 0.7:
        weights = 10.0 ** rng.uniform(-4, 1) * rng.standard_normal(n)
        shares = Shares(rng.choice([weights, np.abs(weights), np.inf * weights]), square(), square())
    balance = float(size * rng.standard_normal())
    return Multipliers(scale, square(), square(), square(), cone(), cone(), balance, shares)


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 20))])
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
    multipliers = random_multipliers(rng, n, d, scale, size)
    bound = multipliers.polar_bound(X, v, beta=float(rng.uniform(0.0, 3.0)))
    U = rng.standard_normal((d, 2000))
    assert np.max(v @ np.maximum(X @ U, 0.0) / np.linalg.norm(U, axis=0)) <= bound


@pytest.mark.parametrize("seed", range(10))
def test_the_matrix_is_the_sum_of_the_products(seed):
    """z^T S z is beta less the score and the products, each written as it is defined."""
    rng = np.random.default_rng(seed)
    X, v, beta = rng.standard_normal((6, 3)), rng.standard_normal(6), 0.7
    own = random_multipliers(rng, 6, 3, power_of_two(X), 1.0).signed(X)
    S, _ = own._slack_matrix(X / own.scale, v, beta)
    for u in rng.standard_normal((20, 3)):
        u /= np.linalg.norm(u)
        p, q = np.maximum(X @ u, 0.0) / own.scale, np.maximum(-X @ u, 0.0) / own.scale
        z = np.concatenate([p + q, u, [1.0]])
        products = p @ own.pp @ p + 2 * p @ own.pq @ q + q @ own.qq @ q
        products += 2 * p @ (own.p[:, 0] - own.p[:, 1:] @ u) + 2 * q @ (own.q[:, 0] - own.q[:, 1:] @ u)
        if own.shares is not None:
            products -= 2 * p @ own.shares.p @ (p + q) + 2 * q @ own.shares.q @ (p + q)
        assert products >= 0
        assert z @ S @ z == pytest.approx(beta - v @ np.maximum(X @ u, 0.0) - products, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_heads_of_cones_are_above_their_tails(seed):
    """Whatever the shares are: too large for the norm of u, none, or in between."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    H, weights = rough_rows(rng, seed, n, d), 10.0 ** rng.integers(-3, 2) * rng.standard_normal(n)
    shares = Shares(weights, rng.standard_normal((n, n)), np.zeros((n, n))).cut()
    G = 10.0 ** rng.integers(-3, 3) * rng.standard_normal((n, d))
    U = rng.standard_normal((d, 2000))
    U /= np.linalg.norm(U, axis=0)
    reached = np.max(G @ U + shares.p @ np.abs(H @ U), axis=1)
    reach = shares.reach(H, G, shares.p)
    assert np.all(reached <= reach)
    few = Shares(0.5 / np.maximum(np.sum(H**2), 1e-300) * np.ones(n), shares.p, shares.q)
    assert np.all(few.reach(H, G, 0.0 * shares.p) <= 1.5 * np.linalg.norm(G, axis=1) * (1 + 1e-9))


def test_multipliers_that_are_not_finite_prove_nothing():
    X, v = np.eye(2), np.ones(2)
    none = Multipliers.none(2, 2)
    broken = Multipliers(1.0, np.full((2, 2), np.inf), none.pq, none.qq, none.p, none.q)
    with np.errstate(invalid="ignore"):
        for multipliers in (none, broken):
            assert multipliers.polar_bound(X, v, 1.0) == pytest.approx(np.sqrt(2.0))


def test_a_scale_that_is_not_positive_is_refused():
    none = Multipliers.none(2, 2)
    with pytest.raises(ng.InvalidInputError, match=r"`scale` must be finite and > 0, got -1\.0"):
        Multipliers(-1.0, none.pp, none.pq, none.qq, none.p, none.q)


def test_scaling_the_data_scales_the_bound():
    """Powers of two on X and y, as u and alpha take them up, leave every digit."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
    values = []
    for a, b in ((1.0, 1.0), (1024.0, 2.0**-20), (2.0**-30, 2.0**30)):
        problem = ng.TrainingProblem(a * X, b * y, beta=0.3 * a * b, bias=False)
        values.append(max(proven_value(problem, v, w) for v, w in iterates(problem, 200)) / b**2)
    assert values == pytest.approx([values[0]] * 3, rel=1e-6)
