"""The proximal step of any loss; with an output offset, jointly with it.

Elementwise losses are solved entry by entry, through their gradient alone; coupled ones by Newton's method on the
outputs of a sample.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._array import Array
from ..losses import CoupledLoss, PiecewiseLoss
from ..losses.datafit import DataFit

BRACKET_STEPS = 60  # of brackets: after these no digit is left, whatever the loss
FARTHEST_ROOT = 1e4  # longest first bracket of a root, relative to 1 + |f|: gradients of Poisson's loss overflow
DIGITS = 1e-12  # relative residual of outputs, below what the iterations around can see
NEWTON_STEPS, LEAST_NEWTON_STEP = 50, 1e-9  # of coupled losses; most take 3 to 6
OFFSET_STEPS = 20  # of their offset, until a next call
LEAST_RIDGE = 1e-9  # of its second derivatives, for constants that a softmax does not see
OFFSET_DIGITS = 1e-3  # of the offset, which the next iteration corrects; proofs take the nearest v with vanishing sums


def proximal_point(fit: DataFit, center: Array, stiffness: Array, offset: Array) -> tuple[Array, Array]:
    r"""Return the outputs f and offset b that minimise :math:`L(f) + \sum_i \kappa_i |f_i - b - c_i|^2 / 2`.

    Parameters
    ----------
    fit : DataFit
    center : array of y's shape
        The c_i.
    stiffness : array of shape (n,) or (n, 1)
        kappa > 0, in a shape that multiplies outputs.
    offset : array of shape (c,)
        Where the search for b starts; b is 0 unless the fit has an offset.
    """
    if isinstance(fit.loss, CoupledLoss):
        return _coupled_point(fit, fit.loss, center, stiffness, offset)
    if not fit.offset:
        return _outputs(fit, center, stiffness), np.zeros(fit.c)

    def pull(b: Array) -> Array:
        """Derivative in b."""
        return np.atleast_1d(np.sum(stiffness * (center + b - _outputs(fit, center + b, stiffness)), axis=0))

    b = _root(pull, offset, 1.0 / np.sum(stiffness, axis=0), OFFSET_DIGITS)
    return _outputs(fit, center + b, stiffness), b


def _coupled_point(fit: DataFit, loss: CoupledLoss, center: Array, stiffness: Array, b: Array) -> tuple[Array, Array]:
    """The proximal point of a coupled loss; the offset by Levenberg's method on what is left when f is minimal."""
    if not fit.offset:
        return _coupled_outputs(fit, loss, center, stiffness)[0], np.zeros(fit.c)
    f, now = _coupled_outputs(fit, loss, center + b, stiffness)
    total, ridge = float(np.sum(stiffness)), LEAST_RIDGE
    for _ in range(OFFSET_STEPS):
        pulls = stiffness * (center + b - f)
        pull = np.sum(pulls, axis=0)
        if np.max(np.abs(pull)) <= OFFSET_DIGITS * np.max(np.sum(np.abs(pulls), axis=0)):
            break
        inverse = np.linalg.inv(_curvature(fit, loss, f, stiffness))
        H = total * (1.0 + ridge) * np.eye(fit.c) - np.sum(stiffness[:, :, None] ** 2 * inverse, axis=0)
        moved = b - np.linalg.solve(H, pull)
        other, value = _coupled_outputs(fit, loss, center + moved, stiffness)
        better = np.sum(value) < np.sum(now)
        ridge = max(LEAST_RIDGE, 0.1 * ridge) if better else min(1.0, 10.0 * ridge)
        if better:
            f, b, now = other, moved, value
    return f, b


def _curvature(fit: DataFit, loss: CoupledLoss, f: Array, stiffness: Array) -> Array:
    """Second derivatives of the loss plus the quadratic, (n, c, c)."""
    return fit.weight[:, None, None] * loss.hessian(f, fit.y) + stiffness[:, :, None] * np.eye(fit.c)


def _coupled_outputs(fit: DataFit, loss: CoupledLoss, center: Array, stiffness: Array) -> tuple[Array, Array]:
    """The proximal point of L at center, by damped Newton steps of every sample, and its objectives (n,)."""

    def cost(f: Array) -> Array:
        return fit.weight * loss.value(f, fit.y) + 0.5 * np.sum(stiffness * (f - center) ** 2, axis=1)

    f, now = center, cost(center)
    for _ in range(NEWTON_STEPS):
        slope = fit.gradient(f) + stiffness * (f - center)
        df = -np.linalg.solve(_curvature(fit, loss, f, stiffness), slope[:, :, None])[:, :, 0]
        fall = -np.sum(slope * df, axis=1)
        if np.all(fall <= DIGITS * now):
            break
        step, new = np.ones(fit.n), cost(f + df)
        while np.any(short := (new > now - 0.1 * step * fall) & (step > LEAST_NEWTON_STEP)):
            step = np.where(short, 0.5 * step, step)
            new = cost(f + step[:, None] * df)
        if not np.any(new < now):
            break
        f, now = np.where((new < now)[:, None], f + step[:, None] * df, f), np.minimum(new, now)
    return f, now


def _outputs(fit: DataFit, center: Array, stiffness: Array) -> Array:
    """The proximal point of L at center, entry by entry."""
    if isinstance(fit.loss, PiecewiseLoss):
        pieces = fit.loss.pieces(fit.y)
        if pieces.epigraph and pieces.smoothing == 0.0:
            order = np.argsort(pieces.slopes, axis=0, kind="stable")
            slopes, intercepts = (np.take_along_axis(part, order, axis=0) for part in pieces[:2])
            rise = np.diff(slopes, axis=0)
            corners = -np.diff(intercepts, axis=0) / np.where(rise > 0, rise, 1.0)
            if np.all(rise > 0) and np.all(np.diff(corners, axis=0) >= 0):
                return _corner_point(center, fit.output_weight / stiffness * slopes, corners)
    return _root(lambda f: fit.gradient(f) + stiffness * (f - center), center, 1.0 / stiffness, DIGITS)


def _corner_point(center: Array, moves: Array, corners: Array) -> Array:
    """The proximal point where L has the slopes stiffness * moves (K, ...) between corners (K - 1, ...)."""
    f = center - moves[0]
    for move, corner in zip(moves[1:], corners, strict=True):
        f = np.minimum(f, np.maximum(corner, center - move))
    return f


def _root(increasing: Callable[[Array], Array], start: Array, reach: Array, digits: float) -> Array:
    """Roots of increasing functions by false position and halving in turn; `reach` times a value is the first step."""
    with np.errstate(over="ignore", invalid="ignore"):
        slope = increasing(start)
        step = np.minimum(np.abs(slope) * reach, FARTHEST_ROOT * (1.0 + np.abs(start)))
        for _ in range(BRACKET_STEPS):  # a step that was too short is doubled
            ends = start - np.sign(slope) * step
            value = increasing(ends)
            short = value * slope > 0
            if not short.any():
                break
            step = np.where(short, 2.0 * step, step)
        below = slope < 0
        low, at_low = np.where(below, start, ends), np.where(below, slope, value)
        high, at_high = np.where(below, ends, start), np.where(below, value, slope)
        middle = ends
        for turn in range(2 * BRACKET_STEPS):
            small = digits * np.abs(middle - start) / reach  # of what the root moves: slopes at the start may overflow
            if np.all((np.abs(value) <= small) | (high - low <= digits * (1e-3 + np.abs(middle)))):
                break
            width = at_high - at_low
            steep = (turn % 2 == 0) & (width > 0) & np.isfinite(width)
            middle = low + np.where(steep, -at_low / np.where(steep, width, 1.0), 0.5) * (high - low)
            value = increasing(middle)
            rising = value > 0
            high, at_high = np.where(rising, middle, high), np.where(rising, value, at_high)
            low, at_low = np.where(rising, low, middle), np.where(rising, at_low, value)
    return middle
