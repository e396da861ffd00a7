"""Every kind of problem goes through the same functions, which refuse what is none, and tell the kinds apart."""

import numpy as np
import pytest
from cases import targets_of
from registry.problems import PROBLEMS

import neuralgauge as ng

every_kind = pytest.mark.parametrize(
    ("kind", "loss"), [(kind, loss) for kind in PROBLEMS for loss in ("squared", "hinge", "softmax")]
)


@every_kind
def test_trained_certified_and_pruned(kind, loss):
    problem = PROBLEMS[kind](loss, 0)
    solution = ng.train(problem, gap=1e-3, time_limit=20.0, n_jobs=1, random_state=1)
    assert solution.certificate.gap <= 1e-3
    assert solution.certificate.upper == pytest.approx(problem.objective(solution.network), rel=1e-12)
    again = ng.certify(solution.network, problem, gap=1e-3)
    assert again.lower <= solution.certificate.upper * (1 + 1e-12)
    assert again.upper <= solution.certificate.upper * (1 + 1e-9)
    pruning = ng.prune(solution.network, problem)
    assert pruning.after <= pruning.before * (1 + 1e-9)
    assert pruning.width <= solution.network.n_neurons


@every_kind
def test_paths(kind, loss):
    problem = PROBLEMS[kind](loss, 0)
    path = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.2, gap=1e-2, validation=validation(problem, loss))
    assert len(path) == 3
    assert path.status is ng.Status.SOLVED
    uppers = [solution.certificate.upper for solution in path.solutions]
    assert uppers == sorted(uppers, reverse=True)
    assert np.isfinite(path.validation_error).all()
    assert path.solutions[0].network.n_neurons == 0


def validation(problem, loss):
    rng = np.random.default_rng(7)
    shape = problem.geometry.shape if hasattr(problem, "geometry") else (problem.d - 1,)
    return rng.standard_normal((6, *shape)), targets_of(loss, rng.standard_normal((6, problem.c)))


@pytest.mark.parametrize("function", [ng.train, ng.beta_max, ng.relu_path])
def test_what_is_no_problem_is_refused_by_a_sentence(function):
    with pytest.raises(ng.InvalidInputError, match="`problem` must be a TrainingProblem, "):
        function((np.ones((3, 1)), np.ones(3)))


def test_kinds_are_told_apart():
    relu, linear = PROBLEMS["dense"]("squared", 0), PROBLEMS["linear"]("squared", 0)
    with pytest.raises(ng.InvalidInputError, match=r"must be a LinearConvNetwork .* got TwoLayerNetwork"):
        ng.certify(relu.empty_network(), linear)
    with pytest.raises(ng.InvalidInputError, match="got LinearConvNetwork"):
        ng.certify(linear.empty_network(), relu)
    with pytest.raises(ng.InvalidInputError, match="must be a LinearConvNetwork"):
        ng.prune(relu.empty_network(), linear)
    with pytest.raises(ng.InvalidInputError, match="must be a TwoLayerNetwork, got LinearConvNetwork"):
        ng.prune(linear.empty_network(), relu)


def test_programs_of_every_kind():
    relu, linear = PROBLEMS["dense"]("squared", 0), PROBLEMS["linear"]("squared", 0)
    solved = ng.solve_program(linear.with_beta(0.1), tol=1e-9)
    assert solved.certificate.scope == "exact"
    assert solved.certificate.gap <= 1e-9
    by_steps = ng.solve_program(linear.with_beta(0.1), tol=1e-6, solver="proximal_gradient")
    assert by_steps.certificate.upper == pytest.approx(solved.certificate.upper, rel=1e-5)
    with pytest.raises(ng.InvalidInputError, match="one convex program, without patterns"):
        ng.solve_program(linear, np.ones((1, 8), dtype=bool))
    with pytest.raises(ng.InvalidInputError, match="`patterns` must be given for a ReLU network"):
        ng.solve_program(relu)
    with pytest.raises(ng.InvalidInputError, match=r"`solver` must be one of .* got 'newton'"):
        ng.solve_program(linear, solver="newton")
    with pytest.raises(ng.InvalidInputError, match="over patterns, got 'fourier'"):
        ng.solve_program(relu, ng.enumerate_patterns(relu.X), solver="fourier")
