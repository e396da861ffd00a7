"""Rounds of corrected output weights: what they reach, and which problems they take."""

import itertools

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.solvers.run import Run
from neuralgauge.training.corrected_rounds import CorrectedRounds, corrected
from neuralgauge.training.dual_side import DualSide


def classes(n=300, d=7, offset=False, loss="softmax"):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    f = np.maximum(X @ rng.standard_normal((d, 6)), 0.0) @ rng.standard_normal((6, 3))
    y = f.argmax(axis=1) if loss == "softmax" else f + 0.3 * rng.standard_normal(f.shape)
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, offset=offset)
    return problem.with_beta(0.05 * ng.beta_max(problem))


@pytest.mark.parametrize(("loss", "offset"), [("softmax", False), ("softmax", True), ("squared", False)])
def test_few_rounds_come_within_some_percent(loss, offset):
    problem = classes(loss=loss, offset=offset)
    run, rng = Run(1e-4), np.random.default_rng(0)
    dual = DualSide(problem, rng, prove=False)
    rounds = CorrectedRounds(problem, run, rng, dual, problem.empty_network())
    for _ in itertools.islice(rounds.steps(), 12):
        pass
    assert run.upper == problem.objective(run.point)
    assert 0.0 < (run.upper - dual.lower) / run.upper < 0.03
    assert dual.lower <= ng.train(problem, gap=1e-2, prove=False).certificate.upper


def test_training_uses_them_and_is_deterministic():
    problem = classes()
    first, second = (ng.train(problem, gap=1e-2, prove=False) for _ in range(2))
    assert first.status is second.status
    assert first.certificate.gap <= 1e-2
    np.testing.assert_array_equal(first.network.U, second.network.U)


def test_a_penalty_above_beta_max_leaves_no_neurons_worth_keeping():
    problem = classes()
    problem = problem.with_beta(40.0 * problem.beta)
    solution = ng.train(problem, gap=1e-3, prove=False)
    assert solution.certificate.upper == pytest.approx(problem.objective(problem.empty_network()), rel=1e-3)


def test_what_is_taken():
    assert corrected(classes())
    assert not corrected(classes(n=30))
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 7))
    assert not corrected(ng.TrainingProblem(X, X[:, 0], beta=1.0))
    assert not corrected(ng.TrainingProblem(X, X[:, :2], beta=1.0, loss="absolute"))
