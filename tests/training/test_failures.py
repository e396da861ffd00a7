"""What happens after an inner solver has failed: the best network and a valid bound, another way on, an honest end."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize

import neuralgauge as ng
from neuralgauge.losses.datafit import DataFit
from neuralgauge.programs.block import BlockProgram
from neuralgauge.pruning import caratheodory
from neuralgauge.solvers import facets, gated, local_search, working_set
from neuralgauge.solvers._block_system import BlockSystem
from neuralgauge.solvers._conv_system import ConvSystem
from neuralgauge.solvers._spectral_system import SpectralSystem
from neuralgauge.solvers.blocks import BlockBracket, solve_blocks
from neuralgauge.solvers.facets import solve_on_facets
from neuralgauge.solvers.interior_point import InteriorPoint
from neuralgauge.solvers.nuclear_norm import solve_nuclear_norm
from neuralgauge.solvers.run import Run
from neuralgauge.training import column_generation as rounds
from neuralgauge.training.exact_fit import fit_exactly
from neuralgauge.training.failed_programs import MOST_FAILURES

FAILED = [ng.Status.STALLED, ng.Status.DIVERGED, ng.Status.SINGULAR, ng.Status.ITERATION_LIMIT]


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 2))
    return ng.TrainingProblem(X, np.abs(X[:, 0]) - X[:, 1] ** 2 + 0.1 * rng.standard_normal(30), beta=0.1)


@pytest.fixture(scope="module")
def optimum(problem):
    return ng.train(problem, gap=1e-6).certificate


@pytest.fixture
def program(problem):
    patterns = ng.sample_patterns(problem.X, 12, random_state=0)
    gates, witnesses = patterns.dense(), patterns.witness(np.arange(12))
    signs = np.where(np.arange(12) % 2 == 0, 1.0, -1.0)[:, None]
    return BlockProgram(problem, gates, signs), witnesses


def empty(program, witnesses, status):
    """What a program that failed at its first step returns."""
    return BlockBracket(program, witnesses, Run(1e-8)).solution(status)


def failing(function, status, times):
    """The function, failing the first times; and the programs that it was given."""
    given = []

    def called(program, witnesses, *arguments, **options):
        given.append(program)
        if len(given) <= times:
            return empty(program, witnesses, status)
        return function(program, witnesses, *arguments, **options)

    return called, given


def assert_true(solution, problem, optimum):
    """The objective is the network's own, and the bounds enclose the optimum."""
    certificate = solution.certificate
    assert certificate.upper == pytest.approx(problem.objective(solution.network), rel=1e-12)
    assert certificate.lower <= optimum.upper
    assert certificate.upper >= optimum.lower


@pytest.mark.parametrize("status", FAILED)
def test_rounds_go_on_after_a_failure(monkeypatch, problem, optimum, status):
    called, given = failing(rounds.solve_on_facets, status, 1)
    monkeypatch.setattr(rounds, "solve_on_facets", called)
    solution = ng.train(problem)
    assert solution.status is ng.Status.SOLVED
    assert len(given) > 1
    assert_true(solution, problem, optimum)


@pytest.mark.parametrize("status", FAILED)
def test_rounds_end_when_all_programs_fail(monkeypatch, problem, optimum, status):
    called, given = failing(rounds.solve_on_facets, status, 10**9)
    monkeypatch.setattr(rounds, "solve_on_facets", called)
    solution = ng.train(problem, gap=1e-9)
    assert solution.status is (status if status is ng.Status.DIVERGED else ng.Status.PROGRAM_FAILED)
    assert "interior point" in solution.status.value
    assert len(given) <= MOST_FAILURES
    blocks = {np.hstack([program.gates, program.directions]).tobytes() for program in given}
    assert len(blocks) == len(given)  # never the same again
    assert_true(solution, problem, optimum)
    assert solution.certificate.upper < 1.02 * optimum.upper  # as far as local search goes
    assert solution.certificate.gap < 0.2


def test_a_failed_program_is_recognised_in_any_order(program):
    failed, (whole, _) = rounds.FailedPrograms(), program
    order = np.arange(whole.n_blocks)[::-1]
    failed.note(whole, ng.Status.DIVERGED)
    other = replace(whole, gates=whole.gates[order], directions=whole.directions[order])
    assert failed.known(other) is ng.Status.DIVERGED
    assert failed.known(replace(whole, gates=whole.gates[:5], directions=whole.directions[:5])) is None


def test_a_solved_program_ends_the_row_of_failures(program):
    failed = rounds.FailedPrograms()
    for _ in range(MOST_FAILURES - 1):
        failed.note(program[0], ng.Status.STALLED)
    failed.forgive()
    failed.note(program[0], ng.Status.STALLED)
    assert failed.verdict is None


def singular(*_, **__):
    raise np.linalg.LinAlgError("not positive definite")


def test_a_newton_system_that_cannot_be_factorized(monkeypatch, program, problem):
    monkeypatch.setattr(BlockSystem, "factorize", singular)
    solution = solve_blocks(*program, Run(1e-8), 100)
    assert solution.status is ng.Status.SINGULAR
    assert solution.certificate.lower <= solution.certificate.upper <= problem.objective(problem.empty_network())


def test_products_that_rise_end_the_interior_point(monkeypatch, program):
    right = InteriorPoint.move

    def wrong(self, step, alpha):
        right(self, step, alpha)
        self.Lambda = 100.0 * self.Lambda

    monkeypatch.setattr(InteriorPoint, "move", wrong)
    solution = solve_blocks(*program, Run(1e-8), 100)
    assert solution.status is ng.Status.DIVERGED
    assert solution.n_iter < 30
    assert solution.certificate.lower <= solution.certificate.upper


@pytest.mark.parametrize("status", FAILED[:2])
def test_a_failed_relaxation_is_given_up_for_the_whole_program(monkeypatch, program, status):
    expected = solve_on_facets(*program, Run(1e-8), 100)
    called, given = failing(facets.solve_blocks, status, 1)
    monkeypatch.setattr(facets, "solve_blocks", called)
    solution = solve_on_facets(*program, Run(1e-8), 100)
    assert [part.rows is None for part in given] == [False, True]
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.upper == pytest.approx(expected.certificate.upper, rel=1e-7)


def test_a_relaxation_and_the_whole_program_fail(monkeypatch, program):
    called, given = failing(facets.solve_blocks, ng.Status.DIVERGED, 2)
    monkeypatch.setattr(facets, "solve_blocks", called)
    solution = solve_on_facets(*program, Run(1e-8), 100)
    assert solution.status is ng.Status.DIVERGED
    assert len(given) == 2
    assert solution.certificate.lower <= solution.certificate.upper


@pytest.mark.parametrize("times", [1, 2])
def test_a_failed_working_set_is_given_up_for_all_blocks(monkeypatch, program, times):
    expected = solve_on_facets(*program, Run(1e-8), 100).certificate.upper
    monkeypatch.setattr(working_set, "FIRST_BLOCKS", 3)
    called, given = failing(working_set.solve_on_facets, ng.Status.DIVERGED, times)
    monkeypatch.setattr(working_set, "solve_on_facets", called)
    solution = working_set.solve_on_working_set(*program, Run(1e-8), 100)
    assert [part.n_blocks for part in given] == [3, 12]
    assert solution.status is (ng.Status.SOLVED if times == 1 else ng.Status.DIVERGED)
    assert solution.certificate.lower <= expected * (1 + 1e-8)
    assert times == 2 or solution.certificate.upper == pytest.approx(expected, rel=1e-7)


def test_descent_goes_on_when_newton_and_the_interior_point_fail(monkeypatch, problem):
    def singular(*_):
        raise np.linalg.LinAlgError

    patterns = ng.sample_patterns(problem.X, 12, random_state=0)
    expected = ng.solve_program(problem, patterns, gated=True).certificate
    called, given = failing(gated.solve_blocks, ng.Status.DIVERGED, 10**9)
    monkeypatch.setattr(gated, "solve_blocks", called)
    monkeypatch.setattr(gated.Descent, "_slow", lambda self, gaps: True)
    monkeypatch.setattr(gated.DualNewton, "_newton", singular)
    rough = ng.solve_program(problem, patterns, 0.05, gated=True)
    assert given
    assert rough.status is ng.Status.SOLVED
    assert rough.certificate.upper == pytest.approx(expected.upper, rel=0.05)
    fine = ng.solve_program(problem, patterns, 1e-14, gated=True, max_iter=5)
    assert fine.status is ng.Status.DIVERGED
    assert fine.certificate.lower <= expected.upper <= fine.certificate.upper * (1 + 1e-12)


@pytest.mark.parametrize(
    ("system", "method", "options"),
    [
        (ConvSystem, "solve", {"filter_size": 3}),
        (SpectralSystem, "factorize", {"filter_size": 8, "padding": "same", "padding_mode": "circular"}),
    ],
)
@pytest.mark.parametrize("after", [0, 3])
def test_filters_are_certified_as_far_as_the_interior_point_came(monkeypatch, rng, system, method, options, after):
    X, y = rng.standard_normal((20, 8)), rng.standard_normal(20)
    problem = ng.LinearConvProblem(X, y, beta=0.3, **options)
    expected = ng.train(problem, gap=1e-6).certificate
    right, calls = getattr(system, method), []

    def called(*arguments):
        calls.append(1)
        return right(*arguments) if len(calls) <= after else singular()

    monkeypatch.setattr(system, method, called)
    solution = ng.train(problem, gap=1e-6)
    assert solution.status is ng.Status.SINGULAR
    assert solution.certificate.upper == pytest.approx(problem.objective(solution.network), rel=1e-12)
    assert solution.certificate.lower <= expected.upper
    assert solution.certificate.upper >= expected.lower


def test_a_loss_that_is_not_finite_ends_the_proximal_gradient(monkeypatch, rng):
    X, y = rng.standard_normal((20, 8)), rng.standard_normal(20)
    problem = ng.LinearConvProblem(X, y, beta=0.3, filter_size=3)
    right, calls = DataFit.value, []

    def value(self, f):
        calls.append(1)
        return right(self, f) if len(calls) < 60 else np.nan

    monkeypatch.setattr(DataFit, "value", value)
    solution = solve_nuclear_norm(problem, Run(1e-6), solver="proximal_gradient", max_iter=50)
    monkeypatch.undo()
    assert not solution.status.value.startswith("The requested")
    assert solution.certificate.lower <= problem.objective(solution.network)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_local_search_that_loses_its_way_returns_the_start(monkeypatch, problem, value):
    start = ng.train(problem, gap=0.1).network
    lost = scipy.optimize.OptimizeResult(x=np.full(start.U.size + start.A.size, np.nan), fun=value)
    monkeypatch.setattr(local_search, "minimize", lambda *_, **__: lost)
    found = local_search.local_search(problem, start, 10)
    assert problem.objective(found) == pytest.approx(problem.objective(start), rel=1e-12)


def test_training_without_local_search(monkeypatch, problem, optimum):
    monkeypatch.setattr(rounds, "local_search", lambda problem, network, *_: network)
    solution = ng.train(problem)
    assert solution.status is ng.Status.SOLVED
    assert_true(solution, problem, optimum)


@pytest.mark.parametrize("seam", ["linear program", "least squares"])
def test_pruning_exchanges_by_hand(monkeypatch, problem, optimum, rng, seam):
    network = ng.TwoLayerNetwork(rng.standard_normal((3, 80)), rng.standard_normal((80, 1)), True)
    if seam == "linear program":
        monkeypatch.setattr(caratheodory, "linprog", lambda *_, **__: scipy.optimize.OptimizeResult(x=None))
    else:
        monkeypatch.setattr(np.linalg, "lstsq", singular)
    pruned = ng.prune(network, problem).network
    assert pruned.n_neurons <= problem.n
    np.testing.assert_allclose(problem.outputs(pruned), problem.outputs(network), atol=1e-8)
    assert problem.objective(pruned) <= problem.objective(network) * (1 + 1e-9)


def test_multipliers_that_are_not_found_leave_a_weaker_bound(monkeypatch, program):
    expected = solve_on_facets(*program, Run(1e-8), 100).certificate.upper

    def gave_up(*_):
        raise RuntimeError("too many iterations")

    monkeypatch.setattr(working_set, "nnls", gave_up)
    solution = working_set.solve_on_working_set(*program, Run(1e-6), 100)
    assert solution.certificate.upper == pytest.approx(expected, rel=1e-5)
    assert solution.certificate.lower <= expected


def test_least_squares_that_fail_leave_no_exact_fit(monkeypatch, problem, rng):
    network = ng.train(problem, gap=0.1).network
    monkeypatch.setattr(np.linalg, "lstsq", singular)
    assert fit_exactly(network, problem.X, problem.y, False, rng) is None
