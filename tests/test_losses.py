"""Contracts that every loss keeps."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.losses import LOSSES, PiecewiseLinearLoss, get_loss

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


def outputs_and_targets(loss, n=200):
    rng = np.random.default_rng(4)
    y = rng.standard_normal(n) if loss.targets == "real" else np.where(rng.random(n) > 0.5, 1.0, -1.0)
    return 3.0 * rng.standard_normal(n), y


@every_loss
def test_gradient_against_differences(loss):
    f, y = outputs_and_targets(loss)
    step = 1e-6
    differences = (loss.value(f + step, y) - loss.value(f - step, y)) / (2 * step)
    np.testing.assert_allclose(loss.gradient(f, y), differences, atol=1e-8)


@every_loss
def test_hessian_against_differences(loss):
    f, y = outputs_and_targets(loss)
    step = 1e-5
    differences = (loss.gradient(f + step, y) - loss.gradient(f - step, y)) / (2 * step)
    np.testing.assert_allclose(loss.hessian(f, y), differences, atol=1e-9)


@every_loss
def test_convex_and_not_negative(loss):
    f, y = outputs_and_targets(loss)
    other = f[::-1]
    between = loss.value(0.3 * f + 0.7 * other, y)
    assert np.all(between <= 0.3 * loss.value(f, y) + 0.7 * loss.value(other, y) + 1e-12)
    assert np.all(loss.value(f, y) >= 0)


@every_loss
def test_fenchel_young_inequality(loss):
    f, y = outputs_and_targets(loss)
    lower, upper = loss.domain(y)
    fraction = np.random.default_rng(5).random(len(f))
    low, high = np.maximum(lower, -10.0), np.minimum(upper, 10.0)
    g = low + fraction * (high - low)
    assert np.all(loss.value(f, y) + loss.conjugate(g, y) >= g * f - 1e-12)


@every_loss
def test_fenchel_young_equality_at_the_gradient(loss):
    f, y = outputs_and_targets(loss)
    g = loss.gradient(f, y)
    lower, upper = loss.domain(y)
    assert np.all((lower <= g) & (g <= upper))
    np.testing.assert_allclose(loss.value(f, y) + loss.conjugate(g, y), g * f, atol=1e-12)


@every_loss
def test_conjugate_is_the_largest_of_g_f_minus_value(loss):
    """On a grid of f, inside the domain; just outside, g f - value grows without bound."""
    grid = np.linspace(-40.0, 40.0, 160_001)
    for target in (-1.0, 1.0):
        y = np.full_like(grid, target)
        lower, upper = (bound[0] for bound in loss.domain(y))
        for g in np.linspace(max(lower, -2.0), min(upper, 2.0), 9):
            largest = np.max(g * grid - loss.value(grid, y))
            assert loss.conjugate(np.array([g]), np.array([target]))[0] == pytest.approx(largest, abs=1e-6)
        far = np.array([-1e6, 1e6])
        for g in (lower - 0.1, upper + 0.1):
            if np.isfinite(g):
                assert np.max(g * far - loss.value(far, y[:2])) > 1e4


@every_loss
def test_extreme_outputs_stay_finite(loss):
    f, y = np.array([-1e4, 1e4, 0.0, -1e4, 1e4]), np.array([1.0, 1.0, -1.0, -1.0, -1.0])
    for values in (loss.value(f, y), loss.gradient(f, y), loss.hessian(f, y)):
        assert np.all(np.isfinite(values))
    for bound in loss.domain(y):
        assert np.all(np.isfinite(loss.conjugate(np.where(np.isfinite(bound), bound, 0.0), y)))


@every_loss
def test_arguments_are_left_alone(loss):
    f, y = outputs_and_targets(loss)
    for array in (f, y):
        array.setflags(write=False)
    for result in (loss.value(f, y), loss.gradient(f, y), loss.hessian(f, y), loss.conjugate(0.0 * f, y)):
        assert result.shape == f.shape
        assert result.dtype == np.float64


@pytest.mark.parametrize("loss", [loss for loss in LOSSES.values() if isinstance(loss, PiecewiseLinearLoss)])
def test_pieces_have_the_value_as_their_maximum(loss):
    f, y = outputs_and_targets(loss)
    slopes, intercepts = loss.pieces(y)
    np.testing.assert_allclose((slopes * f + intercepts).max(axis=0), loss.value(f, y), atol=1e-15)


def test_logistic_hessian_does_not_vanish_too_soon():
    """expit(f) (1 - expit(f)) would be 0 from f = 37 on."""
    assert ng.Logistic().hessian(np.array([50.0]), np.array([1.0]))[0] == pytest.approx(np.exp(-50.0), rel=1e-12)


def test_losses_by_name():
    assert get_loss("hinge") == ng.Hinge()
    mine = ng.Squared()
    assert get_loss(mine) is mine
    with pytest.raises(ng.InvalidInputError, match=r"one of \['hinge', 'logistic', 'squared'\].*got 'huber'"):
        get_loss("huber")
