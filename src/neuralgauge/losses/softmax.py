"""The cross-entropy of c classes, which couples the outputs of a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax, xlogy

from .._array import Array
from ._entropy import entropy_change
from .protocol import Targets
from .table import named

EPS = float(np.finfo(float).eps)
SMALLEST_SHARE = float(np.exp(-64.0))  # of a class, for the best constant outputs: one that never occurs has -inf


@named
@dataclass(frozen=True)
class Softmax:
    r"""Cross-entropy of c classes: ell = log sum_k exp(f_k) - y^T f + sum_k y_k log y_k, rows y of the simplex.

    ell*(g) = sum_k p_k log p_k - y_k log y_k with p = g + y in the simplex: 0 <= p <= 1, and the rows of g sum to zero.
    One-hot rows of y are class labels, others probabilities; for c = 2 it is `Logistic` of f_1 - f_2.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> f, y = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])
    >>> ng.Softmax().value(f, y).round(4).tolist(), ng.Softmax().gradient(f, y).tolist()
    ([0.6931], [[-0.5, 0.5]])
    """

    name: str = "softmax"
    targets: Targets = "simplex"
    coupled: bool = True

    def value(self, f: Array, y: Array) -> Array:
        return np.maximum((xlogy(y, y) - y * log_softmax(f, axis=-1)).sum(axis=-1), 0.0)

    def gradient(self, f: Array, y: Array) -> Array:
        return softmax(f, axis=-1) - y

    def hessian(self, f: Array, y: Array) -> Array:
        p = softmax(f, axis=-1)
        return p[..., :, None] * (np.eye(p.shape[-1]) - p[..., None, :])

    def hessian_root(self, f: Array, y: Array) -> Array:
        """diag(sqrt p) - p sqrt(p)^T."""
        p = softmax(f, axis=-1)
        return (np.eye(p.shape[-1]) - p[..., :, None]) * np.sqrt(p)[..., None, :]

    def conjugate(self, g: Array, y: Array) -> Array:
        return entropy_change(g, y).sum(axis=-1)

    def domain(self, y: Array) -> tuple[Array, Array]:
        return -y, 1.0 - y

    def project(self, g: Array, y: Array) -> Array:
        """Probabilities p = g + y, cut to p >= 0 and divided by their sum; p = y where nothing is left."""
        return self._probabilities(g, y) - y

    def outside(self, g: Array, y: Array) -> Array:
        return np.abs(g.sum(axis=1)) + (8.0 + g.shape[1]) * EPS

    def project_balanced(self, g: Array, y: Array, weight: Array) -> Array:
        """`project`, then mixed with one distribution for all samples, so that every class has its own mass.

        A class of no mass would make theta 1, so such classes are left out first.
        """
        wanted = weight @ y
        p = self._probabilities(np.where(wanted > 0.0, g, 0.0), y)
        mass = weight @ p
        some = mass > 0.0
        theta = float(np.max(1.0 - wanted[some] / mass[some], initial=0.0))
        if theta <= 1e-14:  # rounding, which `outside_balanced` counts
            return p - y
        q = np.maximum((wanted - (1.0 - theta) * mass) / (theta * weight.sum()), 0.0)
        return (1.0 - theta) * p + theta * q / q.sum() - y

    def outside_balanced(self, g: Array, y: Array, weight: Array) -> float:
        """The distance to the rows normalised and then mixed as in `project_balanced`."""
        rows = float(weight @ self.outside(g, y))
        mass, wanted = weight @ (g + y), weight @ y
        excess = np.abs(mass - wanted) + rows + (len(weight) + 8.0) * EPS * weight.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            theta = np.max(np.where(mass > 0.0, excess / mass, 0.0), initial=0.0)
        return rows + 2.0 * float(min(theta, 1.0)) * float(weight.sum())

    def best_constant(self, y: Array, weight: Array) -> Array:
        """Logarithms of the shares of the classes."""
        return np.log(np.maximum(weight @ y / weight.sum(), SMALLEST_SHARE))

    def _probabilities(self, g: Array, y: Array) -> Array:
        lower, upper = self.domain(y)
        p = np.clip(g, lower, upper) + y
        empty = p.sum(axis=1) == 0.0
        p[empty] = y[empty]
        return p / p.sum(axis=1, keepdims=True)
