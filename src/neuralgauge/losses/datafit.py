"""The data fit L of a training problem: targets, weights and loss, with its gradient and its conjugate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array, as_targets, as_vector, check_size, frozen
from ..errors import InvalidInputError
from . import Loss, check_coupled, get_loss
from .dual_domain import best_constant, distance, nearest
from .envelope import Envelope, is_kinked
from .protocol import PiecewiseLoss, SmoothLoss
from .targets import checked_targets, probabilities


@dataclass(frozen=True, eq=False)
class DataFit:
    r"""L(f) = sum_i s_i ell(f_i, y_i), with its gradient and the dual objective -L*(-V).

    Outputs f, gradients and dual points v have the shape of y. With `offset` there is a free output offset b, so that
    the columns of V must sum to zero.

    Attributes
    ----------
    y : array of shape (n,) or (n, c)
        Targets as the loss takes them; read-only, as is `weight`.
    weight : array of shape (n,)
        Weights s_i > 0 of the samples.
    loss : Loss
    offset : bool
        Whether the outputs have an offset of their own.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge.losses.datafit import DataFit
    >>> fit = DataFit.of([1.0, -1.0, 3.0], 3, "squared", offset=True)
    >>> fit.value(np.zeros(3)), fit.constant.round(12).tolist(), fit.dual_objective(fit.empty_dual)
    (5.5, [1.0], 4.0)
    """

    y: Array
    weight: Array
    loss: Loss
    offset: bool = False

    @classmethod
    def of(cls, y: Any, n: int, loss: str | Loss, offset: bool = False, sample_weight: Any = None) -> DataFit:
        """Return the fit to targets y of n samples; targets and weights that the loss does not take are refused."""
        chosen = get_loss(loss)
        targets = frozen(checked_targets(as_targets(y, n), chosen))
        check_coupled(chosen, 1 if targets.ndim == 1 else targets.shape[1], bool(offset))
        weight = np.ones(n) if sample_weight is None else as_vector(sample_weight, n, "sample_weight")
        if not np.all(weight > 0):
            row = int(np.flatnonzero(weight <= 0)[0])
            raise InvalidInputError(f"`sample_weight` must be > 0, got {weight[row]} in row {row}; drop such rows.")
        check_size("y", targets)
        check_size("sample_weight", weight)
        return cls(targets, frozen(weight), chosen, bool(offset))

    @property
    def n(self) -> int:
        """Samples."""
        return len(self.y)

    @property
    def c(self) -> int:
        """Outputs."""
        return 1 if self.y.ndim == 1 else self.y.shape[1]

    @property
    def output_weight(self) -> Array:
        """The sample weights in a shape that multiplies outputs, (n,) or (n, 1)."""
        return self.weight if self.y.ndim == 1 else self.weight[:, None]

    def part(self, samples: npt.NDArray[np.intp] | slice) -> DataFit:
        """The fit to these samples only."""
        return replace(self, y=frozen(self.y[samples]), weight=frozen(self.weight[samples]))

    def rounded(self, width: float) -> DataFit:
        """The fit with kinks of its loss rounded within this width > 0 (`Envelope`); a loss without stays."""
        if not is_kinked(self.loss):
            return self
        assert isinstance(self.loss, PiecewiseLoss)
        return replace(self, loss=Envelope(self.loss, width))

    def output(self, k: int) -> DataFit:
        """The fit to output k alone, for elementwise losses."""
        return replace(self, y=frozen(self.y[:, k].copy()))

    def targets_like(self, y: Any) -> Array:
        """Other targets in the shape of these: labels become indicators of the same classes."""
        targets = as_targets(y, len(y))
        if self.loss.targets == "simplex" and targets.ndim == 1:
            targets = probabilities(targets, self.c)
        return targets

    def value(self, f: Array) -> float:
        """L(f)."""
        values = self.loss.value(f, self.y)
        return float(self.weight @ (values if values.ndim == 1 else values.sum(axis=1)))

    def gradient(self, f: Array) -> Array:
        """Gradient of L at f, of y's shape."""
        return self.output_weight * self.loss.gradient(f, self.y)

    def curvature(self, f: Array) -> Array:
        """Second derivatives of L at f, of y's shape, for an elementwise loss that has them."""
        assert isinstance(self.loss, SmoothLoss)
        return self.output_weight * self.loss.hessian(f, self.y)

    @property
    def steepness(self) -> float:
        """The sum of s_i a_i^2, a_i the steepest slope of the loss: infinite where gradients are not bounded."""
        steepest = np.maximum(*(np.abs(end) for end in self.loss.domain(self.y)))
        return float(np.sum(self.output_weight * steepest**2))

    @cached_property
    def _constant(self) -> tuple[Array, Array]:
        """The best outputs without neurons (c,), and gradients of the loss there."""
        if not self.offset:
            return np.zeros(self.c), self.loss.gradient(np.zeros_like(self.y), self.y)
        return best_constant(self.y, self.weight, self.loss)

    @property
    def constant(self) -> Array:
        """The best outputs of a network without neurons, (c,): zero, or with `offset` the best constant."""
        return self._constant[0]

    @property
    def empty_dual(self) -> Array:
        """v = -grad L at the best outputs without neurons, feasible but for G(v) <= beta; beta_max = G(v)."""
        return self.project(-self.output_weight * self._constant[1])

    def project(self, v: Array) -> Array:
        """A point near v for which L*(-v) is finite, with `offset` and coupled losses up to the rounding of sums."""
        weight = self.output_weight
        return -weight * nearest(-v / weight, self.y, self.weight, self.loss, self.offset)

    def distance(self, v: Array) -> float:
        """Bound on the l1 distance from v, inside its intervals, to where L*(-v) is finite exactly."""
        return distance(-v / self.output_weight, self.y, self.weight, self.loss, self.offset)

    def largest_multiple(self, v: Array) -> float:
        """The largest multiple of v that lies in the intervals of the domain of L*."""
        # Shortened, not clipped: clipping can raise the polar gauge of v.
        lower, upper = self.loss.domain(self.y)
        g = -v / self.output_weight
        some = g != 0
        return float(np.min(np.where(g > 0, upper, lower)[some] / g[some], initial=np.inf))

    def dual_objective(self, v: Array) -> float:
        """-L*(-v): a lower bound on the optimum if G(v) <= beta and -v lies in the domain of L*."""
        return float(np.sum(self._dual_terms(v)))

    def _dual_terms(self, v: Array) -> Array:
        """Terms -s_i ell*(-v_i / s_i) whose sum is the dual objective, after clipping v to its intervals."""
        lower, upper = self.loss.domain(self.y)
        weight = self.output_weight
        terms = self.loss.conjugate(np.clip(-v / weight, lower, upper), self.y)
        return -(self.weight if terms.ndim == 1 else weight) * terms

    def dual_bound(self, v: Array, distance: float = 0.0) -> float:
        """The dual objective of a point within this l1 distance of v at which L* is finite, rounded down."""
        terms, weight = self._dual_terms(v), self.output_weight
        # Each term carries a few roundings, relative to its largest part |v y| + v^2, in which the entropy of the
        # logistic loss has slopes up to 37; the sum adds log2(n) more.
        size = float(np.sum(np.abs(terms)) + np.sum(np.abs(v * self.y) + v * v / weight))
        slack = (64 + np.log2(v.size)) * np.finfo(float).eps * size
        if distance > 0:  # the slopes of the conjugates: logarithms of numbers down to 1e-320, or those of a square
            slack += distance * (745.0 + float(np.max(np.abs(self.y) + np.abs(v) / weight)))
        return float(np.sum(terms) - slack)
