"""Targets as losses take them."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from .protocol import Loss


def checked_targets(y: Array, loss: Loss) -> Array:
    """Targets as the loss takes them: softmax labels become indicator columns."""
    if loss.targets == "simplex":
        return probabilities(y)
    wrong = {"sign": np.abs(y) != 1.0, "count": y < 0.0}.get(loss.targets, np.zeros(y.shape, dtype=bool))
    if np.any(wrong):
        row = int(np.argwhere(wrong)[0][0])
        allowed, remedy = {
            "sign": ("-1 or +1", "encode the two classes so, or use ReLUClassifier, which does"),
            "count": (">= 0", "take another loss for negative targets"),
        }[loss.targets]
        raise InvalidInputError(
            f"`y` must be {allowed} for the {loss.name} loss, got {y[wrong][0]} in row {row}; {remedy}."
        )
    return y


def probabilities(y: Array, n_classes: int = 2) -> Array:
    """Rows of class probabilities: indicators of labels, or rows as given, divided by their sums."""
    if y.ndim == 1:
        labels = y.astype(np.intp)
        if np.any(labels != y) or np.any(labels < 0):
            row = int(np.flatnonzero((labels != y) | (labels < 0))[0])
            raise InvalidInputError(
                f"`y` must hold whole numbers 0, ..., c - 1 for the softmax loss, got {y[row]} in row {row}; "
                "number the classes, or use ReLUClassifier, which does."
            )
        return np.eye(max(n_classes, int(labels.max()) + 1))[labels]
    sums = y.sum(axis=1)
    wrong = np.any(y < 0.0, axis=1) | (np.abs(sums - 1.0) > 1e-9)
    if np.any(wrong):
        row = int(np.flatnonzero(wrong)[0])
        raise InvalidInputError(
            f"`y` must have rows of probabilities that sum to 1 for the softmax loss, got {y[row].tolist()} in row "
            f"{row}; divide counts by their sum, or give labels 0, ..., c - 1."
        )
    return y / sums[:, None]
