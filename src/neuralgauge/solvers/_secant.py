r"""The curvature of a smooth loss for Newton steps in outputs f and dual variable g at once, elementwise.

Away from the solution g differs from :math:`\ell'(f)`; let f* be the outputs at which the gradient is g. The secant

.. math:: h = \frac{\ell'(f) - g}{f - f^*}

makes the linearized relation :math:`dg = \ell'(f) - g + h\,df` a direction of descent for the gap of Fenchel and Young,
:math:`\ell(f) + \ell^*(g) - f g`: its derivative is :math:`-(\ell'(f) - g)^2 / h`. The second derivative at f is no
such measure: where the loss is nearly affine it asks for steps of any length, and past the bend the gradient has
turned. As g approaches :math:`\ell'(f)` the two are the same.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..losses import Loss, SmoothLoss

TANGENT = 0.1  # f* within this share of a Newton step for it counts as near
EQUAL = 1e-10  # of the gradients: differences up to here may be rounding
FIRST = 1e-3  # first step where the second derivative vanishes, relative to 1 + |f|
HALVINGS, ACCURACY = 60, 0.05  # of the bracket of f*, at most, and until it is so narrow relative to |f - f*|


def secant_curvature(loss: SmoothLoss, f: Array, y: Array, gradient: Array, g: Array) -> Array:
    """h >= 0 in the shape of f; the second derivative where f* is near, or where g leaves none.

    Cost: two gradients of the loss, and up to 60 more on the entries where f* is not near, most often none.
    """
    h, residual = np.array(loss.hessian(f, y)), gradient - g
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        step = -residual / h
        step = np.where(np.isfinite(step), step, -np.copysign(FIRST * (1.0 + np.abs(f)), residual))
        shorter, longer = ((loss.gradient(f + t * step, y) - g) * residual for t in (1.0 - TANGENT, 1.0 + TANGENT))
        far = ~((shorter >= 0.0) & (longer <= 0.0)) & (np.abs(residual) > EQUAL * (np.abs(gradient) + np.abs(g)))
        if far.any():
            step = _to_gradient(loss, f[far], y[far], g[far], residual[far], step[far])
            h[far] = np.where(np.isfinite(step), -residual[far] / step, h[far])
    return h


def _to_gradient(loss: Loss, f: Array, y: Array, g: Array, residual: Array, step: Array) -> Array:
    """Steps to f*, to `ACCURACY`, from first guesses: doubled until they pass f*, then halved; infinite without one."""
    near, beyond = np.zeros_like(step), np.full_like(step, np.inf)
    for _ in range(HALVINGS):
        short = (loss.gradient(f + step, y) - g) * residual > 0.0
        near, beyond = np.where(short, step, near), np.where(short, beyond, step)
        step = np.where(np.isinf(beyond), 2.0 * near, 0.5 * (near + beyond))
        if np.all(np.abs(near) >= (1.0 - ACCURACY) * np.abs(beyond)):
            break
    return np.where(np.isinf(beyond), np.inf, step)
