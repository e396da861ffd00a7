r"""Cells of a central arrangement of N distinct lines' normals a_j in R^r.

For a generic g the cells are those that the hyperplane g^perp cuts, which are the cells of the arrangement
restricted to it (rank r - 1), and pairs +-C on one side of it each. On the slice g^T u = 1 the cells C are bounded
polytopes, so each has one lowest vertex in a generic direction c; and at a vertex where exactly q = r - 1
hyperplanes meet, exactly one cell lies upwards. So all vertices are visited, in blocks of matrix products, and the
upward cells that are cut are struck out. Where more than q hyperplanes meet, the upward cells come from the
arrangement of those hyperplanes around the vertex, which has rank q.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, islice

import numpy as np
import numpy.typing as npt
from scipy.linalg import null_space

from .._array import Array, BoolArray

Cells = tuple[BoolArray, Array]  # signs (k, N), interior points (k, r)
TIE = 64 * np.finfo(float).eps  # determinants of unit rows below this are zero
BLOCK = 2_000_000  # vertices times lines handled at a time


def cells(A: Array) -> Cells:
    """All cells of unit rows A (N, r), rank r, no two collinear: those cut, then half of the others, mirrored."""
    cut, halves = split_cells(A)
    blocks = list(halves)
    signs = np.vstack([cut[0], *(s for s, _ in blocks), *(~s for s, _ in blocks)])
    points = np.vstack([cut[1], *(u for _, u in blocks), *(-u for _, u in blocks)])
    return signs, points


def split_cells(A: Array) -> tuple[Cells, Iterator[Cells]]:
    """The cells cut by a generic hyperplane, and blocks of those on its upper side."""
    N, r = A.shape
    if r == 1:
        return (np.zeros((0, N), dtype=bool), np.zeros((0, 1))), iter([(A.T > 0, np.ones((1, 1)))])
    if r == 2:
        return (np.zeros((0, N), dtype=bool), np.zeros((0, 2))), iter([_sectors(A)])
    g, c = _generic(r)
    basis = null_space(g[None, :])
    restricted = A @ basis
    signs, points = cells(restricted / np.linalg.norm(restricted, axis=1)[:, None])
    cut = (signs, points @ basis.T)
    return cut, _upper_cells(A, g, c, basis, np.sort(_hash(np.packbits(signs, axis=1))))


def _generic(r: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(20200713 + r)
    g, c = rng.standard_normal((2, r))
    return g / np.linalg.norm(g), c


def _sectors(A: Array) -> Cells:
    """Rank 2: one half of the plane's sectors, from sorted angles."""
    angle = np.sort(np.mod(np.arctan2(A[:, 0], -A[:, 1]), np.pi))
    middle = 0.5 * (angle + np.append(angle[1:], angle[0] + np.pi))
    points = np.column_stack([np.cos(middle), np.sin(middle)])
    return points @ A.T > 0, points


def _upper_cells(A: Array, g: Array, c: Array, basis: Array, cut: npt.NDArray[np.uint64]) -> Iterator[Cells]:
    N, r = A.shape
    subsets = chain.from_iterable(combinations(range(N), r - 1))
    size = max(1, BLOCK // N)
    visited: set[bytes] = set()
    while True:
        chunk = np.fromiter(islice(subsets, size * (r - 1)), dtype=np.intp).reshape(-1, r - 1)
        if not len(chunk):
            return
        yield from _cells_above(A, g, c, basis, cut, chunk, visited)


def _cells_above(
    A: Array,
    g: Array,
    c: Array,
    basis: Array,
    cut: npt.NDArray[np.uint64],
    subsets: npt.NDArray[np.intp],
    visited: set[bytes],
) -> Iterator[Cells]:
    frames = np.concatenate([A[subsets], np.broadcast_to(g, (len(subsets), 1, len(g)))], axis=1)
    volume = np.abs(np.linalg.det(frames))
    proper = volume > TIE
    subsets, volume = subsets[proper], volume[proper]
    inverse = np.linalg.inv(frames[proper])
    # Last column: the vertex v with g^T v = 1. Column i: the edge that leaves hyperplane i of the subset.
    vertices, edges = inverse[:, :, -1], inverse[:, :, :-1]
    height = vertices @ A.T
    tied = np.abs(height) * volume[:, None] <= TIE
    np.put_along_axis(tied, subsets, True, axis=1)
    simple = tied.sum(axis=1) == subsets.shape[1]
    upward = np.where(np.einsum("r,krq->kq", c, edges) > 0, 1.0, -1.0)
    signs = height > 0
    np.put_along_axis(signs, subsets, upward > 0, axis=1)
    direction = np.einsum("krq,kq->kr", edges / np.linalg.norm(edges, axis=1)[:, None, :], upward)
    keep = simple & ~_contains(cut, _hash(np.packbits(signs, axis=1)))
    yield _with_interior_points(A, vertices[keep], direction[keep], signs[keep], height[keep], tied[keep])
    for k in np.flatnonzero(~simple):
        key = np.packbits(tied[k]).tobytes()
        if key not in visited:
            visited.add(key)
            yield from _cells_above_crossing(A, c, basis, cut, vertices[k], height[k], tied[k])


def _cells_above_crossing(
    A: Array, c: Array, basis: Array, cut: npt.NDArray[np.uint64], vertex: Array, height: Array, tied: BoolArray
) -> Iterator[Cells]:
    """Upward cells of a vertex where more than r - 1 hyperplanes meet."""
    local = np.vstack([A[tied] @ basis, c @ basis])
    around, points = cells(local / np.linalg.norm(local, axis=1)[:, None])
    above, below = around[around[:, -1]], around[~around[:, -1]]
    crossed = {s.tobytes() for s in np.packbits(below[:, :-1], axis=1)}
    whole = np.array([s.tobytes() not in crossed for s in np.packbits(above[:, :-1], axis=1)], dtype=bool)
    if not whole.any():
        return
    signs = np.repeat((height > 0)[None], int(whole.sum()), axis=0)
    signs[:, tied] = above[whole, :-1]
    direction = points[around[:, -1]][whole] @ basis.T
    keep = ~_contains(cut, _hash(np.packbits(signs, axis=1)))
    count = int(keep.sum())
    vertices, heights = np.repeat(vertex[None], count, axis=0), np.repeat(height[None], count, axis=0)
    ties = np.repeat(tied[None], count, axis=0)
    yield _with_interior_points(A, vertices, direction[keep], signs[keep], heights, ties)


def _with_interior_points(
    A: Array, vertices: Array, direction: Array, signs: BoolArray, height: Array, tied: BoolArray
) -> Cells:
    """Half the way from the vertex to the first hyperplane ahead."""
    with np.errstate(divide="ignore"):
        rate = direction @ A.T
        rate /= height
        rate[tied] = 0.0
        reach = 1.0 / np.maximum(-rate.min(axis=1, initial=0.0), 1e-3)
    points = vertices + 0.5 * reach[:, None] * direction
    return signs, points / np.linalg.norm(points, axis=1)[:, None]


def _hash(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """64-bit hash of each row."""
    pad = -packed.shape[1] % 8
    words = np.pad(packed, ((0, 0), (0, pad))).view(np.uint64)
    odd = np.random.default_rng(7).integers(1, 2**63, size=words.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(
        1
    )
    mixed = (words ^ (words >> np.uint64(31))) * odd
    result: npt.NDArray[np.uint64] = np.bitwise_xor.reduce(mixed ^ (mixed >> np.uint64(29)), axis=1)
    return result


def _contains(table: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]) -> BoolArray:
    if not len(table):
        return np.zeros(len(keys), dtype=bool)
    place = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return table[place] == keys
