"""The relaxation solved by splitting: moments in the semidefinite cone, products by their signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._array import Array
from .._threads import in_threads
from ..networks.dense import TwoLayerNetwork
from ..problems.training import TrainingProblem
from ._row_method import gain
from .half import Half
from .joint_multipliers import JointMultipliers
from .moments import OUTPUT_WEIGHT, Lift
from .multipliers import Multipliers
from .proximal import proximal_point

STEP = 4.0  # penalty of the splitting in units of n beta G / L; 2 to 8 are alike on 60 and 200 rows of three tables
LEAST_SIZE = 1e-12  # of what a network can gain, in units of beta; 0 where the best constant fits
THREADED_ROWS = 150  # rows from which the signs go to two threads; fewer take less time than the threads


@dataclass(frozen=True)
class Iterate:
    """Where the splitting stands, until its next step."""

    v: Array  # of y's shape, minus a gradient of the loss
    halves: tuple[Half, ...]  # positive and negative output weights, or all of several
    penalty: float

    def multipliers(self) -> tuple[Multipliers | JointMultipliers, ...]:
        """The multipliers of both signs, or of all neurons, as a proof takes them."""
        return tuple(half.multipliers(self.penalty) for half in self.halves)


class Splitting:
    r"""ADMM for the split doubly nonnegative relaxation, whole.

    .. math:: \min_{Z_\pm \succeq 0} L(\text{scale}\, F(b_+ - b_-)) + \tfrac\beta2 \sum_\pm \langle \text{cost}, Z_\pm
              \rangle, \qquad \text{products}(Z_\pm) \ge 0 \text{ or } = 0, \quad b_\pm = E[a p]

    F is the readout, which sums the rows of a sample and has F F^T diagonal. Several output weights have one Z, and
    :math:`b = E[p \alpha^T]`.

    Products are an isometry of moments but for the outputs, the balance and the cones of several output weights, so the
    semidefinite step is proximal in the metric of the `Lift`, a congruence. (He & Yuan, SIAM J. Numer. Anal. 2012, for
    the proximal form; Eckstein & Bertsekas, Math. Program. 1992, for the over-relaxation.) The moments have low rank,
    and an iteration costs some products of matrices of their order with few columns, and one pass over the pairs of
    rows.
    """

    def __init__(self, problem: TrainingProblem, start: TwoLayerNetwork | None) -> None:
        fit, features = problem.fit, problem.features
        q = problem.q if problem.q > 1 else 0
        self.fit, self.features, self.lift = fit, features, Lift(features.dense(), q)
        self.signs = (1.0,) if q else (1.0, -1.0)
        self.ones = np.eye(max(q, 1))
        self.penalty = (
            STEP * problem.n * problem.beta * _polar_size(problem) / max(gain(problem), LEAST_SIZE * problem.beta)
        )
        squares = self._read(features.lifted(np.ones_like(fit.y)))  # of F F^T
        self.squares = squares if fit.y.ndim == 1 else squares[:, :1]
        self.stiffness = self.penalty * OUTPUT_WEIGHT / (len(self.signs) * self.lift.scale**2 * self.squares)
        self.cost = 0.5 * problem.beta / self.penalty * self.lift.cost
        self.offset = fit.constant
        nothing = np.zeros((self.lift.order, 0))
        self.start = [nothing if start is None else self.lift.moments(start, sign) for sign in self.signs]

    def __iter__(self) -> Iterator[Iterate]:
        halves = tuple(Half(self.lift, self.cost, start) for start in self.start)
        each = in_threads if self.lift.n >= THREADED_ROWS and len(halves) > 1 else map
        while True:
            list(each(Half.step, halves))
            yield Iterate(self._outputs(halves), halves, self.penalty)

    def _read(self, b: Array) -> Array:
        """F: outputs of the samples, of y's shape, from those of the rows, (N,) or (N, q)."""
        return self.features.readout.outputs(b.reshape(self.lift.n, -1), self.ones).reshape(self.fit.y.shape)

    def _outputs(self, halves: tuple[Half, ...]) -> Array:
        """Move the outputs of both signs to their proximal point; minus the gradient of the loss there."""
        weight, scale = np.sqrt(OUTPUT_WEIGHT), self.lift.scale
        total = halves[0].output if len(halves) == 1 else halves[0].output - halves[1].output
        aim = self._read(total) * (scale / weight)
        f, self.offset = proximal_point(self.fit, aim, self.stiffness, self.offset)
        moved = f - self.offset - aim
        back = self.features.lifted(moved / self.squares) * (2.0 / len(halves) * weight / scale)
        for half, sign in zip(halves, self.signs, strict=True):
            half.reflection = half.output + sign * back.reshape(half.output.shape)
        return self.stiffness * moved


def _polar_size(problem: TrainingProblem) -> float:
    """About the polar gauge at the empty network: the largest score of the rows and their weighted sum as neurons."""
    X, v = problem.features.dense(), problem.fit.empty_dual
    U = np.column_stack([X.T, X.T @ problem.features.lifted(v)])
    U = np.concatenate([U, -U], axis=1)[:, np.tile(np.any(U, axis=0), 2)]
    return max(float(np.max(problem.scores(v, U), initial=0.0)), problem.beta)
