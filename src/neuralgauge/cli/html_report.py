"""`neuralgauge report`: a page about a saved network on a table."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import numpy.typing as npt
import typer

from ..certificate import Certificate
from ..interchange import SavedModel
from ..interchange.atomic_write import check_output
from ..quoting import quoted
from ..reporting.report import report as page_of
from .certify import certified, problem_of, target_columns
from .columns import labels, matrix
from .dataset import target_numbers
from .exit_codes import DONE, INTERRUPTED
from .models import model_and_table
from .options import Data, Drop, Force, Interruption, Model, Proof, plain_errors
from .report import GapBar, print_lines
from .streams import STREAM, write_bytes
from .tables import Table

GAP = 1e-4  # of the training behind the certificate, as for `certify`


@plain_errors
def report(
    model: Model,
    data: Data,
    output: Annotated[str, typer.Option(metavar="HTML", help="Page to write; - is standard output.")],
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="By default the target of the model; as often as it has.")
    ] = None,
    certify: Annotated[
        bool, typer.Option(help="Compute the certificate on DATA, or show the one that the model file states.")
    ] = True,
    time_limit: Annotated[float, typer.Option(help="Seconds for the certificate.")] = 60.0,
    prove: Proof = "auto",
    drop: Drop = None,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing on stderr but errors.")] = False,
) -> int:
    """Write a page about MODEL on DATA: certificate, scores, neurons, effects of columns, data.

    One HTML file without scripts that loads nothing, to open in a browser or to send. A model file has no history of
    its training, so that the page has none.
    """
    if output != STREAM:
        check_output(output, force=force)
    saved, table = model_and_table(model, data, drop or ())
    names = target_columns(saved, table, target or ())
    certificate: Certificate | None = None
    with Interruption() as interruption, GapBar(GAP, time_limit, enabled=not quiet) as bar:
        if certify:
            problem = problem_of(saved, table, names)
            options = {"gap": GAP, "time_limit": time_limit, "prove": prove, "progress": bar}
            certificate = certified(saved, problem, interruption, options)
    again = ["neuralgauge", "report", model, data, "--output", output, *(f"--target={name}" for name in target or ())]
    page = page_of(
        saved,
        table.frame.drop(names) if saved.encoding else matrix(table, saved.feature_names),
        _targets(saved, table, names),
        feature_names=saved.feature_names,
        certificate=certificate,
        command=shlex.join(again),
    )
    if output == STREAM:
        write_bytes(page.html.encode())
    else:
        page.save(output, force=force)
        words = (certificate or saved.certificate).in_words()
        print_lines([("report", f"saved to {quoted(output)}"), ("in words", words)])
    return INTERRUPTED if interruption.came else DONE


def _targets(saved: SavedModel, table: Table, names: tuple[str, ...]) -> npt.NDArray[Any]:
    """Numbers, or labels as the model has them."""
    if saved.task == "regression":
        return target_numbers(table, names, saved.training_loss)
    return labels(table, names[0], as_text=isinstance(saved.classes[0], str))
