"""Moments of a sample of the rows: what they prove for all rows is below the optimum, and near what all rows prove."""

import numpy as np
import pytest
from cases import targets_of
from registry.losses import ELEMENTWISE

import neuralgauge as ng
from neuralgauge.relaxation.proven_bound import proven_value
from neuralgauge.relaxation.row_interior_point import RowByRow
from neuralgauge.relaxation.row_multipliers import RowMultipliers
from neuralgauge.relaxation.sampled_rows import SampledRows, _balanced


def table(loss, n=300, d=3, offset=False, weighted=False):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    X[:2] = 0.0
    y = targets_of(loss, np.abs(X[:, :1]) - X[:, 1:2] + 0.1 * rng.standard_normal((n, 1)))
    weight = rng.uniform(0.5, 2.0, n) if weighted else None
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, bias=False, offset=offset, sample_weight=weight)
    return problem.with_beta(0.3 * float(ng.beta_max(problem)))


def last_bound(problem, method):
    *_, iterate = method(problem)
    return proven_value(problem, problem.fit.project(iterate.v), iterate.multipliers())


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize("options", [{}, {"offset": True, "weighted": True}], ids=["plain", "offset and weights"])
def test_bounds_are_below_the_optimum(monkeypatch, loss, options):
    monkeypatch.setattr("neuralgauge.relaxation.sampled_rows.SAMPLE", 120)
    problem = table(loss, **options)
    trained = ng.train(problem, gap=1e-4)
    assert trained.certificate.scope == "exact"
    for moments in SampledRows(problem):
        bound = proven_value(problem, problem.fit.project(moments.v), moments.multipliers())
        assert bound <= trained.certificate.upper


def test_where_moments_are_of_full_rank_a_sample_proves_nearly_as_much(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 8))
    y = np.maximum(X @ rng.standard_normal((8, 4)), 0.0) @ [1.0, -1.0, 0.5, -0.5] + 0.5 * rng.standard_normal(4000)
    problem = ng.TrainingProblem(X, y, beta=1.0, bias=False)
    problem = problem.with_beta(0.05 * float(ng.beta_max(problem)))
    monkeypatch.setattr("neuralgauge.relaxation.sampled_rows.SAMPLE", 2000)
    assert last_bound(problem, SampledRows) >= 0.7 * last_bound(problem, RowByRow)


def test_the_balance_is_the_best():
    rng = np.random.default_rng(0)
    X, v = rng.standard_normal((9, 3)), rng.standard_normal(9)
    own = RowMultipliers(1.0, rng.uniform(0.1, 1.0, 9), rng.uniform(0.0, 1.0, (2, 9)), rng.standard_normal((9, 3)))
    best = _balanced(own, X, v, 0.5)
    for balance in np.linspace(-5.0, 5.0, 41):
        other = RowMultipliers(1.0, own.ratio, own.lower, own.along, float(balance))
        assert best.polar_bound(X, v, 0.5) <= other.polar_bound(X, v, 0.5) + 1e-4


def test_a_sample_comes_first_where_all_rows_take_long(monkeypatch):
    monkeypatch.setattr("neuralgauge.relaxation.prove.MANY_OPERATIONS", 0.0)
    monkeypatch.setattr("neuralgauge.relaxation.prove.SAMPLE", 100)
    monkeypatch.setattr("neuralgauge.relaxation.sampled_rows.SAMPLE", 100)
    problem = table("squared")
    first = []

    def progress(record):
        first.append(record.lower_bound)
        if len(first) == 4:
            raise KeyboardInterrupt

    bound = ng.prove_bound(problem, relaxation="rows", progress=progress)
    assert bound.check(problem) == bound.value > first[0]
    assert last_bound(problem, RowByRow) * (1 + 1e-9) >= ng.prove_bound(problem, relaxation="rows").value > bound.value
