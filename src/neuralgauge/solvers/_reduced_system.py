"""What Newton systems share: roots of the curvature, factors with the rows of an offset, Grams that are kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import blas, lapack

from .._array import Array

MOST_RIDGE = 1e-8  # of each entry of a diagonal, which small columns of X make small
COMMON_SHIFT = 1e-12  # of the largest entry of the diagonal: the shift of all offsets that softmax does not see


class CurvatureRoot:
    """R with H = R R^T: one number an output, shape of the outputs, or a square matrix a sample, (n, c, c)."""

    def __init__(self, values: Array, n: int) -> None:
        self.coupled = values.ndim == 3
        self.values = values if self.coupled else values.reshape(n, -1)

    def transposed(self, V: Array) -> Array:
        """R^T V for V (..., n, c)."""
        if not self.coupled:
            return self.values * V
        return np.matmul(V[..., None, :], self.values)[..., 0, :]

    def times(self, V: Array) -> Array:
        """R V for V (n, c)."""
        if not self.coupled:
            return self.values * V
        return np.matmul(self.values, V[:, :, None])[:, :, 0]

    def around(self, K: Array) -> Array:
        """R^T K R from the lower half of K (n c, n c), overwritten; at least the lower half."""
        if not self.coupled:
            root = self.values.ravel()
            K *= root[:, None]
            K *= root
            return K
        n, c, _ = self.values.shape
        K = np.tril(K) + np.tril(K, -1).T
        half = np.matmul(self.values.transpose(0, 2, 1), K.reshape(n, c, n * c)).reshape(n * c, n, c)
        return np.asfortranarray(self.transposed(half).reshape(n * c, n * c))

    def border(self, n: int) -> Array:
        """R^T E, (c, n c): how each output of an offset moves R^T dF."""
        c = self.values.shape[1]
        return self.transposed(np.repeat(np.eye(c)[:, None], n, axis=1)).reshape(c, -1)


class SampleFactor:
    """Solves (I + R^T K R) z = r + R^T E db, E^T R z = r_b for n c unknowns; the lower half of K is overwritten."""

    def __init__(self, K: Array, root: CurvatureRoot, offset: bool) -> None:
        self.shape = root.values.shape[:2]
        n, _ = self.shape
        K = root.around(K)
        K[np.diag_indices(len(K))] += 1.0
        self.factor = cholesky_factor(K)
        self.border = root.border(n) if offset else None
        if self.border is not None:
            self.K_border = lapack.dpotrs(self.factor, self.border.T, lower=1)[0]
            # Softmax does not see a common shift of all offsets, hence the pseudo-inverse.
            self.inverse = np.linalg.pinv(self.border @ self.K_border, rcond=1e-13, hermitian=True)

    def solve(self, r: Array, r_b: Array) -> tuple[Array, Array]:
        """z (n, c) and db (c,)."""
        z, db = back_substituted(self.factor, r.ravel()), np.zeros(self.shape[1])
        if self.border is not None:
            db = self.inverse @ (r_b - self.border @ z)
            z = z + self.K_border @ db
        return z.reshape(self.shape), db


class BlockFactor:
    """Solves H (x, db) = (r, r_b) for the unknowns of all blocks and those of the offset, where there is one."""

    def __init__(self, H: Array, size: int, root: CurvatureRoot) -> None:
        self.size, self.c = size, root.values.shape[1]
        if len(H) > size and root.coupled:
            last = np.arange(size, len(H))
            H[last, last] += COMMON_SHIFT * float(np.max(H[last, last]))
        self.factor = cholesky_factor(H)

    def solve(self, r: Array, r_b: Array) -> tuple[Array, Array]:
        """x (size,) and db (c,)."""
        offset = len(self.factor) > self.size
        right = np.concatenate([r.ravel(), r_b]) if offset else r.ravel()
        found = back_substituted(self.factor, right)
        return found[: self.size], found[self.size :] if offset else np.zeros(self.c)


class KeptGram:
    """The Gram of the last root, which the squared loss never changes."""

    def __init__(self) -> None:
        self.root: Array | None = None

    def of(self, root: CurvatureRoot, compute: Callable[[CurvatureRoot], Array]) -> Array:
        """The Gram of this root, computed if the root has changed."""
        if self.root is None or not np.array_equal(root.values, self.root):
            self.gram, self.root = compute(root), root.values.copy()
        return self.gram


def back_substituted(factor: Array, r: Array) -> Array:
    """The solution for one right-hand side: half the time that `dpotrs` takes."""
    return np.asarray(blas.dtrsv(factor, blas.dtrsv(factor, r, lower=1), lower=1, trans=1))


def cholesky_factor(K: Array) -> Array:
    """Lower Cholesky factor; a tiny ridge where rounding asks for one."""
    diagonal = np.diag_indices(len(K))
    ridge = np.minimum(1e-16 * float(np.max(K[diagonal])), MOST_RIDGE * K[diagonal])
    for _ in range(6):
        factor, info = lapack.dpotrf(K, lower=1, overwrite_a=0)
        if info == 0:
            return factor
        K[diagonal] += ridge
        ridge = 100.0 * ridge
    raise np.linalg.LinAlgError("the Newton system is not positive definite")
