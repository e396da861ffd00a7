"""The parts of column generation: columns, samples of the rows, the rounds and their time."""

from types import SimpleNamespace

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.pricing.columns import Columns
from neuralgauge.solvers import run as run_module
from neuralgauge.solvers.run import Run
from neuralgauge.training import column_generation as module
from neuralgauge.training.column_generation import Rounds, Start
from neuralgauge.training.columns import MOST_COLUMNS, SAME_COLUMN, violated, with_columns
from neuralgauge.training.row_sample import FIRST_ROWS, MANY_ROWS, RowSample


def problem_of(seed=0, n=40, d=3, beta=0.3, **options):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = np.maximum(X @ rng.standard_normal((d, 3)), 0.0) @ rng.standard_normal(3) + 0.1 * rng.standard_normal(n)
    return ng.TrainingProblem(X, y, beta=beta, **options)


def rounds_of(problem, run=None, start=None):
    return Rounds(problem, run or Run(1e-4), np.random.default_rng(0), False, start)


def columns_of(rng, d, k, c=1):
    U = rng.standard_normal((d, k))
    G = rng.standard_normal((k, c))
    return Columns(np.arange(k, 0, -1.0), U / np.linalg.norm(U, axis=0), G / np.linalg.norm(G, axis=1, keepdims=True))


@pytest.mark.parametrize("c", [1, 3])
def test_columns_that_differ_are_kept_and_no_more(c, rng):
    columns = columns_of(rng, 4, 8, c)
    again = violated([Columns.joined([columns, columns])], 0.0)
    np.testing.assert_array_equal(again.U, columns.U)
    assert violated([columns, columns], 3.0).values.tolist() == 2 * [8.0, 7.0, 6.0, 5.0, 4.0]
    opposite = Columns(columns.values, columns.U, -columns.G)
    assert len(violated([Columns.joined([columns, opposite])], 0.0).values) == 16
    tilted = columns.U + 0.1 * np.sqrt(SAME_COLUMN) * rng.standard_normal(columns.U.shape)
    near = Columns(columns.values, tilted / np.linalg.norm(tilted, axis=0), columns.G)
    assert len(violated([Columns.joined([columns, near])], 0.0).values) == 8
    assert len(violated([columns_of(rng, 30, 2 * MOST_COLUMNS, c)], 0.0).values) == MOST_COLUMNS


def test_columns_join_at_a_small_weight(rng):
    problem = problem_of()
    columns, empty = columns_of(rng, problem.d, 5), problem.empty_network()
    assert with_columns(problem, empty, 1.0, Columns.none(problem.d, 1)) is empty
    alone = with_columns(problem, empty, 2.0, columns)
    assert problem.beta * alone.weight_decay() == pytest.approx(0.02)  # 1 % of the loss
    network = ng.TwoLayerNetwork(rng.standard_normal((problem.d, 4)), rng.standard_normal((4, 1)), True).balance()
    beside = with_columns(problem, network, 2.0, columns)
    assert beside.n_neurons == 9
    added = np.sum(beside.A[4:] ** 2, axis=1)
    np.testing.assert_allclose(added, 0.01 * np.mean(np.sum(network.A**2, axis=1)), rtol=1e-12)


def test_the_sample_of_the_rows_is_a_region_of_trust(rng):
    sample = RowSample(10 * MANY_ROWS, 5, rng)
    rows = sample.draw(0.5)
    assert len(rows) == len(np.unique(rows)) == FIRST_ROWS * 5
    assert np.all(np.diff(rows) > 0)
    for error, size in [(0.3, 10), (0.6, 40), (3.0, 640), (0.01, 160), (0.0, 40), (0.0, 10), (0.0, 5), (0.0, 5)]:
        sample.update(error)
        assert sample.size == size
    assert sample.draw(1e-3) is None
    sample.size = 10 * MANY_ROWS
    assert sample.draw(0.5) is None
    assert RowSample(MANY_ROWS, 5, rng).draw(0.5) is None


def test_neurons_that_the_dual_point_prices_out_go():
    problem = problem_of()
    solution = ng.train(problem, gap=1e-8)
    rng = np.random.default_rng(1)
    bad = solution.network.with_neurons(1e-3 * rng.standard_normal((problem.d, 6)), 1e-3 * np.ones((6, 1)))
    network = solution.network.join(bad.balance())
    kept = rounds_of(problem)._not_priced_out(network, solution.dual)
    assert kept.n_neurons == solution.network.n_neurons
    np.testing.assert_allclose(kept.U, solution.network.U, atol=1e-12)


def test_the_history_holds_the_best_and_the_objective_never_rises():
    run = Run(1e-6)
    solution = rounds_of(problem_of(seed=2), run).solve(50)
    assert solution.status is ng.Status.SOLVED
    assert solution.n_iter == len(solution.history) - 1
    objectives = [record.objective for record in solution.history]
    assert objectives == sorted(objectives, reverse=True)
    assert solution.certificate.upper == objectives[-1] == run.upper
    assert run.lower == -np.inf  # the bounds of a search are not proven


def test_a_limit_of_rounds_is_a_status():
    solution = rounds_of(problem_of(seed=2), Run(1e-12)).solve(2)
    assert solution.status is ng.Status.ITERATION_LIMIT
    assert solution.n_iter == 1
    assert len(solution.history) == 2


def test_time_is_kept_for_the_last_pricing(monkeypatch):
    """Programs and searches end early enough for one more pricing, but never before 70 % of the time."""
    hands = SimpleNamespace(now=0.0)
    monkeypatch.setattr(run_module, "time", SimpleNamespace(perf_counter=lambda: hands.now))
    run = Run(1e-9, time_limit=100.0)
    rounds = rounds_of(problem_of(), run)
    price, seconds = rounds.dual.price, [4.0, 50.0]

    def slow(v, network, **options):
        hands.now += seconds[0]
        return price(v, network, **options)

    monkeypatch.setattr(rounds.dual, "price", slow)
    rounds._columns(rounds.v)
    assert run.reserve == hands.now
    assert run.left() == 100.0 - 2 * hands.now
    seconds.pop(0)
    rounds._columns(rounds.v)
    assert run.reserve == module.PRICING_SHARE * 100.0


def test_a_start_is_considered_and_its_columns_are_in_the_first_program(rng, monkeypatch):
    problem = problem_of()
    trained = ng.train(problem, gap=1e-3)
    columns = columns_of(rng, problem.d, 4)
    rounds = rounds_of(problem, start=Start(trained.network, trained.dual, columns))
    assert rounds.run.upper == pytest.approx(trained.certificate.upper, rel=1e-6)
    given = []
    right = module.solve_on_facets

    def called(program, *arguments, **options):
        given.append(program)
        return right(program, *arguments, **options)

    monkeypatch.setattr(module, "solve_on_facets", called)
    rounds._solve(Columns.none(problem.d, 1))
    gates = problem.features.gates(columns.U.T)
    for gate, direction in zip(gates, columns.G, strict=True):
        same = np.all(given[0].gates == gate, axis=1) & (given[0].directions[:, 0] * direction[0] > 0)
        assert same.any()


def test_rounds_on_fewer_samples_take_their_share_of_the_time(monkeypatch):
    monkeypatch.setattr(module, "LARGE_DATA", 10)
    runs = []
    right = Rounds.__init__

    def noted(self, problem, run, *arguments):
        runs.append((problem.n, run.limit, run.target_gap))
        right(self, problem, run, *arguments)

    monkeypatch.setattr(Rounds, "__init__", noted)
    problem = problem_of(n=80)
    solution = rounds_of(problem, Run(1e-3, time_limit=1000.0)).solve(50)
    assert solution.status is ng.Status.SOLVED
    assert [n for n, _, _ in runs][:2] == [80, 20]
    assert runs[1][1] <= module.COARSE_SHARE * 1000.0
    assert runs[1][2] == module.COARSE_GAP


def test_an_interrupt_of_the_last_proof_keeps_the_result(monkeypatch):
    rounds = rounds_of(problem_of(), Run(1e-12))

    def interrupted(run):
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds.dual, "conclude", interrupted)
    solution = rounds.solve(3)
    assert solution.status is ng.Status.INTERRUPTED
    assert solution.certificate.lower <= solution.certificate.upper
