"""Pictures of the results: performance profiles, and how far above the best known everyone is over time."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from profiles import TARGETS, profile
from report import FACTORS, KINDS, times_by_tool, traces_of
from systems import OURS, SYSTEMS

FLOOR = 1e-6  # excess below which curves are drawn as that
WIDE = 4  # panels in a row

TOOLS = list(dict.fromkeys(system.tool for system in SYSTEMS))


def style(tool: str) -> dict[str, Any]:
    """Ours black and thick, everyone else a colour of their own, the same in all panels."""
    if tool == OURS:
        return {"color": "black", "linewidth": 2.2, "zorder": 3}
    return {"color": f"C{TOOLS.index(tool)}", "linewidth": 1.3, "linestyle": "-" if TOOLS.index(tool) % 2 else "--"}


def draw(results: dict[str, Any], path: Path) -> None:
    """`path` gets the profiles, a second file beside it the traces."""
    save(profiles(results["problems"]), path)
    save(traces(results["problems"]), path.with_name(f"{path.stem}-traces.png"))


def save(figure: Figure, path: Path) -> None:
    part = path.with_name(f".{path.name}.part")
    figure.savefig(part, format="png", dpi=110)
    part.replace(path)


def profiles(problems: list[dict[str, Any]]) -> Figure:
    rows = [(title, [p for p in problems if p["kind"] in kinds]) for title, kinds in KINDS]
    rows = [(title, chosen) for title, chosen in rows if chosen]
    figure = Figure(figsize=(12, 3.4 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), len(TARGETS), squeeze=False)
    for axes, (title, chosen) in zip(grid, rows, strict=True):
        for axis, target in zip(axes, TARGETS, strict=True):
            for tool, shares in profile(times_by_tool(chosen, target), FACTORS).items():
                axis.step(FACTORS, shares, where="post", label=tool, **style(tool))
            axis.set(xscale="log", ylim=(-0.02, 1.02), title=f"{title}, within {100 * target:g} % of the best known")
        axes[0].set_ylabel(f"share of {len(chosen)} problems")
        axes[-1].legend(fontsize="x-small", loc="center right")
    for axis in grid[-1]:
        axis.set_xlabel("time over that of the fastest tool")
    return figure


def traces(problems: list[dict[str, Any]]) -> Figure:
    height = -(-len(problems) // WIDE)
    figure = Figure(figsize=(4.0 * WIDE, 3.0 * height + 0.8), layout="constrained")
    axes = figure.subplots(height, WIDE, squeeze=False).ravel()
    shown: dict[str, Any] = {}
    for axis, problem in zip(axes, problems, strict=False):
        trace(axis, problem, shown)
    for axis in axes[len(problems) :]:
        axis.axis("off")
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=5, fontsize="small")
    return figure


def trace(axis: Axes, problem: dict[str, Any], shown: dict[str, Any]) -> None:
    for tool, points in traces_of(problem).items():
        if points:
            seconds, excess = np.array(points).T
            options = {"where": "post", "marker": "o", "markersize": 2.5, **style(tool)}
            (line,) = axis.step(
                np.append(seconds, 1.5 * seconds[-1]), np.append(excess, excess[-1]).clip(FLOOR), **options
            )
            shown.setdefault(tool, line)
    axis.set(xscale="log", yscale="log", ylim=(0.7 * FLOOR, 3.0))
    axis.set_title(f"{problem['family']}: {problem['name']}", fontsize="small")
    axis.set_ylabel("above the best known", fontsize="x-small")
    axis.set_xlabel("seconds", fontsize="x-small")
    for target in TARGETS:
        axis.axhline(target, color="0.85", linewidth=0.7, zorder=0)
