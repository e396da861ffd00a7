"""From a table and the name of its target to what an estimator takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..errors import InvalidInputError
from .columns import is_numeric, labels, matrix, numbers
from .options import LossName, Task
from .tables import Table


@dataclass(frozen=True)
class Dataset:
    """Features (n, d), target (n,) as numbers or labels, and how they are to be learned."""

    X: Array
    y: npt.NDArray[Any]
    names: tuple[str, ...]
    loss: LossName

    @property
    def is_regression(self) -> bool:
        """Whether the target is a number."""
        return self.loss is LossName.SQUARED


def training_data(
    table: Table, target: str, drop: Sequence[str], task: Task = Task.AUTO, loss: LossName | None = None
) -> Dataset:
    """Features and target for training; a task left open is decided by the loss, or else by the target column."""
    table.require(target)
    if target in drop:
        raise InvalidInputError(f"Column {target!r} is both the target and to be left out; choose one.")
    if table.n_rows < 2:
        raise InvalidInputError(f"{table.path!r} has one row; training needs at least two.")
    table = table.without(list(drop))
    chosen = _loss(table, target, task, loss)
    names = tuple(name for name in table.columns if name != target)
    y = numbers(table, target) if chosen is LossName.SQUARED else _two_labels(table, target)
    return Dataset(matrix(table, names), y, names, chosen)


def _loss(table: Table, target: str, task: Task, loss: LossName | None) -> LossName:
    if loss is not None:
        wanted = Task.REGRESSION if loss is LossName.SQUARED else Task.CLASSIFICATION
        if task not in (Task.AUTO, wanted):
            raise InvalidInputError(f"`--loss {loss}` is for {wanted}, got `--task {task}`; leave one of them out.")
        return loss
    if task is Task.AUTO:
        is_text = not is_numeric(table, target)
        task = Task.CLASSIFICATION if is_text or len(np.unique(numbers(table, target))) == 2 else Task.REGRESSION
    return LossName.SQUARED if task is Task.REGRESSION else LossName.LOGISTIC


def _two_labels(table: Table, target: str) -> npt.NDArray[Any]:
    y = labels(table, target)
    classes = np.unique(y).tolist()
    if len(classes) == 1:
        raise InvalidInputError(f"Column {target!r} has one class, {classes[0]!r}; classification needs two.")
    if len(classes) > 2:
        remedy, shown = "merge classes or encode numbers", [repr(label) for label in classes]
        if is_numeric(table, target):
            remedy = "use `--task regression` for numbers"
            shown = [str(label) for label in sorted(classes, key=float)]
        listed = ", ".join(shown[:5]) + (", ..." if len(shown) > 5 else "")
        raise InvalidInputError(
            f"Column {target!r} has {len(classes)} classes ({listed}); two are supported, {remedy}."
        )
    return y
