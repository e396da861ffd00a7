"""Tables: rows of features to the training problem of a dense network, and to its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_X_y, validate_data

from .._array import Array
from ..errors import InvalidInputError
from ..features.kinds import kept_as_it_is
from ..features.parquet import ParquetRows
from ..preparation.prepared import Prepared, ProblemTerms, UserData, prepared
from ..preparation.standardization import Standardization
from ..problems.canonical import checked_weights
from ..problems.constraints import Constraints, Convexity
from .base import ReLUEstimator, TrainingData


class TableEstimator(ReLUEstimator):
    """Two-layer ReLU networks on tables X of shape (n, d).

    Parameters
    ----------
    standardize : bool, default=True
        Train on columns of mean 0 and deviation 1, and on such targets where the loss is for real numbers, weighted
        by `sample_weight`. Predictions and `network_` are in the units of X and y; `beta`, parameters of a loss such as
        the delta of "huber", `certificate_` and `solution_` are about the standardised problem. Without a bias, columns
        and targets are not centred, and their mean squares are 1; nor are columns of sparse matrices that stay sparse.
        False trains on X and y as they are, the paper's problem.
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        For each column 1 where outputs must not fall with it, -1 where they must not rise, 0 elsewhere, or such numbers
        by name of a column: scikit-learn's form. It holds on every input, by the weights of each neuron. Of one output:
        one target, or two classes, whose probability it is then about.
    convexity : {"convex", "concave"} or None, default=None
        That the outputs of `network_` must be convex, or concave, in x.
    positive : bool, default=False
        That outputs must be >= 0, by output weights >= 0, so that they are convex, too; not with `offset`. Targets are
        then scaled, but not centred, so that it is for targets that come near zero.

    Notes
    -----
    With :math:`m, s` the means and scales of the columns, `network_` is that of `solution_` with weights divided by s
    and biases less the products of m with these, its outputs scaled and shifted likewise, so that it has an offset
    where y was centred. Its weight decay is not the one of the problem that `certificate_` is about: X and y of that
    are ``model.scaling_.features(X)`` and ``model.scaling_.target(y)``, its network is ``model.solution_.network``.

    `ParquetRows`, and of more than 10 million entries sparse matrices, `numpy.memmap` and float32 arrays, are trained
    on as they are, in the order given and without merging equal rows. Smaller ones become float64 arrays.

    Attributes
    ----------
    network_ : TwoLayerNetwork
        The trained network, for X and y as they are.
    scaling_ : Standardization
        Means and scales of the columns and targets, zeros and ones for `standardize=False`.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : array of shape (n_features_in_,)
        Only when X was a table with text column names.
    """

    standardize: bool = True
    monotonic_cst: Any = None
    convexity: Convexity = None
    positive: bool = False

    @property
    def _constraints(self) -> Constraints:
        """What is asked of the outputs, by position of columns."""
        names = getattr(self, "feature_names_in_", None)
        asked = Constraints(self.monotonic_cst, self.convexity, bool(self.positive))
        return asked.by_position(None if names is None else list(names), self.n_features_in_)

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

    def _prepared(
        self, data: TrainingData, chosen: Any = slice(None), scaling: Standardization | None = None
    ) -> Prepared:
        """The problem of the chosen samples, standardised by themselves or by a scaling of others."""
        terms = ProblemTerms(data.loss, self.bias, self._begins_with_offset(), self.standardize, self._constraints)
        return prepared(UserData(data.X, data.targets, data.sample_weight).part(chosen), terms, scaling)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        if kept_as_it_is(X):
            return self.network_.predict(X)
        features = self.scaling_.features(self._checked_features(X, reset=False))
        return self.scaling_.original(self.solution_.network.predict(features))
