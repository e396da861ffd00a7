"""The filters of convolutional networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._array import Array
from ..errors import InvalidInputError, wrong_kind
from ..networks.conv import ReLUConvNetwork
from ..networks.linear_conv import LinearConvNetwork
from ._axes import pyplot

CELL = 1.1  # inches of a filter


def plot_filters(network: Any, limit: int = 24, *, axes: Any = None, cmap: str = "RdBu_r") -> Any:
    r"""Draw the filters of a convolutional network, those that count most first.

    Above each filter stands its share of the weight decay, :math:`(\|u_j\|^2 + \|\alpha_j\|^2) / \sum_i (\|u_i\|^2 +
    \|\alpha_i\|^2)`, and, where it has a single output weight, the sign of that. Biases are not shown.

    Parameters
    ----------
    network : ReLUConvNetwork or LinearConvNetwork
        Of an estimator the `network_`, of a solution the `network`.
    limit : int
        Filters to draw at most, >= 1.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw, a filter each; the rest is blanked. By default a new figure is made, with a colour bar where
        colours stand for weights.
    cmap : str
        Colours of the weights of one channel, the middle one for zero.

    Returns
    -------
    list of matplotlib.axes.Axes
        Those with a filter; the figure is ``axes[0].figure``.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For another kind of network, one without filters, or fewer than one to draw; without Matplotlib.

    Notes
    -----
    Every filter is scaled by its largest entry alone. One channel: zero is in the middle of the colours. Three are
    taken as red, green and blue, zero as medium gray. Others are drawn side by side. Filters on signals are lines, one
    a channel.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> geometry = ng.PatchGeometry((8, 8, 1), filter_size=2)
    >>> network = ng.ReLUConvNetwork([[1.0], [-1.0], [1.0], [-1.0]], [1.0], bias=False, geometry=geometry)
    >>> axes = ng.plot_filters(network)  # doctest: +SKIP
    >>> axes[0].get_title()  # doctest: +SKIP
    '+ 100 %'
    """
    if not isinstance(network, ReLUConvNetwork | LinearConvNetwork):
        raise wrong_kind("network", "a ReLUConvNetwork or a LinearConvNetwork", network, "network_", "network")
    if limit < 1:
        raise InvalidInputError(f"`limit` must be >= 1, got {limit}.")
    if network.n_neurons == 0:
        raise InvalidInputError("`network` must have filters to draw, got none; train it with a smaller `beta`.")
    decay = np.sum(network.U**2, axis=0) + np.sum(network.A.reshape(network.n_neurons, -1) ** 2, axis=1)
    order, shares = np.argsort(-decay, kind="stable"), decay / max(float(decay.sum()), np.finfo(float).tiny)
    shown = order[:limit] if axes is None else order[: min(limit, len(axes))]
    places = _new_axes(len(shown), network.geometry.filters) if axes is None else list(axes)
    signs = np.sign(network.A.ravel()) if network.A.size == network.n_neurons else np.zeros(network.n_neurons)
    for place, j in zip(places, shown, strict=False):
        _draw(place, network.filters[j], cmap)
        sign = {1.0: "+ ", -1.0: "\N{MINUS SIGN} "}.get(float(signs[j]), "")
        percent = 100.0 * shares[j]
        place.set_title(f"{sign}{percent:.{0 if percent >= 1.0 else 1}f} %", fontsize=8, pad=3)
    for place in places[len(shown) :]:
        place.set_axis_off()
    if axes is None and network.filters.ndim == 4 and network.filters.shape[-1] != 3:
        _draw_scale(places, cmap)
    return places[: len(shown)]


def _new_axes(count: int, filters: tuple[int, ...]) -> list[Any]:
    columns = min(count, max(4, math.ceil(math.sqrt(1.5 * count))))
    rows = math.ceil(count / columns)
    width = CELL * (1.0 if len(filters) == 2 else 1.4)
    _, axes = pyplot("plot_filters").subplots(
        rows, columns, figsize=(width * columns, (CELL + 0.2) * rows), squeeze=False, layout="constrained"
    )
    return list(axes.ravel())


def _draw_scale(places: list[Any], cmap: str) -> None:
    """The colour bar of all filters, each of which is scaled by its largest entry."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(-1.0, 1.0), cmap)
    bar = places[0].figure.colorbar(scale, ax=places, ticks=[-1.0, 0.0, 1.0], aspect=12, shrink=0.9)
    bar.set_label("weight / largest", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _draw(place: Any, weights: Array, cmap: str) -> None:
    """One filter, (*filter_size, channels)."""
    channels = weights.shape[-1]
    largest = float(np.max(np.abs(weights))) or 1.0
    place.set_xticks([])
    place.set_yticks([])
    for spine in place.spines.values():
        spine.set(linewidth=0.5, color="0.4")
    if weights.ndim == 2:
        place.axhline(0.0, color="0.7", linewidth=0.8)
        for k in range(channels):
            place.plot(weights[:, k], marker="." if len(weights) < 12 else None, linewidth=1.2)
        place.set_ylim(-1.1 * largest, 1.1 * largest)
    elif channels == 3:
        place.imshow(0.5 + 0.5 * weights / largest, interpolation="nearest")
    else:
        place.imshow(_side_by_side(weights), cmap=cmap, vmin=-largest, vmax=largest, interpolation="nearest")


def _side_by_side(weights: Array) -> Array:
    """Channels next to each other, (height, channels (width + 1) - 1), with gaps that are not drawn."""
    height, width, channels = weights.shape
    result = np.full((height, channels, width + 1), np.nan)
    result[:, :, :width] = np.moveaxis(weights, -1, 1)
    return result.reshape(height, -1)[:, :-1]
