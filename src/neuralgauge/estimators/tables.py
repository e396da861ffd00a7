"""Tables: rows of features to the training problem of a dense network, and to its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from .._array import Array
from ..errors import InvalidInputError
from ..losses.targets import checked_targets
from ..problems.canonical import canonical_rows, checked_weights
from ..problems.training import TrainingProblem
from .base import ReLUEstimator, TrainingData


class TableEstimator(ReLUEstimator):
    """Two-layer ReLU networks on tables X of shape (n, d).

    Attributes
    ----------
    network_ : TwoLayerNetwork
        The trained network.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : array of shape (n_features_in_,)
        Only when X was a table with text column names.
    """

    def _checked_features(self, X: Any, **options: Any) -> Any:
        """What `validate_data` returns, after a look for values that are not finite."""
        checked = validate_data(self, X, dtype=np.float64, order="C", ensure_all_finite=False, **options)
        features = checked[0] if isinstance(checked, tuple) else checked
        bad = np.argwhere(~np.isfinite(features))
        if len(bad):
            row, column = (int(k) for k in bad[0])
            names = getattr(self, "feature_names_in_", None)
            label = f"column {column}" if names is None else f"column {names[column]!r}"
            value = "NaN" if np.isnan(features[row, column]) else str(features[row, column])
            raise InvalidInputError(
                f"`X` must be finite, got {value} in row {row}, {label} ({len(bad)} such "
                f"value{'s' if len(bad) > 1 else ''}); impute or drop them first."
            )
        return checked

    def _fit_arguments(self, X: Any, y: Any, sample_weight: Any, **options: Any) -> tuple[Array, Any, Array]:
        features, targets = self._checked_features(X, y=y, ensure_min_samples=2, **options)
        return features, targets, checked_weights(sample_weight, len(features))

    def _problem(self, data: TrainingData, chosen: Any = slice(None)) -> TrainingProblem:
        loss, targets = data.loss, checked_targets(data.targets, data.loss)
        rows, targets, weight = canonical_rows(data.X[chosen], targets[chosen], data.sample_weight[chosen])
        return TrainingProblem(
            rows, targets, beta=1.0, loss=loss, bias=self.bias, offset=self.offset, sample_weight=weight
        )

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        return self.network_.predict(self._checked_features(X, reset=False))
