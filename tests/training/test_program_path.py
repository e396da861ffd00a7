"""The path of a program over given patterns: each point against a solution from nothing and a conic solver's."""

from dataclasses import replace

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.solvers import working_set

BETAS = [6.0, 2.0, 0.5]


def problem_of(loss="squared", n=50, **options):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, 3))
    y = np.abs(X[:, 0]) - X[:, 1] + 0.3 * rng.standard_normal(n)
    y = {"squared": y, "logistic": np.where(y > 0.5, 1.0, -1.0), "softmax": (y > 0).astype(int) + (y > 1)}[loss]
    return ng.TrainingProblem(X, y, beta=1.0, loss=loss, **options)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(
    ("loss", "options"),
    [("squared", {}), ("squared", {"offset": True, "sample_weight": np.linspace(0.5, 2.0, 50)}), ("logistic", {}),
     ("softmax", {})],
)  # fmt: skip
def test_every_point_is_what_it_is_from_nothing(loss, options, gated):
    problem = problem_of(loss, **options)
    patterns = ng.sample_patterns(problem.X, 25, random_state=0)
    path = ng.program_path(problem, patterns, betas=BETAS[::-1], gap=1e-7, gated=gated)
    assert path.status is ng.Status.SOLVED
    assert path.betas.tolist() == BETAS
    assert len(path) == 3
    for beta, solution in zip(path.betas, path.solutions, strict=True):
        alone = ng.solve_program(problem.with_beta(beta), patterns, 1e-8, gated=gated).certificate
        assert solution.certificate.scope == "patterns"
        assert solution.certificate.gap <= 1e-7
        assert solution.certificate.lower <= alone.upper * (1.0 + 1e-12)
        assert solution.certificate.upper == pytest.approx(alone.upper, rel=2e-7)


@pytest.mark.parametrize("gated", [False, True])
def test_no_block_of_the_optimum_is_left_out(monkeypatch, gated):
    """Every point lies between the bound and the objective of a conic solver, also with a working set."""
    monkeypatch.setattr(working_set, "LARGE_PROGRAM", 0.0)
    monkeypatch.setattr(working_set, "FIRST_BLOCKS", 3)
    problem = problem_of()
    patterns = ng.sample_patterns(problem.X, 60, random_state=0)
    for solution, beta in zip(
        ng.program_path(problem, patterns, betas=BETAS, gap=1e-6, gated=gated).solutions, BETAS, strict=True
    ):
        conic = ng.solve_program(problem.with_beta(beta), patterns, gated=gated, solver="reference").certificate
        assert solution.status is ng.Status.SOLVED
        assert solution.certificate.upper == pytest.approx(conic.upper, rel=2e-6)
        assert solution.certificate.lower <= conic.upper * (1.0 + 1e-8)


def test_what_a_penalty_leaves_saves_steps():
    problem = problem_of(n=120)
    patterns = ng.sample_patterns(problem.X, 80, random_state=0)
    path = ng.program_path(problem, patterns, 20, 0.01, gap=1e-4, gated=True)
    alone = [ng.solve_program(problem.with_beta(beta), patterns, 1e-4, gated=True).n_iter for beta in path.betas]
    assert sum(solution.n_iter for solution in path.solutions) <= 0.7 * sum(alone)


@pytest.mark.parametrize("gated", [False, True])
def test_begins_where_no_block_has_weight(gated):
    problem = problem_of()
    path = ng.program_path(problem, ng.sample_patterns(problem.X, 10), 4, 0.1, gated=gated)
    assert path.betas[-1] == pytest.approx(0.1 * path.betas[0])
    assert path.solutions[0].certificate.upper == pytest.approx(problem.fit.value(np.zeros(50)), rel=1e-4)
    assert path.solutions[-1].network.n_neurons > 0


@pytest.mark.parametrize("gated", [False, True])
def test_keeps_what_it_has_when_cut_short(gated):
    problem, seen = problem_of(), []

    def interrupt(beta, solution):
        seen.append(beta)
        if len(seen) == 2:
            raise KeyboardInterrupt

    patterns = ng.sample_patterns(problem.X, 20)
    path = ng.program_path(problem, patterns, betas=BETAS, gated=gated, progress=interrupt)
    assert path.status is ng.Status.INTERRUPTED
    assert path.betas.tolist() == seen == BETAS[:2]
    late = ng.program_path(problem, patterns, betas=BETAS, gap=1e-9, gated=gated, time_limit=1e-9)
    assert late.status is ng.Status.TIME_LIMIT
    assert len(late) == 1


def test_refuses_what_it_does_not_take():
    problem = problem_of()
    images = np.random.default_rng(0).standard_normal((4, 5, 5, 1))
    linear = ng.LinearConvProblem(images, np.arange(4.0), beta=1.0, filter_size=2)
    with pytest.raises(ng.InvalidInputError, match="no patterns"):
        ng.program_path(linear, np.ones((1, 4)))
    with pytest.raises(ng.InvalidInputError, match="stationary"):
        ng.program_path(ng.TrainingProblem(problem.X, np.zeros(50), beta=1.0), ng.sample_patterns(problem.X, 3))
    with pytest.raises(ng.InvalidInputError, match="`patterns` must be given"):
        ng.program_path(problem, None)


# Starts of `solve_program`.


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("large", [False, True])
def test_a_start_changes_nothing_but_the_way(monkeypatch, gated, loss, large):
    monkeypatch.setattr(working_set, "LARGE_PROGRAM", 0.0 if large else np.inf)
    problem = problem_of(loss)
    patterns = ng.sample_patterns(problem.X, 40, random_state=0)
    start = ng.solve_program(problem.with_beta(2.0), patterns, 1e-6, gated=gated)
    expected = ng.solve_program(problem, patterns, gated=gated).certificate.upper
    found = ng.solve_program(problem, patterns, gated=gated, start=start)
    assert found.status is ng.Status.SOLVED
    assert found.certificate.upper == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("witnesses", [True, False])
def test_ends_no_higher_than_its_start(witnesses):
    problem = problem_of()
    patterns = ng.sample_patterns(problem.X, 20, random_state=0)
    start = ng.solve_program(problem, patterns if witnesses else patterns.dense())
    given = patterns if witnesses else patterns.dense()
    assert ng.solve_program(problem, given, max_iter=0, start=start).certificate.upper <= start.certificate.upper
    gated = ng.solve_program(problem, given, gated=True)
    outside = ng.solve_program(problem, given, 0.5, start=start_of(gated, 2))  # violates the cones: not taken
    assert outside.certificate.upper >= start.certificate.upper * (1.0 - 1e-7)


def start_of(solution, times):
    return replace(solution, blocks=np.vstack([solution.blocks] * times))


def test_refuses_other_starts():
    problem = problem_of()
    patterns = ng.sample_patterns(problem.X, 10)
    start = ng.solve_program(problem, patterns, 1e-2)
    with pytest.raises(ng.InvalidInputError, match="`start` must be a solution over these patterns"):
        ng.solve_program(problem, patterns, gated=True, start=start)
    with pytest.raises(ng.InvalidInputError, match="`start` must be a solution over these patterns"):
        ng.solve_program(problem, patterns, start=ng.train(problem, 0.5))
    with pytest.raises(ng.InvalidInputError, match="the reference solver takes no `start`"):
        ng.solve_program(problem, patterns, solver="reference", start=start)
