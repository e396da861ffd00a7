"""Arguments and options that several commands share, and what every command does with an error."""

from __future__ import annotations

import functools
import signal
import warnings
from collections.abc import Callable
from typing import Annotated, Any, Literal, ParamSpec

import typer

from ..errors import ColumnScaleWarning, NeuralgaugeError, UnknownLevelWarning
from ..losses import LOSSES
from .exit_codes import CLOSED_PIPE, DONE, INTERRUPTED, REFUSED
from .streams import note

P = ParamSpec("P")
PROOFS = {"auto": None, "exact": True, "none": False}
Task = Literal["auto", "regression", "classification"]  # what the target column is


def known_loss(name: str) -> str:
    """The name of a loss, one of the table; any other is wrong usage."""
    if name not in LOSSES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, LOSSES))}.")
    return name


def proof(text: str) -> bool | float | None:
    """What to prove: a word of `PROOFS`, or seconds; anything else is wrong usage."""
    if text in PROOFS:
        return PROOFS[text]
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(PROOFS)}, and no number of seconds.") from None


# File names are `str`: a `Path` would turn "./-", a file, into "-", standard input.
Data = Annotated[
    str, typer.Argument(metavar="DATA", help="CSV (comma, semicolon or tab) or Parquet table; - is standard input.")
]
Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="File written by `neuralgauge train`; - is standard input.")
]
LossName = Annotated[
    str | None,
    typer.Option(
        parser=known_loss,
        autocompletion=lambda: list(LOSSES),
        metavar=f"<{'|'.join(LOSSES)}>",
        help="By default squared; logistic for two classes, softmax for more.",
    ),
]
Drop = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Column to leave out, such as an identifier; repeatable.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the output if it exists.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Bias = Annotated[bool, typer.Option("--bias/--no-bias", help="Hidden neurons with a (penalised) bias.")]
TimeLimit = Annotated[float | None, typer.Option(help="Seconds after which to stop with the best found.")]
Proof = Annotated[
    Any,
    typer.Option(
        "--prove",
        parser=proof,
        autocompletion=lambda: list(PROOFS),
        metavar=f"<{'|'.join(PROOFS)}|SECONDS>",
        help="auto: price exactly up to rank 5, or 3 for several outputs. exact: always, however long. none: never. "
        "SECONDS: as auto, and above these ranks so many seconds of a relaxation, which proves a bound at any rank.",
    ),
]


def plain_errors(command: Callable[P, int]) -> Callable[P, None]:
    """Return the command with its result as exit code; an error becomes a sentence on stderr and a code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with warnings.catch_warnings():
                for kind in (ColumnScaleWarning, UnknownLevelWarning):
                    warnings.simplefilter("ignore" if kwargs.get("quiet") else "always", kind)
                warnings.showwarning = lambda message, *_, **__: note(f"Warning: {message}")
                code = command(*args, **kwargs)
        except NeuralgaugeError as error:
            note(f"Error: {error}")
            code = REFUSED
        except MemoryError:
            note("Error: The memory of this machine is not enough for this table.")
            code = REFUSED
        except KeyboardInterrupt:
            note("Interrupted.")
            code = INTERRUPTED
        except BrokenPipeError:
            code = CLOSED_PIPE
        if code != DONE:
            raise typer.Exit(code)

    return run


class Interruption:
    """Records in `came` whether Ctrl-C was pressed within it; solvers then return the best they have."""

    came = False

    def __enter__(self) -> Interruption:
        self._former = signal.getsignal(signal.SIGINT)
        if self._former is not signal.SIG_IGN:  # as it is for commands in the background
            signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._former)

    def _remember(self, *_: object) -> None:
        self.came = True
        raise KeyboardInterrupt
