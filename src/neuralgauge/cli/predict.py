"""`neuralgauge predict`: a model file and a table to predictions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from ..interchange import SavedModel, load_model
from ..interchange.atomic_write import check_output, write_atomically
from .columns import matrix
from .options import DONE, Data, Drop, Force, Model, plain_errors
from .tables import Table, read_table


@plain_errors
def predict(
    model: Model,
    data: Data,
    output: Annotated[Path | None, typer.Option(metavar="CSV", help="CSV to write, by default stdout.")] = None,
    drop: Drop = None,
    force: Force = False,
) -> int:
    """Predict every row of DATA: a CSV with the column "prediction", and probabilities under the logistic loss.

    Columns are found by name in any order; the target column may be present.
    """
    if output is not None:
        check_output(output, force=force)
    saved = load_model(model)
    content = predictions(saved, read_table(data).without(drop or ())).write_csv()
    if output is None:
        sys.stdout.write(content)
    else:
        write_atomically(output, content.encode(), force=force)
    return DONE


def predictions(saved: SavedModel, table: Table) -> pl.DataFrame:
    """One row for each row of the table."""
    saved.check_columns(table.columns)
    X = matrix(table, saved.feature_names)
    columns = {"prediction": saved.predict(X)}
    if saved.loss == "logistic":
        columns[f"probability_{saved.classes[1]}"] = saved.predict_proba(X)[:, 1]
    return pl.DataFrame(columns)
