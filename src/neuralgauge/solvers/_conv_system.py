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
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve, lu_factor, lu_solve, solve_triangular
from scipy.sparse import csr_array

from .._array import Array
from ..programs.linear_conv import LinearConvProgram

FREE_VARIANCE = 1e6  # of the offset, relative to what the pixels give an output
LEAST_CURVATURE = 1e-30  # relative to the largest; what follows divides by it
CG_STEPS = 100
REFINEMENTS = 4


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
        self.X = np.column_stack([problem.X, np.ones(self.n)]) if problem.offset else problem.X
        self.coupled = problem.loss.coupled
        self.offset, self.variance = problem.offset, 0.0
        self.mean_square = float(np.mean(problem.X**2)) * problem.X.shape[1]
        self.pairs = np.triu_indices(self.d)
        self.half = np.where(self.pairs[0] == self.pairs[1], np.sqrt(0.5), 1.0)
        self.make: type[_SampleFactors] | type[_PixelFactors]
        self.make = _PixelFactors if self.n > self.X.shape[1] else _SampleFactors
        self.grams: dict[bytes, Array] = {}
        self._set_stencil()

    @cached_property
    def Xt(self) -> Array:
        """X^T row by row, which products with B want."""
        return np.ascontiguousarray(self.X.T)

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
        self.factors = self.make(self, B, columns)
        reduced = self.factors.reduced(self._pair_pixels())
        basis = self._pair_basis()
        inner = basis @ reduced @ basis.T
        inner[np.diag_indices(len(inner))] += 1.0
        self.inner = cho_factor(inner, lower=True)

    def _pair_pixels(self) -> Array:
        """sum_k P_k^T (E_ab T)_k for the symmetric unit matrices E_ab, a <= b: (pixels, c, r)."""
        taps = self.program.taps
        d, K = taps.shape
        maps = self.point.T.reshape(d, K, self.c).transpose(1, 2, 0)
        theta = np.zeros((self.X.shape[1] + 1, self.c, d, d))  # the last pixel takes what falls on padding
        for a in range(d):
            theta[taps[a], :, a] += maps  # for one filter entry no two positions share a pixel
        rows, columns = self.pairs
        return (theta[:-1, :, rows, columns] + theta[:-1, :, columns, rows]) * self.half

    def _pair_basis(self) -> Array:
        """The matrix of E -> G^T E G in the coordinates of `_pair_vector`."""
        G, (rows, columns) = self.point.G, self.pairs
        result = G[rows][:, rows] * G[columns][:, columns] + G[rows][:, columns] * G[columns][:, rows]
        return (result * self.half[:, None] * self.half).T

    def low_rank(self, pixels: Array) -> Array:
        """J v from X^T v: the symmetric part of T T_v^T in the coordinates of G, (r,)."""
        T, _, G = self.point
        cross = G.T @ (T @ self.gather(pixels).T) @ G
        return (cross + cross.T)[self.pairs] * self.half

    def low_rank_pixels(self, s: Array) -> Array:
        """J^T s on pixels, (pixels, c)."""
        T, _, G = self.point
        E = np.zeros((self.d, self.d))
        E[self.pairs] = s * self.half
        return self.spread(G @ (E + E.T) @ (G.T @ T))

    def gather(self, pixels: Array) -> Array:
        """Patches (d, K c) of pixels; the offset is none."""
        patches: Array = self.program.gather @ pixels[: self.program.gather.shape[1]]
        return patches.reshape(self.d, -1)

    def spread(self, Z: Array) -> Array:
        """The adjoint of `gather`."""
        theta = self.program.pixels(Z)
        return np.vstack([theta, np.zeros((1, self.c))]) if self.offset else theta

    def _precondition(self, w: Array) -> tuple[Array, Array]:
        """x (n, c) with x + h N x = w for the h of `prepare`, and N x; for a coupled loss with rows of mean 0, as w."""
        x, N_x = self.factors.solve(w)
        if self.coupled:
            return x - x.mean(axis=1, keepdims=True), N_x - N_x.mean(axis=1, keepdims=True)
        return x, N_x

    def apply(self, v: Array) -> Array:
        """N v (n, c)."""
        T, M, G = self.point
        pixels = self.X.T @ v
        patches = self.gather(pixels)
        cross = G.T @ (T @ patches.T) @ G
        theta = self.spread(M @ patches + G @ (cross + cross.T) @ (G.T @ T))
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
        for _ in range(REFINEMENTS):
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
        for _ in range(CG_STEPS):
            if enough(w, z, N_z):
                break
            product = float(np.vdot(w, N_z))
            p, N_p = z + product / before * p, N_z + product / before * N_p
            image = p + curvature(N_p)
            step = product / float(np.vdot(N_p, image))
            x, w, before = x + step * p, w - step * image, product
            z, N_z = self._precondition(w)
            self.steps += 1
        return x + z


class _Factors(Protocol):
    """Factors of (h^-1 + X B X^T), one for all outputs or one each."""

    def solve(self, w: Array) -> tuple[Array, Array]:
        """x with x + h N x = w, and N x."""

    def reduced(self, theta: Array) -> Array:
        """J0 (h^-1 + X B X^T)^-1 J0^T for J0^T = X theta, (r, r)."""


class _SampleFactors:
    """Cholesky factors of order n."""

    def __init__(self, system: ConvSystem, B: csr_array, columns: list[Array]) -> None:
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


class _PixelFactors:
    """LU factors of I + B H of the order of the pixels, H = X^T h X."""

    def __init__(self, system: ConvSystem, B: csr_array, columns: list[Array]) -> None:
        self.system, self.B, self.columns = system, B, columns
        self.grams = [self._gram(h) for h in columns]
        self.lus = []
        for H in self.grams:
            matrix = B @ H
            matrix[np.diag_indices(len(matrix))] += 1.0
            self.lus.append(lu_factor(matrix, overwrite_a=True, check_finite=False))

    def _gram(self, h: Array) -> Array:
        known = self.system.grams
        key = h.tobytes()
        if key not in known:
            known.clear()
            rooted = np.sqrt(h)[:, None] * self.system.X
            known[key] = rooted.T @ rooted
        return known[key]

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
