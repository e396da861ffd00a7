"""How well a model predicts rows: scores, residuals, confusion, and how far its probabilities can be trusted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..errors import InvalidInputError
from .scales import percent, shown
from .subject import Subject

MOST_BINS = 10  # of probabilities
ROWS_A_BIN = 10
COVERAGE = 0.9  # of intervals


class Score(NamedTuple):
    """A figure with what it is called and what it means."""

    name: str
    value: str
    meaning: str


class ClassRow(NamedTuple):
    """Of a class: rows, those predicted to be in each class, and the shares found and right."""

    name: str
    counts: tuple[int, ...]
    rows: int
    recall: str
    precision: str


def scores(subject: Subject, predicted: npt.NDArray[Any]) -> list[tuple[str, list[Score]]]:
    """Scores under the name of each target, or of the classes together; predictions as numbers or positions."""
    if subject.saved.classes:
        return [("", _of_classes(subject, predicted))]
    y, f = subject.y.reshape(len(subject.rows), -1), predicted.reshape(len(subject.rows), -1)
    intervals = _intervals(subject)
    return [(name, _of_numbers(y[:, k], f[:, k]) + intervals[k]) for k, name in enumerate(subject.outputs)]


def _intervals(subject: Subject) -> list[list[Score]]:
    """For each target how many rows the intervals of a calibrated estimator hold, and their width; or nothing."""
    nothing: list[list[Score]] = [[] for _ in subject.outputs]
    if not hasattr(subject.model, "calibration_"):
        return nothing
    try:
        ends = subject.model.predict_interval(subject.table, coverage=COVERAGE).reshape(len(subject.rows), -1, 2)
    except InvalidInputError:  # too few rows were held out for this coverage
        return nothing
    y = subject.y.reshape(len(subject.rows), -1)
    held, width = ((ends[..., 0] <= y) & (y <= ends[..., 1])).mean(axis=0), (ends[..., 1] - ends[..., 0]).mean(axis=0)
    name = f"{percent(COVERAGE)} intervals"
    return [
        [Score(name, percent(held[k], 3), f"rows that they hold; their mean width is {shown(width[k])}")]
        for k in range(len(subject.outputs))
    ]


def _of_numbers(y: Array, f: Array) -> list[Score]:
    found = errors(y, f)
    return [
        Score("R²", shown(found["r2"], 3), "share of the variance that is explained; 0 for the mean of all rows"),
        Score("root mean square error", shown(found["rmse"]), "in units of the target"),
        Score("mean absolute error", shown(found["mae"]), "in units of the target"),
        Score("largest error", shown(float(np.abs(y - f).max())), "in units of the target"),
    ]


def _of_classes(subject: Subject, predicted: npt.NDArray[Any]) -> list[Score]:
    y, k = subject.y, len(subject.saved.classes)
    counts = np.bincount(y, minlength=k)
    recalls = [float(np.mean(predicted[y == c] == c)) for c in range(k) if counts[c]]
    found = [
        Score("accuracy", percent(float(np.mean(predicted == y)), 3), "rows whose class is predicted"),
        Score("balanced accuracy", percent(float(np.mean(recalls)), 3), "mean over the classes of the share found"),
        Score("most frequent class", percent(counts.max() / len(y), 3), "accuracy of always predicting it"),
    ]
    if subject.saved.has_probabilities:
        chance = np.maximum(subject.saved.predict_proba(subject.rows)[np.arange(len(y)), y], np.finfo(float).tiny)
        loss = shown(float(-np.mean(np.log(chance))))
        found.append(Score("log loss", loss, "mean of −log(probability of the class)"))
    return found


def errors(y: Array, predicted: Array) -> dict[str, float]:
    """R^2, root mean square error and mean absolute error of predictions (n,).

    Examples
    --------
    >>> errors(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))["r2"]
    0.5
    """
    with np.errstate(over="ignore", invalid="ignore"):  # of targets as large as 1e200
        miss, spread = predicted - y, y - y.mean()
        # A constant target has the rounding of its mean for a spread.
        total = float(np.sum(spread**2)) if y.min() < y.max() else np.nan
        return {
            "r2": float(1.0 - np.sum(miss**2) / total),
            "rmse": float(np.sqrt(np.mean(miss**2))),
            "mae": float(np.mean(np.abs(miss))),
        }


def confusion(subject: Subject, predicted: npt.NDArray[Any]) -> list[ClassRow]:
    """A row for each class, how many of its rows are predicted to be in each."""
    k = len(subject.saved.classes)
    counts = np.zeros((k, k), dtype=np.intp)
    np.add.at(counts, (subject.y, predicted), 1)
    told = counts.sum(axis=0)
    return [
        ClassRow(
            str(name),
            tuple(counts[c].tolist()),
            int(counts[c].sum()),
            percent(counts[c, c] / counts[c].sum()) if counts[c].sum() else "–",
            percent(counts[c, c] / told[c]) if told[c] else "–",
        )
        for c, name in enumerate(subject.saved.classes)
    ]


def reliability(subject: Subject) -> tuple[Array, Array] | None:
    """Mean probability of the predicted class, and how often it is right, in bins of equal numbers of rows.

    None where the loss gives no probabilities, or rows for fewer than three bins.
    """
    bins = min(MOST_BINS, len(subject.rows) // ROWS_A_BIN)
    if not subject.saved.has_probabilities or bins < 3:
        return None
    chances = subject.saved.predict_proba(subject.rows)
    confidence, right = chances.max(axis=1), np.argmax(chances, axis=1) == subject.y
    parts = np.array_split(np.argsort(confidence, kind="stable"), bins)
    return np.array([confidence[p].mean() for p in parts]), np.array([right[p].mean() for p in parts])


def predictions(subject: Subject) -> npt.NDArray[Any]:
    """Numbers as y has them, or positions of classes."""
    predicted = subject.saved.predict(subject.rows)
    if not subject.saved.classes:
        return predicted
    known = {label: k for k, label in enumerate(subject.saved.classes)}
    return np.array([known[label] for label in predicted.tolist()])
