"""Rows that are equal up to rounding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from .._array import Array

Index = npt.NDArray[np.intp]


def group_rows(rows: Array, tolerance: float) -> tuple[Index, Index]:
    """Return the group of each row (n,), in order of first appearance, and the first row of each group.

    Rows within `tolerance` of each other, by the Euclidean distance, are of one group, and so are those that others
    link in that way. Equal rows are looked at once, so that n of them do not make n^2 pairs.

    Examples
    --------
    >>> import numpy as np
    >>> label, first = group_rows(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1e-13], [0.0, 1.0]]), 1e-12)
    >>> label.tolist(), first.tolist()
    ([0, 1, 0, 1], [0, 1])
    """
    if not rows.size:
        return np.zeros(len(rows), dtype=np.intp), np.zeros(min(len(rows), 1), dtype=np.intp)
    _, appearance, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(appearance)
    distinct = rows[appearance[order]]
    pairs = cKDTree(distinct).query_pairs(tolerance, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(distinct), len(distinct)))
    linked = connected_components(graph, directed=False)[1].astype(np.intp)
    label = linked[np.argsort(order)[place.ravel()]]
    return label, np.unique(label, return_index=True)[1]
