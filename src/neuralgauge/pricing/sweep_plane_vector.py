r"""Exact pricing of several outputs in the plane: one turn through the sorted kinks.

Between two neighbouring kinks :math:`V^T (Xu)_+ = M u` with M = b + e or b - e up to the side of u, M (c, 2), so its
length is largest in the direction of the leading right singular vector of M where that lies in the arc, and at an end
point otherwise; e changes by :math:`2 w_k z_k^T` at kink k.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from .kinks import EPS, KinkForm, with_axes
from .sweep_plane import cross, kinks_by_angle, prefix_sums


def sweep_plane_vector(form: KinkForm) -> tuple[Array, float]:
    r"""Maximiser z of :math:`\max_\pm |b z \pm E(z)|` on the unit circle, and an upper bound on the maximum.

    The bound exceeds the value by rounding only, at most :math:`4(\sqrt N + c + 16)\,\epsilon \sum_i |v_i| |x_i|`.

    Parameters
    ----------
    form : KinkForm
        Of rank 2, with c outputs.

    Notes
    -----
    Cost O(N log N + N c), in NumPy operations on arrays of shape (N, c, 2).
    """
    w, Z = with_axes(form)
    order, ends = kinks_by_angle(Z)
    w, normals = w[order], np.column_stack([-ends[:, 1], ends[:, 0]])
    n, c = w.shape
    prefix = prefix_sums((w[:, :, None] * normals[:, None, :]).reshape(n, 2 * c)).reshape(n, c, 2)
    even = 2.0 * prefix - prefix[-1]  # E on the arc that starts at each kink
    following = np.vstack([ends[1:], -ends[:1]])
    best, z = -1.0, ends[0]
    for M in (form.b + even, form.b - even):
        values = np.linalg.norm(np.einsum("kij,kj->ki", M, ends), axis=1)
        k = int(np.argmax(values))
        if values[k] > best:
            best, z = float(values[k]), ends[k]
        values, tops = leading(M)
        values = np.where(cross(ends, tops) * cross(tops, following) >= 0.0, values, 0.0)
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
