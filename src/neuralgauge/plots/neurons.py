"""The neurons of a network: their costs, or their weights as arrows."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..errors import InvalidInputError, wrong_kind
from ..networks.dense import TwoLayerNetwork
from ._axes import NEGATIVE, POSITIVE, add_legend, choice, place_of


def plot_neurons(network: TwoLayerNetwork, *, what: str = "norms", axes: Any = None) -> Any:
    r"""Draw the cost :math:`\|u_j\|_2 \|\alpha_j\|_2` of each neuron, or its weights as arrows.

    Parameters
    ----------
    network : TwoLayerNetwork or ReLUConvNetwork
        Of an estimator the `network_`, of a solution the `network`.
    what : {"norms", "plane"}
        "norms" draws a bar a neuron, the largest first, coloured by the sign of its output weight; with more output
        weights a neuron, stacked in the shares :math:`\|\alpha_{jk}\|^2 / \|\alpha_j\|^2` of the outputs k. "plane"
        draws :math:`w_j = \|\alpha_j\|_2 u_j` as arrows, for a network of two features (its weights on them; hidden
        biases are not shown) or of one feature with bias (its weight and the bias).
    axes : matplotlib.axes.Axes, optional
        Where to draw, by default in a new figure; returned in any case.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For another kind of network, or more features than a plane has; without Matplotlib.

    Notes
    -----
    The bars add up to the penalty of [3] without its beta, which is `weight_decay` of a balanced network.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, 3.0], [0.0, 4.0]], [2.0, -1.0])
    >>> axes = ng.plot_neurons(network)  # doctest: +SKIP
    >>> [float(bar.get_height()) for bar in axes.containers[0] + axes.containers[1]]  # doctest: +SKIP
    [0.0, 2.0, 5.0, 0.0]
    """
    if not isinstance(network, TwoLayerNetwork):
        raise wrong_kind("network", "a TwoLayerNetwork or a ReLUConvNetwork", network, "network_", "network")
    rows, plane = network.U.shape[0], choice(what, "what", ("norms", "plane")) == "plane"
    if plane and not (rows == 2 or (rows == 3 and network.bias)):
        raise InvalidInputError(
            f"`what='plane'` needs a network of two features, or of one with bias, got one of {network.n_features}; "
            "draw `what='norms'`."
        )
    place = place_of(axes, "plot_neurons")
    (_draw_plane if plane else _draw_norms)(place, network)
    add_legend(place, axes)
    return place


def _parts(network: TwoLayerNetwork) -> list[tuple[str, str, Array]]:
    """Name, colour and height of the parts of every bar: by sign, or by output."""
    u, m, c = np.linalg.norm(network.U, axis=0), network.n_neurons, network.n_outputs
    if network.A.shape[1] == 1:
        a = network.A[:, 0]
        return [
            ("positive output weight", POSITIVE, u * np.maximum(a, 0.0)),
            ("negative output weight", NEGATIVE, u * np.maximum(-a, 0.0)),
        ]
    squares = np.sum(network.A.reshape(m, network.A.shape[1] // c, c) ** 2, axis=1)
    size = np.linalg.norm(network.A, axis=1)
    shares = squares * (u / np.where(size > 0.0, size, 1.0))[:, None]
    return [(f"output {k}", f"C{k % 10}", shares[:, k]) for k in range(c)]


def _draw_norms(place: Any, network: TwoLayerNetwork) -> None:
    parts, m = _parts(network), network.n_neurons
    order = np.argsort(-sum(heights for _, _, heights in parts), kind="stable")
    bottom = np.zeros(m)
    for name, colour, heights in parts:
        place.bar(np.arange(1, m + 1), heights[order], 0.8 if m <= 60 else 1.0, bottom, color=colour, label=name)
        bottom += heights[order]
    place.set_ylim(0.0, 1.05 * float(np.max(bottom, initial=0.0)) or 1.0)
    place.xaxis.get_major_locator().set_params(integer=True)
    place.set_xlabel("neuron, by falling cost")
    place.set_ylabel(r"$\|u_j\| \|\alpha_j\|$")


def _draw_plane(place: Any, network: TwoLayerNetwork) -> None:
    W = (network.U * np.linalg.norm(network.A, axis=1))[:2]
    one = network.A.shape[1] == 1
    signs = np.sign(network.A[:, 0]) if one else np.ones(network.n_neurons)
    for sign, colour, name in ((1.0, POSITIVE, "positive"), (-1.0, NEGATIVE, "negative")):
        x, y = W[:, signs == sign]
        if len(x):
            start = np.zeros_like(x)
            label = f"{name} output weight" if one else None
            place.quiver(
                start, start, x, y, color=colour if one else "0.2", label=label,
                angles="xy", scale_units="xy", scale=1.0, width=0.005,
            )  # fmt: skip
    reach = 1.1 * float(np.max(np.abs(W), initial=0.0)) or 1.0
    place.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    place.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    place.axvline(0.0, color="0.8", linewidth=0.8, zorder=0)
    place.set_xlabel("weight on feature 0" if network.n_features > 1 else "weight on the feature")
    place.set_ylabel("weight on feature 1" if network.n_features > 1 else "hidden bias")
