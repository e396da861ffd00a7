"""The splitting finds the value of the relaxation, which CVXPY finds too; its parts are what they say."""

from itertools import islice

import numpy as np
import pytest
from cases import targets_of
from registry.losses import ELEMENTWISE, KINKED, TYPICAL, VARIANTS
from registry.problems import PROBLEMS, random_network
from relaxation.test_joint_proofs import RELU_KINDS
from relaxation.test_proofs import iterates, names
from relaxation_twin import relaxation_value
from splitting_twin import kept, parts, plain_adjoint, plain_products, plain_splitting

import neuralgauge as ng
from neuralgauge.losses.datafit import DataFit
from neuralgauge.relaxation.moments import Lift
from neuralgauge.relaxation.positive_part import WHOLE_FIRST, PositivePart
from neuralgauge.relaxation.proven_bound import proven_value
from neuralgauge.relaxation.proximal import proximal_point
from neuralgauge.relaxation.splitting import Splitting


@pytest.mark.parametrize("shape", [(5, 2), (3, 4), (4, 1), (70, 2)])
def test_steps_are_those_of_the_method_written_out(rng, shape):
    X = rng.standard_normal(shape) * 10.0 ** rng.uniform(-1, 1, shape[1])
    problem = ng.TrainingProblem(X, rng.standard_normal(shape[0]), beta=1.0, bias=False)
    problem = problem.with_beta(0.2 * float(ng.beta_max(problem)))
    for start in (None, random_network(problem, 3)):
        steps = zip(Splitting(problem, start), plain_splitting(problem, start), strict=False)
        for own, plain in islice(steps, WHOLE_FIRST):
            assert own.v == pytest.approx(plain, rel=1e-7, abs=1e-7 * np.max(np.abs(plain)))


@pytest.mark.parametrize("loss", ["squared", "softmax"])
@pytest.mark.parametrize("kind", RELU_KINDS)
def test_steps_of_outputs_and_patches_are_those_of_the_method_written_out(kind, loss):
    problem = PROBLEMS[kind](loss, 3)
    for start in (None, random_network(problem, 3)):
        steps = zip(Splitting(problem, start), plain_splitting(problem, start), strict=False)
        for own, plain in islice(steps, 12):
            assert own.v == pytest.approx(plain, rel=1e-6, abs=1e-6 * np.max(np.abs(plain)))


@pytest.mark.parametrize("q", [0, 2, 5])
@pytest.mark.parametrize("shape", [(7, 3), (3, 5), (6, 1)])
def test_the_metric_is_above_what_the_products_need(rng, shape, q):
    lift = Lift(rng.standard_normal(shape) * 10.0 ** rng.uniform(-1, 1, shape[1]), q)
    root = np.sqrt(lift.metric)
    for _ in range(50):
        Z = rng.standard_normal((lift.order, lift.order))
        Z = Z + Z.T
        products = plain_products(lift, Z)
        assert products @ products == pytest.approx(np.sum(Z * plain_adjoint(lift, products)))
        assert products @ products <= np.sum((Z * np.outer(root, root)) ** 2) * (1 + 1e-12)


def test_moments_of_a_network_are_its_products():
    problem = ng.TrainingProblem(np.random.default_rng(2).standard_normal((6, 2)), np.ones(6), beta=1.0)
    network, lift = random_network(problem, 3), Lift(problem.X)
    total = 0.0
    for sign in (1.0, -1.0):
        z = lift.moments(network, sign)
        pairs, _, output, balance = parts(lift, plain_products(lift, z @ z.T))
        assert np.min(pairs) >= -1e-12
        assert kept(lift, plain_products(lift, z @ z.T)) == pytest.approx(plain_products(lift, z @ z.T), abs=1e-9)
        assert balance == pytest.approx(0.0, abs=1e-9)
        total += sign * output[:, 0]
    scale = problem.outputs(network) @ total / (total @ total)
    assert problem.outputs(network) == pytest.approx(scale * total)
    cost = sum(lift.cost @ np.sum(lift.moments(network, sign) ** 2, axis=1) for sign in (1.0, -1.0))
    assert 0.5 * cost == pytest.approx(network.balance().weight_decay())


def test_the_positive_part_of_a_matrix_that_moves(rng):
    """Eigenvalues cross zero in both directions and turn; what a subspace misses is small beside the matrix."""
    n, part = 120, PositivePart()
    turn = 0.02 * rng.standard_normal((n, n))
    Q, values = np.linalg.qr(rng.standard_normal((n, n)))[0], np.linspace(-1.0, 0.04, n)
    values[-4:] = 0.2, 0.5, 1.0, 2.0
    for step in range(150):
        Q = np.linalg.qr(Q + (turn - turn.T) / (1 + step) @ Q)[0]
        M = (Q * (values + 0.03 * np.sin(0.1 * step))) @ Q.T
        M = 0.5 * (M + M.T)
        before = M.copy()
        root = part.root(M)
        exact, vectors = np.linalg.eigh(M)
        wanted = (vectors * np.maximum(exact, 0.0)) @ vectors.T
        assert np.linalg.norm(root @ root.T - wanted, 2) <= 0.05
        assert np.array_equal(M, before)


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("loss", [*ELEMENTWISE, *VARIANTS], ids=names)
def test_proximal_points_are_minimal(rng, loss, offset):
    fit = DataFit.of(targets_of(loss, rng.standard_normal((12, 1))), 12, loss, offset, rng.uniform(0.2, 3.0, 12))
    for stiffness in (0.03, 1.0, 40.0):
        is_minimal(rng, fit, np.full(12, stiffness), 3.0 * rng.standard_normal(12))


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("loss", [*TYPICAL, "softmax"])
def test_proximal_points_of_several_outputs_are_minimal(rng, loss, offset):
    for stiffness, size in ((0.003, 3.0), (1.0, 30.0), (1.0, 3.0), (40.0, 3.0)):
        fit = DataFit.of(targets_of(loss, rng.standard_normal((12, 4))), 12, loss, offset, rng.uniform(0.2, 3.0, 12))
        is_minimal(rng, fit, stiffness * rng.uniform(0.3, 3.0, (12, 1)), size * rng.standard_normal((12, 4)))


def is_minimal(rng, fit, stiffness, center):
    """No change of a few outputs, or of all with the offset, makes the objective of the proximal point less."""
    b = np.zeros(fit.c)
    for _ in range(60):  # the offset is found to some digits a call
        f, b = proximal_point(fit, center, stiffness, b)

    def cost(f, b):
        return fit.value(f) + 0.5 * np.sum(stiffness * (f - b - center) ** 2)

    value = cost(f, b)
    for _ in range(200):
        step = 10.0 ** rng.uniform(-4, 0)
        other = f + step * rng.standard_normal(f.shape) * (rng.uniform(size=f.shape) < 0.3)
        assert cost(other, b) >= value - 1e-10 * (1 + abs(value))
        if fit.offset:
            move = step * rng.standard_normal(fit.c)
            assert cost(f + move, b + move) >= value - 1e-5 * (1 + abs(value))


@pytest.mark.parametrize("stiffness", [1e-14, 1e-3, 10.0])
def test_proximal_points_from_where_the_gradient_overflows(stiffness):
    """exp(f) + stiffness (f - center) = 0, to digits of what f moves."""
    center = np.array([-5.0, 3.0, 30.0, 800.0, 1e6])
    fit = DataFit.of(np.zeros(5), 5, "poisson", False, None)
    f, _ = proximal_point(fit, center, np.full(5, stiffness), np.zeros(1))
    assert np.exp(f) == pytest.approx(stiffness * (center - f), rel=1e-6)


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
