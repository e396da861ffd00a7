"""Progress of a training as lines of text: to the log, or to stderr where nothing listens to the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from ..certificate import Certificate
from ..solvers.solution import Record

LOG = logging.getLogger("neuralgauge")


def line_writer(verbose: bool) -> Callable[[str], None] | None:
    """Where lines go, or None where nobody would see them.

    With `verbose` to the logger "neuralgauge" at level INFO, or to stderr where the log has no handler or drops that
    level: lines asked for are always seen, and seen once. Without, to the logger at level DEBUG.

    Parameters
    ----------
    verbose : bool

    Returns
    -------
    callable or None
        Takes one line.

    Examples
    --------
    >>> import logging
    >>> line_writer(verbose=False) is None
    True
    >>> logging.getLogger("neuralgauge").setLevel(logging.DEBUG)
    >>> line_writer(verbose=False) == logging.getLogger("neuralgauge").debug
    True
    >>> logging.getLogger("neuralgauge").setLevel(logging.NOTSET)
    """
    if not verbose:
        return LOG.debug if LOG.isEnabledFor(logging.DEBUG) else None
    return LOG.info if LOG.hasHandlers() and LOG.isEnabledFor(logging.INFO) else _to_stderr


def record_writer(verbose: bool) -> Callable[[Record], None] | None:
    """What writes each record of a training as a line, or None where nobody would see it."""
    write = line_writer(verbose)
    return None if write is None else lambda record: write(line_of(record))


def line_of(record: Record) -> str:
    """A record as a line.

    Examples
    --------
    >>> line_of(Record(seconds=1.5, objective=2.0, lower_bound=1.0, n_neurons=3))
    '     1.5 s  objective 2  lower bound 1  gap 5.0e-01  neurons 3'
    """
    gap = Certificate(record.objective, record.lower_bound, "estimated").gap
    return (
        f"{record.seconds:8.1f} s  objective {record.objective:.8g}  lower bound {record.lower_bound:.8g}  "
        f"gap {gap:.1e}  neurons {record.n_neurons}"
    )


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)
