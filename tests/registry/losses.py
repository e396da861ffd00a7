"""The registry of losses: each by its plain formulas, in decimal digits, in floating point, and for CVXPY.

No formula here comes from the package, so that what it claims is checked by other means. A new loss adds its entry to
`FORMULAS`, and other parameters than the default ones to `VARIANTS`.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import cvxpy as cp
import numpy as np
from scipy.special import expit, logsumexp, softmax, xlog1py, xlogy

import neuralgauge as ng
from neuralgauge.losses import LOSSES

EXACT = decimal.Context(prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
ZERO, ONE, HALF, TENTH = Decimal(0), Decimal(1), Decimal("0.5"), Decimal.from_float(0.1)


@dataclass(frozen=True)
class Formula:
    """A loss with its default parameters, but for the conjugate.

    `exact` and `conjugate` are of one entry (for softmax one row) in decimals, `value` and `gradient` of arrays,
    `convex` of CVXPY's expressions.
    """

    targets: str
    exact: Callable[[Any, Any], Decimal]
    value: Callable[[Any, Any], Any]
    gradient: Callable[[Any, Any], Any]
    convex: Callable[[Any, Any], Any]
    conjugate: Callable[[Any, Any, Any], Decimal]


def to_decimal(values: Any) -> Any:
    """The array with every float as the decimal number that it is."""
    array = np.asarray(values, dtype=float)
    result = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(array):
        result[index] = Decimal(float(value))
    return result


def log1p_exp(t: Decimal) -> Decimal:
    """log(1 + exp(t)); the first term of the series where 1 + exp(t) would lose it."""
    if t > 0:
        return t + log1p_exp(-t)
    small = t.exp()
    return small if t < -100 else (ONE + small).ln()


def _x_log_x(x: Decimal) -> Decimal:
    return x * x.ln() if x > 0 else ZERO


def _exact_huber(f: Decimal, y: Decimal) -> Decimal:
    r = abs(f - y)
    return r * r / 2 if r <= 1 else r - HALF


def _exact_poisson(f: Decimal, y: Decimal) -> Decimal:
    return f.exp() - y * f + _x_log_x(y) - y


def _exact_softmax(f: Any, y: Any) -> Decimal:
    y = y / sum(y, ZERO)  # probabilities of floats may miss one by a rounding
    top = max(f)
    total = sum(((value - top).exp() for value in f), ZERO)
    return top + total.ln() - sum(a * b for a, b in zip(f, y, strict=True)) + sum(map(_x_log_x, y), ZERO)


def _exact_log_cosh(f: Decimal, y: Decimal) -> Decimal:
    r = abs(f - y)
    if r < Decimal("1e-20"):  # where the difference below has no digits
        return r * r / 2
    return r + log1p_exp(-2 * r) - Decimal(2).ln()


FORMULAS: dict[str, Formula] = {
    "squared": Formula(
        "real",
        lambda f, y: (f - y) ** 2 / 2,
        lambda f, y: (f - y) ** 2 / 2,
        lambda f, y: f - y,
        lambda f, y: cp.square(f - y) / 2,
        lambda g, y, loss: g * g / 2 + g * y,
    ),
    "absolute": Formula(
        "real",
        lambda f, y: abs(f - y),
        lambda f, y: abs(f - y),
        lambda f, y: np.sign(f - y),
        lambda f, y: cp.abs(f - y),
        lambda g, y, loss: g * y,
    ),
    "huber": Formula(
        "real",
        _exact_huber,
        lambda f, y: np.where(abs(f - y) <= 1, (f - y) ** 2 / 2, abs(f - y) - 0.5),
        lambda f, y: np.clip(f - y, -1, 1),
        lambda f, y: cp.huber(f - y, 1) / 2,
        lambda g, y, loss: g * g / 2 + g * y,
    ),
    "quantile": Formula(
        "real",
        lambda f, y: abs(f - y) / 2,
        lambda f, y: abs(f - y) / 2,
        lambda f, y: np.sign(f - y) / 2,
        lambda f, y: cp.abs(f - y) / 2,
        lambda g, y, loss: g * y,
    ),
    "epsilon_insensitive": Formula(
        "real",
        lambda f, y: max(abs(f - y) - TENTH, ZERO),
        lambda f, y: np.maximum(abs(f - y) - 0.1, 0),
        lambda f, y: np.sign(f - y) * (abs(f - y) > 0.1),
        lambda f, y: cp.pos(cp.abs(f - y) - 0.1),
        lambda g, y, loss: g * y + Decimal(loss.epsilon) * abs(g),
    ),
    "poisson": Formula(
        "count",
        _exact_poisson,
        lambda f, y: np.exp(np.minimum(f, 700)) - y * f + xlogy(y, y) - y,
        lambda f, y: np.exp(np.minimum(f, 700)) - y,
        lambda f, y: cp.exp(f) - cp.multiply(y, f) + xlogy(y, y) - y,
        lambda g, y, loss: _x_log_x(y + g) - _x_log_x(y) - g,
    ),
    "logistic": Formula(
        "sign",
        lambda f, y: log1p_exp(-y * f),
        lambda f, y: np.logaddexp(0, -y * f),
        lambda f, y: -y * expit(-y * f),
        lambda f, y: cp.logistic(-cp.multiply(y, f)),
        lambda g, y, loss: _x_log_x(-y * g) + _x_log_x(1 + y * g),
    ),
    "hinge": Formula(
        "sign",
        lambda f, y: max(ONE - y * f, ZERO),
        lambda f, y: np.maximum(1 - y * f, 0),
        lambda f, y: np.where(y * f < 1, -y, 0.0),
        lambda f, y: cp.pos(1 - cp.multiply(y, f)),
        lambda g, y, loss: g * y,
    ),
    "squared_hinge": Formula(
        "sign",
        lambda f, y: max(ONE - y * f, ZERO) ** 2 / 2,
        lambda f, y: np.maximum(1 - y * f, 0) ** 2 / 2,
        lambda f, y: -y * np.maximum(1 - y * f, 0),
        lambda f, y: cp.square(cp.pos(1 - cp.multiply(y, f))) / 2,
        lambda g, y, loss: g * g / 2 + g * y,
    ),
    "softmax": Formula(
        "simplex",
        _exact_softmax,
        lambda f, y: logsumexp(f, axis=1) - (y * f).sum(axis=1) + xlogy(y, y).sum(axis=1),
        lambda f, y: softmax(f, axis=1) - y,
        lambda f, y: cp.log_sum_exp(f, axis=1) - cp.sum(cp.multiply(y, f), axis=1) + xlogy(y, y).sum(axis=1),
        lambda g, y, loss: sum((_x_log_x(q + p) - _x_log_x(q) for p, q in zip(g, y, strict=True)), ZERO),
    ),
    "log_cosh": Formula(
        "real",
        _exact_log_cosh,
        lambda f, y: _log_cosh(f - y),
        lambda f, y: np.tanh(f - y),
        lambda f, y: cp.logistic(2 * (f - y)) - (f - y) - np.log(2),
        lambda g, y, loss: (_x_log_x(1 + g) + _x_log_x(1 - g)) / 2 + g * y,
    ),
}

VARIANTS = (ng.Huber(0.3), ng.Quantile(0.9), ng.EpsilonInsensitive(0.7), ng.EpsilonInsensitive(0.0))

ELEMENTWISE = [name for name, loss in LOSSES.items() if not loss.coupled]
TYPICAL = ("squared", "logistic", "hinge")  # a parabola, a smooth loss that is none, and kinks


def has_kinks(loss: Any) -> bool:
    """Whether the loss has corners, so that its dual points lie on edges of their domain."""
    return hasattr(loss, "pieces") and loss.pieces(np.ones(1)).smoothing == 0.0


KINKED = [name for name, loss in LOSSES.items() if has_kinks(loss)]


class LogCosh:
    """A user's own loss, log cosh(f - y), with every digit of small residuals and slopes."""

    name, targets, coupled = "log_cosh", "real", False

    def value(self, f: Any, y: Any) -> Any:
        return _log_cosh(f - y)

    def gradient(self, f: Any, y: Any) -> Any:
        return np.tanh(f - y)

    def hessian(self, f: Any, y: Any) -> Any:
        return 1.0 - np.tanh(f - y) ** 2

    def conjugate(self, g: Any, y: Any) -> Any:
        small = np.clip(g, -0.5, 0.5)
        near = small * np.arctanh(small) + 0.5 * np.log1p(-small * small)
        far = 0.5 * (xlog1py(1.0 + g, g) + xlog1py(1.0 - g, -g))
        return np.where(np.abs(g) < 0.5, near, far) + g * y

    def domain(self, y: Any) -> Any:
        return np.full_like(y, -1.0), np.full_like(y, 1.0)


def _log_cosh(residual: Any) -> Any:
    size = np.abs(residual)
    near = np.log1p(2.0 * np.sinh(0.5 * np.minimum(size, 1.0)) ** 2)
    return np.where(size < 1.0, near, size + np.log1p(np.expm1(-2.0 * size) / 2.0))
