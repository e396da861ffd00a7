r"""The best output weights of given neurons: a group lasso.

.. math:: \min_{A, b} \; L(H A + b) + \beta \sum_j |\alpha_j|, \qquad h_j = (X u_j)_+, \quad |u_j| = 1 .

With :math:`\alpha_j = s_j a_j` and the penalty :math:`\beta (s_j^2 + |a_j|^2) / 2` it is smooth, of the same minimum,
and L-BFGS solves it; activations are computed once. At the residual no score exceeds beta, up to the accuracy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from .._array import Array
from .._threads import threads
from ..problems.training import TrainingProblem
from .run import Run

PAIRS = 20  # of L-BFGS; with 10 the last rounds take half as many iterations again
FIRST_CHECK = 60  # iterations before scores may end it: the first ones move the large weights only
LEAST_LASSO_DECREASE = 1e-10  # relative, of one iteration in single precision


def group_lasso(
    problem: TrainingProblem,
    U: Array,
    A: Array,
    offset: Array,
    max_iter: int,
    excess: float = 0.0,
    run: Run | None = None,
) -> tuple[Array, Array]:
    """Return output weights (m, c) and the offset (c,) for hidden weights U of length one.

    Parameters
    ----------
    problem : TrainingProblem
        Of features whole in memory, one row a sample.
    U : array of shape (d, m)
        Unit vectors.
    A : array of shape (m, c)
        Start. A row of zeros stays zero: give new neurons a small weight.
    offset : array of shape (c,)
        Start of the offset; kept where the problem has none.
    max_iter : int
    excess : float
        Ends once no score exceeds beta by more than this, relative to it.
    run : Run, optional
        No iteration starts when its time is over.

    Returns
    -------
    tuple of arrays
        Never worse than the start but for rounding in single precision.

    Notes
    -----
    Cost O(n m c) an iteration, in single precision; memory O(n m).
    """
    m, c = A.shape
    if m == 0:
        return A, offset
    smooth = _Smooth(problem, U, c, offset)
    start = smooth.packed(A, offset)
    smooth.far = 1e6 * (1.0 + smooth(start)[0])
    count = 0

    def watch(intermediate_result: Any) -> None:
        nonlocal count
        count += 1
        enough = count >= FIRST_CHECK and smooth.largest <= problem.beta * (1.0 + excess)
        if enough or (run is not None and run.late()):
            raise StopIteration

    options: Any = {
        "maxiter": max_iter, "maxcor": PAIRS, "maxfun": 2 * max_iter, "ftol": LEAST_LASSO_DECREASE, "gtol": 1e-9
    }  # fmt: skip
    with threads():
        found = minimize(smooth, start, jac=True, method="L-BFGS-B", options=options, callback=watch)
    s, B, b = smooth.unpacked(found.x)
    return s[:, None] * B, b


class _Smooth:
    """The objective in x = (s, B, b), with its gradient; the largest score at the last point."""

    def __init__(self, problem: TrainingProblem, U: Array, c: int, offset: Array) -> None:
        self.problem, self.m, self.c, self.fixed = problem, U.shape[1], c, offset
        self.H = problem.features.hidden(U).astype(np.float32)
        self.largest, self.far = np.inf, np.inf

    def packed(self, A: Array, offset: Array) -> Array:
        s = np.sqrt(np.linalg.norm(A, axis=1))
        B = A / np.maximum(s, np.finfo(float).tiny)[:, None]
        return np.concatenate([s, B.ravel(), offset if self.problem.offset else np.zeros(0)])

    def unpacked(self, x: Array) -> tuple[Array, Array, Array]:
        s, B, b = np.split(x, [self.m, self.m * (1 + self.c)])
        return s, B.reshape(self.m, self.c), b if self.problem.offset else self.fixed

    def __call__(self, x: Array) -> tuple[float, Array]:
        fit, beta = self.problem.fit, self.problem.beta
        s, B, b = self.unpacked(x)
        f = ((self.H @ (s[:, None] * B).astype(np.float32)).astype(np.float64) + b).reshape(fit.y.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = fit.value(f)
        if not np.isfinite(loss):  # too long a step: let the line search come back
            return self.far, np.zeros_like(x)
        g = fit.gradient(f)
        slopes = (np.ascontiguousarray(g.T, dtype=np.float32) @ self.H).T.astype(np.float64)
        self.largest = float(np.sqrt(np.max(np.sum(slopes**2, axis=1))))
        by_s, by_B = np.sum(slopes * B, axis=1) + beta * s, s[:, None] * slopes + beta * B
        by_b = g.sum(axis=0) if self.problem.offset else np.zeros(0)
        penalty = 0.5 * beta * float(s @ s + np.sum(B * B))
        return loss + penalty, np.concatenate([by_s, by_B.ravel(), by_b])
