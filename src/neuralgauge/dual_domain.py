r"""Where the conjugate of the whole training loss is finite, for gradients g = -V / s of the outputs.

Every entry lies in the interval of its loss. Two kinds of sums vanish besides: the rows of g for a loss that couples
its outputs (softmax: adding a constant to all outputs of a sample changes nothing), and the weighted columns
sum_i s_i g_i when an unpenalised offset is free to take them: -L*(-V) is finite only where it gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._array import Array
from .losses import Loss

STEPS = 200  # of a bisection, which ends when no float lies between its ends
TINY = 1e-300
FARTHEST = 64.0  # offsets beyond this, relative to the targets, are not followed: the loss only creeps


def nearest(g: Array, y: Array, weight: Array, loss: Loss, offset: bool) -> Array:
    """A point of the domain close to g, its vanishing sums up to rounding; g itself when it is in the domain.

    Shapes: g and y (n,) or (n, c), weight (n,).
    """
    lower, upper = loss.domain(y)
    inside: Array = np.clip(g, lower, upper)
    if loss.coupled:
        p = inside + y
        empty = p.sum(axis=1) == 0.0
        p[empty] = y[empty]
        p /= p.sum(axis=1, keepdims=True)
        return _mixed(p, y, weight) - y if offset else p - y
    return _shifted(inside, lower, upper, weight) if offset else inside


def _shifted(g: Array, lower: Array, upper: Array, weight: Array) -> Array:
    """Each column moved by one number, and clipped, so that its weighted sum vanishes."""
    shape = g.shape
    g, lower, upper = (values.reshape(len(weight), -1) for values in (g, lower, upper))

    def total(shift: Array) -> Array:
        result: Array = weight @ np.clip(g - shift, lower, upper)
        return result

    # Every interval holds 0, so a shift by the largest entry leaves nothing positive, by the least nothing negative.
    shift = 0.5 * sum(_bracket(lambda t: -total(t), g.min(axis=0), g.max(axis=0)))
    free = np.all(np.isinf(lower) & np.isinf(upper), axis=0)
    shift = np.where(free, weight @ g / weight.sum(), shift)
    moved: Array = np.clip(g - shift, lower, upper).reshape(shape)
    return moved


def _mixed(p: Array, y: Array, weight: Array) -> Array:
    """Probabilities (n, c) mixed with one distribution for all samples, so that every class has its own mass."""
    mass, wanted = weight @ p, weight @ y
    theta = float(np.max(1.0 - wanted / np.maximum(mass, np.finfo(float).tiny), initial=0.0))
    if theta <= 1e-14:  # rounding, for which the lower bound makes up
        return p
    q = np.maximum((wanted - (1.0 - theta) * mass) / (theta * weight.sum()), 0.0)
    result: Array = (1.0 - theta) * p + theta * q / q.sum()
    return result


def distance(g: Array, y: Array, weight: Array, loss: Loss, offset: bool) -> float:
    """Bound on sum_i s_i |g_i - g'_i| to a point g' of the domain whose sums vanish exactly; rounding included.

    Where an entry can only move toward 0, the heavier side of a sum is shortened; softmax rows are normalised and
    then mixed as in `nearest`.
    """
    if not (loss.coupled or offset):
        return 0.0
    n, eps = len(weight), float(np.finfo(float).eps)
    g = g.reshape(n, -1)
    total = float(weight @ np.abs(g).sum(axis=1))
    rounding = (n + g.shape[1] + 8.0) * eps * total
    if not loss.coupled:
        return float(np.abs(weight @ g).sum()) + rounding
    rows = float(weight @ np.abs(g.sum(axis=1))) + (8.0 + g.shape[1]) * eps * float(weight.sum())
    if not offset:
        return rows
    mass, wanted = weight @ (g + y), weight @ y
    excess = np.abs(mass - wanted) + rows + (n + 8.0) * eps * weight.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = np.max(np.where(mass > 0.0, excess / mass, 0.0), initial=0.0)
    return rows + 2.0 * float(min(theta, 1.0)) * float(weight.sum())


def best_constant(y: Array, weight: Array, loss: Loss) -> tuple[Array, Array]:
    """The outputs (c,) that minimise the loss when all samples get the same, and gradients there, of y's shape.

    At a kink the gradients are the subgradients whose weighted sums vanish.
    """
    targets = y.reshape(len(weight), -1)
    if loss.coupled:
        share = weight @ targets / weight.sum()
        b = np.log(np.maximum(share, np.exp(-FARTHEST)))
        return b, loss.gradient(np.broadcast_to(b, y.shape), y)

    def gradient(b: Array) -> Array:
        with np.errstate(over="ignore"):
            return loss.gradient(np.broadcast_to(b, targets.shape), targets)

    reach = FARTHEST + np.abs(targets).max(axis=0)
    low, high = _bracket(lambda b: weight @ gradient(b), -reach, reach)
    b = 0.5 * (low + high)
    zero = np.zeros_like(b)
    values = [weight @ loss.value(np.broadcast_to(t, targets.shape), targets) for t in (zero, b)]
    b = np.where(values[0] <= values[1], zero, b)  # not 1e-66 where 0 is meant
    left, right = gradient(np.where(b == 0.0, -TINY, low)), gradient(np.where(b == 0.0, TINY, high))
    fall, rise = weight @ left, weight @ right
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rise > fall, np.clip(-fall / (rise - fall), 0.0, 1.0), 0.5)
    return b, (left + share * (right - left)).reshape(y.shape)


def _bracket(increasing: Callable[[Array], Array], low: Array, high: Array) -> tuple[Array, Array]:
    """Neighbouring floats between which a function that does not decrease passes through 0, entry by entry."""
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if np.all((middle == low) | (middle == high)):
            break
        above = increasing(middle) > 0.0
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return low, high
