"""Passes over all rows: what touches every activation, in chunks that caches hold, several at a time.

Activations (N, m) are never whole here; exploring starts and joining neurons still form them. Results are those of one
pass up to the order of sums, which is that of the chunks and does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from .._array import Array, BoolArray
from .._threads import in_threads
from .readouts import Chunk, Readout

CHUNK = 2e5  # activations at a time
FEW = 3  # chunks that are not worth a thread each

T = TypeVar("T")


def chunks_for(readout: Readout, m: int) -> list[Chunk]:
    """Chunks of the rows for m neurons."""
    return readout.chunks(CHUNK / max(m, 1))


def mapped(work: Callable[[Chunk], T], chunks: list[Chunk]) -> Iterable[T]:
    """The work on every chunk, in order; in threads where there are several chunks."""
    if len(chunks) < FEW:
        return [work(chunk) for chunk in chunks]
    return in_threads(work, chunks)


def outputs(X: Array, readout: Readout, U: Array, A: Array) -> Array:
    """(n, c): activations (X U)_+ read out by A."""

    def work(chunk: Chunk) -> Array:
        rows, _, part = chunk
        return part.outputs(np.maximum(X[rows] @ U, 0.0), A)

    return np.concatenate(list(mapped(work, chunks_for(readout, U.shape[1]))))


def gains(V: Array, X: Array, readout: Readout, U: Array) -> Array:
    """(m, q): what every neuron gains from V in each output weight, V^T (X u_j)_+ read out."""

    def work(chunk: Chunk) -> Array:
        rows, samples, part = chunk
        return part.gains(V[samples], np.maximum(X[rows] @ U, 0.0))

    first, *others = mapped(work, chunks_for(readout, U.shape[1]))
    return sum(others, first)


def gates(X: Array, U: Array) -> BoolArray:
    """(k, N): the patterns 1[X u >= 0] of the rows of U (k, d)."""
    result = np.empty((len(U), len(X)), dtype=np.bool_)
    step = max(1, int(CHUNK / max(len(U), 1)))
    for row in range(0, len(X), step):
        result[:, row : row + step] = U @ X[row : row + step].T >= 0
    return result
