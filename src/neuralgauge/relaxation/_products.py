"""The compiled step of the splitting on the products of one sign: moved, projected and read again in one pass.

Products are those of on, off, p and q (0 to 3) of row i by those of row j. Aims are what they are asked to be near to:
max(aim, 0) is kept, the scaled multipliers are kept - aim, and both together are the reflection |aim|; but where the
product is 0 for every neuron (`VANISHING`, of one row), nothing is kept, and the reflection is -aim.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from .._compiled import reordered
from .multipliers import EXCLUSIVE

TILE = 32  # rows of a tile, of which 4 x 4 blocks make 128 KB
VANISHING = EXCLUSIVE + tuple((other, k) for k, other in EXCLUSIVE)


@reordered
def move_products(factors: Array, aims: Array, relaxation: float, work: Array, sums: Array) -> None:
    r"""Move the aims to relaxation * image + (1 - relaxation) * kept - scaled; write what reflections are to moments.

    Parameters
    ----------
    factors : array of shape (tiles, 4 TILE, rank)
        Roots of the images: of `TILE` rows on, off, p and q one after the other, zeros after the last row.
    aims : array of shape (4, 4, n, n)
        Rows i <= j; overwritten.
    relaxation : float
    work : array of shape (>= 3 n, >= 3 n)
        Overwritten by the reflections of (on - off, p + q, p - q) / sqrt 2.
    sums : array of shape (4, n)
        Overwritten by those of (on - off, p + q, p - q, on + off) / sqrt 2 with the sum of (on + off) / sqrt 2.
    """
    n, width = aims.shape[2], 4 * TILE
    image, r, turned = np.empty((width, width)), np.empty((4, 4, TILE)), np.empty((3, 3, TILE, TILE))
    sums[:] = 0.0
    for above in range(factors.shape[0]):
        for beside in range(above, factors.shape[0]):
            first, left = above * TILE, beside * TILE
            height, end = min(TILE, n - first), min(TILE, n - left)
            np.dot(factors[above], factors[beside].T, image)
            for i in range(height):
                start = i if above == beside else 0
                _move(image, aims, relaxation, first, left, i, start, end, r)
                _combine(r, start, end)
                for x in range(4):
                    for j in range(start, end):
                        sums[x, first + i] += r[x, 3, j]
                        if first + i < left + j:
                            sums[x, left + j] += r[3, x, j]
                for x in range(3):
                    for y in range(3):
                        for j in range(start, end):
                            work[x * n + first + i, y * n + left + j] = r[x, y, j]
                            turned[x, y, i, j] = r[x, y, j]
            for x in range(3):
                for y in range(3):
                    for j in range(end):
                        for i in range(min(height, j + 1) if above == beside else height):
                            work[y * n + left + j, x * n + first + i] = turned[x, y, i, j]


@reordered
def _move(
    image: Array, aims: Array, relaxation: float, first: int, left: int, i: int, start: int, end: int, r: Array
) -> None:
    """Move the aims of one row of a tile; their reflections."""
    stay, back = 1.0 - 0.5 * relaxation, 0.5 * relaxation
    free = np.empty(8)
    for e in range(8):
        k, other = VANISHING[e]
        free[e] = aims[k, other, first + i, first + i]
    for k in range(4):
        for other in range(4):
            for j in range(start, end):
                aim = aims[k, other, first + i, left + j]
                aim = relaxation * image[k * TILE + i, other * TILE + j] + stay * aim - back * abs(aim)
                aims[k, other, first + i, left + j] = aim
                r[k, other, j] = abs(aim)
    if first == left:
        for e in range(8):
            k, other = VANISHING[e]
            aim = relaxation * image[k * TILE + i, other * TILE + i] + free[e]
            aims[k, other, first + i, first + i] = aim
            r[k, other, i] = -aim


@reordered
def _combine(r: Array, start: int, end: int) -> None:
    """Turn on, off, p, q into on - off, p + q, p - q, on + off, over sqrt 2, on both sides."""
    for other in range(4):
        for j in range(start, end):
            on, off, p, q = r[0, other, j], r[1, other, j], r[2, other, j], r[3, other, j]
            r[0, other, j], r[1, other, j], r[2, other, j], r[3, other, j] = on - off, p + q, p - q, on + off
    for k in range(4):
        for j in range(start, end):
            on, off, p, q = 0.5 * r[k, 0, j], 0.5 * r[k, 1, j], 0.5 * r[k, 2, j], 0.5 * r[k, 3, j]
            r[k, 0, j], r[k, 1, j], r[k, 2, j], r[k, 3, j] = on - off, p + q, p - q, on + off
