"""Error against neurons: the networks of a width front, and the Pareto front among them."""

from __future__ import annotations

from typing import Any

from ..certificate import STRONGEST_FIRST
from ..errors import wrong_kind
from ..training.width_front import Measure, WidthFront
from ._axes import add_legend, place_of
from ._bounds import LINE_STYLES

LABELS = {"objective": "training objective", "train_error": "training error", "validation_error": "validation error"}


def plot_width_front(front: WidthFront, *, of: Measure | None = None, axes: Any = None) -> Any:
    """Draw error against neurons: a point for each network, and the Pareto front as steps.

    Parameters
    ----------
    front : WidthFront
        What `width_front` returns.
    of : {"objective", "train_error", "validation_error"}, optional
        What to draw; by default as in `WidthFront.pareto`. With the objective the lower bound of networks of every
        width is drawn too, and the legend names its scope.
    axes : matplotlib.axes.Axes, optional
        Where to draw, by default in a new figure; returned in any case.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For anything but a front, an error that it does not have, or several axes; without Matplotlib.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> axes = ng.plot_width_front(ng.width_front(ng.train(problem), problem))  # doctest: +SKIP
    >>> [line.get_label() for line in axes.get_lines()]  # doctest: +SKIP
    ['best found', 'lower bound of every width (exact)']
    """
    if not isinstance(front, WidthFront):
        raise wrong_kind("front", "a WidthFront, which `width_front` returns", front)
    name = front.measure(of)
    place = place_of(axes, "plot_width_front")
    best = front.pareto(name)
    others = [point for point in front.points if not any(point is one for one in best)]
    if others:
        heights = [getattr(point, name) for point in others]
        place.scatter([point.n_neurons for point in others], heights, s=9.0, color="0.7", label="other networks")
    heights = [getattr(point, name) for point in best]
    place.plot([point.n_neurons for point in best], heights, "o-", drawstyle="steps-post", ms=4.0, label="best found")
    if name == "objective":
        scope = max((point.certificate.scope for point in best), key=STRONGEST_FIRST.index)
        lower = min(point.certificate.lower for point in best)
        place.axhline(lower, color="C1", ls=LINE_STYLES[scope], label=f"lower bound of every width ({scope})")
    place.xaxis.get_major_locator().set_params(integer=True)
    place.set(xlabel="neurons", ylabel=LABELS[name])
    add_legend(place, axes)
    return place
