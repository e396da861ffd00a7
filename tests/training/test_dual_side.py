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

    def endless(problem, v, target, time_limit):
        asked.append(time_limit)
        clock[0] += time_limit
        return Price(side.polar, np.inf, np.eye(5)[0], 1, np.ones(1), False, "branch_and_bound")

    monkeypatch.setattr(type(side.problem), "priced", endless)
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


def test_another_dual_point_takes_the_place_of_one_that_is_refuted(rng):
    problem = ng.TrainingProblem(rng.standard_normal((40, 4)), rng.standard_normal(40), beta=1.0)
    dual = DualSide(problem, rng, prove=False)
    empty = problem.empty_network()
    dual.price(problem.fit.empty_dual, empty)
    good, bound = dual.v, dual.lower
    other = good + 0.3 * rng.standard_normal(problem.y.shape)
    true = float(max(part.values[0] for part in DualSide(problem, rng, prove=False).price(other, empty)))
    # A search that found too little lets the other seem the best, until one finds the neuron that it had missed.
    dual._choose(other, 1e-3 * true, dual.price(good, empty))
    assert dual.lower > bound
    assert np.array_equal(dual.v, other)
    dual.price(other, empty)
    assert np.array_equal(dual.v, good)
    assert dual.lower == pytest.approx(bound, rel=1e-6)
