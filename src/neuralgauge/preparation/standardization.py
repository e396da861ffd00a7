"""Centring and scaling of columns, kept with the model so that predictions are in the user's units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import Array, frozen
from ..errors import InvalidInputError
from ..features.chunks import Floats
from ..features.streamed import check_finite
from ..networks.dense import TwoLayerNetwork
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
        *,
        weight: Array | None = None,
        centred: bool = True,
    ) -> Standardization:
        """Means and population standard deviations of the columns of X (n, d) and, if given, of y (n,) or (n, c).

        They are weighted by `weight` (n,), > 0. Not `centred`, means are 0 and scales are the roots of mean squares. A
        column whose value is too large for its variance to be a finite number is named by `names` or `target_names`
        and refused.
        """
        # One memory order, because it decides the order of summation.
        rows = np.ascontiguousarray(X)
        return cls.streamed(lambda: (rows,), y, names, target_names, weight=weight, centred=centred)

    @classmethod
    def streamed(
        cls,
        blocks: Callable[[], Iterable[Floats]],
        y: Array | None = None,
        names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        *,
        weight: Array | None = None,
        centred: bool = True,
    ) -> Standardization:
        """The same of blocks of rows (k, d) that are passed over twice: for means, then for deviations.

        Equal to `fit` of all rows up to rounding; values that are not finite are refused.
        """
        mean, scale = _moments(blocks, weight, centred, names)
        if y is None:
            return cls(mean, scale)
        targets = np.ascontiguousarray(y.reshape(len(y), -1))
        return cls(mean, scale, *_moments(lambda: (targets,), weight, centred, target_names or ["the target"]))

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        means, scales = (self.feature_mean, self.target_mean), (self.feature_scale, self.target_scale)
        return not any(np.any(mean) for mean in means) and all(np.all(np.equal(scale, 1.0)) for scale in scales)

    def features(self, X: Array) -> Array:
        """Standardised features of shape (n, d)."""
        return (X - self.feature_mean) / self.feature_scale

    def target(self, y: Array) -> Array:
        """Standardised target, of y's shape (n,) or (n, c)."""
        return (y - self.target_mean) / self.target_scale

    def original(self, f: Array) -> Array:
        """Outputs f of shape (n,) or (n, c) in the units of the targets."""
        return f * self.target_scale + self.target_mean

    def unscaled(self, network: TwoLayerNetwork) -> TwoLayerNetwork:
        r"""Return the network of raw columns whose outputs are in the units of the targets.

        With means m and scales s of the features, M and S of the targets, u, the last entry of which is the bias,
        becomes :math:`(u_k / s_k, \dots, u_{d+1} - \sum_k m_k u_k / s_k)`, alpha becomes S alpha, and the offset
        S b + M. Without a bias means other than zero are an InvalidInputError.

        Examples
        --------
        >>> scaling = Standardization([10.0], [2.0], 5.0, 3.0)
        >>> network = TwoLayerNetwork([[1.0], [0.5]], [1.0])
        >>> network.predict(scaling.features(np.array([[14.0]]))).tolist()
        [2.5]
        >>> scaling.unscaled(network).predict([[14.0]]).tolist()  # 3 * 2.5 + 5
        [12.5]
        """
        if self.is_identity:
            return network
        d = len(self.feature_mean)
        U = network.U.copy()
        U[:d] /= self.feature_scale[:, None]
        if network.bias:
            U[d] -= self.feature_mean @ U[:d]
        elif np.any(self.feature_mean):
            raise InvalidInputError("A network without bias cannot take up means of columns; train with `bias=True`.")
        return network.with_neurons(U, network.A * self.target_scale, self.original(np.asarray(network.offset)))

    def relative_to(self, other: Standardization) -> Standardization:
        """The standardization that takes what `other` has standardised to what this one makes of the same columns."""
        return Standardization(
            (self.feature_mean - other.feature_mean) / other.feature_scale,
            self.feature_scale / other.feature_scale,
            (self.target_mean - other.target_mean) / other.target_scale,
            self.target_scale / other.target_scale,
        )

    def moved(self, network: TwoLayerNetwork, other: Standardization, offset: bool) -> TwoLayerNetwork:
        """Return a network of columns standardised by this one for columns that `other` has standardised.

        Where outputs have no `offset`, one that other means of the targets ask for is left out.
        """
        result = self.relative_to(other).unscaled(network)
        return result if offset or result is network else result.with_neurons(result.U, result.A, 0.0)


def _moments(
    blocks: Callable[[], Iterable[Floats]], weight: Array | None, centred: bool, names: Sequence[str] | None
) -> tuple[Array, Array]:
    """Means and deviations of the columns of blocks of rows, or zeros and roots of mean squares."""

    def weighted() -> Iterator[tuple[Array, Array]]:
        first = 0
        for block in blocks():
            check_finite(block, first, None if names is None else tuple(names))
            rows = block.astype(np.float64, copy=False)
            yield rows, np.ones((len(rows), 1)) if weight is None else weight[first : first + len(rows), None]
            first += len(rows)

    total: Any = 0.0
    low: Any = np.inf
    high: Any = -np.inf
    mass = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for block, share in weighted():
            total, mass = total + (share * block).sum(axis=0), mass + float(share.sum())
            low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        mean = np.asarray(total / mass) if centred else np.zeros(np.shape(total))
        parts = ((share * np.square(block - mean)).sum(axis=0) for block, share in weighted())
        squares = sum(parts, np.zeros_like(mean))
        scale = np.sqrt(squares / mass)
    # A constant column can come out of the rounding of the mean with a tiny deviation; subtract its value instead.
    constant = np.asarray(low == high) & centred
    return _checked(np.where(constant, low, mean), np.where(constant, 1.0, scale), names)


def _checked(mean: Array, scale: Array, names: Sequence[str] | None) -> tuple[Array, Array]:
    """Means and scales, 1 in the place of 0; an InvalidInputError names a column for which they are not finite."""
    bad = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(scale)))
    if bad.size:
        labels = names or [f"column {k}" for k in range(len(mean))]
        raise InvalidInputError(
            f"The values of {quoted(labels[min(int(bad[0]), len(labels) - 1)])} are too large to be standardised "
            "(their variance overflows); divide them by a constant first."
        )
    return mean, np.where(scale == 0, 1.0, scale)
