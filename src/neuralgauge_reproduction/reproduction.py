"""Running experiments and writing what they found: figures, numbers, a table and the page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import neuralgauge as ng
from neuralgauge.interchange.atomic_write import check_output, write_atomically
from neuralgauge.quoting import quoted

from .catalogue import EXPERIMENTS
from .drawing import images_of, panels_of
from .markdown import claims_table, methods_table
from .outcome import Outcome
from .page import Entry, page
from .scale import Scale

ALL = "all"


def chosen(names: Sequence[str]) -> list[str]:
    """The experiments asked for and those they need, each once, in the order of the paper.

    Raises
    ------
    InvalidInputError
        For a name that is none of them.
    """
    unknown = [name for name in names if name not in (*EXPERIMENTS, ALL)]
    if unknown:
        raise ng.InvalidInputError(f"The figure must be one of {', '.join(EXPERIMENTS)} or {ALL}, got {unknown[0]!r}.")
    wanted = set(EXPERIMENTS) if ALL in names or not names else set(names)
    wanted |= {need for name in wanted for need in EXPERIMENTS[name].needs}
    return [name for name in EXPERIMENTS if name in wanted]


def reproduce(
    names: Sequence[str],
    output: Path,
    scale: Scale,
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, Outcome]:
    """Run experiments and write NAME.json, NAME.png and NAME.svg of each, then claims.md, table.md and index.html.

    Parameters
    ----------
    names : sequence of str
        Of `EXPERIMENTS`, or "all".
    output : Path
        A folder; it is made if needed, and files of the same names are replaced.
    scale : Scale
        Quick or full, and the user's data.
    report : callable
        Called with a line before and after each experiment.

    Raises
    ------
    InvalidInputError
        For another name, or an output that is no folder to write to.
    MissingDependencyError
        Where Matplotlib or Jinja is missing (extra ``neuralgauge[reproduce]``).

    Returns
    -------
    dict of str to Outcome
        Of those that ran. One whose data is missing is a sentence on the page and in `report`.

    Notes
    -----
    The tables and the page are written anew after every experiment, so an interruption keeps what is done.
    """
    wanted = chosen(names)
    _check_extras()
    _make_folder(output)
    outcomes: dict[str, Outcome] = {}
    entries: dict[str, Entry] = {}
    failures: dict[str, str] = {}
    said: set[str] = set()
    for name in wanted:
        experiment = EXPERIMENTS[name]
        report(f"{experiment.label}: running")
        begun = time.perf_counter()
        try:
            outcome = experiment.run(scale, outcomes)
        except ng.MissingDataError as error:
            failures[name] = str(error)
            report(f"{experiment.label}: did not run. {error}")
        else:
            outcomes[name] = outcome
            images = images_of(outcome)
            entries[name] = Entry.of(experiment.label, experiment.about, outcome, panels_of(outcome))
            seconds = time.perf_counter() - begun
            _write(output, name, outcome, images, seconds, scale.quick)
            report(f"{experiment.label}: done in {seconds:.1f} s")
            for sentence in outcome.missing:
                if sentence not in said:
                    report(f"{experiment.label}: {sentence}")
            said |= set(outcome.missing)
        _write_overview(output, entries, failures, scale.quick)
    return outcomes


def _check_extras() -> None:
    """Before hours of work, rather than after."""
    for module, needs in (("matplotlib", "Figures need Matplotlib"), ("jinja2", "The page needs Jinja")):
        if find_spec(module) is None:
            raise ng.MissingDependencyError(f'{needs}, which is not installed; `pip install "neuralgauge[reproduce]"`.')


def _make_folder(output: Path) -> None:
    """Likewise, and that files can be written there."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ng.InvalidInputError(f"The output {quoted(str(output))} must be a folder; give another name.") from error
    except (OSError, ValueError) as error:
        raise ng.InvalidInputError(
            f"The folder {quoted(str(output))} cannot be made: {getattr(error, 'strerror', error)}; give another name."
        ) from error
    check_output(output / "index.html", force=True)


def _write(output: Path, name: str, outcome: Outcome, images: dict[str, bytes], seconds: float, quick: bool) -> None:
    for kind, content in images.items():
        write_atomically(output / f"{name}.{kind}", content, force=True)
    numbers = {"name": name, "version": ng.__version__, "quick": quick, "seconds": seconds, **outcome.numbers()}
    text = json.dumps(numbers, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    write_atomically(output / f"{name}.json", text.encode(), force=True)


def _write_overview(output: Path, entries: dict[str, Entry], failures: dict[str, str], quick: bool) -> None:
    labels = {name: experiment.label for name, experiment in EXPERIMENTS.items()}
    text = page(entries, failures, labels, quick=quick, version=ng.__version__)
    write_atomically(output / "index.html", text.encode(), force=True)
    write_atomically(output / "table.md", methods_table(entries).encode(), force=True)
    write_atomically(output / "claims.md", claims_table(entries).encode(), force=True)
