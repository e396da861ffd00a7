"""The interior-point method against CVXPY + Clarabel, bound against optimum, degenerate cones."""

import numpy as np
import pytest
from cases import rough_rows

import neuralgauge as ng


def problem_of(seed, loss, n, d, beta):
    rng = np.random.default_rng(seed)
    X = rough_rows(rng, seed, n, d)
    y = rng.standard_normal(n) if loss == "squared" else np.where(rng.standard_normal(n) > 0, 1.0, -1.0)
    return ng.TrainingProblem(X, y, beta=beta, loss=loss, bias=seed % 2 == 0)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(
    ("seed", "n", "d", "m"), [(0, 20, 3, 12), (1, 15, 2, 10), (2, 30, 4, 3), (3, 40, 3, 2), (4, 12, 5, 20)]
)
def test_agrees_with_the_reference(loss, gated, seed, n, d, m):
    problem = problem_of(seed, loss, n, d, beta=0.3)
    patterns = ng.sample_patterns(problem.X, m, random_state=seed)
    ours = ng.solve_program(problem, patterns, gated=gated)
    reference = ng.solve_program(problem, patterns, gated=gated, solver="reference")
    assert ours.certificate.upper == pytest.approx(reference.certificate.upper, rel=1e-6, abs=1e-8)
    assert ours.certificate.gap <= 1e-6
    assert ours.certificate.lower <= reference.certificate.upper * (1 + 1e-8)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_patterns_without_interior_are_accepted(loss):
    """Rows x and -x both active leave a cone without interior; a contradictory pattern leaves only zero."""
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    y = np.array([1.0, -1.0, 1.0, 1.0])
    problem = ng.TrainingProblem(X, y, beta=0.05, loss=loss, bias=False)
    gates = np.array([[1, 1, 1, 1], [1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 1], [0, 1, 1, 1]], dtype=bool)
    ours = ng.solve_program(problem, gates, tol=1e-7)
    reference = ng.solve_program(problem, gates, solver="reference")
    assert ours.certificate.upper == pytest.approx(reference.certificate.upper, rel=1e-6)


def test_iterations_stay_few():
    problem = problem_of(0, "squared", 60, 4, 1.0)
    patterns = ng.sample_patterns(problem.X, 60)
    assert ng.solve_program(problem, patterns).n_iter <= 25
    assert ng.solve_program(problem, patterns, gated=True).n_iter <= 30  # steps, most of them without a factorization


def test_network_has_the_objective_of_the_program(paper):
    problem = paper(0.1)
    solution = ng.solve_program(problem, ng.enumerate_patterns(problem.X))
    assert problem.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-9)


def test_limits_are_statuses(paper):
    problem = paper(0.1)
    patterns = ng.enumerate_patterns(problem.X)
    stopped = ng.solve_program(problem, patterns, max_iter=2)
    assert stopped.status is ng.Status.ITERATION_LIMIT
    assert stopped.certificate.gap > 1e-8
    assert len(stopped.history) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patterns": np.ones((2, 4), dtype=bool)}, "shape"),
        ({"directions": [1.0]}, "`directions`"),
        ({"tol": 0.0}, "`tol` must be"),
        ({"solver": "magic"}, "`solver`"),
    ],
)
def test_wrong_arguments(paper, arguments, message):
    problem = paper(0.1)
    given = {"patterns": ng.enumerate_patterns(problem.X), **arguments}
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.solve_program(problem, **given)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@pytest.mark.parametrize("d", [2, 6])
def test_facets_change_nothing_but_the_time(loss, d):
    problem = problem_of(7, loss, 60, d, beta=0.5)
    patterns = ng.sample_patterns(problem.X, 15)
    on_facets = ng.solve_program(problem, patterns)
    on_all = ng.solve_program(problem, patterns.dense())  # without witnesses no facets are known
    assert on_facets.status is ng.Status.SOLVED
    assert on_facets.certificate.upper == pytest.approx(on_all.certificate.upper, rel=3e-8)
    slack = np.where(np.vstack([patterns.dense()] * 2), 1.0, -1.0) * (on_facets.blocks @ problem.X.T)
    assert slack.min() >= -1e-8 * np.abs(on_facets.blocks).max()


def test_an_interrupted_solution_is_feasible():
    problem = problem_of(3, "squared", 80, 7, beta=0.5)
    patterns = ng.sample_patterns(problem.X, 40)
    calls = []

    def interrupt(record):
        calls.append(record)
        if len(calls) == 12:
            raise KeyboardInterrupt

    solution = ng.solve_program(problem, patterns, progress=interrupt)
    assert solution.status is ng.Status.INTERRUPTED
    slack = np.where(np.vstack([patterns.dense()] * 2), 1.0, -1.0) * (solution.blocks @ problem.X.T)
    assert slack.min() >= -1e-8 * np.abs(solution.blocks).max()
    optimum = ng.solve_program(problem, patterns).certificate
    assert solution.certificate.lower <= optimum.upper <= solution.certificate.upper < problem.fit.value(0 * problem.y)


@pytest.mark.parametrize("max_iter", [1, 5, 12])
def test_the_iteration_limit_covers_all_relaxations(max_iter):
    problem = problem_of(3, "squared", 80, 7, beta=0.5)
    solution = ng.solve_program(problem, ng.sample_patterns(problem.X, 40), 1e-13, max_iter=max_iter)
    assert solution.n_iter == max_iter
    assert solution.status is ng.Status.ITERATION_LIMIT
    assert solution.certificate.lower <= solution.certificate.upper


@pytest.mark.parametrize("beta", [1.0, 0.1, 1e-2, 1e-3, 1e-4])
def test_the_bound_of_the_reference_is_one(paper, beta):
    """On the paper's points the solver's own primal value, a limit from above, was reported as the lower bound."""
    problem = paper(beta)
    patterns = ng.enumerate_patterns(problem.X)
    optimum = ng.solve_program(problem, patterns, 1e-11).certificate
    found = ng.solve_program(problem, patterns, solver="reference").certificate
    assert found.lower <= optimum.upper
    assert found.lower >= optimum.upper * (1.0 - 1e-5)
    assert 0.0 <= found.gap <= 1e-5


def test_the_reference_keeps_to_the_limits(paper):
    problem, seen = paper(0.1), []
    patterns = ng.enumerate_patterns(problem.X)
    rough = ng.solve_program(problem, patterns, 1e-4, solver="reference", progress=seen.append)
    assert rough.status is ng.Status.SOLVED
    assert tuple(seen) == rough.history
    assert seen[0].objective == rough.certificate.upper
    tight = ng.solve_program(problem, patterns, 1e-15, solver="reference")
    assert tight.status is ng.Status.STALLED  # Clarabel's own tolerances are 1e-8
    cut = ng.solve_program(problem, patterns, 1e-15, solver="reference", time_limit=1e-9)
    assert cut.status is ng.Status.TIME_LIMIT
    assert cut.certificate.lower <= tight.certificate.upper <= cut.certificate.upper * (1 + 1e-12)
