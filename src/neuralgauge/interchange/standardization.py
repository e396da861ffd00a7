"""Centring and scaling of columns, kept with the model so that predictions are in the user's units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._array import Array, frozen
from ..errors import InvalidInputError


@dataclass(frozen=True)
class Standardization:
    """x -> (x - mean) / scale for every feature, and the same for a numeric target.

    Parameters
    ----------
    feature_mean, feature_scale : array of shape (d,)
        Scales are > 0: population standard deviations, 1 for a constant column.
    target_mean, target_scale : float
        0 and 1 for classes.

    Examples
    --------
    >>> import numpy as np
    >>> scaling = Standardization.fit(np.array([[1.0, 7.0], [3.0, 7.0]]), np.array([10.0, 30.0]))
    >>> scaling.features(np.array([[3.0, 7.0]])).tolist()
    [[1.0, 0.0]]
    >>> scaling.original(np.array([1.0])).tolist()
    [30.0]
    """

    feature_mean: Array
    feature_scale: Array
    target_mean: float = 0.0
    target_scale: float = 1.0

    def __post_init__(self) -> None:
        mean = np.array(self.feature_mean, dtype=np.float64)
        scale = np.array(self.feature_scale, dtype=np.float64)
        if mean.ndim != 1 or mean.shape != scale.shape:
            raise InvalidInputError(
                f"`feature_mean` and `feature_scale` must be vectors of one length, got shapes {mean.shape} and "
                f"{scale.shape}."
            )
        scales = np.append(scale, self.target_scale)
        if not (np.isfinite(mean).all() and np.isfinite(self.target_mean) and np.isfinite(scales).all()):
            raise InvalidInputError("Means and scales must be finite, got NaN or infinite ones.")
        if not np.all(scales > 0):
            raise InvalidInputError(f"Scales must be > 0, got {scales.min()}; use 1 for a constant column.")
        object.__setattr__(self, "feature_mean", frozen(mean))
        object.__setattr__(self, "feature_scale", frozen(scale))

    @classmethod
    def identity(cls, n_features: int) -> Standardization:
        """The one that changes nothing."""
        return cls(np.zeros(n_features), np.ones(n_features))

    @classmethod
    def fit(cls, X: Array, y: Array | None = None, names: Sequence[str] | None = None) -> Standardization:
        """Means and population standard deviations of the columns of X (n, d) and, if given, of y (n,).

        A column whose value is too large for its variance to be a finite number is named by `names` and refused.
        """
        # One memory order, because it decides the order of summation.
        columns = np.ascontiguousarray(X if y is None else np.column_stack([X, y]))
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = columns.mean(axis=0), columns.std(axis=0)
        # A constant column can come out of the rounding of the mean with a tiny deviation; subtract its value instead.
        constant = columns.max(axis=0) == columns.min(axis=0)
        mean[constant] = columns[0, constant]
        scale[constant | (scale == 0)] = 1.0
        bad = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(scale)))
        if bad.size:
            labels = [*(names or [f"column {k}" for k in range(X.shape[1])]), "the target"]
            raise InvalidInputError(
                f"The values of {labels[int(bad[0])]!r} are too large to be standardised (their variance overflows); "
                "divide them by a constant first."
            )
        if y is None:
            return cls(mean, scale)
        return cls(mean[:-1], scale[:-1], float(mean[-1]), float(scale[-1]))

    def features(self, X: Array) -> Array:
        """Standardised features of shape (n, d)."""
        return (X - self.feature_mean) / self.feature_scale

    def target(self, y: Array) -> Array:
        """Standardised target of shape (n,)."""
        return (y - self.target_mean) / self.target_scale

    def original(self, f: Array) -> Array:
        """Outputs f of shape (n,) in the units of the target."""
        return f * self.target_scale + self.target_mean
