r"""Moments of degree four of points on a sphere, and the polynomials that they are paired with.

A neuron u with :math:`a = |u|` has the moments :math:`u^\alpha` of degree four and :math:`a u^\alpha` of degree three;
those of lower degree in u follow, for :math:`a^2 = \sum_i u_i^2`. With the basis
:math:`y(u) = (\sqrt{m_{ij}}\, u_i u_j)_{i \le j},\ (a u_i)`, m 1 on the diagonal and 2 off it, the moments of y y^T are
linear in them, and :math:`|y(u)|^2 = 2` for |u| = 1.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb, factorial, prod

import numpy as np
from scipy.sparse import csr_matrix, diags_array

from .._array import Array


def count(r: int) -> int:
    """Moments of points in r coordinates."""
    return comb(r + 3, 4) + comb(r + 2, 3)


class Monomials:
    """Monomials of one degree in r variables.

    Attributes
    ----------
    indices : array of shape (m, degree)
        Variables of each, in rising order.
    multiplicity : array of shape (m,)
        How often each occurs in the power of a sum.
    """

    def __init__(self, r: int, degree: int) -> None:
        rows = list(combinations_with_replacement(range(r), degree))
        self.indices = np.array(rows, dtype=np.intp).reshape(-1, degree)
        self.position = {row: k for k, row in enumerate(rows)}
        counts = [prod(factorial(row.count(i)) for i in set(row)) for row in rows]
        self.multiplicity = factorial(degree) / np.array(counts, dtype=float)

    def at(self, *variables: int) -> int:
        """Position of a product of variables."""
        return self.position[tuple(sorted(variables))]

    def powers(self, Z: Array) -> Array:
        """(n, m): coefficients of (z^T u)^degree for the rows z of Z."""
        result = self.multiplicity * Z[:, self.indices[:, 0]]
        for column in self.indices.T[1:]:
            result *= Z[:, column]
        return result


class Sphere:
    """Linear maps of the moments of r coordinates: those of degree four, then those of degree three.

    Attributes
    ----------
    squares : sparse array of shape (r (r + 1) / 2, m)
        Entries i <= j of E[a^2 u u^T].
    means : sparse array of shape (r, m)
        E[a^3 u].
    basis : sparse array of shape (k^2, m)
        E[y y^T], k = r (r + 1) / 2 + r.
    inverse : sparse array of shape (k^2, m)
        A right inverse of the adjoint of `basis`: coefficients of a polynomial, to an S with y^T S y equal to it.
    """

    def __init__(self, r: int) -> None:
        self.r, self.two, self.three, self.four = r, Monomials(r, 2), Monomials(r, 3), Monomials(r, 4)
        self.first = len(self.four.indices)
        self.size, self.order = self.first + len(self.three.indices), len(self.two.indices) + r
        self.squares = self._map(
            (k, self.four.at(i, j, m, m), 1.0) for k, (i, j) in enumerate(self.two.indices) for m in range(r)
        )
        self.means = self._map((i, self.first + self.three.at(i, m, m), 1.0) for i in range(r) for m in range(r))
        self.basis, self.inverse = self._moments_of_basis()

    def _map(self, entries: object, shape: int | None = None) -> csr_matrix:
        rows, columns, values = np.array(list(entries)).T  # type: ignore[call-overload]
        height = int(rows.max()) + 1 if shape is None else shape
        return csr_matrix((values, (rows.astype(np.intp), columns.astype(np.intp))), (height, self.size))

    def _moments_of_basis(self) -> tuple[csr_matrix, csr_matrix]:
        k, pairs = self.order, len(self.two.indices)
        root = np.sqrt(self.two.multiplicity)
        even = [
            (p * k + q, self.four.at(*self.two.indices[p], *self.two.indices[q]), root[p] * root[q])
            for p in range(pairs)
            for q in range(pairs)
        ]
        odd = [
            (*place, self.first + self.three.at(*self.two.indices[p], i), root[p])
            for p in range(pairs)
            for i in range(self.r)
            for place in ((p * k + pairs + i,), ((pairs + i) * k + p,))
        ]
        last = [
            ((pairs + i) * k + pairs + j, self.four.at(i, j, m, m), 1.0)
            for i in range(self.r)
            for j in range(self.r)
            for m in range(self.r)
        ]
        disjoint = self._map([*even, *odd], k * k)  # every entry is a multiple of one moment
        weights = np.asarray(disjoint.multiply(disjoint).sum(axis=0)).ravel()
        return self._map([*even, *odd, *last], k * k), csr_matrix(disjoint @ diags_array(1.0 / weights))

    def uniform(self) -> Array:
        """Moments of the uniform distribution on the sphere."""
        moments = np.zeros(self.size)
        r = self.r
        for k, row in enumerate(self.four.indices):
            if row[0] == row[1] and row[2] == row[3]:
                moments[k] = (3.0 if row[0] == row[3] else 1.0) / (r * (r + 2))
        return moments


@lru_cache(maxsize=8)
def sphere(r: int) -> Sphere:
    """The maps of r coordinates; they are made once."""
    return Sphere(r)
