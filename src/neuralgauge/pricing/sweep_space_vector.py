r"""Exact pricing of several outputs in three dimensions: one sweep along every kink's great circle.

Inside a cell of the arrangement :math:`V^T (Xu)_+ = M u` with M (c, 3). A local maximiser of |M u| inside the cell is a
leading right singular vector of M (a local maximum of a quadratic form on the sphere is global), and where the largest
singular value is repeated the maximisers form a great circle, which meets the cell's edges. So the maximum is at a
vertex, or on an edge in the leading direction of M restricted to its circle, or at the leading direction of a cell that
contains it. Membership is tested only to save work: the value at any direction is attained, and from a direction
outside its cell the way to a maximiser inside crosses an edge on which |M u| is no smaller than rounding allows.

Each circle has its own frame, in which its kink is the third axis; M is kept by columns, e = M - b there.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from .._compiled import compiled
from .kinks import EPS, KinkForm, with_axes
from .sweep_space import OUTSIDE, TINY_ARC, frame

JACOBI_SWEEPS = 12  # quadratic convergence: five do


def sweep_space_vector(form: KinkForm) -> tuple[Array, float]:
    r"""Maximiser z of :math:`\max_\pm |b z \pm E(z)|` on the unit sphere, and an upper bound on the maximum.

    The bound exceeds the value by rounding only, at most
    :math:`(4(N + c + 64)\,\epsilon + 10^{-13}) \sum_i |v_i| |x_i|`; the last term is for cells with no longer edge.

    Of a form of rank 3. Cost O(N^2 (log N + c)) time, O(N c) memory; compiled at the first call and kept on disk.
    """
    w, Z = with_axes(form)
    z = np.zeros(3)
    best = float(_sweep(np.ascontiguousarray(form.b.T), w, Z, z))
    return z, best + (4.0 * (len(w) + w.shape[1] + 64.0) * EPS + TINY_ARC) * form.mass


@compiled
def _sweep(b: Array, w: Array, Z: Array, z: Array) -> float:
    """Best value over all circles; z is set to the direction that attains it. b is (3, c)."""
    n = len(w)
    best = 0.0
    z[0] = 1.0
    angle, side, Y, t = np.empty(n), np.empty(n), np.empty((n, 3)), np.empty(3)
    size = np.zeros(n)
    for i in range(n):
        size[i] = np.sum(w[i] * w[i])
    # Strongest kinks first: they tend to hold the maximum, and a good value saves tests of cells.
    for i in np.argsort(-size):
        axes = np.empty((3, 3))
        axes[0], axes[1] = frame(Z[i])
        axes[2] = Z[i]
        for j in range(n):
            for k in range(3):
                Y[j, k] = Z[j, 0] * axes[k, 0] + Z[j, 1] * axes[k, 1] + Z[j, 2] * axes[k, 2]
        before = best
        best = _circle(np.dot(axes, b), w, Y, i, best, t, angle, side)
        if best > before:
            z[:] = t[0] * axes[0] + t[1] * axes[1] + t[2] * axes[2]
    return best


@compiled
def _circle(b: Array, w: Array, Y: Array, i: int, best: float, z: Array, angle: Array, side: Array) -> float:
    """Half a turn on the circle of kink i, in its frame: its vertices, edges and the two cells beside each edge."""
    c = w.shape[1]
    e, f = np.zeros((3, c)), np.zeros((3, c))
    _start(w, Y, i, e, angle, side)
    A, Q, t = np.zeros((3, 3)), np.zeros((3, 3)), np.zeros(3)
    order = np.argsort(angle)[: len(w) - 1]
    for k in range(len(order)):
        j = order[k]
        for x in range(3):
            change = -2.0 * side[j] * Y[j, x]
            for y in range(c):
                e[x, y] += change * w[j, y]
        side[j] = -side[j]
        last = k + 1 == len(order)
        following = order[0] if last else order[k + 1]
        turn = angle[following] + np.pi if last else angle[following]
        c1, s1, c2, s2 = np.cos(angle[j]), np.sin(angle[j]), np.cos(turn), np.sin(turn)
        for sign in (1.0, -1.0):
            pp, pq, qq, end = 0.0, 0.0, 0.0, 0.0
            for y in range(c):
                p, q = e[0, y] + sign * b[0, y], e[1, y] + sign * b[1, y]
                f[0, y], f[1, y], f[2, y] = p, q, e[2, y] + sign * b[2, y]
                pp, pq, qq, end = pp + p * p, pq + p * q, qq + q * q, end + (p * c1 + q * s1) ** 2
            if end > best * best:
                best = np.sqrt(end)
                z[0], z[1], z[2] = c1, s1, 0.0
            top = 0.5 * (pp + qq) + np.sqrt(0.25 * (pp - qq) ** 2 + pq * pq)
            if top > best * best:
                turned = 0.5 * np.arctan2(2.0 * pq, pp - qq)
                x, y = np.cos(turned), np.sin(turned)
                if (c1 * y - s1 * x) * (x * s2 - y * c2) >= 0.0:
                    best = np.sqrt(top)
                    z[0], z[1], z[2] = x, y, 0.0
            if turn - angle[j] > TINY_ARC:
                A[0, 0], A[0, 1], A[1, 1] = pp, pq, qq
                best = _two_cells(b, w, Y, i, j, following, f, best, z, side, A, Q, t)
    return best


@compiled
def _start(w: Array, Y: Array, i: int, e: Array, angle: Array, side: Array) -> None:
    """Angles in [0, pi) where circle i meets the kinks, signs just before, and the matrix e of E there."""
    for j in range(len(w)):
        if j == i:
            continue
        x, y = Y[j, 0], Y[j, 1]
        side[j] = 1.0 if x > 0.0 or (x == 0.0 and y < 0.0) else -1.0
        angle[j] = np.arctan2(abs(x), -side[j] * y)
        for k in range(3):
            e[k] += side[j] * Y[j, k] * w[j]
    angle[i], side[i] = np.inf, 0.0


@compiled
def _two_cells(
    b: Array, w: Array, Y: Array, i: int, left: int, right: int, f: Array, best: float, z: Array, side: Array,
    A: Array, Q: Array, t: Array,
) -> float:  # fmt: skip
    """The cells on both sides of an edge of circle i between two vertices; `side` holds the signs on the edge.

    f are the columns of M on the edge without kink i; A holds their products in the plane of the circle.
    """
    c = w.shape[1]
    pp, pq, qq = A[0, 0], A[0, 1], A[1, 1]
    for over in (1.0, -1.0):
        pr, qr, rr = 0.0, 0.0, 0.0
        for y in range(c):
            r = f[2, y] + over * w[i, y]
            pr, qr, rr = pr + f[0, y] * r, qr + f[1, y] * r, rr + r * r
        mean = (pp + qq + rr) / 3.0
        if 3.0 * mean <= best * best:
            continue
        # Largest eigenvalue <= mean + 2 deviations.
        squares = (pp - mean) ** 2 + (qq - mean) ** 2 + (rr - mean) ** 2 + 2.0 * (pq * pq + pr * pr + qr * qr)
        if mean + 2.0 * np.sqrt(squares / 6.0) <= best * best:
            continue
        A[0, 0], A[0, 1], A[0, 2], A[1, 0], A[1, 1], A[1, 2] = pp, pq, pr, pq, qq, qr
        A[2, 0], A[2, 1], A[2, 2] = pr, qr, rr
        if leading_eigenvector(A, Q, t) <= best * best:
            continue
        if over * t[2] < 0.0:
            for x in range(3):
                t[x] = -t[x]
        if _beyond(Y, left, side, t) or _beyond(Y, right, side, t):
            continue
        for k in range(len(w)):
            if _beyond(Y, k, side, t):
                break
        else:
            value = _polar(b, w, Y, t)
            if value > best:
                best = value
                z[:] = t
    return best


@compiled
def _beyond(Y: Array, j: int, side: Array, t: Array) -> bool:
    return side[j] * (Y[j, 0] * t[0] + Y[j, 1] * t[1] + Y[j, 2] * t[2]) < -OUTSIDE


@compiled
def _polar(b: Array, w: Array, Y: Array, t: Array) -> float:
    """Larger length of b t + E(t) and b t - E(t)."""
    c = w.shape[1]
    even = np.zeros(c)
    for j in range(len(w)):
        size = abs(Y[j, 0] * t[0] + Y[j, 1] * t[1] + Y[j, 2] * t[2])
        for y in range(c):
            even[y] += size * w[j, y]
    plus, minus = 0.0, 0.0
    for y in range(c):
        odd = b[0, y] * t[0] + b[1, y] * t[1] + b[2, y] * t[2]
        plus, minus = plus + (even[y] + odd) ** 2, minus + (even[y] - odd) ** 2
    return np.sqrt(max(plus, minus))


@compiled
def leading_eigenvector(A: Array, Q: Array, t: Array) -> float:
    """Largest eigenvalue of the symmetric A (3, 3), which is overwritten; t is set to a unit eigenvector.

    Jacobi rotations: both keep their digits when eigenvalues nearly coincide, where the closed form loses half.
    """
    Q[:] = 0.0
    for k in range(3):
        Q[k, k] = 1.0
    for _ in range(JACOBI_SWEEPS):
        off = A[0, 1] * A[0, 1] + A[0, 2] * A[0, 2] + A[1, 2] * A[1, 2]
        if off <= 1e-34 * (A[0, 0] + A[1, 1] + A[2, 2]) ** 2:
            break
        for p, q in ((0, 1), (0, 2), (1, 2)):
            if A[p, q] == 0.0:
                continue
            ratio = (A[q, q] - A[p, p]) / (2.0 * A[p, q])
            tangent = (1.0 if ratio >= 0.0 else -1.0) / (abs(ratio) + np.sqrt(ratio * ratio + 1.0))
            cos = 1.0 / np.sqrt(tangent * tangent + 1.0)
            sin = tangent * cos
            for k in range(3):
                A[k, p], A[k, q] = cos * A[k, p] - sin * A[k, q], sin * A[k, p] + cos * A[k, q]
            for k in range(3):
                A[p, k], A[q, k] = cos * A[p, k] - sin * A[q, k], sin * A[p, k] + cos * A[q, k]
            for k in range(3):
                Q[k, p], Q[k, q] = cos * Q[k, p] - sin * Q[k, q], sin * Q[k, p] + cos * Q[k, q]
    k = 0
    for j in range(1, 3):
        if A[j, j] > A[k, k]:
            k = j
    t[:] = Q[:, k] / np.sqrt(np.sum(Q[:, k] * Q[:, k]))
    return A[k, k]
