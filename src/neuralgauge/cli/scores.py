"""How well a model predicts rows with known targets, in the units of the targets, and as a line of text."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..features.parquet import ParquetRows
from ..interchange import SavedModel
from ..quoting import quoted
from ..reporting.outcomes import errors
from .columns import labels, rows_for
from .dataset import Dataset, target_numbers
from .tables import Table

Y = npt.NDArray[Any]


def training_score(model: SavedModel, dataset: Dataset) -> dict[str, Any]:
    """The `score` on the rows that the model was trained on; rows that are streamed are decoded once more."""
    if isinstance(dataset.X, ParquetRows):
        return score(model, dataset.y, np.concatenate([model.predict(block) for block in dataset.X.blocks()]))
    return score(model, dataset.y, model.predict(dataset.X))


def held_out_score(model: SavedModel, table: Table | None) -> dict[str, Any] | None:
    """The `score` on the rows of another table with the columns and targets of the model; None without one."""
    if table is None:
        return None
    predicted = model.predict(rows_for(model, table))
    if model.task == "regression":
        return score(model, target_numbers(table, model.target_names, model.training_loss), predicted)
    as_text = isinstance(model.classes[0], str)
    return score(model, labels(table, model.target_names[0], as_text=as_text), predicted)


def score(model: SavedModel, y: Y, predicted: Y) -> dict[str, Any]:
    """Scores of predictions for n rows with targets y.

    Classes: the accuracy, and that of always answering the class that is the most frequent in these rows. Numbers:
    R^2, root mean square error and mean absolute error, the latter in the units of the target; of several targets for
    each by name. R^2 is NaN where a target has one value.
    """
    fields: dict[str, Any] = {"n_rows": len(y)}
    if model.task == "classification":
        most = np.unique(y, return_counts=True)[1].max()
        return fields | {"accuracy": float(np.mean(predicted == y)), "most_frequent": float(most / len(y))}
    if y.ndim == 1:
        return fields | errors(y, predicted)
    columns = zip(model.target_names, y.T, predicted.T, strict=True)
    return fields | {"targets": {name: errors(known, f) for name, known, f in columns}}


def in_words(fields: dict[str, Any]) -> str:
    """The scores as a line of text."""
    if "accuracy" in fields:
        return f"accuracy {fields['accuracy']:.3f}; always the most frequent class: {fields['most_frequent']:.3f}"
    if "targets" in fields:
        return "; ".join(f"{quoted(name)}: {in_words(own)}" for name, own in fields["targets"].items())
    r2 = "R^2 undefined, the target has one value" if np.isnan(fields["r2"]) else f"R^2 {fields['r2']:.3f}"
    return f"{r2}, root mean square error {fields['rmse']:.4g}, mean absolute error {fields['mae']:.4g}"
