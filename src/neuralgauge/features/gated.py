r"""Gated rows: the linear map of the blocks of a convex program to the outputs, and the Grams of its Newton systems.

.. math:: B\,W = \sum_i D_i X w_i g_i^T \in \mathbb{R}^{n \times c}

for gates D_i, the diagonal matrices of activation patterns, and output directions g_i. B is never formed whole for a
dense network. Where samples have many rows, the maps B_i (n c, d) of the blocks are formed once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas

from .._array import Array, BoolArray
from .rows import Features

Index = npt.NDArray[np.intp]

GRAM_CHUNK = 2_000_000  # entries of B M^{-1/2} in memory at a time, 16 MB


class GatedRows:
    """B for one row a sample, gates (m, N) and directions (m, q)."""

    def __init__(self, features: Features, gates: BoolArray, directions: Array) -> None:
        self.features, self.gates, self.directions = features, gates, directions
        self.m, self.n, self.d, self.c = len(gates), features.n, features.d, directions.shape[1] // features.n_regions

    def take(self, blocks: npt.NDArray[Any]) -> GatedRows:
        """Only these blocks."""
        return GatedRows(self.features, self.gates[blocks], self.directions[blocks])

    @cached_property
    def _Xt(self) -> Array:
        """X^T, row by row."""
        return np.ascontiguousarray(self.features.dense().T)

    @cached_property
    def _X_Xt(self) -> Array:
        return np.repeat(np.repeat(self.features.dense() @ self._Xt, self.c, axis=0), self.c, axis=1)

    @cached_property
    def _weights(self) -> Array:
        """The gates as numbers (m, N); for one output times the sign that is a block's direction."""
        return self.gates * self.directions if self.c == 1 else self.gates.astype(np.float64)

    def _directed(self, weights: Array) -> Array:
        """Rows (m, n) times the directions: (m, n c)."""
        if self.c == 1:
            return weights
        return (weights[:, :, None] * self.directions[:, None, :]).reshape(len(weights), -1)

    def forward(self, W: Array) -> Array:
        """B W (n, c) for W (m, d): 2 N m d operations."""
        if self.c == 1:
            # This order needs no array of the size of the gates.
            return np.einsum("dn,dn->n", self._Xt, W.T @ self._weights)[:, None]
        return (self._weights * (W @ self._Xt)).T @ self.directions

    def adjoint(self, V: Array) -> Array:
        """B^T V (m, d) for V (n, c): as many operations."""
        X = self.features.dense()
        if self.c == 1:
            return self._weights @ (V * X)
        return (self._weights * (self.directions @ V.T)) @ X

    @cached_property
    def twins(self) -> tuple[Index, Index, Index]:
        """Pairs of blocks with one B_i B_i^T, equal gates and directions up to sign, and the blocks that are left."""
        first = np.take_along_axis(self.directions, np.argmax(self.directions != 0.0, axis=1)[:, None], axis=1)
        lines = np.ascontiguousarray(self.directions * np.sign(first) + 0.0).view(np.uint8).reshape(self.m, -1)
        keys = np.hstack([np.packbits(self.gates, axis=1), lines])
        order = np.lexsort(keys.T)
        same = np.all(keys[order[1:]] == keys[order[:-1]], axis=1)
        # Of k equal ones in a row the first and second are a pair, the third and fourth, and so on.
        place = np.arange(self.m)
        start = np.maximum.accumulate(np.where(np.concatenate([[True], ~same]), place, 0))
        ends = np.flatnonzero(np.concatenate([[False], same]) & ((place - start) % 2 == 1))
        left = np.setdiff1d(place, np.concatenate([ends, ends - 1]))
        return order[ends - 1], order[ends], order[left]

    def gram(self, roots: Array) -> Array:
        """Lower half of B M^{-1} B^T (n c, n c), M_i^{-1} = C_i^T C_i for roots C (m, d, d).

        Of two blocks that differ in sign alone, as the two of a pattern, the M^{-1} are added up first.
        """
        size = self.n * self.c
        K = np.zeros((size, size), order="F")
        one, other, left = self.twins
        sums = np.linalg.qr(np.concatenate([roots[one], roots[other]], axis=1), mode="r")
        roots, blocks = np.concatenate([sums, roots[left]]), np.concatenate([one, left])
        chunk = max(1, GRAM_CHUNK // (self.d * size))
        for start in range(0, len(blocks), chunk):
            part = slice(start, start + chunk)
            F = self._times_roots(roots[part], blocks[part]).reshape(-1, size)
            K = blas.dsyrk(1.0, F.T, beta=1.0, c=K, lower=1, overwrite_c=1)
        return K

    def _times_roots(self, roots: Array, blocks: Index) -> Array:
        """C_i B_i^T of these blocks."""
        F = (roots.reshape(-1, self.d) @ self._Xt).reshape(len(roots), self.d, self.n)
        F *= self._weights[blocks, None, :]
        return F if self.c == 1 else F[:, :, :, None] * self.directions[blocks, None, None, :]

    def reflected_gram(self, eta: Array, b: Array) -> Array:
        """The same for M_i^{-1} = eta_i^2 (I + 2 b_i b_i^T), eta (m,), b (m, d): two products of (m, n c)."""
        weights = eta[:, None] * self._weights
        K: Array = blas.dsyrk(1.0, self._directed(weights).T, lower=1)
        K *= self._X_Xt
        weights *= b @ self._Xt
        return blas.dsyrk(2.0, self._directed(weights).T, beta=1.0, c=K, lower=1, overwrite_c=1)

    def transposed_times(self, root: Callable[[Array], Array]) -> Array:
        """B^T R (m d, n c), for a function V -> R^T V of (..., n, c)."""
        directed = root(self._directed(self._weights).reshape(self.m, self.n, self.c))
        return (directed[:, None] * self._Xt[None, :, :, None]).reshape(self.m * self.d, self.n * self.c)


class GatedPatches(GatedRows):
    """B for many rows a sample, by the maps of its blocks (m, n c, d)."""

    def __init__(self, features: Features, gates: BoolArray, directions: Array, maps: Array | None = None) -> None:
        super().__init__(features, gates, directions)
        if maps is None:
            maps = features.maps(gates, directions).reshape(self.m, -1, self.d)
        self.maps = maps

    def take(self, blocks: npt.NDArray[Any]) -> GatedPatches:
        """Only these blocks."""
        return GatedPatches(self.features, self.gates[blocks], self.directions[blocks], self.maps[blocks])

    def forward(self, W: Array) -> Array:
        """B W (n, c): 2 n c m d operations."""
        return np.matmul(self.maps, W[:, :, None]).sum(axis=0).reshape(self.n, self.c)

    def adjoint(self, V: Array) -> Array:
        """B^T V (m, d)."""
        return np.matmul(V.reshape(-1), self.maps)

    def _times_roots(self, roots: Array, blocks: Index) -> Array:
        return np.matmul(roots, self.maps[blocks].transpose(0, 2, 1))

    def reflected_gram(self, eta: Array, b: Array) -> Array:
        """The same for M_i^{-1} = eta_i^2 (I + 2 b_i b_i^T)."""
        scaled = eta[:, None, None] * self.maps
        along = np.matmul(scaled, b[:, :, None])[:, :, 0]
        K: Array = blas.dsyrk(1.0, scaled.transpose(0, 2, 1).reshape(-1, self.n * self.c).T, lower=1)
        return blas.dsyrk(2.0, along.T, beta=1.0, c=K, lower=1, overwrite_c=1)

    def transposed_times(self, root: Callable[[Array], Array]) -> Array:
        """B^T R (m d, n c)."""
        columns = self.maps.transpose(0, 2, 1).reshape(self.m * self.d, self.n, self.c)
        return root(columns).reshape(self.m * self.d, -1)


def gated(features: Features, gates: BoolArray, directions: Array) -> GatedRows:
    """Return the map B that suits the rows."""
    return (GatedPatches if features.patched else GatedRows)(features, gates, directions)
