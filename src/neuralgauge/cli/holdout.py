"""Rows that are kept from the training, to try the network on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InvalidInputError
from .dataset import Dataset, training_data
from .tables import Table


def split(table: Table, columns: tuple[Any, ...], share: float, seed: int) -> tuple[Dataset, Table | None]:
    """The data to train on, and the table of the rows held out: a share in [0, 1), None of 0.

    The rows are drawn at random, of classes the same share of each; of every class at least one row is trained on. The
    whole table is read first, so that neither what is refused nor the task depends on the draw. `columns` are what
    `training_data` takes besides the table.
    """
    whole = training_data(table, *columns)
    if share == 0.0:
        return whole, None
    if not 0.0 < share < 1.0:
        raise InvalidInputError(f"`--holdout` must be a share of the rows, >= 0 and < 1, got {share:g}.")
    labels = np.zeros(table.n_rows) if whole.is_regression else whole.y
    out = held_out(labels, share, np.random.default_rng(seed))
    if not out.any() or np.count_nonzero(~out) < 2:
        raise InvalidInputError(
            f"`--holdout {share:g}` of {len(out)} rows must hold out one row and leave two, one of each class; give "
            "another share, or leave it out."
        )
    targets, drop, *_, parameters = columns
    kept = training_data(
        table.rows(~out), targets, drop, "auto", whole.loss.name, parameters, encoded=bool(whole.codes)
    )
    return replace(kept, guessed=whole.guessed), table.rows(out)


def held_out(labels: npt.NDArray[Any], share: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return a mask (n,): of each label the share of its rows, rounded, and never all of them.

    Examples
    --------
    >>> out = held_out(np.array(["a", "b", "a", "a", "a", "a"]), 0.4, np.random.default_rng(0))
    >>> int(out.sum()), bool(out[1])
    (2, False)
    """
    out = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        out[rng.permutation(rows)[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return out
