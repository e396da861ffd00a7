"""Results of run.py as JSON, Markdown tables and a picture."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from problems import FAMILIES
from profiles import TARGETS, best_so_far, lead, profile
from systems import OURS

FACTORS = np.geomspace(1.0, 1e4, 200)
KINDS = (("programs", ("relu", "gated")), ("training", ("training", "path")))
SHOWN = (1.0, 2.0, 10.0, 100.0)

Record = dict[str, Any]


def store(path: Path, results: Record) -> None:
    """Write the results whole or not at all."""
    write(path, json.dumps(finite(results), indent=1))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    os.replace(part, path)


def finite(value: Any) -> Any:
    """The value with None for infinities and NaN, which JSON lacks."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def infinite(value: float | None) -> float:
    return np.inf if value is None else value


def make(path: Path) -> Record:
    """Print the tables and write them beside the results; the results."""
    if not path.exists():
        raise SystemExit(f"there are no results in {path.name}")
    results = json.loads(path.read_text())
    text = "\n\n".join(tables(results))
    print(text)
    write(path.with_suffix(".md"), text + "\n")
    return results


# Tables.


def tables(results: Record) -> list[str]:
    conditions = results["conditions"]
    parts = [
        f"{conditions['machine']}, {conditions['cores']} cores, {conditions['threads']} thread(s) each, Python "
        f"{conditions['python']}, {conditions['clock']} seconds, limit {conditions['limit']:g} s, median of up to "
        f"{conditions['repeats']} turns; {conditions.get('minutes', 0.0):.0f} minutes, load average "
        f"{min(conditions['load'], default=0.0):.1f} to {max(conditions['load'], default=0.0):.1f}"
    ]
    for family, meaning in FAMILIES.items():
        problems = [problem for problem in results["problems"] if problem["family"] == family]
        if problems:
            parts.append(f"### {family}: {meaning}")
            parts += [problem_table(problem) for problem in problems]
    return [*parts, "### Who is ahead", lead_table(results["problems"]), *profile_tables(results["problems"])]


def problem_table(problem: Record) -> str:
    many = len(problem["betas"]) > 1
    patterns = f", {problem['patterns']} patterns" if problem["patterns"] else ""
    beta = f"{len(problem['betas'])} betas down to" if many else "beta"
    best, lower = problem["best"], problem["lower"]
    lines = [
        f"**{problem['name']}** (n {problem['n']}, d {problem['d']}{patterns}, {problem['loss']} loss, {beta} "
        f"{problem['betas'][-1]:.4g}"
        + (f"; best known {best[-1]:.6f}, lower bound {lower[-1]:.6f}, {problem['scope']})" if best else ")"),
        "",
        "| | objective | above best | certified gap | to 1 % | 0.1 % | 0.01 % | seconds | MB | added | |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for system in problem["systems"]:
        lines += system_lines(system)
    return "\n".join(lines)


def system_lines(system: Record) -> list[str]:
    label = f"{system['tool']}, {system['setting']}"
    alone, remark = system["alone"], system["failure"] or system["status"]
    whole = [row_of(label, system, system["whole"], remark)]
    if not system["several_runs"]:
        return whole
    return [*whole, row_of("— the best of them alone", None, alone, f"ends lowest: {system['best_run']}")]


def row_of(label: str, system: Record | None, times: Record, remark: str) -> str:
    reached = " | ".join(seconds_text(times[str(target)]) for target in TARGETS)
    if system is None:
        return f"| {label} | | | | {reached} | | | | {remark} |"
    facts = " | ".join(
        [number(system["objective"], ".6f"), number(system["excess"], ".1e"), number(system["gap"], ".1e")]
    )
    memory = " | ".join([number(system["peak"], ".0f"), number(system["added"], ".0f")])
    return f"| {label} | {facts} | {reached} | {seconds_text(system['seconds'])} | {memory} | {remark} |"


def number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def seconds_text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"


# Comparisons across problems.


def times_of(problem: Record, target: float) -> dict[str, float]:
    """For each tool the time of its fastest setting; runs of a sweep count together."""
    times: dict[str, float] = {}
    for system in problem["systems"]:
        value = infinite(system["whole"][str(target)])
        times[system["tool"]] = min(times.get(system["tool"], np.inf), value)
    return times


def lead_table(problems: list[Record]) -> str:
    head = " | ".join(f"to {100 * target:g} %: ours | fastest peer | ratio" for target in TARGETS)
    lines = [
        "Fastest setting of each tool, all runs of a sweep together; ratio: the peer's time over ours, below 1 a loss.",
        "",
        f"| problem | {head} |",
        "|---|" + "--:|---|--:|" * len(TARGETS),
    ]
    for problem in problems:
        cells = []
        for target in TARGETS:
            times = times_of(problem, target)
            ours = times.pop(OURS, np.inf)
            name, ratio = lead(ours, times)
            peer = f"{name} {seconds_text(times[name])}" if name else "none"
            cells.append(f"{seconds_text(None if np.isinf(ours) else ours)} | {peer} | {ratio_text(ratio)}")
        lines.append(f"| {problem['family']}: {problem['name']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ratio_text(ratio: float) -> str:
    if np.isnan(ratio):
        return ""
    if np.isinf(ratio):
        return "only we"
    if ratio == 0.0:
        return "**only they**"
    return f"{ratio:.1f}" if ratio >= 1.0 else f"**{ratio:.2f}**"


def profile_tables(problems: list[Record]) -> list[str]:
    """For each kind of problem and target: share of the problems within a factor of the fastest tool."""
    parts = []
    for title, kinds in KINDS:
        chosen = [problem for problem in problems if problem["kind"] in kinds]
        if not chosen:
            continue
        lines = [
            f"Performance profile, {title} ({len(chosen)} problems): share within a factor of the fastest tool's time.",
            "",
            "| | " + " | ".join(f"{100 * t:g} %: x{f:g}" for t in TARGETS for f in SHOWN) + " |",
            "|---|" + "--:|" * (len(TARGETS) * len(SHOWN)),
        ]
        shares = [profile(times_by_tool(chosen, target), SHOWN) for target in TARGETS]
        for tool in shares[0]:
            cells = [f"{value:.2f}" for share in shares for value in share[tool]]
            lines.append(f"| {tool} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return parts


def times_by_tool(problems: list[Record], target: float) -> dict[str, list[float]]:
    """One time a problem for each tool, infinite where it takes no part or does not arrive."""
    rows = [times_of(problem, target) for problem in problems]
    tools = dict.fromkeys(tool for row in rows for tool in row)
    return {tool: [row.get(tool, np.inf) for row in rows] for tool in tools}


def traces_of(problem: Record) -> dict[str, list[tuple[float, float]]]:
    """For each tool the excess over time of the better of its settings at every moment, first turn."""
    found: dict[str, list[tuple[float, float]]] = {}
    for system in problem["systems"]:
        for trace in system["repeats"][:1]:
            found.setdefault(system["tool"], []).extend((point["total"], point["excess"]) for point in trace)
    return {tool: best_so_far(trace) for tool, trace in found.items()}
