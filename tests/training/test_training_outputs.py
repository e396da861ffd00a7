"""Several outputs, output offsets and every loss, from problem to certificate."""

from itertools import product

import numpy as np
import pytest
from cases import targets_of
from registry.losses import ELEMENTWISE

import neuralgauge as ng
from neuralgauge.losses import LOSSES
from neuralgauge.solvers.local_search import local_search
from neuralgauge.training.dual_side import DualSide


def table(loss, c, n=30, d=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = np.column_stack([np.abs(X[:, 0]) - 0.5, X[:, -1] ** 2 - 1.0, X[:, 0] - np.abs(X[:, -1])])[:, :c]
    y = y + 0.1 * rng.standard_normal(y.shape)
    return X, targets_of(loss, y)


SHAPES = [(1, True), (2, False), (3, True)]


@pytest.mark.parametrize(
    ("loss", "c", "offset"),
    [(loss, c, offset) for loss in LOSSES for c, offset in SHAPES if c > 1 or loss in ELEMENTWISE],
)
def test_trained_to_a_proven_gap(loss, c, offset):
    problem = ng.TrainingProblem(*table(loss, c), beta=0.5, loss=loss, offset=offset)
    solution = ng.train(problem, gap=1e-4)
    certificate, network = solution.certificate, solution.network
    assert solution.status is ng.Status.SOLVED
    assert certificate.scope == "exact"
    assert certificate.gap <= 1e-4
    assert certificate.upper == problem.objective(network)
    assert network.n_outputs == problem.c
    assert np.any(network.offset) == offset or certificate.upper == 0.0
    rng = np.random.default_rng(1)
    for m in (3, 30):  # no network found elsewhere lies below the bound
        start = network.with_neurons(rng.standard_normal((3, m)), rng.standard_normal((m, problem.c)))
        assert problem.objective(local_search(problem, start, 300)) >= certificate.lower


@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_one_output_agrees_with_a_conic_solver_over_all_patterns(loss):
    X, y = table(loss, 1, n=8, d=1)
    for offset in (False, True):
        problem = ng.TrainingProblem(X, y, beta=0.3, loss=loss, offset=offset)
        reference = ng.solve_program(problem, ng.enumerate_patterns(problem.X), solver="reference").certificate.upper
        found = ng.train(problem, gap=1e-6).certificate
        assert found.scope == "exact"
        assert found.upper == pytest.approx(reference, rel=3e-6, abs=1e-8)
        assert found.lower <= reference * (1 + 1e-7) + 1e-9


def grid_of_directions(c, steps):
    if c == 2:
        angles = np.arange(steps) * 2 * np.pi / steps
        return np.column_stack([np.cos(angles), np.sin(angles)])
    points = np.array(
        [p for p in product(range(-steps, steps + 1), repeat=3) if max(map(abs, p)) == steps], dtype=float
    )
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize(("loss", "c"), [("squared", 2), ("softmax", 3), ("hinge", 2)])
def test_several_outputs_against_all_patterns_times_a_grid_of_directions(loss, c):
    """The slow twin: every pattern with every direction of a grid, by CVXPY; a grid of angle t costs 1 - cos(t / 2)."""
    X, y = table(loss, c, n=5, d=1)
    problem = ng.TrainingProblem(X, y, beta=0.2, loss=loss)
    patterns = ng.enumerate_patterns(problem.X).dense()
    G = grid_of_directions(c, 48 if c == 2 else 2)
    cosine = np.cos(np.pi / 48) if c == 2 else np.cos(np.arctan(np.sqrt(2) / 4))
    gates, directions = np.repeat(patterns, len(G), axis=0), np.tile(G, (len(patterns), 1))
    reference = ng.solve_program(problem, gates, directions=directions, solver="reference").certificate.upper
    found = ng.train(problem, gap=1e-6).certificate
    assert found.scope == "exact"
    assert found.lower <= reference * (1 + 1e-7)
    # Replacing each g by grid neighbours multiplies the penalty by 1 / cosine at most, and the optimum by no more.
    assert found.upper >= reference * cosine * (1 - 1e-6)
    assert found.upper <= reference * (1 + 3e-6)


def test_joint_training_is_never_worse_than_one_output_at_a_time():
    for seed in range(3):
        X, y = table("squared", 3, seed=seed)
        together = ng.train(ng.TrainingProblem(X, y, beta=1.0), gap=1e-5).certificate
        apart = [ng.train(ng.TrainingProblem(X, y[:, k], beta=1.0), gap=1e-5).certificate for k in range(3)]
        assert together.upper <= sum(c.upper for c in apart) * (1 + 1e-5)
        assert together.upper < sum(c.lower for c in apart)  # sharing neurons pays here


def test_an_output_repeated_costs_root_two_of_the_penalty():
    """Y = (y, y): atoms w (1, 1)/sqrt 2 give the optimum of 2 loss(y) with the penalty times sqrt 2."""
    X, y = table("squared", 1)
    twice = ng.train(ng.TrainingProblem(X, np.column_stack([y, y]), beta=1.0), gap=1e-6).certificate
    once = ng.train(ng.TrainingProblem(X, y, beta=1.0 / np.sqrt(2.0)), gap=1e-6).certificate
    assert twice.upper == pytest.approx(2.0 * once.upper, rel=3e-6)


def test_a_rotation_of_the_outputs_changes_nothing():
    X, y = table("squared", 3)
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    first = ng.train(ng.TrainingProblem(X, y, beta=1.0), gap=1e-6).certificate
    second = ng.train(ng.TrainingProblem(X, y @ Q, beta=1.0), gap=1e-6).certificate
    assert first.upper == pytest.approx(second.upper, rel=3e-6)


def test_softmax_of_two_classes_is_logistic_with_a_smaller_penalty():
    """Logits (-t, t)/2 are the best for a margin t: an atom of t costs 1/sqrt 2 of its logistic cost."""
    X, y = table("softmax", 2)
    softmax = ng.train(ng.TrainingProblem(X, y, beta=0.5, loss="softmax"), gap=1e-6).certificate
    signs = np.where(y == 1, 1.0, -1.0)
    logistic = ng.train(ng.TrainingProblem(X, signs, beta=0.5 / np.sqrt(2.0), loss="logistic"), gap=1e-6).certificate
    assert softmax.upper == pytest.approx(logistic.upper, rel=3e-6)


@pytest.mark.parametrize(("loss", "c"), [("squared", 2), ("softmax", 3), ("poisson", 1)])
def test_sample_weights_are_repeated_rows(loss, c):
    X, y = table(loss, c, n=15)
    weight = np.random.default_rng(1).integers(1, 4, 15)
    first = ng.TrainingProblem(X, y, beta=0.5, loss=loss, offset=True, sample_weight=weight)
    second = ng.TrainingProblem(
        np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0), beta=0.5, loss=loss, offset=True
    )
    assert ng.train(first, gap=1e-6).certificate.upper == pytest.approx(
        ng.train(second, gap=1e-6).certificate.upper, rel=3e-6
    )


@pytest.mark.parametrize(("loss", "c"), [("squared", 1), ("squared", 3), ("softmax", 3), ("absolute", 1)])
def test_empty_network_from_beta_max_on_with_an_offset(loss, c):
    problem = ng.TrainingProblem(*table(loss, c), beta=1.0, loss=loss, offset=True)
    largest = ng.beta_max(problem)
    above = ng.train(problem.with_beta(largest * (1 + 1e-9)))
    assert above.network.n_neurons == 0
    assert above.certificate.upper == pytest.approx(problem.objective(problem.empty_network()), rel=1e-12)
    assert above.certificate.gap <= 1e-6
    if loss != "absolute":  # at a kink of the loss other subgradients may need less
        assert ng.train(problem.with_beta(0.98 * largest), gap=1e-6).network.n_neurons > 0


@pytest.mark.parametrize(
    ("n", "d", "c", "proves"),
    [(20, 4, 1, True), (20, 5, 1, False), (20, 2, 2, True), (20, 3, 2, False), (5000, 2, 1, True), (5001, 2, 1, False)],
)
def test_what_is_proven_unless_told_otherwise(n, d, c, proves):
    rng = np.random.default_rng(0)
    problem = ng.TrainingProblem(rng.standard_normal((n, d)), rng.standard_normal((n, c)), beta=1.0)
    assert DualSide(problem, rng, None).prove == proves
    assert DualSide(problem, rng, True).prove
    assert not DualSide(problem, rng, False).prove


def test_search_and_proof_agree_for_several_outputs():
    problem = ng.TrainingProblem(*table("squared", 3, n=60), beta=1.0)
    searched, proven = ng.train(problem, prove=False).certificate, ng.train(problem, prove=True).certificate
    assert (searched.scope, proven.scope) == ("estimated", "exact")
    assert searched.upper == pytest.approx(proven.upper, rel=2e-4)
    assert proven.lower <= searched.upper


def test_start_is_followed_and_checked():
    problem = ng.TrainingProblem(*table("squared", 2), beta=1.0)
    solution = ng.train(problem, gap=1e-5)
    again = ng.train(problem, gap=1e-4, start=solution)
    assert again.n_iter == 0
    assert again.certificate.upper <= solution.certificate.upper * (1 + 1e-14)
    near = ng.train(problem.with_beta(0.9), gap=1e-4, start=solution.network)
    assert near.status is ng.Status.SOLVED
    with pytest.raises(ng.InvalidInputError, match="`start` must have 3 rows of weights and 2 output weights a neuron"):
        ng.train(problem, start=ng.TwoLayerNetwork([[1.0], [0.0]], [1.0]))
