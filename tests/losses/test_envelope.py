"""Losses with rounded kinks: against the minimum that defines them, differences, and the conjugate."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import neuralgauge as ng
from neuralgauge.losses import LOSSES, Pieces
from neuralgauge.losses.datafit import DataFit
from neuralgauge.losses.envelope import Envelope, is_kinked


@dataclass(frozen=True)
class Random:
    """The largest of some affine functions, of which some are nowhere the largest and two have one slope."""

    seed: int
    smoothing: float = 0.0
    name: str = "random"
    targets: str = "real"
    coupled: bool = False

    def pieces(self, y):
        rng = np.random.default_rng(self.seed)
        slopes = np.append(rng.uniform(-2.0, 2.0, 4), 0.0)
        slopes[3] = slopes[2]
        intercepts = np.append(rng.uniform(-1.0, 0.5, 4), 0.0)
        shape = (5,) + (1,) * y.ndim
        slopes = np.broadcast_to(slopes.reshape(shape), (5, *y.shape)).copy()
        return Pieces(slopes, intercepts.reshape(shape) - slopes * y, self.smoothing)

    def value(self, f, y):
        slopes, intercepts, _, _ = self.pieces(y)
        return np.max(slopes * f + intercepts, axis=0)

    def gradient(self, f, y):
        slopes, intercepts, _, _ = self.pieces(y)
        return np.take_along_axis(slopes, np.argmax(slopes * f + intercepts, axis=0)[None], axis=0)[0]

    def domain(self, y):
        slopes = self.pieces(y).slopes
        return slopes.min(axis=0), slopes.max(axis=0)


KINKED = [ng.Absolute(), ng.Quantile(0.9), ng.EpsilonInsensitive(0.3), ng.Hinge(), Random(0), Random(1), Random(2)]


def data_of(loss):
    rng = np.random.default_rng(0)
    f, y = rng.uniform(-3.0, 3.0, 60), rng.standard_normal(60)
    return f, np.sign(y) if loss.targets == "sign" else y


@pytest.mark.parametrize("loss", KINKED, ids=repr)
@pytest.mark.parametrize("width", [1e-3, 0.4, 5.0])
def test_it_is_the_minimum_that_defines_it(loss, width):
    f, y = data_of(loss)
    value = Envelope(loss, width).value(f, y)
    for fi, yi, found in zip(f, y, value, strict=True):
        least = minimize_scalar(
            lambda t, fi=fi, yi=yi: float(loss.value(np.array([t]), np.array([yi]))[0]) + (fi - t) ** 2 / (2.0 * width),
            bounds=(fi - 2.1 * width, fi + 2.1 * width),
            method="bounded",
            options={"xatol": 1e-12},
        )
        assert found == pytest.approx(least.fun, abs=1e-7)
    steepest = np.maximum(*(np.abs(end) for end in loss.domain(y)))
    assert np.all(value <= loss.value(f, y) + 1e-12)
    assert np.all(value >= loss.value(f, y) - 0.5 * width * steepest**2 - 1e-12)


@pytest.mark.parametrize("loss", KINKED, ids=repr)
def test_derivatives_are_differences(loss):
    f, y = data_of(loss)
    envelope, h = Envelope(loss, 0.4), 1e-6
    slope = (envelope.value(f + h, y) - envelope.value(f - h, y)) / (2 * h)
    np.testing.assert_allclose(envelope.gradient(f, y), slope, atol=1e-8)
    bend = (envelope.gradient(f + h, y) - envelope.gradient(f - h, y)) / (2 * h)
    np.testing.assert_allclose(envelope.hessian(f, y), bend, atol=1e-8)
    assert set(envelope.hessian(f, y)) == {0.0, 2.5}


@pytest.mark.parametrize("loss", KINKED[:4], ids=repr)
def test_gradients_are_dual_points_of_the_loss(loss):
    f, y = data_of(loss)
    envelope = Envelope(loss, 0.4)
    g = envelope.gradient(f, y)
    lower, upper = loss.domain(y)
    assert np.all((lower <= g) & (g <= upper))
    np.testing.assert_allclose(envelope.value(f, y) + envelope.conjugate(g, y), g * f, atol=1e-12)


def test_pieces_that_are_smoothed_already_become_smoother():
    f, y = data_of(ng.Absolute())
    twice = Envelope(Random(0, smoothing=0.3), 0.4)
    once = Envelope(Random(0), 0.7)
    np.testing.assert_allclose(twice.value(f, y), once.value(f, y), rtol=1e-14)
    assert twice.pieces(y).smoothing == once.pieces(y).smoothing == 0.7


def test_which_losses_are_kinked():
    names = {name for name, loss in LOSSES.items() if is_kinked(loss)}
    assert names == {"absolute", "quantile", "epsilon_insensitive", "hinge"}


def test_fits_round_kinks_and_leave_smooth_losses():
    y, weight = np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, 0.5])
    fit = DataFit.of(y, 3, ng.Quantile(0.9), sample_weight=weight)
    f = np.array([1.1, -2.0, 3.0])
    assert fit.rounded(0.3).value(f) == pytest.approx(weight @ Envelope(ng.Quantile(0.9), 0.3).value(f, y))
    assert fit.steepness == pytest.approx(3.5 * 0.81)
    smooth = DataFit.of(y, 3, "squared")
    assert smooth.rounded(0.3) is smooth
    assert smooth.steepness == np.inf
