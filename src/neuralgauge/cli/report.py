"""The output of the commands: aligned lines, or one JSON object, and a progress bar."""

from __future__ import annotations

import json
import math
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ..certificate import Certificate
from ..interchange import SavedModel
from ..quoting import listed
from ..solvers.solution import Record
from .streams import note, write_bytes, write_text

BAR_AFTER_SECONDS = 1.5


def certificate_fields(certificate: Certificate) -> dict[str, Any]:
    """The part of the JSON object that every certificate has."""
    return {
        "objective": certificate.upper,
        "lower_bound": certificate.lower,
        "gap": certificate.gap,
        "scope": certificate.scope,
        "proven": certificate.proven,
        "proven_gap": certificate.proven_gap,
        "separate": certificate.separate,
        "in_words": certificate.in_words(),
    }


def model_fields(model: SavedModel) -> dict[str, Any]:
    """Return the part of the JSON object about the model and how it was trained."""
    return {
        "n_neurons": model.network.n_neurons,
        "loss": model.loss,
        "loss_parameters": dict(model.loss_parameters or {}),
        "multi_class": model.multi_class,
        "offset": model.offset,
        "beta": model.beta,
    }


def description(model: SavedModel) -> str:
    """Return a line about the task of a model, its columns and its loss."""
    names = listed(model.target_names, "and") or "a column without name"
    classes = listed(model.classes, "or")
    apart = ", each against the rest" if model.is_apart else ""
    parameters = "".join(f", {name} {value:.8g}" for name, value in (model.loss_parameters or {}).items())
    offset = ", with an output offset" if model.offset else ""
    return f"{model.task} of {names}{', ' + classes if classes else ''}{apart}, {model.loss} loss{parameters}{offset}"


def print_json(fields: dict[str, Any], *, aside: bool = False) -> None:
    """One JSON object on stdout, or `aside` on stderr; numbers that are not finite become null, which JSON requires."""
    text = json.dumps(_finite(fields), ensure_ascii=False)
    if aside:
        note(text)
    else:
        # JSON is UTF-8 whatever the locale; a name of a file that is not even text becomes an escape of JSON.
        write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))


def _finite(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with None for numbers that are not finite."""
    clean = {}
    for key, value in fields.items():
        is_endless = isinstance(value, float) and not math.isfinite(value)
        clean[key] = None if is_endless else _finite(value) if isinstance(value, dict) else value
    return clean


def print_lines(lines: list[tuple[str, str]], *, aside: bool = False) -> None:
    """Names and values in two columns on stdout, or `aside` on stderr."""
    width = max(len(name) for name, _ in lines)
    text = "\n".join(f"{name:<{width}}  {value}" for name, value in lines)
    if aside:
        note(text)
    else:
        write_text(f"{text}\n")


class GapBar:
    """A bar on stderr that fills as the gap falls to the wanted one; only for long work on a terminal.

    The filled part is log(gap) / log(wanted), or the part of the time limit that is used, if that is more.
    """

    def __init__(self, gap: float, time_limit: float | None, *, enabled: bool) -> None:
        console = Console(stderr=True)
        self._enabled = enabled and console.is_terminal
        self._gap = gap
        self._time_limit = time_limit
        self._bar = Progress(
            BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
        )
        self._task = self._bar.add_task("", total=1.0)

    def __enter__(self) -> GapBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    def __call__(self, record: Record) -> None:
        """Show one record of the solver."""
        if not self._enabled or record.seconds < BAR_AFTER_SECONDS:
            return
        gap = Certificate(record.objective, record.lower_bound, "estimated").gap
        filled = self._filled(gap, record.seconds)
        self._bar.start()
        self._bar.update(
            self._task,
            completed=filled,
            description=f"gap {gap:.1e} of {self._gap:.0e}, objective {record.objective:.6g}, "
            f"{record.n_neurons} neurons",
        )

    def _filled(self, gap: float, seconds: float) -> float:
        by_gap = 1.0 if gap <= self._gap else math.log(min(gap, 1.0)) / math.log(min(self._gap, 0.5))
        by_time = seconds / self._time_limit if self._time_limit else 0.0
        return min(1.0, max(by_gap, by_time, 0.0))
