r"""The facets of activation cones: those of the n constraints that are not implied by the others.

Of the constraints (2 D - I) X w >= 0 of one cell only a few are facets, on average at most 2 (d - 1) in general
position; the implied ones slow an interior-point method down.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError

from .._array import Array, BoolArray

EXACT_COLUMNS = 4  # up to here all facets are found


def facet_rows(X: Array, witnesses: Array, nearest: int) -> npt.NDArray[np.intp]:
    r"""Return the rows of X with the facets of each witness's cell, padded with the nearest other rows, (m, k).

    With u the witness and a_i = +-x_i the inward normals, w = tau u + z lies in the cone iff
    :math:`\tau + p_i^T z \ge 0`, where p_i is the part of a_i orthogonal to u, over a_i^T u. So the facets are the
    vertices of the convex hull of the p_i in d - 1 dimensions.

    Witnesses (m, d) are strictly inside their cells. For d <= 4 columns these are all facets, k the largest number of
    them. Above, they are the `nearest` d rows of least angle: a relaxation, to be completed by the rows that its
    solution violates. Zero rows of X constrain nothing and are left out.
    """
    used = np.flatnonzero(np.any(X != 0.0, axis=1))
    X = X[used]
    n, d = X.shape
    if n == 0:
        return np.zeros((len(witnesses), 0), dtype=np.intp)
    units = witnesses / np.linalg.norm(witnesses, axis=1, keepdims=True)
    nearness = np.abs(units @ X.T) / np.linalg.norm(X, axis=1)
    if d > EXACT_COLUMNS:
        return used[_nearest(nearness, min(n, nearest * d))]
    corners = [_hull_vertices(X, unit) for unit in units]
    for block, rows in enumerate(corners):
        nearness[block, rows] -= 2.0  # facets first
    return used[_nearest(nearness, max(len(rows) for rows in corners))]


def violated_rows(
    X: Array, gates: BoolArray, rows: npt.NDArray[np.intp], W: Array, strict: bool
) -> npt.NDArray[np.intp] | None:
    """`rows` with those added that the blocks W (m, d) violate most, the same number for every block; None if none.

    A violation is one above 1e-9 of |x| |w| when `strict`; otherwise above 1e-7, and blocks under a thousandth of all
    do not count.
    """
    size = np.linalg.norm(W, axis=1)
    counted = size > (0.0 if strict else 1e-3 * size.sum())
    length = np.linalg.norm(X, axis=1)
    # Each divided by its own length: the product of two may underflow to 0.
    units = W / np.where(counted, size, np.inf)[:, None]
    slack = np.where(gates, 1.0, -1.0) * (units @ (X / np.where(length > 0.0, length, 1.0)[:, None]).T)
    np.put_along_axis(slack, rows, np.inf, axis=1)
    most = int(np.max(np.sum(slack < (-1e-9 if strict else -1e-7), axis=1)))
    if most == 0:
        return None
    # A few more than were violated: the next solution moves on.
    return np.hstack([rows, _nearest(slack, min(most + X.shape[1], X.shape[0] - rows.shape[1]))])


def _nearest(nearness: Array, k: int) -> npt.NDArray[np.intp]:
    if k >= nearness.shape[1]:
        return np.broadcast_to(np.arange(nearness.shape[1]), nearness.shape)
    return np.argpartition(nearness, k - 1, axis=1)[:, :k]


def _hull_vertices(X: Array, u: Array) -> npt.NDArray[np.intp]:
    along = X @ u
    if X.shape[1] == 1:
        return np.array([int(np.argmin(np.abs(along)))])
    points = (X / along[:, None]) @ _complement(u)
    if points.shape[1] == 1:
        return np.unique([int(points[:, 0].argmin()), int(points[:, 0].argmax())])
    try:
        return np.asarray(ConvexHull(points).vertices, dtype=np.intp)
    except QhullError:  # fewer points than dimensions, or all in one plane
        return np.arange(len(X))


def _complement(u: Array) -> Array:
    """Orthonormal columns orthogonal to the unit vector u: a Householder reflection without its first column."""
    shifted = u.copy()
    shifted[0] += np.copysign(1.0, u[0])
    return (np.eye(len(u)) - np.outer(shifted, shifted) * (2.0 / (shifted @ shifted)))[:, 1:]
