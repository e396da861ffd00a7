"""Table 1: seconds, objective and test accuracy of the methods of Figs. 2 to 5, the paper's beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .outcome import Check, Grid, Method, Outcome
from .scale import Scale

FIGURES = ("fig2", "fig3", "fig4", "fig5")
OF_FIGURE_2 = "m = 50"  # of the three widths the one at which descent reaches the paper's 0.001


class Entry(NamedTuple):
    """A column of the paper's table: its name there and here, seconds, objective and test accuracy in percent."""

    figure: str
    name: str
    ours: str
    seconds: float
    objective: float
    accuracy: float | None = None


PAPER = (
    Entry("fig2", "SGD", "SGD", 420.663, 0.001),
    Entry("fig2", "Optimal", "Optimal", 1.225, 0.001),
    Entry("fig3", "GD", "SGD", 890.339, 0.0032),
    Entry("fig3", "Approx.", "Approximate", 1.498, 0.0028),
    Entry("fig3", "Optimal", "Optimal", 117.858, 0.0026),
    Entry("fig4", "GD", "SGD", 624.787, 0.0042, 62.75),
    Entry("fig4", "Alg1", "Alg1", 108.065, 0.0022, 66.80),
    Entry("fig4", "Alg2", "Alg2", 5.931, 0.0032, 60.15),
    Entry("fig4", "Alg3", "Alg3", 12.009, 0.0032, 60.20),
    Entry("fig5", "GD", "SGD", 65.365, 0.804),
    Entry("fig5", "L1-Convex", "L1-Convex [14]", 1.404, 0.803),
)
EXACT = {"fig5": "nuclear norm [12]"}  # where the paper's program is not that of the network


def table_1(scale: Scale, found: Mapping[str, Outcome]) -> Outcome:
    """From the outcomes of the figures; those that did not run are named."""
    ran = [name for name in FIGURES if name in found]
    return Outcome(
        "Seconds, objectives and accuracies",
        {"quick": scale.quick},
        (
            "Objectives, accuracies and seconds are means over the trials; the trials of descent run together and "
            "share their seconds. The search for a step size is not in them, nor is in those of Alg1 the descent that "
            "gave it patterns.",
            "Seconds can be compared between methods of one machine only. The paper's objectives are of other data in "
            "the plane, another choice of images and another penalty.",
            f"Fig. 2 has three widths; its column of descent here is that of {OF_FIGURE_2}.",
        ),
        {},
        tuple(check for name in ran for check in _checks(name, _methods(found[name]))),
        missing=tuple(f"{name} did not run, so its columns are missing." for name in FIGURES if name not in found),
        grids=(_grid(found),),
    )


def _methods(outcome: Outcome) -> dict[str, Method]:
    problems = outcome.methods
    chosen = problems.get(OF_FIGURE_2) or next(iter(problems.values()))
    return {method.name: method for method in chosen}


def _seconds(method: Method) -> float:
    return method.seconds / len(method.objectives)


def _label(figure: str) -> str:
    return figure.replace("fig", "Fig. ")


def _grid(found: Mapping[str, Outcome]) -> Grid:
    rows = []
    for entry in PAPER:
        one = _methods(found[entry.figure]).get(entry.ours) if entry.figure in found else None
        rows.append((
            _label(entry.figure), entry.name,
            f"{entry.seconds:g}", "" if one is None else f"{_seconds(one):.3g}",
            f"{entry.objective:g}", "" if one is None else f"{np.mean(one.objectives):.4g}",
            "" if entry.accuracy is None else f"{entry.accuracy:.2f}",
            "" if one is None or one.score is None else f"{100.0 * one.score:.2f}",
        ))  # fmt: skip
    return Grid(
        ("Figure", "Method", "Time (s), paper", "here", "Train. objective, paper", "here", "Test accuracy (%), paper",
         "here"),
        tuple(rows),
    )  # fmt: skip


def _checks(figure: str, methods: dict[str, Method]) -> tuple[Check, ...]:
    """Of every convex program in the columns of a figure: lower than descent in less time."""
    descent = methods["SGD"]
    level = float(np.mean(descent.objectives))
    result = []
    for entry in PAPER:
        if entry.figure != figure or entry.ours in ("SGD", "Alg2", "Alg3"):
            continue
        name = EXACT.get(figure, entry.ours)
        convex = methods[name]
        value = float(np.mean(convex.objectives))
        result.append(
            Check(
                f"Table 1, {_label(figure)}; A.1",
                f"{entry.name} outperforms descent and takes less time.",
                f"{entry.objective:g} in {entry.seconds:g} s; {_descent(figure)}",
                f"{name} {value:.4g} in {_seconds(convex):.3g} s; SGD {level:.4g} in {_seconds(descent):.3g} s",
                value <= level and _seconds(convex) < _seconds(descent),
                _why(value <= level, _seconds(convex) < _seconds(descent)),
            )
        )
    return tuple(result)


def _why(lower: bool, faster: bool) -> str:
    if not lower:
        return "The mean over the trials is above descent's."
    return "Lower" + (
        " and faster." if faster else ", but not faster here, where the trials of descent share their products."
    )


def _descent(figure: str) -> str:
    entry = next(one for one in PAPER if one.figure == figure)
    return f"{entry.name} {entry.objective:g} in {entry.seconds:g} s"
