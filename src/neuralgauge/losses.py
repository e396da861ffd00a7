r"""Losses: convex functions of one output f and one target y, summed over the samples by the problem.

Each loss knows four things the theory needs, all elementwise on arrays of shape (n,): its value,
its derivatives in f, and its conjugate :math:`\ell^*(g) = \sup_f g f - \ell(f, y)` with the interval of g
where that is finite. The dual bound of the paper [15] is :math:`-\sum_i \ell^*(-v_i)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from ._array import Array
from .errors import InvalidInputError


class Loss(Protocol):
    """A convex loss; write a class with these members to add your own."""

    @property
    def name(self) -> str:
        """Name under which `TrainingProblem(loss=...)` finds it."""

    @property
    def targets(self) -> Literal["real", "sign"]:
        """Which y it takes: any real number, or -1 and +1 only."""

    def value(self, f: Array, y: Array) -> Array:
        """ell(f, y) >= 0."""

    def gradient(self, f: Array, y: Array) -> Array:
        """Derivative in f (any subgradient at a kink)."""

    def hessian(self, f: Array, y: Array) -> Array:
        """Second derivative in f (0 where it does not exist)."""

    def conjugate(self, g: Array, y: Array) -> Array:
        """ell*(g) for g inside `domain`; the caller clips g to it first."""

    def domain(self, y: Array) -> tuple[Array, Array]:
        """Closed interval of g in which the conjugate is finite."""


@runtime_checkable
class PiecewiseLinearLoss(Loss, Protocol):
    """A loss that is the largest of K affine functions of f; solved through its epigraph."""

    def pieces(self, y: Array) -> tuple[Array, Array]:
        """Slopes a and intercepts b, both (K, n): ell(f, y) = max_k a_k f + b_k."""


@dataclass(frozen=True)
class Squared:
    """ell = (f - y)^2 / 2, ell*(g) = g^2 / 2 + g y, for regression.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Squared().value(np.array([3.0]), np.array([1.0])).tolist()
    [2.0]
    """

    name: str = "squared"
    targets: Literal["real", "sign"] = "real"
    coupled = False

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
    targets: Literal["real", "sign"] = "sign"
    coupled = False

    def value(self, f: Array, y: Array) -> Array:
        return np.logaddexp(0.0, -y * f)

    def gradient(self, f: Array, y: Array) -> Array:
        return -y * expit(-y * f)

    def hessian(self, f: Array, y: Array) -> Array:
        return expit(f) * expit(-f)

    def conjugate(self, g: Array, y: Array) -> Array:
        p = np.clip(-y * g, 0.0, 1.0)
        # log1p, since 1 - p forgets the digits of a small p, and a lower bound on it would not hold.
        return np.asarray(xlogy(p, p) + xlog1py(1.0 - p, -p), dtype=np.float64)

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.where(y > 0, -1.0, 0.0), np.where(y > 0, 0.0, 1.0)


@dataclass(frozen=True)
class Hinge:
    """ell = max(0, 1 - y f), ell*(g) = g y with -y g in [0, 1]; y = -1, +1.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> ng.Hinge().value(np.array([-1.0, 3.0]), np.array([1.0, 1.0])).tolist()
    [2.0, 0.0]
    """

    name: str = "hinge"
    targets: Literal["real", "sign"] = "sign"
    coupled = False

    def value(self, f: Array, y: Array) -> Array:
        return np.maximum(0.0, 1.0 - y * f)

    def gradient(self, f: Array, y: Array) -> Array:
        return np.where(y * f < 1.0, -y, 0.0)

    def hessian(self, f: Array, y: Array) -> Array:
        return np.zeros_like(f)

    def conjugate(self, g: Array, y: Array) -> Array:
        return g * y

    def domain(self, y: Array) -> tuple[Array, Array]:
        return np.where(y > 0, -1.0, 0.0), np.where(y > 0, 0.0, 1.0)

    def pieces(self, y: Array) -> tuple[Array, Array]:
        return np.stack([np.zeros_like(y), -y]), np.stack([np.zeros_like(y), np.ones_like(y)])


LOSSES: dict[str, Loss] = {loss.name: loss for loss in (Squared(), Logistic(), Hinge())}


def get_loss(loss: str | Loss) -> Loss:
    """The loss of that name, or the object itself if it already is one."""
    if not isinstance(loss, str):
        return loss
    if loss not in LOSSES:
        raise InvalidInputError(f"`loss` must be one of {sorted(LOSSES)} or a Loss object, got {loss!r}.")
    return LOSSES[loss]
