"""The command-line application: its commands, errors and exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer import TyperException

from .exit_codes import CLOSED_PIPE, DONE, INTERRUPTED, REFUSED, TERMINATED
from .streams import abandon, note

PROGRAM = "neuralgauge"
LONG_WORD = r"(\S{100})\S{20,}"  # arguments in messages are cut after 100 characters

# The commands, each the function of that name in the module of that name, with what it says first about itself. Of
# commands that are not called the module stays unread.
COMMANDS = {
    "train": "Train a network on DATA to a certified gap and save it with all it takes to predict.",
    "predict": 'Predict every row of DATA: a CSV with the column "prediction", and probabilities if the loss gives '
    "them.",
    "certify": "Bound the distance of MODEL from the best network of any width on DATA, with the model's loss, beta "
    "and scaling.",
    "report": "Write a page about MODEL on DATA: certificate, scores, neurons, effects of columns, data.",
    "export": "Write MODEL in the format that the name of OUTPUT ends in, with scaling, encoding, labels and "
    "probabilities.",
    "patterns": "Count the activation patterns of DATA: the sets of rows on which one neuron can be active.",
    "reproduce": "Run the experiments of Pilanci & Ergen (2020) and write figures, numbers and a page, DIR/index.html.",
}
# Of a command whose name another module has.
MODULES = {"report": "html_report"}


def application(arguments: Sequence[str]) -> typer.Typer:
    """The application, with the commands that the arguments name; of the others no more than what the help lists."""
    app = typer.Typer(name=PROGRAM, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(_options)
    for name, summary in COMMANDS.items():
        if name in arguments:
            app.command(name)(getattr(importlib.import_module(f".{MODULES.get(name, name)}", __package__), name))
        else:
            app.command(name, help=summary)(_unread)
    return app


def _completed() -> list[str]:
    """The words of a line that a shell wants completed, which typer's scripts leave in the environment; else none."""
    if f"_{PROGRAM.upper()}_COMPLETE" not in os.environ:
        return []
    return (os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")).split()


def _unread() -> None:
    """Stand where a command is that the arguments do not name."""


def _print_version(wanted: bool) -> None:
    if wanted:
        from ..interchange.model_content import package_version

        typer.echo(f"neuralgauge {package_version()}")
        raise typer.Exit()


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Two-layer ReLU networks trained to global optimality, with certificates.

    Exit codes: 0 done, 1 the requested gap was not reached (the model is saved), 2 wrong usage, bad data or a result
    that could not be written, 130 interrupted by Ctrl-C (train saves the best network so far), 141 the reader of
    standard output is gone, 143 terminated.
    """


def _terminate(*_: Any) -> NoReturn:
    # As an exception, so that a file that is being written is removed on the way out.
    raise SystemExit(TERMINATED)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; an error is a sentence on stderr, never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        app = application([*given, *_completed()])
        code = app(given or ["--help"], prog_name=PROGRAM, standalone_mode=False) or DONE
    except TyperException as error:
        message = re.sub(LONG_WORD, r"\1...", error.format_message().strip().replace("Value error, ", ""))
        note(f"Error: {message} See `neuralgauge --help`.")
        code = REFUSED
    except (typer.Abort, KeyboardInterrupt):
        note("Interrupted.")
        code = INTERRUPTED
    except SystemExit as end:
        # Typer raises this for a closed pipe while it prints the help.
        closed = isinstance(end.__context__, OSError) and end.__context__.errno == errno.EPIPE
        code = CLOSED_PIPE if closed else end.code
    except OSError as error:
        abandon(sys.stdout)  # which may hold the rest of a help text that could not be written
        note(f"Error: The system refused to go on: {str(error)[:1000]}.")
        code = REFUSED
    except Exception as error:
        found = f"unexpected {type(error).__name__}: {str(error)[:1000]}"
        note(f"Error: {found}. This is a defect of neuralgauge, please report it.")
        code = REFUSED
    sys.exit(code)
