"""Draw docs/benchmarks.svg: the seconds of every tool beside ours, from the tables of benchmarks/peers/measured.md."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
LIMIT = 10.0  # seconds of the runs
FAMILIES = {
    "gated": ("cones", "gated", "patterns"),
    "training": ("tables", "uci", "path", "rows", "columns"),
}
TITLES = {"gated": "the convex program over given patterns", "training": "the training objective"}
NAMES = {"— the best of them alone": "the best run of a sweep alone"}
MARKS = "osD^vP*X"


def seconds(cell):
    """The seconds in a cell, or None: the tool did not get there."""
    return float(cell) if re.fullmatch(r"[\d.]+", cell) else None


def fastest():
    """(family, problem) to tool to the least seconds to 0.1 % above the best, over the tool's settings."""
    found, family, problem = {}, "", ""
    for line in (ROOT / "benchmarks" / "peers" / "measured.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("### "):
            family = line[4:].split(":")[0]
        elif line.startswith("**"):
            problem = line.split("**")[1]
        elif line.startswith("| ") and not line.startswith("| |"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            tool, time = cells[0].split(",")[0], seconds(cells[5])
            tools = found.setdefault((family, problem), {})
            tools[tool] = min(filter(None, (tools.get(tool), time)), default=None)
    return found


def draw(place, problems):
    """One point a problem and tool: our seconds across, the tool's upwards; at the rims what never arrived."""
    peers = sorted({tool for tools in problems.values() for tool in tools} - {"neuralgauge"})
    never = 3 * LIMIT
    for k, peer in enumerate(peers):
        pairs = [
            (tools["neuralgauge"] or never, tools[peer] or never)
            for tools in problems.values()
            if peer in tools and (tools["neuralgauge"] or tools[peer])
        ]
        place.plot(
            [ours for ours, _ in pairs],
            [theirs for _, theirs in pairs],
            MARKS[k % len(MARKS)],
            color=f"C{k}",
            alpha=0.75,
            label=f"{NAMES.get(peer, peer)}: {sum(theirs < ours for ours, theirs in pairs)} of {len(pairs)} faster",
        )
    place.plot([0.02, never], [0.02, never], color="0.5", lw=1)
    place.axhline(never, color="0.8", lw=0.8, zorder=0)
    place.axvline(never, color="0.8", lw=0.8, zorder=0)
    place.set(xscale="log", yscale="log", xlabel="seconds of neuralgauge", ylabel="seconds of the tool")
    place.legend(frameon=False, fontsize=8, loc="lower right")


plt.switch_backend("Agg")
plt.rcParams["svg.hashsalt"] = "neuralgauge"
figure, places = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
found = fastest()
for place, (kind, families) in zip(places, FAMILIES.items(), strict=True):
    draw(place, {problem: tools for problem, tools in found.items() if problem[0] in families})
    place.set_title(TITLES[kind], fontsize=10)
plt.savefig(ROOT / "docs" / "benchmarks.svg", metadata={"Date": None}, facecolor="white")
