"""A network of its own for every output: starts, limits, the largest penalty, the scope of what is reported."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.problems.penalty import beta_max
from neuralgauge.solvers.solution import Status
from neuralgauge.training.one_vs_rest import beta_max_one_vs_rest, train_one_vs_rest


@pytest.fixture(scope="module")
def targets():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 6))
    return X, np.column_stack([np.abs(X[:, 0]), np.abs(X[:, 0]) - X[:, 1], 1.0 + X[:, 2]])


def test_parts_apart_from_a_start_under_a_limit_and_their_largest_beta(targets):
    X, Y = targets
    problem = ng.TrainingProblem(X, Y, beta=1.0, offset=True)
    first = train_one_vs_rest(problem.with_beta(2.0), 1e-3)
    again = train_one_vs_rest(problem.with_beta(2.0), 1e-3, start=first)
    assert again.certificate.upper == pytest.approx(first.certificate.upper, rel=2e-3)
    assert again.n_iter <= first.n_iter
    assert first.dual.shape == Y.shape
    assert train_one_vs_rest(problem, 1e-12, time_limit=0.05).status is not Status.SOLVED
    largest = [beta_max(problem.output(k)) for k in range(3)]
    assert beta_max_one_vs_rest(problem) == pytest.approx(max(largest))
    assert train_one_vs_rest(problem.with_beta(1.01 * max(largest)), 1e-3).network.n_neurons == 0


def test_weakest_scope_of_the_parts_is_reported(targets):
    X, Y = targets
    exact = train_one_vs_rest(ng.TrainingProblem(X[:, :1], Y, beta=2.0), 1e-3)
    searched = train_one_vs_rest(ng.TrainingProblem(X[:, :1], Y, beta=2.0), 1e-3, prove=False)
    assert exact.certificate.scope == "exact"
    assert searched.certificate.scope == "estimated"
