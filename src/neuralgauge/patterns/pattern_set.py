"""Activation patterns D = diag(1[X u >= 0]), packed to one bit a sample, each with a witness u."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray


@dataclass(frozen=True)
class Coverage:
    """Estimates from a sample of patterns about those that it does not hold.

    Attributes
    ----------
    n_draws : int
        Random vectors drawn.
    mass : float
        Good-Turing estimate of the probability that the next draw shows a known pattern: 1 - singletons / draws.
    n_patterns_bound : int
        Upper bound on the number of patterns of the data, `count_patterns(n, rank)`.
    """

    n_draws: int
    mass: float
    n_patterns_bound: int


@dataclass(frozen=True)
class PatternSet:
    """Distinct activation patterns of one design matrix.

    Attributes
    ----------
    packed : uint8 array of shape (P, ceil(n / 8))
        One row a pattern, `numpy.packbits` along the samples.
    n : int
        Samples.
    vectors : array of shape (P, d) or (P - mirrored, d)
        Witnesses: X u > 0 on the samples of the pattern, X u < 0 on the others (zero rows aside).
    mirrored : int
        The last `mirrored` patterns have minus the last `mirrored` vectors as witnesses, which are not stored twice.
    complete : bool
        Whether these are all patterns of the data, as floating-point arithmetic tells cells apart. No bound rests on
        it: one over patterns is called "patterns", and becomes one for every network by pricing its dual point.
    coverage : Coverage or None
        For patterns of random vectors.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> patterns = ng.enumerate_patterns([[1.0], [-2.0]])
    >>> patterns.dense().tolist()
    [[True, False], [False, True]]
    >>> patterns.witness(1).tolist()
    [-1.0]
    """

    packed: npt.NDArray[np.uint8]
    n: int
    vectors: Array
    mirrored: int = 0
    complete: bool = False
    coverage: Coverage | None = None

    def __len__(self) -> int:
        return self.packed.shape[0]

    def dense(self, start: int = 0, stop: int | None = None) -> BoolArray:
        """Patterns start:stop as a bool array (k, n)."""
        return np.unpackbits(self.packed[start:stop], axis=1, count=self.n).view(np.bool_)

    def witness(self, index: Any) -> Array:
        """Witnesses of the patterns at these indices: (d,) for one, (k, d) for an array or slice."""
        positions = np.arange(len(self))[index]
        reflected = positions >= len(self.vectors)
        source = np.where(reflected, positions - self.mirrored, positions)
        return self.vectors[source] * np.where(reflected, -1.0, 1.0)[..., None]
