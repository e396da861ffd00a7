"""Blocks of rows of Dask collections, and of arrays that lie beside them."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..errors import InvalidInputError


class Piece(NamedTuple):
    """A block of rows: what makes it, and how many they are, if that is known before it is made."""

    data: Any
    rows: int | None


def is_collection(values: Any) -> bool:
    """Whether these are rows that Dask holds: a `dask.array` or a `dask.dataframe`; imports nothing."""
    return any(
        kind is not None and isinstance(values, kind)
        for module, name in (("dask.array", "Array"), ("dask.dataframe", "DataFrame"), ("dask.dataframe", "Series"))
        if (kind := getattr(sys.modules.get(module), name, None)) is not None
    )


def blocks_of(values: Any, name: str) -> list[Piece]:
    """The blocks of rows of a Dask collection, each with all columns."""
    import dask.array as da

    if not isinstance(values, da.Array):
        return [Piece(part, None) for part in values.to_delayed()]
    if name == "X" and values.ndim != 2:
        raise InvalidInputError(
            f"`X` must have two dimensions (samples, features), got shape {values.shape}; "
            "reshape a single feature with `X.reshape(-1, 1)`."
        )
    if values.ndim > 1 and values.numblocks[1] > 1:
        values = values.rechunk({1: -1})
    sizes = [None if np.isnan(size) else int(size) for size in values.chunks[0]]
    return [Piece(part, size) for part, size in zip(values.to_delayed().ravel(), sizes, strict=True)]


def split(values: Any, blocks: list[Piece], name: str) -> list[Piece] | None:
    """Values of every row in the blocks of X; None for none."""
    import dask.array as da

    if values is None:
        return None
    rows = [block.rows for block in blocks]
    if not is_collection(values):
        return _sliced(np.asarray(values), rows, name)
    known = [size for size in rows if size is not None]
    if isinstance(values, da.Array) and len(known) == len(rows) and not np.isnan(values.shape[0]):
        if values.shape[0] != sum(known):
            raise _other_length(name, values.shape[0], sum(known))
        values = values.rechunk({0: tuple(known)})
    parts = blocks_of(values, name)
    if len(parts) != len(blocks):
        raise InvalidInputError(
            f"`{name}` must have the blocks of X where the lengths of blocks are not known, got {len(parts)} for "
            f"{len(blocks)}; take it from the same table, or make both arrays with `to_dask_array(lengths=True)`."
        )
    return parts


def _sliced(values: np.ndarray[Any, Any], rows: list[int | None], name: str) -> list[Piece]:
    """Parts of an array in memory; they become part of the graph, from which lost ones come back."""
    from dask import delayed

    known = [size for size in rows if size is not None]
    if len(known) < len(rows):
        raise InvalidInputError(
            f"`{name}` must come from the same table as X where the lengths of its blocks are not known, got an array "
            "in memory; take X with `to_dask_array(lengths=True)`."
        )
    ends = np.cumsum([0, *known])
    if len(values) != ends[-1]:
        raise _other_length(name, len(values), int(ends[-1]))
    pairs = pairwise(ends)
    return [Piece(delayed(np.ascontiguousarray(values[a:b]), traverse=False), int(b - a)) for a, b in pairs]


def _other_length(name: str, found: Any, n: int) -> InvalidInputError:
    return InvalidInputError(f"`{name}` must have one entry per row of X ({n}), got {found}.")


def joined(blocks: list[Any]) -> Any:
    """Consecutive blocks as one; tables stay tables, whose columns have names."""
    if len(blocks) == 1:
        return blocks[0]
    if hasattr(blocks[0], "columns"):
        from pandas import concat

        return concat(blocks)
    return np.concatenate([np.asarray(block) for block in blocks])
