"""Centring and scaling of columns, kept with the model so that predictions are in the user's units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import Array, frozen
from ..errors import InvalidInputError
from ..quoting import quoted


@dataclass(frozen=True)
class Standardization:
    """x -> (x - mean) / scale for every feature, and the same for numeric targets.

    Parameters
    ----------
    feature_mean, feature_scale : array of shape (d,)
        Scales are > 0: population standard deviations, 1 for a constant column.
    target_mean, target_scale : float or array of shape (c,)
        Numbers for one target; 0 and 1 for classes and counts.

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
    target_mean: Array | float = 0.0
    target_scale: Array | float = 1.0

    def __post_init__(self) -> None:
        mean = np.array(self.feature_mean, dtype=np.float64)
        scale = np.array(self.feature_scale, dtype=np.float64)
        if mean.ndim != 1 or mean.shape != scale.shape:
            raise InvalidInputError(
                f"`feature_mean` and `feature_scale` must be vectors of one length, got shapes {mean.shape} and "
                f"{scale.shape}."
            )
        scales, means = np.append(scale, self.target_scale), np.append(mean, self.target_mean)
        if np.shape(self.target_mean) != np.shape(self.target_scale) or np.ndim(self.target_mean) > 1:
            raise InvalidInputError(
                "`target_mean` and `target_scale` must be numbers or vectors of one length, got shapes "
                f"{np.shape(self.target_mean)} and {np.shape(self.target_scale)}."
            )
        if not (np.isfinite(means).all() and np.isfinite(scales).all()):
            raise InvalidInputError("Means and scales must be finite, got NaN or infinite ones.")
        if not np.all(scales > 0):
            raise InvalidInputError(f"Scales must be > 0, got {scales.min()}; use 1 for a constant column.")
        object.__setattr__(self, "feature_mean", frozen(mean))
        object.__setattr__(self, "feature_scale", frozen(scale))
        for name in ("target_mean", "target_scale"):
            value = np.array(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, float(value.ravel()[0]) if value.size == 1 else frozen(value))

    @classmethod
    def identity(cls, n_features: int) -> Standardization:
        """The one that changes nothing."""
        return cls(np.zeros(n_features), np.ones(n_features))

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array | None = None,
        names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
    ) -> Standardization:
        """Means and population standard deviations of the columns of X (n, d) and, if given, of y (n,) or (n, c).

        A column whose value is too large for its variance to be a finite number is named by `names` or `target_names`
        and refused.
        """
        d = X.shape[1]
        # One memory order, because it decides the order of summation.
        columns = np.ascontiguousarray(X if y is None else np.column_stack([X, y]))
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = columns.mean(axis=0), columns.std(axis=0)
        labels = [*(names or [f"column {k}" for k in range(d)]), *(target_names or ["the target"])]
        mean, scale = _checked(mean, scale, columns.min(axis=0), columns.max(axis=0), labels)
        if y is None:
            return cls(mean, scale)
        return cls(mean[:d], scale[:d], mean[d:], scale[d:])

    @classmethod
    def streamed(
        cls,
        blocks: Callable[[], Iterable[Array]],
        y: Array | None = None,
        names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
    ) -> Standardization:
        """The same of blocks of rows (k, d), float64, that are passed over twice: for means, then for deviations.

        Equal to `fit` of all rows up to rounding.
        """
        total: Any = 0.0
        low: Any = np.inf
        high: Any = -np.inf
        n = 0
        with np.errstate(over="ignore", invalid="ignore"):
            for block in blocks():
                total, n = total + block.sum(axis=0), n + len(block)
                low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
            mean = np.asarray(total / n)
            squares = sum((np.square(block - mean).sum(axis=0) for block in blocks()), np.zeros_like(mean))
            scale = np.sqrt(squares / n)
        target = cls.fit(np.zeros((n, 1)), y, ["x"], target_names) if y is not None else cls.identity(1)
        return cls(*_checked(mean, scale, low, high, names), target.target_mean, target.target_scale)

    def features(self, X: Array) -> Array:
        """Standardised features of shape (n, d)."""
        return (X - self.feature_mean) / self.feature_scale

    def target(self, y: Array) -> Array:
        """Standardised target, of y's shape (n,) or (n, c)."""
        return (y - self.target_mean) / self.target_scale

    def original(self, f: Array) -> Array:
        """Outputs f of shape (n,) or (n, c) in the units of the targets."""
        return f * self.target_scale + self.target_mean


def _checked(mean: Array, scale: Array, low: Array, high: Array, names: Sequence[str] | None) -> tuple[Array, Array]:
    """Means and scales of columns from `low` to `high`; a constant one has its value as mean, and scale 1."""
    # A constant column can come out of the rounding of the mean with a tiny deviation; subtract its value instead.
    constant = low == high
    mean, scale = np.where(constant, low, mean), np.where(constant | (scale == 0), 1.0, scale)
    bad = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(scale)))
    if bad.size:
        labels = names or [f"column {k}" for k in range(len(mean))]
        raise InvalidInputError(
            f"The values of {quoted(labels[min(int(bad[0]), len(labels) - 1)])} are too large to be standardised "
            "(their variance overflows); divide them by a constant first."
        )
    return mean, scale
