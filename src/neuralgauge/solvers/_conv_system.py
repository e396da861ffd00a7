r"""The Newton systems of the interior point for linear convolutional networks.

Every system asks for x = h df with df + N x = u, where h is the curvature of the loss, sample by sample, and

.. math:: N\,v = A\big(M\,T_v + W (T T_v^T + T_v T^T) W T\big), \qquad T_v = A^* v ,

with A the operator of the program and M, W = G G^T (d, d) the current multiplier and scaling. The first part is the
same for every output, X B X^T with the stencil B = sum_k P_k^T M P_k on pixels; the second is J^T J of rank
d (d + 1) / 2. An offset is one more pixel, constant one, of large variance.

Where curvatures are numbers, one a sample and output, a factor of order n, or of the number of pixels if that is less,
and the matrix inversion lemma for J solve the system: :math:`(h^{-1} + N)\, x = u`. Where the outputs of a sample share
a loss, h is replaced by its mean to precondition conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor
from scipy.sparse import csr_array

from .._array import Array
from ..losses import Softmax
from ..programs.linear_conv import LinearConvProgram
from ._conv_factors import PixelFactors, SampleFactors

FREE_VARIANCE = 1e6  # of the offset, relative to what the pixels give an output
LEAST_CURVATURE = 1e-30  # relative to the largest; what follows divides by it
CG_STEPS = 100  # most, from one restart to the next
CG_ROUNDING, CG_RISE = 1e-20, 1e2  # of the squared residual: relative to the first, and to the least so far
RESTARTS = 4  # most, each from the residual itself


class Point(NamedTuple):
    """Where a system is set up: T (d, K c), M (d, d) and G (d, d) with W = G G^T."""

    T: Array
    M: Array
    G: Array


class Accuracy(NamedTuple):
    """When a solution is good enough: the energy <e, (N + N h N) e> of its error e, and its residual, relative to h u.

    What counts is how far e moves the scaled slack of the matrix inequality: its energy against mu.
    """

    energy: float
    residual: float


class ConvSystem:
    """Solves the systems of one program, prepared for one point at a time."""

    def __init__(self, program: LinearConvProgram) -> None:
        problem = program.problem
        self.program, self.n, self.c, self.d = program, problem.n, problem.c, problem.d
        images = problem.images.dense()
        self.X = np.column_stack([images, np.ones(self.n)]) if problem.offset else images
        self.coupled, self.means_vanish = problem.loss.coupled, isinstance(problem.loss, Softmax)
        self.offset, self.variance = problem.offset, 0.0
        self.mean_square = float(np.mean(images**2)) * problem.images.n_pixels
        self.pairs = np.triu_indices(self.d)
        self.half = np.where(self.pairs[0] == self.pairs[1], np.sqrt(0.5), 1.0)
        self.by_pixels = self.n > self.X.shape[1]
        self.gram: tuple[Array, Array] | None = None
        self._set_stencil()

    @cached_property
    def Xt(self) -> Array:
        """X^T row by row, which products with B want."""
        return np.ascontiguousarray(self.X.T)

    @cached_property
    def folds(self) -> list[csr_array]:
        """The columns of `fold` for each filter entry, (n_pixels, K)."""
        fold = self.program.fold.tocsc()
        K = fold.shape[1] // self.d
        return [csr_array(fold[:, a * K : (a + 1) * K]) for a in range(self.d)]

    def _set_stencil(self) -> None:
        """B.data = stencil @ M.ravel(), the sparsity of B fixed."""
        taps, size = self.program.taps, self.X.shape[1]
        d, K = taps.shape
        row, column = np.broadcast_to(taps[:, None], (d, d, K)), np.broadcast_to(taps[None], (d, d, K))
        entry = np.broadcast_to(np.arange(d * d).reshape(d, d, 1), (d, d, K))
        seen = (row >= 0) & (column >= 0)
        key, place = np.unique(row[seen] * size + column[seen], return_inverse=True)
        self.stencil = csr_array((np.ones(len(place)), (place, entry[seen])), shape=(len(key), d * d))
        self.B_columns = key % size
        self.B_starts = np.searchsorted(key // size, np.arange(size + 1))

    def prepare(self, point: Point, h: Array) -> None:
        """Factorize for curvatures h >= 0, (n,) for all outputs or (n, c)."""
        self.point = point
        size = self.X.shape[1]
        data = np.asarray(self.stencil @ point.M.ravel())
        B = csr_array((data, self.B_columns, self.B_starts), shape=(size, size))
        if self.offset:
            self.variance = FREE_VARIANCE * (self.mean_square * float(B.diagonal().mean()) + 1e-300)
            B = B + csr_array(([self.variance], ([size - 1], [size - 1])), shape=(size, size))
        self.h = np.maximum(h, LEAST_CURVATURE * h.max())
        columns = [self.h] if h.ndim == 1 else list(self.h.T)
        self.factors = PixelFactors(self, B, columns) if self.by_pixels else SampleFactors(self, B, columns)
        reduced = self.factors.reduced(self._pair_pixels())
        basis = self._pair_basis()
        inner = basis @ reduced @ basis.T
        inner[np.diag_indices(len(inner))] += 1.0
        self.inner = cho_factor(inner, lower=True)

    def _pair_pixels(self) -> Array:
        """sum_k P_k^T (E_ab T)_k for the symmetric unit matrices E_ab, a <= b: (pixels, c, r)."""
        d, (size, places) = self.d, self.program.fold.shape
        K = places // d
        theta = np.zeros((self.X.shape[1], self.c, d, d))
        maps = self.point.T.reshape(d, K, self.c).transpose(1, 2, 0).reshape(K, -1)
        for a, fold in enumerate(self.folds):
            theta[:size, :, a] = (fold @ maps).reshape(size, self.c, d)
        rows, columns = self.pairs
        return (theta[:, :, rows, columns] + theta[:, :, columns, rows]) * self.half

    def _pair_basis(self) -> Array:
        """The matrix of E -> G^T E G in the coordinates of `low_rank`."""
        G, (rows, columns) = self.point.G, self.pairs
        result = G[rows][:, rows] * G[columns][:, columns] + G[rows][:, columns] * G[columns][:, rows]
        return (result * self.half[:, None] * self.half).T

    def low_rank(self, pixels: Array) -> Array:
        """J v from X^T v: the symmetric part of T T_v^T in the coordinates of G, (r,)."""
        T, _, G = self.point
        cross = G.T @ (T @ self.unfold(pixels).T) @ G
        return (cross + cross.T)[self.pairs] * self.half

    def low_rank_pixels(self, s: Array) -> Array:
        """J^T s on pixels, (pixels, c)."""
        T, _, G = self.point
        E = np.zeros((self.d, self.d))
        E[self.pairs] = s * self.half
        return self.fold(G @ (E + E.T) @ (G.T @ T))

    def unfold(self, pixels: Array) -> Array:
        """Patches (d, K c) of pixels; the offset is none."""
        patches: Array = self.program.unfold @ pixels[: self.program.unfold.shape[1]]
        return patches.reshape(self.d, -1)

    def fold(self, Z: Array) -> Array:
        """The adjoint of `unfold`."""
        theta = self.program.pixels(Z)
        return np.vstack([theta, np.zeros((1, self.c))]) if self.offset else theta

    def _precondition(self, w: Array) -> tuple[Array, Array]:
        """x (n, c) with x + h N x = w for the h of `prepare`, and N x; under softmax with rows of mean 0, as w has."""
        x, N_x = self.factors.solve(w)
        if self.means_vanish:
            return x - x.mean(axis=1, keepdims=True), N_x - N_x.mean(axis=1, keepdims=True)
        return x, N_x

    def apply(self, v: Array) -> Array:
        """N v (n, c)."""
        T, M, G = self.point
        pixels = self.X.T @ v
        patches = self.unfold(pixels)
        cross = G.T @ (T @ patches.T) @ G
        theta = self.fold(M @ patches + G @ (cross + cross.T) @ (G.T @ T))
        if self.offset:
            theta[-1] += self.variance * pixels[-1]
        return self.X @ theta

    def solve(
        self, curvature: Callable[[Array], Array], shift: Array, u: Array, accuracy: Accuracy, start: Array | None
    ) -> tuple[Array, Array]:
        """x = h df and df, where df = u - N (shift + x), for any curvature h; all (n, c).

        Begun again from the residual itself until that needs no step: N (shift + x) of large parts loses digits.
        """
        x = np.zeros_like(u) if start is None else start
        smallest = accuracy.residual * float(np.linalg.norm(curvature(u)))

        def enough(w: Array, z: Array, N_z: Array) -> bool:
            product = float(np.vdot(w, N_z))
            return not product > 0.0 or (product <= accuracy.energy and float(np.linalg.norm(w - z)) <= smallest)

        self.steps = 0
        for _ in range(RESTARTS):
            df = u - self.apply(shift + x)
            w = curvature(df) - x
            z, N_z = self._precondition(w)
            if enough(w, z, N_z):
                return x + z, df
            x = x + (self._conjugate_gradients(curvature, w, z, N_z, enough) if self.coupled else z)
            self.steps += 1
        return x, u - self.apply(shift + x)

    def _conjugate_gradients(
        self,
        curvature: Callable[[Array], Array],
        w: Array,
        z: Array,
        N_z: Array,
        enough: Callable[[Array, Array, Array], bool],
    ) -> Array:
        """x with x + h N x = w, from the preconditioned w.

        In the inner product of N, for which preconditioner and matrix are symmetric. What N maps to zero this does not
        see; the last residual, preconditioned, adds it.
        """
        x, p, N_p, before = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w), np.inf
        first = least = float(np.vdot(w, N_z))
        for _ in range(CG_STEPS):
            product = float(np.vdot(w, N_z))
            # At the rounding of the first residual further steps only add to it; `solve` begins again from there.
            if enough(w, z, N_z) or product <= CG_ROUNDING * first or product > CG_RISE * least:
                break
            least = min(least, product)
            p, N_p = z + product / before * p, N_z + product / before * N_p
            image = p + curvature(N_p)
            step = product / float(np.vdot(N_p, image))
            x, w, before = x + step * p, w - step * image, product
            z, N_z = self._precondition(w)
            self.steps += 1
        return x + z
