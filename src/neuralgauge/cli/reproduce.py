"""`neuralgauge reproduce`: the paper's experiments, run anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidInputError
from .options import DONE, plain_errors
from .report import note


@plain_errors
def reproduce(
    figures: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIGURE]...", help="fig2 to fig11, table1, all; by default all."),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for figures, numbers and the page.")] = Path(
        "reproduction"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller, with stand-ins for data that scikit-learn does not ship.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with boston.npz, kin8nm.npz, bank32nh.npz, cifar10.npz; else OpenML."),
    ] = None,
    unverified: Annotated[bool, typer.Option("--unverified", help="Take data sets of another checksum.")] = False,
) -> int:
    """Run the experiments of Pilanci & Ergen (2020) and write figures, numbers and a page, DIR/index.html.

    Descent needs PyTorch (`pip install "neuralgauge[torch]"`); without it the convex methods run alone.
    """
    from ..experiments import Scale
    from ..experiments import reproduce as run

    if data is not None and not data.is_dir():
        raise InvalidInputError(f"The folder {str(data)!r} of `--data` does not exist; create it or leave it out.")
    run(figures or [], output, Scale(quick, data, unverified), note)
    typer.echo(str(output / "index.html"))
    return DONE
