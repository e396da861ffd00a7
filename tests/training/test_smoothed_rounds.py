"""Rounds of smoothed search: what they reach, and what they leave to the convex programs."""

import itertools

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.solvers.passes import Passes
from neuralgauge.solvers.run import Run
from neuralgauge.training.dual_side import DualSide
from neuralgauge.training.smoothed_rounds import SmoothedRounds, smoothable


def teacher(n, d, loss="squared", offset=False):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    f = np.maximum(X @ rng.standard_normal((d, 3)), 0.0) @ np.array([1.0, -1.0, 0.5]) + 0.3 * rng.standard_normal(n)
    y = np.where(f > np.median(f), 1.0, -1.0) if loss in ("logistic", "hinge") else f
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, offset=offset)
    return problem.with_beta(0.03 * ng.beta_max(problem))


LOSSES = ["squared", "logistic", "absolute", "quantile", "epsilon_insensitive", "hinge"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("offset", [False, True])
def test_few_rounds_come_within_a_percent(loss, offset):
    problem = teacher(300, 7, loss, offset)
    run, rng = Run(1e-4), np.random.default_rng(0)
    dual = DualSide(problem, rng, prove=False)
    rounds = SmoothedRounds(Passes(problem), run, rng, dual, problem.empty_network())
    for _ in itertools.islice(rounds.steps(), 10 if rounds.kinked else 4):
        pass
    assert (run.upper - dual.lower) / run.upper < (2e-2 if rounds.kinked else 1e-2)
    assert run.upper == problem.objective(run.point)
    best = ng.train(problem, gap=1e-2 if rounds.kinked else 1e-4, prove=False).certificate
    assert best.lower <= run.upper <= best.upper * 1.01
    assert dual.lower <= best.upper


@pytest.mark.parametrize("loss", [ng.Absolute(), ng.Quantile(0.8), ng.EpsilonInsensitive(0.2), ng.Hinge()], ids=repr)
@pytest.mark.parametrize("offset", [False, True])
def test_kinked_losses_reach_the_exact_optimum(loss, offset):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((260, 1))
    X[10:20] = X[:10]
    y = np.abs(X[:, 0]) + 0.3 * rng.standard_normal(260)
    y[:10] = y[10:20]
    if loss.targets == "sign":
        y = np.where(y > np.median(y), 1.0, -1.0)
    weight = rng.uniform(0.5, 2.0, 260)
    problem = ng.TrainingProblem(X, y, beta=3.0, loss=loss, offset=offset, sample_weight=weight)
    assert smoothable(problem)
    found = ng.train(problem, gap=1e-6)
    assert found.certificate.scope == "exact"
    assert found.status is ng.Status.SOLVED
    assert found.certificate.gap <= 1e-6
    patterns = ng.enumerate_patterns(problem.X)
    best = ng.solve_program(problem, patterns, tol=1e-8).certificate
    assert found.certificate.upper == pytest.approx(best.upper, rel=2e-6)


def test_what_is_smoothed():
    assert smoothable(teacher(300, 7))
    assert not smoothable(teacher(20, 3))
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 7))
    assert not smoothable(ng.TrainingProblem(X, X[:, :2], beta=1.0))
    assert smoothable(ng.TrainingProblem(X, X[:, 0], beta=1.0, loss="absolute"))
    assert not smoothable(ng.TrainingProblem(X[:50], X[:50, 0], beta=1.0, loss="absolute"))
