"""Losses for two classes, -1 and +1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from .._array import Array
from .protocol import Pieces, Targets
from .table import named


@named
@dataclass(frozen=True)
class Logistic:
    """ell = log(1 + exp(-y f)), ell*(g) = p log p + (1 - p) log(1 - p) with p = -y g in [0, 1]; y = -1, +1.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Logistic().gradient(np.array([0.0, 0.0]), np.array([1.0, -1.0])).tolist()
    [-0.5, 0.5]
    """

    name: str = "logistic"
    targets: Targets = "sign"
    coupled: bool = False

    def value(self, f: Array, y: Array) -> Array:
        return np.logaddexp(0.0, -y * f)

    def gradient(self, f: Array, y: Array) -> Array:
        return -y * expit(-y * f)

    def hessian(self, f: Array, y: Array) -> Array:
        return expit(f) * expit(-f)

    def conjugate(self, g: Array, y: Array) -> Array:
        p = np.clip(-y * g, 0.0, 1.0)
        # log1p, since 1 - p loses the digits of a small p, and lower bounds would not hold.
        return np.asarray(xlogy(p, p) + xlog1py(1.0 - p, -p), dtype=np.float64)

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.where(y > 0, -1.0, 0.0), np.where(y > 0, 0.0, 1.0)


@named
@dataclass(frozen=True)
class Hinge:
    """ell = (1 - y f)_+, ell*(g) = g y with -y g in [0, 1]; y = -1, +1.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Hinge().value(np.array([-1.0, 3.0]), np.array([1.0, 1.0])).tolist()
    [2.0, 0.0]
    """

    name: str = "hinge"
    targets: Targets = "sign"
    coupled: bool = False

    def value(self, f: Array, y: Array) -> Array:
        return np.maximum(0.0, 1.0 - y * f)

    def gradient(self, f: Array, y: Array) -> Array:
        return np.where(y * f < 1.0, -y, 0.0)

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * y

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.where(y > 0, -1.0, 0.0), np.where(y > 0, 0.0, 1.0)

    def pieces(self, y: Array) -> Pieces:
        return Pieces(np.stack([np.zeros_like(y), -y]), np.stack([np.zeros_like(y), np.ones_like(y)]))


@named
@dataclass(frozen=True)
class SquaredHinge:
    """ell = (1 - y f)_+^2 / 2, ell*(g) = g^2 / 2 + g y with -y g >= 0; y = -1, +1.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.SquaredHinge().value(np.array([-1.0, 3.0]), np.array([1.0, 1.0])).tolist()
    [2.0, 0.0]
    """

    name: str = "squared_hinge"
    targets: Targets = "sign"
    coupled: bool = False

    def value(self, f: Array, y: Array) -> Array:
        return 0.5 * np.maximum(0.0, 1.0 - y * f) ** 2

    def gradient(self, f: Array, y: Array) -> Array:
        return -y * np.maximum(0.0, 1.0 - y * f)

    def hessian(self, f: Array, y: Array) -> Array:
        return np.where(y * f < 1.0, 1.0, 0.0)

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * (0.5 * g + y)

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.where(y > 0, -np.inf, 0.0), np.where(y > 0, 0.0, np.inf)

    def pieces(self, y: Array) -> Pieces:
        return Pieces(-y[None], np.ones_like(y)[None], smoothing=1.0, epigraph=False)
