"""Prediction intervals that hold at a chosen rate, by conformal prediction on rows held out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from .._array import Array, as_targets
from ..errors import InvalidInputError
from ..problems.canonical import checked_weights
from .parameters import Parametrised

ROUNDING = 1e-9  # of (N + 1) coverage: 100 * 0.55 is 55.00000000000001


def conformal_margin(scores: Array, weight: Array, coverage: float) -> float:
    r"""The score that a new one exceeds with probability at most 1 - coverage: number ceil((N + 1) coverage) of N.

    .. math:: \hat q = \min \Big\{ e_k : \sum_{i:\, e_i \le e_k} s_i \ge (N + 1)\,\text{coverage} \Big\}, \qquad
              N = \sum_i s_i

    If the N scores and the new one are exchangeable, the new one is at most :math:`\hat q` with probability at least
    `coverage`, and, without ties, at most coverage + 1 / (N + 1).

    Parameters
    ----------
    scores : array of shape (n,)
        What would have been needed for each row held out.
    weight : array of shape (n,)
        Weights s_i >= 0; a row counts as so many rows, and a new one as one.
    coverage : float
        In (0, 1).

    Raises
    ------
    InvalidInputError
        For a coverage out of range, and for fewer rows than coverage / (1 - coverage), with which only an infinite
        margin holds.

    Notes
    -----
    Cost: O(n log n). Source: Vovk, Gammerman & Shafer (2005), and Theorem 1 of Romano, Patterson & Candes (2019).

    Examples
    --------
    Of nine scores, number ceil(10 * 0.75) = 8:

    >>> conformal_margin(np.arange(1.0, 10.0), np.ones(9), 0.75)
    8.0
    """
    if not 0.0 < coverage < 1.0:
        raise InvalidInputError(f"`coverage` must be > 0 and < 1, got {coverage}; 0.9 covers nine rows of ten.")
    order = np.argsort(scores, kind="stable")
    total = np.cumsum(weight[order])
    needed = (total[-1] + 1.0) * (coverage - ROUNDING)
    if total[-1] < needed:
        least = int(np.ceil(coverage / (1.0 - coverage) - ROUNDING))
        raise InvalidInputError(
            f"`coverage` {coverage:g} needs at least {least} rows held out, got {total[-1]:g}: with fewer only an "
            "infinite interval holds. Hold out more rows, or ask for less coverage."
        )
    return float(scores[order[int(np.argmax(total >= needed))]])


@dataclass(frozen=True)
class Calibration:
    """Rows held out from training: what was predicted for them, and what came.

    Attributes
    ----------
    bounds : array of shape (n, k) or (n, c, k)
        k predictions of each target that intervals may begin and end at, rising.
    y : array of shape (n,) or (n, c)
    weight : array of shape (n,)
    """

    bounds: Array
    y: Array
    weight: Array

    def margin(self, first: int, last: int, coverage: float) -> Array:
        """How far intervals from one bound to another must reach on both sides, each target its own: () or (c,).

        Negative where they may shrink.
        """
        scores = np.maximum(self.bounds[..., first] - self.y, self.y - self.bounds[..., last])
        columns = scores.reshape(len(scores), -1).T
        margins = np.array([conformal_margin(column, self.weight, coverage) for column in columns])
        return margins.reshape(scores.shape[1:])


class ConformalIntervals(Parametrised):
    """Intervals around the predictions of a regressor, as wide as rows held out from its training ask for.

    Attributes
    ----------
    calibration_ : Calibration
        The rows held out, with their predictions; only once there are some.
    """

    @abstractmethod
    def _bounds(self, X: Any) -> Array:
        """Predictions (n, k) or (n, c, k) that intervals may begin and end at, rising."""

    def _pair(self, coverage: float) -> tuple[int, int]:
        """Which of them an interval of this coverage begins and ends at."""
        return 0, 0

    def calibrate(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take n rows X with targets y that were not trained on, which `predict_interval` then rests on; self.

        Weights >= 0 count rows so many times. Rows of an earlier call are forgotten, as they are by `fit`.
        """
        check_is_fitted(self)
        return self._calibrated(self._bounds(X), y, sample_weight)

    def _calibrated(self, bounds: Array, y: Any, sample_weight: Any) -> Self:
        """`calibrate`, once the rows are predicted."""
        targets = np.asarray(as_targets(y, len(bounds)), dtype=np.float64).reshape(len(bounds), -1)
        if targets.size != bounds[..., 0].size:
            raise InvalidInputError(
                f"`y` must have {bounds[..., 0].size // len(bounds)} target(s) a row like those of `fit`, got "
                f"{targets.shape[1]}."
            )
        weight = checked_weights(sample_weight, len(bounds))
        self.calibration_ = Calibration(bounds, targets.reshape(bounds.shape[:-1]), weight)
        return self

    def predict_interval(self, X: Any, coverage: float = 0.9) -> npt.NDArray[np.float64]:
        """Intervals (n, 2), or (n, c, 2) for c targets, that hold a new target with probability >= `coverage`.

        Whatever the network and the distribution: it is enough that new rows and those held out come from the same
        one, independently. The probability is over both, on average over x, and for each of several targets by itself.
        With N rows held out it is at most coverage + 1 / (N + 1), unless targets are tied.

        Parameters
        ----------
        X : array of shape (n, d), or images
        coverage : float, default=0.9
            In (0, 1). N rows held out allow at most N / (N + 1).

        Raises
        ------
        InvalidInputError
            Without rows held out, or with too few for the coverage.
        """
        check_is_fitted(self)
        if not hasattr(self, "calibration_"):
            raise InvalidInputError(
                "`predict_interval` needs rows held out from training, got none; give some to `calibrate(X, y)`."
            )
        first, last = self._pair(coverage)
        margin, bounds = self.calibration_.margin(first, last, coverage), self._bounds(X)
        lower, upper = bounds[..., first] - margin, bounds[..., last] + margin
        # Intervals that shrink to less than nothing hold no target; their middle is as short and may hold one.
        middle = 0.5 * (lower + upper)
        return np.stack([np.minimum(lower, middle), np.maximum(upper, middle)], axis=-1)
