"""Fewest neurons within an objective: against all subsets refitted; what is said of the least number is true."""

from itertools import combinations

import numpy as np
import pytest
from registry.problems import PROBLEMS, random_network

import neuralgauge as ng
from neuralgauge.pruning.least_width import least_width
from neuralgauge.pruning.narrowing import Widths
from neuralgauge.solvers.local_search import local_search


def problem_of(n=20, d=2, c=1, seed=0, **options):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = np.sin(2 * X[:, :1]) + X[:, 1:] ** 2 + 0.1 * rng.standard_normal((n, c))
    return ng.TrainingProblem(X, y[:, 0] if c == 1 else y, **{"beta": 0.3, **options})


def fewest_of_all_subsets(network, problem, limit):
    """The slow twin: every subset of the neurons refitted, the smallest first."""
    for size in range(network.n_neurons + 1):
        for subset in map(list, combinations(range(network.n_neurons), size)):
            if problem.objective(local_search(problem, network.take(subset), 500)) <= limit:
                return size
    raise AssertionError("all of them are within")


@pytest.mark.parametrize("within", [1e-3, 3e-2, 0.3])
@pytest.mark.parametrize(("c", "offset"), [(1, False), (2, True)])
def test_no_more_neurons_than_the_best_of_all_subsets(within, c, offset):
    problem = problem_of(c=c, offset=offset, beta=1.0)
    network = ng.prune(ng.train(problem, gap=1e-4, prove=False).network, problem, 7).network
    pruning = ng.prune(network, problem, within=within)
    limit = problem.objective(network) * (1.0 + within)
    assert pruning.at_least <= pruning.width <= fewest_of_all_subsets(network, problem, limit)
    assert pruning.after == problem.objective(pruning.network) <= limit
    assert pruning.cost <= within


@pytest.mark.parametrize("loss", ["squared", "absolute", "logistic", "hinge", "poisson"])
def test_the_objective_stays_within_and_wider_limits_need_no_more(loss):
    problem = problem_of()
    y = {"logistic": np.sign, "hinge": np.sign, "poisson": lambda y: np.round(np.exp(y))}.get(loss, np.copy)(problem.y)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 20)
    problem = ng.TrainingProblem(problem.X[:, :2], y, beta=0.3, loss=loss, sample_weight=weight)
    network = ng.train(problem, gap=1e-3, prove=False).network
    prunings = [ng.prune(network, problem, within=within) for within in (1e-3, 1.0)]
    for within, pruning in zip((1e-3, 1.0), prunings, strict=True):
        assert pruning.at_least <= pruning.width <= network.n_neurons
        assert pruning.cost <= within
    assert prunings[1].width <= prunings[0].width


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_kind_of_problem(kind):
    problem = PROBLEMS[kind]("squared", 0)
    network = random_network(problem, 0)
    for within in (1e-6, 0.1, 1e9):
        pruning = ng.prune(network, problem, within=within)
        assert pruning.after <= pruning.before * (1.0 + within)
        assert pruning.at_least <= pruning.width <= network.balance().n_neurons
    assert pruning.width == 0


@pytest.mark.parametrize("m", [0, 1])
def test_small_networks(m):
    problem, rng = problem_of(), np.random.default_rng(1)
    network = ng.TwoLayerNetwork(rng.standard_normal((3, m)), rng.standard_normal(m))
    pruning = ng.prune(network, problem, within=0.01)
    assert pruning.width <= m
    assert pruning.cost <= 0.01


def test_an_offset_that_the_problem_does_not_have_stays():
    problem = problem_of()
    network = ng.TwoLayerNetwork(np.ones((3, 2)), np.ones(2), offset=0.7)
    assert ng.prune(network, problem, within=1e6).network.offset == 0.7


def test_a_narrow_teacher_is_found_in_a_wide_network():
    rng = np.random.default_rng(0)
    teacher = ng.TwoLayerNetwork(rng.standard_normal((4, 3)), rng.standard_normal(3)).balance()
    X = rng.standard_normal((80, 3))
    problem = ng.TrainingProblem(X, teacher.predict(X), beta=0.01)
    wide = ng.TwoLayerNetwork(0.3 * rng.standard_normal((4, 60)), 0.3 * rng.standard_normal(60))
    wide = local_search(problem, wide, 500)
    assert ng.prune(wide, problem, within=1e-3).width <= 3


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_units_do_not_matter(scale):
    problem = problem_of()
    other = ng.TrainingProblem(problem.X[:, :2], scale * problem.y, beta=scale * 0.3)
    widths = [ng.prune(ng.train(p, prove=False).network, p, within=0.02).width for p in (problem, other)]
    assert abs(widths[0] - widths[1]) <= 1


@pytest.mark.parametrize("within", [0.0, -0.1, np.nan, "much"])
def test_wrong_within(within):
    with pytest.raises(ng.InvalidInputError, match="`within` must be"):
        ng.prune(ng.TwoLayerNetwork(np.ones((3, 2)), np.ones(2)), problem_of(), within=within)


def test_not_both():
    with pytest.raises(ng.InvalidInputError, match=r"give `width` or `within`, not both, got width=2 and within=0\.1"):
        ng.prune(ng.TwoLayerNetwork(np.ones((3, 2)), np.ones(2)), problem_of(), 2, within=0.1)


def test_rows_that_are_not_whole_in_memory(tmp_path):
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (20, 2))
    X[:] = problem_of().X[:, :2]
    problem = ng.TrainingProblem(X, problem_of().y, beta=0.3)
    with pytest.raises(
        ng.InvalidInputError, match="`within` needs the rows of X whole in memory, got 2 neurons for an"
    ):
        ng.prune(ng.TwoLayerNetwork(np.eye(3)[:, :2], np.ones(2)), problem, within=0.1)


def best_of_starts(problem, m, starts=20):
    """About the least objective of m neurons: the best of L-BFGS from random starts; an upper bound."""
    rng, shapes = np.random.default_rng(0), ((problem.d, m), (m, problem.q))
    networks = [
        problem.empty_network().with_neurons(rng.standard_normal(shapes[0]), rng.standard_normal(shapes[1]))
        for _ in range(starts)
    ]
    return min(problem.objective(local_search(problem, network, 300)) for network in networks)


@pytest.mark.parametrize(
    ("loss", "c", "offset"),
    [("squared", 1, False), ("squared", 1, True), ("squared", 4, False), ("squared", 4, True), ("logistic", 1, False),
     ("absolute", 1, False), ("quantile", 1, True)],
)  # fmt: skip
def test_the_least_number_excludes_no_network_that_there_is(loss, c, offset):
    """At the objective of real networks of m neurons no more than m are called necessary."""
    problem = problem_of(c=c)
    y = np.sign(problem.y) if loss == "logistic" else problem.y
    problem = ng.TrainingProblem(problem.X[:, :2], y, beta=1e-3, loss=loss, offset=offset)
    empty = problem.objective(problem.empty_network())
    assert least_width(problem, 0.0, empty * (1 + 1e-9)) == 0
    assert least_width(problem, 0.0, empty * (1 - 1e-6)) >= 1
    for m in (1, 2, 3):
        assert least_width(problem, 0.0, best_of_starts(problem, m)) <= m


def test_the_least_number_is_found_where_it_can_be():
    X = np.random.default_rng(0).standard_normal((20, 4))
    signs = ng.TrainingProblem(X, np.repeat([1.0, -1.0], 10), beta=1e-6)
    assert [least_width(signs, 0.0, limit) for limit in (4.9, 5.1, 10.1)] == [2, 1, 0]
    assert least_width(signs, 1.0, 4.9) == 1  # above the offset 1 outputs of one sign leave nothing above it
    ranks = ng.TrainingProblem(X, np.eye(20)[:, :4], beta=1e-6)
    assert [least_width(ranks, 0.0, limit) for limit in (0.1, 0.6, 1.1, 1.6, 2.1)] == [4, 3, 2, 1, 0]
    assert least_width(ng.TrainingProblem(X, np.eye(20)[:, :4], beta=1e-6, offset=True), 0.0, 0.1) == 3


def test_widths_keep_the_best_of_each():
    problem = problem_of()
    found = Widths(problem, ng.train(problem, prove=False).network, np.random.default_rng(0))
    found.eliminate(1)
    before = dict(found.values)
    found.sweep(max(found.networks))
    found.exchange(3)
    assert all(found.values[width] <= before[width] for width in before)
    assert any(found.values[width] < before[width] for width in before)
    for width, network in found.networks.items():
        assert network.n_neurons == width
        assert found.values[width] == problem.objective(network)
        assert problem.objective(found.best(width)) == min(v for w, v in found.values.items() if w <= width)
    assert found.narrowest(found.values[0]) == 0
    assert found.narrowest(-1.0) is None
