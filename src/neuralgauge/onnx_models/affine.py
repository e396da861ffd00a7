"""What a value of a graph is as a function of the inputs: an affine map, of the inputs or of one layer of ReLUs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._array import Array
from ..errors import ModelFileError

MOST_ENTRIES = 2**25  # of an array, 256 MiB; a graph of a few bytes may ask for any size


class Refused(Exception):
    """A sentence on what a node does that such a network does not."""


def check_entries(shape: tuple[int, ...]) -> None:
    """Refuse an array of so many entries before it is made."""
    if math.prod(int(size) for size in shape) > MOST_ENTRIES:
        raise ModelFileError(
            f"An array of shape {shape} is larger than {MOST_ENTRIES:,} entries, the most that is read."
        )


@dataclass(frozen=True)
class Map:
    """z W + t, z the inputs (n, p), or of a `hidden` map the activations (hidden)_+.

    Attributes
    ----------
    shape : tuple of int
        Of one sample; (k,) but for images that are not flattened yet.
    W : array of shape (p, k) or (k,), or None
        A vector is the diagonal of a matrix, and None the identity.
    t : array of shape (k,), or None
        None where nothing was added; zeros where zeros were.
    hidden : Map or None
    """

    shape: tuple[int, ...]
    W: Array | None = None
    t: Array | None = None
    hidden: Map | None = None

    @property
    def size(self) -> int:
        """k."""
        return math.prod(self.shape)

    def weights(self) -> Array:
        """W as a matrix (p, k)."""
        if self.W is not None and self.W.ndim == 2:
            return self.W
        check_entries((self.size, self.size))
        return np.diag(np.ones(self.size) if self.W is None else self.W)

    def times(self, matrix: Array) -> Map:
        """The product with a matrix (k, l)."""
        if matrix.ndim != 2 or len(self.shape) != 1 or len(matrix) != self.size:
            raise Refused(
                f"it multiplies values of shape (n, {_listed(self.shape)}) by a constant of shape {matrix.shape}"
            )
        if self.W is None or self.W.ndim == 1:
            W = matrix if self.W is None else self.W[:, None] * matrix
        else:
            check_entries((len(self.W), matrix.shape[1]))
            W = self.W @ matrix
        return replace(self, shape=(matrix.shape[1],), W=W, t=None if self.t is None else self.t @ matrix)

    def scaled(self, factor: Array) -> Map:
        """The product with one number an entry."""
        factor = self._spread(factor)
        W = factor if self.W is None else self.W * factor
        return replace(self, W=W, t=None if self.t is None else self.t * factor)

    def plus(self, term: Array) -> Map:
        """The sum with one number an entry."""
        term = self._spread(term)
        return replace(self, t=term.copy() if self.t is None else self.t + term)

    def added(self, other: Map) -> Map:
        """The sum with another map of the same layer."""
        if self.shape != other.shape or self.hidden is not other.hidden:
            raise Refused("it adds values that do not come from one layer")
        total = replace(self, W=self.weights() + other.weights())
        return total if other.t is None else total.plus(other.t)

    def taken(self, index: Any) -> Map:
        """Some of the entries."""
        return replace(
            self, shape=(len(index),), W=self.weights()[:, index], t=None if self.t is None else self.t[index]
        )

    def reshaped(self, shape: tuple[int, ...]) -> Map:
        """The entries of a sample in another shape, in the same order."""
        return replace(self, shape=shape)

    def rectified(self) -> Map:
        """The ReLU of it."""
        if self.hidden is not None:
            raise Refused("it is a second layer of ReLUs")
        return Map(self.shape, hidden=self)

    def _spread(self, values: Array) -> Array:
        """A constant as one number an entry."""
        shape = (1, *self.shape)
        try:
            if np.broadcast_shapes(shape, values.shape) != shape:
                raise ValueError
        except ValueError:
            raise Refused(
                f"it combines values of shape (n, {_listed(self.shape)}) with a constant of shape {values.shape}"
            ) from None
        check_entries(shape)
        return np.broadcast_to(values, shape).reshape(-1)


def side_by_side(maps: list[Map]) -> Map:
    """The entries of maps of one layer one after the other."""
    first = maps[0]
    if any(one.hidden is not first.hidden or len(one.shape) != 1 for one in maps):
        raise Refused("it joins values that do not come from one layer")
    parts = [one.weights() for one in maps]
    if len({len(part) for part in parts}) > 1:
        raise Refused("it joins values that do not come from one layer")
    check_entries((len(parts[0]), sum(part.shape[1] for part in parts)))
    t = None
    if any(one.t is not None for one in maps):
        t = np.concatenate([np.zeros(one.size) if one.t is None else one.t for one in maps])
    return Map((sum(one.size for one in maps),), np.hstack(parts), t, first.hidden)


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
