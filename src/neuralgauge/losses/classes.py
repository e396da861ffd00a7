"""From classes to targets of a loss, and from outputs to scores of classes, to a class and to probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, softmax

from .._array import Array
from .protocol import Targets


def class_targets(index: npt.NDArray[np.intp], n_classes: int, kind: Targets) -> Array:
    """Targets from numbers of classes (n,): -1 or +1 of shape (n,) for two classes, else (n, c), one column a class.

    A column holds +1 for its class and -1 for the others. Those of `kind` "simplex" hold 1 and 0, two for two classes.
    """
    if kind == "simplex":
        return np.eye(n_classes)[index]
    indicator = 2.0 * np.eye(n_classes)[index] - 1.0
    return indicator[:, 1].copy() if n_classes == 2 else indicator


def class_scores(outputs: Array, n_classes: int) -> Array:
    """Return scores (n, c) from outputs, one a class; for two classes one score (n,), positive for the second."""
    return outputs[:, 1] - outputs[:, 0] if n_classes == 2 and outputs.ndim == 2 else outputs


def best_class(scores: Array) -> npt.NDArray[np.intp]:
    """Return the number of the class with the largest score, (n,)."""
    return np.argmax(scores, axis=1) if scores.ndim == 2 else (scores > 0).astype(np.intp)


def probabilities(scores: Array, separate: bool) -> Array:
    """Return class probabilities (n, c) from log-odds of two classes, or from logarithms up to a constant a row.

    With `separate` the scores are the log-odds of each class against the rest: their probabilities over their sum.
    """
    if scores.ndim == 1:
        return np.column_stack([expit(-scores), expit(scores)])
    # Through logarithms, since all sigmoids of a row can be zero in floating point.
    return softmax(log_expit(scores) if separate else scores, axis=1)
