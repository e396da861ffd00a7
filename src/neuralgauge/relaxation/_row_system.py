"""Newton systems of the relaxation row by row: passes over the rows that leave matrices of the small moments.

A sign s has moments U (r, r) and w (r,); row i sees of them U z_i, of that A = z_i^T U z_i and C = c_i^T U z_i for a
given c_i, B = z_i^T w, and t = tr U. Unknowns are the upper triangles of U and w of both signs, then the offset.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .._array import Array
from .._threads import in_threads
from ..features.rows import Index

COEFFICIENTS = 5e5  # entries of products of columns held at a time: 4 MB
SHARES = 2  # of the rows, whose sums are held side by side
A, B, C, T = (0, 4), (1, 5), (2, 6), (3, 7)  # where the values of both signs stand among those of a row
VALUES = 9  # with the offset, the last


def products(one: Array, two: Array, i: Index, j: Index) -> Array:
    """Coefficients of one^T U two in the upper triangle of U, entries (i, j), row by row."""
    result = one[:, i] * two[:, j]
    off = i != j
    result[:, off] += (one[:, j] * two[:, i])[:, off]
    return result


def norm_hessian(Z: Array, weights: Array, i: Index, j: Index) -> Array:
    """The Hessian <E_k, E_l Q>, Q = sum of weighted z z^T, in the upper triangle of U, entries (i, j)."""
    Q, eye = (Z.T * weights) @ Z, np.eye(Z.shape[1])
    images = eye[i][:, :, None] * Q[j][:, None, :] + eye[j][:, :, None] * Q[i][:, None, :]
    images[i == j] *= 0.5
    images = 0.5 * (images + images.swapaxes(1, 2))
    return images[:, i, j] * np.where(i == j, 1.0, 2.0)


class RowSystem:
    """What the Newton system of given rows is made of.

    Parameters
    ----------
    Z : array of shape (n, r)
        Rows of unit length.
    offset : bool
        Whether there is an output offset.
    """

    def __init__(self, Z: Array, offset: bool) -> None:
        self.Z, self.offset = Z, offset
        self.n, self.r = Z.shape
        self._i, self._j = np.triu_indices(self.r)
        self._diagonal = self._i == self._j
        self.pairs = len(self._i)
        self.width = self.pairs + self.r  # unknowns of one sign
        self.order = 2 * self.width + int(offset)
        self._trace = np.concatenate([self._diagonal, np.zeros(self.r)])
        self._signs = slice(0, self.width), slice(self.width, 2 * self.width)

    def seen(self, U: Array, w: Array) -> tuple[Array, Array, Array]:
        """U z (2, n, r), B (2, n) and t (2,) of moments U (2, r, r) and w (2, r)."""
        return self.Z @ U, w @ self.Z.T, np.trace(U, axis1=1, axis2=2)

    def pulled(self, of_U: Array, b: Array, t: Array) -> tuple[Array, Array]:
        """The adjoint of `seen`: symmetric matrices (2, r, r) and vectors (2, r)."""
        raw = of_U.swapaxes(1, 2) @ self.Z
        return 0.5 * (raw + raw.swapaxes(1, 2)) + t[:, None, None] * np.eye(self.r), b @ self.Z

    def factorize(self, K: Array, c: Array, norms: Array, metrics: Array) -> None:
        r"""Factorize the Newton system.

        Parameters
        ----------
        K : array of shape (9, 9, n)
            Curvatures of the rows' values.
        c : array of shape (2, n, r)
            Directions c_i of both signs.
        norms : array of shape (2, n)
            Curvatures of :math:`|U z_i|^2 / 2`.
        metrics : array of shape (2, r + 1, r + 1)
            P of the cones of both signs, whose curvature is tr(P M P M) / 2, M = (U, w; w^T, tr U).
        """
        H = np.zeros((self.order, self.order))
        for s, of in enumerate(self._signs):
            H[of, of] = self._of_cone(metrics[s])
            H[of.start : of.start + self.pairs, of.start : of.start + self.pairs] += norm_hessian(
                self.Z, norms[s], self._i, self._j
            )

        def contribution(parts: list[slice]) -> Array:
            total = np.zeros_like(H)
            for part in parts:
                self._add(total, K[:, :, part], self.Z[part], c[:, part])
            return total

        rows = max(1, int(COEFFICIENTS / self.width))
        parts = [slice(start, start + rows) for start in range(0, self.n, rows)]
        for total in in_threads(contribution, [parts[k::SHARES] for k in range(min(SHARES, len(parts)))]):
            H += total
        self._factor = cho_factor(H, check_finite=False)

    def _add(self, H: Array, K: Array, Z: Array, c: Array) -> None:
        """Add what these rows contribute to the upper triangle of H."""
        own = products(Z, Z, self._i, self._j)
        both = [np.stack([own, products(c[s], Z, self._i, self._j)]) for s in (0, 1)]
        split, trace = self.pairs, self._trace
        for s, k in ((0, 0), (0, 1), (1, 1)):
            block = np.empty((self.width, self.width))
            right = [K[one[s], A[k]][:, None] * both[k][0] + K[one[s], C[k]][:, None] * both[k][1] for one in (A, C, B)]
            block[:split, :split] = both[s][0].T @ right[0] + both[s][1].T @ right[1]
            block[split:, :split] = Z.T @ right[2]
            weighted = both[s][0] * K[A[s], B[k]][:, None] + both[s][1] * K[C[s], B[k]][:, None]
            block[:split, split:] = weighted.T @ Z
            block[split:, split:] = (Z.T * K[B[s], B[k]]) @ Z
            block += np.outer(self._column(both[s], Z, K[:, T[k]], s), trace)
            block += np.outer(trace, self._column(both[k], Z, K[:, T[s]], k))
            block += np.sum(K[T[s], T[k]]) * np.outer(trace, trace)
            H[self._signs[s], self._signs[k]] += block
        if self.offset:
            for s in (0, 1):
                H[self._signs[s], -1] += self._column(both[s], Z, K[:, -1], s) + np.sum(K[T[s], -1]) * trace
            H[-1, -1] += np.sum(K[-1, -1])

    def _column(self, both: Array, Z: Array, weights: Array, s: int) -> Array:
        """Sums of the coefficients of A, C and B of sign s, under weights (9, n)."""
        return np.concatenate([weights[A[s]] @ both[0] + weights[C[s]] @ both[1], weights[B[s]] @ Z])

    def _of_cone(self, P: Array) -> Array:
        """The Hessian <E_k, P E_l P> of the cone of one sign in its unknowns, E_k the matrices that they multiply."""
        r = self.r
        first = np.concatenate([self._i, np.arange(r)])
        second = np.concatenate([self._j, np.full(r, r)])
        diagonal = first == second
        images = P[first][:, :, None] * P[second][:, None, :]
        images = images + images.swapaxes(1, 2)
        images[diagonal] = 0.5 * images[diagonal] + P[-1][:, None] * P[-1]  # t = tr U stands in the corner
        H = images[:, first, second] * np.where(diagonal, 1.0, 2.0)
        H[:, diagonal] += images[:, -1, -1][:, None]
        return H

    def solve(self, U: Array, w: Array, b: float) -> tuple[Array, Array, float]:
        """The moments and the offset whose image under the system is this gradient, of matrices, vectors and offset."""
        twice = np.where(self._diagonal, 1.0, 2.0)
        parts = [np.concatenate([twice * U[s][self._i, self._j], w[s]]) for s in (0, 1)]
        x = cho_solve(self._factor, np.concatenate([*parts, [b] if self.offset else []]), check_finite=False)
        moved = np.zeros_like(U)
        for s, of in enumerate(self._signs):
            moved[s][self._i, self._j] = moved[s][self._j, self._i] = x[of][: self.pairs]
        vectors = np.stack([x[of][self.pairs :] for of in self._signs])
        return moved, vectors, float(x[-1]) if self.offset else 0.0
