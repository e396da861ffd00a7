"""Arguments and options that several commands share, and what every command does with an error."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from ..errors import NeuralgaugeError
from .report import note

DONE, GAP_NOT_REACHED, REFUSED = 0, 1, 2

P = ParamSpec("P")


class Task(StrEnum):
    """What the target column is."""

    AUTO = "auto"
    REGRESSION = "regression"
    CLASSIFICATION = "classification"


class LossName(StrEnum):
    """Losses by name, those of `neuralgauge.losses.LOSSES`."""

    SQUARED = "squared"
    ABSOLUTE = "absolute"
    HUBER = "huber"
    QUANTILE = "quantile"
    EPSILON_INSENSITIVE = "epsilon_insensitive"
    POISSON = "poisson"
    LOGISTIC = "logistic"
    HINGE = "hinge"
    SQUARED_HINGE = "squared_hinge"
    SOFTMAX = "softmax"


class MultiClass(StrEnum):
    """How more than two classes are learned."""

    JOINT = "joint"
    ONE_VS_REST = "one_vs_rest"


Data = Annotated[Path, typer.Argument(metavar="DATA", help="CSV (comma, semicolon or tab) or Parquet table.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="File written by `neuralgauge train`.")]
Drop = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Column to leave out, such as an identifier; repeatable.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the output if it exists.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Bias = Annotated[bool, typer.Option("--bias/--no-bias", help="Hidden neurons with a (penalised) bias.")]
TimeLimit = Annotated[float | None, typer.Option(help="Seconds after which to stop with the best found.")]


def plain_errors(command: Callable[P, int]) -> Callable[P, None]:
    """The command with its result as exit code, and errors as a sentence on stderr with exit code 2."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except (NeuralgaugeError, MemoryError) as error:
            note(f"Error: {error}" if str(error) else "Error: The memory of this machine is not enough for this table.")
            code = REFUSED
        if code != DONE:
            raise typer.Exit(code)

    return run
