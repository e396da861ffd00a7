"""The smallest network that is as good: duplicates joined, dust dropped, at most n + 1 neurons, the slack kept."""

import numpy as np
import pytest
from registry.losses import TYPICAL

import neuralgauge as ng
from neuralgauge.pruning.simplify import simplify


def problem_of(n=12, seed=0, loss="squared"):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(n) if loss == "squared" else rng.choice([-1.0, 1.0], n)
    return ng.TrainingProblem(rng.standard_normal((n, 2)), y, beta=0.1, loss=loss)


def network_of(m, seed=0):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.standard_normal((3, m)), rng.standard_normal(m))


@pytest.mark.parametrize("loss", TYPICAL)
@pytest.mark.parametrize("m", [0, 1, 5, 13, 40])
def test_without_slack_the_objective_does_not_rise(loss, m):
    problem, network = problem_of(loss=loss), network_of(m)
    smaller = simplify(network, problem)
    assert problem.objective(smaller) <= problem.objective(network.balance()) * (1 + 1e-8)
    assert smaller.n_neurons <= min(m, problem.n + 1)


def test_split_neurons_are_joined():
    """Each neuron in three parts on its ray, and a fourth, nearly parallel one of no weight."""
    problem, network = problem_of(), network_of(4).balance()
    parts = np.sqrt([0.2, 0.3, 0.5])
    U = np.hstack([share * network.U for share in parts] + [1e-6 * network.U * (1 + 1e-5)])
    A = np.vstack([share * network.A for share in parts] + [1e-6 * network.A])
    joined = simplify(ng.TwoLayerNetwork(U, A), problem)
    assert joined.n_neurons == 4
    assert problem.objective(joined) == pytest.approx(problem.objective(network), rel=1e-9)
    assert np.allclose(joined.forward(problem.X), network.forward(problem.X), rtol=1e-6, atol=1e-6)


def test_neurons_of_opposite_sign_on_one_ray_stay_apart():
    network = ng.TwoLayerNetwork([[1.0, 1.0], [0.5, 0.5], [0.0, 0.0]], [1.0, -0.5]).balance()
    smaller = simplify(network, problem_of())
    assert np.allclose(smaller.forward(problem_of().X), network.forward(problem_of().X))


@pytest.mark.parametrize("slack", [1e-6, 1e-3, 1e-1])
def test_slack_is_kept(slack):
    """Near the optimum, where neurons of little use are cheap to lose."""
    problem = problem_of(30)
    best = ng.train(problem, gap=1e-6).network
    rng = np.random.default_rng(1)
    copies = [np.hstack([best.U, 1e-2 * best.U]) + 1e-3 * rng.standard_normal((3, 2 * best.n_neurons))]
    blurred = ng.TwoLayerNetwork(copies[0], np.vstack([best.A, 1e-2 * best.A])).balance()
    smaller = simplify(blurred, problem, slack)
    assert problem.objective(smaller) <= problem.objective(blurred) * (1 + slack) ** 2 * (1 + 1e-12)
    assert smaller.n_neurons <= blurred.n_neurons


def test_more_slack_leaves_no_more_neurons():
    problem, network = problem_of(30), network_of(25)
    counts = [simplify(network, problem, slack).n_neurons for slack in (0.0, 1e-4, 1e-2, 1.0)]
    assert counts == sorted(counts, reverse=True)


def test_no_more_than_one_neuron_more_than_samples_with_the_outputs_kept():
    problem, network = problem_of(6), network_of(60)
    smaller = simplify(network, problem)
    assert smaller.n_neurons <= 7
    assert np.allclose(smaller.forward(problem.X), network.forward(problem.X), rtol=1e-7, atol=1e-7)
    assert smaller.weight_decay() <= network.balance().weight_decay() * (1 + 1e-9)


def test_dead_neurons_go():
    U = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    smaller = simplify(ng.TwoLayerNetwork(U, [1.0, 5.0, 0.0]), problem_of())
    assert smaller.n_neurons == 1
