r"""Cells of a central arrangement of N distinct lines' normals a_j in R^r, one of each pair +-C.

For a generic g the cells are those that the hyperplane g^perp cuts, which are the cells of the arrangement
restricted to it (rank r - 1), and pairs +-C on one side of it each. On the slice g^T u = 1 the latter are bounded
polytopes, so each has one lowest vertex in a generic direction c; and at a vertex where exactly q = r - 1
hyperplanes meet, exactly one cell lies upwards. So all vertices are visited, in blocks of matrix products, and the
upward cells that are cut are struck out. Where more than q hyperplanes meet, the upward cells come from the
arrangement of those hyperplanes around the vertex, which has rank q.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, combinations, islice

import numpy as np
import numpy.typing as npt
from scipy.linalg import null_space

from .._array import Array, BoolArray

Bits = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.intp]
Hashes = npt.NDArray[np.uint64]
Cells = tuple[Bits, Array]  # packed signs (k, ceil(N / 8)), interior points (k, r)
ZERO_DETERMINANT = 64 * np.finfo(float).eps  # determinants of unit rows below this are zero


def half_cells(A: Array, size: int) -> Iterator[Cells]:
    """One of each pair of opposite cells of unit rows A (N, r) of rank r, no two collinear, about `size` at a time."""
    N, r = A.shape
    if r == 1:
        yield np.packbits(A.T > 0, axis=1), np.ones((1, 1))
    elif r == 2:
        yield from _sectors(A, size)
    else:
        g, c = _generic(r)
        basis = null_space(g[None, :])
        cut = []
        for packed, points in half_cells(_unit(A @ basis), size):
            cut.append(hash_of_pair(packed, N))
            yield packed, points @ basis.T
        yield from _upper_cells(A, g, c, np.sort(np.concatenate(cut)), size)


@lru_cache
def _generic(r: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(20200713 + r)
    g, c = rng.standard_normal((2, r))
    return g / np.linalg.norm(g), c


def _unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1)[:, None]


def _sectors(A: Array, size: int) -> Iterator[Cells]:
    """Rank 2: one half of the plane's sectors, from sorted angles."""
    angle = np.sort(np.mod(np.arctan2(A[:, 0], -A[:, 1]), np.pi))
    middle = 0.5 * (angle + np.append(angle[1:], angle[0] + np.pi))
    points = np.column_stack([np.cos(middle), np.sin(middle)])
    for start in range(0, len(points), size):
        block = points[start : start + size]
        yield np.packbits(block @ A.T > 0, axis=1), block


def _upper_cells(A: Array, g: Array, c: Array, cut: Hashes, size: int) -> Iterator[Cells]:
    """The cells on the upper side of g^perp, by their lowest vertices."""
    N, r = A.shape
    subsets = chain.from_iterable(combinations(range(N), r - 1))
    visited: set[bytes] = set()
    while True:
        chunk = np.fromiter(islice(subsets, size * (r - 1)), dtype=np.intp).reshape(-1, r - 1)
        if not len(chunk):
            return
        yield from _cells_above(A, g, c, cut, chunk, visited)


def _cells_above(A: Array, g: Array, c: Array, cut: Hashes, subsets: Indices, visited: set[bytes]) -> Iterator[Cells]:
    normals = _normals(A[subsets])
    volume = np.linalg.norm(normals, axis=1)
    proper = volume > ZERO_DETERMINANT
    subsets, normals, volume = subsets[proper], normals[proper], volume[proper]
    height = np.where(normals @ g > 0, 1.0, -1.0)[:, None] * normals @ A.T  # determinants of the subset and each row
    vertices, direction, side = _upward(A[subsets], g, c)
    vertices *= volume[:, None]
    signs = height > 0
    np.put_along_axis(signs, subsets, side, axis=1)
    np.put_along_axis(height, subsets, np.inf, axis=1)
    simple = np.abs(height).min(axis=1) > ZERO_DETERMINANT
    packed = np.packbits(signs, axis=1)
    keep = simple & ~_contains(cut, hash_of_pair(packed, len(A)))
    yield packed[keep], _inside(A, vertices, direction, height)[keep]
    crossings = []
    for k in np.flatnonzero(~simple):
        tied = np.isinf(height[k]) | (np.abs(height[k]) <= ZERO_DETERMINANT)
        key = np.packbits(tied).tobytes()
        if key not in visited:
            visited.add(key)
            crossings.append(_cells_above_crossing(A, g, c, cut, vertices[k], tied))
    if crossings:
        signs_of_each, points_of_each = zip(*crossings, strict=True)
        yield np.concatenate(signs_of_each), np.concatenate(points_of_each)


def _normals(rows: Array) -> Array:
    """Vectors (k, r) orthogonal to r - 1 rows each (k, r - 1, r), as long as the volume of the rows.

    Cofactors have errors of a few units in the last place of 1 however nearly dependent the rows; a null vector
    taken from an inverse has not, and ties would be missed.
    """
    columns = np.arange(rows.shape[2])
    return np.stack([(-1.0) ** j * np.linalg.det(rows[:, :, columns != j]) for j in columns], axis=1)


def _upward(rows: Array, g: Array, c: Array) -> tuple[Array, Array, BoolArray]:
    """Vertices, directions into their upward cells, both (k, r), and sides of the r - 1 hyperplanes there."""
    frames = np.concatenate([rows, np.broadcast_to(g, (len(rows), 1, len(g)))], axis=1)
    # Column i leaves hyperplane i within the slice, the last is the vertex: here it lies on the hyperplanes to a
    # rounding error even if they are nearly parallel, which the cofactors do not say.
    inverse = np.linalg.inv(frames)
    edges, vertices = inverse[:, :, :-1], _unit(inverse[:, :, -1])
    side = np.einsum("r,krq->kq", c, edges) > 0
    edges /= np.linalg.norm(edges, axis=1)[:, None, :]
    return vertices, np.einsum("krq,kq->kr", edges, np.where(side, 1.0, -1.0)), side


def _cells_above_crossing(A: Array, g: Array, c: Array, cut: Hashes, vertex: Array, tied: BoolArray) -> Cells:
    """Upward cells of a vertex where more than r - 1 hyperplanes meet."""
    basis = null_space(vertex[None, :])
    rise = c - (c @ vertex) / (g @ vertex) * g  # c on the slice, as a function that vanishes at the vertex
    local = _unit(np.vstack([A[tied], rise]) @ basis)
    packed, points = (np.concatenate(parts) for parts in zip(*half_cells(local, 4096), strict=True))
    around = np.unpackbits(packed, axis=1, count=len(local)).view(np.bool_)
    rising = around[:, -1:]
    around, points = around[:, :-1] == rising, points * np.where(rising, 1.0, -1.0)
    # All have a part above; a cell with a part below is there a second time, as the opposite of another.
    seen = {row.tobytes() for row in around}
    whole = np.array([(~row).tobytes() not in seen for row in around])
    height = np.where(tied, np.inf, A @ vertex)
    signs = np.repeat((height > 0)[None], whole.sum(), axis=0)
    signs[:, tied] = around[whole]
    packed = np.packbits(signs, axis=1)
    keep = ~_contains(cut, hash_of_pair(packed, len(A)))
    vertices = np.broadcast_to(vertex, (len(keep), len(vertex)))
    return packed[keep], _inside(A, vertices, points[whole] @ basis.T, height)[keep]


def _inside(A: Array, vertices: Array, direction: Array, height: Array) -> Array:
    """Half the way from each vertex to the first hyperplane ahead; those through the vertex have height infinity."""
    rate = direction @ A.T
    with np.errstate(divide="ignore", invalid="ignore"):  # where hyperplanes tie, and the result is not used
        rate /= height
    reach = 1.0 / np.maximum(-rate.min(axis=1), 1e-3)
    return _unit(vertices + 0.5 * reach[:, None] * direction)


def hash_of_pair(packed: Bits, N: int) -> Hashes:
    """64-bit hash of each row of N signs, the same for a row and its opposite."""
    first = (packed[:, :1] >> 7).astype(bool)
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    np.bitwise_xor(packed, np.packbits(np.ones(N, dtype=bool)), out=padded[:, : packed.shape[1]], where=first)
    np.copyto(padded[:, : packed.shape[1]], packed, where=~first)
    words = padded.view(np.uint64)
    mixed = (words ^ (words >> np.uint64(31))) * _odd_factors(words.shape[1])
    return np.bitwise_xor.reduce(mixed ^ (mixed >> np.uint64(29)), axis=1)


@lru_cache
def _odd_factors(count: int) -> Hashes:
    return np.random.default_rng(7).integers(2**63, size=count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _contains(table: Hashes, keys: Hashes) -> BoolArray:
    place = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return table[place] == keys
