"""Programs over many patterns by their active blocks against all blocks at once, and bounds against brute force."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import lsq_linear

import neuralgauge as ng
from neuralgauge.programs.block import BlockProgram
from neuralgauge.solvers import program as program_module
from neuralgauge.solvers import working_set
from neuralgauge.solvers.facets import solve_on_facets
from neuralgauge.solvers.run import Run
from neuralgauge.solvers.working_set import Scores, is_large, solve_on_working_set


def blocks_of(problem, n_patterns, seed=0):
    patterns = ng.sample_patterns(problem.X, n_patterns, seed)
    axes = np.vstack([np.eye(problem.q), -np.eye(problem.q)])
    gates, witnesses = patterns.dense(), patterns.witness(np.arange(len(patterns)))
    G = np.repeat(axes, len(patterns), axis=0)
    return BlockProgram(problem, np.vstack([gates] * len(axes)), G), np.vstack([witnesses] * len(axes))


def problem_of(rng, loss, c=1, n=60, d=4, beta=2.0):
    X = rng.standard_normal((n, d))
    f = np.maximum(X @ rng.standard_normal((d, 3)), 0.0) @ rng.standard_normal((3, c)) + 0.1 * rng.standard_normal(
        (n, c)
    )
    y = f if loss == "squared" else np.sign(f)
    if loss == "softmax":
        y = np.argmax(f, axis=1)
    return ng.TrainingProblem(X, y[:, 0] if c == 1 else y, beta=beta, loss=loss, offset=loss == "logistic")


@pytest.mark.parametrize(("loss", "c"), [("squared", 1), ("hinge", 1), ("logistic", 1), ("squared", 2), ("softmax", 3)])
@pytest.mark.parametrize("tol", [1e-3, 1e-7])
def test_same_value_as_all_blocks_together(loss, c, tol, rng, monkeypatch):
    monkeypatch.setattr(working_set, "FIRST_BLOCKS", 5)
    problem = problem_of(rng, loss, c)
    program, witnesses = blocks_of(problem, 150)
    whole = solve_on_facets(program, witnesses, Run(1e-9), 100)
    solution = solve_on_working_set(program, witnesses, Run(tol), 100)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.scope == "patterns"
    assert solution.certificate.gap <= tol
    assert solution.certificate.lower <= whole.certificate.upper
    assert solution.certificate.upper >= whole.certificate.lower
    assert solution.certificate.upper == pytest.approx(whole.certificate.upper, rel=2 * tol)
    # The blocks are those of the whole program, feasible, with the objective claimed.
    assert solution.blocks.shape == (program.n_blocks, problem.d)
    walls = np.where(program.gates, 1.0, -1.0) * (solution.blocks @ problem.X.T)
    assert walls.min() >= -1e-7 * np.abs(walls).max()
    assert program.objective(solution.blocks, solution.network.offset) == pytest.approx(solution.certificate.upper)
    assert problem.objective(solution.network) <= solution.certificate.upper * (1 + 1e-9)


def test_scores_bound_the_support_of_every_cone(rng):
    problem = problem_of(rng, "squared")
    program, witnesses = blocks_of(problem, 40)
    scores = Scores(program, witnesses)
    for scale in (30.0, 10.0):  # the second point meets multipliers of the first
        v = scale * rng.standard_normal(problem.n)
        sums = program.adjoint(v)
        scores.violated(v, np.arange(10), 5)
        bounds = np.linalg.norm(sums + scores.multipliers, axis=1)
        for i in range(program.n_blocks):
            walls = np.where(program.gates[i], 1.0, -1.0)[:, None] * problem.X
            found = lsq_linear(walls.T, -sums[i], bounds=(0.0, np.inf), method="bvls")
            support = np.sqrt(2.0 * found.cost)
            assert bounds[i] >= support - 1e-9 * scale
            if i < 10 and bounds[i] > problem.beta:
                assert bounds[i] == pytest.approx(support, rel=1e-6)


def test_new_blocks_are_violated_and_differ(rng):
    problem = problem_of(rng, "squared")
    program, witnesses = blocks_of(problem, 200)
    scores, v = Scores(program, witnesses), 20.0 * rng.standard_normal(problem.n)
    taken = np.arange(0, program.n_blocks, 3)
    new = scores.violated(v, taken, 12)
    pulls = program.adjoint(v) + scores.multipliers
    sizes = np.linalg.norm(pulls, axis=1)
    assert 0 < len(new) <= 12
    assert not np.isin(new, taken).any()
    assert np.all(sizes[new] > problem.beta)
    assert sizes[new[0]] == pytest.approx(max(sizes[i] for i in range(program.n_blocks) if i % 3))
    cosines = (pulls[new] / sizes[new, None]) @ (pulls[new] / sizes[new, None]).T
    same_sign = program.directions[new] @ program.directions[new].T > 0
    assert np.all((cosines * same_sign)[~np.eye(len(new), dtype=bool)] <= 1.0 - working_set.SAME_BLOCK)


def test_many_active_blocks_are_solved_together(rng):
    problem = problem_of(rng, "squared", beta=1e-3)
    program, witnesses = blocks_of(problem, 60)
    seen = []
    solution = solve_on_working_set(program, witnesses, Run(1e-6, progress=seen.append), 100)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.gap <= 1e-6
    assert tuple(seen) == solution.history
    assert all(a.seconds <= b.seconds and a.objective >= b.objective for a, b in pairwise(seen))
    # What some blocks had reached is not lost when time ends over all of them.
    cut = solve_on_working_set(program, witnesses, Run(1e-6, time_limit=1.05 * seen[0].seconds), 100)
    assert cut.certificate.upper <= cut.history[0].objective
    assert cut.certificate.lower >= cut.history[0].lower_bound
    assert solution.certificate.upper == pytest.approx(
        solve_on_facets(program, witnesses, Run(1e-6), 100).certificate.upper, rel=1e-5
    )


def test_limits_return_what_there_is(rng, monkeypatch):
    monkeypatch.setattr(working_set, "FIRST_BLOCKS", 5)
    problem = problem_of(rng, "squared")
    program, witnesses = blocks_of(problem, 150)
    short = solve_on_working_set(program, witnesses, Run(1e-9, time_limit=1e-6), 100)
    assert short.status is ng.Status.TIME_LIMIT
    assert short.certificate.lower <= short.certificate.upper
    few = solve_on_working_set(program, witnesses, Run(1e-9), 2)
    assert few.status is ng.Status.ITERATION_LIMIT

    def interrupted(program, witnesses, run, max_iter):
        run.interrupt()
        return solve_on_facets(program, witnesses, run, max_iter)

    monkeypatch.setattr(working_set, "solve_on_facets", interrupted)
    assert solve_on_working_set(program, witnesses, Run(1e-9), 100).status is ng.Status.INTERRUPTED


def test_nothing_is_violated_at_a_large_beta(rng):
    problem = problem_of(rng, "squared", beta=1e6)
    program, witnesses = blocks_of(problem, 100)
    solution = solve_on_working_set(program, witnesses, Run(1e-8), 100)
    assert solution.status is ng.Status.SOLVED
    assert solution.network.n_neurons == 0
    assert solution.certificate.upper == pytest.approx(problem.fit.value(np.zeros(problem.n)))


def test_large_programs_go_this_way(rng, monkeypatch):
    monkeypatch.setattr(working_set, "LARGE_PROGRAM", 1e9)
    problem = problem_of(rng, "squared", n=400, d=8, beta=30.0)
    patterns = ng.sample_patterns(problem.X, 450)
    called, seen = [], []

    def counted(*arguments):
        called.append(True)
        return solve_on_working_set(*arguments)

    monkeypatch.setattr(program_module, "solve_on_working_set", counted)
    assert is_large(BlockProgram(problem, np.vstack([patterns.dense()] * 2), np.ones((900, 1))))
    solution = ng.solve_program(problem, patterns, 1e-4, progress=seen.append)
    assert called
    assert solution.status is ng.Status.SOLVED
    assert seen
    assert seen[-1].objective == solution.certificate.upper
    assert all(a.objective >= b.objective for a, b in pairwise(seen))


def test_programs_that_end_with_blocks_moved_inside_keep_their_history(rng):
    problem = problem_of(rng, "squared", n=300, d=9, beta=1.0)
    solution = ng.solve_program(problem, ng.sample_patterns(problem.X, 40), 1e-2)
    assert solution.status is ng.Status.SOLVED
    assert len(solution.history) > 1
    assert all(a.seconds <= b.seconds for a, b in pairwise(solution.history))
