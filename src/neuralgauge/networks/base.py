"""The base class of two-layer networks: weights, an output offset, and weight decay."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from .._array import Array, frozen
from ..errors import InvalidInputError


@dataclass(frozen=True)
class Network(ABC):
    """Hidden weights U (d, m), one column a neuron, output weights A (m, ...), and the offset of the outputs (c,)."""

    U: Array
    A: Array

    def _freeze(self, U: Array, A: Array, offset: Any) -> None:
        """Keep checked weights, read-only; offset is a number or one an output."""
        c = self._outputs_of(A)
        b = np.array(offset, dtype=np.float64).ravel()
        if b.size not in (1, c):
            raise InvalidInputError(f"`offset` must be a number or have {c} entries, got {b.size}.")
        if not (np.isfinite(U).all() and np.isfinite(A).all() and np.isfinite(b).all()):
            raise InvalidInputError("`U`, `A` and `offset` must be finite, got NaN or infinite weights.")
        object.__setattr__(self, "U", frozen(U))
        object.__setattr__(self, "A", frozen(A))
        object.__setattr__(self, "offset", frozen(np.broadcast_to(b, c).copy()))

    @abstractmethod
    def _outputs_of(self, A: Array) -> int:
        """c, from output weights."""

    @property
    def n_neurons(self) -> int:
        """m."""
        return self.U.shape[1]

    @property
    def n_outputs(self) -> int:
        """c."""
        return self._outputs_of(self.A)

    def weight_decay(self) -> float:
        """(|U|^2 + |A|^2) / 2, the penalty without its beta; infinite where that is over 1e308."""
        with np.errstate(over="ignore"):
            return 0.5 * float(np.sum(self.U**2) + np.sum(self.A**2))

    @abstractmethod
    def balance(self) -> Self:
        """Return the same function with |u_j| = |alpha_j|; neurons that do nothing are dropped."""

    @abstractmethod
    def predict(self, X: Any) -> Array:
        """Outputs for data as a user holds it: (n,) for c = 1, else (n, c)."""


Net = TypeVar("Net", bound=Network)
