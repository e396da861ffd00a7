r"""Exact pricing in the plane: one turn through the sorted kinks.

Between two neighbouring kinks :math:`V^T (Xu)_+ = M u` with M = b + e or b - e up to the side of u, M (c, 2), so its
length is largest in the direction of the leading right singular vector of M where that lies in the arc, and at an end
point otherwise; e changes by :math:`2 w_k z_k^T` at kink k.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._array import Array
from .kinks import EPS, KinkForm, with_axes


def sweep_plane(form: KinkForm) -> tuple[Array, float]:
    r"""Maximiser z of :math:`\max_\pm |b z \pm E(z)|`, or of one side, on the unit circle, and a bound on the maximum.

    The bound exceeds the value by rounding only, at most :math:`4(\sqrt N + c + 16)\,\epsilon \sum_i |v_i| |x_i|`.

    Of a form of rank 2. Cost O(N log N + N c), in NumPy operations on arrays of shape (N, c, 2); sums are taken in
    blocks of sqrt(N), which is what keeps their rounding at sqrt(N) instead of N.
    """
    w, Z = with_axes(form)
    order, ends = _kinks_by_angle(Z)
    w, normals = w[order].reshape(len(w), -1), np.column_stack([-ends[:, 1], ends[:, 0]])
    b, (n, c) = np.atleast_2d(form.b), w.shape
    prefix = _prefix_sums((w[:, :, None] * normals[:, None, :]).reshape(n, 2 * c)).reshape(n, c, 2)
    even = 2.0 * prefix - prefix[-1]  # E on the arc that starts at each kink
    following = np.vstack([ends[1:], -ends[:1]])
    best, z = -1.0, ends[0]
    for M in (b + even, even - b):  # at points of the upper half, and at their opposites
        found = np.einsum("kij,kj->ki", M, ends)
        values = found[:, 0] if form.one_sided else np.linalg.norm(found, axis=1)
        k = int(np.argmax(values))
        if values[k] > best:
            best, z = float(values[k]), ends[k]
        values, tops = leading(M)
        before, after = _cross(ends, tops), _cross(tops, following)
        if form.one_sided:  # the top itself must lie in the arc, not its opposite
            upper = np.where(np.einsum("kij,kj->k", M, tops) >= 0.0, 1.0, -1.0)
            before, after = (np.where(upper * part >= 0.0, 1.0, -1.0) for part in (before, after))
            values = np.where((before > 0.0) & (after > 0.0), values, 0.0)
        else:
            values = np.where(before * after >= 0.0, values, 0.0)
        k = int(np.argmax(values))
        if values[k] > best:
            best, z = float(values[k]), tops[k]
    return z, best + 4.0 * (np.sqrt(n) + c + 16.0) * EPS * form.mass


def leading(M: Array) -> tuple[Array, Array]:
    """Largest singular value and a unit right singular vector of every M (k, c, 2): shapes (k,) and (k, 2)."""
    aa, ab, bb = (np.einsum("ki,ki->k", M[:, :, i], M[:, :, j]) for i, j in ((0, 0), (0, 1), (1, 1)))
    angle = 0.5 * np.arctan2(2.0 * ab, aa - bb)
    values = np.sqrt(0.5 * (aa + bb) + np.hypot(0.5 * (aa - bb), ab))
    return values, np.column_stack([np.cos(angle), np.sin(angle)])


def _kinks_by_angle(Z: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """Order of the normals Z (N, 2) by the angle of their kinks; in that order, the kinks' ends in the upper half."""
    upper = np.where((Z[:, 0] > 0.0) | ((Z[:, 0] == 0.0) & (Z[:, 1] < 0.0)), 1.0, -1.0)[:, None]
    ends = upper * np.column_stack([-Z[:, 1], Z[:, 0]])
    order = np.argsort(np.arctan2(ends[:, 1], ends[:, 0]), kind="stable")
    return order, ends[order]


def _cross(a: Array, b: Array) -> Array:
    """z-component of the cross products of rows."""
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _prefix_sums(terms: Array) -> Array:
    """Cumulative sums along axis 0 in two levels: rounding grows with sqrt(N)."""
    n, d = terms.shape
    block = int(np.ceil(np.sqrt(n)))
    padded = np.zeros((-(-n // block) * block, d))
    padded[:n] = terms
    inner = np.cumsum(padded.reshape(-1, block, d), axis=1)
    inner[1:] += np.cumsum(inner[:-1, -1], axis=0)[:, None]
    return inner.reshape(-1, d)[:n]
