r"""What training asks of all samples at once: sums over them, each one pass over the rows.

A dual point is an object that stays where the samples are: here an array of the shape of y. What comes and goes
otherwise is of the size of a network. Engines that ask for nothing else run wherever these sums are formed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from .._array import Array
from ..certificate import lower_bound
from ..features.chunks import Heads
from ..features.smoothed import SecondOrder, Single
from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem

MOST_SPANNED = (
    500  # columns of X up to which its singular vectors are found, once, for d^2 numbers and N d^2 operations
)
MOST_ATOMS = 10_000_000  # numbers of columns over all samples that are held: 80 MB


class Curvature(NamedTuple):
    """The loss to second order in output weights: its value, gradient (m,) and Hessian (m, m)."""

    value: float
    gradient: Array
    hessian: Array


class Sample(NamedTuple):
    """Some of the rows in memory (k, d), in single precision, and what a dual point is there, (k,) or (k, q)."""

    rows: Single
    v: Array


class Passes:
    """The sums over all samples of a problem.

    Parameters
    ----------
    problem : TrainingProblem
    width : float
        Width within which searches, lassos and residuals see kinks of the loss rounded (`losses.envelope`), in units of
        the output over those of a slope; 0 for a loss without. Objectives and bounds are always of the loss itself.
    """

    def __init__(self, problem: TrainingProblem, width: float = 0.0) -> None:
        self.problem, self.width, self.searched = problem, width, problem
        if width > 0.0:
            self.searched = copy.copy(problem)
            self.searched.fit = problem.fit.rounded(width)

    def rounded(self, width: float) -> Self:
        """The same sums with kinks rounded within another width."""
        return type(self)(self.problem, width)

    def smoothed(self, U: Array, A: Array, offset: Array, width: Array) -> tuple[float, Array, Array, Array]:
        """The loss with activations smoothed within `width` (m,) times the length of u_j, in single precision.

        Returns its value and gradients in U (d, m), A (m, q) and the offset (c,), which are zero if it is not finite.
        """
        length = np.linalg.norm(U, axis=0)
        heads = loss_heads(self.searched, offset)
        value, by_U, by_A, by_b, by_width = self.problem.features.smoothed.value_and_gradient(
            U, A, width * length, heads
        )
        by_U += U * (by_width * width / np.maximum(length, np.finfo(float).tiny))
        return value, by_U, by_A, by_b

    def spread(self, U: Array) -> Array:
        """(m,): the root mean square of x^T u_j over the rows, for unit vectors u_j."""
        features = self.problem.features
        if features.d > MOST_SPANNED:
            return features.lengths_of(U) / np.sqrt(features.N)
        stretch, axes = features.span
        return np.linalg.norm(stretch[:, None] * (axes.T @ U), axis=0) / np.sqrt(features.N)

    def objective(self, network: TwoLayerNetwork) -> float:
        """The training objective, in double precision."""
        return self.problem.objective(network)

    def residual(self, network: TwoLayerNetwork) -> Array:
        """The dual point minus the gradient of the loss at a network, moved into the domain of the conjugate."""
        return self.problem.fit.project(-self.searched.fit.gradient(self.problem.outputs(network)))

    def gains(self, v: Array, U: Array) -> Array:
        """(m, q): the output weights' gradients V^T (X u_j)_+, whose lengths are the scores for unit u_j."""
        return self.problem.features.gains(v, U)

    def score_gradient(self, v: Array, U: Array, G: Array) -> tuple[Array, Array]:
        """Scores g_j^T V^T (X u_j)_+, (m,), and their gradients in u_j, (d, m), in single precision."""
        return self.problem.features.score_gradient(v.reshape(self.problem.n, -1), U, G)

    def curvature(self, columns: Columns, weight: Array, offset: Array) -> Curvature:
        """The loss to second order in the weights of columns of one output, and where there is one the offset."""
        value, gradient, hessian = self.problem.features.smoothed.curvature(
            columns.U, columns.G, weight, _second_order(self.searched, offset)
        )
        if not self.problem.offset:
            gradient, hessian = gradient[:-1], hessian[:-1, :-1]
        return Curvature(value, gradient, hessian)

    def atoms(self, columns: Columns) -> Array | None:
        """(n, m): what each column adds to the outputs, in memory; None where that is too much."""
        if self.problem.n * len(columns.values) > MOST_ATOMS:
            return None
        return self.problem.features.atoms(columns.U, columns.G)

    def sample(self, v: Array, most: int, rng: np.random.Generator) -> Sample:
        """At most so many rows at random, divided by a common factor, and the dual point of these rows."""
        features, n = self.problem.features, self.problem.n
        if most >= features.N:
            return Sample(features.smoothed.sampled(), features.lifted(v))
        chosen = np.sort(rng.choice(n, max(1, round(n * most / features.N)), replace=False))
        rows, readout = features.readout.part(chosen)
        return Sample(features.smoothed.sampled(rows), readout.lifted(v[chosen]))

    def part(self, most: int, rng: np.random.Generator) -> TrainingProblem:
        """At most so many samples at random, dense in memory, under a penalty that weighs as much."""
        problem, n = self.problem, self.problem.n
        chosen = np.sort(rng.choice(n, min(most, n), replace=False))
        part = copy.copy(problem)
        part.fit, part.features = problem.fit.part(chosen), problem.features.dense_part(chosen)
        return part.with_beta(len(chosen) / n * problem.beta)

    def bound(self, v: Array, polar: float) -> float:
        """The lower bound on the optimum that v gives if no score exceeds `polar`."""
        return lower_bound(self.problem, v, polar)


def loss_heads(problem: TrainingProblem, offset: Array) -> Heads:
    """For consecutive samples: outputs without the offset (k, c) to their loss and its gradient."""

    def of(samples: slice) -> Callable[[Array], tuple[float, Array]]:
        fit = problem.fit.part(samples)

        def head(outputs: Array) -> tuple[float, Array]:
            f = (outputs + offset).reshape(fit.y.shape)
            with np.errstate(over="ignore", invalid="ignore"):
                loss = fit.value(f)
                g = fit.gradient(f) if np.isfinite(loss) else np.zeros_like(f)
            return loss, g.reshape(outputs.shape)

        return head

    return of


def _second_order(problem: TrainingProblem, offset: Array) -> SecondOrder:
    """The same with the second derivative, for elementwise losses that have one."""
    first = loss_heads(problem, offset)

    def of(samples: slice) -> Callable[[Array], tuple[float, Array, Array]]:
        fit = problem.fit.part(samples)

        def head(outputs: Array) -> tuple[float, Array, Array]:
            curvature = fit.curvature((outputs + offset).reshape(fit.y.shape))
            return *first(samples)(outputs), curvature.reshape(outputs.shape)

        return head

    return of
