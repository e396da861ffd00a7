"""`neuralgauge reproduce`: the paper's experiments, run anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidInputError
from ..quoting import quoted
from .exit_codes import DONE
from .options import plain_errors
from .streams import STREAM, note, write_text


@plain_errors
def reproduce(
    figures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIGURE]...", help="fig1 to fig11, table1, duality, patterns, filters, all; by default all."
        ),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for figures, numbers and the page.")] = Path(
        "reproduction"
    ),
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Smaller; without `--data`, with stand-ins for data scikit-learn does not ship."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with boston.npz, kin8nm.npz, bank32nh.npz, cifar10.npz; else OpenML."),
    ] = None,
    unverified: Annotated[bool, typer.Option("--unverified", help="Take data sets of another checksum.")] = False,
) -> int:
    """Run the experiments of Pilanci & Ergen (2020) and write figures, numbers and a page, DIR/index.html."""
    from neuralgauge_reproduction import Scale
    from neuralgauge_reproduction import reproduce as run

    if str(output) == STREAM:
        raise InvalidInputError("`--output` must be a folder, got `-`, which is standard output elsewhere; name one.")
    if data is not None and not os.path.isdir(data):
        raise InvalidInputError(
            f"The folder {quoted(str(data))} of `--data` does not exist or may not be read; create it or leave it out."
        )
    if unverified and quick and data is None:
        raise InvalidInputError("`--quick` takes no data set that `--unverified` could be about; add `--data`.")
    run(figures or [], output, Scale(quick, data, unverified), note)
    write_text(f"{output / 'index.html'}\n")
    return DONE
