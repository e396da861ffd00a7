"""Proofs for all rows from moments that the relaxation row by row has on a sample of them.

For moments of full rank the best outputs of a row lie at an end of what the moments allow it, and so the inequality
is known that its score is bounded by. Where the moments are nearly those of a few neurons the ends meet, several
inequalities share in the bound, and what one of them proves is weak: all rows have to follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize_scalar

from .._array import Array
from ..problems.training import TrainingProblem
from ._row_method import SIGNS
from .row_interior_point import RowByRow
from .row_multipliers import RowMultipliers

SAMPLE = 30_000  # rows; on a million, 2 % of the bound are lost by it, with 10,000 rows 8 %
BETWEEN = 5  # iterations from one pass over all rows to the next


@dataclass(frozen=True, eq=False)
class RowMoments:
    """Moments of the small relaxation and the offset, with what they allow each row of a problem.

    Attributes
    ----------
    problem : TrainingProblem
    U, w : arrays of shape (2, d, d) and (2, d)
        Of positive and of negative output weights.
    b : float
        The offset.
    """

    problem: TrainingProblem
    U: Array
    w: Array
    b: float

    def bounds(self, s: int) -> tuple[Array, Array, Array, Array]:
        """x^T w, U x (n, d), and the least and the largest E[a |x^T u|] that the moments of sign s allow."""
        X, U, w = self.problem.features.dense(), self.U[s], self.w[s]
        b, images = X @ w, X @ U
        squares = np.maximum(np.einsum("nd,nd->n", images, X), 0.0)
        return b, images, np.maximum(np.abs(b), np.linalg.norm(images, axis=1)), np.sqrt(squares * np.trace(U))

    @cached_property
    def v(self) -> Array:
        """Minus the gradient of the loss at the best outputs that the moments allow, (n,)."""
        fit = self.problem.fit
        (b, _, low, high), (c, _, least, most) = self.bounds(0), self.bounds(1)
        smallest, largest = (0.5 * (b + r - c - q) + self.b for r, q in ((low, most), (high, least)))
        shape = fit.y.shape
        return -np.maximum(fit.gradient(smallest.reshape(shape)), 0.0) - np.minimum(
            fit.gradient(np.maximum(smallest, largest).reshape(shape)), 0.0
        )

    def multipliers(self) -> tuple[RowMultipliers, RowMultipliers]:
        """What bounds the rows where the moments are at their bounds, of positive and of negative output weights."""
        v = self.problem.fit.project(self.v)
        return self._multipliers(0, v), self._multipliers(1, v)

    def _multipliers(self, s: int, v: Array) -> RowMultipliers:
        X, sigma = self.problem.features.dense(), 0.5 * SIGNS[s] * v.reshape(-1)
        b, images, low, high = self.bounds(s)
        trace = np.trace(self.U[s])
        ratio = np.where(high > 0, high, 1.0) / (trace if trace > 0 else 1.0)
        # Where less output is better, the larger of the two lower bounds is what stands in its way.
        needed = np.maximum(-sigma, 0.0)
        flat = np.abs(b) >= low
        lower = np.stack([needed * (flat & (b > 0)), needed * (flat & (b <= 0))])
        along = np.where(flat, 0.0, needed / np.where(low > 0, low, 1.0))[:, None] * images
        own = RowMultipliers(1.0, ratio, lower, along)
        return _balanced(own, X, SIGNS[s] * v.reshape(-1), self.problem.beta)


class SampledRows:
    """Moments of `RowByRow` on a sample of the rows, every few of its iterations, as `RowMoments` of all rows."""

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        rows = np.sort(np.random.default_rng(0).choice(problem.n, SAMPLE, replace=False))
        part = problem.part(rows)
        share = float(np.sum(part.sample_weight) / np.sum(problem.sample_weight))
        self.method = RowByRow(part.with_beta(share * problem.beta))

    def __iter__(self) -> Iterator[RowMoments]:
        ahead = 0
        for ahead, _ in enumerate(self.method, 1):
            if ahead % BETWEEN == 0:
                yield self._moments()
        if ahead % BETWEEN:
            yield self._moments()

    def _moments(self) -> RowMoments:
        data, method = self.method.data, self.method
        axes, unit = data.axes, data.unit
        return RowMoments(self.problem, unit * (axes @ method.U @ axes.T), unit * method.w @ axes.T, method.b)


def _balanced(own: RowMultipliers, X: Array, v: Array, beta: float) -> RowMultipliers:
    """The multipliers with the balance at which the least eigenvalue of their matrix is largest."""
    S, _ = own._slack_matrix(X, 0.5 * v, beta)
    sign = np.ones(len(S))
    sign[:-1] = -1.0
    if not np.isfinite(S).all():
        return own
    size = float(np.linalg.norm(S, 2)) + beta

    def least(balance: float) -> float:
        return -float(np.linalg.eigvalsh(S + balance * np.diag(sign))[0])

    found = minimize_scalar(least, bounds=(-size, size), method="bounded")
    return RowMultipliers(own.scale, own.ratio, own.lower, own.along, float(found.x))
