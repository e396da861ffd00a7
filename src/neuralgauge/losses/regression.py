"""Losses for regression: real targets, and counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from .._array import Array, as_positive
from ..errors import InvalidInputError
from ._entropy import entropy_change
from .protocol import Pieces, Targets
from .table import named


@named
@dataclass(frozen=True)
class Squared:
    """ell = (f - y)^2 / 2, ell*(g) = g^2 / 2 + g y for every g.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Squared().value(np.array([3.0]), np.array([1.0])).tolist()
    [2.0]
    """

    name: str = "squared"
    targets: Targets = "real"
    coupled: bool = False

    def value(self, f: Array, y: Array) -> Array:
        return 0.5 * (f - y) ** 2

    def gradient(self, f: Array, y: Array) -> Array:
        return f - y

    def hessian(self, f: Array, y: Array) -> Array:
        return np.ones_like(f)

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * (0.5 * g + y)

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.full_like(y, -np.inf), np.full_like(y, np.inf)


@named
@dataclass(frozen=True)
class Absolute:
    """ell = |f - y|, ell*(g) = g y with |g| <= 1: the network estimates conditional medians.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Absolute().value(np.array([3.0, 0.0]), np.array([1.0, 0.5])).tolist()
    [2.0, 0.5]
    """

    name: str = "absolute"
    targets: Targets = "real"
    coupled: bool = False

    def value(self, f: Array, y: Array) -> Array:
        return np.abs(f - y)

    def gradient(self, f: Array, y: Array) -> Array:
        return np.sign(f - y)

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * y

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.full_like(y, -1.0), np.full_like(y, 1.0)

    def pieces(self, y: Array) -> Pieces:
        return Pieces(np.stack([np.ones_like(y), np.full_like(y, -1.0)]), np.stack([-y, y]))


@named
@dataclass(frozen=True)
class Huber:
    """ell = (f - y)^2 / 2 up to |f - y| = delta, affine beyond; ell*(g) = g^2 / 2 + g y with |g| <= delta.

    Parameters
    ----------
    delta : float
        Residual, > 0 and in the units of y, from which a sample counts as an outlier.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Huber(delta=1.0).value(np.array([0.5, 3.0]), np.array([0.0, 0.0])).tolist()
    [0.125, 2.5]
    """

    delta: float = 1.0
    name: str = "huber"
    targets: Targets = "real"
    coupled: bool = False

    def __post_init__(self) -> None:
        as_positive(self.delta, "delta")

    def value(self, f: Array, y: Array) -> Array:
        residual = np.abs(f - y)
        inner = np.minimum(residual, self.delta)
        return inner * (residual - 0.5 * inner)

    def gradient(self, f: Array, y: Array) -> Array:
        return np.clip(f - y, -self.delta, self.delta)

    def hessian(self, f: Array, y: Array) -> Array:
        return np.where(np.abs(f - y) < self.delta, 1.0, 0.0)

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * (0.5 * g + y)

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.full_like(y, -self.delta), np.full_like(y, self.delta)

    def pieces(self, y: Array) -> Pieces:
        slope = np.full_like(y, self.delta)
        return Pieces(np.stack([slope, -slope]), np.stack([-slope * y, slope * y]), smoothing=1.0)


@named
@dataclass(frozen=True)
class Quantile:
    """ell = level (y - f)_+ + (1 - level) (f - y)_+, ell*(g) = g y with -level <= g <= 1 - level: the pinball loss.

    Parameters
    ----------
    level : float
        The quantile to estimate, in (0, 1); 0.5 is half the absolute loss.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Quantile(level=0.75).value(np.array([-1.0, 1.0]), np.array([0.0, 0.0])).tolist()
    [0.75, 0.25]
    """

    level: float = 0.5
    name: str = "quantile"
    targets: Targets = "real"
    coupled: bool = False

    def __post_init__(self) -> None:
        if as_positive(self.level, "level") >= 1.0:
            raise InvalidInputError(f"`level` must be > 0 and < 1, got {self.level}; the median has level 0.5.")

    def value(self, f: Array, y: Array) -> Array:
        return np.maximum(self.level * (y - f), (1.0 - self.level) * (f - y))

    def gradient(self, f: Array, y: Array) -> Array:
        return np.where(f > y, 1.0 - self.level, np.where(f < y, -self.level, 0.0))

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * y

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.full_like(y, -self.level), np.full_like(y, 1.0 - self.level)

    def pieces(self, y: Array) -> Pieces:
        lower, upper = self.domain(y)
        return Pieces(np.stack([lower, upper]), np.stack([-lower * y, -upper * y]))


@named
@dataclass(frozen=True)
class EpsilonInsensitive:
    """ell = (|f - y| - epsilon)_+, ell*(g) = g y + epsilon |g| with |g| <= 1: support vector regression.

    Parameters
    ----------
    epsilon : float
        Residual, >= 0 and in the units of y, up to which a sample costs nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.EpsilonInsensitive(epsilon=0.5).value(np.array([0.25, 2.0]), np.array([0.0, 0.0])).tolist()
    [0.0, 1.5]
    """

    epsilon: float = 0.1
    name: str = "epsilon_insensitive"
    targets: Targets = "real"
    coupled: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon < np.inf:
            raise InvalidInputError(f"`epsilon` must be finite and >= 0, got {self.epsilon}.")

    def value(self, f: Array, y: Array) -> Array:
        return np.maximum(np.abs(f - y) - self.epsilon, 0.0)

    def gradient(self, f: Array, y: Array) -> Array:
        return np.where(np.abs(f - y) > self.epsilon, np.sign(f - y), 0.0)

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * y + self.epsilon * np.abs(g)

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.full_like(y, -1.0), np.full_like(y, 1.0)

    def pieces(self, y: Array) -> Pieces:
        one, zero = np.ones_like(y), np.zeros_like(y)
        return Pieces(np.stack([zero, one, -one]), np.stack([zero, -y - self.epsilon, y - self.epsilon]))


@named
@dataclass(frozen=True)
class Poisson:
    """ell = exp(f) - y f + y log y - y, ell*(g) = p log p - y log y - g with p = g + y >= 0; y >= 0.

    Half the Poisson deviance of counts y whose expectation is exp(f). exp(f) overflows to inf from f = 710 on.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Poisson().value(np.log([3.0, 2.0]), np.array([3.0, 0.0])).tolist()
    [0.0, 2.0]
    """

    name: str = "poisson"
    targets: Targets = "count"
    coupled: bool = False

    def value(self, f: Array, y: Array) -> Array:
        some = y > 0
        away = f - np.log(np.where(some, y, 1.0))  # from the minimum, near which the formula above cancels
        near = some & (np.abs(away) < 0.5)
        with np.errstate(over="ignore", invalid="ignore"):
            rate = np.exp(f)
            far = np.where(np.isinf(rate), np.inf, rate - y * f + (xlogy(y, y) - y))
        inside = np.where(near, away, 0.0)
        return np.maximum(np.where(near, y * (np.expm1(inside) - inside), far), 0.0)

    def gradient(self, f: Array, y: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(f) - y

    def hessian(self, f: Array, y: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(f)

    def conjugate(self, g: Array, y: Array) -> Array:
        return entropy_change(g, y) - g

    def domain(self, y: Array) -> tuple[Array, Array]:
        return -y, np.full_like(y, np.inf)
