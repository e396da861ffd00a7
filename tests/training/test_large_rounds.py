"""Training by passes alone: against the rounds that hold all rows, and where the rows are many or elsewhere."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.solvers.passes import Passes
from neuralgauge.solvers.run import Run
from neuralgauge.solvers.solution import Status
from neuralgauge.training import large_rounds
from neuralgauge.training.column_search import ColumnSearch
from neuralgauge.training.large_rounds import solve_by_passes


def teacher(n, d, loss="squared", offset=False, share=0.03):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    f = np.maximum(X @ rng.standard_normal((d, 3)), 0.0) @ np.array([1.0, -1.0, 0.5]) + 0.3 * rng.standard_normal(n)
    y = np.where(f > np.median(f), 1.0, -1.0) if loss in ("logistic", "hinge", "squared_hinge") else f
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, offset=offset)
    return problem.with_beta(share * ng.beta_max(problem))


def solved(problem, gap=1e-3, **options):
    rng = np.random.default_rng(0)
    return solve_by_passes(Passes(problem), Run(gap, **options), rng, problem.empty_network(), 40)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge", "squared_hinge"])
@pytest.mark.parametrize("offset", [False, True])
def test_agrees_with_convex_programs(loss, offset):
    problem = teacher(400, 5, loss, offset)
    found = solved(problem)
    best = ng.train(problem, gap=1e-5, prove=False).certificate
    assert found.status is Status.SOLVED
    assert found.certificate.scope == "estimated"
    assert found.certificate.upper == problem.objective(found.network)
    assert best.lower <= found.certificate.upper <= best.upper * (1 + 2e-3)
    assert found.certificate.lower <= best.upper
    assert problem.fit.distance(found.dual) <= 1e-9 * np.abs(found.dual).sum()


def test_many_samples_begin_with_some(monkeypatch):
    monkeypatch.setattr(large_rounds, "ROWS_TO_BEGIN", 300)
    monkeypatch.setattr(large_rounds, "ROWS_A_COLUMN", 20)
    sizes = []

    class Counted(Passes):
        def part(self, most, rng):
            sizes.append(most)
            return super().part(most, rng)

    problem = teacher(3000, 5)
    run = Run(1e-3)
    found = solve_by_passes(Counted(problem), run, np.random.default_rng(0), problem.empty_network(), 40)
    assert sizes == [375]
    assert found.status is Status.SOLVED


def test_interruption_in_a_part_keeps_its_network(monkeypatch):
    monkeypatch.setattr(large_rounds, "ROWS_TO_BEGIN", 300)
    monkeypatch.setattr(large_rounds, "ROWS_A_COLUMN", 20)
    records = []

    def stop(record):
        records.append(record)
        raise KeyboardInterrupt

    problem = teacher(3000, 5)
    found = solved(problem, progress=stop)
    assert len(records) == 1
    assert found.status is Status.INTERRUPTED
    assert found.network.n_neurons > 0
    assert found.certificate.upper == problem.objective(found.network) == records[0].objective


def test_a_part_has_a_penalty_of_its_share():
    problem = teacher(1000, 4)
    part = Passes(problem).part(250, np.random.default_rng(0))
    assert part.n == 250
    assert part.beta == pytest.approx(problem.beta / 4)


def test_above_the_largest_penalty_there_are_no_neurons():
    problem = teacher(300, 5, share=1.01)
    found = solved(problem)
    assert found.network.n_neurons == 0
    assert found.status is Status.SOLVED


def test_time_limit_and_interruption_keep_the_best():
    problem = teacher(2000, 8)
    assert solved(problem, gap=1e-9, time_limit=0.3).status is Status.TIME_LIMIT

    def stop(record):
        raise KeyboardInterrupt

    found = solved(problem, progress=stop)
    assert found.status is Status.INTERRUPTED
    assert found.network.n_neurons > 0
    assert found.certificate.upper == problem.objective(found.network)


def test_columns_of_a_sample_are_confirmed_by_all_rows(monkeypatch):
    problem = teacher(4000, 6)
    passes, rng = Passes(problem), np.random.default_rng(0)
    monkeypatch.setattr("neuralgauge.training.column_search.ENTRIES_CLIMBED", 700 * problem.d)
    search = ColumnSearch(passes, rng)
    v = problem.fit.empty_dual
    for part in search.price(v, problem.empty_network()):
        scores = np.sum(problem.features.gains(v, part.U) * part.G, axis=1)
        np.testing.assert_allclose(part.values, scores, rtol=1e-10)
        np.testing.assert_allclose(np.linalg.norm(part.U, axis=0), 1.0)
        assert np.all(np.diff(part.values) <= 0)
    assert search.polar >= 0.99 * ng.beta_max(problem)
    before = search.polar
    search.settle(problem.empty_network())
    assert search.polar >= before
    assert search.lower == passes.bound(v, search.polar)


def test_train_takes_passes_for_large_tables(monkeypatch):
    problem = teacher(500, 8)
    monkeypatch.setattr("neuralgauge.training.train.BY_PASSES", 1000)
    solution = ng.train(problem, gap=1e-2)
    assert solution.certificate.scope == "estimated"
    assert solution.certificate.starts == 0
    assert solution.status is Status.SOLVED
