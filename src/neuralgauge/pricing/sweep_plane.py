r"""Exact pricing in the plane: one turn through the sorted kinks.

Between two neighbouring kinks h is linear, :math:`h(u) = (b + e)^T u`. Its maximum over the arc is :math:`|b + e|`
where that direction lies in the arc and an end point otherwise; e changes by :math:`2 w_k z_k` at kink k.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._array import Array
from .kinks import EPS, KinkForm, with_axes


def sweep_plane(form: KinkForm) -> tuple[Array, float]:
    r"""Maximiser z of :math:`|b^T z| + |E(z)|` on the unit circle, and an upper bound on the maximum.

    The bound exceeds the value by rounding only, at most :math:`4(\sqrt N + 16)\,\epsilon \sum_i |v_i| |x_i|`.

    Parameters
    ----------
    form : KinkForm
        Of rank 2.

    Notes
    -----
    Cost O(N log N), in NumPy operations on arrays of length N; sums are taken in blocks of sqrt(N), which is what
    keeps their rounding at sqrt(N) instead of N.
    """
    w, Z = with_axes(form)
    order, ends = kinks_by_angle(Z)
    w = w[order]
    jump = w[:, None] * np.column_stack([-ends[:, 1], ends[:, 0]])
    prefix = prefix_sums(jump)
    even = 2.0 * prefix - prefix[-1]  # functional of E on the arc that starts at each kink
    following = np.vstack([ends[1:], -ends[:1]])
    values = np.abs(ends @ form.b) + np.abs(np.einsum("ij,ij->i", even, ends))
    k = int(np.argmax(values))
    best, z = float(values[k]), ends[k]
    for functional in (form.b + even, form.b - even):
        inside = cross(ends, functional) * cross(functional, following) >= 0.0
        values = np.where(inside, np.hypot(functional[:, 0], functional[:, 1]), 0.0)
        k = int(np.argmax(values))
        if values[k] > best:
            best, z = float(values[k]), functional[k] / values[k]
    rounding = 4.0 * (np.sqrt(len(w)) + 16.0) * EPS * form.mass
    return z, best + rounding


def kinks_by_angle(Z: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """Order of the normals Z (N, 2) by the angle of their kinks; in that order, the kinks' ends in the upper half."""
    upper = np.where((Z[:, 0] > 0.0) | ((Z[:, 0] == 0.0) & (Z[:, 1] < 0.0)), 1.0, -1.0)[:, None]
    ends = upper * np.column_stack([-Z[:, 1], Z[:, 0]])
    order = np.argsort(np.arctan2(ends[:, 1], ends[:, 0]), kind="stable")
    return order, ends[order]


def cross(a: Array, b: Array) -> Array:
    """z-component of the cross products of rows."""
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def prefix_sums(terms: Array) -> Array:
    """Cumulative sums along axis 0 in two levels: rounding grows with sqrt(N)."""
    n, d = terms.shape
    block = int(np.ceil(np.sqrt(n)))
    padded = np.zeros((-(-n // block) * block, d))
    padded[:n] = terms
    inner = np.cumsum(padded.reshape(-1, block, d), axis=1)
    inner[1:] += np.cumsum(inner[:-1, -1], axis=0)[:, None]
    return inner.reshape(-1, d)[:n]
