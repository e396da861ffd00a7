"""The rows and the data fit of a training problem in shards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .._array import as_targets
from ..losses import Loss
from ..losses.targets import probabilities
from .fit import ShardedFit
from .rows import ShardedRows
from .shards import Shards
from .source import is_collection


def sharded(
    X: Any, y: Any, weight: Any, loss: Loss, offset: bool, build: Callable[..., Any]
) -> tuple[ShardedRows, ShardedFit]:
    """The rows and the fit of Dask collections; `build(X, y, sample_weight=...)` makes the problem of a shard.

    Raises
    ------
    InvalidInputError
        As `Shards.of` and `ShardedFit.over`, or as a problem of these rows in memory.
    """
    y = y if is_collection(y) else np.asarray(y)
    n_classes = None
    if loss.targets == "simplex" and y.ndim == 1:
        largest = float(y.max().compute() if is_collection(y) else y.max())
        n_classes = int(np.nan_to_num(largest)) + 1
    shards = Shards.of(X, y, weight, partial(_problem, build, n_classes))
    return ShardedRows(shards), ShardedFit.over(shards, loss, offset)


def _problem(build: Callable[..., Any], n_classes: int | None, X: Any, y: Any, weight: Any) -> Any:
    """The problem of a shard, whose labels need not hold all classes."""
    if n_classes is not None:
        y = probabilities(as_targets(y, len(y)), n_classes)
    return build(X, y, sample_weight=weight)
