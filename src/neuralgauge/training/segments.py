"""The best lines through consecutive points, each its own: a bound on continuous functions of as many pieces."""

from __future__ import annotations

import numpy as np

from .._array import Array
from .knots import Line


def segmented(line: Line, n_pieces: int) -> tuple[float, Array]:
    """A lower bound on the error of every continuous function of n_pieces pieces, and the breaks where it is attained.

    Each point lies on one piece, points of one piece are neighbours, and a line of their own is at least as near to
    them; the best groups are found by dynamic programming, E_k(j) = min_i E_{k-1}(i) + C(i, j). Squares and products of
    deviations grow point by point (Welford), so that each is off by a share of itself: n eps times the range over the
    least distance of two points, which is subtracted. Cost O(n^2 n_pieces), memory O(n^2).

    Examples
    --------
    >>> import numpy as np
    >>> line = Line.of(np.arange(6.0), np.array([0.0, 0.0, 0.0, 5.0, 5.0, 5.0]), np.ones(6))
    >>> value, breaks = segmented(line, 2)
    >>> bool(abs(value) < 1e-9), (line.start + line.length * breaks).tolist()
    (True, [2.5])
    """
    cost, n = _costs(line), len(line.x)
    best, came = cost[0].copy(), []
    for _ in range(1, n_pieces):
        # A group from i on after groups that end before it; none begins before 1.
        total = np.concatenate([[np.inf], best[:-1]])[:, None] + cost
        came.append(total.argmin(axis=0))
        best = np.minimum(total.min(axis=0), best)
    spacing = float(np.diff(line.x).min()) if n > 1 else 1.0
    energy = float(np.sum(line.weight * line.y**2)) + line.within
    allowance = 16.0 * n * np.finfo(np.float64).eps * (1.0 + 1.0 / spacing) * energy
    ends, j = [], n - 1
    for starts in reversed(came):
        i = int(starts[j])
        if i < 1:
            break
        ends.append(0.5 * (line.x[i - 1] + line.x[i]))
        j = i - 1
    return float(best[-1]) + line.within - allowance, np.array(ends[::-1])


def _costs(line: Line) -> Array:
    """C(i, j): the squared error of the best line through points i to j, infinite for j < i."""
    x, y, w = line.x, line.y, line.weight
    n = len(x)
    cost = np.full((n, n), np.inf)
    mass, mean_x, mean_y, xx, xy, yy = np.zeros((6, n))
    for j in range(n):
        # Point j joins the groups that begin at i <= j.
        part = slice(0, j + 1)
        dx, dy = x[j] - mean_x[part], y[j] - mean_y[part]
        share = w[j] / (mass[part] + w[j])
        kept = mass[part] * share
        xx[part] += kept * dx * dx
        xy[part] += kept * dx * dy
        yy[part] += kept * dy * dy
        mean_x[part] += share * dx
        mean_y[part] += share * dy
        mass[part] += w[j]
        with np.errstate(invalid="ignore", divide="ignore"):
            explained = np.where(xx[part] > 0.0, xy[part] ** 2 / xx[part], 0.0)
        cost[part, j] = np.maximum(yy[part] - explained, 0.0)
    return cost
