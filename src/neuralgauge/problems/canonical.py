"""One form for all equal training sets, so that a fit depends on what was observed and not on how it was listed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array, as_vector
from ..errors import InvalidInputError


def checked_weights(sample_weight: Any, n: int) -> Array:
    """Weights >= 0 of shape (n,), not all zero; ones for None."""
    if sample_weight is None:
        return np.ones(n)
    weight = as_vector(sample_weight, n, "sample_weight")
    if np.any(weight < 0):
        row = int(np.flatnonzero(weight < 0)[0])
        raise InvalidInputError(
            f"`sample_weight` must be >= 0, got {weight[row]} in row {row}; give weight zero to rows to be left out."
        )
    if not np.any(weight > 0):
        raise InvalidInputError("`sample_weight` must have at least one value above zero, got only weights of zero.")
    return weight


def canonical_rows(X: Array, y: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Distinct rows (x, y) of positive weight in lexicographic order, with the summed weight of each.

    Two training sets with the same objective [2] for every network, whether by reordering rows, by repeating
    a row instead of weighting it or by adding rows of weight zero, give the same three arrays to the last bit
    (as long as the sums of weights are exact, which those of integers are).

    Parameters
    ----------
    X : array of shape (n, d)
    y : array of shape (n,) or (n, c)
        Targets; rows merge where all outputs agree.
    weight : array of shape (n,)
        Weights >= 0, at least one of them positive.

    Returns
    -------
    X : array of shape (k, d)
    y : array of shape (k,) or (k, c)
    weight : array of shape (k,)

    Examples
    --------
    >>> import numpy as np
    >>> X, y, weight = canonical_rows(np.array([[2.0], [1.0], [2.0]]), np.array([5.0, 3.0, 5.0]), np.ones(3))
    >>> X.ravel().tolist(), y.tolist(), weight.tolist()
    ([1.0, 2.0], [3.0, 5.0], [1.0, 2.0])
    """
    kept = weight > 0
    # Adding 0.0 turns -0.0 into 0.0: the two compare equal but have other bits.
    rows = np.column_stack([X, y])[kept] + 0.0
    weight = weight[kept]
    # The weight is the last sorting key, so that the order of equal rows does not change the rounding of its sum.
    order = np.lexsort((weight, *rows.T[::-1]))
    rows, weight = rows[order], weight[order]
    is_first = np.ones(len(rows), dtype=bool)
    is_first[1:] = np.any(rows[1:] != rows[:-1], axis=1)
    first = np.flatnonzero(is_first)
    d = X.shape[1]
    targets = np.ascontiguousarray(rows[first, d:]).reshape(len(first), *y.shape[1:])
    return np.ascontiguousarray(rows[first, :d]), targets, np.add.reduceat(weight, first)


def canonical_images(images: Array, y: Array, weight: Array) -> tuple[Array, Array, Array]:
    """What `canonical_rows` does, for images (n, *shape): distinct ones in an order of their own, by their bits.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.array([[[2.0], [0.0]], [[-0.0], [1.0]], [[2.0], [-0.0]]])
    >>> images, y, weight = canonical_images(images, np.array([5.0, 3.0, 5.0]), np.ones(3))
    >>> sorted(zip(y.tolist(), images[:, 0, 0].tolist(), weight.tolist()))
    [(3.0, 0.0, 1.0), (5.0, 2.0, 2.0)]
    """
    values = images + 0.0  # as above
    # Compared as strings of bytes: an image has too many numbers to sort by each in turn.
    strings = values.reshape(len(values), -1).view(f"V{values[0].nbytes}")[:, 0]
    _, first, number = np.unique(strings, return_index=True, return_inverse=True)
    numbers, y, weight = canonical_rows(number.reshape(-1, 1).astype(np.float64), y, weight)
    return values[first[numbers[:, 0].astype(np.intp)]], y, weight
