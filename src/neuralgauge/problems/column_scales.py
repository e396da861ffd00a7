"""A warning where columns are in such different units that one penalty for all of them decides which are used."""

from __future__ import annotations

import warnings

import numpy as np

from ..errors import ColumnScaleWarning
from ..features.rows import Features

APART = 100.0  # ratio of typical sizes of two columns from which a problem warns
SUMMED = 1_000_000  # entries at a time


def warn_of_scales(features: Features, bias: bool) -> None:
    """Warn where the typical sizes of two columns of a dense array in memory differ more than a hundredfold.

    The typical size of a column is the root of the mean square of its entries that are not zero: 1 for an indicator,
    however rare. The column of ones and columns of zeros do not count. Costs one pass over X.
    """
    if not features.resident:
        return
    X = features.dense()
    X = X[:, : X.shape[1] - bias]
    squares, count = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    step = max(1, SUMMED // max(X.shape[1], 1))
    for first in range(0, len(X), step):
        rows = X[first : first + step]
        squares += np.einsum("ij,ij->j", rows, rows)
        count += np.count_nonzero(rows, axis=0)
    used = np.flatnonzero(squares > 0.0)
    if len(used) < 2:
        return
    sizes = np.sqrt(squares[used] / count[used])
    least, most = int(np.argmin(sizes)), int(np.argmax(sizes))
    if sizes[most] > APART * sizes[least]:
        warnings.warn(
            f"the columns of X differ more than a hundredfold in scale: typical entries are {sizes[most]:.1g} in "
            f"column {used[most]} and {sizes[least]:.1g} in column {used[least]}, and the penalty keeps the network "
            "from the smaller ones. Standardise them (scikit-learn's StandardScaler; the estimators of this package do "
            "so by `standardize=True`).",
            ColumnScaleWarning,
            stacklevel=3,
        )
