"""Figures of the experiments, drawn as the paper draws them, with the lower bound as a line."""

from __future__ import annotations

import io
import math
from typing import Any

import neuralgauge as ng

from .outcome import Curve, Outcome, Panel, Plane

PANEL = (4.2, 3.4)  # inches
COLUMNS = 3
MARKERS = "osD^vPX*<>"  # of rows of points, one after the other
ENTRIES = 6  # of a legend that still has room inside
DODGE = 0.5  # of the distance of two trials, over which their points are spread side by side
LOOKS: dict[str, dict[str, Any]] = {
    "trial": {"color": "tab:blue", "linewidth": 1.0, "alpha": 0.6},
    "points": {"linestyle": "none", "markersize": 6},
    "program": {"color": "tab:orange", "linewidth": 1.6, "linestyle": "--"},
    "approximate": {"color": "tab:green", "linewidth": 1.6, "linestyle": "-."},
    "found": {"color": "tab:red", "linewidth": 1.6},
    "bound": {"color": "black", "linewidth": 1.2, "linestyle": ":"},
}


def figure_of(outcome: Outcome) -> Any:
    """A Matplotlib figure of all panels; nothing of pyplot is left behind."""
    from matplotlib.figure import Figure

    columns = 2 if len(outcome.panels) == 4 else min(COLUMNS, len(outcome.panels))
    rows = math.ceil(len(outcome.panels) / columns)
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows), layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, panel in zip(places, outcome.panels, strict=False):
        if isinstance(panel, Plane):
            ng.plot_decision_boundary(panel.network, panel.X, panel.y, axes=place)
            place.set_title(panel.title, fontsize=10)
            place.legend(fontsize=7)
        else:
            _draw(place, panel)
    for place in places[len(outcome.panels) :]:
        place.set_axis_off()
    return figure


def images_of(outcome: Outcome) -> dict[str, bytes]:
    """The figure as "png" and "svg"."""
    figure = figure_of(outcome)
    result = {}
    for kind in ("png", "svg"):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
        result[kind] = buffer.getvalue()
    return result


def _draw(place: Any, panel: Panel) -> None:
    _draw_points(place, [curve for curve in panel.curves if curve.kind == "points"])
    labelled: set[str] = set()
    for curve in panel.curves:
        if curve.kind != "points":
            label = "_nolegend_" if curve.label in labelled else curve.label  # one entry for all trials
            labelled.add(curve.label)
            place.plot(curve.x, curve.y, label=label, **LOOKS[curve.kind])
    for label, value, kind in panel.levels:
        place.axhline(value, label=label, **LOOKS[kind])
    if panel.log[0]:
        place.set_xscale("log")
    if panel.log[1]:
        place.set_yscale("log")
    place.set_title(panel.title, fontsize=10)
    place.set_xlabel(panel.x_label)
    place.set_ylabel(panel.y_label)
    place.grid(alpha=0.25)
    if panel.curves or panel.levels:
        beside = (
            {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
            if len(place.get_legend_handles_labels()[1]) > ENTRIES
            else {}
        )
        place.legend(fontsize=7, **beside)


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
