"""The application: commands put together, and the ways out of it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer import TyperException

from ..interchange.model_file import package_version
from .certify import certify
from .options import REFUSED
from .patterns import patterns
from .predict import predict
from .report import note
from .reproduce import reproduce
from .train import train

INTERRUPTED, TERMINATED = 130, 143

app = typer.Typer(
    name="neuralgauge",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _command in (train, predict, certify, patterns, reproduce):
    app.command()(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"neuralgauge {package_version()}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Two-layer ReLU networks trained to global optimality, with certificates.

    Exit codes: 0 done, 1 the requested gap was not reached (the model is saved), 2 wrong usage or bad data.
    """


def _terminate(*_: Any) -> NoReturn:
    # As an exception, so that a file that is being written is removed on the way out.
    raise SystemExit(TERMINATED)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; an error is a sentence on stderr, never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        code = app(given or ["--help"], prog_name="neuralgauge", standalone_mode=False)
    except TyperException as error:
        note(f"Error: {error.format_message().strip().replace('Value error, ', '')} See `neuralgauge --help`.")
        code = REFUSED
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as error:
        note(f"Error: unexpected {type(error).__name__}: {error}. This is a defect of neuralgauge, please report it.")
        code = REFUSED
    if code == INTERRUPTED:
        note("Interrupted.")
    sys.exit(code if isinstance(code, int) else 0)
