"""ReLUQuantileRegressor: conditional quantiles at several levels, and intervals between them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._array import Array
from ..errors import InvalidInputError
from ..features.kinds import kept_as_it_is
from ..features.parquet import ParquetRows
from ..losses import Quantile
from ..problems.canonical import canonical_rows
from .base import Penalised, TrainingData
from .conformal import ConformalIntervals
from .parameters import estimator
from .regressor import ReLURegressor
from .tables import TableEstimator
from .typed_bases import RegressorMixin

# Of the penalty that gives the empty network. Decided on three generated tables of 3 to 8 columns with 100 and 300
# rows, levels 0.05, 0.5 and 0.95: held-out losses are a quarter to all of those at 1 %, and near the best up to 50 %.
FRACTION = 0.1


@estimator
class ReLUQuantileRegressor(ConformalIntervals, RegressorMixin, Penalised, TableEstimator):
    r"""Conditional quantiles by ReLU networks, each trained to a certified gap, and intervals that hold on new rows.

    One network for each level :math:`\tau`, by the loss "quantile",
    :math:`\tau (y - f)_+ + (1 - \tau) (f - y)_+`. Part of the rows is held out from training; on them
    `predict_interval` finds by how much the interval between two quantiles must grow, or may shrink, to hold a new
    target as often as is asked for: conformalised quantile regression. Intervals are wide where y is uncertain.

    Parameters
    ----------
    levels : sequence of float, default=(0.05, 0.5, 0.95)
        Levels in (0, 1), one or more, in any order. An interval of coverage c lies between those nearest to
        (1 - c) / 2 and (1 + c) / 2.
    holdout : float, default=0.25
        Share of the rows, in [0, 1), that is held out for the intervals, drawn by `random_state`; rounded down. 0
        trains on all of them: give others to `calibrate`.
    beta : float or None, default=None
        Penalty of every level, > 0, never rescaled. None takes, for each level, a tenth of the smallest beta that gives
        the empty network.
    offset : bool, default=True
        Whether outputs have an offset, which is not penalised.
    gap : float, default=1e-2
        Relative gap between objective and lower bound at which the training of each level stops, > 0.
    time_limit : float or None, default=None
        Seconds for all levels together, after which the best networks so far are taken, with a `ConvergenceWarning`.

    Attributes
    ----------
    levels_ : array of shape (k,)
        The levels, rising.
    estimators_ : list of ReLURegressor
        The fitted regressor of each level, with its network and its certificate. Those of the middle level, the one
        nearest to 0.5, are also attributes of this estimator.
    calibration_ : Calibration
        The rows held out, with their quantiles.
    network_ : TwoLayerNetwork
        That of the middle level, as are all other attributes that are not lists.

    Notes
    -----
    Networks of neighbouring levels may cross. Quantiles are sorted in each row, which never takes them further from the
    true ones (Chernozhukov, Fernandez-Val & Galichon, 2010), here and for the intervals.

    The guarantee of `predict_interval` needs nothing of the networks but that they are trained on the other rows alone:
    Theorem 1 of Romano, Patterson & Candes (2019). Equal rows are held out by their number, as if drawn one by one.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralgauge import ReLUQuantileRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(0.0, 2.0, size=(200, 1))
    >>> y = X[:, 0] * (1.0 + 0.5 * rng.normal(size=200))
    >>> model = ReLUQuantileRegressor(levels=(0.1, 0.9), gap=0.1).fit(X[:150], y[:150])
    >>> model.predict_quantiles([[0.5], [1.5]]).shape, len(model.calibration_.y)
    ((2, 2), 37)
    >>> lower, upper = model.predict_interval(X[150:], coverage=0.8).T
    >>> bool(0.7 <= np.mean((lower <= y[150:]) & (y[150:] <= upper)) <= 0.95)
    True
    >>> near, far = np.diff(model.predict_interval([[0.2], [1.8]], coverage=0.8))[:, 0]
    >>> bool(far > 2.0 * near)
    True
    """

    levels: Sequence[float] = (0.05, 0.5, 0.95)
    holdout: float = 0.25
    offset: bool = True
    gap: float = 1e-2

    def _checked_data(self, X: Any, y: Any, sample_weight: Any) -> TrainingData:
        levels = np.unique(np.asarray(self.levels, dtype=np.float64).ravel())
        if levels.size == 0 or not np.all((levels > 0.0) & (levels < 1.0)):
            raise InvalidInputError(f"`levels` must be one or more numbers > 0 and < 1, got {self.levels!r}.")
        if not 0.0 <= self.holdout < 1.0:
            raise InvalidInputError(f"`holdout` must be >= 0 and < 1, got {self.holdout!r}; 0 holds no rows out.")
        if self.convexity is not None and len(levels) > 1:
            raise InvalidInputError(
                "`convexity` is for one level, got several, whose quantiles are put in order in each row and convex no "
                "more; give one of the `levels`."
            )
        self.levels_ = levels
        features, targets, weight = self._fit_arguments(X, y, sample_weight, y_numeric=True)
        targets = np.asarray(targets, dtype=np.float64)
        return TrainingData(features, targets, targets, weight, Quantile(float(levels[self._middle])))

    @property
    def _middle(self) -> int:
        return int(np.argmin(np.abs(self.levels_ - 0.5)))

    def _fit_data(self, data: TrainingData) -> None:
        """Train every level on the rows that are not held out, and calibrate on those that are."""
        X, y, weight = data.X, data.targets, data.sample_weight
        if isinstance(X, ParquetRows) and self.holdout > 0.0:
            raise InvalidInputError(
                "rows of a Parquet file are trained on as they are: give `holdout=0`, and other rows to `calibrate`."
            )
        if not kept_as_it_is(X):
            X, y, weight = canonical_rows(X, y, weight)
        elif hasattr(X, "tocsr"):
            X = X.tocsr()
        held = held_out_weights(weight, self.holdout, np.random.default_rng(self._seed()))
        self._train_levels(data._replace(X=X, y=y, targets=y, sample_weight=weight - held))
        middle = vars(self.estimators_[self._middle])
        self.__dict__.update({name: value for name, value in middle.items() if name.endswith("_")})
        self.__dict__.pop("calibration_", None)
        if np.any(held):
            rows = held > 0.0
            self._calibrated(self._quantiles(X[rows]), y[rows], held[rows])

    def _train_levels(self, data: TrainingData) -> None:
        """Sets `estimators_`, trained one after the other in the time for all."""
        begin, limit = time.perf_counter(), self._checked_time_limit()
        names = [name for name in ReLURegressor().get_params() if name != "loss"]
        shared = {name: getattr(self, name) for name in names}
        shared["monotonic_cst"] = self._constraints.monotonic_cst
        before = {one.loss.level: one for one in getattr(self, "estimators_", ()) if self.warm_start}
        fitted = []
        for k, level in enumerate(self.levels_.tolist()):
            if limit is not None:
                left = limit - (time.perf_counter() - begin)
                shared["time_limit"] = max(left / (len(self.levels_) - k), 1e-3)
            model = before.get(level, ReLURegressor()).set_params(**shared, loss=Quantile(level))
            model.n_features_in_ = self.n_features_in_
            level_data = data._replace(loss=model.loss)
            if self.beta is None:
                model.beta = FRACTION * model._beta_max(model._prepared(level_data).problem)
            model._fit_data(level_data)
            fitted.append(model)
        self.estimators_ = fitted

    def predict_quantiles(self, X: Any) -> Array:
        """Quantiles of y for each row, (n, k), at the rising `levels_`; rising in every row."""
        check_is_fitted(self)
        return self._quantiles(X if kept_as_it_is(X) else self._checked_features(X, reset=False))

    def _quantiles(self, features: Any) -> Array:
        """Those of checked rows."""
        return np.sort(np.column_stack([model.predict(features) for model in self.estimators_]), axis=1)

    def predict(self, X: Any) -> Array:
        """Quantiles (n,) at the middle level, the one nearest to 0.5: of the levels by default the median."""
        return self.predict_quantiles(X)[:, self._middle]

    _bounds = predict_quantiles

    def _pair(self, coverage: float) -> tuple[int, int]:
        wanted = (0.5 * (1.0 - coverage), 0.5 * (1.0 + coverage))
        first, last = (int(np.argmin(np.abs(self.levels_ - level))) for level in wanted)
        return first, last


def held_out_weights(weight: Array, share: float, rng: np.random.Generator) -> Array:
    """The part (n,) of the weights (n,) that is held out: of N rows floor(share N), drawn without replacement.

    Whole weights are numbers of equal rows, of which some may be held out and others not; other weights go to one side.

    Examples
    --------
    >>> held = held_out_weights(np.array([3.0, 0.0, 5.0]), 0.5, np.random.default_rng(0))
    >>> float(held.sum()), float(held[1])
    (4.0, 0.0)
    >>> sorted(held_out_weights(np.array([0.5, 0.5, 0.5, 0.5]), 0.5, np.random.default_rng(0)).tolist())
    [0.0, 0.0, 0.5, 0.5]
    """
    whole = bool(np.all(weight == np.floor(weight)))
    counts = (weight if whole else weight > 0.0).astype(np.int64)
    held = rng.multivariate_hypergeometric(counts, int(share * counts.sum()), method="marginals")
    return held.astype(np.float64) if whole else held * weight
