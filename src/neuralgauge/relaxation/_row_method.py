r"""What the relaxations row by row share: the rows as they take them, and their interior point over several cones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np

from .._array import Array
from ..features.rows import Index
from ..problems.training import TrainingProblem
from ..solvers._loss_terms import LossDirection, loss_term
from ..solvers.predictor_corrector import START_LEVEL, PredictorCorrector
from ..solvers.solution import Status
from ._row_cones import ConeDirection
from .multipliers import power_of_two
from .proven_bound import Proof

ENOUGH = 1e-6  # of the possible gain: a sum of products that is small beside any gap of the relaxation
SIGNS = np.array([1.0, -1.0])
START = 0.5 * START_LEVEL  # penalty of the moments of one sign at the start, relative to the possible gain


def empty_outputs(problem: TrainingProblem) -> Array:
    """Outputs of the best constant, in the shape of y."""
    return np.broadcast_to(problem.fit.constant[0], problem.fit.y.shape)


def gain(problem: TrainingProblem) -> float:
    """The most that a network can gain: the loss of the best constant, less what v = 0 proves."""
    fit = problem.fit
    return fit.value(empty_outputs(problem)) - fit.dual_objective(np.zeros_like(fit.y))


@dataclass(frozen=True, eq=False)
class RowData:
    """The rows of a problem as the methods row by row take them.

    Attributes
    ----------
    scale : float
        Power of two that the rows are divided by.
    axes : array of shape (d, r)
        Coordinates of the rows, at least two.
    some, none : arrays of indices
        Rows that are not zero, and those that are.
    Z, lengths : arrays of shape (n, r) and (n,)
        The former: directions and lengths.
    size : float
        The most that a network can gain.
    unit : float
        Unit of the moments.
    weight : array of shape (2, n)
        Outputs of a row for a moment E[(z^T u)_+] of one, of both signs.
    """

    problem: TrainingProblem
    scale: float
    axes: Array
    some: Index
    none: Index
    Z: Array
    lengths: Array
    size: float
    unit: float
    weight: Array

    @classmethod
    def of(cls, problem: TrainingProblem) -> RowData:
        """The rows of a problem."""
        X, axes = problem.features.dense(), problem.features.span.axes
        if axes.shape[1] == 1:  # on a line nothing is left to choose, so there is no interior
            axes = np.column_stack([axes, np.zeros(len(axes))])
        scale = power_of_two(X)
        X = X / scale @ axes
        lengths = np.linalg.norm(X, axis=1)
        some, none = np.flatnonzero(lengths > 0), np.flatnonzero(lengths == 0)
        lengths = lengths[some]
        size = gain(problem)
        unit = size / problem.beta
        weight = unit * scale * SIGNS[:, None] * lengths
        return cls(problem, scale, axes, some, none, X[some] / lengths[:, None], lengths, size, unit, weight)

    @property
    def n(self) -> int:
        """Rows that are not zero."""
        return len(self.some)

    def outputs(self, positive: Array, offset: float) -> Array:
        """Outputs of moments E[(z^T u)_+] (2, n) of both signs, in the shape of y."""
        f = np.full(self.problem.n, offset)
        f[self.some] += np.sum(self.weight * positive, axis=0)
        return f.reshape(self.problem.y.shape)


class RowDirection(Protocol):
    """A direction: a named tuple, the change of the moments first."""

    @property
    def cones(self) -> tuple[ConeDirection, ...]:
        """Changes of the cones."""

    @property
    def loss(self) -> LossDirection:
        """The part of the loss."""

    def __getitem__(self, index: int, /) -> Any:
        """By position."""


S = TypeVar("S", bound=RowDirection)


class RowMethod(PredictorCorrector[Any, S], Generic[S]):
    """The predictor-corrector method over moments, in units of the possible gain over beta.

    Attributes
    ----------
    data : RowData
    cones : tuple
        Points that are linear in the moments, with their multipliers.
    b : float
        The output offset.
    """

    cones: tuple[Any, ...]  # of the three kinds, in an order of the method

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem, self.data = problem, RowData.of(problem)
        self.b = float(problem.fit.constant[0])

    def start(self, kinds: tuple[Any, ...], points: tuple[Array, ...]) -> None:
        """Start at these points of cones of these kinds, with multipliers whose products are all the same."""
        degree = sum(kind(one, 1.0).degree for kind, one in zip(kinds, points, strict=True))
        centre = START_LEVEL * self.data.size / degree
        self.cones = tuple(kind(one, centre) for kind, one in zip(kinds, points, strict=True))
        # A piecewise-linear loss needs curvature to start with, so its products start at the size of the loss itself.
        level = max(centre, self.data.size / self.data.n)
        self.loss = loss_term(self.problem, empty_outputs(self.problem), level)
        self.largest = max(centre, level, float(np.max(self.loss.s * self.loss.q, initial=0.0)))

    @abstractmethod
    def multipliers(self) -> tuple[Proof, Proof]:
        """The multipliers of positive and of negative output weights, as a proof takes them."""

    @property
    def v(self) -> Array:
        """The dual point of the iterate."""
        return -self.loss.g

    def __iter__(self) -> Generator[Self, None, Status]:
        for iterate in super().__iter__():
            yield iterate
            if sum(cone.product(None, 0.0) for cone in self.cones) <= ENOUGH * self.data.size:
                return Status.SOLVED
        return self.ended

    def iterate(self) -> Self:
        """The method itself, at its current point."""
        return self

    def reach(self, step: S) -> float:
        """Largest multiple of the step, maybe infinite, that stays inside the cones."""
        return min(cone.reach(change) for cone, change in zip(self.cones, step.cones, strict=True))

    def products(self, step: S | None, alpha: float) -> tuple[float, int]:
        """Sum and number of the complementarity products of the cones, now or after a step."""
        changes = [None] * len(self.cones) if step is None else step.cones
        total = sum(cone.product(change, alpha) for cone, change in zip(self.cones, changes, strict=True))
        return total, sum(cone.degree for cone in self.cones)

    def targets(self, centre: float, affine: S | None, trust: float) -> list[Array]:
        """Changes of the cones, scaled, towards products of `centre`, less the second order of `affine`."""
        before = [None] * len(self.cones) if affine is None else affine.cones
        return [cone.target(centre, change, trust) for cone, change in zip(self.cones, before, strict=True)]

    def aim(self, centre: float, affine: S | None, trust: float) -> Array:
        """The gradient of the loss that its pairs aim at while the outputs stay, (n,)."""
        pairs = centre - self.loss.s * self.loss.q
        if affine is not None:
            pairs = pairs - trust * affine.loss.ds * affine.loss.dq
        return (self.loss.g + self.loss.relation(pairs, 1.0)[0]).reshape(-1)

    def held(self, targets: list[Array]) -> list[Array]:
        """Multipliers of the cones that these changes aim at while the points stay."""
        return [cone.q + cone.unscaled(target) for cone, target in zip(self.cones, targets, strict=True)]

    def completed(self, changes: tuple[Array, ...], targets: list[Array]) -> tuple[ConeDirection, ...]:
        """Directions of the cones, from the changes of their points."""
        return tuple(cone.completed(dp, e) for cone, dp, e in zip(self.cones, changes, targets, strict=True))

    def loss_direction(self, df: Array) -> LossDirection:
        """The direction of the loss, from the change of the outputs."""
        return self.loss.direction(df, self.loss.root() ** 2 * df)

    def moved(self, step: S, alpha: float) -> tuple[Any, ...]:
        """The cones after a step."""
        return tuple(cone.moved(change, alpha) for cone, change in zip(self.cones, step.cones, strict=True))
