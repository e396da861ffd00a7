r"""Which data a two-layer ReLU network can interpolate.

Since 2 (t)_+ = |t| + t, the outputs (f(x_1), ..., f(x_n)) that networks without hidden bias reach are exactly the
span of

.. math:: (|x_i|\,1[x_i \in \text{line } k])_i \text{ for every line } k \text{ through 0}, \qquad
          \text{the columns of } X, \qquad (1)_i \text{ with an output offset:}

the kinks of :math:`|x^T u|` for rows on different lines are different hyperplanes of u, so these functions are
linearly independent. Hence f(t x) = t f(x) for t >= 0, and f(x) - f(-x) is linear in x. After a column of ones, rows on
one line are equal: then distinct points suffice, for any y.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..errors import NotInterpolatableError
from ..features.grouping import group_rows

SAME_RAY = 1e-14  # distance of unit vectors that rounding explains; rows farther apart are left to the solver
CONSISTENT = 1e-10  # of the largest |y|


def check_interpolable(X: Array, y: Array, bias: bool, offset: bool) -> None:
    """Raise where no network of any width interpolates.

    Parameters
    ----------
    X : array of shape (n, d)
        Design matrix, with the column of ones when `bias`.
    y : array of shape (n,) or (n, c)
    bias, offset : bool

    Raises
    ------
    NotInterpolatableError
        It names the rows that contradict each other, up to 1e-10 of the largest \\|y\\|, and what would help.

    Notes
    -----
    O(n log n) comparisons of rows, and without bias a least-squares problem of n rows and d + 1 columns.
    """
    Y = y.reshape(len(X), -1)
    tolerance = CONSISTENT * float(np.max(np.abs(Y), initial=0.0))
    size = np.linalg.norm(X, axis=1)
    used = np.flatnonzero(size > 0)
    if not offset and len(used) < len(X) and (row := _first(np.where(size[:, None] > 0, 0.0, Y), tolerance)) >= 0:
        raise NotInterpolatableError(
            f"row {row} of `X` is zero, where a network without bias is 0, got y = {_shown(Y[row])}; "
            "use bias=True or drop the row."
        )
    ray = np.full(len(X), -1)
    ray[used], line = _rays_and_lines(X[used] / size[used, None])
    _check_rays(Y, size, ray, tolerance, bias, offset)
    if not bias:
        _check_span(X, Y, size, used, line, tolerance, offset)


def _rays_and_lines(units: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    n = len(units)
    label = group_rows(np.vstack([units, -units]), SAME_RAY)[0]
    return label[:n], np.unique(np.minimum(label[:n], label[n:]), return_inverse=True)[1].astype(np.intp)


def _check_rays(Y: Array, size: Array, ray: npt.NDArray[np.intp], tolerance: float, bias: bool, offset: bool) -> None:
    """Rows on one ray have outputs in proportion to their lengths; with an offset only equal rows are compared."""
    first = np.arange(len(ray))
    _, start, label = np.unique(ray, return_index=True, return_inverse=True)
    first = np.where(ray >= 0, start[label], first)
    ratio = np.where(size > 0, size, 1.0) / np.where(size > 0, size[first], 1.0)
    equal = bias | (np.abs(ratio - 1.0) <= SAME_RAY)
    compared = equal if offset else np.ones_like(equal)
    row = _first((Y - ratio[:, None] * Y[first]) * compared[:, None], tolerance * np.maximum(1.0, ratio))
    if row < 0:
        return
    other = int(first[row])
    if equal[row]:
        raise NotInterpolatableError(
            f"rows {other} and {row} of `X` are equal, got y = {_shown(Y[other])} and {_shown(Y[row])}; "
            "a function has one value there: average them or drop one."
        )
    raise NotInterpolatableError(
        f"row {row} of `X` is {ratio[row]:.6g} times row {other}, and so is the output of a network without bias, "
        f"got y = {_shown(Y[row])} and {_shown(Y[other])}; use bias=True or drop one of the rows."
    )


def _check_span(
    X: Array,
    Y: Array,
    size: Array,
    used: npt.NDArray[np.intp],
    line: npt.NDArray[np.intp],
    tolerance: float,
    offset: bool,
) -> None:
    """Y minus its best approximation from the span; the lines are projected out first."""
    both = np.hstack([X, np.ones((len(X), 1))] if offset else [X])
    count = int(line.max(initial=-1)) + 1
    energy = np.bincount(line, weights=size[used] ** 2, minlength=count)

    def without_lines(values: Array) -> Array:
        sums = np.zeros((count, values.shape[1]))
        np.add.at(sums, line, size[used, None] * values[used])
        result = values.copy()
        result[used] -= size[used, None] * (sums / energy[:, None])[line]
        return result

    A, target = without_lines(both), without_lines(Y)
    scale = np.maximum(np.linalg.norm(both, axis=0), np.finfo(float).tiny)
    left = target - (A / scale) @ np.linalg.lstsq(A / scale, target, rcond=1e-12)[0]
    row = int(np.argmax(np.max(np.abs(left), axis=1)))
    if np.max(np.abs(left[row])) > tolerance:
        raise NotInterpolatableError(
            f"no network without bias interpolates: up to an offset f(t x) = t f(x) for t >= 0, and f(x) - f(-x) is "
            f"linear in x, which y contradicts by {np.max(np.abs(left[row])):.3g} near row {row} of `X`, one of the "
            "rows on a common line through 0; use bias=True."
        )


def _first(values: Array, tolerance: float | Array) -> int:
    """First row with an entry above its tolerance, or -1."""
    rows = np.flatnonzero(np.max(np.abs(values), axis=1) > tolerance)
    return int(rows[0]) if rows.size else -1


def _shown(values: Array) -> str:
    return f"{values[0]:.6g}" if len(values) == 1 else str(values.tolist())
