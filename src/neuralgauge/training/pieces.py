"""The network of one feature with a given number of pieces and least squared error, and a bound on that error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import Array, as_vector, check_size
from ..errors import InvalidInputError
from ..networks.dense import TwoLayerNetwork
from .knot_sets import nodes_of
from .knots import KnotSearch, Line
from .segments import segmented

MOST_PIECES_FITTED = 30  # more are a spline, for which there are better methods
MOST_BOUNDED = 2000  # places above which the bound, whose time is their square, is left out


@dataclass(frozen=True)
class PiecewiseFit:
    """A continuous piecewise linear function with given pieces, and what is known of better ones.

    Attributes
    ----------
    network : TwoLayerNetwork
        As many neurons as pieces, two for one piece; the outer pieces go on beyond the data. `network.breakpoints()` is
        the table.
    error : float
        Weighted sum of squared errors.
    lower : float
        No continuous function of so many pieces has a smaller one; minus infinity for none.
    """

    network: TwoLayerNetwork
    error: float
    lower: float

    @property
    def gap(self) -> float:
        """(error - lower) / error: by how much another such function may be better at most; 0 for no error."""
        return (self.error - self.lower) / self.error if self.error > 0.0 else 0.0


def fit_pieces(x: Any, y: Any, n_pieces: int, *, sample_weight: Any = None, bound: bool = True) -> PiecewiseFit:
    r"""Fit a continuous function of n_pieces linear pieces to points (x_i, y_i) by least squares.

    Minimises :math:`\sum_i s_i (f(x_i) - y_i)^2` over breakpoints and values. Where breakpoints are free, this is not
    convex: they are inserted one by one where that helps most, moved by Gauss and Newton's method, and exchanged, one
    taken out and put back anywhere else, until no exchange helps; then once more from the breaks of the best function
    that need not be continuous. That function is found exactly, by dynamic programming, and its error bounds that of
    every continuous one from below.

    Parameters
    ----------
    x, y : array of shape (n,)
    n_pieces : int
        From 1 to 30, and less than the distinct places (1 for one place).
    sample_weight : array of shape (n,), optional
        Weights >= 0 of the points.
    bound : bool
        Whether to compute the bound and to begin at its breaks too; above 2,000 distinct places it is left out.

    Returns
    -------
    PiecewiseFit
        Fewer pieces where more do not help. `lower` holds in floating-point arithmetic too; that the fit is the best
        of all is not claimed.

    Raises
    ------
    InvalidInputError
        For arrays of other shapes, values that are not finite or whose squares are not, and more pieces than places.

    Notes
    -----
    Cost O(n k^2) a step of Gauss and Newton, O(k^3) each of 400 places for an exchange, O(n^2 k) for the bound. The
    penalty of `train` is none here: a network that is small by weights is another one than that which is small by
    pieces. Sources: Golub & Pereyra, 1973 (values eliminated); Bellman & Roth, 1969 (curves by lines).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> fit = ng.fit_pieces([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 1.0, 0.0], 2)
    >>> points = fit.network.breakpoints()
    >>> points.x.round(6).tolist(), points.slopes.ravel().round(6).tolist(), fit.error < 1e-20
    ([2.0], [1.0, -1.0], True)
    """
    points, targets, weight = _points(x, y, sample_weight)
    used = weight > 0.0
    line = Line.of(points[used], targets[used], weight[used])
    most = min(MOST_PIECES_FITTED, max(1, len(line.x) - 1))
    if isinstance(n_pieces, bool) or not isinstance(n_pieces, int | np.integer) or not 1 <= n_pieces <= most:
        raise InvalidInputError(
            f"`n_pieces` must be from 1 to {most}, at most {MOST_PIECES_FITTED} and less than the distinct places of "
            f"x, got {n_pieces!r}."
        )
    search, lower, starts = KnotSearch(line, int(n_pieces) - 1), -np.inf, list[Array]()
    if bound and len(line.x) <= MOST_BOUNDED:
        value, breaks = segmented(line, int(n_pieces))
        lower, starts = value * line.scale**2, [breaks]
    knots = search.fit(starts)
    network = _network(search, knots, line)
    error = float(np.sum(weight * (network.predict(points[:, None]) - targets) ** 2))
    return PiecewiseFit(network, error, min(lower, error))


def _points(x: Any, y: Any, sample_weight: Any) -> tuple[Array, Array, Array]:
    """What was given, checked."""
    points = as_vector(x, np.size(x), "x")
    n = len(points)
    targets = as_vector(y, n, "y")
    weight = np.ones(n) if sample_weight is None else as_vector(sample_weight, n, "sample_weight")
    for name, values in (("X", points), ("y", targets), ("sample_weight", weight)):
        check_size(name, values)
    if n == 0 or np.any(weight < 0.0) or not np.any(weight > 0.0):
        raise InvalidInputError("Points must be there, and `sample_weight` must be >= 0, and > 0 somewhere.")
    return points, targets, weight


def _network(search: KnotSearch, knots: Array, line: Line) -> TwoLayerNetwork:
    """The function as a network: at the first knot a neuron to either side, at others one to the right."""
    nodes, values = nodes_of(knots), search.values(knots)
    slopes = np.diff(values) / np.diff(nodes)
    places = line.start + line.length * nodes
    slopes = slopes * line.scale / line.length
    first, level = (places[1], values[1]) if len(knots) else (places[0], values[0])
    rest = np.diff(slopes)[1:]
    right = slopes[1] if len(knots) else slopes[0]
    kinks = np.concatenate([[first, first], places[2:-1] if len(knots) else []])
    facing = np.concatenate([[-1.0, 1.0], np.ones(len(rest))])
    A = np.concatenate([[-slopes[0], right], rest])
    offset = line.mean + line.scale * level
    return TwoLayerNetwork(np.vstack([facing, -facing * kinks]), A, offset=offset).balance()
