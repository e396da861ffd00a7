"""From a table and the names of its targets to what an estimator takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..errors import InvalidInputError
from ..features.parquet import ParquetRows
from ..interchange.loss_record import parameter_names, rebuilt
from ..losses import LOSSES, Loss
from ..preparation.table_encoding import Codes, encoded_rows, feature_names, learned_codes
from ..quoting import LONGEST, listed, quoted
from .columns import is_numeric, labels, numbers
from .options import Task
from .tables import Table

# Whole numbers may be codes of classes where they are so few, and each is in so many rows on average: the digits, say.
FEW_VALUES, OFTEN = 10, 5


@dataclass(frozen=True)
class Dataset:
    """Features (n, d), whole or streamed, targets (n,) or (n, c) as numbers or labels (n,), and the loss.

    Where columns were encoded `names` are those of the encoded ones, and `codes` what was done; `described` says it of
    each column of the table that is not one of plain numbers, and `guessed` why the task is what it is.
    """

    X: Array | ParquetRows
    y: npt.NDArray[Any]
    names: tuple[str, ...]
    targets: tuple[str, ...]
    loss: Loss
    codes: Codes = ()
    described: dict[str, str] = field(default_factory=dict)
    guessed: str = ""

    @property
    def is_regression(self) -> bool:
        """Whether the targets are numbers."""
        return is_regression(self.loss)

    @property
    def scales_targets(self) -> bool:
        """Whether targets may be centred and scaled, which counts and labels may not."""
        return self.loss.targets == "real"


def training_data(
    table: Table,
    targets: Sequence[str],
    drop: Sequence[str],
    task: Task = "auto",
    loss: str | None = None,
    parameters: Mapping[str, float] | None = None,
    *,
    encoded: bool = False,
) -> Dataset:
    """Features and targets for training; a task left open is decided by the loss, or else by the target column.

    `encoded`: keep what was done to the columns also where that is nothing, for rows of which more may be asked.
    """
    for target in targets:
        table.require(target)
        if target in drop:
            raise InvalidInputError(f"Column {quoted(target)} is both the target and to be left out; choose one.")
    repeated = [target for k, target in enumerate(targets) if target in targets[:k]]
    if repeated:
        raise InvalidInputError(f"Column {quoted(repeated[0])} is given as target twice; leave one `--target` out.")
    if table.n_rows < 2:
        raise InvalidInputError(f"{quoted(table.path)} has one row; training needs at least two.")
    table = table.without(list(drop))
    chosen = with_parameters(_loss(table, targets, task, loss), parameters or {}, is_given=loss is not None)
    guessed = _guessed(table, targets, chosen) if task == "auto" and loss is None else ""
    names = tuple(name for name in table.columns if name not in targets)
    y = target_numbers(table, targets, chosen) if is_regression(chosen) else _labels(table, targets[0])
    if not names:
        raise InvalidInputError(
            f"{quoted(table.path)} has no feature columns left; give at least one besides the target."
        )
    codes = learned_codes(table.frame, names)
    if all(code.kind == "left out" for code in codes):
        reasons = "; ".join(f"{quoted(code.name)} is {code.said}" for code in codes[:3])
        raise InvalidInputError(f"{quoted(table.path)} has no column left to learn from: {reasons}; give others.")
    described = {code.name: code.said for code in codes if not code.is_plain}
    X = encoded_rows(table.frame, codes, table.place)
    if not (described or encoded):
        return Dataset(X, y, names, tuple(targets), chosen, guessed=guessed)
    return Dataset(X, y, feature_names(codes), tuple(targets), chosen, codes, described, guessed)


def _guessed(table: Table, targets: Sequence[str], loss: Loss) -> str:
    """Why the task is what it is, where it was left open."""
    if len(targets) > 1:
        return "several targets are numbers to predict"
    if is_regression(loss):
        return "the target holds numbers; `--task classification` takes them for classes"
    if is_numeric(table, targets[0]):
        return "the target has two values; `--task regression` takes them for numbers"
    return "the target holds text"


def target_numbers(table: Table, targets: Sequence[str], loss: Loss) -> Array:
    """Numeric targets of shape (n,), or (n, c) for several."""
    remedy = f"the {loss.name} loss learns numbers: encode the column, or choose another `--loss` or target."
    columns = [numbers(table, name, remedy) for name in targets]
    for name, column in zip(targets, columns, strict=True):
        if loss.targets == "count" and np.any(column < 0):
            row = int(np.argmax(column < 0))
            raise InvalidInputError(
                f"Column {quoted(name)} must be >= 0 for the {loss.name} loss, got {column[row]:g} in "
                f"{table.place(row)}; take another `--loss` for negative numbers."
            )
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def with_parameters(name: str, parameters: Mapping[str, float], *, is_given: bool = True) -> Loss:
    """The loss with the parameters that were given as options; one that it has not is an InvalidInputError."""
    for parameter in parameters:
        if parameter not in parameter_names(name):
            owner = next(known for known in LOSSES if parameter in parameter_names(known))
            got = f"`--loss {name}`" if is_given else f"no `--loss`, which means {name} here"
            raise InvalidInputError(f"`--{parameter}` is for `--loss {owner}`, got {got}; change one of them.")
    return rebuilt(name, parameters)


def is_regression(loss: Loss) -> bool:
    """Whether targets of the loss are numbers."""
    return loss.targets in ("real", "count")


def _loss(table: Table, targets: Sequence[str], task: Task, loss: str | None) -> str:
    if loss is not None:
        wanted: Task = "regression" if is_regression(LOSSES[loss]) else "classification"
        if task not in ("auto", wanted):
            raise InvalidInputError(f"`--loss {loss}` is for {wanted}, got `--task {task}`; leave one of them out.")
        task = wanted
    if len(targets) > 1:
        if task == "classification":
            raise InvalidInputError(
                f"Classification takes one target column, got {len(targets)}; train a model for each."
            )
        task = "regression"
    if task == "auto":
        task = _task_of(table, targets[0])
    if loss is not None:
        return loss
    return "squared" if task == "regression" else "logistic"


def _task_of(table: Table, target: str) -> Task:
    """What the column is; an InvalidInputError asks where it holds few whole numbers, each often."""
    if not is_numeric(table, target):
        return "classification"
    values = np.unique(numbers(table, target))
    few = 2 < len(values) <= FEW_VALUES and len(values) * OFTEN <= table.n_rows
    if few and np.all(values == np.rint(values)):
        raise InvalidInputError(
            f"Column {quoted(target)} holds {len(values)} whole numbers, {listed([int(v) for v in values], limit=5)}: "
            "give `--task classification` if they are classes, `--task regression` if they are numbers to predict."
        )
    return "classification" if len(values) == 2 else "regression"


def _labels(table: Table, target: str) -> npt.NDArray[Any]:
    y = labels(table, target)
    classes = np.unique(y).tolist()
    if len(classes) == 1:
        raise InvalidInputError(
            f"Column {quoted(target)} has one class, {quoted(classes[0])}; classification needs two."
        )
    # Two classes are accepted in a table of any size.
    if len(classes) > 2 and 2 * len(classes) > len(y):
        remedy, shown = "name another target or merge classes", [quoted(label) for label in classes[:6]]
        if is_numeric(table, target):
            remedy = "use `--task regression` for numbers"
            shown = [str(label)[:LONGEST] for label in sorted(classes, key=float)]
        listed = ", ".join(shown[:5]) + (", ..." if len(shown) > 5 else "")
        raise InvalidInputError(
            f"Column {quoted(target)} has {len(classes)} classes ({listed}) in {len(y)} rows, most of them only once; "
            f"{remedy}."
        )
    return y
