r"""All local maximisers of h(u) = v^T (X u)_+ for X of rank 2: one sweep of the unit circle."""

from __future__ import annotations

import numpy as np

from .._array import Array


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
    Z = X @ axes
    Z, weights = Z[np.any(Z != 0.0, axis=1)], v[np.any(Z != 0.0, axis=1)]
    toward = np.arctan2(Z[:, 1], Z[:, 0])
    kinks = np.concatenate([toward - 0.5 * np.pi, toward + 0.5 * np.pi]) % (2.0 * np.pi)
    changes = np.concatenate([weights[:, None] * Z, -weights[:, None] * Z])
    order = np.argsort(kinks)
    kinks, changes = kinks[order], changes[order]
    if not len(kinks):
        return np.zeros(1), axes[:, :1]
    ends = np.append(kinks[1:], kinks[0] + 2.0 * np.pi)
    longest = int(np.argmax(ends - kinks))  # not one between kinks that coincide
    middle = _circle(0.5 * (kinks[longest] + ends[longest]))
    a = np.cumsum(changes, axis=0)
    a += (weights * (Z @ middle > 0)) @ Z - a[longest]
    best = kinks + (np.arctan2(a[:, 1], a[:, 0]) - kinks) % (2.0 * np.pi)
    tangents = _circle(kinks + 0.5 * np.pi)
    rising = np.einsum("ij,ji->i", np.roll(a, 1, axis=0), tangents) >= 0.0
    falling = np.einsum("ij,ji->i", a, tangents) <= 0.0
    angles = np.concatenate([best[best < ends], kinks[rising & falling], kinks[:1]])
    arcs = np.concatenate([a[best < ends], a[rising & falling], a[:1]])
    values = np.einsum("ij,ji->i", arcs, _circle(angles))
    top = np.argsort(-values, kind="stable")[:most]
    U = axes @ _circle(angles[top])
    values = np.array([v @ np.maximum(X @ u, 0.0) for u in U.T])
    order = np.argsort(-values, kind="stable")
    return values[order], U[:, order]


def _circle(angle: Array | float) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)])
