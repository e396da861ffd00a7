"""The cone constraints of all blocks as linear maps: S_i = (2 D_i - I) X w_i over all rows, or over chosen ones."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray


class ConeRows(Protocol):
    """k constraints for each of m blocks."""

    lengths: Array
    count: int

    def forward(self, W: Array) -> Array:
        """Slacks (m, k) of blocks (m, d)."""

    def adjoint(self, Lambda: Array) -> Array:
        """(m, d) from multipliers (m, k)."""

    def gram(self, theta: Array) -> Array:
        """Sum over the rows of theta x x^T: (m, d, d) from (m, k)."""


class _AllRows:
    """Every row of X that is not zero, shared by all blocks."""

    def __init__(self, X: Array, gates: BoolArray) -> None:
        used = np.linalg.norm(X, axis=1) > 0  # zero rows constrain nothing
        self.X = np.ascontiguousarray(X[used])
        self.signs = np.where(gates[:, used], 1.0, -1.0)
        self.lengths = np.linalg.norm(self.X, axis=1)
        self.count = len(self.X)
        upper = np.triu_indices(X.shape[1])
        # Columns x_a x_b, a <= b: the weighted Grams of all blocks are then one matrix product.
        self.products = np.ascontiguousarray(self.X[:, upper[0]] * self.X[:, upper[1]])
        self.unfold = np.empty((X.shape[1], X.shape[1]), dtype=np.intp)
        self.unfold[upper] = np.arange(len(upper[0]))
        self.unfold.T[upper] = self.unfold[upper]

    def forward(self, W: Array) -> Array:
        return self.signs * (W @ self.X.T)

    def adjoint(self, Lambda: Array) -> Array:
        return (self.signs * Lambda) @ self.X

    def gram(self, theta: Array) -> Array:
        return (theta @ self.products)[:, self.unfold]


class _ChosenRows:
    """k rows of X for each block."""

    def __init__(self, X: Array, gates: BoolArray, rows: npt.NDArray[np.intp]) -> None:
        signs = np.where(np.take_along_axis(gates, rows, axis=1), 1.0, -1.0)
        self.rows = signs[:, :, None] * X[rows]
        self.lengths = np.linalg.norm(self.rows, axis=2)
        self.count = rows.shape[1]

    def forward(self, W: Array) -> Array:
        return np.matmul(self.rows, W[:, :, None])[:, :, 0]

    def adjoint(self, Lambda: Array) -> Array:
        return np.matmul(Lambda[:, None, :], self.rows)[:, 0, :]

    def gram(self, theta: Array) -> Array:
        return np.matmul((self.rows * theta[:, :, None]).transpose(0, 2, 1), self.rows)


def cone_rows(X: Array, gates: BoolArray, rows: npt.NDArray[np.intp] | None) -> ConeRows:
    """Return the constraints (2 D_i - I) X w_i >= 0 of all rows, or of the rows (m, k) for each block."""
    return _AllRows(X, gates) if rows is None else _ChosenRows(X, gates, rows)
