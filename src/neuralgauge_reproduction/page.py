"""One self-contained page about all experiments that ran: claim, number, ours, agreement or not and why."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from .outcome import Check, Outcome


class Entry(NamedTuple):
    """One experiment of the page; `panels` as SVG in base64."""

    label: str
    about: str
    outcome: Outcome
    panels: tuple[str, ...]

    @classmethod
    def of(cls, label: str, about: str, outcome: Outcome, panels: Sequence[bytes]) -> Entry:
        """With the pictures encoded."""
        return cls(label, about, outcome, tuple(base64.b64encode(one).decode("ascii") for one in panels))


def page(entries: Mapping[str, Entry], failures: Mapping[str, str], labels: Mapping[str, str], **more: Any) -> str:
    """The page as HTML; no font or script from elsewhere, and links only to the files beside it."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def agreement(check: Check) -> Any:
        if check.agrees is None:
            return Markup('<span class="open">not compared</span>')
        return Markup('<span class="yes">yes</span>' if check.agrees else '<span class="no">no</span>')

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        entries=entries,
        failures=failures,
        labels=labels,
        agreement=agreement,
        told=tally(entry.outcome for entry in entries.values()),
        number=number,
        setting=setting,
        **more,
    )


def tally(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many claims agree, do not, and have nothing to compare with."""
    found = [check.agrees for outcome in outcomes for check in outcome.checks]
    return {"yes": found.count(True), "no": found.count(False), "open": found.count(None)}


def setting(value: Any) -> str:
    """A setting as text: sequences listed, numbers with six digits."""
    if isinstance(value, float):
        return number(value)
    return ", ".join(map(setting, value)) if isinstance(value, list | tuple) else str(value)


def number(value: float | None) -> str:
    """Six digits, or nothing."""
    return "" if value is None else f"{value:.6g}"
