"""A network of one feature as a table: where its slope changes, and the values and slopes there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import Array, frozen

SAME_PLACE = (
    1e-12  # kinks this near, relative to their size, are one; changes of slope this small beside their parts are none
)


@dataclass(frozen=True)
class Breakpoints:
    """A continuous piecewise linear function of one variable: k breakpoints and k + 1 pieces, the outer ones unbounded.

    Attributes
    ----------
    x : array of shape (k,)
        Where the slope changes, rising.
    values : array of shape (k, c)
        Of the function there.
    slopes : array of shape (k + 1, c)
        Of the pieces, from left to right.
    origin : tuple of a float and an array of shape (c,)
        A point and the value there: the first breakpoint, and 0 where there is none.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, -1.0], [-2.0, 1.0]], [3.0, 1.0])
    >>> points = network.breakpoints()
    >>> points.x.tolist(), points.values.ravel().tolist(), points.slopes.ravel().tolist()
    ([1.0, 2.0], [0.0, 0.0], [-1.0, 0.0, 3.0])
    >>> print(points)
        from       to    value    slope
        -inf        1        0       -1
           1        2        0        0
           2      inf        0        3
    """

    x: Array
    values: Array
    slopes: Array
    origin: tuple[float, Array]

    @property
    def n_pieces(self) -> int:
        """k + 1."""
        return len(self.slopes)

    def predict(self, x: Any) -> Array:
        """The function at points x (n,), from the table alone: (n,) for one output, else (n, c)."""
        points = np.asarray(x, dtype=np.float64).ravel()
        piece = np.searchsorted(self.x, points)
        start = np.concatenate([[self.origin[0]], self.x])
        base = np.vstack([self.origin[1], self.values])
        outputs: Array = base[piece] + self.slopes[piece] * (points - start[piece])[:, None]
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def __str__(self) -> str:
        """One line a piece: where it begins and ends, the value at its finite end (the left of two), its slope."""
        c = self.slopes.shape[1]
        numbers = [""] if c == 1 else [str(k + 1) for k in range(c)]
        head = ["from", "to", *(f"value{k}" for k in numbers), *(f"slope{k}" for k in numbers)]
        ends = [-math.inf, *self.x.tolist(), math.inf]
        base = np.vstack([self.origin[1], self.values])
        rows = [[ends[k], ends[k + 1], *base[k], *self.slopes[k]] for k in range(self.n_pieces)]
        lines = ["".join(f"{one:>9}" for one in head)]
        lines += [
            "".join(f"{value:>9.4g}" if len(f"{value:.4g}") < 9 else f" {value:.4g}" for value in row) for row in rows
        ]
        return "\n".join(line[1:] for line in lines)


def breakpoints_of(U: Array, A: Array, offset: Array) -> Breakpoints:
    """The table of hidden weights U (2, m), biases in the second row, output weights A (m, c), offset (c,)."""
    kinked = U[0] != 0.0
    with np.errstate(over="ignore"):
        kinks = -U[1, kinked] / U[0, kinked]
    changes = np.abs(U[0, kinked])[:, None] * A[kinked]
    inside = np.isfinite(kinks)  # a neuron whose kink is beyond all numbers is on for all or for none
    x = _distinct(kinks[inside], changes[inside])
    slopes = np.array([_slope(U[0, kinked], kinks, A[kinked], middle) for middle in _middles(x)])
    values = np.array([_value(U, A, offset, one) for one in x]).reshape(len(x), A.shape[1])
    first = float(x[0]) if len(x) else 0.0
    return Breakpoints(frozen(x), frozen(values), frozen(slopes), (first, frozen(_value(U, A, offset, first))))


def _distinct(kinks: Array, changes: Array) -> Array:
    """Kinks in order, near ones as the one of the largest change, those whose changes cancel left out."""
    order = np.argsort(kinks, kind="stable")
    kinks, changes = kinks[order], changes[order]
    new = np.ones(len(kinks), dtype=bool)
    new[1:] = np.diff(kinks) > SAME_PLACE * np.maximum(np.abs(kinks[1:]), np.abs(kinks[:-1]))
    found = []
    for group in np.split(np.arange(len(kinks)), np.flatnonzero(new)[1:]) if len(kinks) else []:
        total, size = np.abs(changes[group].sum(axis=0)), np.abs(changes[group]).sum(axis=0)
        if np.any(total > SAME_PLACE * size):
            found.append(kinks[group[np.argmax(np.abs(changes[group]).max(axis=1))]])
    return np.array(found, dtype=np.float64)


def _middles(x: Array) -> Array:
    """A point inside of each piece."""
    if len(x) == 0:
        return np.zeros(1)
    return np.concatenate([[-np.inf], x[:-1] + 0.5 * np.diff(x), [np.inf]])


def _slope(slopes: Array, kinks: Array, A: Array, x: float) -> Array:
    """The slope at a point between breakpoints, sums rounded once; a kink at infinity is on one side of all numbers."""
    rising = (x > kinks) | (kinks == -np.inf)
    falling = (x < kinks) | (kinks == np.inf)
    on = np.where(slopes > 0.0, rising, falling)
    parts = slopes[on, None] * A[on]
    return np.array([math.fsum(column) for column in parts.T])


def _value(U: Array, A: Array, offset: Array, x: float) -> Array:
    parts = np.maximum(U[0] * x + U[1], 0.0)[:, None] * A
    return np.array([math.fsum([*column, b]) for column, b in zip(parts.T, offset, strict=True)])
