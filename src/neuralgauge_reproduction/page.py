"""One self-contained page about all experiments that ran: claim, number, ours, agreement or not and why."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from .outcome import Check, Outcome


class Entry(NamedTuple):
    """One experiment of the page; `png` as text in base64."""

    label: str
    about: str
    outcome: Outcome
    png: str

    @classmethod
    def of(cls, label: str, about: str, outcome: Outcome, png: bytes) -> Entry:
        """With the picture encoded."""
        return cls(label, about, outcome, base64.b64encode(png).decode("ascii"))


def page(entries: Mapping[str, Entry], failures: Mapping[str, str], labels: Mapping[str, str], **more: Any) -> str:
    """The page as HTML; no file, font or script from elsewhere."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def agreement(check: Check) -> Any:
        if check.agrees is None:
            return Markup('<span class="open">not compared</span>')
        return Markup('<span class="yes">yes</span>' if check.agrees else '<span class="no">no</span>')

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        entries=entries, failures=failures, labels=labels, agreement=agreement, number=number, **more
    )


def number(value: float | None) -> str:
    """Six digits, or nothing."""
    return "" if value is None else f"{value:.6g}"
