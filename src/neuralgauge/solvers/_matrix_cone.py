"""Symmetric positive semidefinite matrices as cones, with Nesterov-Todd scaling; in the last two axes, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array


@dataclass(frozen=True)
class MatrixScaling:
    """G with G^T S G = G^-1 M G^-T = diag(lam)."""

    G: Array
    lam: Array

    @classmethod
    def of(cls, M: Array, S: Array) -> MatrixScaling:
        """By the Cholesky factors of M and S, which must be positive definite."""
        L_M, L_S = np.linalg.cholesky(M), np.linalg.cholesky(S)
        _, lam, Vt = np.linalg.svd(L_S.swapaxes(-1, -2) @ L_M)
        return cls(L_M @ (Vt.swapaxes(-1, -2) / np.sqrt(lam)[..., None, :]), lam)

    def reach(self, scaled: Array) -> float:
        """Largest multiple, maybe infinite, of a scaled change that leaves diag(lam) positive semidefinite."""
        root = 1.0 / np.sqrt(self.lam)
        rate = -float(np.min(np.linalg.eigvalsh(scaled * (root[..., :, None] * root[..., None, :])), initial=0.0))
        return 1.0 / rate if rate > 0 else np.inf
