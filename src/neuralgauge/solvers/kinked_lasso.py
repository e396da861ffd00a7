r"""The best weights of given columns under a loss whose kinks are rounded a little: a lasso, by an interior point.

.. math:: \min_{w \ge 0,\, b} \; L(H w + b) + \beta \sum_j w_j ,
          \qquad H^T g + \beta = z \ge 0, \quad g \in \partial L(H w + b), \quad w_j z_j = 0 .

Newton's method on the envelope itself stops where samples pass from one of its pieces to the next; here every piece has
a slack and a multiplier (`_loss_terms`), and a small width costs no more than a large one. The end is a point on the
central path: -g, a dual point that no column at hand violates, is not at a corner of what they allow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .._array import Array
from ..losses.envelope import Envelope
from ..problems.training import TrainingProblem
from ._loss_terms import LossDirection, PiecewiseTerm
from .predictor_corrector import PredictorCorrector, rate_of

MOST_LASSO_STEPS = 60  # 10 to 20 are usual
LASSO_START = 0.1  # sum of the starting products of the weights, relative to the loss of the empty network
LEAST_SLACK = 0.1  # of a column in use at the start, relative to beta
LASSO_RIDGE = 1e-12  # relative, added to the diagonal of the scaled system
CORRECTED_TIMES, SOLVED_WELL = 2, 1e-9  # of the unreduced equations, and the relative residual that is good enough
ENDED = 0.01  # products and excess over beta at the end, relative to what the rounding of the kinks may cost


class LassoPoint(NamedTuple):
    """Weights w (m,) > 0, the offset b (1,), slacks z (m,) > 0 of the scores, and the dual variable g of y's shape."""

    w: Array
    b: Array
    z: Array
    g: Array


class LassoDirection(NamedTuple):
    """A Newton direction in w, z, b and the variables of the loss."""

    dw: Array
    dz: Array
    db: Array
    loss: LossDirection


def kinked_lasso(problem: TrainingProblem, H: Array, weight: Array, offset: Array | float) -> LassoPoint:
    """Return the best weights of columns, and the dual variable that proves it.

    Parameters
    ----------
    problem : TrainingProblem
        Of one output, with an `Envelope` for its loss.
    H : array of shape (n, m)
        What each column adds to the outputs.
    weight : array of shape (m,)
        Start, >= 0.
    offset : array of shape (1,) or float
        Start of the offset; kept where the problem has none.

    Returns
    -------
    LassoPoint
        Its products are so small that they cost 1 % of what the rounding of the kinks may, unless arithmetic ended the
        iteration before.

    Notes
    -----
    An iteration takes n m^2 + m^3 / 3 operations; memory is that of H, twice.
    """
    assert isinstance(problem.loss, Envelope)
    allowed = ENDED * 0.5 * problem.loss.width * problem.fit.steepness
    method = _Method(problem, H, weight, offset)
    point = method.iterate()
    for _, point in zip(range(MOST_LASSO_STEPS), method, strict=False):
        products = point.w @ point.z + float(np.vdot(method.loss.s, method.loss.q))
        excess = float(np.max(np.abs(method.excess(point)))) * float(point.w.sum())
        if products <= allowed and excess <= allowed:
            break
    return point


class _Method(PredictorCorrector[LassoPoint, LassoDirection]):
    """The predictor-corrector method over the weights."""

    variables = ("w", "z", "b")

    def __init__(self, problem: TrainingProblem, H: Array, weight: Array, offset: Array | float) -> None:
        self.problem, self.H = problem, H
        loss, beta = problem.fit.value(problem.outputs(problem.empty_network())), problem.beta
        centre = LASSO_START * loss / len(weight)
        self.w = np.maximum(weight, centre / beta)
        self.z = np.maximum(centre / self.w, LEAST_SLACK * beta)
        self.b = np.array(offset, dtype=float).reshape(1)
        level = max(centre, loss / problem.n)
        self.loss = PiecewiseTerm(problem, self._outputs(self.w, self.b), level)
        self.largest = max(level, float(np.max(self.loss.s * self.loss.q)), float(np.max(self.w * self.z)))

    def _outputs(self, w: Array, b: Array | float) -> Array:
        return (self.H @ w + b).reshape(self.problem.y.shape)

    def iterate(self) -> LassoPoint:
        return LassoPoint(self.w, self.b, self.z, self.loss.g)

    def excess(self, point: LassoPoint) -> Array:
        """H^T g + beta - z (m,): zero at a dual point."""
        return self.H.T @ point.g.ravel() + self.problem.beta - point.z

    def linearize(self) -> None:
        self.loss.linearize(self._outputs(self.w, self.b))
        self.residual = self.excess(self.iterate())
        m, offset = len(self.w), self.problem.offset
        root = self.loss.root().ravel()
        bent = self.H * root[:, None]
        if offset:
            bent = np.column_stack([bent, root])
        system = bent.T @ bent
        system[np.arange(m), np.arange(m)] += self.z / self.w
        self.scale = 1.0 / np.sqrt(np.diag(system))
        system *= np.outer(self.scale, self.scale)
        system[np.diag_indices(len(system))] += LASSO_RIDGE
        if not np.all(np.isfinite(system)):
            raise LinAlgError("numbers out of range")
        self.factor = cho_factor(system, lower=True, overwrite_a=True)

    def direction(self, centre: float, affine: LassoDirection | None = None, trust: float = 1.0) -> LassoDirection:
        w, z, loss = self.w, self.z, self.loss
        products, pairs = centre - w * z, centre - loss.s * loss.q
        if affine is not None:
            products -= trust * affine.dw * affine.dz
            pairs -= trust * affine.loss.ds * affine.loss.dq
        shift, h = loss.relation(pairs, 1.0)
        right = products / w - self.residual - self.H.T @ shift.ravel()
        if self.problem.offset:
            right = np.append(right, -(loss.g.sum() + shift.sum()))
        dw, db, df, h_df = self._solved(right, h)
        return LassoDirection(dw, (products - z * dw) / w, db, loss.direction(df, h_df))

    def _solved(self, right: Array, h: Array) -> tuple[Array, Array, Array, Array]:
        """The changes dw and db, of the outputs, and h times these."""
        m = len(self.w)
        x, left = np.zeros(len(right)), right
        for _ in range(1 + CORRECTED_TIMES):
            x = x + self.scale * cho_solve(self.factor, self.scale * left)
            df = self._outputs(x[:m], x[m:].sum())
            h_df = h * df
            left = right.copy()
            left[:m] -= self.H.T @ h_df.ravel() + self.z / self.w * x[:m]
            left[m:] -= h_df.sum()
            if np.max(np.abs(left)) <= SOLVED_WELL * np.max(np.abs(right)):
                break
        return x[:m], x[m:], df, h_df

    def reach(self, step: LassoDirection) -> float:
        rate = rate_of(self.w, step.dw, self.z, step.dz)
        return 1.0 / rate if rate > 0 else np.inf

    def products(self, step: LassoDirection | None, alpha: float) -> tuple[float, int]:
        w, z = self.w, self.z
        if step is not None:
            w, z = w + alpha * step.dw, z + alpha * step.dz
        return float(w @ z), len(w)

    def move(self, step: LassoDirection, alpha: float) -> None:
        self.w, self.z = self.w + alpha * step.dw, self.z + alpha * step.dz
        if self.problem.offset:
            self.b = self.b + alpha * step.db
