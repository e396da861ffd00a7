"""`neuralgauge predict`: a model file and a table to predictions."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import typer

from ..interchange import SavedModel
from ..interchange.atomic_write import check_output, write_atomically
from .columns import rows_for
from .exit_codes import DONE
from .models import model_and_table
from .options import Data, Drop, Force, Model, plain_errors
from .streams import STREAM, write_bytes
from .tables import Table


@plain_errors
def predict(
    model: Model,
    data: Data,
    output: Annotated[str, typer.Option(metavar="CSV", help="CSV to write; - is standard output.")] = STREAM,
    drop: Drop = None,
    force: Force = False,
) -> int:
    """Predict every row of DATA: a CSV with the column "prediction", and probabilities if the loss gives them.

    Of several targets there is one column each, "prediction_NAME"; of more than two classes one probability each.
    Columns are found by name in any order; the target column may be present.
    """
    if output != STREAM:
        check_output(output, force=force)
    saved, table = model_and_table(model, data, drop or ())
    content = predictions(saved, table).write_csv().encode()
    if output == STREAM:
        write_bytes(content)
    else:
        write_atomically(output, content, force=force)
    return DONE


def predictions(saved: SavedModel, table: Table) -> pl.DataFrame:
    """One row for each row of the table."""
    saved.check_columns(table.columns)
    X = rows_for(saved, table)
    predicted = saved.predict(X)
    if predicted.ndim == 2:
        names = saved.target_names or range(1, predicted.shape[1] + 1)
        return pl.DataFrame({f"prediction_{name}": column for name, column in zip(names, predicted.T, strict=True)})
    columns = {"prediction": predicted}
    if saved.has_probabilities:
        shown = slice(1, None) if len(saved.classes) == 2 else slice(None)
        probabilities = saved.predict_proba(X).T[shown]
        columns |= {f"probability_{c}": p for c, p in zip(saved.classes[shown], probabilities, strict=True)}
    return pl.DataFrame(columns)
