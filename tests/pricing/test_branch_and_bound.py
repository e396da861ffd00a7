"""Branch and bound against the list of all patterns and against the sweeps."""

import numpy as np
import pytest

from neuralgauge._threads import threads
from neuralgauge.pricing import branch_and_bound as module
from neuralgauge.pricing.branch_and_bound import branch_and_bound
from neuralgauge.pricing.kinks import kink_form
from neuralgauge.pricing.sweep_plane import sweep_plane
from neuralgauge.pricing.sweep_space import sweep_space


def any_start(form):
    """A poor start, so that the search has to find the maximiser itself."""
    return np.eye(form.rank)[0]


def random_problem(n, r, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n), np.column_stack([rng.standard_normal((n, r - 1)), np.ones(n)])


@pytest.mark.parametrize(("rank", "count", "n_max"), [(2, 60, 12), (3, 80, 12), (4, 80, 10), (5, 40, 9)])
def test_closes_at_the_maximum_over_all_patterns(rank, count, n_max, brute_force, problems):
    checked = 0
    for v, X in problems([rank], seed=20 + rank, count=count, n_max=n_max):
        form = kink_form(v, X)
        if form.rank < 2 or not len(form.w):
            continue
        checked += 1
        result, truth = branch_and_bound(form, any_start(form)), brute_force(v, X)
        assert result.closed
        assert result.value == pytest.approx(truth, rel=2e-9, abs=1e-13)
        assert truth * (1.0 - 1e-14) <= result.bound <= truth * (1.0 + 1e-8) + 1e-12
        assert form.polar(result.z) == pytest.approx(result.value, rel=1e-13)
    assert checked > count // 2


@pytest.mark.parametrize(("rank", "sweep"), [(2, sweep_plane), (3, sweep_space)])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_sweeps_on_a_few_hundred_rows(rank, sweep, seed):
    form = kink_form(*random_problem(300, rank, seed))
    z, bound = sweep(form)
    result = branch_and_bound(form, any_start(form))
    assert result.value == pytest.approx(form.polar(z), rel=1e-9)
    assert result.bound == pytest.approx(bound, rel=3e-9)


def test_number_of_cones_stays_low():
    form = kink_form(*random_problem(200, 4, seed=0))
    assert branch_and_bound(form, any_start(form)).n_nodes < 60_000


def test_a_bound_at_any_time():
    form = kink_form(*random_problem(100, 4, seed=1))
    truth = branch_and_bound(form, any_start(form)).value
    result = branch_and_bound(form, any_start(form), time_limit=60.0)
    assert result.closed
    seconds, values, bounds = (np.array(column) for column in zip(*result.history, strict=True))
    assert np.all(np.diff(seconds) >= 0.0)
    assert np.all(np.diff(values) >= 0.0)
    assert np.all(np.diff(bounds) <= 0.0)
    assert np.all(bounds >= truth)
    assert len(bounds) >= 4


@pytest.mark.parametrize("limit", [1e-6, 0.3])
def test_time_limit_leaves_a_valid_bound(limit):
    form = kink_form(*random_problem(120, 6, seed=2))
    rng = np.random.default_rng(0)
    scores = [form.polar(z / np.linalg.norm(z)) for z in rng.standard_normal((2000, 6))]
    result = branch_and_bound(form, any_start(form), time_limit=limit)
    assert not result.closed
    assert result.bound >= max(*scores, result.value)
    assert np.isfinite(result.bound)


@pytest.mark.parametrize("factor", [0.5, 0.99, 1.0001, 1.1, 3.0])
def test_target_is_decided_and_costs_less(factor):
    form = kink_form(*random_problem(150, 4, seed=3))
    full = branch_and_bound(form, any_start(form))
    target = factor * full.value
    result = branch_and_bound(form, full.z, target=target)
    assert (result.value > target) if factor < 1.0 else (result.bound <= target)
    assert result.n_nodes <= full.n_nodes
    assert result.bound >= full.value


def test_many_kinks_through_one_point():
    # All differences of coordinates: the braid arrangement, where many planes share every vertex.
    rows = [np.eye(5)[i] - np.eye(5)[j] for i in range(5) for j in range(i)]
    X = np.array([*rows, np.ones(5)])
    rng = np.random.default_rng(4)
    for _ in range(5):
        v = rng.integers(-2, 3, len(X)).astype(float)
        form = kink_form(v, X)
        if form.rank < 2:
            continue
        result = branch_and_bound(form, any_start(form))
        assert result.closed
        assert result.bound == pytest.approx(result.value, rel=1e-8)


@pytest.mark.parametrize("factor", [None, 1.001, 0.9])
def test_threads_change_nothing(factor):
    form = kink_form(*random_problem(120, 5, seed=5))
    target = None if factor is None else factor * branch_and_bound(form, any_start(form)).value
    results = []
    for n_jobs in (1, 2):
        with threads(n_jobs):
            results.append(branch_and_bound(form, any_start(form), target=target, tol=1e-5))
    one, two = results
    assert (one.value, one.bound, one.n_nodes, one.closed) == (two.value, two.bound, two.n_nodes, two.closed)
    np.testing.assert_array_equal(one.z, two.z)


def test_many_cones_between_passes_lose_none(monkeypatch):
    form = kink_form(*random_problem(60, 4, seed=6))
    expected = branch_and_bound(form, any_start(form))
    for most in (0, 10**6):
        monkeypatch.setattr(module, "MOST_CONES", most)
        result = branch_and_bound(form, any_start(form))
        assert result.closed
        assert result.value == pytest.approx(expected.value, rel=1e-9)
        assert result.bound == pytest.approx(expected.bound, rel=3e-9)
