"""Columns: priced neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._array import Array


class Columns(NamedTuple):
    """Neurons with the scores that they have at a dual point, most often local maximisers of them.

    Attributes
    ----------
    values : array of shape (k,)
        Scores :math:`g_j^T V^T (X u_j)_+`, each a lower bound on G(V).
    U : array of shape (d, k)
        Unit vectors u_j.
    G : array of shape (k, c)
        Unit output directions g_j; -1 or +1 for one output weight.
    """

    values: Array
    U: Array
    G: Array

    @classmethod
    def none(cls, d: int, c: int) -> Columns:
        """Return no columns, for d entries a neuron and c outputs."""
        return cls(np.zeros(0), np.zeros((d, 0)), np.zeros((0, c)))

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Return the columns of all parts, one part after the other."""
        values, U, G = zip(*parts, strict=True)
        return cls(np.concatenate(values), np.hstack(U), np.vstack(G))

    def take(self, chosen: npt.NDArray[Any] | slice | list[int]) -> Columns:
        """Return these columns, by index or mask."""
        return Columns(self.values[chosen], self.U[:, chosen], self.G[chosen])

    def best_first(self) -> Columns:
        """Return the columns by falling scores."""
        return self.take(np.argsort(-self.values, kind="stable"))

    def distinct(self, most: int, same: float) -> Columns:
        """Return the first columns, at most `most`, whose cosines with those kept before are below 1 - same."""
        kept: list[int] = []
        left = np.ones(len(self.values), dtype=np.bool_)
        while len(kept) < most and left.any():
            kept.append(k := int(np.argmax(left)))
            left &= (self.U[:, k] @ self.U) * (self.G @ self.G[k]) < 1.0 - same
            left[k] = False  # also where it is zero
        return self.take(kept)
