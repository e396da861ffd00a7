"""ReLURegressor: two-layer ReLU regression for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from .._array import Array
from ..losses import Loss, get_loss
from ..solvers.solution import Record
from .base import ReLUEstimator, TrainingData


class Regression(RegressorMixin, ReLUEstimator):  # type: ignore[misc]
    """Targets and predictions of the regressors."""

    _counterpart = "ReLUClassifier"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = (
            getattr(self.loss, "targets", "count" if self.loss == "poisson" else "") == "count"
        )
        return tags

    def _checked_data(self, X: Any, y: Any, sample_weight: Any) -> TrainingData:
        loss = self._checked_loss(("real", "count"))
        features, targets, weight = self._fit_arguments(X, y, sample_weight, y_numeric=True, multi_output=True)
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = column_or_1d(targets, warn=True)
        targets = np.asarray(targets, dtype=np.float64)
        return TrainingData(features, targets, targets, weight, loss)

    def predict(self, X: Any) -> Array:
        """Outputs f(x) of shape (n,) or (n, c); for the Poisson loss the means exp(f(x))."""
        outputs = self._outputs(X)
        return np.exp(outputs) if get_loss(self.loss).targets == "count" else outputs


class ReLURegressor(Regression):
    r"""Two-layer ReLU network for regression, trained to a certified gap.

    Minimises :math:`\sum_i s_i\,\ell(f(x_i), y_i) + \tfrac\beta2 \sum_j (\|u_j\|^2 + \|\alpha_j\|^2)` over networks
    of every width; the width is a result, not a parameter. Several targets share their neurons. Features are taken as
    they are: put a `StandardScaler` before it, and scale y too if its numbers are large or small
    (`TransformedTargetRegressor`).

    Parameters
    ----------
    loss : str or Loss, default="squared"
        A sum over samples and targets: "squared", ``(f - y)**2 / 2``; "absolute", "huber", "epsilon_insensitive"
        (outliers); "quantile"; "poisson" (counts y >= 0, f the logarithm of the mean). An object sets what a name
        leaves at its default, as ``ng.Quantile(level=0.9)``.
    beta : float or None, default=None
        Penalty, > 0, never rescaled. None takes 1 % of the smallest beta that gives the empty network.
    bias : bool, default=True
        Whether hidden neurons have a bias, penalised like any weight.
    offset : bool, default=False
        Whether outputs have an offset, which is not penalised: predictions then follow a shift of y.
    gap : float, default=1e-3
        Relative gap between objective and lower bound at which training stops, > 0.
    time_limit : float or None, default=None
        Seconds after which the best network so far is taken, with a `ConvergenceWarning`.
    random_state : int, RandomState instance or None, default=0
        Seed of the searches; the optimum does not depend on it.
    verbose : bool or callable, default=False
        True prints a line an iteration to stderr; a callable gets each `Record`.

    Attributes
    ----------
    network_ : TwoLayerNetwork
        The trained network; its outputs are f, for the Poisson loss too.
    certificate_ : Certificate
        Objective, lower bound, relative gap and what the bound covers.
    solution_ : Solution
        Everything the solver returned: status, history, dual point, seconds.
    beta_ : float
        The penalty used.
    loss_ : Loss
        The loss as an object.
    n_iter_ : int
        Iterations of the solver.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only when X was a table with text column names.

    Warns
    -----
    ConvergenceWarning
        When training stopped before the requested gap; the message gives the gap that was reached.

    Notes
    -----
    Rows are brought to one order, equal rows are merged and rows of weight zero dropped first, so the result does
    not depend on the order of the rows, and an integer weight is the same as that many copies of the row.

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

    def __init__(
        self,
        *,
        loss: str | Loss = "squared",
        beta: float | None = None,
        bias: bool = True,
        offset: bool = False,
        gap: float = 1e-3,
        time_limit: float | None = None,
        random_state: Any = 0,
        verbose: bool | Callable[[Record], None] = False,
    ) -> None:
        self.loss = loss
        self.beta = beta
        self.bias = bias
        self.offset = offset
        self.gap = gap
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ReLURegressor:
        """Train on X of shape (n, d), n >= 2, and y of shape (n,) or (n, c), with weights >= 0 or None."""
        self._fit_at(self.beta, self._checked_data(X, y, sample_weight))
        return self
