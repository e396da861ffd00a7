"""What stops, times and judges the solvers, with a clock of the tests."""

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.certificate import Certificate
from neuralgauge.solvers import run as module
from neuralgauge.solvers.run import Run

SOURCE = Path(ng.__file__).parent
V = np.zeros(2)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved: `clock.now += 1.0`."""
    hands = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: hands.now))
    return hands


def offering(run, uppers, lowers=None):
    """A `consider` that offers a value for each iterate, and writes a record."""

    def consider(k):
        run.offer(uppers[k], k)
        if lowers is not None:
            run.offer_dual(lowers[k], np.full(2, float(k)))
        run.record(k)

    return consider


def solved(run, ended, upper=1.0, lower=1.0):
    return run.solution(None, Certificate(upper, lower, "exact"), ended, dual=V).status


def test_what_is_proven_is_never_lost():
    run = Run(1e-9)
    run.follow(lambda: range(4), offering(run, [4.0, 2.0, 3.0, 2.5], [0.0, 1.0, -1.0, 0.5]))
    assert (run.upper, run.point, run.lower, run.dual.tolist()) == (2.0, 1, 1.0, [1.0, 1.0])
    assert [record.objective for record in run.history] == [4.0, 2.0, 2.0, 2.0]
    assert [record.lower_bound for record in run.history] == [0.0, 1.0, 1.0, 1.0]
    assert not run.offer(np.nan, 5)
    assert not run.offer_dual(np.nan, V)


def test_the_first_dual_point_is_kept_without_a_bound():
    run = Run(1e-9)
    assert not run.offer_dual(-np.inf, V)
    assert run.dual is V


def test_the_gap_ends_the_run_at_the_iterate_that_reaches_it():
    run = Run(0.1)
    assert run.follow(lambda: range(9), offering(run, [2.0, 1.05] + 7 * [1.0], 9 * [1.0]), stride=1) is ng.Status.SOLVED
    assert run.n_iter == 1
    assert len(run.history) == 2
    assert run.follow(lambda: pytest.fail("nothing is left to do")) is ng.Status.SOLVED


def test_a_gap_below_zero_is_none():
    run = Run(0.1)
    run.offer(1.0, None)
    run.offer_dual(1.2, V)
    assert run.gap < 0.0
    assert not run.reached
    assert run.over() is None


@pytest.mark.parametrize(("stride", "iterates"), [(1, 4), (10, 2)])
def test_the_iteration_limit_counts_iterations(stride, iterates):
    run = Run(1e-9)
    ended = run.follow(lambda: range(99), offering(run, np.ones(99)), 3 if stride == 1 else 10, stride=stride)
    assert ended is ng.Status.ITERATION_LIMIT
    assert len(run.history) == iterates


def test_no_iteration_begins_that_would_overrun_the_time_limit(clock):
    run = Run(1e-9, time_limit=10.0)
    consider = offering(run, np.ones(99))

    def slow(k):
        clock.now += 3.0
        consider(k)

    assert run.follow(lambda: range(99), slow, stride=1) is ng.Status.TIME_LIMIT
    assert run.seconds == 9.0


def test_iterators_that_watch_the_time_are_given_all_of_it(clock):
    run = Run(1e-9, time_limit=10.0)

    def steps():
        while True:
            clock.now += min(7.0, run.left())
            yield

    assert run.follow(steps) is ng.Status.TIME_LIMIT
    assert run.seconds == 10.0


def test_patience_ends_with_the_iterates_that_change_nothing():
    run = Run(1e-9)
    uppers = [3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.5]
    assert run.follow(lambda: range(8), offering(run, uppers), patience=2) is ng.Status.STALLED
    assert len(run.history) == 7


def test_rounds_that_lower_the_objective_by_less_than_the_gap_end_it():
    run = Run(0.1)
    run.slow_rounds = 2
    uppers = [3.0, 2.0, 1.9, 1.7, 1.69, 1.68, 1.0]
    assert run.follow(lambda: range(7), offering(run, uppers)) is ng.Status.SLOW
    assert run.upper == 1.68  # 1.7 - 1.68 < 0.168, while 1.9 - 1.69 is not


@pytest.mark.parametrize("status", [None, ng.Status.DIVERGED, ng.Status.SINGULAR])
def test_a_generator_says_how_it_ends(status):
    def steps():
        yield 0
        return status

    run = Run(1e-9)
    assert run.follow(steps) is (status or ng.Status.STALLED)
    run.offer(1.0, None)
    run.offer_dual(1.0, V)
    assert run._ended(ng.Status.DIVERGED, run.reached) is ng.Status.SOLVED


@pytest.mark.parametrize("where", ["preparation", "iterate", "record"])
def test_an_interrupt_ends_with_the_best_so_far(where):
    def progress(record):
        if where == "record" and record.n_neurons == 2:
            raise KeyboardInterrupt

    run = Run(1e-9, progress=progress)
    consider = offering(run, [3.0, 2.0, 1.0])

    def steps():
        if where == "preparation":
            raise KeyboardInterrupt
        yield from range(3)
        raise KeyboardInterrupt

    assert run.follow(steps, consider) is ng.Status.INTERRUPTED
    assert run.upper == (np.inf if where == "preparation" else 1.0)
    assert solved(run, ng.Status.STALLED) is ng.Status.INTERRUPTED  # though the gap is reached


def test_the_verdict_is_that_of_the_certificate():
    run = Run(1e-3)
    assert solved(run, ng.Status.TIME_LIMIT) is ng.Status.SOLVED
    assert solved(run, ng.Status.SOLVED, lower=0.5) is ng.Status.STALLED
    assert solved(run, ng.Status.DIVERGED, lower=0.5) is ng.Status.DIVERGED
    assert solved(run, ng.Status.SOLVED, lower=1.5) is ng.Status.STALLED


def test_shares_of_what_is_left(clock):
    run = Run(1e-9, time_limit=10.0)
    clock.now += 2.0
    assert run.left() == 8.0
    assert run.left(0.25) == 2.0
    inner = run.inner(0.5, 0.25)
    assert (inner.target_gap, inner.left()) == (0.5, 2.0)
    run.reserve = 3.0
    assert run.left() == 5.0
    assert not run.late()
    clock.now += 5.0
    assert run.late()
    assert 0.0 < run.left() < 1e-6  # a limit must be > 0
    assert (run.limit, Run(1e-9).limit) == (10.0, np.inf)
    assert Run(1e-9).left() is None
    assert not Run(1e-9).late()
    with pytest.raises(ng.InvalidInputError, match="`time_limit` must be"):
        Run(1e-9, time_limit=0.0)


@pytest.mark.parametrize("primal", [False, True])
@pytest.mark.parametrize("dual", [False, True])
def test_inner_records_count_as_far_as_they_hold(primal, dual):
    seen = []
    run = Run(1e-9, progress=seen.append)
    run.offer(3.0, None)
    run.offer_dual(1.0, V)
    inner = run.inner(primal=primal, dual=dual)
    inner.follow(lambda: range(2), offering(inner, [4.0, 2.0], [0.5, 1.5]))
    expected = [(3.0, 1.0), (2.0 if primal else 3.0, 1.5 if dual else 1.0)] if primal or dual else []
    assert [(record.objective, record.lower_bound) for record in run.history] == expected
    assert seen == run.history
    assert (run.upper, run.lower) == (3.0, 1.0)  # which only offers change


def test_an_interrupt_inside_ends_all_runs_around():
    run = Run(1e-9)
    inner = run.inner().inner()

    def interrupted():
        yield
        raise KeyboardInterrupt

    assert inner.follow(interrupted) is ng.Status.INTERRUPTED
    assert run.over() is ng.Status.INTERRUPTED


def test_parts_are_solved_to_a_share_of_the_gap():
    run = Run(1e-3)
    assert run.part_gap == 1e-2
    run.offer(1.0, None)
    for lower, gap in [(0.5, 1e-2), (0.95, 5e-3), (0.998, 3e-4), (0.9999, 3e-4)]:
        run.offer_dual(lower, V)
        assert run.part_gap == pytest.approx(gap)


@pytest.mark.parametrize("folder", ["solvers", "training"])
def test_only_the_run_asks_the_clock(folder):
    asking = set()
    for path in sorted((SOURCE / folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if "time" in imported or (isinstance(node, ast.ImportFrom) and node.module == "time"):
                asking.add(path.name)
    assert asking <= {"run.py"}
