r"""Rows that another array library holds on a device: passes where they are, in their precision.

Any library of the Python array API standard serves. The rows stay on their device. Weights go there, sums over rows
come back, and outputs and gradients of samples cross chunk by chunk, since losses are NumPy's: O(m d) numbers and O(n)
a pass for m neurons.

What bounds rest on, `outputs` and `gains`, is computed in double precision whatever the precision of the rows: on the
device where it has that, else on chunks of rows that are brought here for it. Searches run in the precision of the
rows; sums over chunks are in double precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._array import Array, with_ones
from ..errors import InvalidInputError
from .chunks import Heads
from .places import HOST, Place, PlacedRows, PlacedWeights, detached, largest, to_host
from .readouts import Chunk, DenseReadout, Readout
from .rows import Features, Index, triangle_of

if TYPE_CHECKING:
    from .smoothed import SmoothedRows

# Activations at a time: tens of megabytes, of which starting a kernel and waiting for a copy are a small part.
DEVICE_ACTIVATIONS = 2**22
LARGEST_ENTRY = 1e15  # entry of X, and one over it the least


class DeviceRows(Features):
    """Rows X (N, d) of another library, one a sample; a column of ones counts as the last where `ones`.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge.features.device import DeviceRows
    >>> rows = DeviceRows(np.array([[1.0], [-2.0]], dtype=np.float32), ones=False)
    >>> rows.outputs(np.array([[1.0, -1.0]]), np.array([[1.0], [3.0]])).tolist()
    [[1.0], [6.0]]
    """

    def __init__(self, X: Any, ones: bool) -> None:
        from array_api_compat import array_namespace, device

        self.array, self.ones = detached(X), bool(ones)
        xp = array_namespace(self.array)
        if self.array.dtype not in (xp.float32, xp.float64):
            raise InvalidInputError(
                f"`X` must be of type float32 or float64 on a device, got {self.array.dtype}; convert it there."
            )
        if self.array.ndim != 2 or 0 in self.array.shape:
            raise InvalidInputError(
                "`X` must have two dimensions (samples, features), with at least one row and one column, got shape "
                f"{tuple(self.array.shape)}; reshape a single feature with `X.reshape(-1, 1)`."
            )
        self.place, self.largest = Place(xp, device(self.array), self.array.dtype), 0.0
        self.readout = DenseReadout(self.N)
        self._check()
        self.largest = max(self.largest, float(self.ones))

    @property
    def N(self) -> int:
        """Rows."""
        return int(self.array.shape[0])

    @property
    def d(self) -> int:
        """Columns."""
        return int(self.array.shape[1]) + int(self.ones)

    def _check(self) -> None:
        """Refuse entries that are not finite or whose squares would leave the range of numbers."""
        xp = self.place.xp
        for rows, _, _ in self.chunks(self.d):
            size = float(xp.max(xp.abs(self.array[rows, :])))
            if not np.isfinite(size):
                raise _not_finite(to_host(self.array[rows, :]), rows.start)
            self.largest = max(self.largest, size)
        if self.largest > LARGEST_ENTRY or 0.0 < self.largest < 1.0 / LARGEST_ENTRY:
            raise InvalidInputError(
                f"`X` must be zero or have its largest entry between {1.0 / LARGEST_ENTRY:g} and {LARGEST_ENTRY:g} on "
                f"a device, got {self.largest:g}: squares of it would leave the range of single precision; choose "
                "other units."
            )

    @cached_property
    def exact(self) -> Place:
        """Where double precision is: on the device, or here."""
        xp, at = self.place.xp, self.place.device
        try:
            xp.zeros((1,), dtype=xp.float64, device=at)
        except (TypeError, ValueError, RuntimeError):
            return HOST
        return Place(xp, at, xp.float64)

    def chunks(self, m: int) -> list[Chunk]:
        """Chunks of the rows for m neurons."""
        return self.readout.chunks(DEVICE_ACTIVATIONS / max(m, 1))

    def block(self, rows: slice, searched: bool = False) -> HostBlock:
        """Consecutive rows, whose products come here: for passes that are not made on the device."""
        return HostBlock(self._block(rows, self.place if searched else self.exact))

    def gathered(self, rows: Index | slice) -> Array:
        """Some of the rows, brought here."""
        X = to_host(self._taken(rows)).astype(np.float64)
        return with_ones(X) if self.ones else X

    def take(self, rows: Index, readout: Readout) -> DeviceRows:
        """A copy of the rows on the device."""
        return DeviceRows(self._taken(rows), self.ones)

    def _taken(self, rows: Index | slice) -> Any:
        if isinstance(rows, slice):
            return self.array[rows, :]
        return self.place.xp.take(self.array, self.place.xp.asarray(rows, device=self.place.device), axis=0)

    def _block(self, rows: slice, place: Place) -> PlacedRows:
        """Rows at a place of this device or, in double precision, here."""
        X = self.array[rows, :]
        if place is HOST:
            X = to_host(X).astype(np.float64)
        elif place.dtype != self.place.dtype:
            X = place.xp.astype(X, place.dtype)
        return PlacedRows(X, place, self.ones)

    def blocks(self, m: int, place: Place) -> Iterator[tuple[slice, PlacedRows]]:
        """Chunks of the rows for m neurons at a place."""
        return ((rows, self._block(rows, place)) for rows, _, _ in self.chunks(m))

    @cached_property
    def lengths(self) -> Array:
        """|x_r|, (N,)."""
        xp = self.exact.xp
        squares = [to_host(xp.sum(block.X * block.X, axis=1)) for _, block in self.blocks(self.d, self.exact)]
        return np.sqrt(np.concatenate(squares) + float(self.ones))

    def triangle(self) -> Array:
        """R (d, d) of X = Q R up to signs, by those of chunks on the device."""
        R: Array = np.zeros((0, self.d))
        for _, block in self.blocks(self.d, self.exact):
            R = triangle_of(np.vstack([R, to_host(self.exact.xp.linalg.qr(block.whole())[1])]))
        return R

    def outputs(self, U: Array, A: Array) -> Array:
        """(n, c): activations (X U)_+ read out by A (m, c), in double precision."""
        place = self.exact
        weights, readout = PlacedWeights(U, place, self.ones), place.put(A)
        parts = [place.rectified(block.product(weights)) @ readout for _, block in self.blocks(U.shape[1], place)]
        return np.concatenate([to_host(part) for part in parts])

    def gains(self, V: Array, U: Array) -> Array:
        """(m, c): V^T (X u_j)_+, in double precision."""
        place, V = self.exact, V.reshape(self.N, -1)
        weights, result = PlacedWeights(U, place, self.ones), np.zeros((U.shape[1], V.shape[1]))
        for rows, block in self.blocks(U.shape[1], place):
            H = place.rectified(block.product(weights))
            result += to_host(place.xp.matrix_transpose(H) @ place.put(V[rows]))
        return result

    @cached_property
    def smoothed(self) -> SmoothedRows:
        """The passes of searches, on the device in single precision."""
        from .device_smoothed import SmoothedDeviceRows  # compiled, and not needed to hold a problem

        return SmoothedDeviceRows(self)

    def value_and_gradient(self, U: Array, A: Array, heads: Heads) -> tuple[float, Array, Array, Array]:
        """As `Features.value_and_gradient`, in the precision of the rows."""
        place = self.place
        weights, readout = PlacedWeights(U, place, self.ones), place.put(A)
        total, by_U, by_A, by_b = 0.0, np.zeros(U.shape), np.zeros(A.shape), np.zeros(A.shape[1])
        for rows, block in self.blocks(U.shape[1], place):
            Z = block.product(weights)
            H = place.rectified(Z)
            value, g = heads(rows)(to_host(H @ readout).astype(np.float64))
            if not np.isfinite(value):
                return value, np.zeros(U.shape), np.zeros(A.shape), np.zeros(A.shape[1])
            total, pull, gates = total + value, place.put(g), place.gates(Z)
            by_b += g.sum(axis=0)
            by_A += to_host(place.xp.matrix_transpose(H) @ pull)
            if A.shape[1] == 1:  # the gradient in the activations has rank one
                by_U += block.adjoint(gates, pull) * A[:, 0]
            else:
                by_U += block.adjoint(gates * (pull @ place.xp.matrix_transpose(readout)))
        return total, by_U, by_A, by_b

    def score_gradient(self, V: Array, U: Array, G: Array, place: Place | None = None) -> tuple[Array, Array]:
        """As `Features.score_gradient`, in the precision of the rows or of a place."""
        place = self.place if place is None else place
        size, gradient = largest(V), np.zeros(U.shape)
        weights, V = PlacedWeights(U / largest(U), place, self.ones), V.reshape(self.N, -1) / size
        directions = place.xp.matrix_transpose(place.put(G))
        for rows, block in self.blocks(U.shape[1], place):
            gates = place.gates(block.product(weights))
            gradient += block.adjoint(gates * (place.put(V[rows]) @ directions)) * size
        return np.sum(gradient * U, axis=0), gradient


class HostBlock(NamedTuple):
    """A block of rows on a device as two linear maps from here to here."""

    block: PlacedRows

    def times(self, U: Array) -> Array:
        """X U."""
        return np.array(to_host(self.block.product(PlacedWeights(U, self.block.place, self.block.ones))))

    def adjoint(self, H: Array) -> Array:
        """X^T H."""
        return self.block.adjoint(self.block.place.put(H))


def _not_finite(X: Array, first: int) -> InvalidInputError:
    row, column = (int(k) for k in np.argwhere(~np.isfinite(X))[0])
    return InvalidInputError(
        f"`X` must be finite, got {X[row, column]} in row {first + row}, column {column}; impute or drop them first."
    )
