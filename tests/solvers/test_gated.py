"""Block coordinate descent for gated programs, and Newton's method in the dual variable, against the interior point."""

from dataclasses import replace

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.programs.block import BlockProgram
from neuralgauge.solvers import _scaled_rows, gated
from neuralgauge.solvers._block_descent import shrink
from neuralgauge.solvers._gated_system import GatedSystem
from neuralgauge.solvers.blocks import solve_blocks
from neuralgauge.solvers.run import Run


def program_of(n, d, m, beta, **options):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    problem = ng.TrainingProblem(X, y, beta=beta, **options)
    patterns = ng.sample_patterns(problem.X, m, random_state=0)
    return BlockProgram(problem, patterns.dense(), np.where(np.arange(m) % 2 == 0, 1.0, -1.0)[:, None], cones=False)


@pytest.mark.parametrize("seed", range(5))
def test_shrinkage_is_stationary(seed):
    rng = np.random.default_rng(seed)
    eigenvalues, a, t = np.append(rng.uniform(0.0, 9.0, 4), 0.0), rng.standard_normal(5), np.ones(5)
    beta = rng.uniform(0.2, 0.9) * np.linalg.norm(a)
    if np.linalg.norm(a[-1:]) < beta:  # otherwise unbounded below along the last axis
        assert shrink(eigenvalues, a, beta, 0.0, t)
        assert np.allclose(eigenvalues * t - a + beta * t / np.linalg.norm(t), 0.0, atol=1e-9 * np.linalg.norm(a))
    assert not shrink(eigenvalues, a, 1.01 * np.linalg.norm(a), 3.0, t)
    assert not t.any()


@pytest.mark.parametrize("options", [{}, {"offset": True}, {"sample_weight": np.linspace(0.5, 2.0, 60)}])
@pytest.mark.parametrize(("beta", "tol"), [(8.0, 1e-9), (0.3, 1e-8), (3.0, 1e-3)])
def test_agrees_with_the_interior_point(options, beta, tol):
    program = program_of(60, 4, 40, beta, **options)
    expected = solve_blocks(program, None, Run(1e-9), 100).certificate
    found = gated.solve_by_descent(program, None, Run(tol), 100)
    assert found.status is ng.Status.SOLVED
    assert found.certificate.gap <= tol
    assert found.certificate.lower <= expected.upper * (1.0 + 1e-12)
    assert expected.lower <= found.certificate.upper <= expected.upper * (1.0 + 1.1 * tol) + 1e-12
    assert program.objective(found.blocks, np.asarray(found.network.offset)) == found.certificate.upper


def test_many_samples_and_few_columns_take_the_other_factor(monkeypatch):
    """Factors of both sides, in single precision too, against the interior point."""
    program = program_of(150, 3, 40, 6.0, offset=True)
    expected = solve_blocks(program, None, Run(1e-9), 100).certificate
    for single in (1, 10**6):
        monkeypatch.setattr(_scaled_rows, "SINGLE_ORDER", single)
        found = gated.solve_by_descent(program, None, Run(1e-8), 200)
        assert found.status is ng.Status.SOLVED
        assert found.certificate.upper == pytest.approx(expected.upper, rel=1e-7)


def test_large_penalties_take_no_newton_step(monkeypatch):
    monkeypatch.setattr(gated, "DualNewton", lambda *_: pytest.fail("descent was enough"))
    program = program_of(200, 5, 60, 30.0)
    found = gated.solve_by_descent(program, None, Run(1e-6), 100)
    assert found.certificate.gap <= 1e-6


@pytest.mark.parametrize("options", [{}, {"offset": True, "sample_weight": np.linspace(0.5, 2.0, 60)}])
def test_a_state_is_worth_the_same_at_every_penalty(options):
    program = program_of(60, 4, 40, 1.0, **options)
    state = gated.GatedState.of(program)
    for beta in (9.0, 3.0, 2.0, 0.3, 5.0, 50.0):
        here = replace(program, problem=program.problem.with_beta(beta))
        found = gated.solve_by_descent(here, None, Run(1e-8), 200, state)
        nothing = gated.solve_by_descent(here, None, Run(1e-8), 200)
        assert found.status is ng.Status.SOLVED
        assert found.certificate.upper == pytest.approx(nothing.certificate.upper, rel=1e-7)


def test_a_solution_that_is_given_back_takes_no_step():
    program = program_of(60, 4, 40, 3.0)
    found = gated.solve_by_descent(program, None, Run(1e-8), 100)
    again = gated.solve_by_descent(program, None, Run(2e-8), 100, gated.GatedState.of(program, found))
    assert again.n_iter == 0
    assert again.status is ng.Status.SOLVED


def test_the_interior_point_follows_where_newton_fails(monkeypatch):
    def fails(*_):
        raise np.linalg.LinAlgError

    monkeypatch.setattr(gated.Descent, "_slow", lambda self, gaps: True)
    monkeypatch.setattr(GatedSystem, "solve", fails)
    program = program_of(60, 4, 40, 3.0)
    found = gated.solve_by_descent(program, None, Run(1e-8), 100)
    assert found.status is ng.Status.SOLVED
    assert found.certificate.upper == pytest.approx(
        solve_blocks(program, None, Run(1e-9), 100).certificate.upper, rel=1e-7
    )


def test_stops_at_its_limits():
    program = program_of(50, 3, 30, 0.5)
    assert gated.solve_by_descent(program, None, Run(1e-12), 2).status is ng.Status.ITERATION_LIMIT
    cut = gated.solve_by_descent(program, None, Run(1e-12, time_limit=1e-9), 100)
    assert cut.status is ng.Status.TIME_LIMIT
    assert cut.certificate.lower <= cut.certificate.upper
