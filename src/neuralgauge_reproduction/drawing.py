"""Figures of the experiments, drawn as the paper draws them, with the lower bound as a line."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import neuralgauge as ng

from .outcome import Curve, Matrix, Outcome, Panel, Plane

PANEL = (4.2, 3.4)  # inches
COLUMNS = 3
MARKERS = "osD^vPX*<>"  # of rows of points, one after the other
ENTRIES = 6  # of a legend that still has room inside
LEAST_SPAN = 0.01  # of an axis, in its largest value: five ticks on less than that would differ in their fifth digit
DECADES = 30.0  # from which a logarithmic axis has two powers of ten or more to name
MARK_COLORS = ("tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:red")
DODGE = 0.5  # of the distance of two trials, over which their points are spread side by side
LOOKS: dict[str, dict[str, Any]] = {
    "trial": {"color": "tab:blue", "linewidth": 1.0, "alpha": 0.6},
    "points": {"linestyle": "none", "markersize": 6},
    "marks": {"linestyle": "none", "marker": "x", "markersize": 6, "markeredgewidth": 1.5},
    "program": {"color": "tab:orange", "linewidth": 1.6, "linestyle": "--"},
    "approximate": {"color": "tab:green", "linewidth": 1.6, "linestyle": "-."},
    "found": {"color": "tab:red", "linewidth": 1.6},
    "bound": {"color": "black", "linewidth": 1.2, "linestyle": ":"},
}


def figure_of(panels: Sequence[Panel | Plane | Matrix]) -> Any:
    """A Matplotlib figure of the panels; nothing of pyplot is left behind."""
    from matplotlib.figure import Figure

    columns = 2 if len(panels) == 4 else min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows), layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, panel in zip(places, panels, strict=False):
        if isinstance(panel, Plane):
            ng.plot_decision_boundary(panel.network, panel.X, panel.y, axes=place)
            place.legend(fontsize=8)
        elif isinstance(panel, Matrix):
            _draw_matrix(figure, place, panel)
        else:
            _draw(place, panel)
        place.set_title(panel.title, fontsize=10)
    for place in places[len(panels) :]:
        place.set_axis_off()
    return figure


def images_of(outcome: Outcome) -> dict[str, bytes]:
    """All panels side by side as "png" and "svg"; nothing where there are none."""
    if not outcome.panels:
        return {}
    figure = figure_of(outcome.panels)
    return {"png": _saved(figure, "png"), "svg": _saved(figure, "svg")}


def panels_of(outcome: Outcome) -> list[bytes]:
    """Each panel as an SVG of its own."""
    return [_saved(figure_of((panel,)), "svg") for panel in outcome.panels]


def _saved(figure: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _draw(place: Any, panel: Panel) -> None:
    _draw_points(place, [curve for curve in panel.curves if curve.kind == "points"])
    labelled: set[str] = set()
    marked = list(dict.fromkeys(curve.label for curve in panel.curves if curve.kind == "marks"))
    for curve in panel.curves:
        if curve.kind != "points":
            label = "_nolegend_" if curve.label in labelled else curve.label  # one entry for all trials
            labelled.add(curve.label)
            look = LOOKS[curve.kind]
            if curve.kind == "marks":
                look = {**look, "color": MARK_COLORS[marked.index(curve.label) % len(MARK_COLORS)]}
            place.plot(curve.x, curve.y, label=label, **look)
    for label, value, kind in panel.levels:
        place.axhline(value, label=label, **LOOKS[kind])
    place.set_xlabel(panel.x_label)
    place.set_ylabel(panel.y_label)
    place.grid(alpha=0.25)
    if panel.curves or panel.levels:
        if panel.square:
            place.set_aspect("equal", adjustable="datalim")
        else:
            if panel.log[0]:
                place.set_xscale("log")
                _name_values(place.xaxis, True)
            if panel.log[1]:
                place.set_yscale("log")
            _name_values(place.yaxis, panel.log[1])
        points = any(curve.kind in ("points", "marks") for curve in panel.curves)  # which a legend would hide
        if points or len(place.get_legend_handles_labels()[1]) > ENTRIES:
            place.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
        else:
            place.legend(fontsize=8)


def _name_values(axis: Any, log: bool) -> None:
    """Ticks that differ: where a logarithmic axis would repeat its digits or crowd its names, five round numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    if high - low < LEAST_SPAN * max(abs(low), abs(high)):
        middle, half = 0.5 * (low + high), 0.5 * LEAST_SPAN * max(abs(low), abs(high))
        low, high = middle - half, middle + half
        axis.set_view_interval(low, high, ignore=True)
    if not log or high < DECADES * low:
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.5g}"))


def _draw_matrix(figure: Any, place: Any, panel: Matrix) -> None:
    from matplotlib.ticker import MaxNLocator

    image = place.imshow(panel.values, vmin=0.0, vmax=panel.most, cmap="viridis", aspect="auto", interpolation="none")
    figure.colorbar(image, ax=place)
    for axis in (place.xaxis, place.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    place.set_xlabel(panel.x_label)
    place.set_ylabel(panel.y_label)


def _draw_points(place: Any, curves: list[Curve]) -> None:
    """Rows of points side by side, over their numbers or names."""
    positions = list(dict.fromkeys(x for curve in curves for x in curve.x))
    for k, curve in enumerate(curves):
        shift = DODGE * ((k + 0.5) / len(curves) - 0.5)
        x = [positions.index(one) + shift for one in curve.x]
        place.plot(x, curve.y, label=curve.label, marker=MARKERS[k % len(MARKERS)], **LOOKS["points"])
    if curves:
        named = isinstance(positions[0], str)
        place.set_xticks(
            range(len(positions)), [str(one) for one in positions], rotation=30 if named else 0,
            ha="right" if named else "center", fontsize=8,
        )  # fmt: skip
