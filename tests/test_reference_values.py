"""Values computed independently with a conic solver, to six digits."""

import pytest

import neuralgauge as ng


@pytest.mark.parametrize(
    ("beta", "optimum"), [(1.0, 2.447794), (0.1, 0.891447), (1e-2, 0.1000738), (1e-3, 0.01011683), (1e-4, 0.001012777)]
)
def test_optimum_of_the_five_points(paper, beta, optimum):
    problem = paper(beta)
    patterns = ng.enumerate_patterns(problem.X)
    assert len(patterns) == 10
    solution = ng.solve_program(problem, patterns)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.upper == pytest.approx(optimum, rel=1e-6)
    trained = ng.train(problem, gap=1e-6)
    assert trained.certificate.scope == "exact"
    assert trained.certificate.upper == pytest.approx(optimum, rel=2e-6)
    assert trained.certificate.lower <= optimum * (1 + 1e-6)
    assert problem.objective(trained.network) == trained.certificate.upper


@pytest.mark.parametrize(("n", "rank", "count"), [(50, 2, 100), (50, 3, 2452), (1000, 3, 999002), (200, 4, 2627200)])
def test_number_of_patterns(n, rank, count, rng):
    assert ng.count_patterns(n, rank) == count
    if n == 50:
        assert len(ng.enumerate_patterns(rng.standard_normal((n, rank)))) == count
