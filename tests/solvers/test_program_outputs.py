"""Convex programs with several outputs and with an output offset: agreement with CVXPY + Clarabel, feasibility."""

import numpy as np
import pytest
from cases import targets_of
from registry.losses import ELEMENTWISE

import neuralgauge as ng
from neuralgauge.losses import LOSSES
from neuralgauge.solvers.interior_point import InteriorPoint


def problem_of(loss, c, offset, seed=0, n=20, beta=0.4):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, 2)), targets_of(loss, rng.standard_normal((n, c)))
    weight = rng.uniform(0.5, 2.0, n) if seed % 2 else None
    return ng.TrainingProblem(X, y, beta=beta, loss=loss, offset=offset, sample_weight=weight)


def agree(problem, patterns, **options):
    ours = ng.solve_program(problem, patterns, **options)
    reference = ng.solve_program(problem, patterns, solver="reference", **options)
    scale = max(reference.certificate.upper, 1e-3)
    assert ours.certificate.upper == pytest.approx(reference.certificate.upper, abs=1e-6 * scale)
    assert ours.certificate.lower <= reference.certificate.upper + 1e-7 * scale
    assert ours.certificate.upper - ours.certificate.lower <= 1e-6 * scale
    assert ours.n_iter <= 45
    return ours


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize(("gated", "m"), [(False, 6), (True, 5), (False, 30)])
def test_one_output_with_an_offset(loss, gated, m):
    problem = problem_of(loss, 1, True)
    solution = agree(problem, ng.sample_patterns(problem.X, m), gated=gated)
    if not gated:
        assert problem.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize(("gated", "m"), [(False, 4), (True, 4), (False, 15)])
def test_three_outputs(loss, offset, gated, m):
    """Random directions; few blocks use the block form of the Newton system, many the sample form."""
    problem = problem_of(loss, 3, offset, seed=m)
    patterns = ng.sample_patterns(problem.X, m)
    G = np.random.default_rng(0).standard_normal((len(patterns), 3))
    solution = agree(problem, patterns, directions=G, gated=gated)
    if not gated:
        assert problem.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-9)
        slack = np.where(patterns.dense(), 1.0, -1.0) * (solution.blocks @ problem.X.T)
        assert slack.min() >= -1e-8 * max(np.abs(solution.blocks).max(), 1e-12)


def test_default_directions_are_the_axes():
    problem = problem_of("squared", 2, False)
    patterns = ng.enumerate_patterns(problem.X[:6])
    small = ng.TrainingProblem(problem.X[:6, :-1], problem.y[:6], beta=0.4)
    together = ng.solve_program(small, patterns)
    assert together.blocks.shape == (4 * len(patterns), 3)
    apart = [
        ng.solve_program(ng.TrainingProblem(problem.X[:6, :-1], problem.y[:6, k], beta=0.4), patterns) for k in (0, 1)
    ]
    assert together.certificate.upper == pytest.approx(sum(s.certificate.upper for s in apart), rel=1e-7)


def test_gated_network_predicts_what_the_program_says():
    problem = problem_of("squared", 3, True)
    patterns = ng.sample_patterns(problem.X, 8)
    G = np.random.default_rng(1).standard_normal((8, 3))
    solution = ng.solve_program(problem, patterns, directions=G, gated=True)
    f = solution.network.predict(problem.X[:, :-1])
    penalty = problem.beta * np.linalg.norm(solution.blocks, axis=1).sum()
    assert problem.fit.value(f) + penalty == pytest.approx(solution.certificate.upper, rel=1e-9)


@pytest.mark.parametrize(
    "directions", [np.ones((3, 2)), np.zeros((4, 3)), np.full((4, 3), np.nan), np.ones(4)], ids=range(4)
)
def test_directions_of_the_wrong_kind(directions):
    problem = problem_of("squared", 3, False)
    with pytest.raises(ng.InvalidInputError, match=r"`directions` must have shape \(4, 3\)"):
        ng.solve_program(problem, ng.sample_patterns(problem.X, 4), directions=directions)


@pytest.mark.parametrize("loss", ["squared", "softmax", "hinge"])
def test_both_forms_of_the_newton_system_agree(loss):
    """The same first step from the block form and from the sample form."""
    from neuralgauge.patterns.strategies import interior_vectors
    from neuralgauge.programs.block import BlockProgram

    problem, rng = problem_of(loss, 3, True, n=12), np.random.default_rng(0)
    witnesses = interior_vectors(problem.X, rng.standard_normal((6, 3)), rng)
    G = rng.standard_normal((6, 3))
    program = BlockProgram(problem, witnesses @ problem.X.T >= 0, G / np.linalg.norm(G, axis=1, keepdims=True))
    points = []
    for by_samples in (False, True):
        method = InteriorPoint(program, witnesses)
        method.system.small_side_is_samples = by_samples
        points.append([iterate for _, iterate in zip(range(4), method, strict=False)][-1])
    np.testing.assert_allclose(points[0].W, points[1].W, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(points[0].g, points[1].g, rtol=1e-6, atol=1e-8)
    shift = 0.0 if loss != "softmax" else points[0].offset.mean() - points[1].offset.mean()
    np.testing.assert_allclose(points[0].offset, points[1].offset + shift, rtol=1e-5, atol=1e-6)
