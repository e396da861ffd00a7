"""The curvature between outputs and dual variable: a descent direction, the second derivative at the solution."""

import numpy as np
import pytest
from cases import own_loss, targets_of

import neuralgauge as ng
from neuralgauge.losses import get_loss
from neuralgauge.solvers._secant import secant_curvature

SMOOTH = pytest.mark.parametrize(
    "loss", [own_loss(), *map(get_loss, ("squared", "poisson", "logistic"))], ids=lambda loss: loss.name
)


def pairs(loss, rng, n=400):
    """Outputs f, targets, and the outputs f* of a dual variable, up to 10 apart, not where it is flat."""
    y = targets_of(loss, rng.standard_normal((n, 1)))
    f = rng.uniform(-4, 4, n)
    return f, y, np.clip(f + rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-4, 1, n), y - 8.0, y + 8.0)


@SMOOTH
def test_it_is_the_secant(loss, rng):
    f, y, f_star = pairs(loss, rng)
    gradient, g = loss.gradient(f, y), loss.gradient(f_star, y)
    found = secant_curvature(loss, f, y, gradient, g)
    np.testing.assert_allclose(found, (gradient - g) / (f - f_star), rtol=0.2)


@SMOOTH
def test_the_direction_lowers_the_gap_of_fenchel_and_young(loss, rng):
    f, y, f_star = pairs(loss, rng)
    gradient, g = loss.gradient(f, y), loss.gradient(f_star, y)
    df = 100.0 * rng.standard_normal(len(f))  # whatever the rest of the program asks for
    dg = gradient - g + secant_curvature(loss, f, y, gradient, g) * df
    slope = (gradient - g) * df + (f_star - f) * dg
    allowed = 0.2 * np.abs((gradient - g) * df)  # the secant is known to some per cent
    assert np.all(slope <= allowed + 1e-9)


@SMOOTH
def test_it_is_the_second_derivative_where_the_gradient_is_met(loss, rng):
    f, y, _ = pairs(loss, rng)
    gradient = loss.gradient(f, y)
    np.testing.assert_array_equal(secant_curvature(loss, f, y, gradient, gradient), loss.hessian(f, y))


def test_a_dual_variable_outside_the_domain_leaves_the_second_derivative():
    loss, f, y = ng.Logistic(), np.zeros(2), np.ones(2)
    found = secant_curvature(loss, f, y, loss.gradient(f, y), np.array([0.5, -1.5]))
    np.testing.assert_array_equal(found, loss.hessian(f, y))


@pytest.mark.parametrize("scale", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("gated", [False, True])
def test_targets_far_from_the_start_cost_few_iterations(scale, gated):
    """There log cosh is affine up to rounding, and its second derivative 0."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 3)), scale * rng.standard_t(2, 40)
    problem = ng.TrainingProblem(X, y, beta=0.1, loss=own_loss())
    solution = ng.solve_program(problem, ng.sample_patterns(problem.X, 20, random_state=0), gated=gated)
    assert solution.status is ng.Status.SOLVED
    assert solution.n_iter <= 25


@pytest.mark.parametrize("loss", [own_loss(), get_loss("logistic")], ids=lambda loss: loss.name)
@pytest.mark.parametrize("seed", range(4))
def test_filters_too(loss, seed):
    """The interior points of linear convolutions, with filters shorter than the signal and as long."""
    rng = np.random.default_rng(seed)
    X, y = 3.0 * rng.standard_normal((30, 12)), targets_of(loss, 5.0 * rng.standard_t(2, (30, 1)))
    for size, options in ((4, {}), (12, {"padding": "same", "padding_mode": "circular"})):
        problem = ng.LinearConvProblem(X, y, beta=0.1, loss=loss, filter_size=size, **options)
        solution = ng.train(problem, gap=1e-6)
        assert solution.status is ng.Status.SOLVED
        assert solution.n_iter <= 35
