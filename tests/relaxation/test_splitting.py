"""The splitting finds the value of the relaxation, which CVXPY finds too; its parts are what they say."""

import numpy as np
import pytest
from cases import targets_of
from registry.losses import ELEMENTWISE, KINKED, VARIANTS
from registry.problems import random_network
from relaxation.test_proofs import iterates, names
from relaxation_twin import relaxation_value

import neuralgauge as ng
from neuralgauge.losses.datafit import DataFit
from neuralgauge.relaxation.moments import Lift, Products
from neuralgauge.relaxation.proven_bound import proven_value
from neuralgauge.relaxation.proximal import proximal_point


def random_products(rng, lift):
    n, r = lift.n, lift.r
    square, cone = lambda: rng.standard_normal((n, n)), lambda: rng.standard_normal((n, r + 1))
    pp, qq = square(), square()
    return Products(
        pp + pp.T, square(), qq + qq.T, cone(), cone(), rng.standard_normal(n), float(rng.standard_normal())
    )


def inner(a, b):
    total = np.sum(a.pp * b.pp) + 2 * np.sum(a.pq * b.pq) + np.sum(a.qq * b.qq)
    return total + np.sum(a.p * b.p) + np.sum(a.q * b.q) + a.output @ b.output + a.balance * b.balance


@pytest.mark.parametrize("shape", [(7, 3), (3, 5), (6, 1)])
def test_the_adjoint_and_the_metric_of_the_lift(rng, shape):
    lift = Lift(rng.standard_normal(shape) * 10.0 ** rng.uniform(-1, 1, shape[1]))
    root = np.sqrt(lift.metric)
    for _ in range(20):
        Z = rng.standard_normal((lift.order, lift.order))
        Z, W = Z + Z.T, random_products(rng, lift)
        products = lift.products(Z)
        assert inner(products, W) == pytest.approx(np.sum(Z * lift.adjoint(W)), rel=1e-10, abs=1e-10)
        assert inner(products, products) <= np.sum((Z * np.outer(root, root)) ** 2) * (1 + 1e-12)


def test_moments_of_a_network_are_its_products():
    problem = ng.TrainingProblem(np.random.default_rng(2).standard_normal((6, 2)), np.ones(6), beta=1.0)
    network, lift = random_network(problem, 3), Lift(problem.X)
    total = 0.0
    for sign in (1.0, -1.0):
        Z = lift.moments(network, sign)
        total += sign * lift.products(Z).output
        assert lift.products(Z).balance == pytest.approx(0.0, abs=1e-9)
        assert np.min(lift.products(Z).pq) >= -1e-12
    scale = problem.outputs(network) @ total / (total @ total)
    assert problem.outputs(network) == pytest.approx(scale * total)
    cost = sum(lift.cost @ np.diag(lift.moments(network, sign)) for sign in (1.0, -1.0))
    assert 0.5 * cost == pytest.approx(network.balance().weight_decay())


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("loss", [*ELEMENTWISE, *VARIANTS], ids=names)
def test_proximal_points_are_minimal(rng, loss, offset):
    y = targets_of(loss, rng.standard_normal((12, 1)))
    fit = DataFit.of(y, 12, loss, offset, rng.uniform(0.2, 3.0, 12))
    for stiffness in (0.03, 1.0, 40.0):
        center = 3.0 * rng.standard_normal(12)
        b, value = 0.0, np.inf
        for _ in range(60):  # the offset is found to some digits a call
            f, b = proximal_point(fit, center, stiffness, b)
        cost = lambda f, b: fit.value(f) + 0.5 * stiffness * np.sum((f - b - center) ** 2)  # noqa: B023, E731
        value = cost(f, b)
        for _ in range(200):
            step = 10.0 ** rng.uniform(-4, 0)
            other = f + step * rng.standard_normal(12) * (rng.uniform(size=12) < 0.3)
            assert cost(other, b) >= value - 1e-10 * (1 + abs(value))
            if offset:
                move = step * rng.standard_normal()
                assert cost(f + move, b + move) >= value - 1e-5 * (1 + abs(value))


@pytest.mark.parametrize("offset", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_bounds_reach_the_value_of_the_relaxation(loss, offset):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((9, 3)), targets_of(loss, rng.standard_normal((9, 1)))
    weight = rng.uniform(0.5, 2.0, 9)
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, bias=False, offset=offset, sample_weight=weight)
    problem = problem.with_beta(0.3 * float(ng.beta_max(problem)))
    count = 1500 if loss in KINKED else 600  # kinks take longer
    bound = max(proven_value(problem, v, multipliers) for v, multipliers in iterates(problem, count, 50))
    value = relaxation_value(problem)
    assert 0.98 * value <= bound <= value * (1 + 1e-5)
