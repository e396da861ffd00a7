"""The polygons on which a network of two features is affine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidInputError, wrong_kind
from ..networks.dense import TwoLayerNetwork
from ._axes import place_of

MOST_LABELS = 12  # functions that are written on the polygons, of the largest ones


def plot_pieces(
    network: TwoLayerNetwork,
    lower: Sequence[float],
    upper: Sequence[float],
    *,
    feature_names: Sequence[str] = ("x1", "x2"),
    output: int = 0,
    axes: Any = None,
) -> Any:
    """Draw the polygons on which a network of two features is one affine function each, coloured by its values.

    The functions of the largest polygons are written on them, with three digits.

    Parameters
    ----------
    network : TwoLayerNetwork
        Of an estimator the `network_`, of a solution the `network`.
    lower, upper : sequence of two floats
        Corners of the box that is drawn.
    feature_names : sequence of two str
    output : int
        The output that is drawn, of several.
    axes : matplotlib.axes.Axes, optional
        Where to draw, by default in a new figure; returned in any case.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For a network of other than two features, no such output, and boxes without an inside; without Matplotlib.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, 0.0], [-1.0, 1.0], [0.0, -0.5]], [2.0, 1.0])
    >>> axes = ng.plot_pieces(network, (0, 0), (1, 1))  # doctest: +SKIP
    >>> len(axes.collections[0].get_paths())  # doctest: +SKIP
    4
    """
    if not isinstance(network, TwoLayerNetwork):
        raise wrong_kind("network", "a TwoLayerNetwork", network, "network_", "network")
    pieces = network.pieces(lower, upper)
    if not (isinstance(output, int) and 0 <= output < network.n_outputs):
        raise InvalidInputError(f"`output` must be from 0 to {network.n_outputs - 1}, got {output!r}.")
    if len(feature_names) != 2:
        raise InvalidInputError(f"`feature_names` must be two names, got {len(feature_names)}.")
    place = place_of(axes, "plot_pieces", (6.0, 5.0))
    from matplotlib.collections import PolyCollection

    middles = [piece.corners.mean(axis=0) for piece in pieces]
    functions = [(piece.gradient[:, output], float(piece.constant[output])) for piece in pieces]
    heights = np.array([float(middle @ g + b) for middle, (g, b) in zip(middles, functions, strict=True)])
    polygons = PolyCollection([piece.corners for piece in pieces], cmap="RdBu_r", edgecolors="0.25", linewidths=0.8)
    polygons.set_array(heights)
    place.add_collection(polygons)
    place.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]))
    place.set_xlabel(_shown(feature_names[0]))
    place.set_ylabel(_shown(feature_names[1]))
    limit = float(np.ptp(heights))
    for k in np.argsort([-piece.area for piece in pieces], kind="stable")[:MOST_LABELS]:
        g, b = functions[k]
        dark = limit > 0 and abs(heights[k] - heights.mean()) > 0.3 * limit
        text = f"{b:.3g}\n{g[0]:+.3g} x\n{g[1]:+.3g} y"
        place.text(*middles[k], text, ha="center", va="center", fontsize=7, color="white" if dark else "black")
    return place


def _shown(name: str) -> str:
    """A name without what Matplotlib takes for mathematics."""
    return str(name).replace("$", r"\$")
