"""A network on a box of inputs: every neuron in coordinates in which the box is a cube and it is at most one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import LinearConstraint

from .._array import Array, BoolArray
from ..errors import InvalidInputError
from ..networks.dense import TwoLayerNetwork

EPS = float(np.finfo(np.float64).eps)


class LinearRows(NamedTuple):
    """Linear constraints A x <= b, rows (r, k) and right sides (r,)."""

    A: Array
    b: Array


@dataclass(frozen=True)
class NetworkOnBox:
    """The neurons of a network for x = middle + half * t with t in [-1, 1]^k, k features that are not fixed.

    Attributes
    ----------
    network : TwoLayerNetwork
        As it was given.
    lower, upper : array of shape (d,)
        The box, whole numbers at features that are integers.
    integer : array of bool, shape (d,)
        Which features are.
    free : array of int, shape (k,)
        Features whose bounds differ.
    slope, level : arrays of shapes (m, k) and (m,)
        x^T u_j = size_j (slope_j . t + level_j), at most size_j in absolute value.
    size : array of shape (m,)
        0 for a neuron that is zero on the box.
    rounding : array of shape (m,)
        What rounding can change of slope_j . t + level_j, and of the same in a prediction.
    """

    network: TwoLayerNetwork
    lower: Array
    upper: Array
    integer: BoolArray
    free: npt.NDArray[np.intp]
    slope: Array
    level: Array
    size: Array
    rounding: Array

    @classmethod
    def of(cls, network: TwoLayerNetwork, lower: Any, upper: Any, integer: Any = ()) -> NetworkOnBox:
        """Check the box and put the neurons into its coordinates; cost O(d m)."""
        low, high, whole = checked_box(network.n_features, lower, upper, integer)
        middle, half = 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low
        free = np.flatnonzero(high > low)
        W = network.U[: network.n_features].T
        bias = network.U[-1] if network.bias else np.zeros(network.n_neurons)
        with np.errstate(over="ignore", invalid="ignore"):
            slope, level = W[:, free] * half[free], W @ middle + bias
            size = np.abs(slope).sum(axis=1) + np.abs(level)
            terms = np.abs(W) @ (np.abs(middle) + half) + np.abs(bias)
            total = size @ np.abs(network.A)
        if not (np.isfinite(terms).all() and np.isfinite(total).all()):
            raise InvalidInputError("The box is too large for the network: its outputs overflow; use a smaller one.")
        unit = np.where(size > 0.0, size, 1.0)
        # A sum of d products with the bias, in any order, here and in a prediction: Higham, section 3.1.
        rounding = 2.0 * (network.n_features + 4) * EPS * terms / unit
        return cls(network, low, high, whole, free, slope / unit[:, None], level / unit, size, rounding)

    @property
    def middle(self) -> Array:
        """(d,)."""
        return 0.5 * self.lower + 0.5 * self.upper

    @property
    def half(self) -> Array:
        """(d,)."""
        return 0.5 * self.upper - 0.5 * self.lower

    def point(self, t: Array) -> Array:
        """The input (d,) of coordinates t (k,), inside the box, whole where it must be."""
        x = self.middle
        x[self.free] += self.half[self.free] * t
        x = np.where(self.integer, np.rint(x), x)
        return np.clip(x, self.lower, self.upper)

    def coordinates(self, x: Array) -> Array:
        """The coordinates t (k,) of an input (d,)."""
        return (x[self.free] - self.middle[self.free]) / self.half[self.free]

    def rows(self, constraints: Any) -> LinearRows:
        """Constraints on inputs as A t <= b, each row scaled to a largest value of one; equations become two rows."""
        blocks = [LinearRows(np.zeros((0, len(self.free))), np.zeros(0))]
        for A, low, high in checked_constraints(constraints, len(self.lower)):
            inner, level = A[:, self.free] * self.half[self.free], A @ self.middle
            size = np.abs(inner).sum(axis=1) + np.abs(level)
            for sign, side in ((1.0, high), (-1.0, low)):
                used = np.isfinite(side)
                scale = np.maximum(size, np.abs(np.where(used, side, 0.0)))[used]
                scale = np.where(scale > 0.0, scale, 1.0)
                blocks.append(LinearRows(sign * inner[used] / scale[:, None], sign * (side - level)[used] / scale))
        return LinearRows(np.vstack([block.A for block in blocks]), np.concatenate([block.b for block in blocks]))


def checked_box(d: int, lower: Any, upper: Any, integer: Any) -> tuple[Array, Array, BoolArray]:
    """Bounds of shape (d,), rounded inwards at integer features, and which these are."""
    whole = np.zeros(d, dtype=bool)
    try:
        chosen = np.asarray(integer, dtype=bool if np.asarray(integer).dtype == bool else np.intp)
        whole[chosen if chosen.size else []] = True
    except (IndexError, TypeError, ValueError):
        raise InvalidInputError(
            f"`integer` must hold positions of features from 0 to {d - 1}, or {d} truth values, got {integer!r}."
        ) from None
    low, high = _bound("lower", lower, d), _bound("upper", upper, d)
    low, high = np.where(whole, np.ceil(low), low), np.where(whole, np.floor(high), high)
    bad = np.flatnonzero(low > high)
    if bad.size:
        k = int(bad[0])
        kind = " whole numbers" if whole[k] else ""
        raise InvalidInputError(
            f"`lower` must not be above `upper`, got{kind} {low[k]:g} and {high[k]:g} for feature {k}; swap them."
        )
    return low, high, whole


def _bound(name: str, values: Any, d: int) -> Array:
    try:
        bound = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"`{name}` must hold numbers, got {values!r}.") from None
    if bound.shape not in ((), (d,)):
        raise InvalidInputError(f"`{name}` must be a number or have one for each of {d} features, got {bound.shape}.")
    bad = np.flatnonzero(~np.isfinite(np.broadcast_to(bound, d)))
    if bad.size:
        value = np.broadcast_to(bound, d)[bad[0]]
        raise InvalidInputError(
            f"`{name}` must be finite, got {value} for feature {bad[0]}: a network has no largest output without "
            "bounds; take those of the data, X.min(axis=0) and X.max(axis=0)."
        )
    return np.array(np.broadcast_to(bound, d))


def checked_constraints(constraints: Any, d: int) -> list[tuple[Array, Array, Array]]:
    """(A, lower, upper) of linear constraints on d inputs."""
    given = constraints if isinstance(constraints, Sequence) else () if constraints is None else (constraints,)
    checked = []
    for one in given:
        if not isinstance(one, LinearConstraint):
            raise InvalidInputError(
                "`constraints` must be scipy.optimize.LinearConstraint(A, lb, ub) or a list of them, got "
                f"{type(one).__name__}."
            )
        A = np.atleast_2d(np.asarray(one.A.toarray() if hasattr(one.A, "toarray") else one.A, dtype=np.float64))
        if A.ndim != 2 or A.shape[1] != d or not np.isfinite(A).all():
            raise InvalidInputError(
                f"`constraints` must have finite rows of {d} coefficients, one a feature, got shape {A.shape}."
            )
        low, high = (np.array(np.broadcast_to(side, len(A)), dtype=np.float64) for side in (one.lb, one.ub))
        if np.isnan(low).any() or np.isnan(high).any() or (low > high).any():
            raise InvalidInputError("`constraints` must have lb <= ub without NaN, got others.")
        checked.append((A, low, high))
    return checked
