r"""The rows of X and their readout: every operation on the N rows of a ReLU network.

A row is a sample of a dense network, or a patch of an image (see `readouts`). What passes over all rows here works in
chunks that caches hold, several at a time; activations (N, m) are whole only where a method says so. Results are those
of one pass up to the order of sums, which is that of the chunks and does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray, frozen
from .._threads import in_threads
from .readouts import Chunk, DenseReadout, PatchReadout, Readout

Index = npt.NDArray[np.intp]
S = TypeVar("S")
T = TypeVar("T")

CHUNK = 2e5  # activations at a time
FEW = 3  # chunks from which threads are used


def mapped(work: Callable[[S], T], chunks: list[S]) -> Iterable[T]:
    """Return the work on every chunk, in order; in threads where there are several chunks."""
    if len(chunks) < FEW:
        return [work(chunk) for chunk in chunks]
    return in_threads(work, chunks)


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


class Features:
    """Rows X (N, d), read-only, and their readout.

    Parameters
    ----------
    X : array of shape (N, d)
        Design matrix, the column of ones included.
    readout : Readout, optional
        How activations of the rows become outputs of samples; one row a sample by default.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge.features.rows import Features
    >>> rows = Features(np.array([[1.0], [-2.0]]))
    >>> rows.outputs(np.array([[1.0, -1.0]]), np.array([[1.0], [3.0]])).tolist()
    [[1.0], [6.0]]
    """

    def __init__(self, X: Array, readout: Readout | None = None) -> None:
        self.X = frozen(X)
        self.readout: Readout = DenseReadout(len(X)) if readout is None else readout

    @property
    def N(self) -> int:
        """Rows."""
        return len(self.X)

    @property
    def d(self) -> int:
        """Columns."""
        return self.X.shape[1]

    @property
    def size(self) -> int:
        """N d."""
        return self.X.size

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
    def lengths(self) -> Array:
        """|x_r|, (N,)."""
        return np.linalg.norm(self.X, axis=1)

    @cached_property
    def reach(self) -> float:
        """Bound on |outputs| of one sample per unit of |u| |alpha|."""
        return self.readout.reach(self.lengths)

    @cached_property
    def span(self) -> Span:
        """The row space, by the singular values of the triangular factor of X: N d^2 operations."""
        _, stretch, axes = np.linalg.svd(np.linalg.qr(self.X, mode="r"), full_matrices=False)
        rank = int(np.sum(stretch > stretch[0] * max(self.X.shape) * np.finfo(float).eps))
        return Span(stretch[:rank], axes[:rank].T)

    def chunks(self, m: int) -> list[Chunk]:
        """Chunks of the rows for m neurons."""
        return self.readout.chunks(CHUNK / max(m, 1))

    def outputs(self, U: Array, A: Array) -> Array:
        """(n, c): activations (X U)_+ read out by A (m, q)."""

        def work(chunk: Chunk) -> Array:
            rows, _, part = chunk
            return part.outputs(np.maximum(self.X[rows] @ U, 0.0), A)

        return np.concatenate(list(mapped(work, self.chunks(U.shape[1]))))

    def gains(self, V: Array, U: Array) -> Array:
        """(m, q): V^T (X u_j)_+ read out, the adjoint of `outputs` in the output weights of every neuron."""

        def work(chunk: Chunk) -> Array:
            rows, samples, part = chunk
            return part.gains(V[samples], np.maximum(self.X[rows] @ U, 0.0))

        first, *others = mapped(work, self.chunks(U.shape[1]))
        return sum(others, first)

    def value_and_gradient(
        self, U: Array, A: Array, heads: Callable[[slice], Callable[[Array], tuple[float, Array]]]
    ) -> tuple[float, Array, Array, Array]:
        """Return a sum over samples of a function of the outputs, and its gradient in U (d, m), A (m, q), offset (c,).

        `heads` maps consecutive samples to the function of their outputs (k, c) that gives its value and gradient
        (k, c). Where a value is not finite, gradients are zero.
        """
        parts = mapped(lambda chunk: self._value_and_gradient(chunk, U, A, heads), self.chunks(U.shape[1]))
        value, by_U, by_A, by_b = (sum(terms[1:], terms[0]) for terms in zip(*parts, strict=True))
        return value, by_U, by_A, by_b

    def _value_and_gradient(
        self, chunk: Chunk, U: Array, A: Array, heads: Callable[[slice], Callable[[Array], tuple[float, Array]]]
    ) -> tuple[float, Array, Array, Array]:
        rows, samples, readout = chunk
        X = self.X[rows]
        X_U = X @ U
        hidden = np.maximum(X_U, 0.0)
        value, g = heads(samples)(readout.outputs(hidden, A))
        if not np.isfinite(value):
            return value, np.zeros_like(U), np.zeros_like(A), np.zeros(g.shape[1])
        by_A = readout.gains(g, hidden)
        np.greater(X_U, 0.0, out=X_U)
        if A.shape[1] == 1:  # the gradient in the activations has rank one
            by_U = ((X * readout.along(g, np.ones((1, 1)))).T @ X_U) * A[:, 0]
        else:
            X_U *= readout.along(g, A)
            by_U = X.T @ X_U
        return value, by_U, by_A, g.sum(axis=0)

    def hidden(self, U: Array) -> Array:
        """(N, m): activations (X U)_+, whole."""
        return np.maximum(self.X @ U, 0.0)

    def atoms(self, U: Array, A: Array) -> Array:
        """(n c, m): what each neuron adds to the outputs, whole."""
        return self.readout.atoms(self.hidden(U), A)

    def gates(self, W: Array) -> BoolArray:
        """(k, N): the patterns 1[X w >= 0] of the rows of W (k, d)."""
        result = np.empty((len(W), self.N), dtype=np.bool_)
        step = max(1, int(CHUNK / max(len(W), 1)))
        for row in range(0, self.N, step):
            result[:, row : row + step] = W @ self.X[row : row + step].T >= 0
        return result

    def margins(self, W: Array) -> Array:
        """(k, N): W X^T for W (k, d), whole."""
        return W @ self.X.T

    def weighted_sums(self, weights: Array) -> Array:
        """(k, d): sums of the rows under weights (k, N), the adjoint of `margins`."""
        return weights @ self.X

    def absolute_sum(self, weight: Array) -> Array:
        """(d,): the sum of |x_r| under weights (N,)."""
        return weight @ np.abs(self.X)

    def maps(self, gates: BoolArray, G: Array) -> Array:
        """(m, n, c, d): the linear maps w -> outputs of the rows that each gate (m, N) lets through, for patches."""
        assert isinstance(self.readout, PatchReadout)
        return self.readout.maps(gates, self.X, G)

    def lifted(self, V: Array) -> Array:
        """The dual point of the rows: (N,) if neurons have one output weight, else (N, q)."""
        return self.readout.lifted(V)

    def along(self, V: Array, G: Array) -> Array:
        """(N, k): the dual point of the rows in the output directions G (k, q)."""
        return self.readout.along(V, G)

    def part(self, samples: Index) -> Features:
        """The rows of these samples, given in increasing order."""
        rows, readout = self.readout.part(samples)
        return Features(self.X[rows], readout)

    def dense(self, rows: Index | slice | None = None) -> Array:
        """X, or some of its rows (k, d), for exact prices, ascents and facets of cones, which need them at once."""
        return self.X if rows is None else self.X[rows]
