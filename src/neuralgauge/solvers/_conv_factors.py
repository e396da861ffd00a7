r"""Factors of h^-1 + X B X^T for curvatures that are numbers, and with them of the whole matrix h^-1 + N.

The low rank J^T J that N has besides is added by the matrix inversion lemma. See `_conv_system`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve, lu_factor, lu_solve, solve_triangular
from scipy.sparse import csr_array

from .._array import Array


class Shared(Protocol):
    """What factors know of their system."""

    X: Array  # (n, pixels)
    inner: tuple[Array, bool]  # Cholesky factor of I + J (h^-1 + X B X^T)^-1 J^T, (r, r)
    gram: tuple[Array, Array] | None  # the last h and X^T h X

    @property
    def Xt(self) -> Array:
        """X^T, row by row."""

    def low_rank(self, pixels: Array) -> Array:
        """J v (r,) from X^T v."""

    def low_rank_pixels(self, s: Array) -> Array:
        """J^T s = X theta: theta (pixels, c)."""


class Factors(Protocol):
    """Factors of (h^-1 + X B X^T), one for all outputs or one each."""

    def solve(self, w: Array) -> tuple[Array, Array]:
        """x with x + h N x = w, and N x."""

    def reduced(self, theta: Array) -> Array:
        """J0 (h^-1 + X B X^T)^-1 J0^T for J0^T = X theta, (r, r)."""


class SampleFactors:
    """Cholesky factors of order n."""

    def __init__(self, system: Shared, B: csr_array, columns: list[Array]) -> None:
        self.system = system
        kernel = system.X @ (B @ system.Xt)
        self.roots = [np.sqrt(h)[:, None] for h in columns]
        self.chols = []
        for root in self.roots:
            matrix = root * kernel * root.T
            matrix[np.diag_indices(len(matrix))] += 1.0
            self.chols.append(cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False))

    def _divided(self, x: Array) -> Array:
        """(h^-1 + X B X^T)^-1 x for x (n, c) or, of one factor, (n, k)."""
        blocks = [x] if len(self.chols) == 1 else np.split(x, x.shape[1], axis=1)
        solved = [
            root * cho_solve(chol, root * block, check_finite=False)
            for root, chol, block in zip(self.roots, self.chols, blocks, strict=True)
        ]
        return np.hstack(solved)

    def solve(self, w: Array) -> tuple[Array, Array]:
        system = self.system
        h = np.hstack(self.roots) ** 2
        z = self._divided(w / h)
        s = cho_solve(system.inner, system.low_rank(system.X.T @ z))
        lifted = system.X @ system.low_rank_pixels(s)
        x = z - self._divided(lifted)
        return x, (w - x) / h

    def reduced(self, theta: Array) -> Array:
        pixels, _, r = theta.shape
        total = np.zeros((r, r))
        for k, (root, chol) in enumerate(zip(self.roots, self.chols, strict=True)):
            part = theta if len(self.chols) == 1 else theta[:, [k]]
            Y = root * (self.system.X @ part.reshape(pixels, -1))
            Y = solve_triangular(chol[0], Y, lower=True, overwrite_b=True, check_finite=False).reshape(-1, r)
            total += Y.T @ Y
        return total


class PixelFactors:
    """LU factors of I + B H of the order of the pixels, H = X^T h X."""

    def __init__(self, system: Shared, B: csr_array, columns: list[Array]) -> None:
        self.system, self.B, self.columns = system, B, columns
        self.grams = [self._gram(h) for h in columns]
        self.lus = []
        for H in self.grams:
            matrix = B @ H
            matrix[np.diag_indices(len(matrix))] += 1.0
            self.lus.append(lu_factor(matrix, overwrite_a=True, check_finite=False))

    def _gram(self, h: Array) -> Array:
        """X^T h X; of the squared loss it never changes."""
        known = self.system.gram
        if known is None or not np.array_equal(known[0], h):
            rooted = np.sqrt(h)[:, None] * self.system.X
            known = self.system.gram = h.copy(), rooted.T @ rooted
        return known[1]

    def _blocks(self, values: Array) -> list[Array]:
        return [values] if len(self.lus) == 1 else np.split(values, values.shape[1], axis=1)

    def _inner(self, t: Array) -> Array:
        """B X^T (h^-1 + X B X^T)^-1 x from t = X^T h x."""
        blocks = zip(self.lus, self._blocks(self.B @ t), strict=True)
        return np.hstack([lu_solve(lu, block, check_finite=False) for lu, block in blocks])

    def _times_gram(self, theta: Array) -> Array:
        return np.hstack([H @ block for H, block in zip(self.grams, self._blocks(theta), strict=True)])

    def solve(self, w: Array) -> tuple[Array, Array]:
        # All but the first and the last line work on pixels: with q = B X^T x + theta, N x = X q and x = w - h X q.
        system = self.system
        t = system.X.T @ w
        inner = self._inner(t)
        s = cho_solve(system.inner, system.low_rank(t - self._times_gram(inner)))
        theta = system.low_rank_pixels(s)
        N_x = system.X @ (inner + theta - self._inner(self._times_gram(theta)))
        h = np.column_stack(self.columns)
        return w - h * N_x, N_x

    def reduced(self, theta: Array) -> Array:
        pixels, _, r = theta.shape
        total = np.zeros((r, r))
        for k, (lu, H) in enumerate(zip(self.lus, self.grams, strict=True)):
            part = (theta if len(self.lus) == 1 else theta[:, [k]]).reshape(pixels, -1)
            E_theta = lu_solve(lu, H, trans=1, check_finite=False) @ part
            total += part.reshape(-1, r).T @ E_theta.reshape(-1, r)
        return 0.5 * (total + total.T)
