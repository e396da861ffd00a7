"""The search behind estimated bounds: better than multistart, and honest about what it has not seen."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.features.rows import DenseFeatures
from neuralgauge.pricing import Columns, ascend
from neuralgauge.pricing.explore import explored
from neuralgauge.pricing.search import maximised
from neuralgauge.pricing.survey import POOL, survey


def ascent(v, X):
    def work(starts, most):
        values, U = ascend(v, X, 0, starts=starts[:, :most])
        return Columns(values, U, np.ones((len(values), 1)))

    return work


def searched(v, X, seed=0, most=2048):
    rng = np.random.default_rng(seed)
    return survey(ascent(v, X), lambda k: rng.standard_normal((X.shape[1], k)), X[:1].T, most, rng)


def test_maxima_are_attained_and_distinct(rng):
    X, v = rng.standard_normal((40, 6)), rng.standard_normal(40)
    found = searched(v, X).maxima
    np.testing.assert_allclose(found.values, v @ np.maximum(X @ found.U, 0.0), rtol=1e-9)
    assert np.all(np.diff(found.values) <= 0.0)
    assert len(found.values) <= POOL
    cosines = found.U.T @ found.U - 2.0 * np.eye(len(found.values))
    assert cosines.max() < 1.0 - 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_the_maximum_of_a_plane_and_of_space(seed):
    """Against exact sweeps in rank 2 and 3, where both signs together are the polar gauge."""
    rng = np.random.default_rng(seed)
    X, v = rng.standard_normal((30, 2 + seed % 2)), rng.standard_normal(30)
    best = max(searched(sign * v, X).maxima.values[0] for sign in (1.0, -1.0))
    assert best == pytest.approx(ng.price(v, X).value, rel=1e-7)


@pytest.fixture(scope="module")
def rugged():
    """Dual points near an optimum with d near n, where nearly every start has a maximum of its own."""
    cases = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        problem = ng.TrainingProblem(rng.standard_normal((60, 50)), rng.standard_normal(60), beta=1.0)
        problem = problem.with_beta(0.02 * ng.beta_max(problem))
        cases.append((ng.train(problem, gap=3e-3, prove=False).dual, problem.X))
    return cases


def test_iterated_search_beats_as_many_independent_starts(rugged):
    """By the score in the worst case, over all of them and both signs."""
    shortfall = np.zeros(2)
    for v, X in rugged:
        for sign in (1.0, -1.0):
            values = np.array([searched(sign * v, X, most=1024).maxima.values[0], ascend(sign * v, X, 1024, 1)[0][0]])
            shortfall += values.max() / values - 1.0
    assert shortfall[0] <= shortfall[1] + 1e-6


def test_few_maxima_leave_nothing_unseen(rng):
    """In the plane a few hundred starts meet every maximum there is."""
    X, v = rng.standard_normal((12, 2)), rng.standard_normal(12)
    found = searched(v, X)
    assert found.unseen <= 2
    assert found.starts == 128


def test_where_every_start_has_a_maximum_of_its_own_the_count_says_so(rugged):
    """Of both signs together; four of five and more here, under every kernel of BLAS."""
    for v, X in rugged:
        found = [searched(sign * v, X) for sign in (1.0, -1.0)]
        assert sum(one.unseen for one in found) >= 0.6 * sum(one.starts for one in found)


def test_the_share_of_unseen_maxima_is_what_further_starts_find(rng):
    """Good and Turing's estimate against thousands of fresh starts, in the middle range."""
    X, v = rng.standard_normal((40, 5)), rng.standard_normal(40)
    sample = rng.standard_normal((5, 128))
    seen = ascend(v, X, 0, starts=sample)[1]
    fresh = ascend(v, X, 4000, 1)[1]
    truth = np.mean(np.max(fresh.T @ seen, axis=1) < 1.0 - 1e-5)
    estimates = []
    for seed in range(20):
        own = np.random.default_rng(seed)
        few = ascend(v, X, 128, own)[1]
        again = ascend(v, X, 128, own)[1]
        estimates.append(np.mean(np.max(again.T @ few, axis=1) < 1.0 - 1e-5))
    assert np.mean(estimates) == pytest.approx(truth, abs=0.05)


def test_it_ends_within_its_ascents(rng):
    count = [0]
    X, v = rng.standard_normal((30, 20)), rng.standard_normal(30)
    work = ascent(v, X)

    def counted(starts, most):
        count[0] += min(starts.shape[1], most)
        return work(starts, most)

    survey(counted, lambda k: rng.standard_normal((20, k)), X[:1].T, 400, rng)
    assert 300 <= count[0] <= 400 + 100 + 1


def test_starts_that_explore_first_end_no_lower(rugged):
    """Over all dual points and both signs, by the median of the maxima; what ascends is at most what was asked for."""
    lower = 0
    for v, X in rugged:
        features = DenseFeatures(X)
        starts = np.random.default_rng(5).standard_normal((X.shape[1], 200))
        for sign in (1.0, -1.0):
            found = maximised(v, features, starts, 200, np.random.default_rng(0), sign)
            direct = ascend(sign * v, X, 0, starts=starts)[0]
            np.testing.assert_allclose(found.values, sign * v @ np.maximum(X @ found.U, 0.0), rtol=1e-9)
            lower += np.median(found.values) < np.median(direct)
            assert explored(v, features, starts, sign, 50).shape[1] == 50
    assert lower <= 2
