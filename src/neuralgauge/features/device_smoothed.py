"""The passes of searches over rows on a device, in single precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .._array import Array
from .chunks import Heads
from .places import Place, PlacedRows, PlacedWeights, largest, to_host
from .smoothed import LEAST_WIDTH, SecondOrder, Single, SmoothedRows


class PlacedAccess(Protocol):
    """What these passes need to know of the rows."""

    place: Place
    ones: bool
    largest: float

    @property
    def N(self) -> int:
        """Rows."""

    def blocks(self, m: int, place: Place) -> Iterator[tuple[slice, PlacedRows]]:
        """Chunks of the rows for m neurons at a place."""

    def gathered(self, rows: npt.NDArray[np.intp] | slice) -> Array:
        """Some of the rows (k, d), brought here."""


class SmoothedDeviceRows(SmoothedRows):
    """`SmoothedRows` on a device: rows in double precision are rounded to single chunk by chunk.

    Weights are divided by their largest entry and by that of the rows, so that products do not over- or underflow.
    """

    def __init__(self, rows: PlacedAccess) -> None:
        self.rows, self.scale = rows, 1.0
        self.place = Place(rows.place.xp, rows.place.device, rows.place.xp.float32)

    def sampled(self, rows: npt.NDArray[np.intp] | None = None) -> Single:
        """The rows (N, d) or some of them, in memory and in single precision."""
        return np.asarray(self.rows.gathered(slice(0, self.rows.N) if rows is None else rows), np.float32)

    def value_and_gradient(
        self, U: Array, A: Array, width: Array, heads: Heads
    ) -> tuple[float, Array, Array, Array, Array]:
        """As `SmoothedRows.value_and_gradient`."""
        xp, put = self.place.xp, self.place.put
        weights, hidden, output = *self._weights(U), largest(A)
        readout, w = put(A / output), put(np.maximum(width / hidden, LEAST_WIDTH)[None])
        total, by_U, by_A, by_width = 0.0, np.zeros(U.shape), np.zeros(A.shape), np.zeros(len(A))
        by_b = np.zeros(A.shape[1])
        for rows, block in self.rows.blocks(U.shape[1], self.place):
            Z = block.product(weights)
            gates = xp.clip((Z + w) * (0.5 / w), 0.0, 1.0)
            H = gates * (Z + w * (1.0 - gates))
            value, g = heads(rows)(to_host(H @ readout).astype(np.float64) * (hidden * output))
            if not np.isfinite(value):
                return value, np.zeros(U.shape), np.zeros(A.shape), np.zeros(A.shape[1]), np.zeros(len(A))
            total, by_b, size = total + value, by_b + g.sum(axis=0), largest(g)
            pull = put(g / size)
            by_A += to_host(xp.matrix_transpose(H) @ pull).astype(np.float64) * (size * hidden)
            if A.shape[1] > 1:
                pull = pull @ xp.matrix_transpose(readout)
            factor = size * (A[:, 0] if A.shape[1] == 1 else output)
            by_width += to_host(xp.sum(gates * (1.0 - gates) * pull, axis=0)).astype(np.float64) * factor
            by_U += block.adjoint(gates * pull) * factor
        return total, by_U, by_A, by_b, by_width

    def curvature(self, U: Array, G: Array, weight: Array, heads: SecondOrder) -> tuple[float, Array, Array]:
        """As `SmoothedRows.curvature`."""
        xp, put, m = self.place.xp, self.place.put, len(G)
        weights, hidden = self._weights(U)
        A = weight[:, None] * G
        output = largest(A)
        readout, sign = put(A / output), put(G.T)
        total, gradient, hessian = 0.0, np.zeros(m + 1), np.zeros((m + 1, m + 1))
        for rows, block in self.rows.blocks(m, self.place):
            H = self.place.rectified(block.product(weights))
            value, g, second = heads(rows)(to_host(H @ readout).astype(np.float64) * (hidden * output))
            columns = xp.concat([H * sign, put(np.ones((len(g), 1)))], axis=1)
            size, root = largest(g), np.sqrt(np.maximum(second, 0.0))
            gradient += to_host(xp.matrix_transpose(columns) @ put(g / size))[:, 0].astype(np.float64) * size
            steepest = largest(root)
            columns = columns * put(root / steepest)
            hessian += to_host(xp.matrix_transpose(columns) @ columns).astype(np.float64) * steepest**2
            total += value
        scales = np.append(np.full(m, hidden), 1.0)
        return total, gradient * scales, hessian * np.outer(scales, scales)

    def _weights(self, U: Array) -> tuple[PlacedWeights, float]:
        """Weights whose products with the rows are at most d, and by what they are divided."""
        size = largest(U) * self.rows.largest
        return PlacedWeights(U / size, self.place, self.rows.ones), size
