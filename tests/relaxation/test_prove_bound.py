"""The call: what it returns, how it ends, what it refuses."""

import dataclasses

import numpy as np
import pytest

import neuralgauge as ng


@pytest.fixture
def table(rng):
    X = rng.standard_normal((20, 6))
    return ng.TrainingProblem(X, np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.standard_normal(20), beta=3.0)


def stopping(count, error=KeyboardInterrupt):
    records = []

    def progress(record):
        records.append(record)
        if len(records) == count:
            raise error

    return records, progress


def test_a_bound_above_rank_five_closes_most_of_the_gap(table):
    trained = ng.train(table, gap=1e-4, prove=False)
    records, progress = stopping(40)
    bound = ng.prove_bound(table, start=trained, progress=progress)
    assert 0.97 * trained.certificate.upper <= bound.value <= trained.certificate.upper
    assert bound.check(table) == bound.value
    assert tuple(records) == bound.history
    assert [record.objective for record in records] == [trained.certificate.upper] * 40
    assert np.all(np.diff([record.lower_bound for record in records]) >= 0)


def test_a_run_is_deterministic_and_keeps_the_best_when_interrupted(table):
    found = [ng.prove_bound(table, progress=stopping(12)[1]) for _ in range(2)]
    assert found[0].value == found[1].value == max(record.lower_bound for record in found[0].history)
    assert np.array_equal(found[0].dual, found[1].dual)
    assert ng.prove_bound(table, progress=stopping(2)[1]).value <= found[0].value


def test_no_time_leaves_the_trivial_bound(table):
    bound = ng.prove_bound(table, time_limit=1e-9)
    assert bound.value >= table.fit.dual_bound(np.zeros(table.n))
    assert bound.check(table) == bound.value


def test_it_ends_where_the_network_is_optimal():
    problem = ng.TrainingProblem([[1.0], [2.0]], [1.0, 2.0], beta=0.5, bias=False)
    bound = ng.prove_bound(problem, start=ng.train(problem, gap=1e-9))
    assert bound.history[-1].lower_bound >= (1 - 1e-9) * bound.history[-1].objective


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_nothing_to_gain(loss):
    """A constant fits, or the rows are zeros: the bound is the loss of the empty network, and nothing overflows."""
    constant = ng.TrainingProblem([[1.0], [2.0], [0.0]], np.full(3, 5.0), beta=1e-3, loss=loss, offset=True)
    assert ng.prove_bound(constant, progress=stopping(20)[1]).value <= 0.0
    zeros = ng.TrainingProblem(np.zeros((3, 2)), [1.0, 2.0, 3.0], beta=1e-3, loss=loss, bias=False)
    bound = ng.prove_bound(zeros, progress=stopping(3)[1])
    assert bound.value == pytest.approx(zeros.objective(zeros.empty_network()))
    assert bound.value <= zeros.objective(zeros.empty_network())


def test_the_check_is_of_the_problem_it_is_given(table):
    """The numbers prove a bound for any problem, and none above its optimum."""
    bound = ng.prove_bound(table, progress=stopping(20)[1])
    for share in (0.3, 2.0):
        other = table.with_beta(share * table.beta)
        assert bound.check(other) <= ng.train(other, gap=1e-4, prove=False).certificate.upper
    turned = dataclasses.replace(bound, multipliers=bound.multipliers[::-1])
    assert turned.check(table) <= bound.value


def test_inputs_stay_as_they_are(table):
    X, y = table.X.copy(), table.y.copy()
    ng.prove_bound(table, progress=stopping(3)[1])
    assert np.array_equal(table.X, X)
    assert np.array_equal(table.y, y)


X, IMAGES = (np.random.default_rng(0).standard_normal(shape) for shape in ((6, 2), (2501, 3)))


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (ng.TrainingProblem(np.eye(3000, 2), np.ones((3000, 2)), beta=1.0), "at most 3000 rows.* and 2 output weights"),
        (ng.ReLUConvProblem(IMAGES, np.ones(2501), beta=1.0, filter_size=2), "got 5002 rows of rank 3"),
        (ng.LinearConvProblem(X[:, :, None], np.ones(6), beta=1.0, filter_size=1), "got LinearConvProblem"),
        (ng.TrainingProblem(np.eye(5001, 58), np.ones(5001), beta=1.0, bias=False), "rank at most 57"),
        (X, "got ndarray"),
    ],
)
def test_what_is_not_covered_is_refused(problem, sentence):
    with pytest.raises(ng.InvalidInputError, match=sentence):
        ng.prove_bound(problem)


def test_a_start_of_another_shape_and_a_bad_limit_are_refused(table):
    with pytest.raises(ng.InvalidInputError, match="rows of U"):
        ng.prove_bound(table, start=ng.TrainingProblem(X, np.ones(6), beta=1.0).empty_network())
    with pytest.raises(ng.InvalidInputError, match="time_limit"):
        ng.prove_bound(table, time_limit=0.0)


def test_one_relaxation_alone(table):
    """Row by row ends by itself; one that is not for the problem is refused."""
    rows = ng.prove_bound(table, relaxation="rows")
    assert rows.check(table) == rows.value
    assert len(rows.history) < 30
    with pytest.raises(ng.InvalidInputError, match="'rows', 'whole', got 'quartic'"):
        ng.prove_bound(table, relaxation="quartic")
    nothing_to_gain = ng.TrainingProblem([[1.0], [2.0]], [0.0, 0.0], beta=1.0)
    assert ng.prove_bound(nothing_to_gain, relaxation="quartic").value == 0.0
    with pytest.raises(ng.InvalidInputError, match="'rows', 'quartic', 'whole', got 'rows by rows'"):
        ng.prove_bound(nothing_to_gain, relaxation="rows by rows")
