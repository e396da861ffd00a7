"""Newton directions of the interior-point method and the correction of outlying products."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._array import Array
from ._loss_terms import LossDirection

OUTLIER_LOW, OUTLIER_HIGH = 0.1, 10.0


class BlockDirection(NamedTuple):
    """A Newton direction.

    Norm cones dp, dq (m, 1 + d) and the same scaled, slacks and multipliers dS, dLambda (m, n), the offset db (c,), the
    loss's own.
    """

    dp: Array
    dq: Array
    scaled_dp: Array
    scaled_dq: Array
    dS: Array
    dLambda: Array
    db: Array
    loss: LossDirection

    def plus(self, other: BlockDirection) -> BlockDirection:
        """Sum."""
        sums = [old + new for old, new in zip(self[:-1], other[:-1], strict=True)]
        return BlockDirection._make([*sums, self.loss.plus(other.loss)])


def outliers(products: Array, centre: float) -> Array:
    """How far the products lie outside [0.1, 10] times the centre, with a sign; large ones are cut off."""
    return np.maximum(np.clip(products, OUTLIER_LOW * centre, OUTLIER_HIGH * centre) - products, -OUTLIER_HIGH * centre)
