"""All activation patterns of a data set of any rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import qr

from .._array import Array, BoolArray, as_matrix
from ..errors import TooManyPatternsError
from ._arrangement import split_cells
from .counting import count_patterns
from .pattern_set import PatternSet

COLLINEAR = 1e-13  # distance of unit rows below which they count as one line


def enumerate_patterns(
    X: Any, max_patterns: int = 5_000_000, progress: Callable[[float], None] | None = None
) -> PatternSet:
    r"""Every activation pattern 1[X u >= 0] of generic u, each once and with a witness.

    These are the open cells of the arrangement of hyperplanes x_i^T u = 0. Patterns of vectors u that lie *on* a
    hyperplane belong to the closure of such a cell, so the convex program [8] needs none of them. Zero rows count
    as active. Duplicate and collinear rows, any number of hyperplanes through one point, and rank deficiency give
    the right set.

    Parameters
    ----------
    X : array of shape (n, d)
        Design matrix, used as it is (for a problem: ``problem.X``).
    max_patterns : int
        Refuse when the number in general position exceeds this.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    PatternSet
        n P / 8 bytes of bits and about P r / 2 numbers of witnesses; the peak stays under 3 n P / 8 bytes when
        these are the larger part.

    Raises
    ------
    TooManyPatternsError
        With the estimated number, the memory and what to do instead; before any work is done.

    Notes
    -----
    Hyperplanes whose normals have a determinant below 1.4e-14 (unit rows) count as meeting in one point, rows of
    sine below 1e-13 as collinear. Cost O(N^(r-1) N r) for N distinct lines and rank r, in matrix products.
    Source: [A.2] of Pilanci & Ergen (2020), where only the count is given.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> patterns = ng.enumerate_patterns([[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]])
    >>> len(patterns), patterns.dense()[0].shape
    (10, (5,))
    """
    matrix = as_matrix(X)
    n = matrix.shape[0]
    line, orientation, normals, columns, scale = _distinct_lines(matrix)
    if not len(normals):
        packed = np.packbits(np.ones((1, n), dtype=bool), axis=1)
        return PatternSet(packed, n, np.ones((1, matrix.shape[1])), complete=True)
    bound = count_patterns(*normals.shape)
    if bound > max_patterns:
        raise TooManyPatternsError(
            f"{normals.shape[0]} distinct rows of rank {normals.shape[1]} have up to {bound:.4g} patterns, "
            f"{bound * n / 8 / 2**30:.3g} GiB packed; `max_patterns` allows {max_patterns}. Use sample_patterns, "
            "or train, which samples when it must, or fewer features; or raise `max_patterns`."
        )
    return _collect(normals, bound, _Expand(n, line, orientation), columns, scale, matrix.shape[1], progress)


class _Expand:
    """From signs of lines to packed patterns of samples."""

    def __init__(self, n: int, line: npt.NDArray[np.intp], orientation: BoolArray) -> None:
        self.n, self.line, self.orientation = n, line, orientation
        self.zero = line < 0
        self.identity = not self.zero.any() and np.array_equal(line, np.arange(n)) and bool(orientation.all())

    def __call__(self, signs: BoolArray) -> npt.NDArray[np.uint8]:
        if self.identity:
            return np.packbits(signs, axis=1)
        rows = signs[:, self.line] == self.orientation
        rows[:, self.zero] = True
        return np.packbits(rows, axis=1)


def _distinct_lines(
    matrix: Array,
) -> tuple[npt.NDArray[np.intp], BoolArray, Array, npt.NDArray[np.intp], Array]:
    """Line of each row (-1: zero row), its orientation, unit normals (N, r), independent columns and their scale.

    The patterns of X = Z C with independent columns Z of X are those of Z; unlike a rotation by the SVD this keeps
    every entry as it came, so that ties in the data stay ties.
    """
    size = np.abs(matrix).max(axis=0)
    used = np.flatnonzero(size > 0)
    scale = np.exp2(-np.round(np.log2(size[used])))
    scaled = matrix[:, used] * scale
    rank = int(np.linalg.matrix_rank(scaled)) if len(used) else 0
    chosen = np.sort(qr(scaled, mode="economic", pivoting=True)[2][:rank]) if rank < len(used) else np.arange(len(used))
    Z = scaled[:, chosen]
    length = np.linalg.norm(Z, axis=1)
    line, orientation = np.full(len(Z), -1, dtype=np.intp), np.ones(len(Z), dtype=bool)
    alive = np.flatnonzero(length > np.finfo(float).eps * length.max(initial=0.0))
    if not len(alive):
        return line, orientation, np.zeros((0, 1)), used, scale
    unit = Z[alive] / length[alive, None]
    # One representative of +-a: the one whose product with a generic vector is positive.
    generic = np.random.default_rng(5).standard_normal(rank)
    positive = unit @ generic > 0
    unit = np.where(positive[:, None], unit, -unit)
    label, first = _group(unit)
    line[alive], orientation[alive] = label, positive
    return line, orientation, unit[first], used[chosen], scale[chosen]


def _group(unit: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Labels of equal unit rows in order of first appearance, and the first row of each."""
    key = unit @ np.random.default_rng(6).standard_normal(unit.shape[1])
    order = np.argsort(key, kind="stable")
    label = np.full(len(unit), -1, dtype=np.intp)
    reach = 10.0 * COLLINEAR * np.sqrt(unit.shape[1])
    for position, i in enumerate(order):
        if label[i] >= 0:
            continue
        label[i] = i
        for j in order[position + 1 :]:
            if key[j] - key[i] > reach:
                break
            if label[j] < 0 and np.linalg.norm(unit[i] - unit[j]) <= COLLINEAR:
                label[j] = i
    roots = np.unique(label)
    first = np.array([np.flatnonzero(label == root).min() for root in roots]) if len(roots) < len(unit) else roots
    order_of_roots = np.argsort(first, kind="stable")
    rank_of_root = np.empty_like(order_of_roots)
    rank_of_root[order_of_roots] = np.arange(len(roots))
    return rank_of_root[np.searchsorted(roots, label)], first[order_of_roots]


def _collect(
    normals: Array,
    bound: int,
    expand: _Expand,
    columns: npt.NDArray[np.intp],
    scale: Array,
    d: int,
    progress: Callable[[float], None] | None,
) -> PatternSet:
    (cut_signs, cut_points), halves = split_cells(normals)
    n_cut = len(cut_signs)
    n_half = (bound - n_cut) // 2
    packed = np.empty((bound, (expand.n + 7) // 8), dtype=np.uint8)
    points = np.empty((n_cut + n_half, normals.shape[1]))
    packed[:n_cut], points[:n_cut] = expand(cut_signs), cut_points
    filled = n_cut
    for signs, interior in halves:
        k = len(signs)
        packed[filled : filled + k], points[filled : filled + k] = expand(signs), interior
        packed[filled + n_half : filled + n_half + k] = expand(~signs)
        filled += k
        if progress is not None:
            progress(min(1.0, filled / (n_cut + n_half)))
    found = filled - n_cut
    if found < n_half:  # fewer than in general position
        packed[filled : filled + found] = packed[n_cut + n_half : n_cut + n_half + found]
        packed = packed[: n_cut + 2 * found].copy()
    vectors = np.zeros((filled, d))
    vectors[:, columns] = points[:filled] * scale
    return PatternSet(packed, expand.n, vectors, mirrored=found, complete=True)
