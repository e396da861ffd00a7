"""All activation patterns of a data set of any rank."""

from __future__ import annotations

from collections.abc import Callable
from math import log10
from typing import Any

import numpy as np
from scipy.linalg import qr

from .._array import Array, as_matrix
from ..errors import TooManyPatternsError
from ..features.grouping import group_rows
from ._arrangement import Bits, Hashes, Indices, half_cells, hash_of_pair
from .counting import count_patterns
from .pattern_set import PatternSet

COLLINEAR = 1e-13  # distance of unit rows below which they count as one line
INTERMEDIATE = 2**17  # entries of the largest intermediate arrays


def enumerate_patterns(
    X: Any, max_patterns: int = 5_000_000, progress: Callable[[float], None] | None = None
) -> PatternSet:
    r"""Every activation pattern 1[X u >= 0] of generic u, each once and with a witness.

    These are the open cells of the arrangement of hyperplanes x_i^T u = 0. Patterns of vectors u that lie *on* a
    hyperplane belong to the closure of such a cell, so the convex program [8] needs none of them. Zero rows count
    as active. Duplicate and collinear rows, any number of hyperplanes through one point, and rank deficiency give
    the right set. Every witness is checked in floating-point arithmetic, and `complete` is False where a cell is too
    thin for one.

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
        n P / 8 bytes of bits and P d / 2 numbers of witnesses. Where these are more than a few hundred kB the arrays
        alive at one time stay under 3 n P / 8 bytes for n > 40 d.

    Raises
    ------
    TooManyPatternsError
        With the estimated number, the memory and what to do instead; before any work is done.

    Notes
    -----
    Hyperplanes whose normals have a determinant below 1.4e-14 (unit rows) count as meeting in one point, rows of
    sine below 1e-13 as collinear. Rows of sines between that and 1e-6 leave cells of no width in double precision,
    which are missing. Cost O(N^r r) for N distinct lines and rank r, in matrix products: about 3 s for
    (n, r) = (1000, 3).
    Source: [A.2] of Pilanci & Ergen (2020), where only the count is given.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> patterns = ng.enumerate_patterns([[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]])
    >>> len(patterns), patterns.dense()[0].shape
    (10, (5,))
    """
    matrix = as_matrix(X)
    n, d = matrix.shape
    lines = _Lines(matrix)
    if not len(lines.normals):
        return PatternSet(np.packbits(np.ones((1, n), dtype=bool), axis=1), n, np.ones((1, d)), complete=True)
    bound = count_patterns(*lines.normals.shape)
    if bound > max_patterns:
        raise TooManyPatternsError(
            f"{lines.normals.shape[0]} distinct rows of rank {lines.normals.shape[1]} have up to {_short(bound)} "
            f"patterns, {_short(bound, n / 2**33)} GiB packed; `max_patterns` allows {max_patterns}. Use "
            "sample_patterns, or train, which samples when it must, or fewer features; or raise `max_patterns`."
        )
    # Blocks small against the result keep the peak memory near it.
    size = max(16, min(bound // 512, INTERMEDIATE // n))
    halves, keys, found = [], [], 0
    for packed, points in half_cells(lines.normals, size):
        found += len(packed)
        sound = np.all(np.packbits(points @ lines.normals.T > 0, axis=1) == packed, axis=1)
        if not sound.all():
            packed, points = packed[sound], points[sound]
        halves.append((lines.patterns(packed), lines.vectors(points)))
        keys.append(hash_of_pair(packed, len(lines.normals)))
        if progress is not None:
            progress(min(1.0, 2.0 * found / bound))
    repeated = _repeated(np.concatenate(keys))
    del keys
    halves = _without(halves, repeated)
    kept = sum(len(packed) for packed, _ in halves)
    return _both_halves(halves, lines, complete=kept == found)


def _short(count: int, unit: float = 1.0) -> str:
    """Return count times unit to four digits, or its power of ten where a float cannot hold it."""
    return f"{count * unit:.4g}" if count < 10**300 else f"1e{log10(count) + log10(unit):.0f}"


class _Lines:
    """The distinct lines of the rows of X in independent columns, and the way back to samples and features.

    The patterns of X = Z C with independent columns Z of X are those of Z; unlike a rotation by the SVD this keeps
    every entry as it came, so that ties in the data stay ties. For the same reason scales are powers of two.

    Attributes
    ----------
    normals : array of shape (N, r)
        Unit normals, no two collinear.
    line : int array of shape (n,)
        Line of each sample, -1 for a zero row.
    orientation : bool array of shape (n,)
        Whether the sample points along the normal of its line.
    """

    def __init__(self, matrix: Array) -> None:
        self.d = matrix.shape[1]
        alive = np.flatnonzero(np.any(matrix != 0, axis=1))
        used = np.flatnonzero(np.any(matrix != 0, axis=0))
        rows = matrix[np.ix_(alive, used)]
        rows = rows * _power_of_two(np.abs(rows).max(axis=1, initial=0.0))[:, None]
        scale = _power_of_two(np.abs(rows).max(axis=0, initial=0.0))
        Z, self.columns = _independent(rows * scale, used)
        self.scale = scale[np.isin(used, self.columns)]
        self.line, self.orientation = np.full(len(matrix), -1, dtype=np.intp), np.ones(len(matrix), dtype=bool)
        unit = Z / np.linalg.norm(Z, axis=1)[:, None]
        # One representative of +-a: the one whose product with a generic vector is positive.
        positive = unit @ np.random.default_rng(5).standard_normal(unit.shape[1]) > 0
        unit = np.where(positive[:, None], unit, -unit)
        label, first = group_rows(unit, COLLINEAR)
        self.line[alive], self.orientation[alive], self.normals = label, positive, unit[first]
        self.flips = np.packbits(self.line >= 0)
        self.identity = np.array_equal(self.line, np.arange(len(matrix))) and bool(self.orientation.all())

    def patterns(self, packed: Bits) -> Bits:
        """Packed patterns of the samples from packed signs of the lines."""
        if self.identity:
            return packed
        signs = np.unpackbits(packed, axis=1, count=len(self.normals)).view(np.bool_)
        return np.packbits((signs[:, self.line] == self.orientation) | (self.line < 0), axis=1)

    def vectors(self, points: Array) -> Array:
        """Vectors u (k, d) with the products of points (k, r)."""
        result = np.zeros((len(points), self.d))
        result[:, self.columns] = points * self.scale
        return result


def _power_of_two(size: Array) -> Array:
    return np.exp2(-np.round(np.log2(size)))


def _independent(matrix: Array, names: Indices) -> tuple[Array, Indices]:
    """Return as many independent columns as the rank, and their names."""
    rank = int(np.linalg.matrix_rank(matrix)) if matrix.size else 0
    if rank == matrix.shape[1]:
        return matrix, names
    chosen = np.sort(qr(matrix, mode="economic", pivoting=True)[2][:rank])
    return matrix[:, chosen], names[chosen]


def _repeated(keys: Hashes) -> Indices:
    """Return the positions of keys that occurred before."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    return order[1:][keys[1:] == keys[:-1]]


def _without(halves: list[tuple[Bits, Array]], repeated: Indices) -> list[tuple[Bits, Array]]:
    if not len(repeated):
        return halves
    ends = np.cumsum([len(packed) for packed, _ in halves])
    keep = np.ones(ends[-1], dtype=bool)
    keep[repeated] = False
    parts = np.split(keep, ends[:-1])
    return [(packed[k], vectors[k]) for (packed, vectors), k in zip(halves, parts, strict=True)]


def _both_halves(halves: list[tuple[Bits, Array]], lines: _Lines, complete: bool) -> PatternSet:
    """Return the set of the patterns given and their opposites; `halves` is emptied, so that little is held twice."""
    vectors = np.concatenate([u for _, u in halves])
    parts = [packed for packed, _ in halves]
    halves.clear()
    parts.reverse()
    found, filled = len(vectors), 0
    packed = np.empty((2 * found, len(lines.flips)), dtype=np.uint8)
    while parts:
        part = parts.pop()
        packed[filled : filled + len(part)] = part
        filled += len(part)
    np.bitwise_xor(packed[:found], lines.flips, out=packed[found:])
    return PatternSet(packed, len(lines.line), vectors, mirrored=found, complete=complete)
