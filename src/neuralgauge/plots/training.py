"""The objective and its lower bound over the seconds of a run, and the gap between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..certificate import Certificate
from ..errors import wrong_kind
from ..solvers.solution import Solution
from ._axes import add_legend, place_of
from ._bounds import (
    LINE_STYLES,
    SMALLEST,
    bounds_over_time,
    gaps,
    label_seconds,
    proven_style,
    proves_less,
    scope_of,
)

WIDE = 10.0  # ratio of the largest to the smallest value from which the axis is logarithmic
STEPS: dict[str, Any] = {"drawstyle": "steps-post", "marker": ".", "markersize": 4, "linewidth": 1.5}


def plot_training(solution: Solution[Any], *, axes: Any = None) -> Any:
    r"""Draw the objective and the lower bound over the seconds of a run, and below them the relative gap.

    The optimum lies in the shaded part if the bound holds; the legend names the scope of the certificate. The bound is
    a solid line for "exact" and "bounded", dash-dotted for "patterns" and dashed for "estimated", which is no proof.
    What is proven for every network besides is a thin level line, where it is above 0. The gap, (upper - lower) /
    upper, has a log axis, on which its fall is seen after the two lines have met.

    Parameters
    ----------
    solution : Solution
        Of `train` or any other solver; of an estimator the `solution_`.
    axes : matplotlib.axes.Axes, optional
        Where to draw the objective and the bound alone; `plot_certificate` draws the gap in others. By default a new
        figure with both is made, ``axes.figure.axes[1]`` has the gap. Returned are the axes of the objective.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For anything but a solution, or several axes; without Matplotlib.

    Notes
    -----
    Steps through ``solution.history``, with the certificate at the end. Bounds before the last are not proven: where
    one lies above that of the certificate, the latter is drawn, so that its scope holds for the whole line. Bounds that
    are not finite are left out. The axis is logarithmic where all values are positive and the largest is more than ten
    times the smallest.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> axes = ng.plot_training(ng.train(problem))  # doctest: +SKIP
    >>> [line.get_label() for line in axes.get_lines()]  # doctest: +SKIP
    ['objective', 'lower bound (exact)']
    """
    if not isinstance(solution, Solution):
        raise wrong_kind("solution", "a Solution", solution, "solution_")
    seconds, upper, lower = bounds_over_time(solution)
    certificate = solution.certificate
    place = place_of(axes, "plot_training", (6.0, 5.2))
    place.plot(seconds, upper, color="C0", label="objective", **STEPS)
    style = LINE_STYLES[certificate.scope]
    place.plot(seconds, lower, style, color="C1", label=f"lower bound ({scope_of(certificate)})", **STEPS)
    if proves_less(certificate) and certificate.proven > 0.0:
        label = f"proven, gap {certificate.proven_gap:.1e}"
        place.axhline(certificate.proven, color="C2", label=label, **proven_style(certificate))
    gap = f"gap, at the end {certificate.gap:.1e}"
    place.fill_between(seconds, lower, upper, step="post", color="0.5", alpha=0.2, linewidth=0, label=gap)
    if np.nanmin(lower, initial=np.inf) > 0.0 and np.nanmax(upper) > WIDE * np.nanmin(lower):
        place.set_yscale("log")
    label_seconds(place)
    place.set_ylabel("training objective")
    add_legend(place, axes, above=True)
    if axes is None:
        _draw_gap(place, certificate, seconds, gaps(upper, lower))
    return place


def _draw_gap(place: Any, certificate: Certificate, seconds: Array, gap: Array) -> None:
    """The gap in axes below, over the same seconds."""
    grid = place.figure.add_gridspec(2, 1, height_ratios=(2, 1))
    place.set_subplotspec(grid[0])
    below = place.figure.add_subplot(grid[1], sharex=place)
    below.plot(seconds, gap, LINE_STYLES[certificate.scope], color="0.3", **STEPS)
    if proves_less(certificate) and certificate.proven > 0.0:
        below.axhline(max(certificate.proven_gap, SMALLEST), color="C2", **proven_style(certificate))
    below.set_yscale("log")
    below.set_ylabel("relative gap")
    below.set_xlabel(place.get_xlabel())
    place.set_xlabel("")
    place.tick_params(labelbottom=False)
