"""A network of two features as polygons, on each of which it is one affine function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._array import Array, BoolArray, frozen
from ..errors import InvalidInputError

MOST_PIECES = 100_000
ON_A_LINE = 1e-12  # corners nearer to a line, relative to the numbers that make the distance, lie on it


@dataclass(frozen=True)
class AffinePiece:
    """A convex polygon, and the affine function that a network is on it.

    Attributes
    ----------
    corners : array of shape (k, 2)
        Anticlockwise.
    gradient : array of shape (2, c)
    constant : array of shape (c,)
        The function is ``x @ gradient + constant``.
    active : array of bool (m,)
        The neurons that are on.
    """

    corners: Array
    gradient: Array
    constant: Array
    active: BoolArray

    @property
    def area(self) -> float:
        """Of the polygon."""
        x, y = (self.corners - self.corners[0]).T
        return 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def box_of(lower: Sequence[float], upper: Sequence[float]) -> tuple[Array, Array]:
    """Two opposite corners, checked: finite, and a box with an inside."""
    low, high = np.array(lower, dtype=np.float64).ravel(), np.array(upper, dtype=np.float64).ravel()
    if low.shape != (2,) or high.shape != (2,) or not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise InvalidInputError(f"`lower` and `upper` must be two finite numbers each, got {lower!r} and {upper!r}.")
    if not np.all(low < high):
        raise InvalidInputError(f"`lower` must be below `upper` in both columns, got {lower!r} and {upper!r}.")
    return low, high


def pieces_of(U: Array, A: Array, offset: Array, lower: Array, upper: Array) -> list[AffinePiece]:
    """The pieces of a network in a box: hidden weights U (3, m), biases in the last row, A (m, c), offset (c,).

    Each neuron's line cuts the polygons so far; neurons without a line, and lines beside the box, cut nothing.
    """
    # On the unit square, so that the units of the columns do not decide what is near.
    scale = upper - lower
    lines = np.vstack([U[:2] * scale[:, None], U[2] + lower @ U[:2]])
    polygons = [np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])]
    for j in range(U.shape[1]):
        polygons = [part for polygon in polygons for part in _cut(polygon, lines[:, j])]
        if len(polygons) > MOST_PIECES:
            raise InvalidInputError(
                f"The network has more than {MOST_PIECES:,} pieces in the box; give a smaller box, or fewer neurons."
            )
    return [_piece(polygon, lines, U, A, offset, lower, scale) for polygon in polygons]


def _piece(polygon: Array, lines: Array, U: Array, A: Array, offset: Array, lower: Array, scale: Array) -> AffinePiece:
    active: BoolArray = polygon.mean(axis=0) @ lines[:2] + lines[2] > 0.0
    weights = U[:, active] @ A[active]
    constant = weights[2] + offset
    return AffinePiece(frozen(lower + scale * polygon), frozen(weights[:2]), frozen(constant), active)


def _cut(polygon: Array, line: Array) -> list[Array]:
    """The two parts of a convex polygon on the sides of a line, or the polygon where it is on one side."""
    distance = polygon @ line[:2] + line[2]
    distance[np.abs(distance) <= ON_A_LINE * (np.abs(line[:2]).sum() + abs(line[2]))] = 0.0
    if np.all(distance >= 0.0) or np.all(distance <= 0.0):
        return [polygon]
    following, ahead = np.roll(polygon, -1, axis=0), np.roll(distance, -1)
    sides: tuple[list[Array], list[Array]] = ([], [])
    for corner, d, after, e in zip(polygon, distance, following, ahead, strict=True):
        for side, sign in zip(sides, (1.0, -1.0), strict=True):
            if sign * d >= 0.0:
                side.append(corner)
            if d * e < 0.0:
                side.append(corner + d / (d - e) * (after - corner))
    return [np.array(side) for side in sides]
