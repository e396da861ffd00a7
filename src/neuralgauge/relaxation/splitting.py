"""The relaxation solved by splitting: moments in the semidefinite cone, products by their signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._array import Array
from .._threads import in_threads
from ..networks.dense import TwoLayerNetwork
from ..problems.training import TrainingProblem
from .half import Half
from .moments import OUTPUT_WEIGHT, Lift
from .multipliers import Multipliers
from .proximal import proximal_point

STEP = 4.0  # penalty of the splitting in units of n beta G / L; 2 to 8 are alike on 60 and 200 rows of three tables
LEAST_SIZE = 1e-12  # of what a network can gain, in units of beta; 0 where the best constant fits
THREADED_ROWS = 150  # rows from which the signs go to two threads; fewer take less time than the threads


@dataclass(frozen=True)
class Iterate:
    """Where the splitting stands, until its next step."""

    v: Array  # (n,) minus a gradient of the loss
    halves: tuple[Half, Half]  # positive and negative output weights
    penalty: float

    def multipliers(self) -> tuple[Multipliers, Multipliers]:
        """The multipliers of both signs, as a proof takes them."""
        return self.halves[0].multipliers(self.penalty), self.halves[1].multipliers(self.penalty)


class Splitting:
    r"""ADMM for the split doubly nonnegative relaxation, whole.

    .. math:: \min_{Z_\pm \succeq 0} L(\text{scale}\, (b_+ - b_-)) + \tfrac\beta2 \sum_\pm \langle \text{cost}, Z_\pm
              \rangle, \qquad \text{products}(Z_\pm) \ge 0 \text{ or } = 0, \quad b_\pm = E[a p]

    Products are an isometry of moments but for the outputs and the balance, so the semidefinite step is proximal in
    the metric of the `Lift`, a congruence. (He & Yuan, SIAM J. Numer. Anal. 2012, for the proximal form; Eckstein &
    Bertsekas, Math. Program. 1992, for the over-relaxation.) The moments have low rank, and an iteration costs some
    products of matrices of their order with few columns, and one pass over the pairs of rows.
    """

    def __init__(self, problem: TrainingProblem, start: TwoLayerNetwork | None) -> None:
        fit = problem.fit
        self.fit, self.lift = fit, Lift(problem.features.dense())
        size = fit.value(np.broadcast_to(fit.constant[0], fit.y.shape)) - fit.dual_objective(np.zeros_like(fit.y))
        self.penalty = STEP * problem.n * problem.beta * _polar_size(problem) / max(size, LEAST_SIZE * problem.beta)
        self.stiffness = 0.5 * self.penalty * OUTPUT_WEIGHT / self.lift.scale**2
        self.cost = 0.5 * problem.beta / self.penalty * self.lift.cost
        self.offset = float(fit.constant[0])
        nothing = np.zeros((self.lift.order, 0))
        self.start = [nothing if start is None else self.lift.moments(start, sign) for sign in (1.0, -1.0)]

    def __iter__(self) -> Iterator[Iterate]:
        halves = Half(self.lift, self.cost, self.start[0]), Half(self.lift, self.cost, self.start[1])
        each = in_threads if self.lift.n >= THREADED_ROWS else map
        while True:
            list(each(Half.step, halves))
            yield Iterate(self._outputs(halves), halves, self.penalty)

    def _outputs(self, halves: tuple[Half, Half]) -> Array:
        """Move the outputs of both signs to their proximal point; minus the gradient of the loss there."""
        weight, scale = np.sqrt(OUTPUT_WEIGHT), self.lift.scale
        aim = (halves[0].output - halves[1].output) * (scale / weight)
        f, self.offset = proximal_point(self.fit, aim, self.stiffness, self.offset)
        moved = f - self.offset - aim
        for half, sign in zip(halves, (1.0, -1.0), strict=True):
            half.reflection = half.output + sign * weight / scale * moved
        return self.stiffness * moved


def _polar_size(problem: TrainingProblem) -> float:
    """About the polar gauge at the empty network: the largest score of the rows and their weighted sum as neurons."""
    X, v = problem.features.dense(), problem.fit.empty_dual.ravel()
    U = np.column_stack([X.T, X.T @ v])
    U = np.concatenate([U, -U], axis=1)
    scores = np.abs(v @ np.maximum(X @ U, 0.0)) / np.maximum(np.linalg.norm(U, axis=0), 1e-300)
    return max(float(np.max(scores)), problem.beta)
