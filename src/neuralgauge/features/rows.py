r"""The rows of X and their readout: every operation on the N rows of a ReLU network.

A row is a sample of a dense network, or a patch of an image (see `readouts`). `Features` has what all kinds of features
share: each pass over the rows, written once on a block of them, its product with U and the adjoint of that product.
Kinds differ in where the rows are and in what precision.

What passes over all rows here works in chunks that caches hold, several at a time; activations (N, m) are whole only
where a method says so. Results are those of one pass up to the order of sums, which is that of the chunks and does not
depend on the number of threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray, frozen
from ..errors import InvalidInputError
from .chunks import Block, DenseBlock, Heads, folded, in_single, mapped
from .readouts import Chunk, DenseReadout, PatchReadout, Readout

if TYPE_CHECKING:
    from .smoothed import SmoothedRows

Index = npt.NDArray[np.intp]

CHUNK = 2e5  # activations at a time
BLOCK = 5e5  # entries of X at a time where a chunk is converted or read, 4 MB of doubles
WHOLE = 1e7  # entries of X up to which a factorisation may copy it


class Span(NamedTuple):
    """The row space of X: singular values (r,) above rounding, falling, and their directions (d, r)."""

    stretch: Array
    axes: Array

    @property
    def rank(self) -> int:
        """r."""
        return len(self.stretch)

    @property
    def whitening(self) -> Array:
        """(d, r): u = whitening @ z makes X u of unit covariance for standard normal z."""
        return self.axes / self.stretch


def triangle_of(X: Array) -> Array:
    """R of X = Q R up to signs."""
    return np.asarray(np.linalg.qr(X, mode="r"), np.float64)


class Features(ABC):
    """Rows X (N, d) of some kind, the column of ones included, and their readout.

    A kind of features is a subclass with `N`, `d` and four methods: `block`, `gathered`, `take` and `lengths`.

    Attributes
    ----------
    readout : Readout
        How activations of the rows become outputs of samples.
    resident : bool
        Whether the rows are whole in memory as a dense float64 array, which exact prices, convex programs and proofs
        take by `dense()`.
    single : bool
        Whether blocks that are searched compute in single precision.
    """

    readout: Readout
    resident: bool = False
    single: bool = False

    @property
    @abstractmethod
    def N(self) -> int:
        """Rows."""

    @property
    @abstractmethod
    def d(self) -> int:
        """Columns."""

    @abstractmethod
    def block(self, rows: slice, searched: bool = False) -> Block:
        """Consecutive rows; `searched` allows the precision of the data where that is below float64."""

    @abstractmethod
    def gathered(self, rows: Index | slice) -> Array:
        """Some of the rows (k, d), dense and in float64."""

    @abstractmethod
    def take(self, rows: Index, readout: Readout) -> Self:
        """Some of the rows, increasing, as features of this kind under a readout of their own."""

    @property
    @abstractmethod
    def lengths(self) -> Array:
        """|x_r|, (N,)."""

    @property
    def size(self) -> int:
        """N d."""
        return self.N * self.d

    @property
    def n(self) -> int:
        """Samples."""
        return self.readout.n

    @property
    def n_regions(self) -> int:
        """P: a neuron has P output weights for each output."""
        return self.readout.n_regions

    @property
    def patched(self) -> bool:
        """Whether samples have many rows."""
        return isinstance(self.readout, PatchReadout)

    @cached_property
    def reach(self) -> float:
        """Bound on |outputs| of one sample per unit of |u| |alpha|."""
        return self.readout.reach(self.lengths)

    @cached_property
    def span(self) -> Span:
        """The row space, by the singular values of the triangular factor of X: N d^2 operations."""
        _, stretch, axes = np.linalg.svd(self.triangle(), full_matrices=False)
        rank = int(np.sum(stretch > stretch[0] * max(self.N, self.d) * np.finfo(float).eps))
        return Span(stretch[:rank], axes[:rank].T)

    def triangle(self) -> Array:
        """R (d, d) of X = Q R up to signs, by that of each chunk below the R of those before."""
        R = np.zeros((0, self.d))
        step = max(2 * self.d, int(BLOCK / self.d))
        for first in range(0, self.N, step):
            R = triangle_of(np.vstack([R, self.gathered(slice(first, min(first + step, self.N)))]))
        return R

    @cached_property
    def smoothed(self) -> SmoothedRows:
        """The passes that searches take, in the precision of the data or in single precision."""
        from .smoothed import SmoothedRows  # compiled, and not needed to hold a problem

        return SmoothedRows(self)

    def chunks(self, m: int) -> list[Chunk]:
        """Chunks of the rows for m neurons."""
        return self.readout.chunks(self._most_rows(m))

    def _most_rows(self, m: int) -> float:
        return min(CHUNK / max(m, 1), BLOCK / self.d)

    def outputs(self, U: Array, A: Array) -> Array:
        """(n, c): activations (X U)_+ read out by A (m, q)."""
        result = np.empty((self.n, A.shape[1] // self.n_regions))

        def work(chunk: Chunk) -> None:
            rows, samples, part = chunk
            result[samples] = part.outputs(self._activations(rows, U), A)

        list(mapped(work, self.chunks(U.shape[1])))
        return result

    def gains(self, V: Array, U: Array) -> Array:
        """(m, q): V^T (X u_j)_+ read out, the adjoint of `outputs` in the output weights of every neuron."""

        def work(chunk: Chunk) -> tuple[Array]:
            rows, samples, part = chunk
            return (part.gains(V[samples], self._activations(rows, U)),)

        return folded(work, self.chunks(U.shape[1]), U.size)[0]

    def _activations(self, rows: slice, U: Array) -> Array:
        X_U = self.block(rows).times(U)
        return np.maximum(X_U, 0.0, out=X_U)

    def value_and_gradient(self, U: Array, A: Array, heads: Heads) -> tuple[float, Array, Array, Array]:
        """Return a sum over samples of a function of the outputs, and its gradient in U (d, m), A (m, q), offset (c,).

        `heads` maps consecutive samples to the function of their outputs (k, c) that gives its value and gradient
        (k, c). Where a value is not finite, gradients are zero. Products may be in single precision.
        """
        searched = self.single and in_single(U, A)
        value, by_U, by_A, by_b = folded(
            lambda chunk: self._value_and_gradient(chunk, U, A, heads, searched), self.chunks(U.shape[1]), U.size
        )
        return value, by_U, by_A, by_b

    def _value_and_gradient(
        self, chunk: Chunk, U: Array, A: Array, heads: Heads, searched: bool
    ) -> tuple[float, Array, Array, Array]:
        rows, samples, readout = chunk
        block = self.block(rows, searched)
        X_U = block.times(U)
        hidden, kind = np.maximum(X_U, 0.0), X_U.dtype
        value, g = heads(samples)(readout.outputs(hidden, A.astype(kind, copy=False)).astype(np.float64, copy=False))
        if not np.isfinite(value):
            return value, np.zeros_like(U), np.zeros_like(A), np.zeros(g.shape[1])
        if searched and not in_single(g):
            return self._value_and_gradient(chunk, U, A, heads, False)
        by_b, g = g.sum(axis=0), g.astype(kind, copy=False)
        by_A = readout.gains(g, hidden).astype(np.float64, copy=False)
        np.greater(X_U, 0.0, out=X_U)
        if A.shape[1] == 1:  # the gradient in the activations has rank one
            X_U *= readout.along(g, np.ones((1, 1), kind))
            return value, block.adjoint(X_U) * A[:, 0], by_A, by_b
        X_U *= readout.along(g, A.astype(kind, copy=False))
        return value, block.adjoint(X_U), by_A, by_b

    def score_gradient(self, V: Array, U: Array, G: Array) -> tuple[Array, Array]:
        """Scores g_j^T V^T (X u_j)_+ (m,) for U (d, m), G (m, q), and the gradient of each in its u_j, (d, m).

        Products may be in single precision.
        """
        searched = self.single and in_single(V, U, G)

        def work(chunk: Chunk) -> tuple[Array, Array]:
            rows, samples, readout = chunk
            block = self.block(rows, searched)
            X_U = block.times(U)
            weights = readout.along(V[samples], G).astype(X_U.dtype, copy=False) * (X_U > 0.0)
            return np.einsum("rm,rm->m", X_U, weights).astype(np.float64, copy=False), block.adjoint(weights)

        scores, by_U = folded(work, self.chunks(U.shape[1]), U.size)
        return scores, by_U

    def hidden(self, U: Array) -> Array:
        """(N, m): activations (X U)_+, whole."""
        return np.vstack([self._activations(rows, U) for rows in self._steps(U.shape[1])])

    def atoms(self, U: Array, A: Array) -> Array:
        """(n c, m): what each neuron adds to the outputs, whole."""
        return self.readout.atoms(self.hidden(U), A)

    def gates(self, W: Array) -> BoolArray:
        """(k, N): the patterns 1[X w >= 0] of the rows of W (k, d)."""
        result = np.empty((len(W), self.N), dtype=np.bool_)
        for rows in self._steps(len(W)):
            result[:, rows] = self.block(rows).times(W.T).T >= 0
        return result

    def _steps(self, m: int) -> list[slice]:
        """Consecutive rows for m neurons, where samples do not matter."""
        step = max(1, int(self._most_rows(m)))
        return [slice(row, min(row + step, self.N)) for row in range(0, self.N, step)]

    def margins(self, W: Array) -> Array:
        """(k, N): W X^T for W (k, d), whole."""
        return np.hstack([self.block(rows).times(W.T).T for rows in self._steps(len(W))])

    def lengths_of(self, U: Array) -> Array:
        """(m,): the lengths of X u_j, by a pass."""
        parts = [np.sum(self.block(rows).times(U).astype(np.float64) ** 2, axis=0) for rows in self._steps(U.shape[1])]
        return np.sqrt(sum(parts[1:], parts[0]))

    def absolute_sum(self, weight: Array) -> Array:
        """(d,): the sum of |x_r| under weights (N,)."""
        parts = [weight[rows] @ np.abs(self.gathered(rows)) for rows in self._steps(self.d)]
        return sum(parts[1:], parts[0])

    def maps(self, gates: BoolArray, G: Array) -> Array:
        """(m, n, c, d): the linear maps w -> outputs of the rows that each gate (m, N) lets through, for patches."""
        assert isinstance(self.readout, PatchReadout)
        return self.readout.maps(gates, self.dense(), G)

    def lifted(self, V: Array) -> Array:
        """The dual point of the rows: (N,) if neurons have one output weight, else (N, q)."""
        return self.readout.lifted(V)

    def along(self, V: Array, G: Array) -> Array:
        """(N, k): the dual point of the rows in the output directions G (k, q)."""
        return self.readout.along(V, G)

    def part(self, samples: Index) -> Self:
        """The rows of these samples, given in increasing order."""
        return self.take(*self.readout.part(samples))

    def dense_part(self, samples: Index) -> DenseFeatures:
        """The rows of these samples, increasing, dense in memory and in float64 whatever kind these are."""
        rows, readout = self.readout.part(samples)
        return DenseFeatures(self.gathered(rows), readout)

    def dense(self, rows: Index | slice | None = None) -> Array:
        """X, or some of its rows (k, d), for exact prices, ascents and facets of cones, which need them at once.

        Without `rows` an InvalidInputError where the features are not `resident`.
        """
        if rows is not None:
            return self.gathered(rows)
        raise InvalidInputError(
            f"this needs all rows of X at once as a dense float64 array, and the {self.N} rows here are kept "
            "otherwise; give X as a float64 array, or take what passes over the rows: train, certify, beta_max."
        )


class DenseFeatures(Features):
    """Rows X (N, d) in a float64 array in memory, read-only, and their readout.

    Parameters
    ----------
    X : array of shape (N, d)
        Design matrix, the column of ones included.
    readout : Readout, optional
        How activations of the rows become outputs of samples; one row a sample by default.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge.features.rows import DenseFeatures
    >>> rows = DenseFeatures(np.array([[1.0], [-2.0]]))
    >>> rows.outputs(np.array([[1.0, -1.0]]), np.array([[1.0], [3.0]])).tolist()
    [[1.0], [6.0]]
    """

    resident = True

    def __init__(self, X: Array, readout: Readout | None = None) -> None:
        self.X = frozen(X)
        self.readout = DenseReadout(len(X)) if readout is None else readout

    @property
    def N(self) -> int:
        """Rows."""
        return len(self.X)

    @property
    def d(self) -> int:
        """Columns."""
        return self.X.shape[1]

    def block(self, rows: slice, searched: bool = False) -> DenseBlock:
        """A view of the rows."""
        return DenseBlock(self.X[rows])

    def gathered(self, rows: Index | slice) -> Array:
        """Some of the rows."""
        return self.X[rows]

    def take(self, rows: Index, readout: Readout) -> DenseFeatures:
        """A copy of the rows."""
        return DenseFeatures(self.X[rows], readout)

    @cached_property
    def lengths(self) -> Array:
        """|x_r|, (N,)."""
        return np.concatenate([np.linalg.norm(self.X[rows], axis=1) for rows in self._steps(1)])

    def triangle(self) -> Array:
        """R (d, d) of X = Q R up to signs."""
        return triangle_of(self.X) if self.size <= WHOLE else super().triangle()

    def _most_rows(self, m: int) -> float:
        return CHUNK / max(m, 1)

    def hidden(self, U: Array) -> Array:
        """(N, m): activations (X U)_+, whole."""
        return self._activations(slice(0, self.N), U)

    def margins(self, W: Array) -> Array:
        """(k, N): W X^T for W (k, d), whole."""
        return W @ self.X.T

    def dense(self, rows: Index | slice | None = None) -> Array:
        """X, or some of its rows (k, d)."""
        return self.X if rows is None else self.X[rows]
