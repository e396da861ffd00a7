"""The convex methods of the experiments."""

import pytest

import neuralgauge as ng
from neuralgauge_reproduction import convex


def test_the_optimum_is_exact_also_where_patterns_are_missing(monkeypatch, rng):
    """The bound covers every network because the dual point is priced, not because the patterns are called complete."""
    X, y = rng.standard_normal((12, 1)), rng.standard_normal(12)
    problem = ng.TrainingProblem(X, y, beta=0.05)
    whole, _ = convex.optimal(problem)
    optimum = ng.train(problem, gap=1e-7).certificate
    assert whole.lower == pytest.approx(optimum.upper, rel=1e-5)
    some = ng.sample_patterns(problem.X, 4)
    monkeypatch.setattr(ng, "enumerate_patterns", lambda X: some)
    part, _ = convex.optimal(problem)
    over_some = ng.solve_program(problem, some).certificate
    assert over_some.lower > 1.01 * optimum.upper, "with these patterns alone the optimum is not reached"
    assert part.scope == "exact"
    assert part.lower <= optimum.upper
