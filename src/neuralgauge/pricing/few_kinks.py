r"""Exact pricing of few kinks in any rank: one convex problem for every choice of signs of the convex kinks.

With w_k > 0 for k in P and w_k < 0 for the others, and |t| the larger of t and -t,

.. math:: \max_{\|z\| \le 1} b^T z + \sum_k w_k |z_k^T z| = \max_{s \in \{\pm 1\}^P} \; \min_{|y_k| \le |w_k|}
          \Big\| b + \sum_{k \in P} s_k w_k z_k + \sum_{k \notin P} y_k z_k \Big\| ,

since the best point of the ball for a linear function is its gradient over its length, and minimum and maximum change
places. Every y bounds its choice of signs from above, and every direction bounds the maximum from below. All choices
are minimised side by side, a coordinate at a time, in NumPy: nothing is compiled. For -h the signs of w change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array
from .kinks import EPS, KinkForm

# 2^16 choices at most take milliseconds, where the compiled searches take seconds in a new environment.
FEW_KINKS = 16
MOST_SWEEPS, AT_A_TIME = 2000, 10  # over all slopes of a choice at most; and between two looks at the bounds
FEW_CHOICES = 64  # choices left from which on each is finished by least squares


@dataclass
class _Choices:
    """The choices of signs for one sign of h that may still hold the maximum."""

    fixed: Array  # (k, r): b and the convex kinks with their signs
    Z: Array  # (p, r), the normals of the concave kinks
    most: Array  # (p,), the sizes of their weights
    Y: Array  # (k, p), slopes within them

    @classmethod
    def of(cls, b: Array, w: Array, Z: Array) -> _Choices:
        convex = w > 0.0
        count = int(np.sum(convex))
        signs = 1.0 - 2.0 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
        fixed = b + signs @ (w[convex, None] * Z[convex])
        most = -w[~convex]
        return cls(fixed, Z[~convex], most, np.zeros((len(fixed), len(most))))

    @property
    def gradients(self) -> Array:
        """The linear functions (k, r), whose lengths bound the choices."""
        return self.fixed + self.Y @ self.Z

    def keep(self, chosen: Array) -> None:
        self.fixed, self.Y = self.fixed[chosen], self.Y[chosen]

    def descend(self) -> None:
        """Some sweeps of coordinate descent on the lengths of all gradients."""
        G, Y = self.gradients.T.copy(), self.Y.T.copy()
        for _ in range(AT_A_TIME):
            for z, most, y in zip(self.Z, self.most, Y, strict=True):
                change = np.minimum(np.maximum(y - z @ G, -most), most) - y
                y += change
                G += z[:, None] * change
        self.Y = np.ascontiguousarray(Y.T)

    def finish(self) -> None:
        """Least squares over the slopes strictly inside their bounds, where the solution keeps to them."""
        for fixed, y in zip(self.fixed, self.Y, strict=True):
            inside = np.abs(y) < self.most
            if inside.any():
                rest = fixed + y[~inside] @ self.Z[~inside]
                solved = np.linalg.lstsq(self.Z[inside].T, -rest, rcond=None)[0]
                if np.all(np.abs(solved) <= self.most[inside]):
                    y[inside] = solved


def price_few_kinks(form: KinkForm, goal: float, tol: float) -> tuple[Array, float, bool]:
    r"""Maximiser z of :math:`|b^T z| + |E(z)|` on the unit sphere, a bound on the maximum, and whether it is closed.

    Closed means that the bound is at most `goal`, or within the relative `tol` of the value at z. The bound holds in
    floating-point arithmetic. Of a form with at most `FEW_KINKS` kinks, of any rank and one output. Cost O(2^N N r) a
    sweep, of which only choices with a bound above the best value take many.
    """
    rounding = form.margin + 4.0 * (len(form.w) + form.rank + 64.0) * EPS * form.mass
    sides = [_Choices.of(form.b, sign * form.w, form.Z) for sign in form.signs]
    z, value, settled = np.eye(form.rank)[0], 0.0, 0.0
    for sweep in range(0, MOST_SWEEPS + 1, AT_A_TIME):
        for side in sides:
            G = side.gradients
            length = np.linalg.norm(G, axis=1)
            values = _polar(form, G / np.maximum(length, np.finfo(float).tiny)[:, None])
            if len(G) and values[k := int(np.argmax(values))] > value and length[k] > 0.0:
                z, value = G[k] / length[k], float(values[k])
        limit = max(value * (1.0 + tol) + rounding, goal - rounding)
        for side in sides:
            length = np.linalg.norm(side.gradients, axis=1)
            open_ = length > limit
            settled = max(settled, float(np.max(length[~open_], initial=0.0)))
            side.keep(open_)
        left = sum(len(side.fixed) for side in sides)
        if left == 0 or sweep == MOST_SWEEPS:
            break
        for side in sides:
            side.descend()
            if left <= FEW_CHOICES:
                side.finish()
    unsettled = max(float(np.max(np.linalg.norm(side.gradients, axis=1), initial=0.0)) for side in sides)
    return z, max(value, settled, unsettled) + rounding, left == 0


def _polar(form: KinkForm, directions: Array) -> Array:
    """|b^T z| + |E(z)| of every row, or |b^T z| + E(z)."""
    even = np.abs(directions @ form.Z.T) @ form.w
    return np.abs(directions @ form.b) + (even if form.one_sided else np.abs(even))
