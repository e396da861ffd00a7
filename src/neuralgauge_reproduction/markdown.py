"""The claims and the methods of the experiments as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .outcome import Grid, Method, Outcome
from .page import Entry, number

AGREES = {True: "yes", False: "**no**", None: "not compared"}


def claims_table(entries: Mapping[str, Entry]) -> str:
    """A row a claim: where the paper makes it, its number, ours, and whether they agree."""
    lines = ["| place | claim | paper | here | agrees |", "|---|---|---|---|---|"]
    for entry in entries.values():
        lines += [
            _row((check.place, check.claim, check.paper, check.ours, AGREES[check.agrees]))
            for check in entry.outcome.checks
        ]
    return "\n".join(lines) + "\n"


def methods_table(entries: Mapping[str, Entry]) -> str:
    """A row a problem and method: what descent, the programs and the certified search reach."""
    lines = ["| figure | problem | method | best objective | mean score | seconds |", "|---|---|---|--:|--:|--:|"]
    for entry in entries.values():
        for problem, methods in entry.outcome.methods.items():
            place = f"{problem} ({entry.outcome.stand_in})" if entry.outcome.stand_in else problem
            lines += [
                _row((entry.label, place, one.name, number(one.best), number(one.score), f"{one.seconds:.2f}"))
                for one in methods
            ]
    return "\n".join(lines) + "\n"


def reasons_table(outcome: Outcome) -> str:
    """The claims of one experiment, with the reason why they agree or do not."""
    lines = ["| place | claim | paper | here | agrees | why |", "|---|---|---|---|---|---|"]
    lines += [_row((one.place, one.claim, one.paper, one.ours, AGREES[one.agrees], one.why)) for one in outcome.checks]
    return "\n".join(lines) + "\n"


def results_table(outcome: Outcome) -> str:
    """The methods of one experiment with all that is known of them; columns without an entry are left out."""
    score = (outcome.score or "score", "--:")
    columns: list[tuple[str, str]] = [
        ("problem", "---"), ("method", "---"), ("trials", "--:"), ("best objective", "--:"), ("worst", "--:"),
        ("lower bound", "--:"), ("scope", "---"), score, ("neurons", "--:"), ("seconds", "--:"), ("note", "---"),
    ]  # fmt: skip
    rows = [_cells(problem, one) for problem, methods in outcome.methods.items() for one in methods]
    filled = [k for k in range(len(columns)) if any(row[k] for row in rows)]
    table = [*zip(*columns, strict=True), *rows]
    return "\n".join(_row([row[k] for k in filled]) for row in table) + "\n"


def _cells(problem: str, one: Method) -> tuple[str, ...]:
    trials = len(one.objectives)
    worst = number(max(one.objectives)) if trials > 1 else ""
    neurons = "" if one.n_neurons is None else str(one.n_neurons)
    bounds = (number(one.best), worst, number(one.lower), one.scope or "")
    return (problem, one.name, str(trials), *bounds, number(one.score), neurons, f"{one.seconds:.2f}", one.note)


def grid_table(grid: Grid) -> str:
    """A table of text as it is."""
    return "\n".join([_row(grid.header), _row(["---"] * len(grid.header)), *map(_row, grid.rows)]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
