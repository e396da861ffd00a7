"""Pages of the documentation from a finished run: every experiment with its picture, its claims and the calls it takes.

    python -m neuralgauge_reproduction.gallery RUN docs/gallery

RUN is the folder that `neuralgauge reproduce` wrote.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import neuralgauge as ng
from neuralgauge.interchange.atomic_write import write_atomically
from neuralgauge.quoting import quoted

from . import examples
from .catalogue import EXPERIMENTS, Experiment
from .markdown import grid_table, reasons_table, results_table
from .outcome import Check, Grid, Method, Outcome
from .page import setting, tally

COMMAND = "python -m neuralgauge_reproduction.gallery"


class Finished(NamedTuple):
    """An experiment that a run has finished: its files, read or to be copied."""

    name: str
    outcome: Outcome
    seconds: float
    quick: bool
    files: dict[str, bytes]

    @property
    def experiment(self) -> Experiment:
        """As the catalogue has it."""
        return EXPERIMENTS[self.name]

    @property
    def picture(self) -> str:
        """The figure in Markdown, or nothing where there is none."""
        name = f"{self.name}.svg"
        return f"![{self.experiment.label}: {self.outcome.title}]({name})\n" if name in self.files else ""


def write_gallery(run: Path, folder: Path) -> list[str]:
    """Write README.md and a page NAME.md for each experiment of a run, with copies of its NAME.json and NAME.svg.

    Parameters
    ----------
    run : Path
        The folder of a run, of some experiments or of all.
    folder : Path
        Where the pages go; it is made if needed, and files of the same names are replaced.

    Returns
    -------
    list of str
        The names of the experiments, in the order of the paper.

    Raises
    ------
    InvalidInputError
        Where the folder holds no experiment, or a file that is none of a run.
    """
    found = [read_experiment(run, name) for name in EXPERIMENTS if (run / f"{name}.json").is_file()]
    if not found:
        raise ng.InvalidInputError(
            f"The folder {quoted(str(run))} must hold NAME.json of at least one experiment, got none; "
            "make it by `neuralgauge reproduce --output FOLDER`."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        for name, content in {**one.files, f"{one.name}.md": page_of(one).encode()}.items():
            write_atomically(folder / name, content, force=True)
    write_atomically(folder / "README.md", overview(found).encode(), force=True)
    return [one.name for one in found]


def read_experiment(run: Path, name: str) -> Finished:
    """What a run wrote about one experiment; the numbers of its curves stay in the file."""
    path = run / f"{name}.json"
    files = {one.name: one.read_bytes() for one in (path, run / f"{name}.svg") if one.is_file()}
    try:
        numbers = json.loads(files[path.name])
        outcome = Outcome(
            numbers["title"],
            numbers["settings"],
            tuple(numbers["choices"]),
            msgspec.convert(numbers["methods"], dict[str, tuple[Method, ...]]),
            msgspec.convert(numbers["checks"], tuple[Check, ...]),
            missing=tuple(numbers["missing"]),
            score=numbers["score"],
            grids=msgspec.convert(numbers["grids"], tuple[Grid, ...]),
            stand_in=numbers["stand_in"],
        )
        return Finished(name, outcome, float(numbers["seconds"]), bool(numbers["quick"]), files)
    except (ValueError, TypeError, KeyError, msgspec.ValidationError) as error:
        raise ng.InvalidInputError(
            f"{quoted(str(path))} is no file of `neuralgauge reproduce` of this version ({type(error).__name__}: "
            f"{quoted(str(error))}); run {name} anew."
        ) from error


def overview(found: list[Finished]) -> str:
    """The page of all experiments: a sentence and a picture each."""
    told = tally(one.outcome for one in found)
    lines = [
        "# The paper's experiments",
        "",
        "Every figure, table and statement of Pilanci & Ergen, “Neural Networks are Convex Regularizers” (ICML 2020), "
        "run by this library. A page each has the paper's claim, the number here, whether they agree and why, the "
        "methods, and the calls to write for it.",
        "",
        f"{told['yes']} claims of the paper hold here, {told['no']} do not, and {told['open']} rows have nothing of "
        "the paper to compare with; [reproduction.md](../reproduction.md) lists them in one table.",
        "",
        "These pages are made from the folder of a run, and not by hand:",
        "",
        "    neuralgauge reproduce all --output FOLDER",
        f"    {COMMAND} FOLDER docs/gallery",
        "",
    ]
    for one in found:
        agreed = tally([one.outcome])
        lines += [
            f"## [{one.experiment.label}: {one.outcome.title}]({one.name}.md)",
            "",
            f"{one.experiment.about} Claims: {agreed['yes']} hold, {agreed['no']} do not.",
            "",
            one.picture,
        ]
    return _joined(lines)


def page_of(one: Finished) -> str:
    """The page of one experiment."""
    experiment, outcome = one.experiment, one.outcome
    form, option = ("in its quick form", " --quick") if one.quick else ("in full", "")
    after = [EXPERIMENTS[name].label for name in experiment.needs]
    lines = [
        f"# {experiment.label}: {outcome.title}",
        "",
        experiment.about,
        "",
        one.picture,
        *_data_of(outcome),
        "## In the paper",
        "",
        experiment.paper,
        "",
        f"Run {form}, in {one.seconds:.1f} seconds{' after ' * bool(after)}{', '.join(after)}, by",
        "",
        f"    neuralgauge reproduce {one.name}{option} --output FOLDER",
        "",
        "## Claims",
        "",
        reasons_table(outcome),
    ]
    if outcome.methods or outcome.grids:
        lines += ["## Results", "", *map(grid_table, outcome.grids), results_table(outcome) if outcome.methods else ""]
    lines += ["## Choices", "", *(f"- {sentence}" for sentence in outcome.choices), ""]
    lines += [f"Settings: {'; '.join(f'{key} {setting(value)}' for key, value in outcome.settings.items())}.", ""]
    lines += ["## In Python", "", *_calls(getattr(examples, one.name))]
    lines += [f"[All numbers of this page and of the picture]({one.name}.json), [all experiments](README.md)."]
    return _joined(lines)


def _data_of(outcome: Outcome) -> list[str]:
    sentences = [f"Data: {outcome.stand_in}."] if outcome.stand_in else []
    return [line for sentence in (*sentences, *outcome.missing) for line in (f"> {sentence}", "")]


def _calls(example: Any) -> list[str]:
    """The docstring of an example, and its body as a block of code."""
    body = inspect.getsource(example).split('"""', 2)[2]
    return [inspect.getdoc(example) or "", "", "```python", textwrap.dedent(body).strip(), "```", ""]


def _joined(lines: list[str]) -> str:
    """Lines as a text without empty lines in a row, ended by one line feed."""
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip() + "\n"


if __name__ == "__main__":
    import typer

    typer.run(write_gallery)
