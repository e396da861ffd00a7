"""The passes of searches, against the formula and finite differences."""

import numpy as np
import pytest

from neuralgauge.features.rows import DenseFeatures
from neuralgauge.problems.conv import ReLUConvProblem


def smoothed(z, width):
    """The activation by its definition."""
    return np.where(np.abs(z) < width, (z + width) ** 2 / (4 * np.maximum(width, 1e-300)), np.maximum(z, 0.0))


def squares(targets):
    def of(samples):
        return lambda f: (0.5 * float(np.sum((f - targets[samples]) ** 2)), f - targets[samples])

    return of


def features_of(kind, rng):
    if kind == "dense":
        return DenseFeatures(rng.standard_normal((70, 5)))
    images = rng.standard_normal((20, 6, 1))
    return ReLUConvProblem(images, np.arange(20.0), beta=1.0, filter_size=3).features


@pytest.mark.parametrize("kind", ["dense", "pooled patches"])
@pytest.mark.parametrize("scale", [1.0, 1e-40, 1e40])
@pytest.mark.parametrize("c", [1, 3])
def test_value_and_gradients(kind, scale, c):
    rng = np.random.default_rng(0)
    features = features_of(kind, rng)
    U, A = rng.standard_normal((features.d, 7)) / scale, rng.standard_normal((7, c)) * scale
    width = rng.uniform(0.0, 0.6, 7) / scale
    heads = squares(rng.standard_normal((features.n, c)) * scale)

    def by_formula(U, A, width):
        hidden = smoothed(features.dense() @ U, width)
        return heads(slice(None))(features.readout.outputs(hidden, A))[0]

    value, *gradients = features.smoothed.value_and_gradient(U, A, width, heads)
    by_U, by_A, _, by_width = gradients
    assert value == pytest.approx(by_formula(U, A, width), rel=1e-5)
    arguments, slopes = [U, A, width], [by_U, by_A, by_width]
    for index, slope in enumerate(slopes):
        step = 1e-4 * rng.standard_normal(slope.shape) * np.abs(arguments[index]).max()
        ends = [by_formula(*(x + t * step if k == index else x for k, x in enumerate(arguments))) for t in (1, -1)]
        assert np.sum(slope * step) == pytest.approx((ends[0] - ends[1]) / 2, rel=1e-2, abs=1e-6 * abs(value))


def test_without_width_it_is_the_relu():
    rng = np.random.default_rng(1)
    features = DenseFeatures(rng.standard_normal((500, 4)))
    U, A, heads = rng.standard_normal((4, 9)), rng.standard_normal((9, 2)), squares(rng.standard_normal((500, 2)))
    found = features.smoothed.value_and_gradient(U, A, np.zeros(9), heads)
    expected = features.value_and_gradient(U, A, heads)
    for mine, other in zip(found[:4], expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-3)


def test_values_that_are_not_finite_have_no_gradient():
    features = DenseFeatures(np.ones((3, 1)))
    value, *gradients = features.smoothed.value_and_gradient(
        np.ones((1, 1)), np.ones((1, 1)), np.zeros(1), lambda samples: lambda f: (np.inf, f)
    )
    assert value == np.inf
    assert all(np.all(g == 0.0) for g in gradients)


@pytest.mark.parametrize("kind", ["dense", "pooled patches"])
def test_curvature_in_the_weights_of_columns(kind):
    rng = np.random.default_rng(2)
    features = features_of(kind, rng)
    U, G, w = rng.standard_normal((features.d, 6)), np.sign(rng.standard_normal((6, 1))), rng.uniform(0, 1, 6)
    weight = rng.uniform(0.5, 2.0, (features.n, 1))

    def heads(samples):
        s = weight[samples]
        return lambda f: (0.5 * float(np.sum(s * f**2)), s * f, s)

    columns = np.column_stack([features.atoms(U, G), np.ones(features.n)])
    f = columns[:, :-1] @ w
    value, gradient, hessian = features.smoothed.curvature(U, G, w, heads)
    assert value == pytest.approx(0.5 * np.sum(weight[:, 0] * f**2), rel=1e-5)
    np.testing.assert_allclose(gradient, columns.T @ (weight[:, 0] * f), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(hessian, columns.T @ (weight * columns), rtol=1e-4, atol=1e-3)
