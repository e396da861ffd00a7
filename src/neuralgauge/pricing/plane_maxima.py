r"""All local maximisers of v^T (X u)_+, or of its length for several outputs, for X of rank 2: one turn."""

from __future__ import annotations

import numpy as np

from .._array import Array
from .ascent_vector import Maxima
from .sweep_plane_vector import leading


def plane_maxima(v: Array, X: Array, axes: Array, most: int = 200) -> tuple[Array, Array]:
    r"""Local maximisers over the unit vectors of the plane, best first.

    On the circle h is one sinusoid between two kinks, a^T u with a the sum of v_i x_i over the active samples. A
    maximiser is either the direction of a, where that lies on its own arc, or a kink with h rising before and
    falling after it.

    Parameters
    ----------
    v : array of shape (n,)
    X : array of shape (n, d)
        Of rank 2.
    axes : array of shape (d, 2)
        Orthonormal basis of its row space.
    most : int
        Return at most so many.

    Returns
    -------
    values : array of shape (k,)
        h at the points, evaluated anew; k >= 1.
    U : array of shape (d, k)
        Unit vectors.

    Notes
    -----
    Cost O(n log n). A search: rounding in the running sums may blur maxima that differ by 1e-12.
    """
    arcs = _arcs(v, X @ axes)
    if arcs is None:
        return np.zeros(1), axes[:, :1]
    kinks, ends, a = arcs
    best = kinks + (np.arctan2(a[:, 1], a[:, 0]) - kinks) % (2.0 * np.pi)
    tangents = _circle(kinks + 0.5 * np.pi)
    rising = np.einsum("ij,ji->i", np.roll(a, 1, axis=0), tangents) >= 0.0
    falling = np.einsum("ij,ji->i", a, tangents) <= 0.0
    angles = np.concatenate([best[best < ends], kinks[rising & falling], kinks[:1]])
    linear = np.concatenate([a[best < ends], a[rising & falling], a[:1]])
    values = np.einsum("ij,ji->i", linear, _circle(angles))
    top = np.argsort(-values, kind="stable")[:most]
    U = axes @ _circle(angles[top])
    values = np.array([v @ np.maximum(X @ u, 0.0) for u in U.T])
    order = np.argsort(-values, kind="stable")
    return values[order], U[:, order]


def plane_maxima_vector(V: Array, X: Array, axes: Array, most: int = 200) -> Maxima:
    r"""Local maximisers of :math:`|V^T (Xu)_+|_2` over the unit vectors of the plane, best first.

    On an arc :math:`V^T (Xu)_+ = M u`. A maximiser is the leading right singular vector of M or its opposite, where
    that lies on the arc, or a kink with a rise before and a fall after it. With one column both signs are searched.

    Parameters
    ----------
    V : array of shape (n, c)
    X : array of shape (n, d)
        Of rank 2.
    axes : array of shape (d, 2)
        Orthonormal basis of its row space.
    most : int
        Return at most so many.

    Returns
    -------
    Maxima
        Values, evaluated anew, unit vectors and unit directions; at least one of each.

    Notes
    -----
    Cost O(n (log n + c)). A search, like `plane_maxima`; `price` gives the maximum with its bound.
    """
    arcs = _arcs(V, X @ axes)
    if arcs is None:
        return Maxima(np.zeros(1), axes[:, :1], np.eye(1, V.shape[1]))
    kinks, ends, M = arcs
    tops = leading(M)[1]
    best = kinks + (np.arctan2(tops[:, 1], tops[:, 0]) - kinks) % np.pi
    points, tangents = _circle(kinks), _circle(kinks + 0.5 * np.pi)
    before = np.roll(M, 1, axis=0)
    slopes = [np.einsum("kij,jk,kil,lk->k", N, points, N, tangents, optimize=True) for N in (before, M)]
    peaks = (slopes[0] >= 0.0) & (slopes[1] <= 0.0)
    angles = np.concatenate([best[best < ends], kinks[peaks], kinks[:1]])
    linear = np.concatenate([M[best < ends], M[peaks], M[:1]])
    values = np.linalg.norm(np.einsum("kij,jk->ki", linear, _circle(angles)), axis=1)
    top = np.argsort(-values, kind="stable")[:most]
    U = axes @ _circle(angles[top])
    outputs = np.array([V.T @ np.maximum(X @ u, 0.0) for u in U.T])
    values = np.linalg.norm(outputs, axis=1)
    order = np.argsort(-values, kind="stable")
    G = np.where(values[:, None] > 0.0, outputs, np.eye(1, V.shape[1]))
    G /= np.linalg.norm(G, axis=1)[:, None]
    return Maxima(values[order], U[:, order], G[order])


def _arcs(v: Array, Z: Array) -> tuple[Array, Array, Array] | None:
    """First and last angle of every arc, and the sum of v_i z_i, or of the outer products, active on it."""
    alive = np.any(Z != 0.0, axis=1)
    Z, weights = Z[alive], v[alive]
    if not len(Z):
        return None
    toward = np.arctan2(Z[:, 1], Z[:, 0])
    kinks = np.concatenate([toward - 0.5 * np.pi, toward + 0.5 * np.pi]) % (2.0 * np.pi)
    terms = weights[..., None] * (Z if v.ndim == 1 else Z[:, None, :])
    changes = np.concatenate([terms, -terms])
    order = np.argsort(kinks)
    kinks, changes = kinks[order], changes[order]
    ends = np.append(kinks[1:], kinks[0] + 2.0 * np.pi)
    longest = int(np.argmax(ends - kinks))  # not one between kinks that coincide
    middle = _circle(0.5 * (kinks[longest] + ends[longest]))
    a = np.cumsum(changes, axis=0)
    a += (weights.T * (Z @ middle > 0)) @ Z - a[longest]
    return kinks, ends, a


def _circle(angle: Array | float) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)])
