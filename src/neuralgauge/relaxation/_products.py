"""Compiled steps of the splitting on the products of one sign: what is moved, projected and read again in one pass.

Arrays of pairs hold p_i p_j, p_i q_j, q_i p_j, q_i q_j one after the other. Aims are what the cones are asked to be
near to: the kept products are their projections, the scaled multipliers are kept - aim, and both together are the
reflection 2 kept - aim. The next aim is relaxation * image + (1 - relaxation) * kept - scaled.
"""

from __future__ import annotations

import numpy as np

from .._array import Array
from .._compiled import reordered

TILE = 64  # rows and columns written transposed at a time, 32 KB


@reordered
def move_pairs(
    images: Array, aims: Array, relaxation: float, rows: Array, root: Array, matrix: Array, odd: Array, turn: Array
) -> None:
    r"""Move the aims of all pairs; write what their reflections r and the rows of the cones are to Z.

    Parameters
    ----------
    images, aims : arrays of shape (4, n, n)
        Of pp, pq, qp, qq; the aims are overwritten, rows i <= j.
    relaxation : float
    rows : array of shape (2, n, n)
        Of the rows in the cones, as `move_cones` writes them, t and d.
    root : array of shape (>= n,)
        Root of the metric.
    matrix : array of shape (>= n, >= n)
        Its block of m is overwritten by what the semidefinite step is to be near to: the moments, Z = half the sum of
        the images, less Z + (t + t^T) / 2 - (r_pp + r_pq + r_qp + r_qq) / 2, both in the metric.
    odd, turn : arrays of shape (n, n)
        Overwritten: (r_pp - r_pq + r_qp - r_qq - d^T) / 2 and (r_pp - r_pq - r_qp + r_qq) / 2.
    """
    n = images.shape[1]
    stay, back = 1.0 - 0.5 * relaxation, 0.5 * relaxation
    total, difference = rows
    below, mirror, across = np.empty((TILE, TILE)), np.empty((TILE, TILE)), np.empty((TILE, TILE))
    inverse = 1.0 / root
    for first in range(0, n, TILE):
        for left in range(first, n, TILE):
            for j in range(left, min(left + TILE, n)):
                for i in range(first, min(first + TILE, n)):
                    below[i - first, j - left], across[i - first, j - left] = total[j, i], difference[j, i]
            for i in range(first, min(first + TILE, n)):
                for j in range(max(left, i + 1), min(left + TILE, n)):
                    moments = 0.5 * (images[0, i, j] + images[1, i, j] + images[2, i, j] + images[3, i, j])
                    pp = relaxation * images[0, i, j] + stay * aims[0, i, j] - back * abs(aims[0, i, j])
                    pq = relaxation * images[1, i, j] + stay * aims[1, i, j] - back * abs(aims[1, i, j])
                    qp = relaxation * images[2, i, j] + stay * aims[2, i, j] - back * abs(aims[2, i, j])
                    qq = relaxation * images[3, i, j] + stay * aims[3, i, j] - back * abs(aims[3, i, j])
                    aims[0, i, j], aims[1, i, j], aims[2, i, j], aims[3, i, j] = pp, pq, qp, qq
                    pp, pq, qp, qq = 0.5 * abs(pp), 0.5 * abs(pq), 0.5 * abs(qp), 0.5 * abs(qq)
                    cones = 0.5 * (total[i, j] + below[i - first, j - left])
                    near = pp + pq + qp + qq - moments - cones
                    matrix[i, j] = moments * root[i] * root[j] + near * inverse[i] * inverse[j]
                    odd[i, j] = pp - pq + qp - qq - 0.5 * across[i - first, j - left]
                    turn[i, j] = pp - pq - qp + qq
                    mirror[i - first, j - left] = pp + pq - qp - qq - 0.5 * difference[i, j]
            for j in range(left, min(left + TILE, n)):
                for i in range(first, min(first + TILE, j, n)):
                    matrix[j, i], turn[j, i], odd[j, i] = matrix[i, j], turn[i, j], mirror[i - first, j - left]
    for i in range(n):
        pp = relaxation * images[0, i, i] + stay * aims[0, i, i] - back * abs(aims[0, i, i])
        qq = relaxation * images[3, i, i] + stay * aims[3, i, i] - back * abs(aims[3, i, i])
        pq = relaxation * images[1, i, i] + aims[1, i, i]  # p_i q_i = 0: nothing is kept
        moments = 0.5 * (images[0, i, i] + images[1, i, i] + images[2, i, i] + images[3, i, i])
        aims[0, i, i], aims[1, i, i], aims[2, i, i], aims[3, i, i] = pp, pq, pq, qq
        pp, pq, qq = 0.5 * abs(pp), -pq, 0.5 * abs(qq)
        matrix[i, i] = moments * root[i] ** 2 + (pp + pq + qq - moments - total[i, i]) * inverse[i] ** 2
        odd[i, i], turn[i, i] = pp - qq - 0.5 * difference[i, i], pp - pq + qq


@reordered
def move_cones(
    images: Array,
    tails: Array,
    shares: Array,
    aims: Array,
    row_aims: Array,
    reflected: Array,
    relaxation: float,
    rows: Array,
) -> None:
    r"""Move the aims of the cones a p_i >= |p_i (rest of u, rows)|, and of q_i; write what their reflections are to Z.

    Parameters
    ----------
    images : array of shape (4, n, n)
        Of pp, pq, qp, qq.
    tails : array of shape (2, n, r + 1)
        Images of t and of the rest of u. Overwritten by image - reflection.
    shares : array of shape (n,)
        Roots of the weights of the rows.
    aims, row_aims : arrays of shape (2, n, r + 1), (2, n, n)
        Overwritten.
    reflected : array of shape (2, n, 2)
        What x is multiplied by in the reflection, and its t. Overwritten.
    relaxation : float
    rows : array of shape (2, n, n)
        Overwritten by t and d, image - reflection of the rows times `shares`: of p_i plus and less that of q_i.
    """
    n = images.shape[1]
    total, difference = rows
    for i in range(n):
        for k in range(2):
            aim, image, own = aims[k, i], tails[k, i], row_aims[k, i]
            one, other = images[2 * k, i], images[2 * k + 1, i]
            stay = 1.0 - 0.5 * relaxation * (1.0 + reflected[k, i, 0])
            aim[0] += relaxation * (image[0] - 0.5 * (aim[0] + reflected[k, i, 1]))
            length = 0.0
            for j in range(1, len(aim)):
                aim[j] = relaxation * image[j] + stay * aim[j]
                length += aim[j] * aim[j]
            for j in range(n):
                own[j] = relaxation * shares[j] * (one[j] + other[j]) + stay * own[j]
                length += own[j] * own[j]
            length = np.sqrt(length)
            turn, head = aim[0] / max(length, 1e-300), length  # t and |x| change places
            if length <= abs(aim[0]):
                turn = 1.0 if aim[0] >= 0.0 else -1.0
                head = abs(aim[0])
            reflected[k, i, 0], reflected[k, i, 1] = turn, head
            image[0] -= head
            for j in range(1, len(aim)):
                image[j] -= turn * aim[j]
            if k == 0:
                for j in range(n):
                    difference[i, j] = shares[j] * (shares[j] * (one[j] + other[j]) - turn * own[j])
            else:
                for j in range(n):
                    mine = shares[j] * (shares[j] * (one[j] + other[j]) - turn * own[j])
                    total[i, j] = difference[i, j] + mine
                    difference[i, j] -= mine
