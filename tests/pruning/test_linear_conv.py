"""Pruning of linear convolutional networks: the rank of Z says how many filters are needed."""

import numpy as np
import pytest

import neuralgauge as ng

PLACES = {
    "filters": {"filter_size": (3,)},
    "circle": {"filter_size": (6,), "padding": "same", "padding_mode": "circular"},
}


@pytest.fixture(params=PLACES)
def problem(request, rng):
    X, Y = rng.standard_normal((9, 6, 2)), rng.standard_normal((9, 3))
    return ng.LinearConvProblem(X, Y, beta=0.2, offset=True, **PLACES[request.param])


def random_network(problem, rng, m):
    U, A = rng.standard_normal((problem.d, m)), rng.standard_normal((m, problem.n_positions, problem.c))
    return ng.LinearConvNetwork(U, A, problem.geometry, [1.0, -2.0, 0.5])


def test_as_few_filters_as_the_function_needs(problem, rng):
    network = random_network(problem, rng, 15)
    pruning = ng.prune(network, problem)
    needed = 2 if problem.geometry.full_circle else np.linalg.matrix_rank(network.matrix)  # channels, or d
    assert pruning.width == needed
    images = rng.standard_normal((20, 6, 2))
    np.testing.assert_allclose(pruning.network.predict(images), network.predict(images), rtol=1e-9, atol=1e-9)
    assert pruning.after <= pruning.before
    assert pruning.network.weight_decay() <= network.balance().weight_decay() * (1 + 1e-12)


def test_down_to_a_width_the_largest_singular_values_are_kept(problem, rng):
    network = random_network(problem, rng, 15)
    pruning = ng.prune(network, problem, width=1)
    assert pruning.width == 1
    assert pruning.after == pytest.approx(problem.objective(pruning.network), rel=1e-12)
    if not problem.geometry.full_circle:
        s = np.linalg.svd(network.matrix, compute_uv=False)
        assert np.linalg.norm(pruning.network.matrix - network.matrix) == pytest.approx(np.linalg.norm(s[1:]), rel=1e-9)


def test_a_network_that_needs_all_its_filters_keeps_its_function(problem):
    solution = ng.train(problem, gap=1e-6)
    pruning = ng.prune(solution.network, problem)
    assert abs(pruning.cost) <= 1e-9
    assert pruning.width <= solution.network.n_neurons
