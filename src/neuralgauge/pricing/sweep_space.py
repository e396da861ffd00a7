r"""Exact pricing in three dimensions: one sweep along every kink's great circle.

Inside a cell of the arrangement h is linear, :math:`h(u) = f^T u`, so a maximiser is either on an edge of a cell or is
:math:`f / |f|` inside it. Every cell has an edge, so the sweeps along the N circles meet the functional of every
cell, one kink away from the functional of the edge. And membership never decides the answer: h at :math:`f / |f|` is
attained whatever the cell, and equals :math:`|f|` if the direction does lie in it.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from .._compiled import compiled
from .kinks import EPS, KinkForm, with_axes

TINY_ARC = 1e-13  # radians; arcs shorter than this are ends where several circles meet
OUTSIDE = 1e-11  # a direction this far beyond a kink is not in the cell


def sweep_space(form: KinkForm) -> tuple[Array, float]:
    r"""Maximiser z of :math:`|b^T z| + |E(z)|` on the unit sphere, and an upper bound on the maximum.

    The bound exceeds the value by rounding only, at most :math:`4(N + 64)\,\epsilon \sum_i |v_i| |x_i|`.

    Of a form of rank 3. Cost O(N^2 log N) time, O(N) memory; compiled at the first call and kept on disk.
    """
    w, Z = with_axes(form)
    z = np.zeros(3)
    best = float(_sweep(form.b, w, Z, z))
    return z, best + 4.0 * (len(w) + 64.0) * EPS * form.mass


@compiled
def _sweep(b: Array, w: Array, Z: Array, z: Array) -> float:
    """Best value over all circles; z is set to the direction that attains it."""
    best = 0.0
    norm_b = np.sqrt(b[0] * b[0] + b[1] * b[1] + b[2] * b[2])
    if norm_b > 0.0:
        z[:] = b / norm_b
        best = _polar(b, w, Z, z[0], z[1], z[2])
    n = len(w)
    angle, side = np.empty(n), np.empty(n)
    # Strongest kinks first: they tend to hold the maximum, and a good value saves tests of cells.
    for i in np.argsort(-np.abs(w)):
        best = _circle(b, w, Z, i, best, z, angle, side)
    return best


@compiled
def _dot(x: Array, y: Array) -> float:
    return x[0] * y[0] + x[1] * y[1] + x[2] * y[2]


@compiled
def _along(Z: Array, j: int, x: float, y: float, t: float) -> float:
    return Z[j, 0] * x + Z[j, 1] * y + Z[j, 2] * t


@compiled
def _polar(b: Array, w: Array, Z: Array, x: float, y: float, t: float) -> float:
    even = 0.0
    for j in range(len(w)):
        even += w[j] * abs(_along(Z, j, x, y, t))
    return abs(b[0] * x + b[1] * y + b[2] * t) + abs(even)


@compiled
def frame(a: Array) -> tuple[Array, Array]:
    """Orthonormal p, q orthogonal to the unit vector a."""
    k = np.argmin(np.abs(a))
    p = -a[k] * a
    p[k] += 1.0
    p /= np.sqrt(np.sum(p * p))
    return p, np.cross(a, p)


@compiled
def _circle(b: Array, w: Array, Z: Array, i: int, best: float, z: Array, angle: Array, side: Array) -> float:
    """Half a turn on the circle z_i^T u = 0: its vertices, its edges and the two cells beside each edge."""
    p, q = frame(Z[i])
    e = _start(w, Z, i, p, q, angle, side)
    order = np.argsort(angle)[: len(w) - 1]
    b_p, b_q = _dot(b, p), _dot(b, q)
    for k in range(len(order)):
        j = order[k]
        for t in range(3):
            e[t] -= 2.0 * side[j] * w[j] * Z[j, t]
        side[j] = -side[j]
        last = k + 1 == len(order)
        following = order[0] if last else order[k + 1]
        turn = angle[following] + np.pi if last else angle[following]
        c1, s1, c2, s2 = np.cos(angle[j]), np.sin(angle[j]), np.cos(turn), np.sin(turn)
        e_p, e_q = _dot(e, p), _dot(e, q)
        value = abs(b_p * c1 + b_q * s1) + abs(e_p * c1 + e_q * s1)
        if value > best:
            best = value
            z[:] = c1 * p + s1 * q
        for sign in (1.0, -1.0):
            f_p, f_q = e_p + sign * b_p, e_q + sign * b_q
            if (c1 * f_q - s1 * f_p) * (f_p * s2 - f_q * c2) >= 0.0 and f_p * f_p + f_q * f_q > best * best:
                best = np.sqrt(f_p * f_p + f_q * f_q)
                z[:] = (f_p * p + f_q * q) / best
            if turn - angle[j] > TINY_ARC:
                best = _two_cells(b, w, Z, i, j, following, e, sign, best, z, side)
    return best


@compiled
def _start(w: Array, Z: Array, i: int, p: Array, q: Array, angle: Array, side: Array) -> Array:
    """Angles in [0, pi) where circle i meets the kinks, signs of z_j^T u just before; functional of E there."""
    e = np.zeros(3)
    for j in range(len(w)):
        if j == i:
            continue
        x, y = _dot(Z[j], p), _dot(Z[j], q)
        side[j] = 1.0 if x > 0.0 or (x == 0.0 and y < 0.0) else -1.0
        angle[j] = np.arctan2(abs(x), -side[j] * y)
        for t in range(3):
            e[t] += side[j] * w[j] * Z[j, t]
    angle[i], side[i] = np.inf, 0.0
    return e


@compiled
def _two_cells(
    b: Array, w: Array, Z: Array, i: int, left: int, right: int, e: Array, sign: float, best: float, z: Array,
    side: Array,
) -> float:  # fmt: skip
    """The cells on both sides of an edge of circle i between two vertices; `side` holds the signs on the edge."""
    for over in (1.0, -1.0):
        x = e[0] + sign * b[0] + over * w[i] * Z[i, 0]
        y = e[1] + sign * b[1] + over * w[i] * Z[i, 1]
        t = e[2] + sign * b[2] + over * w[i] * Z[i, 2]
        squared = x * x + y * y + t * t
        if squared <= best * best:
            continue
        norm = np.sqrt(squared)
        flip = -1.0 if over * _along(Z, i, x, y, t) < 0.0 else 1.0
        x, y, t = flip * x / norm, flip * y / norm, flip * t / norm
        if side[left] * _along(Z, left, x, y, t) < -OUTSIDE or side[right] * _along(Z, right, x, y, t) < -OUTSIDE:
            continue
        for k in range(len(w)):
            if side[k] * _along(Z, k, x, y, t) < -OUTSIDE:
                break
        else:
            value = _polar(b, w, Z, x, y, t)
            if value > best:
                best = value
                z[0], z[1], z[2] = x, y, t
    return best
