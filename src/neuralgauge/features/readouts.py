r"""Readouts: how outputs come from the hidden activations of rows.

A dense network has one row a sample, and its outputs are H A, H = (X U)_+. A convolutional network has many rows a
sample, its patches, and adds up their activations, by regions with output weights of their own,

.. math:: f_i = \sum_{r \in i} s_r \sum_j (x_r^T u_j)_+ \alpha_{j, p(r)} ,

where row r belongs to sample i(r) and region p(r), counts s_r times, and a neuron has an output weight in R^c for each
of the P regions: q = P c numbers. One region of weight 1/K is average pooling, a region a position is the flattened
network. The adjoint turns a dual point V (n, c) into one of the rows, of shape (N, q), so that the polar gauge of a
convolutional network is that of a dense one with q outputs:

.. math:: G(V) = \max_{\|u\| \le 1} \Big\| \sum_r s_r (x_r^T u)_+\, e_{p(r)} \otimes V_{i(r)} \Big\|_2 .
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from .._array import Array, BoolArray
from ..errors import InvalidInputError

MAPPED_ROWS = 4096  # rows at a time whose maps are summed up
Index = npt.NDArray[np.intp]
Regions = Literal["pooled", "flattened", "separable"] | tuple[int, ...]


Chunk = tuple[slice, slice, "Readout"]  # rows, the samples they belong to, and their readout


class Readout(Protocol):
    """The linear map from activations (N, m) and output weights (m, q) to outputs (n, c), and its adjoints."""

    @property
    def n(self) -> int:
        """Samples."""

    @property
    def n_regions(self) -> int:
        """P: a neuron has q = P c output weights."""

    def outputs(self, H: Array, A: Array) -> Array:
        """(n, c) from activations H (N, m) and output weights A (m, q)."""

    def atoms(self, H: Array, A: Array) -> Array:
        """(n c, m): what each neuron adds to the outputs."""

    def gains(self, V: Array, H: Array) -> Array:
        """(m, q): the gradient of sum(V * outputs(H, A)) in A."""

    def along(self, V: Array, G: Array) -> Array:
        """(N, k): the dual point of the rows in the output directions G (k, q); the gradient in H."""

    def lifted(self, V: Array) -> Array:
        """The dual point of the rows whole: (N,) if q is 1, else (N, q)."""

    def reach(self, lengths: Array) -> float:
        """Bound on |outputs| of one sample per unit of |u|, for rows of such lengths (N,)."""

    def part(self, samples: Index) -> tuple[Index, Readout]:
        """The rows of these samples, given in increasing order, and their readout."""

    def chunks(self, most_rows: float) -> list[Chunk]:
        """Consecutive samples of about so many rows: their rows, the samples, and their readout."""


@dataclass(frozen=True)
class DenseReadout:
    """One row a sample: f = H A."""

    n: int
    n_regions: int = 1

    def outputs(self, H: Array, A: Array) -> Array:
        """H A."""
        return H @ A

    def atoms(self, H: Array, A: Array) -> Array:
        """h_j alpha_j^T as columns."""
        return (H[:, None, :] * A.T).reshape(-1, len(A))

    def gains(self, V: Array, H: Array) -> Array:
        """H^T V."""
        return H.T @ V.reshape(self.n, -1)

    def along(self, V: Array, G: Array) -> Array:
        """V G^T."""
        return V.reshape(self.n, -1) @ G.T

    def lifted(self, V: Array) -> Array:
        """V itself."""
        return V

    def reach(self, lengths: Array) -> float:
        """The longest row."""
        return float(lengths.max(initial=0.0))

    def part(self, samples: Index) -> tuple[Index, DenseReadout]:
        """The samples themselves."""
        return samples, DenseReadout(len(samples))

    def chunks(self, most_rows: float) -> list[Chunk]:
        """Equal parts, but for the last."""
        step = max(1, int(most_rows))
        parts = [slice(first, min(first + step, self.n)) for first in range(0, self.n, step)]
        return [(part, part, DenseReadout(part.stop - part.start)) for part in parts]


@dataclass(frozen=True)
class PatchReadout:
    """Rows are patches: sums over those of a sample and region.

    Examples
    --------
    Two samples of two patches, averaged:

    >>> import numpy as np
    >>> from neuralgauge.features.readouts import PatchReadout
    >>> pooled = PatchReadout(np.array([0, 0, 1, 1]), np.zeros(4, dtype=int), np.full(4, 0.5), 2, 1)
    >>> pooled.outputs(np.array([[1.0], [3.0], [0.0], [4.0]]), np.array([[10.0]])).tolist()
    [[20.0], [20.0]]
    """

    sample: Index  # (N,), sample that each row belongs to, in order
    region: Index  # (N,), region that each row belongs to
    weight: Array  # (N,), > 0, how often each row counts
    n: int
    n_regions: int

    @cached_property
    def _sums(self) -> csr_array:
        """(n P, N): adds up the rows of each sample and region."""
        rows = self.sample * self.n_regions + self.region
        shape = (self.n * self.n_regions, len(rows))
        return csr_array((self.weight, (rows, np.arange(len(rows)))), shape=shape)

    def pooled(self, H: Array) -> Array:
        """(n, P, m): activations added up by sample and region."""
        return (self._sums @ H).reshape(self.n, self.n_regions, H.shape[1])

    def _by_region(self, A: Array) -> Array:
        """(m, P, c) from (m, P c)."""
        return A.reshape(len(A), self.n_regions, A.shape[1] // self.n_regions)

    def outputs(self, H: Array, A: Array) -> Array:
        """Sums over regions and neurons, (n, c)."""
        m = len(A)
        if self.n_regions == 1:
            return np.asarray(self._sums @ (H @ A))
        weights = self._by_region(A).transpose(1, 0, 2).reshape(self.n_regions * m, A.shape[1] // self.n_regions)
        return self.pooled(H).reshape(self.n, self.n_regions * m) @ weights

    def atoms(self, H: Array, A: Array) -> Array:
        """Sums over regions, (n c, m)."""
        weights = self._by_region(A)
        return np.einsum("npm,mpc->ncm", self.pooled(H), weights, optimize=True).reshape(-1, len(A))

    def gains(self, V: Array, H: Array) -> Array:
        """sum_i pooled(H)_i V_i^T, (m, P c)."""
        if self.n_regions == 1:
            return H.T @ (self.weight[:, None] * V.reshape(self.n, -1)[self.sample])
        sums = self.pooled(H)
        V, m = V.reshape(self.n, -1), sums.shape[2]
        result = sums.reshape(self.n, self.n_regions * m).T @ V
        return result.reshape(self.n_regions, m, V.shape[1]).transpose(1, 0, 2).reshape(m, self.n_regions * V.shape[1])

    def along(self, V: Array, G: Array) -> Array:
        """s_r g_{p(r)}^T V_{i(r)} for each row r and direction."""
        weights = self._by_region(G).reshape(len(G) * self.n_regions, G.shape[1] // self.n_regions)
        scores = (V.reshape(self.n, -1) @ weights.T).reshape(self.n, len(G), self.n_regions)
        return self.weight[:, None] * scores[self.sample, :, self.region]

    def lifted(self, V: Array) -> Array:
        """V_i(r) in the columns of region p(r), times s_r."""
        rows = self.weight[:, None] * V.reshape(self.n, -1)[self.sample]
        if self.n_regions == 1:
            return rows[:, 0] if rows.shape[1] == 1 else rows
        result = np.zeros((len(rows), self.n_regions, rows.shape[1]))
        result[np.arange(len(rows)), self.region] = rows
        return result.reshape(len(rows), -1)

    def reach(self, lengths: Array) -> float:
        """The largest sum of lengths in one sample, over the regions too."""
        return float(np.bincount(self.sample, self.weight * lengths, self.n).max())

    def chunks(self, most_rows: float) -> list[Chunk]:
        """Whole samples, at least one; rows come sample by sample."""
        size = 2 ** int(np.log2(max(most_rows, 1.0)))  # few sizes, so that the parts can be kept
        if size not in self._chunks:
            self._chunks[size] = self._chunked(size)
        return self._chunks[size]

    @cached_property
    def _chunks(self) -> dict[int, list[Chunk]]:
        return {}

    def _chunked(self, most_rows: int) -> list[Chunk]:
        ends = np.cumsum(np.bincount(self.sample, minlength=self.n))
        parts: list[Chunk] = []
        first = row = 0
        while first < self.n:
            stop = max(first + 1, int(np.searchsorted(ends, row + most_rows, side="right")))
            rows = slice(row, int(ends[stop - 1]))
            part = PatchReadout(
                self.sample[rows] - first, self.region[rows], self.weight[rows], stop - first, self.n_regions
            )
            parts.append((rows, slice(first, stop), part))
            first, row = stop, rows.stop
        return parts

    def part(self, samples: Index) -> tuple[Index, PatchReadout]:
        """The rows of these samples, increasing, and their readout."""
        number = np.full(self.n, -1, dtype=np.intp)
        number[samples] = np.arange(len(samples))
        rows = np.flatnonzero(number[self.sample] >= 0)
        sample = number[self.sample[rows]]
        return rows, PatchReadout(sample, self.region[rows], self.weight[rows], len(samples), self.n_regions)

    def maps(self, gates: BoolArray, X: Array, G: Array) -> Array:
        """(m, n, c, d): the linear maps w -> outputs of the rows that each gate (m, N) lets through, read out by G."""
        weights = self._by_region(G)
        result = np.empty((len(gates), self.n, weights.shape[2], X.shape[1]))
        for rows, samples, part in self.chunks(MAPPED_ROWS):
            assert isinstance(part, PatchReadout)
            for block, (gate, g) in enumerate(zip(gates[:, rows], weights, strict=True)):
                sums = part.pooled(gate[:, None] * X[rows])
                np.einsum("npd,pc->ncd", sums, g, out=result[block, samples], optimize=False)
        return result


def regions_of(readout: Regions, output_shape: tuple[int, ...]) -> tuple[Index, Array, int]:
    """The region (K,) and weight (K,) of each position, and the number of regions P.

    "pooled" is one region of weight 1/K, "flattened" one of weight 1 for each position, a tuple the number of regions
    along each axis, nearly equal ones, averaged. "separable" has one region; its patches are samples.
    """
    grid = region_grid(readout, output_shape)
    cells = np.meshgrid(*(np.arange(s) * g // s for g, s in zip(grid, output_shape, strict=True)), indexing="ij")
    region = np.ravel_multi_index([cell.ravel() for cell in cells], grid)
    if readout == "separable":
        return region, np.ones(len(region)), 1
    size = np.bincount(region)
    return region, 1.0 / size[region], len(size)


def region_grid(readout: Regions, output_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The number of regions along each axis of positions; an InvalidInputError for another readout."""
    ones = (1,) * len(output_shape)
    named = {"pooled": ones, "separable": ones, "flattened": output_shape}
    grid = named.get(readout, ()) if isinstance(readout, str) else readout
    whole = isinstance(grid, tuple) and all(isinstance(cells, int | np.integer) for cells in grid)
    if not whole or len(grid) != len(output_shape) or min(grid) < 1 or any(np.array(grid) > output_shape):
        raise InvalidInputError(
            f'`readout` must be "pooled", "flattened", "separable" or the number of regions along each axis, '
            f"1 to {output_shape}, got {readout!r}."
        )
    return grid
