"""Newton systems of the quartic relaxation row by row, and the passes over the rows that it is made of.

A sign has moments y of `_sphere`. Row i, of unit length, sees of them the moments E[a^(4-k) (z_i^T u)^k], k = 0 to 4,
and c_i^T U z_i for a given c_i, U = E[a^2 u u^T]. Unknowns are the moments of both signs, then the offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix, eye_array, vstack

from .._array import Array
from .._compiled import reordered
from .._threads import in_threads
from ..features.rows import Index
from ._row_system import SHARES, norm_hessian, products
from ._sphere import Sphere, sphere

HELD_POWERS = 5e5  # of powers of rows held at a time: 4 MB
POWERS = 5  # values of one sign that are moments along the row; the next is c^T U z
SIGNED = POWERS + 1
OFFSET = 2 * SIGNED  # where the offset stands among the values of a row


class RowPowers:
    """Passes over rows of unit length.

    Parameters
    ----------
    Z : array of shape (n, r)
    """

    def __init__(self, Z: Array) -> None:
        self.Z = Z
        self.n, self.r = Z.shape
        self.sphere: Sphere = sphere(self.r)
        self._i, self._j = self.sphere.two.indices.T
        self._twice = self.sphere.two.multiplicity
        self.trace = (self._i == self._j).astype(float)

    def parts(self, width: int) -> Iterator[slice]:
        """Slices of rows for matrices of so many columns."""
        rows = max(1, int(HELD_POWERS / width))
        yield from (slice(start, start + rows) for start in range(0, self.n, rows))

    def matrices(self, y: Array) -> Array:
        """U (m, r, r) of moments (m, k)."""
        U = np.zeros((len(y), self.r, self.r))
        U[:, self._i, self._j] = U[:, self._j, self._i] = (self.sphere.squares @ y.T).T
        return U

    def seen(self, y: Array) -> tuple[Array, Array]:
        """Moments along the rows (m, 5, n) and U z (m, n, r) of moments y (m, k)."""
        first, U = self.sphere.first, self.matrices(y)
        powers, images = np.empty((len(y), POWERS, self.n)), self.Z @ U
        powers[:, 0] = np.trace(U, axis1=1, axis2=2)[:, None]
        powers[:, 1] = (self.sphere.means @ y.T).T @ self.Z.T
        powers[:, 2] = np.einsum("snk,nk->sn", images, self.Z)
        for rows in self.parts(self.sphere.size):
            powers[:, 3, rows] = y[:, first:] @ self.sphere.three.powers(self.Z[rows]).T
            powers[:, 4, rows] = y[:, :first] @ self.sphere.four.powers(self.Z[rows]).T
        return powers, images

    def pulled(self, powers: Array, of_U: Array) -> Array:
        """The adjoint of `seen`: (m, k)."""
        first, result = self.sphere.first, np.zeros((len(powers), self.sphere.size))
        for rows in self.parts(self.sphere.size):
            result[:, first:] += powers[:, 3, rows] @ self.sphere.three.powers(self.Z[rows])
            result[:, :first] += powers[:, 4, rows] @ self.sphere.four.powers(self.Z[rows])
        raw = (of_U + powers[:, 2][:, :, None] * self.Z).swapaxes(1, 2) @ self.Z
        entries = 0.5 * self._twice * (raw + raw.swapaxes(1, 2))[:, self._i, self._j]
        entries += powers[:, 0].sum(axis=1)[:, None] * self.trace
        return result + (self.sphere.squares.T @ entries.T + self.sphere.means.T @ (powers[:, 1] @ self.Z).T).T


class QuarticSystem(RowPowers):
    """The Newton system of given rows.

    Parameters
    ----------
    Z : array of shape (n, r)
        Rows of unit length.
    offset : bool
        Whether there is an output offset.
    """

    def __init__(self, Z: Array, offset: bool) -> None:
        super().__init__(Z)
        self.offset, size, first = offset, self.sphere.size, self.sphere.first
        self.order = 2 * size + int(offset)
        self._signs = slice(0, size), slice(size, 2 * size)
        identity = eye_array(size, format="csr")
        # Moments of degree four, U, moments of degree three, E[a^3 u]: what rows see comes from one of them.
        parts = [identity[:first], self.sphere.squares, identity[first:], self.sphere.means]
        self._expand = csr_matrix(vstack(parts))
        sizes = np.cumsum([0, first, len(self._twice), size - first, self.r])
        self._slots = [slice(start, end) for start, end in pairwise(sizes)]
        # Entries in the upper triangle of the basis matrix, sorted by the moment that they are multiples of.
        entries, moments = self.sphere.basis.nonzero()
        a, b = np.divmod(entries, self.sphere.order)
        upper = np.flatnonzero(a <= b)
        upper = upper[np.argsort(moments[upper], kind="stable")]
        self._a, self._b = a[upper], b[upper]
        values = np.asarray(self.sphere.basis[entries[upper], moments[upper]]).ravel()
        self._share = values * np.where(self._a == self._b, 0.5, 1.0)
        self._firsts = np.searchsorted(moments[upper], np.arange(size + 1))

    def factorize(self, K: Array, c: Array, norms: Array, metrics: Array) -> None:
        r"""Factorize the Newton system.

        Parameters
        ----------
        K : array of shape (13, 13, n)
            Curvatures of the rows' values.
        c : array of shape (2, n, r)
            Directions c_i of both signs.
        norms : array of shape (2, n)
            Curvatures of :math:`|U z_i|^2 / 2`.
        metrics : array of shape (2, k, k)
            P of the cones of both signs, whose curvature is tr(P M P M) / 2, M the moments of the basis.
        """
        H = np.zeros((self.order, self.order))
        width = self._slots[-1].stop

        def contribution(parts: list[slice]) -> tuple[Array, Array]:
            sums, columns = np.zeros((3, width, width)), np.zeros((2, width))
            for rows in parts:
                self._add(sums, columns, K[:, :, rows], self.Z[rows], c[:, rows])
            return sums, columns

        parts = list(self.parts(width))
        shares = in_threads(contribution, [parts[k::SHARES] for k in range(min(SHARES, len(parts)))])
        sums, columns = (np.sum(one, axis=0) for one in zip(*shares, strict=True))
        for s in (0, 1):
            sums[2 * s][self._slots[1], self._slots[1]] += norm_hessian(self.Z, norms[s], self._i, self._j)
        for place, (s, k) in enumerate(((0, 0), (0, 1), (1, 1))):
            block = self._expand.T @ sums[place]
            H[self._signs[s], self._signs[k]] = (self._expand.T @ block.T).T
        for s, of in enumerate(self._signs):
            H[of, of] += self._of_basis(metrics[s])
            if self.offset:
                H[of, -1] = self._expand.T @ columns[s]
        if self.offset:
            H[-1, -1] = np.sum(K[OFFSET, OFFSET])
        self._factor = cho_factor(H, check_finite=False)

    def _features(self, Z: Array, c: Array) -> list[tuple[int, int, Array]]:
        """(slot, value, coefficients) of what rows see of one sign."""
        constant = np.broadcast_to(self.trace, (len(Z), len(self.trace)))
        of_U = [
            (1, 0, constant),
            (1, 2, products(Z, Z, self._i, self._j)),
            (1, POWERS, products(c, Z, self._i, self._j)),
        ]
        return [(0, 4, self.sphere.four.powers(Z)), *of_U, (2, 3, self.sphere.three.powers(Z)), (3, 1, Z)]

    def _add(self, sums: Array, columns: Array, K: Array, Z: Array, c: Array) -> None:
        """Add what these rows contribute."""
        features = [self._features(Z, c[s]) for s in (0, 1)]
        right = np.empty((len(Z), self._slots[-1].stop))
        for place, (s, k) in enumerate(((0, 0), (0, 1), (1, 1))):
            for slot, value, left in features[s]:
                right[:] = 0.0
                for other, seen, coefficients in features[k]:
                    weight = K[SIGNED * s + value, SIGNED * k + seen]
                    right[:, self._slots[other]] += weight[:, None] * coefficients
                sums[place][self._slots[slot]] += left.T @ right
        for s in (0, 1):
            for slot, value, left in features[s]:
                columns[s][self._slots[slot]] += K[SIGNED * s + value, OFFSET] @ left

    def _of_basis(self, P: Array) -> Array:
        """The Hessian tr(E_k P E_l P) of the matrix of the basis, sum of moments times E_k."""
        return _basis_hessian(np.ascontiguousarray(P), self._a, self._b, self._share, self._firsts)

    def solve(self, gradient: Array, b: float) -> tuple[Array, float]:
        """Moments (2, k) and the offset whose image under the system is this gradient."""
        x = cho_solve(self._factor, np.concatenate([*gradient, [b] if self.offset else []]), check_finite=False)
        return np.stack([x[of] for of in self._signs]), float(x[-1]) if self.offset else 0.0


@reordered
def _basis_hessian(P: Array, a: Index, b: Index, share: Array, firsts: Index) -> Array:
    """tr(E_k P E_l P), E_k the sum of share (e_a e_b^T + e_b e_a^T) over entries from firsts[k] to firsts[k + 1]."""
    size = len(firsts) - 1
    H = np.empty((size, size))
    along = np.empty((2, len(P)))
    for k in range(size):
        for j in range(k, size):
            H[k, j] = 0.0
        for e in range(firsts[k], firsts[k + 1]):
            weight = 2.0 * share[e]
            along[0], along[1] = P[a[e]], P[b[e]]
            for j in range(k, size):
                total = 0.0
                for f in range(firsts[j], firsts[j + 1]):
                    total += share[f] * (along[0, a[f]] * along[1, b[f]] + along[0, b[f]] * along[1, a[f]])
                H[k, j] += weight * total
        for j in range(k, size):
            H[j, k] = H[k, j]
    return H
