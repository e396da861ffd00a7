"""Pruning: nothing lost without a width, the true cost with one; the fewest neurons against all subsets."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.optimize import nnls

import neuralgauge as ng
from neuralgauge.features.rows import DenseFeatures
from neuralgauge.pruning.caratheodory import Amplitudes, basic
from neuralgauge.pruning.cells import joined_in_cells


def problem_of(n=12, c=1, seed=0, loss="squared", offset=False, beta=0.1):
    rng = np.random.default_rng(seed)
    shape = n if c == 1 else (n, c)
    y = rng.standard_normal(shape) if loss == "squared" else rng.choice([-1.0, 1.0], shape)
    return ng.TrainingProblem(rng.standard_normal((n, 2)), y, beta=beta, loss=loss, offset=offset)


def network_of(m, c=1, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.standard_normal((3, m)), rng.standard_normal((m, c)), offset=offset)


def atoms_and_costs(network, X):
    """a_j = (X u_j)_+ alpha_j^T as columns, |u_j| |alpha_j|."""
    atoms = [np.outer(np.maximum(X @ u, 0.0), a).ravel() for u, a in zip(network.U.T, network.A, strict=True)]
    cost = np.linalg.norm(network.U, axis=0) * np.linalg.norm(network.A, axis=1)
    return np.array(atoms).T, cost


def fewest(network, problem):
    """The slow twin: the smallest subset whose amplitudes t >= 0 give the outputs at no higher penalty.

    Subsets with independent atoms determine their amplitudes; one of those is among the smallest.
    """
    atoms, cost = atoms_and_costs(network, problem.X)
    outputs = atoms.sum(axis=1)
    for size in range(network.n_neurons + 1):
        for subset in map(list, combinations(range(network.n_neurons), size)):
            t, residual = nnls(atoms[:, subset], outputs) if subset else (np.zeros(0), np.linalg.norm(outputs))
            if residual <= 1e-9 * np.linalg.norm(outputs) and cost[subset] @ t <= cost.sum() * (1 + 1e-9):
                return size
    raise AssertionError("all of them reproduce themselves")


def assert_nothing_lost(pruning, network, problem):
    small = pruning.network
    scale = np.abs(np.maximum(problem.X @ network.U, 0.0) @ np.abs(network.A)).max(initial=1.0)
    assert np.abs(small.forward(problem.X) - network.forward(problem.X)).max() <= 1e-9 * scale
    assert small.weight_decay() <= network.balance().weight_decay() * (1 + 1e-9)
    assert problem.objective(small) <= problem.objective(network) * (1 + 1e-9)
    assert pruning.before == problem.objective(network)
    assert pruning.after == problem.objective(small)
    assert (pruning.width_before, pruning.width) == (network.n_neurons, small.n_neurons)
    assert small.n_neurons <= min(network.n_neurons, problem.y.size)
    assert np.array_equal(small.offset, network.offset)
    assert small.bias is network.bias
    np.testing.assert_allclose(np.linalg.norm(small.U, axis=0), np.linalg.norm(small.A, axis=1))


@pytest.mark.parametrize("loss", ["squared", "hinge"])
@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("m", [0, 1, 7, 40])
def test_nothing_is_lost(loss, c, offset, m):
    problem = problem_of(8, c, loss=loss, offset=offset)
    network = network_of(m, c, offset=np.arange(1.0, c + 1.0) if offset else 0.0)
    assert_nothing_lost(ng.prune(network, problem), network, problem)


@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_no_more_neurons_than_the_rank_and_no_fewer_than_all_subsets_allow(c, seed):
    problem, network = problem_of(3, c, seed), network_of(9, c, seed).balance()
    pruned = basic(network, problem.features, np.random.default_rng(0))
    atoms, _ = atoms_and_costs(network, problem.X)
    assert fewest(network, problem) <= pruned.n_neurons <= np.linalg.matrix_rank(atoms)
    assert np.allclose(pruned.forward(problem.X), network.forward(problem.X), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_the_penalty_becomes_the_least_for_these_directions(c, seed):
    """A brute-force linear program: the cheapest of all bases."""
    problem, network = problem_of(2, c, seed), network_of(8, c, seed).balance()
    atoms, cost = atoms_and_costs(network, problem.X)
    outputs, best = atoms.sum(axis=1), np.inf
    for size in range(1, 2 * c + 1):
        for subset in map(list, combinations(range(8), size)):
            t, residual = nnls(atoms[:, subset], outputs)
            best = min(best, cost[subset] @ t) if residual <= 1e-9 else best
    assert basic(network, problem.features).weight_decay() == pytest.approx(best, rel=1e-8)


@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_one_neuron_for_a_whole_cell(c, seed):
    """Neurons that are active on all samples are one linear neuron."""
    rng = np.random.default_rng(seed)
    X = np.vstack([np.eye(4), np.zeros((1, 4))])  # where the atoms are the weights themselves
    problem = ng.TrainingProblem(X, np.zeros(5) if c == 1 else np.zeros((5, c)), beta=1.0, bias=False)
    U = np.abs(rng.standard_normal((4, 8)))
    G = np.ones((8, c)) / np.sqrt(c)
    network = ng.TwoLayerNetwork(U, G, bias=False)
    pruned = ng.prune(network, problem)
    assert pruned.width == 1
    assert np.allclose(pruned.network.forward(X), network.forward(X))
    assert basic(network, DenseFeatures(X), rng).n_neurons <= np.linalg.matrix_rank(atoms_and_costs(network, X)[0]) == 4


@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("offset", [False, True])
def test_what_was_split_on_purpose_comes_out_again(c, offset):
    """Near an optimum: every neuron in three parts on its ray."""
    problem = problem_of(12, c, offset=offset, beta=1.0)
    best = ng.train(problem, gap=1e-4, prove=False).network
    minimal = ng.prune(best, problem).network
    parts = np.sqrt([0.2, 0.3, 0.5])
    U, A = np.hstack([p * minimal.U for p in parts]), np.vstack([p * minimal.A for p in parts])
    split = ng.TwoLayerNetwork(U, A, offset=minimal.offset)
    pruning = ng.prune(split, problem)
    assert_nothing_lost(pruning, split, problem)
    assert pruning.width == minimal.n_neurons
    assert fewest(minimal, problem) == minimal.n_neurons
    assert pruning.cost == pytest.approx(0.0, abs=1e-9)


def test_fewer_than_the_rank_where_the_cheapest_amplitudes_are_not_unique():
    """All halves of six ones: any half and its complement sum to ones at the least cost, and so do many vertices."""
    halves = np.array([[float(i in half) for i in range(6)] for half in combinations(range(6), 3)]).T
    X, plain, searched = np.eye(6), [], []
    for seed in range(8):
        order = np.random.default_rng(seed).permutation(20)
        network = ng.TwoLayerNetwork(halves[:, order], np.ones(20), bias=False).balance()
        plain.append(basic(network, DenseFeatures(X)).n_neurons)
        pruned = basic(network, DenseFeatures(X), np.random.default_rng(seed))
        assert np.allclose(pruned.forward(X), network.forward(X))
        assert pruned.weight_decay() == pytest.approx(network.weight_decay())
        searched.append(pruned.n_neurons)
    assert min(searched) == fewest(network, ng.TrainingProblem(X, np.zeros(6), beta=1.0, bias=False)) == 2
    assert max(plain) <= 6
    assert np.mean(searched) < np.mean(plain)


@pytest.mark.parametrize("seed", range(5))
def test_polishing_restores_the_outputs_or_refuses(seed):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((8, 12))
    program = Amplitudes(E / np.linalg.norm(E, axis=0), rng.uniform(1.0, 2.0, 12), np.ones(12))
    rough = program.start * (1.0 + 1e-6 * rng.standard_normal(12))
    rough *= 1.0 - 1e-5  # cheaper, so that the cost is not what refuses
    polished = program.polished(rough)
    assert polished is not None
    np.testing.assert_allclose(program.E @ polished, program.E @ program.start, atol=1e-12)
    missing = np.where(np.arange(12) < 5, program.start, 0.0)
    assert program.polished(missing) is None  # five columns do not span what eight rows want
    dear = Amplitudes(program.E, program.start, np.where(np.arange(12) < 11, 0.0, 1.0))
    null = np.linalg.svd(program.E)[2][-1]
    null *= np.sign(null[11])
    moved = program.start + 0.1 * null
    assert dear.polished(moved) is None  # the same outputs at a higher cost


def test_neurons_of_one_cell_are_added_up_and_others_are_not():
    """x -> (x + 1)_+ and (x + 2)_+ agree in sign on -3, 0, 1 but not on -1.5 as well."""
    network = ng.TwoLayerNetwork([[1.0, 1.0], [1.0, 2.0]], [1.0, 1.0]).balance()
    for points, expected in [([-3.0, 0.0, 1.0], 1), ([-3.0, -1.5, 0.0, 1.0], 2), ([-3.0, -1.0, 0.0], 1)]:
        X = np.column_stack([points, np.ones(len(points))])
        joined = joined_in_cells(network, DenseFeatures(X))
        assert joined.n_neurons == expected
        np.testing.assert_allclose(joined.forward(X), network.forward(X), atol=1e-13)
        assert joined.weight_decay() <= network.weight_decay()
    opposite = ng.TwoLayerNetwork([[1.0, 1.0], [1.0, 2.0]], [1.0, -1.0])
    assert joined_in_cells(opposite, DenseFeatures(X)).n_neurons == 2


def test_neurons_that_no_sample_activates_go():
    problem = ng.TrainingProblem([[1.0], [2.0]], [1.0, 2.0], beta=0.1)
    pruning = ng.prune(ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.0]], [1.0, 5.0]), problem)
    assert pruning.width == 1
    assert pruning.cost < 0.0
    assert ng.prune(ng.TwoLayerNetwork([[-1.0], [0.0]], [5.0]), problem).width == 0


@pytest.mark.parametrize("noise", [1e-6, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize("c", [1, 2])
def test_nearly_dependent_atoms(noise, c):
    """Neurons shaken by rounding-sized amounts: whatever is removed, the outputs stay."""
    problem = problem_of(10, c)
    network = network_of(6, c).balance()
    rng = np.random.default_rng(1)
    U = np.hstack([network.U * (1 + noise * rng.standard_normal(network.U.shape)) for _ in range(6)])
    A = np.vstack([network.A * (1 + noise * rng.standard_normal(network.A.shape)) for _ in range(6)])
    shaken = ng.TwoLayerNetwork(U, A)
    pruning = ng.prune(shaken, problem)
    assert_nothing_lost(pruning, shaken, problem)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_do_not_matter(scale):
    problem = problem_of(5)
    other = ng.TrainingProblem(scale * problem.X[:, :2], problem.y, beta=scale * 0.1)
    network = network_of(20)
    U = network.U * np.array([[1.0 / scale], [1.0 / scale], [1.0]])
    scaled = ng.TwoLayerNetwork(U, network.A)
    assert_nothing_lost(ng.prune(scaled, other), scaled, other)


def test_the_objective_falls_where_a_network_is_not_optimal():
    problem, network = problem_of(6), network_of(30)
    pruning = ng.prune(network, problem)
    assert pruning.cost == (pruning.after - pruning.before) / pruning.before < 0.0


@pytest.mark.parametrize(("loss", "c"), [("squared", 1), ("squared", 2), ("hinge", 1)])
@pytest.mark.parametrize("offset", [False, True])
def test_down_to_a_width(loss, c, offset):
    problem = problem_of(40, c, loss=loss, offset=offset, beta=0.3)
    network = ng.train(problem, gap=1e-3, prove=False).network
    widths = [network.n_neurons, 6, 3, 1]
    prunings = [ng.prune(network, problem, width) for width in widths]
    for width, pruning in zip(widths, prunings, strict=True):
        assert pruning.width <= width
        assert pruning.after == problem.objective(pruning.network)
        assert pruning.cost == (pruning.after - pruning.before) / pruning.before
    # Fewer neurons cost more, up to what a local search leaves to chance, and never less than the optimum.
    after = [pruning.after for pruning in prunings]
    assert all(few >= many * (1 - 5e-2) for many, few in pairwise(after))
    assert min(after) >= after[0] * (1 - 1e-3)
    assert after[-1] <= problem.objective(problem.empty_network())


def test_a_narrow_teacher_is_found_in_a_wide_network():
    rng = np.random.default_rng(0)
    teacher = network_of(3)
    X = rng.standard_normal((60, 2))
    problem = ng.TrainingProblem(X, teacher.predict(X), beta=0.01)
    wide = ng.train(problem, gap=1e-4).network
    pruning = ng.prune(wide, problem, 3)
    assert pruning.width == 3
    assert pruning.after <= problem.objective(teacher.balance()) * (1 + 1e-6)


def test_the_same_twice_and_the_network_unchanged():
    problem, network = problem_of(6), network_of(30)
    U = network.U.copy()
    for width in (None, 3):
        first, second = ng.prune(network, problem, width), ng.prune(network, problem, width)
        assert np.array_equal(first.network.U, second.network.U)
    assert np.array_equal(network.U, U)


def test_an_offset_that_the_problem_does_not_have_stays():
    problem, network = problem_of(20), network_of(8, offset=0.7)
    for width in (None, 2):
        assert ng.prune(network, problem, width).network.offset == 0.7


@pytest.mark.parametrize("width", [0, -3])
def test_wrong_width(width):
    with pytest.raises(ng.InvalidInputError, match=f"`width` must be >= 1, got {width}; leave it out"):
        ng.prune(network_of(3), problem_of(), width)


def test_wrong_problem():
    with pytest.raises(
        ng.InvalidInputError, match=r"as many columns and outputs as the network, \(3, 2\), got \(3, 1\)"
    ):
        ng.prune(network_of(3, c=2), problem_of())
