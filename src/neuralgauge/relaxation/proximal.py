"""The proximal step of any elementwise loss, through its gradient alone; with an output offset, jointly with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._array import Array
from ..losses import PiecewiseLoss
from ..losses.datafit import DataFit

BRACKET_STEPS = 60  # of brackets: after these no digit is left, whatever the loss
FARTHEST_ROOT = 1e4  # longest first bracket of a root, relative to 1 + |f|: gradients of Poisson's loss overflow
DIGITS = 1e-12  # relative residual of outputs, below what the iterations around can see
OFFSET_DIGITS = 1e-3  # of the offset, which the next iteration corrects; proofs take the nearest v with vanishing sums


def proximal_point(fit: DataFit, center: Array, stiffness: float, offset: float) -> tuple[Array, float]:
    r"""Return the outputs f and the offset b that minimise L(f) + stiffness / 2 :math:`|f - b - \text{center}|^2`.

    Parameters
    ----------
    fit : DataFit
        One output; an elementwise loss.
    center : array of shape (n,)
    stiffness : float
    offset : float
        Where the search for b starts; b is 0 unless the fit has an offset.
    """
    if not fit.offset:
        return _outputs(fit, center, stiffness), 0.0

    def pull(b: Array) -> Array:
        """Derivative in b."""
        return np.array([np.sum(center + b - _outputs(fit, center + b, stiffness))]) * stiffness

    b = _root(pull, np.array([offset]), 1.0 / (stiffness * len(center)), OFFSET_DIGITS)
    return _outputs(fit, center + b, stiffness), float(b[0])


def _outputs(fit: DataFit, center: Array, stiffness: float) -> Array:
    """The proximal point of L at center, entry by entry."""
    if isinstance(fit.loss, PiecewiseLoss):
        pieces = fit.loss.pieces(fit.y)
        if pieces.epigraph and pieces.smoothing == 0.0:
            order = np.argsort(pieces.slopes, axis=0, kind="stable")
            slopes, intercepts = (np.take_along_axis(part, order, axis=0) for part in pieces[:2])
            rise = np.diff(slopes, axis=0)
            corners = -np.diff(intercepts, axis=0) / np.where(rise > 0, rise, 1.0)
            if np.all(rise > 0) and np.all(np.diff(corners, axis=0) >= 0):
                return _corner_point(center, fit.weight / stiffness * slopes, corners)
    return _root(lambda f: fit.gradient(f) + stiffness * (f - center), center, 1.0 / stiffness, DIGITS)


def _corner_point(center: Array, moves: Array, corners: Array) -> Array:
    """The proximal point where L has the slopes stiffness * moves (K, n) between corners (K - 1, n)."""
    f = center - moves[0]
    for move, corner in zip(moves[1:], corners, strict=True):
        f = np.minimum(f, np.maximum(corner, center - move))
    return f


def _root(increasing: Callable[[Array], Array], start: Array, reach: float, digits: float) -> Array:
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
