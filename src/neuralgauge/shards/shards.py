"""Shards of a table on the workers of a Dask cluster, and sums over them.

A shard is made on a worker from the blocks of the collections that the user holds, and stays there. The scheduler
knows how each came about: what is lost with a worker is made again from the source, dual points included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np

from .._array import Array
from .._threads import threads
from ..errors import InvalidInputError
from ..features.rows import Index
from .memory import keep_freed_memory
from .source import Piece, blocks_of, joined, split

PER_THREAD = 2  # shards a thread of the cluster at most: work is shared evenly, and each takes some milliseconds a pass
BRANCHES = 8  # sums that are added up at a time, where most of them are

T = TypeVar("T")
Work = Callable[..., Any]


class Shard:
    """A problem on some of the rows, on a worker, with what was derived from it there."""

    def __init__(self, problem: Any) -> None:
        self.problem = problem
        self._views: dict[Any, Any] = {}

    def view(self, kind: Callable[[Any], T]) -> T:
        """Return what `kind` makes of the problem, made once."""
        if kind not in self._views:
            self._views[kind] = kind(self.problem)
        return self._views[kind]

    def __sizeof__(self) -> int:
        """Bytes: by these Dask decides what is cheaper to move, the shard or the work."""
        return int(self.problem.features.size * 8 + self.problem.y.nbytes)


class Shards:
    """Parts of a table on the workers of a Dask cluster.

    Parameters
    ----------
    pieces : list of dask.delayed.Delayed
        A `Shard` each, persisted.
    sizes : tuple of int
        Their samples, in order.
    client : distributed.Client
    """

    def __init__(self, pieces: list[Any], sizes: tuple[int, ...], client: Any) -> None:
        self.pieces, self.sizes, self.client = pieces, sizes, client

    @classmethod
    def of(cls, X: Any, y: Any, weight: Any, build: Callable[..., Any]) -> Shards:
        """Make the shards where the blocks of X are; `build(X, y, weight)` makes the problem of each.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame
            Rows in blocks; consecutive blocks are joined where there are more than two for each thread.
        y, weight : array, dask.array.Array or dask.dataframe.Series
            In the same order; `weight` may be None.
        build : callable
            Called on the workers; its InvalidInputError is raised here, with the shard that it is about.

        Raises
        ------
        InvalidInputError
            Without a client, or where lengths differ.
        """
        from dask import delayed

        client = current_client()
        blocks = blocks_of(X, "X")
        targets, weights = split(y, blocks, "y"), split(weight, blocks, "sample_weight")
        n_threads = sum(client.nthreads().values())
        step = ceil(len(blocks) / (PER_THREAD * max(n_threads, 1)))
        make = delayed(_made, pure=False)
        pieces = []
        for first in range(0, len(blocks), step):
            part = slice(first, first + step)
            given = [
                None if source is None else [b.data for b in source[part]] for source in (blocks, targets, weights)
            ]
            pieces.append(make(build, first, *given))
        kept = client.persist(pieces, optimize_graph=True)
        sizes = client.gather(client.compute([delayed(_size, pure=False)(piece) for piece in kept]))
        return cls(list(kept), tuple(sizes), client)

    @property
    def n(self) -> int:
        """Samples."""
        return sum(self.sizes)

    def total(
        self, work: Work, *vectors: Any, shared: Sequence[Any] = (), combine: Callable[[list[Any]], Any] | None = None
    ) -> Any:
        """Return the sum of `work(shard, *shared, *pieces of the vectors)`: one graph, added up on the workers.

        Parameters
        ----------
        work : callable
            Of a module, so that workers find it.
        vectors : arrays of n samples
            Dask arrays in these shards, or NumPy arrays.
        shared : sequence
            What every shard takes; it travels to every worker once.
        combine : callable, optional
            In place of the sum, of a list of results; it must not matter how they are grouped, but for rounding.
        """
        from dask import delayed

        parts = self._mapped(work, vectors, shared)
        join = delayed(added if combine is None else combine, pure=False)
        while len(parts) > 1:
            parts = [join(parts[first : first + BRANCHES]) for first in range(0, len(parts), BRANCHES)]
        return self.client.compute(parts[0], optimize_graph=False).result()

    def vector(self, work: Work, *vectors: Any, shared: Sequence[Any] = (), columns: int | None = None) -> Any:
        """Dask array (n,), or (n, columns), of what `total` would add up, an array of each shard's samples.

        It is made when something asks for it; `kept` makes it and leaves it where the shards are.
        """
        import dask.array as da

        tail = () if columns is None else (columns,)
        parts = self._mapped(work, vectors, shared)
        arrays = [da.from_delayed(p, (k, *tail), dtype=float) for p, k in zip(parts, self.sizes, strict=True)]
        return da.concatenate(arrays)

    def kept(self, vector: Any) -> Any:
        """The vector once made, in pieces on the workers."""
        return self.client.persist(vector)

    def taken(self, work: Work, samples: Index, *vectors: Any) -> list[Any]:
        """Results of `work(shard, their numbers in it, *pieces)` for samples in increasing order, shard by shard."""
        from dask import delayed

        ends = np.cumsum(self.sizes)
        parts = np.split(samples, np.searchsorted(samples, ends[:-1]))
        columns = [self._pieces_of(vector) for vector in vectors]
        call = delayed(_called)
        asked = [
            call(work, piece, (numbers - end + size,), *given, dask_key_name=_key(work))
            for piece, numbers, end, size, *given in zip(self.pieces, parts, ends, self.sizes, *columns, strict=True)
            if len(numbers)
        ]
        return list(self.client.gather(self.client.compute(asked, optimize_graph=False)))

    def _mapped(self, work: Work, vectors: Sequence[Any], shared: Sequence[Any]) -> list[Any]:
        from dask import delayed

        common = delayed(tuple(shared), pure=False, traverse=False)
        columns = [self._pieces_of(vector) for vector in vectors]
        call = delayed(_called)
        return [
            call(work, piece, common, *given, dask_key_name=_key(work))
            for piece, *given in zip(self.pieces, *columns, strict=True)
        ]

    def _pieces_of(self, vector: Any) -> list[Any]:
        import dask.array as da

        chunks = (self.sizes, *((size,) for size in vector.shape[1:]))
        if not isinstance(vector, da.Array):
            vector = da.from_array(vector, chunks=chunks)
        elif vector.chunks != chunks:
            vector = vector.rechunk(chunks)
        return list(vector.to_delayed().ravel())


def current_client() -> Any:
    """The client of the cluster in use; an InvalidInputError where there is none."""
    try:
        from distributed import default_client
    except ImportError:
        raise InvalidInputError(
            "`X` is a Dask collection, whose rows stay on the workers of a cluster, and the package `distributed` is "
            "not installed; install neuralgauge[dask]."
        ) from None
    try:
        return default_client()
    except ValueError:
        raise InvalidInputError(
            "`X` is a Dask collection, whose rows stay on the workers of a cluster, and there is no client of one; "
            "make it first, with `distributed.Client()` for workers on this machine or Client(address)."
        ) from None


def _key(work: Work) -> str:
    """A new name of a task: Dask keeps the times of each kind of work apart, by which it moves tasks."""
    return f"{work.__name__.strip('_')}-{uuid4().hex}"


def added(parts: list[Any]) -> Any:
    """The sum of numbers or arrays, or of tuples of them, in order."""
    if isinstance(parts[0], tuple):
        return tuple(added(list(terms)) for terms in zip(*parts, strict=True))
    return sum(parts[1:], parts[0])


def _made(build: Callable[..., Any], number: int, *sources: list[Piece] | None) -> Shard:
    keep_freed_memory()
    data: list[Array | None] = [None if blocks is None else joined(blocks) for blocks in sources]
    try:
        return Shard(build(*data))
    except InvalidInputError as error:
        raise InvalidInputError(
            f"in the shard that begins with block {number} of X, its rows counted from 0: {error}"
        ) from None


def _size(shard: Shard) -> int:
    return int(shard.problem.n)


def _called(work: Work, shard: Shard, shared: tuple[Any, ...], *pieces: Any) -> Any:
    with threads(1):  # Dask has a thread for each shard that is worked on
        return work(shard, *shared, *pieces)
