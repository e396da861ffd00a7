"""The relative gap over the seconds of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..certificate import Certificate
from ..errors import InvalidInputError, wrong_kind
from ..solvers.solution import Solution
from ._axes import add_legend, place_of
from ._bounds import (
    SMALLEST,
    bounds_over_time,
    gaps,
    label_seconds,
    line_style,
    proven_style,
    proves_less,
    scope_of,
)


def plot_certificate(solutions: Any, *, labels: Sequence[str] | None = None, axes: Any = None) -> Any:
    r"""Draw the relative gap, (upper - lower) / upper, over the seconds of one or several runs, on a log scale.

    Parameters
    ----------
    solutions : Solution, Certificate or sequence of these
        A certificate alone has no history and is a level line.
    labels : sequence of str, optional
        Names for the legend, which adds the scope.
    axes : matplotlib.axes.Axes, optional
        Where to draw, by default in a new figure; returned in any case.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For other objects, none of them, labels of another number, or several axes; without Matplotlib.

    Notes
    -----
    Lines are solid for "exact" and "bounded", dash-dotted for "patterns" and dashed for "estimated", which is no
    proof, and for what a model file states. Where more is estimated than proven, a thin level line of the same colour
    is the gap that is proven for every network. The last point is the certificate; before it none is taken to be
    better, as in `plot_training`. A gap below 2.2e-16 is drawn there.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> runs = [ng.train(problem), ng.train(problem, prove=False)]
    >>> axes = ng.plot_certificate(runs, labels=["proven", "searched"])  # doctest: +SKIP
    >>> [text.get_text() for text in axes.get_legend().get_texts()]  # doctest: +SKIP
    ['proven (exact)', 'searched (estimated)', 'searched (proven)']
    """
    known = [solutions] if isinstance(solutions, Solution | Certificate) else _listed(solutions)
    names = _names(known) if labels is None else [str(label) for label in labels]
    if len(names) != len(known):
        raise InvalidInputError(f"`labels` must have one entry per solution ({len(known)}), got {len(names)}.")
    place = place_of(axes, "plot_certificate")
    for k, (item, name) in enumerate(zip(known, names, strict=True)):
        certificate = item.certificate if isinstance(item, Solution) else item
        style: dict[str, Any] = {
            "color": f"C{k % 10}",
            "linestyle": line_style(certificate),
            "linewidth": 1.5,
            "label": f"{name} ({scope_of(certificate)})",
        }
        if isinstance(item, Solution):
            seconds, upper, lower = bounds_over_time(item)
            place.plot(seconds, gaps(upper, lower), drawstyle="steps-post", marker=".", markersize=4, **style)
        else:
            place.axhline(max(certificate.gap, SMALLEST), **style)
        if proves_less(certificate):
            level = {**style, **proven_style(certificate), "label": f"{name} (proven)"}
            place.axhline(max(certificate.proven_gap, SMALLEST), **level)
    place.set_yscale("log")
    label_seconds(place)
    place.set_ylabel("relative gap")
    add_legend(place, axes)
    return place


def _listed(solutions: Any) -> list[Any]:
    allowed = "a Solution, a Certificate or a sequence of these"
    if not isinstance(solutions, Sequence) or isinstance(solutions, str):
        raise wrong_kind("solutions", allowed, solutions, "solution_", "solutions")
    for item in solutions:
        if not isinstance(item, Solution | Certificate):
            raise wrong_kind("solutions", allowed, item, "solution_", "solutions")
    if not solutions:
        raise InvalidInputError(f"`solutions` must be {allowed}, got an empty one.")
    return list(solutions)


def _names(known: list[Any]) -> list[str]:
    number = [f" {k}" for k in range(1, len(known) + 1)] if len(known) > 1 else [""]
    return [
        f"{'solution' if isinstance(item, Solution) else 'certificate'}{n}"
        for item, n in zip(known, number, strict=True)
    ]
