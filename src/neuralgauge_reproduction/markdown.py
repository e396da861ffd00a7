"""The claims and the methods of the experiments as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
