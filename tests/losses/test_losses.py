"""Contracts that every loss keeps."""

from decimal import localcontext

import numpy as np
import pytest
from registry.losses import FORMULAS, VARIANTS, to_decimal
from scipy.optimize import minimize

import neuralgauge as ng
from neuralgauge.losses import LOSSES, SmoothLoss, get_loss

EPS = np.finfo(float).eps
PARTS = [*LOSSES.values(), *VARIANTS]
ELEMENTWISE = [loss for loss in PARTS if not loss.coupled]


def label(loss):
    return f"{loss.name}-{getattr(loss, 'delta', getattr(loss, 'level', getattr(loss, 'epsilon', '')))}"


every_loss = pytest.mark.parametrize("loss", PARTS, ids=label)
every_smooth_loss = pytest.mark.parametrize("loss", [loss for loss in PARTS if hasattr(loss, "hessian")], ids=label)
every_elementwise_loss = pytest.mark.parametrize("loss", ELEMENTWISE, ids=label)


def outputs_and_targets(loss, n=200):
    rng = np.random.default_rng(4)
    if loss.targets == "simplex":
        y = rng.dirichlet([0.3, 0.5, 1.0], size=n)
        y[: n // 2] = np.eye(3)[rng.integers(3, size=n // 2)]
        return 3.0 * rng.standard_normal((n, 3)), y
    y = {
        "real": rng.standard_normal(n),
        "sign": np.where(rng.random(n) > 0.5, 1.0, -1.0),
        "count": rng.poisson(2.0, size=n) * rng.choice([1.0, 0.37], size=n),
    }[loss.targets]
    return 3.0 * rng.standard_normal(n), y


def total(values):
    """Over the outputs of a sample."""
    return values if values.ndim == 1 else values.sum(axis=1)


def inside(loss, y, seed=5):
    """Points of the domain, those of softmax with rows that sum to zero."""
    rng = np.random.default_rng(seed)
    if loss.targets == "simplex":
        return rng.dirichlet([0.5] * 3, size=len(y)) - y
    lower, upper = loss.domain(y)
    low, high = np.maximum(lower, -10.0), np.minimum(upper, 10.0)
    return low + rng.random(len(y)) * (high - low)


def functions(loss):
    """Of outputs and targets: value, gradient, and the second derivative where there is one."""
    return [loss.value, loss.gradient, *([loss.hessian] if hasattr(loss, "hessian") else [])]


@every_loss
def test_a_loss_is_smooth_or_has_pieces(loss):
    assert isinstance(loss, SmoothLoss | ng.PiecewiseLoss)


@every_loss
def test_gradient_against_differences(loss):
    f, y = outputs_and_targets(loss)
    step = 1e-6
    for k in range(3 if loss.coupled else 1):
        shift = step * np.eye(3)[k] if loss.coupled else step
        differences = (loss.value(f + shift, y) - loss.value(f - shift, y)) / (2 * step)
        gradient = loss.gradient(f, y)[:, k] if loss.coupled else loss.gradient(f, y)
        np.testing.assert_allclose(gradient, differences, atol=1e-8, rtol=1e-7)


@every_smooth_loss
def test_hessian_against_differences(loss):
    f, y = outputs_and_targets(loss)
    step = 1e-5
    for k in range(3 if loss.coupled else 1):
        shift = step * np.eye(3)[k] if loss.coupled else step
        differences = (loss.gradient(f + shift, y) - loss.gradient(f - shift, y)) / (2 * step)
        hessian = loss.hessian(f, y)[:, :, k] if loss.coupled else loss.hessian(f, y)
        np.testing.assert_allclose(hessian, differences, atol=1e-9, rtol=1e-7)


def test_hessian_root_squares_to_the_hessian():
    loss = ng.Softmax()
    f, y = outputs_and_targets(loss)
    root = loss.hessian_root(f, y)
    np.testing.assert_allclose(root @ root.transpose(0, 2, 1), loss.hessian(f, y), atol=1e-15)


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
    g = inside(loss, y)
    assert np.all(loss.value(f, y) + loss.conjugate(g, y) >= total(g * f) - 1e-12)


@every_loss
def test_fenchel_young_equality_at_the_gradient(loss):
    f, y = outputs_and_targets(loss)
    g = loss.gradient(f, y)
    lower, upper = loss.domain(y)
    assert np.all((lower <= g) & (g <= upper))
    np.testing.assert_allclose(loss.value(f, y) + loss.conjugate(g, y), total(g * f), atol=1e-12, rtol=1e-13)


@every_elementwise_loss
def test_conjugate_is_the_largest_of_g_f_minus_value(loss):
    """On a grid of f, inside the domain; just outside, g f - value grows without bound."""
    grid = np.linspace(-40.0, 40.0, 160_001)
    for target in {"count": (0.0, 0.2, 3.0)}.get(loss.targets, (-1.0, 1.0)):
        y = np.full_like(grid, target)
        lower, upper = (bound[0] for bound in loss.domain(y))
        for g in np.linspace(max(lower, -2.0), min(upper, 2.0), 9):
            largest = np.max(g * grid - loss.value(grid, y))
            assert loss.conjugate(np.array([g]), np.array([target]))[0] == pytest.approx(largest, abs=1e-6)
        far = np.array([-1e6, 1e6])
        for g in (lower - 0.1, upper + 0.1):
            if np.isfinite(g):
                assert np.max(g * far - loss.value(far, y[:2])) > 1e4


def test_conjugate_of_softmax_is_the_largest_of_g_f_minus_value():
    loss = ng.Softmax()
    _, y = outputs_and_targets(loss, 8)
    g = inside(loss, y)
    for row in range(8):
        one, dual = y[row : row + 1], g[row]

        def negative(f, one=one, dual=dual):
            return loss.value(f[None], one)[0] - dual @ f, loss.gradient(f[None], one)[0] - dual

        found = minimize(negative, np.zeros(3), jac=True, tol=1e-12)
        assert loss.conjugate(g[row : row + 1], one)[0] == pytest.approx(-found.fun, abs=1e-8)


def test_domain_of_softmax_is_tight():
    """Outside the box, or with a row that does not sum to zero, g f - value grows without bound."""
    loss, y = ng.Softmax(), np.array([[0.5, 0.5, 0.0]])
    lower, upper = loss.domain(y)
    assert lower.tolist() == [[-0.5, -0.5, 0.0]]
    assert upper.tolist() == [[0.5, 0.5, 1.0]]
    for g, ray in (([-0.6, 0.4, 0.2], [-1.0, 0.0, 0.0]), ([0.1, 0.0, 0.0], [1.0, 1.0, 1.0])):
        f = 1e6 * np.array([ray])
        assert g @ f[0] - loss.value(f, y)[0] > 9e4


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-8, 1e-14])
@every_loss
def test_conjugate_keeps_its_digits(loss, size):
    """Within the rounding that lower bounds allow for, also for tiny g, against 80 digits."""
    _, y = outputs_and_targets(loss, 60)
    y = y[np.isin(y, (0.0, 1.0)).all(axis=1)] if loss.coupled else y  # labels
    g = size * inside(loss, y)
    with localcontext(prec=80):
        pairs = zip(to_decimal(g), to_decimal(y), strict=True)
        exact = [float(FORMULAS[loss.name].conjugate(*pair, loss)) for pair in pairs]
    terms = loss.conjugate(g, y)
    allowed = 32 * EPS * (np.abs(terms) + total(np.abs(g * y) + g * g))
    assert np.all(np.abs(terms - exact) <= allowed)


@every_loss
def test_extreme_outputs_are_no_trouble(loss):
    """Finite, or for the exponential inf; never nan, and no warning."""
    f, y = np.array([-1e4, 1e4, 0.0, -1e4, 1e4]), np.array([1.0, 1.0, -1.0, -1.0, -1.0])
    y = np.abs(y) if loss.targets == "count" else y
    if loss.coupled:
        f, y = np.stack([f, -f, 0.0 * f], axis=1), np.eye(3)[[0, 1, 2, 0, 1]]
    for values in (function(f, y) for function in functions(loss)):
        assert not np.any(np.isnan(values))
        assert loss.name == "poisson" or np.all(np.isfinite(values))
    if loss.coupled:
        return
    for bound in loss.domain(y):
        assert np.all(np.isfinite(loss.conjugate(np.where(np.isfinite(bound), bound, 0.0), y)))


def test_poisson_at_the_ends_of_the_numbers():
    loss, y = ng.Poisson(), np.array([0.0, 5e-324, 1e-300, 1e10])
    for f in (-1e308, -800.0, 800.0, 1e308):
        value = loss.value(np.full(4, f), y)
        assert not np.any(np.isnan(value))
        assert np.all(value >= 0)
    for g in (0.0, 1e-320, 1.0, 1e300):
        assert np.all(np.isfinite(loss.conjugate(np.full(4, g), y)))
    assert np.all(np.isfinite(loss.conjugate(-y, y)))


def test_poisson_value_keeps_its_digits_near_the_minimum():
    y = np.array([3.0])
    assert ng.Poisson().value(np.log(y) + 1e-7, y)[0] == pytest.approx(1.5e-14, rel=1e-6)


@every_loss
def test_arguments_are_left_alone(loss):
    f, y = outputs_and_targets(loss)
    for array in (f, y):
        array.setflags(write=False)
    samples = f.shape[:1] if loss.coupled else f.shape
    results = [loss.conjugate(0.0 * f, y), *(function(f, y) for function in functions(loss))]
    for result, shape in zip(results, (samples, samples, f.shape, f.shape + f.shape[1:]), strict=False):
        assert result.shape == shape
        assert result.dtype == np.float64


@every_elementwise_loss
def test_several_outputs_are_each_on_their_own(loss):
    f, y = outputs_and_targets(loss)
    wide, targets = f.reshape(-1, 4), y.reshape(-1, 4)
    for method in functions(loss):
        np.testing.assert_array_equal(method(wide, targets).ravel(), method(f, y))
    np.testing.assert_array_equal(loss.conjugate(0 * wide, targets).ravel(), loss.conjugate(0 * f, y))
    for bound, flat in zip(loss.domain(targets), loss.domain(y), strict=True):
        np.testing.assert_array_equal(bound.ravel(), flat)
    if isinstance(loss, ng.PiecewiseLoss):
        assert loss.pieces(targets).slopes.shape[1:] == targets.shape


@pytest.mark.parametrize("loss", [loss for loss in PARTS if isinstance(loss, ng.PiecewiseLoss)], ids=label)
def test_pieces_have_the_value_as_their_envelope(loss):
    """The best t on a fine grid; without smoothing t = f."""
    f, y = outputs_and_targets(loss, 40)
    pieces = loss.pieces(y)
    if pieces.smoothing == 0:
        largest = (pieces.slopes * f + pieces.intercepts).max(axis=0)
        np.testing.assert_allclose(largest, loss.value(f, y), atol=1e-15)
        return
    t = np.linspace(-20.0, 20.0, 100_001)[:, None]
    lines = (pieces.slopes[:, None] * t + pieces.intercepts[:, None]).max(axis=0)
    q = lines if pieces.epigraph else np.where(lines <= 0, 0.0, np.inf)
    envelope = (q + (f - t) ** 2 / (2 * pieces.smoothing)).min(axis=0)
    np.testing.assert_allclose(envelope, loss.value(f, y), atol=5e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ng.Huber(0.0), "`delta` must be finite and > 0, got 0.0"),
        (lambda: ng.Huber(delta="wide"), "`delta` must be a number > 0, got 'wide'"),
        (lambda: ng.Quantile(1.0), "`level` must be > 0 and < 1, got 1.0"),
        (lambda: ng.Quantile(-0.5), "`level` must be finite and > 0, got -0.5"),
        (lambda: ng.EpsilonInsensitive(-1.0), "`epsilon` must be finite and >= 0, got -1.0"),
        (lambda: ng.EpsilonInsensitive(np.nan), "`epsilon` must be finite and >= 0, got nan"),
    ],
)
def test_parameters_are_checked(make, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        make()


def test_logistic_hessian_does_not_vanish_too_soon():
    """expit(f) (1 - expit(f)) would be 0 from f = 37 on."""
    assert ng.Logistic().hessian(np.array([50.0]), np.array([1.0]))[0] == pytest.approx(np.exp(-50.0), rel=1e-12)


def test_two_classes_of_softmax_are_the_logistic_loss():
    f = np.random.default_rng(0).standard_normal((20, 2)) * 5
    y = np.eye(2)[np.arange(20) % 2]
    signs = y[:, 0] - y[:, 1]
    np.testing.assert_allclose(ng.Softmax().value(f, y), ng.Logistic().value(f[:, 0] - f[:, 1], signs), atol=1e-13)


def test_losses_by_name():
    assert get_loss("hinge") == ng.Hinge()
    assert get_loss("huber") == ng.Huber(delta=1.0)
    mine = ng.Squared()
    assert get_loss(mine) is mine
    with pytest.raises(ng.InvalidInputError, match=r"one of \['absolute', .*'squared_hinge'\].*got 'magic'"):
        get_loss("magic")
