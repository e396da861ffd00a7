"""Several outputs and patches: no multipliers prove too much, and the splitting finds the value of the relaxation."""

import numpy as np
import pytest
from cases import rough_rows, targets_of
from proof_cases import LOSSES, names, small_problem_of
from registry.problems import PROBLEMS, random_network
from relaxation.test_proofs import iterates, random_multipliers
from relaxation_twin import relaxation_value
from splitting_twin import readout_matrix

import neuralgauge as ng
from neuralgauge.relaxation.joint_multipliers import JointMultipliers
from neuralgauge.relaxation.multipliers import power_of_two
from neuralgauge.relaxation.proven_bound import proven_value

RELU_KINDS = [kind for kind, make in PROBLEMS.items() if isinstance(make("squared", 0), ng.TrainingProblem)]
KINDS = ("outputs", "pooled", "flattened", (2,))


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("loss", [*LOSSES, "softmax"], ids=names)
def test_no_bound_is_above_the_optimum(loss, kind, seed):
    problem = small_problem_of(kind, loss, seed)
    trained = ng.train(problem, gap=1e-6)
    assert trained.certificate.scope == "exact"
    bounds = [proven_value(problem, v, multipliers) for v, multipliers in iterates(problem, 60)]
    assert max(bounds) <= trained.certificate.upper
    assert min(bounds) >= problem.fit.dual_bound(np.zeros_like(problem.y))


def random_joint(rng, n, c, scale, size):
    own, cones = random_multipliers(rng, n, scale, size), size * rng.standard_normal((4, n, c + 1))
    return JointMultipliers(own, cones, float(size * rng.standard_normal()))


@pytest.mark.parametrize("seed", range(40))
def test_any_multipliers_bound_the_scores(seed):
    rng = np.random.default_rng(seed)
    n, d, c = (int(rng.integers(1, most)) for most in (9, 4, 5))
    X, V = rough_rows(rng, seed, n, d), 10.0 ** rng.integers(-3, 4) * rng.standard_normal((n, c))
    multipliers = random_joint(rng, n, c, float(2.0 ** rng.integers(-3, 4)), 10.0 ** rng.integers(-4, 3))
    bound = multipliers.polar_bound(X, V, beta=float(rng.uniform(0.0, 3.0)))
    U = rng.standard_normal((d, 2000))
    scores = np.linalg.norm(V.T @ np.maximum(X @ U, 0.0), axis=0) / np.linalg.norm(U, axis=0)
    assert np.max(scores) <= bound


@pytest.mark.parametrize("seed", range(10))
def test_the_matrix_is_the_sum_of_the_products(seed):
    """z^T S z is beta less the score and the products, each written as it is defined."""
    rng = np.random.default_rng(seed)
    X, V, beta = rng.standard_normal((6, 3)), rng.standard_normal((6, 4)), 0.7
    joint = random_joint(rng, 6, 4, power_of_two(X), 1.0)
    own, scale = joint.own.signed(), joint.own.scale
    S, _ = joint._slack_matrix(X, V, beta)
    heads = np.maximum(joint.cones[..., 0], np.linalg.norm(joint.cones[..., 1:], axis=2)).ravel()
    for u, alpha in zip(rng.standard_normal((20, 3)), rng.standard_normal((20, 4)), strict=True):
        u, alpha = u / np.linalg.norm(u), alpha / np.linalg.norm(alpha)
        p, q = np.maximum(X @ u, 0.0) / scale, np.maximum(-X @ u, 0.0) / scale
        on = np.where(X @ u > 0.0, 1.0, 0.0)
        y = np.concatenate([on, 1.0 - on, p, q])
        products = y @ own.products @ y + 2 * y @ (heads - (joint.cones[..., 1:] @ alpha).ravel())
        assert products >= 0
        z = np.concatenate([(2.0 * on - 1.0) / 4.0, p + q, u, alpha, [1.0]])  # 4^2 >= 6
        assert z @ z <= 4.0 + np.linalg.norm(X / scale, 2) ** 2
        score = alpha @ V.T @ np.maximum(X @ u, 0.0)
        assert z @ S @ z == pytest.approx(beta - score - products, abs=1e-12)


def test_multipliers_that_are_not_finite_prove_nothing():
    X, V = np.eye(2), np.ones((2, 3))
    none = JointMultipliers.none(2, 3)
    broken = JointMultipliers(none.own, np.full((4, 2, 4), np.inf))
    with np.errstate(invalid="ignore"):
        for multipliers in (none, broken):
            assert multipliers.polar_bound(X, V, 1.0) == pytest.approx(np.sqrt(6.0))


@pytest.mark.parametrize(
    ("kind", "loss", "options", "count"),
    [
        ("outputs", "squared", {}, 600),
        ("outputs", "logistic", {"offset": True}, 600),
        ("outputs", "softmax", {"offset": True}, 600),
        ("pooled", "squared", {}, 600),
        pytest.param("pooled", "hinge", {}, 1500, marks=pytest.mark.slow),
        pytest.param("flattened", "squared", {}, 600, marks=pytest.mark.slow),
        pytest.param((2,), "softmax", {}, 600, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_bounds_reach_the_value_of_the_relaxation(kind, loss, options, count):
    rng = np.random.default_rng(3)
    c = 3 if loss == "softmax" else 2 if kind == "outputs" else 1
    options |= {"beta": 1.0, "loss": loss, "bias": False}
    if kind == "outputs":
        y = targets_of(loss, rng.standard_normal((9, c)))
        problem = ng.TrainingProblem(rng.standard_normal((9, 3)), y, sample_weight=rng.uniform(0.5, 2.0, 9), **options)
    else:
        images, y = rng.standard_normal((4, 4)), targets_of(loss, rng.standard_normal((4, c)))
        problem = ng.ReLUConvProblem(images, y, filter_size=2, readout=kind, **options)
    problem = problem.with_beta(0.3 * float(ng.beta_max(problem)))
    bound = max(proven_value(problem, v, multipliers) for v, multipliers in iterates(problem, count, 50))
    value = relaxation_value(problem)
    assert 0.98 * value <= bound <= value * (1 + 1e-5)


@pytest.mark.parametrize("loss", ["squared", "softmax"])
@pytest.mark.parametrize("kind", RELU_KINDS)
def test_outputs_are_those_of_the_moments(kind, loss):
    problem = PROBLEMS[kind](loss, 3)
    F, network = readout_matrix(problem), random_network(problem, 3)
    H, A = np.maximum(problem.X @ network.U, 0.0), network.A
    outputs = (F @ (H @ A.reshape(len(A), -1)).ravel()).reshape(problem.y.shape) + network.offset
    assert problem.outputs(network) == pytest.approx(outputs)
    assert np.all(np.abs(F @ F.T - np.diag(np.diag(F @ F.T))) <= 1e-15)


class Press:
    """A callback that ends a call at its record of this number, as Ctrl-C does."""

    def __init__(self, count):
        self.left = count

    def __call__(self, record):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("loss", ["squared", "softmax"])
@pytest.mark.parametrize("kind", RELU_KINDS)
def test_a_call(kind, loss):
    """It is deterministic, is checked as it was proven, takes a network as its start, and keeps the best at Ctrl-C."""
    problem = PROBLEMS[kind](loss, 3)
    problem = problem.with_beta(0.3 * float(ng.beta_max(problem)))
    trained = ng.train(problem, gap=1e-3, time_limit=5.0, prove=False)
    found = [ng.prove_bound(problem, progress=Press(15)) for _ in range(2)]
    assert found[0].value == found[1].value == found[0].check(problem)
    assert found[0].status is ng.Status.INTERRUPTED
    assert np.all(np.diff([record.lower_bound for record in found[0].history]) >= 0)
    assert 0.5 * trained.certificate.upper < found[0].value <= trained.certificate.upper
    started = ng.prove_bound(problem, start=trained, progress=Press(15))
    assert 0.5 * trained.certificate.upper < started.value <= trained.certificate.upper
