"""Tables: rows of features to the training problem of a dense network, and to its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_X_y, validate_data

from .._array import Array
from ..errors import InvalidInputError
from ..features.kinds import kept_as_it_is
from ..features.parquet import ParquetRows
from ..losses import Loss
from ..losses.targets import checked_targets
from ..problems.canonical import canonical_rows, checked_weights
from ..problems.training import TrainingProblem
from .base import ReLUEstimator, TrainingData


class TableEstimator(ReLUEstimator):
    """Two-layer ReLU networks on tables X of shape (n, d).

    Notes
    -----
    `ParquetRows`, and of more than 10 million entries sparse matrices, `numpy.memmap` and float32 arrays, are trained
    on as they are, in the order given and without merging equal rows. Smaller ones become float64 arrays.

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
        options |= {"dtype": np.float64, "order": "C", "ensure_all_finite": False, "accept_sparse": True}
        checked = validate_data(self, X, **options)
        features = checked[0] if isinstance(checked, tuple) else checked
        if hasattr(features, "toarray"):
            features = features.toarray()
            checked = (features, *checked[1:]) if isinstance(checked, tuple) else features
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
        if kept_as_it_is(X):
            return X, self._checked_targets(X, y, options), checked_weights(sample_weight, X.shape[0])
        features, targets = self._checked_features(X, y=y, ensure_min_samples=2, **options)
        return features, targets, checked_weights(sample_weight, len(features))

    def _checked_targets(self, X: Any, y: Any, options: dict[str, Any]) -> Any:
        """y as scikit-learn checks it, beside rows that stay as they are; keeps the number and names of columns."""
        _, targets = check_X_y(np.zeros((X.shape[0], 1)), y, ensure_min_samples=2, **options)
        self.n_features_in_ = X.shape[1]
        self.__dict__.pop("feature_names_in_", None)
        if isinstance(X, ParquetRows):
            self.feature_names_in_ = np.array(X.names, dtype=object)
        return targets

    def _problem(self, data: TrainingData, chosen: Any = slice(None)) -> TrainingProblem:
        loss, targets = data.loss, checked_targets(data.targets, data.loss)
        if kept_as_it_is(data.X):
            return self._kept_problem(data, targets, chosen)
        rows, targets, weight = canonical_rows(data.X[chosen], targets[chosen], data.sample_weight[chosen])
        return TrainingProblem(rows, targets, **self._terms(loss), sample_weight=weight)

    def _terms(self, loss: Loss) -> dict[str, Any]:
        """What a problem of the estimator is besides its data."""
        return {"beta": 1.0, "loss": loss, "bias": self.bias, "offset": self._begins_with_offset()}

    def _kept_problem(self, data: TrainingData, targets: Array, chosen: Any) -> TrainingProblem:
        """The problem of rows as they are, in the order given: sorting and merging them would copy them."""
        weight, X = data.sample_weight, data.X
        if not (isinstance(chosen, slice) and np.all(weight > 0)):
            if isinstance(X, ParquetRows):
                raise InvalidInputError(
                    "rows of a Parquet file are trained on as they are: give weights above zero, and choose `beta` by "
                    "`relu_path` with validation data in place of cross-validation."
                )
            kept = np.arange(len(weight))[chosen]
            kept = kept[weight[kept] > 0]
            X, targets, weight = (X.tocsr() if hasattr(X, "tocsr") else X)[kept], targets[kept], weight[kept]
        return TrainingProblem(
            X,
            targets,
            beta=1.0,
            loss=data.loss,
            bias=self.bias,
            offset=self._begins_with_offset(),
            sample_weight=weight,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        if kept_as_it_is(X):
            return self.network_.predict(X)
        return self.network_.predict(self._checked_features(X, reset=False))
