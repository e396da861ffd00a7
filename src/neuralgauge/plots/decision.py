"""A network of two features: its outputs over the plane of the features, with samples and decision boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array, as_matrix, as_vector, with_ones
from ..errors import InvalidInputError, wrong_kind
from ..networks.conv import ReLUConvNetwork
from ..networks.dense import TwoLayerNetwork
from ._axes import NEGATIVE, POSITIVE, add_legend, place_of

MARGIN = 0.08  # around the samples, of their range
TINT = 0.25  # strength of a class's colour where it is predicted


def plot_decision_boundary(
    network: TwoLayerNetwork, X: Any, y: Any, *, arrangement: bool = True, resolution: int = 300, axes: Any = None
) -> Any:
    r"""Draw what a network of two features predicts around samples, and the lines on which its neurons become active.

    The values of y decide what is drawn. Two different ones with one output: classes, the first where f(x) <= 0, the
    second where f(x) > 0. Several outputs: a class for each, the one of the largest output. Otherwise y is a number to
    predict, and levels of f are drawn. The boundary between classes is f(x) = 0, or where the two largest outputs are
    equal.

    Parameters
    ----------
    network : TwoLayerNetwork
        Of an estimator the `network_`, of a solution the `network`.
    X : array of shape (n, 2)
        Samples. For a network without bias also (n, 3) with a last column of ones, like the design matrix.
    y : array of shape (n,) or (n, c)
        Labels of any type, of which the sorted k-th is the class of output k; rows whose largest entry is the class;
        or numbers.
    arrangement : bool
        Whether to draw the line :math:`x^T u_j = 0` of each neuron. f is linear in the regions between them. (The
        other arrangement, of the hyperplanes :math:`x_i^T u = 0` of the samples, whose regions are the activation
        patterns, is in the space of weights.)
    resolution : int
        Points a side of the grid on which f is evaluated, >= 2.
    axes : matplotlib.axes.Axes, optional
        Where to draw, by default in a new figure, for numbers with a colour bar; returned in any case.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For another kind of network, other than two features, or labels that do not fit the outputs; without Matplotlib.

    Notes
    -----
    The boundary is interpolated linearly between the points of the grid: exact but in squares that a neuron's line
    crosses. Where f is zero all over a region, its edge is drawn if f is positive beyond it.
    Cost O(m) for each of resolution^2 points.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0], [1.0], [0.0]], [1.0], offset=-1.0)  # (x_1 + x_2)_+ - 1
    >>> X, y = [[0.0, 0.0], [2.0, 1.0]], ["no", "yes"]
    >>> axes = ng.plot_decision_boundary(network, X, y)  # doctest: +SKIP
    >>> [text.get_text() for text in axes.get_legend().get_texts()]  # doctest: +SKIP
    ['no', 'yes', 'f(x) = 0', 'neurons']
    """
    if isinstance(network, ReLUConvNetwork) or not isinstance(network, TwoLayerNetwork):
        raise wrong_kind("network", "a TwoLayerNetwork of two features", network, "network_", "network")
    if resolution < 2:
        raise InvalidInputError(f"`resolution` must be >= 2, got {resolution}.")
    samples = _samples(network, X)
    classes = _classes(network, y, len(samples))
    values = as_vector(y, len(samples)) if classes is None else np.zeros(0)
    place = place_of(axes, "plot_decision_boundary", (6.0, 4.8))
    plane = _Plane.around(network, samples, resolution)
    if classes is None:
        shown = _draw_values(place, plane, samples, values)
        if axes is None:
            place.figure.colorbar(shown, ax=place, label="f(x)")
    else:
        _draw_classes(place, plane, samples, *classes)
    if arrangement:
        _draw_arrangement(place, plane, network)
    (left, right), (bottom, top) = plane.x[[0, -1]], plane.y[[0, -1]]
    place.set(xlim=(left, right), ylim=(bottom, top), xlabel="feature 0", ylabel="feature 1")
    add_legend(place, axes)
    return place


@dataclass(frozen=True)
class _Plane:
    """Outputs f (resolution, resolution, c), first index up, on the grid x by y."""

    x: Array
    y: Array
    f: Array

    @classmethod
    def around(cls, network: TwoLayerNetwork, samples: Array, resolution: int) -> _Plane:
        low, high = samples.min(axis=0), samples.max(axis=0)
        margin = MARGIN * np.where(high > low, high - low, 1.0)
        x, y = np.linspace(low - margin, high + margin, resolution).T
        points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        f = network.forward(with_ones(points) if network.U.shape[0] == 3 else points)
        return cls(x, y, f.reshape(resolution, resolution, network.n_outputs))

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Edges of the pixels whose centres are the points."""
        dx, dy = 0.5 * (self.x[1] - self.x[0]), 0.5 * (self.y[1] - self.y[0])
        return self.x[0] - dx, self.x[-1] + dx, self.y[0] - dy, self.y[-1] + dy


def _samples(network: TwoLayerNetwork, X: Any) -> Array:
    """The two features, (n, 2)."""
    features = as_matrix(X)
    if features.shape[1] != network.n_features:
        raise InvalidInputError(
            f"`X` must have {network.n_features} columns for this network, got {features.shape[1]}."
        )
    ones = not network.bias and features.shape[1] == 3 and bool(np.all(features[:, 2] == 1.0))
    if features.shape[1] != 2 and not ones:
        raise InvalidInputError(
            f"`X` must have two features to be drawn in a plane, got {features.shape[1]}; train on two of them."
        )
    return features[:, :2]


def _classes(network: TwoLayerNetwork, y: Any, n: int) -> tuple[list[str], npt.NDArray[np.intp]] | None:
    """Names of the classes and that of each sample, or None for numbers to predict."""
    targets, c = np.asarray(y), network.n_outputs
    if targets.shape[:1] != (n,) or targets.ndim > 2:
        raise InvalidInputError(f"`y` must have one entry or row per row of X ({n}), got shape {targets.shape}.")
    if c > 1 and targets.shape == (n, c):
        return [str(k) for k in range(c)], np.argmax(targets, axis=1)
    labels, index = np.unique(targets.ravel(), return_inverse=True)
    if len(index) == n and len(labels) == max(c, 2):
        return [str(label) for label in labels.tolist()], index.astype(np.intp)
    if len(index) == n and c == 1 and targets.dtype.kind in "biuf":
        return None
    allowed = "numbers or labels of two classes" if c == 1 else f"labels of {c} classes or of shape (n, {c})"
    raise InvalidInputError(
        f"`y` must hold {allowed} for a network of {c} output{'s' if c > 1 else ''}, got {len(labels)} different "
        f"values of shape {targets.shape}; draw single outputs with `network.output(k)`."
    )


def _draw_classes(place: Any, plane: _Plane, samples: Array, names: list[str], index: npt.NDArray[np.intp]) -> None:
    from matplotlib.colors import to_rgb

    f = plane.f if plane.f.shape[2] > 1 else np.concatenate([np.zeros_like(plane.f), plane.f], axis=2)
    palette = [NEGATIVE, POSITIVE] if len(names) == 2 else [f"C{k % 10}" for k in range(len(names))]
    colours = np.array([to_rgb(colour) for colour in palette])
    tints = 1.0 - TINT * (1.0 - colours)
    best = np.argmax(f, axis=2)
    place.imshow(tints[best], extent=plane.extent, origin="lower", aspect="auto", interpolation="nearest", zorder=0)
    for k, name in enumerate(names):
        x, y = samples[index == k].T
        place.scatter(x, y, s=22, color=[colours[k]], edgecolors="white", linewidths=0.6, label=name, zorder=3)
    for k in range(1 if len(names) == 2 else 0, len(names)):
        margin = f[:, :, k] - np.max(np.delete(f, k, axis=2), axis=2)
        if margin.min() <= 0.0 < margin.max():
            place.contour(plane.x, plane.y, margin, levels=[0.0], colors="black", linewidths=1.6, zorder=2)
    if np.any(best != best[0, 0]):
        name = "f(x) = 0" if plane.f.shape[2] == 1 else "boundary"
        place.plot([], [], color="black", linewidth=1.6, label=name)


def _draw_values(place: Any, plane: _Plane, samples: Array, y: Array) -> Any:
    f = plane.f[:, :, 0]
    scale = {"cmap": "viridis", "vmin": min(f.min(), y.min()), "vmax": max(f.max(), y.max())}
    shown = place.imshow(f, extent=plane.extent, origin="lower", aspect="auto", zorder=0, **scale)
    place.scatter(*samples.T, c=y, s=22, edgecolors="white", linewidths=0.6, label="samples", zorder=3, **scale)
    if f.min() < f.max():
        place.contour(plane.x, plane.y, f, levels=10, colors="white", linewidths=0.6, linestyles="solid", zorder=1)
    return shown


def _draw_arrangement(place: Any, plane: _Plane, network: TwoLayerNetwork) -> None:
    """The lines normal^T x + shift = 0, as far as they meet the plane."""
    from matplotlib.collections import LineCollection

    normals, shifts = network.U[:2].T, network.U[2] if network.U.shape[0] == 3 else np.zeros(network.n_neurons)
    length = np.linalg.norm(normals, axis=1)
    turning = length > 0.0  # the others are constant
    normals, shifts = normals[turning] / length[turning, None], shifts[turning] / length[turning]
    centre = np.array([plane.x[[0, -1]].mean(), plane.y[[0, -1]].mean()])
    radius = 0.5 * float(np.hypot(plane.x[-1] - plane.x[0], plane.y[-1] - plane.y[0]))
    distance = normals @ centre + shifts
    near = np.abs(distance) < radius
    feet = centre - distance[near, None] * normals[near]
    along = radius * normals[near][:, ::-1] * [1.0, -1.0]
    segments = np.stack([feet - along, feet + along], axis=1)
    label = "neurons" if len(segments) else None
    lines = LineCollection(list(segments), colors="0.25", linewidths=0.7, alpha=0.7, label=label, zorder=1)
    place.add_collection(lines, autolim=False)
