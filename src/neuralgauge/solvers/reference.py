"""The same programs handed to CVXPY and Clarabel: slow, general, and independent of everything here."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any

import numpy as np
from scipy.special import xlogy

from .._array import Array
from ..certificate import lower_bound
from ..errors import InvalidInputError, MissingDependencyError
from ..features.gated import GatedPatches
from ..losses import Huber, Logistic, Loss, PiecewiseLoss, Poisson, Softmax, Squared, SquaredHinge
from ..problems.training import TrainingProblem
from ..programs.block import BlockProgram
from .blocks import BlockBracket
from .run import Run
from .solution import Solution, Status

REFERENCE_FEASIBLE = 1e-6  # largest cone violation, relative to |x_j| and the largest |w_i|, of blocks that count


def _import_cvxpy() -> Any:
    try:
        import cvxpy
    except ImportError:
        raise MissingDependencyError(
            'solver="reference" needs CVXPY and Clarabel: pip install "neuralgauge[reference]".'
        ) from None
    return cvxpy


def _loss_expression(cp: Any, problem: TrainingProblem, f: Any) -> Any:
    """L(f) in CVXPY's atoms, for f of the shape of the targets."""
    y, loss = problem.y, problem.loss
    weight = problem.sample_weight
    if isinstance(loss, Softmax):
        entropy = xlogy(y, y).sum(axis=1)
        return cp.sum(cp.multiply(weight, cp.log_sum_exp(f, axis=1) - cp.sum(cp.multiply(y, f), axis=1) + entropy))
    weight = np.broadcast_to(weight.reshape(-1, *[1] * (y.ndim - 1)), y.shape)
    if isinstance(loss, Squared):
        return 0.5 * cp.sum_squares(cp.multiply(np.sqrt(weight), f - y))
    if isinstance(loss, SquaredHinge):
        beyond = cp.Variable(y.shape, nonneg=True)  # of the margin; the square of cp.pos makes Clarabel fail
        return 0.5 * cp.sum_squares(cp.multiply(np.sqrt(weight), 1.0 - cp.multiply(y, f) + beyond))
    return cp.sum(cp.multiply(weight, _elementwise(cp, loss, f, y)))


def _elementwise(cp: Any, loss: Loss, f: Any, y: Array) -> Any:
    if isinstance(loss, Logistic):
        return cp.logistic(cp.multiply(-y, f))
    if isinstance(loss, Poisson):
        return cp.exp(f) - cp.multiply(y, f) + (xlogy(y, y) - y)
    if isinstance(loss, Huber):
        return 0.5 * cp.huber(f - y, loss.delta)
    pieces = loss.pieces(y) if isinstance(loss, PiecewiseLoss) else None
    if pieces is not None and pieces.epigraph and pieces.smoothing == 0:
        a, b = pieces.slopes, pieces.intercepts
        return cp.maximum(*[cp.multiply(a[k], f) + b[k] for k in range(len(a))])
    raise InvalidInputError(
        f'solver="reference" knows the losses of this package and those that are a maximum of affine pieces, '
        f"got {loss.name!r}."
    )


def solve_with_cvxpy(program: BlockProgram, witnesses: Array | None, run: Run) -> Solution[Any]:
    """One program solved, at Clarabel's own tolerances of 1e-8.

    The lower bound is that of Clarabel's multipliers in `lower_bound`, whatever the solver says of itself: with scope
    "patterns", and safe against its errors.
    """
    cp = _import_cvxpy()
    problem = program.problem
    bracket = BlockBracket(program, witnesses, run)
    run.offer_dual(lower_bound(problem, run.dual, 0.0), run.dual)
    W, F = cp.Variable((problem.d, program.n_blocks)), cp.Variable(problem.y.shape)
    X_W = problem.features.dense() @ W
    offset = cp.Variable(problem.c) if problem.offset else np.zeros(problem.c)
    if not isinstance(program.operator, GatedPatches):
        f = cp.multiply(program.gates.T, X_W) @ program.directions
    else:
        f = cp.reshape(np.hstack(list(program.operator.maps)) @ cp.vec(W, order="F"), (problem.n, problem.c), order="C")
    f = f + np.ones((problem.n, 1)) @ offset[None, :]
    outputs = F - (f[:, 0] if problem.y.ndim == 1 else f) == 0  # its multiplier is v
    rows, side = program.walls
    signs = np.where(side, 1.0, -1.0).T
    cones = [cp.multiply(signs, rows @ W) >= 0] if program.cones else []
    penalty = problem.beta * cp.sum(cp.norm(W, 2, axis=0))
    task = cp.Problem(cp.Minimize(_loss_expression(cp, problem, F) + penalty), [outputs, *cones])
    limit = {} if run.left() is None else {"time_limit": run.left()}
    with warnings.catch_warnings(), suppress(cp.SolverError):  # however it ends, its point is judged here
        warnings.simplefilter("ignore", UserWarning)
        task.solve(solver=cp.CLARABEL, **limit)
    if W.value is not None and outputs.dual_value is not None:
        blocks = np.ascontiguousarray(W.value.T)
        if not program.cones or _violation(program, blocks) <= REFERENCE_FEASIBLE:
            bracket.offer(blocks, np.asarray(getattr(offset, "value", offset)))
        v = problem.fit.project(np.asarray(outputs.dual_value).reshape(problem.y.shape))
        walls = np.maximum(cones[0].dual_value, 0.0) if cones else np.zeros_like(signs)
        bracket.offer_dual(v, (signs * walls).T @ rows)
    run.record(program.n_blocks)
    return bracket.solution(Status.TIME_LIMIT if run.late() else Status.STALLED)


def _violation(program: BlockProgram, W: Array) -> float:
    slack = program.slacks(W)
    size = program.problem.features.lengths.max() * np.linalg.norm(W, axis=1).max()
    return float(-slack.min() / size) if size > 0.0 else 0.0
