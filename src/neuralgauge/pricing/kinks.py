r"""The function that pricing maximises, in its own coordinates: a linear part and one kink a line.

With :math:`(t)_+ = (t + |t|)/2` the neuron's score is odd plus even,

.. math:: h(u) = v^T (Xu)_+ = b^T z + E(z), \qquad E(z) = \sum_k w_k |z_k^T z|, \qquad z = B^T u,

where B spans the rows of X, z_k are unit normals of the distinct lines among them and
:math:`w_k = \tfrac12 \sum v_i |x_i|` over the rows on line k. So max |h| over the ball is the maximum of
:math:`|b^T z| + |E(z)|` over half a sphere in rank(X) dimensions.

With several outputs, V (n, c), b is the matrix X^T V / 2 transposed, every :math:`w_k` a vector of length c, and the
score at z or -z the length of :math:`b z \pm E(z)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array

EPS = float(np.finfo(float).eps)
SAME_KINK = 1e-14  # distance of unit rows below which they share a kink; what that moves is in the margin

History = tuple[tuple[float, float, float], ...]  # seconds, value, bound


@dataclass(frozen=True)
class Enclosure:
    """A unit vector z (r,) that attains `value`, and an upper bound on the maximum, rounding included.

    `closed`, `history` and `n_nodes` are those of a `Price`.
    """

    z: Array
    value: float
    bound: float
    closed: bool
    history: History
    n_nodes: int


@dataclass(frozen=True)
class KinkForm:
    """h in reduced coordinates, for one output or, with c columns, several; r is the rank, N the number of kinks."""

    b: Array  # (r,) or (c, r), linear part X^T v / 2 in the basis
    w: Array  # (N,) or (N, c), weight of each kink; w > 0 is convex, w < 0 concave
    Z: Array  # (N, r), unit normals, no two of them on one line
    basis: Array  # (d, r), orthonormal; u = basis @ z
    mass: float  # sum_i |v_i| |x_i|, to which rounding is relative; |v_i| is the length of row i of V
    margin: float  # bound on |h(u) - b^T z - E(z)| over the unit ball: rounding, and directions below the rank
    one_sided: bool = False  # whether the maximum of h is sought, not that of |h|; of one output

    @property
    def rank(self) -> int:
        """Dimension r in which the maximum is sought."""
        return self.basis.shape[1]

    def even(self, z: Array) -> float:
        """E(z), for one output."""
        return float(self.w @ np.abs(self.Z @ z))

    @property
    def signs(self) -> tuple[float, ...]:
        """The signs s for which the maximum of s h is sought."""
        return (1.0,) if self.one_sided else (1.0, -1.0)

    def polar(self, z: Array) -> float:
        """max(|h(u)|, |h(-u)|) = |b^T z| + |E(z)|, for one output; max(h(u), h(-u)) of a form of one side."""
        even = self.even(z)
        return abs(float(self.b @ z)) + (even if self.one_sided else abs(even))


def kink_form(v: Array, X: Array) -> KinkForm:
    """Reduce v (n,) or (n, c) and X (n, d) to distinct lines in the row space.

    Cost O(n d (d + c)) for the SVD and the products, n log n to group.
    """
    n, d = X.shape
    outputs = v.shape[1:]
    alive = (_size(v) != 0.0) & np.any(X != 0.0, axis=1)
    v, X = v[alive], X[alive]
    if not len(v):
        return KinkForm(np.zeros((*outputs, 1)), np.zeros((0, *outputs)), np.zeros((0, 1)), np.eye(d, 1), 0.0, 0.0)
    _, singular, Vt = np.linalg.svd(X, full_matrices=False)
    rank = max(1, int(np.sum(singular > max(n, d) * EPS * singular[0])))
    basis = np.ascontiguousarray(Vt[:rank].T)
    reduced = X @ basis
    length = np.linalg.norm(reduced, axis=1)
    weight = _size(v)
    lost = float(weight @ np.linalg.norm(X - reduced @ basis.T, axis=1)) if rank < d else 0.0
    mass = float(weight @ np.linalg.norm(X, axis=1))
    kept = length > 0.0
    w, Z, moved = _merge(0.5 * (v.T * length).T[kept], reduced[kept] / length[kept, None])
    b = 0.5 * (v.T @ reduced)
    margin = lost + moved + (d + 16.0 + float(np.log2(n + 1.0))) * EPS * mass
    return KinkForm(b, w, Z, basis, mass, margin)


def _merge(w: Array, Z: Array) -> tuple[Array, Array, float]:
    """One row a line: summed weights, unit normals, and what moving the normals together can change."""
    generic = np.random.default_rng(20200713).standard_normal(Z.shape[1])
    key = Z @ generic
    Z = np.where((key < 0.0)[:, None], -Z, Z)
    order = np.argsort(np.abs(key), kind="stable")
    w, Z = w[order], Z[order]
    new = np.ones(len(w), dtype=bool)
    new[1:] = np.max(np.abs(np.diff(Z, axis=0)), axis=1) > SAME_KINK
    first = np.flatnonzero(new)
    label = np.cumsum(new) - 1
    distance = np.linalg.norm(Z - Z[first][label], axis=1)
    moved = float(_size(w) @ distance)
    summed, size = np.add.reduceat(w, first), np.add.reduceat(_size(w), first)
    real = _size(summed) > 8.0 * EPS * size  # opposite kinks on one line cancel
    moved += float(np.sum(_size(summed[~real])))
    return summed[real], np.ascontiguousarray(Z[first][real]), moved


def _size(w: Array) -> Array:
    """Length of every weight."""
    return np.abs(w) if w.ndim == 1 else np.linalg.norm(w, axis=1)


def with_axes(form: KinkForm) -> tuple[Array, Array]:
    """Weights and normals with the coordinate planes added at weight 0, so that there are r lines of full rank."""
    return np.concatenate([form.w, np.zeros((form.rank, *form.w.shape[1:]))]), np.vstack([form.Z, np.eye(form.rank)])
