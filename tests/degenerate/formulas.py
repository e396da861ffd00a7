"""The losses by their plain formulas, thrice: in sixty decimal digits, in floating point, and for CVXPY.

Nothing here comes from the package, so that what it claims is checked by other means.
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

EXACT = decimal.Context(prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
ZERO, ONE, HALF, TENTH = Decimal(0), Decimal(1), Decimal("0.5"), Decimal.from_float(0.1)


@dataclass(frozen=True)
class Formula:
    """A loss: its exact value for one entry (for softmax one row), value and gradient of arrays, CVXPY expression."""

    targets: str
    exact: Callable[[Any, Any], Decimal]
    value: Callable[[Any, Any], Any]
    gradient: Callable[[Any, Any], Any]
    convex: Callable[[Any, Any], Any]


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


def _y_log_y(y: Decimal) -> Decimal:
    return y * y.ln() if y > 0 else ZERO


def _exact_huber(f: Decimal, y: Decimal) -> Decimal:
    r = abs(f - y)
    return r * r / 2 if r <= 1 else r - HALF


def _exact_poisson(f: Decimal, y: Decimal) -> Decimal:
    return f.exp() - y * f + _y_log_y(y) - y


def _exact_softmax(f: Any, y: Any) -> Decimal:
    y = y / sum(y, ZERO)  # probabilities of floats may miss one by a rounding
    top = max(f)
    total = sum(((value - top).exp() for value in f), ZERO)
    return top + total.ln() - sum(a * b for a, b in zip(f, y, strict=True)) + sum(map(_y_log_y, y), ZERO)


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
    ),
    "absolute": Formula(
        "real",
        lambda f, y: abs(f - y),
        lambda f, y: abs(f - y),
        lambda f, y: np.sign(f - y),
        lambda f, y: cp.abs(f - y),
    ),
    "huber": Formula(
        "real",
        _exact_huber,
        lambda f, y: np.where(abs(f - y) <= 1, (f - y) ** 2 / 2, abs(f - y) - 0.5),
        lambda f, y: np.clip(f - y, -1, 1),
        lambda f, y: cp.huber(f - y, 1) / 2,
    ),
    "quantile": Formula(
        "real",
        lambda f, y: abs(f - y) / 2,
        lambda f, y: abs(f - y) / 2,
        lambda f, y: np.sign(f - y) / 2,
        lambda f, y: cp.abs(f - y) / 2,
    ),
    "epsilon_insensitive": Formula(
        "real",
        lambda f, y: max(abs(f - y) - TENTH, ZERO),
        lambda f, y: np.maximum(abs(f - y) - 0.1, 0),
        lambda f, y: np.sign(f - y) * (abs(f - y) > 0.1),
        lambda f, y: cp.pos(cp.abs(f - y) - 0.1),
    ),
    "poisson": Formula(
        "count",
        _exact_poisson,
        lambda f, y: np.exp(np.minimum(f, 700)) - y * f + xlogy(y, y) - y,
        lambda f, y: np.exp(np.minimum(f, 700)) - y,
        lambda f, y: cp.exp(f) - cp.multiply(y, f) + xlogy(y, y) - y,
    ),
    "logistic": Formula(
        "sign",
        lambda f, y: log1p_exp(-y * f),
        lambda f, y: np.logaddexp(0, -y * f),
        lambda f, y: -y * expit(-y * f),
        lambda f, y: cp.logistic(-cp.multiply(y, f)),
    ),
    "hinge": Formula(
        "sign",
        lambda f, y: max(ONE - y * f, ZERO),
        lambda f, y: np.maximum(1 - y * f, 0),
        lambda f, y: np.where(y * f < 1, -y, 0.0),
        lambda f, y: cp.pos(1 - cp.multiply(y, f)),
    ),
    "squared_hinge": Formula(
        "sign",
        lambda f, y: max(ONE - y * f, ZERO) ** 2 / 2,
        lambda f, y: np.maximum(1 - y * f, 0) ** 2 / 2,
        lambda f, y: -y * np.maximum(1 - y * f, 0),
        lambda f, y: cp.square(cp.pos(1 - cp.multiply(y, f))) / 2,
    ),
    "softmax": Formula(
        "simplex",
        _exact_softmax,
        lambda f, y: logsumexp(f, axis=1) - (y * f).sum(axis=1) + xlogy(y, y).sum(axis=1),
        lambda f, y: softmax(f, axis=1) - y,
        lambda f, y: cp.log_sum_exp(f, axis=1) - cp.sum(cp.multiply(y, f), axis=1) + xlogy(y, y).sum(axis=1),
    ),
    "log_cosh": Formula(
        "real",
        _exact_log_cosh,
        lambda f, y: _log_cosh(f - y),
        lambda f, y: np.tanh(f - y),
        lambda f, y: cp.logistic(2 * (f - y)) - (f - y) - np.log(2),
    ),
}


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
