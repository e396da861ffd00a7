"""The interior-point method on every loss: against CVXPY + Clarabel, at kinks, and far from the start."""

import numpy as np
import pytest
from cases import rough_rows
from registry.losses import ELEMENTWISE

import neuralgauge as ng
from neuralgauge.losses import LOSSES, get_loss


def problem_of(seed, loss, n, d, beta, weighted=False, outputs=None):
    rng = np.random.default_rng(seed)
    X = rough_rows(rng, seed, n, d)
    noise = rng.standard_normal(n if outputs is None else (n, outputs))
    y = {"real": noise, "sign": np.where(noise > 0, 1.0, -1.0), "count": np.floor(np.exp(1.0 + noise))}
    weight = rng.uniform(0.3, 3.0, n) if weighted else None
    targets = rng.dirichlet([0.4] * 3, size=n) if get_loss(loss).coupled else y[get_loss(loss).targets]
    return ng.TrainingProblem(X, targets, beta=beta, loss=loss, bias=seed % 2 == 0, sample_weight=weight)


def agree(problem, patterns, gated=False):
    ours = ng.solve_program(problem, patterns, gated=gated)
    reference = ng.solve_program(problem, patterns, gated=gated, solver="reference")
    assert ours.certificate.upper == pytest.approx(reference.certificate.upper, rel=1e-6, abs=1e-8)
    assert ours.status is ng.Status.SOLVED
    assert ours.certificate.lower <= reference.certificate.upper * (1 + 1e-8)
    assert ours.n_iter <= 30
    return ours


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(
    ("seed", "n", "d", "m"), [(0, 20, 3, 12), (1, 15, 2, 10), (2, 30, 4, 3), (3, 40, 3, 2), (4, 12, 5, 20)]
)
def test_agrees_with_the_reference(loss, gated, seed, n, d, m):
    problem = problem_of(seed, loss, n, d, beta=0.3, weighted=seed % 2 == 1)
    patterns = ng.sample_patterns(problem.X, m, random_state=seed)
    ours = agree(problem, patterns, gated=gated)
    assert ours.certificate.upper < 0.95 * problem.objective(problem.empty_network())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("gated", [False, True])
def test_three_outputs_agree_with_the_reference(loss, gated):
    problem = problem_of(4, loss, 15, 3, beta=0.3, weighted=True, outputs=3)
    patterns = ng.sample_patterns(problem.X, 8, random_state=0)
    ours = agree(problem, patterns, gated=gated)
    assert ours.certificate.upper < 0.95 * problem.objective(problem.empty_network())


@pytest.mark.parametrize("loss", LOSSES)
def test_an_offset_agrees_with_the_reference(loss):
    drawn = problem_of(4, loss, 15, 3, beta=0.5, outputs=None)
    problem = ng.TrainingProblem(drawn.X, drawn.y, beta=0.5, loss=loss, bias=False, offset=True)
    patterns = ng.sample_patterns(problem.X, 8, random_state=0)
    agree(problem, patterns)


@pytest.mark.parametrize("loss", [name for name in ELEMENTWISE if get_loss(name).targets in ("real", "count")])
def test_targets_that_cost_nothing(paper, loss):
    """The network without neurons is optimal, with a loss of 0."""
    X = paper(0.1).X[:, :1]
    y = np.ones(5) if loss == "poisson" else np.zeros(5)
    problem = ng.TrainingProblem(X, y, beta=0.1, loss=loss)
    solution = ng.solve_program(problem, ng.enumerate_patterns(problem.X))
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.upper == solution.certificate.lower == 0.0
    assert solution.network.n_neurons == 0


@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_clipping_the_dual_makes_its_sum_vanish(loss):
    """Under an offset, from sums of either sign and into intervals that are infinite on one side."""
    drawn = problem_of(4, loss, 15, 3, beta=0.5, weighted=True)
    problem = ng.TrainingProblem(
        drawn.X, drawn.y, beta=0.5, loss=loss, bias=False, offset=True, sample_weight=drawn.sample_weight
    )
    noise = np.random.default_rng(1).standard_normal(15)
    for shift in (-3.0, 0.0, 3.0):
        v = problem.fit.project(noise + shift)
        lower, upper = problem.loss.domain(problem.y)
        g = -v / problem.fit.output_weight
        assert abs(v.sum()) <= 1e-13 * np.abs(v).sum()
        assert np.all((lower - 1e-12 <= g) & (g <= upper + 1e-12))


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize("gated", [False, True])
def test_a_small_penalty_is_no_trouble(loss, gated):
    """Nearly every sample sits at a kink of the loss, where its curvature is infinite in the limit."""
    problem = problem_of(0, loss, 20, 3, beta=3e-3, weighted=True)
    solution = ng.solve_program(problem, ng.sample_patterns(problem.X, 12, random_state=0), gated=gated)
    assert solution.status is ng.Status.SOLVED
    assert solution.n_iter <= 40


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("mean", [0.01, 100.0])
def test_counts_far_from_the_start_do_not_overflow(gated, mean):
    """From f = 0 a full Newton step on exp(f) would end at f = 100 and more."""
    rng = np.random.default_rng(0)
    X = 3.0 * rng.standard_normal((40, 3))
    problem = ng.TrainingProblem(X, rng.poisson(mean * np.exp(X[:, 0] / 3)), beta=1.0, loss="poisson")
    solution = ng.solve_program(problem, ng.sample_patterns(problem.X, 10), gated=gated)
    assert solution.status is ng.Status.SOLVED
    assert solution.n_iter <= 25


def test_indicator_pieces_need_smoothing(paper):
    class Barrier(ng.Squared):
        def pieces(self, y):
            return ng.Pieces(np.ones((1, *y.shape)), -y[None], smoothing=0.0, epigraph=False)

    points = paper(0.1)
    problem = ng.TrainingProblem(points.X, points.y, beta=0.1, loss=Barrier(), bias=False)
    with pytest.raises(ng.InvalidInputError, match="`smoothing` of pieces without epigraph must be > 0"):
        ng.solve_program(problem, ng.enumerate_patterns(problem.X))


def test_the_reference_refuses_losses_it_does_not_know(paper):
    class Mine:
        name, targets, coupled = "mine", "real", False
        value, gradient, hessian = ng.Squared().value, ng.Squared().gradient, ng.Squared().hessian
        conjugate, domain = ng.Squared().conjugate, ng.Squared().domain

    points = paper(0.1)
    problem = ng.TrainingProblem(points.X, points.y, beta=0.1, loss=Mine(), bias=False)
    with pytest.raises(ng.InvalidInputError, match=r"knows the losses of this package .* got 'mine'"):
        ng.solve_program(problem, ng.enumerate_patterns(problem.X), solver="reference")
