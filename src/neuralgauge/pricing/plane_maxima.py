r"""All local maximisers of |V^T (X u)_+| for X of rank 2, by one turn through the sorted kinks."""

from __future__ import annotations

import numpy as np

from .._array import Array
from .columns import Columns
from .sweep_plane import leading


def plane_maxima(v: Array, X: Array, axes: Array, most: int = 200) -> Columns:
    r"""Local maximisers of :math:`|V^T (Xu)_+|_2` over the unit vectors of the plane, best first.

    On an arc :math:`V^T (Xu)_+ = M u`. A maximiser is the leading right singular vector of M or its opposite, where
    that lies on the arc, or a kink with a rise before and a fall after it. For one output both signs are searched.

    Parameters
    ----------
    v : array of shape (n,) or (n, c)
    X : array of shape (n, d)
        Of rank 2.
    axes : array of shape (d, 2)
        Orthonormal basis of its row space.
    most : int
        Return at most so many.

    Returns
    -------
    Columns
        Values, evaluated anew, unit vectors and unit directions (-1 or +1 for one output); at least one of each.

    Notes
    -----
    Cost O(n (log n + c)). A search: rounding in the running sums may blur maxima that differ by 1e-12; `price` gives
    the maximum with its bound.
    """
    V = v.reshape(len(X), -1)
    arcs = _arcs(V, X @ axes)
    if arcs is None:
        return Columns(np.zeros(1), axes[:, :1], np.eye(1, V.shape[1]))
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
    return Columns(values[order], U[:, order], G[order])


def _arcs(V: Array, Z: Array) -> tuple[Array, Array, Array] | None:
    """First and last angle of every arc, and the sum (c, 2) of the outer products of rows active on it."""
    alive = np.any(Z != 0.0, axis=1)
    Z, weights = Z[alive], V[alive]
    if not len(Z):
        return None
    toward = np.arctan2(Z[:, 1], Z[:, 0])
    kinks = np.concatenate([toward - 0.5 * np.pi, toward + 0.5 * np.pi]) % (2.0 * np.pi)
    terms = weights[:, :, None] * Z[:, None, :]
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
