"""`neuralgauge train`: a table to a certified network in a model file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

from ..errors import InvalidInputError
from ..interchange import SavedModel, save_model
from ..interchange.atomic_write import check_output
from ..interchange.model_content import encoded
from ..problems.constraints import Constraints
from ..quoting import quoted
from ..solvers.solution import Status
from .dataset import Dataset
from .exit_codes import DONE, GAP_NOT_REACHED, INTERRUPTED
from .fitting import MultiClass, Terms, trained
from .holdout import split
from .options import (
    Bias,
    Data,
    Drop,
    Force,
    Json,
    LossName,
    Proof,
    Task,
    TimeLimit,
    plain_errors,
)
from .outcome import Outcome
from .report import GapBar, print_json, print_lines
from .scores import held_out_score, training_score
from .streaming import memory_limit, streamed_data
from .streams import STREAM, note, write_bytes
from .tables import read_table


@plain_errors
def train(
    data: Data,
    target: Annotated[list[str], typer.Option(metavar="NAME", help="Column to learn; repeatable for numbers.")],
    task: Annotated[Task, typer.Option(help="auto: text or two distinct values mean classification.")] = "auto",
    loss: LossName = None,
    delta: Annotated[
        float | None, typer.Option(help="Of the huber loss: residual from which a row is an outlier, by default 1.")
    ] = None,
    level: Annotated[float | None, typer.Option(help="Of the quantile loss, in (0, 1), by default 0.5.")] = None,
    epsilon: Annotated[
        float | None, typer.Option(help="Of the epsilon_insensitive loss: residual that is free, by default 0.1.")
    ] = None,
    multi_class: Annotated[
        MultiClass,
        typer.Option(help="More than two classes: one network, or one for each class against the rest."),
    ] = "joint",
    beta: Annotated[float | None, typer.Option(help="Penalty; by default 1 % of the one that trains nothing.")] = None,
    gap: Annotated[float, typer.Option(help="Relative gap to the global optimum at which to stop.")] = 1e-4,
    time_limit: TimeLimit = None,
    prove: Proof = "auto",
    standardize: Annotated[bool, typer.Option(help="Centre and scale the columns, and numeric targets.")] = True,
    bias: Bias = True,
    offset: Annotated[bool, typer.Option("--offset/--no-offset", help="Outputs with an unpenalised offset.")] = False,
    increasing: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Column with which the output must not fall, on any input; repeatable."),
    ] = None,
    decreasing: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Column with which it must not rise; repeatable.")
    ] = None,
    convexity: Annotated[
        Literal["convex", "concave"] | None, typer.Option(help="That the output must be convex, or concave.")
    ] = None,
    positive: Annotated[bool, typer.Option("--positive", help="The output must be convex and never negative.")] = False,
    drop: Drop = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Stream a Parquet file, in single precision, within so much memory of this process, as 4GB: rows that "
            "do not fit go to a temporary file. The system's cache of files is not counted.",
        ),
    ] = None,
    holdout: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Share of the rows, as 0.2, that is kept from the training to score the network on; of classes the "
            "same share of each. By default none is.",
        ),
    ] = 0.0,
    random_state: Annotated[int, typer.Option(min=0, help="Seed of the searches and of the rows held out.")] = 0,
    output: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Model file to write; - is standard output, and the report goes to stderr."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing on stderr but errors.")] = False,
) -> int:
    """Train a network on DATA to a certified gap and save it with all it takes to predict.

    `--delta` and `--epsilon` are in the units of the target as it is trained on: standard deviations if it is scaled.
    Counts, the targets of the poisson loss, are not.
    """
    _check_model_output(output, force)
    given = {"delta": delta, "level": level, "epsilon": epsilon}
    parameters = {name: value for name, value in given.items() if value is not None}
    columns = target, drop or (), task, loss, parameters
    if memory is None:
        dataset, held_out = split(read_table(data), columns, holdout, random_state)
    else:
        dataset, held_out = _streamed(data, memory, columns, holdout, quiet), None
    if dataset.is_regression and multi_class != "joint":
        raise InvalidInputError(f"`--multi-class {multi_class}` is for classes, and the target holds numbers.")
    asked = Constraints(_signs(increasing or (), decreasing or ()), convexity, positive)
    terms = Terms(beta, bias, offset, standardize, multi_class, asked)
    options = {"gap": gap, "time_limit": time_limit, "prove": prove, "random_state": random_state}
    with GapBar(gap, time_limit, enabled=not quiet) as bar:
        model, solution = trained(dataset, terms, **options, progress=bar)
    _write(model, output, force)
    outcome = Outcome(
        model, solution, dataset, standardize, output, training_score(model, dataset), held_out_score(model, held_out)
    )
    aside = output == STREAM
    if as_json:
        print_json(outcome.fields(), aside=aside)
    elif not (aside and quiet):
        print_lines(outcome.lines(), aside=aside)
    if solution.status is Status.SOLVED:
        return DONE
    if not quiet:
        note(f"The gap reached is {solution.certificate.gap:.2e}, {gap:.2e} was asked for. {solution.status.value}")
    return INTERRUPTED if solution.status is Status.INTERRUPTED else GAP_NOT_REACHED


def _signs(increasing: Sequence[str], decreasing: Sequence[str]) -> dict[str, int] | None:
    """The constraints of columns by name; None without any."""
    both = sorted({*increasing} & {*decreasing})
    if both:
        raise InvalidInputError(
            f"a column is given as `--increasing` or as `--decreasing`, got {quoted(both[0])} as both; `--drop` it for "
            "an output that does not depend on it."
        )
    return {**dict.fromkeys(increasing, 1), **dict.fromkeys(decreasing, -1)} or None


def _streamed(data: str, memory: str, columns: tuple[Any, ...], holdout: float, quiet: bool) -> Dataset:
    """The rows of a Parquet file, under a limit of memory."""
    if holdout:
        raise InvalidInputError(
            "`--holdout` is for tables that are read whole, got `--memory`, which streams them; write the rows to hold "
            "out to a file of their own, and predict them."
        )
    limit = memory_limit(memory)
    if not quiet:
        note(f"Reading the targets of {quoted(data)}.")
    dataset = streamed_data(data, *columns, limit=limit)
    if not quiet:
        n, d = dataset.X.shape
        note(f"{n:,} rows of {d} features are decoded; Ctrl-C, once training has begun, keeps the best network.")
    return dataset


def _write(model: SavedModel, output: str | None, force: bool) -> None:
    if output == STREAM:
        write_bytes(encoded(model))
    elif output is not None:
        save_model(model, output, force=force)


def _check_model_output(output: str | None, force: bool) -> None:
    """Refuse an output that cannot be written, before the training."""
    if output == STREAM:
        if sys.stdout is not None and sys.stdout.isatty():
            raise InvalidInputError(
                "A model is binary and not for a terminal; redirect standard output, or give a file."
            )
    elif output is not None:
        check_output(output, force=force)
