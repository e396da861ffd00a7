"""The dual side of a run: how long it tries to prove, and what it remembers."""

from types import SimpleNamespace

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.pricing import Price
from neuralgauge.solvers import run as run_module
from neuralgauge.solvers.run import Run
from neuralgauge.training import dual_side as dual
from neuralgauge.training.dual_side import DualSide


@pytest.fixture
def near_optimum(rng):
    """A rank-5 problem, its trained network and a dual side that holds the dual point of the training."""
    problem = ng.TrainingProblem(rng.standard_normal((40, 4)), rng.standard_normal(40), beta=2.0)
    solution = ng.train(problem, gap=1e-6, prove=False)
    side = DualSide(problem, np.random.default_rng(0), prove=None)
    side.price(solution.dual, solution.network)
    return solution, side


def run_of(solution):
    run = Run(1e-2)
    run.offer(solution.certificate.upper, solution.network)
    return run


def test_proofs_of_one_run_share_one_budget(near_optimum, monkeypatch):
    """Attempts that come to nothing end after 30 seconds in all, however often the run asks for one."""
    solution, side = near_optimum
    clock, asked = [0.0], []

    def endless(v, X, *, target, time_limit):
        asked.append(time_limit)
        clock[0] += time_limit
        return Price(side.polar, np.inf, np.eye(5)[0], 1, np.ones(1), False, "branch_and_bound")

    monkeypatch.setattr(dual, "price", endless)
    monkeypatch.setattr(run_module, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    run = run_of(solution)
    for _ in range(5):
        assert side.settle(run)
        clock[0] += 1.0
    side.conclude(run)
    assert asked == [dual.PROOF_SECONDS]
    assert side.certificate(solution.certificate.upper).scope == "estimated"


def test_a_proof_that_was_asked_for_has_no_budget(near_optimum, monkeypatch):
    solution, side = near_optimum
    insisting = DualSide(side.problem, np.random.default_rng(0), prove=True)
    insisting.price(solution.dual, solution.network)
    assert insisting.settle(run_of(solution))
    assert insisting.certificate(solution.certificate.upper).scope == "exact"
    assert insisting.budget == np.inf
