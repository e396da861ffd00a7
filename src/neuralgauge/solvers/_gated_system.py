r"""Newton systems in the dual variable of a gated program under the squared loss, by conjugate gradients.

.. math:: P x = r, \qquad P = I + \sum_i A_i M_i A_i^T, \quad M_i = a_i (I - u_i u_i^T) + b_i u_i u_i^T,

over the active blocks, |u_i| = 1, A_i = D_i X g_i, with :math:`e^T x = 0` where the problem has an offset. One factor
serves as long as it preconditions well: active blocks change little from one to the next. It is of the smaller side,

.. math:: P = I + (X X^T) \circ \Big(\sum_i a_i D_i D_i^T\Big) + \sum_i (b_i - a_i) (A_i u_i)(A_i u_i)^T, \qquad
          P^{-1} = I - A (M^{-1} + A^T A)^{-1} A^T,

the first of order n, at n^2 m operations instead of n^2 m d, the second of order m d, from Grams that are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas, lapack

from .._array import Array
from ._scaled_rows import SIDES, Grams, Index, ScaledRows, precision_of

FORCING = 1e-2  # relative residual, in the preconditioner's norm, of a direction: Newton gains two digits a step
OLD_STEPS, NEW_STEPS = 20, 40  # most steps with a factor of before, as costly as a new one; and with a new one


@dataclass(frozen=True)
class Active:
    """The active blocks: which ones, their gates (k, n), a and b (k,), u (k, d)."""

    blocks: Index
    gates: Array
    a: Array
    b: Array
    u: Array


class GatedSystem:
    """Solves one system after the other; what it keeps is the last factor and the Grams."""

    def __init__(self, rows: ScaledRows) -> None:
        self.rows, self.grams = rows, Grams(rows)
        self.buffer: Any = None
        self.factor: Callable[[Array], Array] | None = None

    def solve(self, active: Active, r: Array) -> Array:
        """x, to `FORCING`; LinAlgError where a factor cannot be found."""
        if len(active.blocks) == 0:
            return r
        if self.factor is not None:
            x, converged = self._conjugate_gradients(active, r, OLD_STEPS)
            if converged:
                return x
        self.factor = self._factorized(active)
        return self._conjugate_gradients(active, r, NEW_STEPS)[0]

    def _factorized(self, active: Active) -> Callable[[Array], Array]:
        small = SIDES * active.u.size <= len(self.rows.y)  # then there is room for their Grams
        inverse = self._of_blocks(active) if small else self._of_samples(active)
        e = self.rows.e
        if e is None:
            return inverse
        bent = inverse(e)
        share = bent / float(e @ bent)

        def bordered(r: Array) -> Array:
            x = inverse(r)
            return x - float(e @ x) * share

        return bordered

    def _of_samples(self, active: Active) -> Callable[[Array], Array]:
        rows, n = self.rows, len(self.rows.y)
        if self.buffer is None:
            self.buffer = np.zeros((n, n), order="F", dtype=rows.precision)
        syrk = blas.ssyrk if rows.precision is np.float32 else blas.dsyrk
        along = np.sqrt(active.b - active.a)[:, None] * active.gates * (active.u @ rows.Xt)
        weighted = np.sqrt(active.a)[:, None] * active.gates
        K = syrk(1.0, weighted.astype(rows.precision).T, lower=1, c=self.buffer, overwrite_c=1)
        K *= rows.X_Xt.T
        K = syrk(1.0, along.astype(rows.precision).T, beta=1.0, lower=1, c=K, overwrite_c=1)
        K[np.diag_indices(n)] += 1.0
        self.buffer = K
        return cholesky_solve(K)

    def _of_blocks(self, active: Active) -> Callable[[Array], Array]:
        rows, (k, d) = self.rows, active.u.shape
        H = self.grams.of(active.blocks, active.gates)
        place = np.arange(k)
        inverse = (1.0 / active.b - 1.0 / active.a)[:, None, None] * active.u[:, :, None] * active.u[:, None, :]
        inverse[:, np.arange(d), np.arange(d)] += (1.0 / active.a)[:, None]
        H[place, :, place] += inverse
        inner = cholesky_solve(H.reshape(k * d, k * d).astype(precision_of(k * d), copy=False).T)

        def solve(r: Array) -> Array:
            x = inner(rows.adjoint(r, active.gates).ravel())
            return r - rows.forward(x.reshape(k, d), active.gates)

        return solve

    def _times(self, active: Active, v: Array) -> Array:
        """P v."""
        C = self.rows.adjoint(v, active.gates)
        C = active.a[:, None] * C + ((active.b - active.a) * np.einsum("ij,ij->i", active.u, C))[:, None] * active.u
        return v + self.rows.forward(C, active.gates)

    def _conjugate_gradients(self, active: Active, r: Array, most: int) -> tuple[Array, bool]:
        """x, and whether its residual is small enough after at most so many steps."""
        assert self.factor is not None
        x, z = np.zeros_like(r), self.factor(r)
        p, before = z, float(r @ z)
        goal = FORCING**2 * before
        for _ in range(most):
            if not before > 0.0:
                break
            moved = self.rows.projected(self._times(active, p))
            step = before / float(p @ moved)
            x, r = x + step * p, r - step * moved
            z = self.factor(r)
            after = float(r @ z)
            if after <= goal:
                return x, True
            p, before = z + (after / before) * p, after
        return x, before == 0.0


def cholesky_solve(K: npt.NDArray[Any]) -> Callable[[Array], Array]:
    """The inverse of a positive definite matrix by its lower half, overwritten, in its precision or a better one."""
    single = K.dtype == np.float32
    kept = K.copy(order="F") if single else K
    potrf, trsv = (lapack.spotrf, blas.strsv) if single else (lapack.dpotrf, blas.dtrsv)
    factor, info = potrf(K, lower=1, overwrite_a=1, clean=0)
    if info != 0:
        if single:
            return cholesky_solve(kept.astype(np.float64))
        raise np.linalg.LinAlgError("the Newton system is not positive definite")

    def solve(r: Array) -> Array:
        x = trsv(factor, r.astype(K.dtype), lower=1, overwrite_x=1)
        return trsv(factor, x, lower=1, trans=1, overwrite_x=1).astype(np.float64)

    return solve
