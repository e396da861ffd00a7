"""Patterns by every strategy."""

from itertools import permutations

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge._array import with_ones
from neuralgauge.solvers.local_search import local_search

STRATEGIES = ("gaussian", "initial", "network", "sign_flips", "clusters")


def pattern_set(patterns):
    return {tuple(row) for row in patterns.dense().tolist()}


def degenerate(seed):
    """Small integers: duplicate, opposite and zero rows, a column of ones in every second one."""
    X = np.random.default_rng(seed).integers(-2, 3, (14, 3)).astype(float)
    X[0], X[1], X[2] = 0.0, X[3], -2.0 * X[4]
    if seed % 2:
        X[:, -1] = 1.0
    return X


def random_network(d, m, seed):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.integers(-1, 2, (d, m)) + np.eye(d, m), rng.standard_normal(m), bias=False)


def sample(X, n_patterns, seed, strategy, m=12):
    network = random_network(X.shape[1], m, seed) if strategy in ("network", "sign_flips") else None
    return ng.sample_patterns(X, n_patterns, seed, strategy=strategy, network=network)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(8))
def test_distinct_patterns_of_witnesses_inside_cells(strategy, seed):
    X = degenerate(seed)
    patterns = sample(X, 25, seed, strategy)
    products = patterns.witness(slice(None)) @ X.T
    assert 1 <= len(pattern_set(patterns)) == len(patterns) <= 25
    assert pattern_set(patterns) <= pattern_set(ng.enumerate_patterns(X))
    np.testing.assert_array_equal(products >= 0, patterns.dense())
    assert np.all(products[:, np.any(X != 0, axis=1)] != 0)
    assert not patterns.complete
    assert (patterns.coverage is not None) == (strategy in ("gaussian", "initial"))


def test_flips_of_samples_need_no_network():
    X = degenerate(1)
    patterns = ng.sample_patterns(X, 1000, strategy="sign_flips")
    assert pattern_set(patterns) <= pattern_set(ng.enumerate_patterns(X))
    assert len(patterns) > len(ng.sample_patterns(X, 6))


@pytest.mark.parametrize("with_network", [True, False])
def test_flips_are_few_samples_away_from_their_parents(with_network, rng):
    """General position and twice the parents: each flip crosses the nearest hyperplane and no other."""
    X, network = rng.standard_normal((60, 4)), random_network(4, 20, 0) if with_network else None
    patterns = ng.sample_patterns(X, 20, strategy="sign_flips", network=network).dense()
    assert len(patterns) == 20
    parents, flipped = patterns[:10], patterns[10:]
    changes = (parents[:, None] != flipped).sum(axis=2)
    assert np.all(changes.min(axis=0) == 1)
    if with_network:
        of_network = pattern_set(ng.sample_patterns(X, 20, strategy="network", network=network))
        assert {tuple(row) for row in parents.tolist()} <= of_network


def test_fewer_neurons_than_patterns_and_the_largest_first(rng):
    X = rng.standard_normal((30, 3))
    U, A = rng.standard_normal((3, 6)), np.array([1.0, -5.0, 2.0, 0.5, -3.0, 0.1])
    U /= np.linalg.norm(U, axis=0)
    network = ng.TwoLayerNetwork(np.hstack([U, np.zeros((3, 1))]), np.append(A, 9.0), bias=False)
    patterns = ng.sample_patterns(X, 100, strategy="network", network=network)
    np.testing.assert_array_equal(patterns.dense(), (X @ U[:, np.argsort(-np.abs(A))] >= 0).T)
    two = ng.sample_patterns(X, 2, strategy="network", network=network)
    np.testing.assert_array_equal(two.dense(), (X @ U[:, [1, 4]] >= 0).T)


@pytest.mark.parametrize("strategy", ["network", "sign_flips"])
@pytest.mark.parametrize("seed", range(3))
def test_the_program_over_a_networks_patterns_is_no_worse(strategy, seed):
    """For a network fresh from local search and for an optimal one, whose neurons lie on hyperplanes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 3))
    problem = ng.TrainingProblem(X, np.abs(X[:, 0]) - X[:, 1] ** 2, beta=0.3)
    searched = local_search(problem, ng.TwoLayerNetwork(rng.standard_normal((4, 15)), rng.standard_normal(15)), 40)
    trained = ng.train(problem, gap=1e-6, prove=False)
    for given, network in ((searched, searched), (trained, trained.network)):
        n_patterns = 2 * network.n_neurons  # room for all neurons among the flips, too
        patterns = ng.sample_patterns(problem.X, n_patterns, strategy=strategy, network=given)
        solved = ng.solve_program(problem, patterns, tol=1e-7)
        assert solved.certificate.upper <= problem.objective(network) * (1 + 1e-6)
    assert solved.certificate.upper >= trained.certificate.lower * (1 - 1e-6)


def test_the_patterns_of_several_outputs_hold_their_network(rng):
    X = rng.standard_normal((25, 2))
    problem = ng.TrainingProblem(X, np.abs(X) @ np.array([[1.0, 0.5], [0.2, -1.0]]), beta=0.2)
    network = ng.train(problem, gap=1e-4, prove=False).network
    gates = ng.sample_patterns(problem.X, 100, strategy="network", network=network).dense()
    every = np.repeat(gates, network.n_neurons, axis=0), np.tile(network.A, (len(gates), 1))
    solved = ng.solve_program(problem, every[0], tol=1e-7, directions=every[1])
    assert solved.certificate.upper <= problem.objective(network) * (1 + 1e-6)


def test_clusters_far_apart_give_their_bisectors(rng):
    """Three blobs far apart and a column of ones: a difference of centres tells which of two blobs is nearer."""
    means = np.array([[5.0, 0.0], [-4.0, 3.0], [0.0, -6.0]])
    points = np.repeat(means, [30, 20, 10], axis=0) + 0.1 * rng.standard_normal((60, 2))
    patterns = ng.sample_patterns(with_ones(points), 9, strategy="clusters")
    centres = np.array([points[:30].mean(axis=0), points[30:50].mean(axis=0), points[50:].mean(axis=0)])
    distance = np.linalg.norm(points[:, None] - centres, axis=2)
    nearer = {tuple(distance[:, a] <= distance[:, b]) for a, b in permutations(range(3), 2)}
    along = {tuple(points @ c + 1.0 >= 0) for c in centres}
    assert pattern_set(patterns) == nearer | along
    # Without the ones, through the origin.
    through = {tuple(points @ (a - b) >= 0) for a, b in permutations(centres, 2)}
    found = pattern_set(ng.sample_patterns(points, 9, strategy="clusters"))
    assert found == through | {tuple(points @ c >= 0) for c in centres}


@pytest.mark.parametrize("X", [np.zeros((3, 2)), np.ones((3, 2)), [[0.0, 1.0], [0.0, 1.0 + 2**-52], [0.0, 1.0]]])
@pytest.mark.parametrize("n_patterns", [1, 2, 50])
def test_clusters_of_rows_that_hardly_differ(X, n_patterns):
    patterns = ng.sample_patterns(X, n_patterns, strategy="clusters")
    assert 1 <= len(patterns) <= n_patterns
    assert pattern_set(patterns) <= pattern_set(ng.enumerate_patterns(X))


def test_clusters_of_some_rows_of_many(rng, monkeypatch):
    X = rng.standard_normal((300, 3))
    everywhere = ng.sample_patterns(X, 30, strategy="clusters")
    monkeypatch.setattr("neuralgauge.patterns.strategies.CLUSTERED_ROWS", 100)
    some = ng.sample_patterns(X, 30, strategy="clusters")
    assert some.n == 300
    assert len(some) > 20
    assert pattern_set(some) != pattern_set(everywhere)


def test_many_draws_find_all_of_few_patterns():
    X = [[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]]
    patterns = ng.sample_patterns(X, 1000)
    assert pattern_set(patterns) == pattern_set(ng.enumerate_patterns(X))
    assert patterns.coverage.n_draws == 50_000
    assert patterns.coverage.mass == 1.0
    assert patterns.coverage.n_patterns_bound == 10


def test_coverage_estimates_the_probability_of_what_was_seen(rng):
    """Against fresh draws: the share of them that shows a known pattern."""
    X = rng.standard_normal((15, 3))
    patterns = ng.sample_patterns(X, 120, random_state=1)
    known = pattern_set(patterns)
    fresh = (np.random.default_rng(2).standard_normal((5000, 3)) @ X.T >= 0).tolist()
    assert patterns.coverage.mass == pytest.approx(np.mean([tuple(row) in known for row in fresh]), abs=0.05)


def test_coverage_is_zero_where_every_draw_is_new(rng):
    patterns = ng.sample_patterns(rng.standard_normal((200, 20)), 50)
    assert patterns.coverage.mass == 0.0
    assert patterns.coverage.n_draws == 50


@pytest.mark.parametrize("strategy", ["gaussian", "initial"])
def test_same_seed_same_patterns_and_more_of_them_when_asked(strategy, rng):
    X = rng.standard_normal((40, 4))
    few, many, other = (sample(X, n, seed, strategy) for n, seed in [(100, 3), (400, 3), (100, 4)])
    np.testing.assert_array_equal(few.packed, many.packed[:100])
    assert pattern_set(few) != pattern_set(other)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_neither_chance_nor_batches_nor_order_of_memory_change_the_patterns(strategy, rng, monkeypatch):
    X = rng.standard_normal((40, 4))
    X.setflags(write=False)
    expected = sample(X, 100, 3, strategy, m=80)
    monkeypatch.setattr(f"{ng.sample_patterns.__module__}.ENTRIES", 40 * 7)
    for data in (X, np.asfortranarray(X)):
        again = sample(data, 100, 3, strategy, m=80)
        np.testing.assert_array_equal(again.packed, expected.packed)
        np.testing.assert_allclose(again.vectors, expected.vectors, rtol=1e-9)


def test_the_random_strategies_differ(rng):
    X = rng.standard_normal((40, 4))
    found = {frozenset(pattern_set(sample(X, 50, 0, strategy))) for strategy in STRATEGIES}
    assert len(found) == len(STRATEGIES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], 0), "`n_patterns` must be at least 1, got 0"),
        (([1.0, 2.0], 3), "two dimensions"),
        (([[1.0, np.nan]], 3), "row 0, column 1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.sample_patterns(*arguments)


NETWORK = ng.TwoLayerNetwork([[1.0], [2.0]], [1.0], bias=False)


@pytest.mark.parametrize(
    ("strategy", "network", "message"),
    [
        ("sobol", None, r"`strategy` must be one of \['gaussian', .*\], got 'sobol'"),
        ("network", None, '`network` must be given for strategy "network".*got None'),
        *((s, NETWORK, f'must be None for strategy "{s}"') for s in ("gaussian", "initial", "clusters")),
        ("network", ng.TwoLayerNetwork(np.ones((3, 1)), [1.0]), "2 rows of hidden weights.*got 3.*column of ones"),
        ("network", ng.TwoLayerNetwork(np.zeros((2, 3)), np.ones(3)), "not all zero, got none"),
        ("sign_flips", ng.TwoLayerNetwork(np.zeros((2, 0)), np.zeros((0, 1))), "not all zero, got none"),
        ("sign_flips", np.ones((2, 3)), "hidden weights.*got ndarray.*network_of"),
        ("network", ng.GatedNetwork(np.ones((1, 2)), np.ones((1, 2))), "got GatedNetwork"),
    ],
)
def test_wrong_strategies_and_networks(strategy, network, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.sample_patterns([[1.0, 2.0], [3.0, 4.0]], 3, strategy=strategy, network=network)
