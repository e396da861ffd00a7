"""What is known of the least or largest output over a box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._array import Array
from ..errors import InvalidInputError


@dataclass(frozen=True)
class Extremum:
    """A value that is attained, and a bound that no point passes.

    Attributes
    ----------
    value : float
        The output at `point`, as the network predicts it there, in double precision.
    point : array of shape (d,)
        In the user's units, inside the box.
    bound : float
        Above `value` for a maximum, below it for a minimum, or equal.
    nodes : int
        Parts that branch and bound looked at.
    seconds : float

    Examples
    --------
    >>> import neuralgauge as ng
    >>> top = ng.output_range(([[1.0], [0.0]], [2.0]), 0.0, 3.0).maximum
    >>> top.value, top.point.tolist(), 0.0 <= top.gap < 1e-9
    (6.0, [3.0], True)
    """

    value: float
    point: Array
    bound: float
    nodes: int
    seconds: float

    def negated(self) -> Extremum:
        """The same of the negative function."""
        return replace(self, value=0.0 - self.value, bound=0.0 - self.bound)

    @property
    def gap(self) -> float:
        """|bound - value|: by how much the true extremum can differ from `value`."""
        return abs(self.bound - self.value)


@dataclass(frozen=True)
class OutputRange:
    """The least and the largest output over a box, each an `Extremum`.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> found = ng.output_range(([[1.0], [0.0]], [2.0]), 0.0, 3.0)
    >>> low, high = found.bounds
    >>> found.minimum.value, found.maximum.value, low <= 0.0, high >= 6.0
    (0.0, 6.0, True, True)
    """

    minimum: Extremum
    maximum: Extremum

    @property
    def bounds(self) -> tuple[float, float]:
        """An interval that holds every output of the box."""
        return self.minimum.bound, self.maximum.bound


def output_weights(output: Any, c: int) -> Array:
    """Weights (c,) of the outputs: of one by its position, of the only one, or as given."""
    if output is None and c > 1:
        raise InvalidInputError(
            f"`output` must say which of the {c} outputs, 0 to {c - 1}, or their weights; got None."
        )
    if output is None or (isinstance(output, int | np.integer) and not isinstance(output, bool)):
        k = 0 if output is None else int(output)
        if not 0 <= k < c:
            raise InvalidInputError(f"`output` must be from 0 to {c - 1}, got {k}.")
        return np.eye(c)[k]
    try:
        weights = np.array(output, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"`output` must be a position or {c} weights, got {output!r}.") from None
    if weights.shape != (c,) or not np.isfinite(weights).all():
        raise InvalidInputError(f"`output` must be a position or {c} finite weights, got {output!r}.")
    return weights
