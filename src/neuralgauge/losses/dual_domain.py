r"""The domain of the conjugate of the training loss, in terms of gradients g = -V / s of the outputs.

Every entry lies in the interval of its loss; a loss that couples its outputs states where its rows lie
(`losses.CoupledLoss`). With an unpenalised offset the weighted columns must also vanish, sum_i s_i g_i = 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._array import Array
from . import BalancedLoss, CoupledLoss, Loss

BISECTIONS = 200  # of a bisection, which ends when no float lies between its ends
LEAST = 1e-300  # offset on either side of 0 at which one-sided gradients are taken
FARTHEST_OFFSET = 800.0  # from the targets: offsets are not followed any further, where exp(-b) is 0


def nearest(g: Array, y: Array, weight: Array, loss: Loss, offset: bool) -> Array:
    """Return a point of the domain close to g, its vanishing sums up to rounding; g itself if it is in the domain.

    Shapes: g and y (n,) or (n, c), weight (n,).
    """
    if offset and isinstance(loss, BalancedLoss):
        return loss.project_balanced(g, y, weight)
    if loss.coupled and isinstance(loss, CoupledLoss):
        return loss.project(g, y)
    lower, upper = loss.domain(y)
    inside = np.clip(g, lower, upper)
    return _shifted(inside, lower, upper, weight) if offset else inside


def _shifted(g: Array, lower: Array, upper: Array, weight: Array) -> Array:
    """Each column moved by one number, and clipped, so that its weighted sum vanishes."""
    shape = g.shape
    g, lower, upper = (values.reshape(len(weight), -1) for values in (g, lower, upper))

    def total(shift: Array) -> Array:
        return weight @ np.clip(g - shift, lower, upper)

    free, shift = np.all(np.isinf(lower) & np.isinf(upper), axis=0), weight @ g / weight.sum()
    if not free.all():
        # Every interval holds 0: a shift by the largest entry leaves nothing positive, by the least nothing negative.
        shift = np.where(free, shift, 0.5 * sum(_bracket(lambda t: -total(t), g.min(axis=0), g.max(axis=0))))
    return np.clip(g - shift, lower, upper).reshape(shape)


def distance(g: Array, y: Array, weight: Array, loss: Loss, offset: bool) -> float:
    """Bound on sum_i s_i |g_i - g'_i| to a point g' of the domain whose sums vanish exactly; rounding included.

    Where an entry can only move toward 0, the heavier side of a sum is shortened.
    """
    if offset and isinstance(loss, BalancedLoss):
        return loss.outside_balanced(g, y, weight)
    if loss.coupled and isinstance(loss, CoupledLoss):
        return float(weight @ loss.outside(g, y))
    if not offset:
        return 0.0
    n, eps = len(weight), float(np.finfo(float).eps)
    g = g.reshape(n, -1)
    total = float(weight @ np.abs(g).sum(axis=1))
    return float(np.abs(weight @ g).sum()) + (n + g.shape[1] + 8.0) * eps * total


def best_constant(y: Array, weight: Array, loss: Loss) -> tuple[Array, Array]:
    """The outputs (c,) that minimise the loss when all samples get the same, and gradients there, of y's shape.

    At a kink the gradients are the subgradients whose weighted sums vanish.
    """
    targets = y.reshape(len(weight), -1)
    if isinstance(loss, BalancedLoss):
        b = loss.best_constant(y, weight)
        return b, loss.gradient(np.broadcast_to(b, y.shape), y)

    def gradient(b: Array) -> Array:
        with np.errstate(over="ignore"):
            return loss.gradient(np.broadcast_to(b, targets.shape), targets)

    reach = FARTHEST_OFFSET + np.abs(targets).max(axis=0)
    low, high = _bracket(lambda b: weight @ gradient(b), -reach, reach)
    # 0 first, not 1e-66 where 0 is meant; both neighbours, of which one may fit exactly; the ends if none is needed.
    tried = np.stack([np.zeros_like(low), low, high, -reach, reach])
    with np.errstate(over="ignore"):
        values = np.stack([weight @ loss.value(np.broadcast_to(t, targets.shape), targets) for t in tried])
    b = np.take_along_axis(tried, np.argmin(values, axis=0)[None], axis=0)[0]
    left, right = gradient(np.where(b == 0.0, -LEAST, low)), gradient(np.where(b == 0.0, LEAST, high))
    fall, rise = weight @ left, weight @ right
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rise > fall, np.clip(-fall / (rise - fall), 0.0, 1.0), 0.5)
    return b, (left + share * (right - left)).reshape(y.shape)


def _bracket(increasing: Callable[[Array], Array], low: Array, high: Array) -> tuple[Array, Array]:
    """Neighbouring floats between which a function that does not decrease passes through 0, entry by entry."""
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if np.all((middle == low) | (middle == high)):
            break
        above = increasing(middle) > 0.0
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return low, high
