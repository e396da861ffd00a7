"""The rows of a gated program with one output, scaled so that every sample weighs one, and Grams of its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..programs.block import BlockProgram

Index = npt.NDArray[np.intp]

SINGLE_ORDER = 800  # order from which factors are in single precision: half the time
SIDES = 2  # times the active columns must fit into the samples for a factor of their order: Grams cost more to form
COLUMN_ENTRIES = 1_000_000  # entries of A in memory at a time, 8 MB

Precision = type[np.float32] | type[np.float64]


def precision_of(order: int) -> Precision:
    """The precision in which a matrix is factorized that preconditions."""
    return np.float32 if order >= SINGLE_ORDER else np.float64


@dataclass(frozen=True)
class ScaledRows:
    """The program with weights of one: rows and targets times the roots of the sample weights.

    Attributes
    ----------
    design : array (n, d)
    y : array (n,)
        Without its part along e.
    gates : array (m, n)
        D_i as numbers, times the sign that is the block's direction.
    root : array (n,)
        Roots of the weights.
    e : array (n,), or None
        Unit vector of what an offset adds to the outputs.
    """

    design: Array
    y: Array
    gates: Array
    root: Array
    e: Array | None

    @classmethod
    def of(cls, program: BlockProgram) -> ScaledRows:
        """Those of a gated program with one output."""
        problem = program.problem
        root = np.sqrt(problem.sample_weight)
        e = root / np.linalg.norm(root) if problem.offset else None
        y = root * problem.y
        gates = program.gates * program.directions
        return cls(root[:, None] * problem.features.dense(), y if e is None else y - (e @ y) * e, gates, root, e)

    @cached_property
    def Xt(self) -> Array:
        """X^T, row by row."""
        return np.ascontiguousarray(self.design.T)

    @cached_property
    def X_Xt(self) -> Array:
        """X X^T in the precision of the factor."""
        K = self.design @ self.Xt
        return K.astype(self.precision)

    @property
    def precision(self) -> Precision:
        """That of a factor of order n."""
        return precision_of(len(self.y))

    def projected(self, v: Array) -> Array:
        """The part of v that an offset does not see."""
        return v if self.e is None else v - (self.e @ v) * self.e

    def adjoint(self, v: Array, gates: Array | None = None) -> Array:
        """A_i^T v (k, d), for all blocks or for those of these gates."""
        return (self.gates if gates is None else gates) @ (v[:, None] * self.design)

    def forward(self, W: Array, gates: Array) -> Array:
        """sum_i A_i w_i (n,)."""
        return np.asarray(np.einsum("dn,dn->n", self.Xt, W.T @ gates))


class Grams:
    """X^T D_i D_j X of the blocks that have been asked for, as many as fit into a matrix of order n / `SIDES`."""

    def __init__(self, rows: ScaledRows) -> None:
        self.rows, self.most = rows, len(rows.y) // (SIDES * rows.design.shape[1])
        self.place: Index = np.full(len(rows.gates), -1, dtype=np.intp)
        self.held: Index = np.zeros(0, dtype=np.intp)
        d = rows.design.shape[1]
        self.G = np.zeros((0, d, 0, d))

    def of(self, blocks: Index, gates: Array) -> Array:
        """(k, d, k, d) for these blocks, at most n / (`SIDES` d), as a new array; gates are theirs."""
        new = self.place[blocks] < 0
        if len(self.held) + new.sum() > self.most:
            self.held, self.place[:], new = self.held[:0], -1, np.ones(len(blocks), dtype=bool)
        if new.any():
            self._add(blocks[new], gates[new])
        chosen = self.place[blocks]
        return self.G[chosen][:, :, chosen]

    def _add(self, blocks: Index, gates: Array) -> None:
        d, first = self.rows.design.shape[1], len(self.held)
        self.held = np.concatenate([self.held, blocks])
        self.place[blocks] = np.arange(first, len(self.held))
        if len(self.held) > len(self.G):
            larger = min(self.most, max(len(self.held), 2 * len(self.G)))
            G = np.zeros((larger, d, larger, d))
            G[:first, :, :first] = self.G[:first, :, :first]
            self.G = G
        right = self._columns(gates).T
        step = max(1, COLUMN_ENTRIES // (d * len(self.rows.y)))
        for start in range(0, len(self.held), step):
            part = slice(start, min(start + step, len(self.held)))
            left = self._columns(self.rows.gates[self.held[part]])
            found = (left @ right).reshape(-1, d, len(blocks), d)
            self.G[part, :, first : len(self.held)] = found
            self.G[first : len(self.held), :, part] = found.transpose(2, 3, 0, 1)

    def _columns(self, gates: Array) -> Array:
        """A^T of these blocks, (k d, n)."""
        return np.asarray(gates[:, None, :] * self.rows.Xt).reshape(-1, len(self.rows.y))
