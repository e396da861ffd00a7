"""ReLURegressor and ReLURegressorCV: two-layer ReLU regression for scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from .._array import Array
from ..losses import Loss, get_loss
from .base import NetworkEstimator, Penalised, TrainingData
from .conformal import ConformalIntervals
from .cross_validation import CrossValidated
from .parameters import estimator
from .tables import TableEstimator
from .typed_bases import RegressorMixin


class Regression(ConformalIntervals, RegressorMixin, NetworkEstimator):
    """Targets and predictions of the regressors.

    Parameters
    ----------
    loss : str or Loss, default="squared"
        A sum over samples and targets: "squared", ``(f - y)**2 / 2``; "absolute", "huber", "epsilon_insensitive"
        (outliers); "quantile"; "poisson" (counts y >= 0, f the logarithm of the mean). An object sets what a name
        leaves at its default, as ``ng.Quantile(level=0.9)``.

    Notes
    -----
    Targets y have shape (n,) or (n, c). The outputs of `network_` are f, for the Poisson loss too.

    `calibrate` takes rows that were not trained on, after which `predict_interval` gives intervals of one width around
    the predictions (split conformal prediction). `ReLUQuantileRegressor` has intervals as wide as each x asks for.
    """

    _counterpart = "ReLUClassifier"

    loss: str | Loss = "squared"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = (
            getattr(self.loss, "targets", "count" if self.loss == "poisson" else "") == "count"
        )
        return tags

    def _checked_data(self, X: Any, y: Any, sample_weight: Any) -> TrainingData:
        loss = self._checked_loss(("real", "count"))
        self.__dict__.pop("calibration_", None)
        features, targets, weight = self._fit_arguments(X, y, sample_weight, y_numeric=True, multi_output=True)
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = column_or_1d(targets, warn=True)
        targets = np.asarray(targets, dtype=np.float64)
        return TrainingData(features, targets, targets, weight, loss)

    def predict(self, X: Any) -> Array:
        """Outputs f(x) of shape (n,) or (n, c); for the Poisson loss the means exp(f(x))."""
        outputs = self._outputs(X)
        return np.exp(outputs) if get_loss(self.loss).targets == "count" else outputs

    def _bounds(self, X: Any) -> Array:
        return self.predict(X)[..., None]


@estimator
class ReLURegressor(Regression, Penalised, TableEstimator):
    r"""Two-layer ReLU network for regression, trained to a certified gap.

    Minimises :math:`\sum_i s_i\,\ell(f(x_i), y_i) + \tfrac\beta2 \sum_j (\|u_j\|^2 + \|\alpha_j\|^2)` over networks
    of every width; the width is a result, not a parameter. Several targets share their neurons. Columns and targets may
    have any units: x and y are standardised inside, see `standardize`.

    Examples
    --------
    >>> from neuralgauge import ReLURegressor
    >>> X = [[-2.0], [-1.0], [0.0], [1.0], [2.0]]
    >>> model = ReLURegressor(beta=0.01).fit(X, [2.0, 1.0, 0.0, 1.0, 2.0])
    >>> model.certificate_.gap <= 1e-3
    True
    >>> abs(float(model.predict([[1.5]])[0]) - 1.5) < 0.05
    True
    """


@estimator
class ReLURegressorCV(Regression, CrossValidated, TableEstimator):
    r"""`ReLURegressor` with beta chosen by cross-validation.

    All folds descend one sequence of penalties together, each fold's training starting from its network at the penalty
    before; the penalty of the best mean score is then used on all rows.

    Examples
    --------
    >>> from neuralgauge import ReLURegressorCV
    >>> X = [[0.25 * k] for k in range(-12, 13)]
    >>> model = ReLURegressorCV(n_betas=5).fit(X, [abs(x[0]) for x in X])
    >>> len(model.betas_), model.scores_.shape, round(model.score(X, [abs(x[0]) for x in X]), 2)
    (7, (7, 5), 1.0)
    """
