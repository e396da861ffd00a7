"""Open cells and rays of the arrangement of the rows of X in exact integer arithmetic, from vectors normal to rows.

Every open cell touches a ray on which r - 1 independent rows vanish. Off the rows that vanish there the signs are those
of the ray, on them any cell of the smaller arrangement of these rows, of rank r - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import gcd
from typing import Any

import numpy as np
from scipy.optimize import nnls

Row = tuple[int, ...]


@dataclass(frozen=True)
class Arrangement:
    """The rows of X, each column and row times a positive number so that all entries are integers.

    Attributes
    ----------
    rows : list of tuples
        In independent columns only, without common divisors.
    columns : list of int
        Those columns.
    scale : list of Fraction
        Numbers by which they were multiplied.
    exact : list of lists of Fraction
        X itself.
    """

    rows: list[Row]
    columns: list[int]
    scale: list[Fraction]
    exact: list[list[Fraction]]

    @classmethod
    def of(cls, X: Any) -> Arrangement:
        """Of an array of floats, each taken as the fraction that it is."""
        exact = [[Fraction(float(value)) for value in row] for row in X]
        scale = []
        for column in zip(*exact, strict=True):
            size = max(abs(value) for value in column)
            scale.append(Fraction(1) if size == 0 else Fraction(2) ** -round(np.log2(float(size))))
        scaled = [[value * s for value, s in zip(row, scale, strict=True)] for row in exact]
        columns = independent_columns(scaled)
        rows = [_integers([row[k] for k in columns]) for row in scaled]
        return cls(rows, columns, [scale[k] for k in columns], exact)

    @property
    def rank(self) -> int:
        return len(self.columns)

    @cached_property
    def lines(self) -> list[Row]:
        """One row of each line through 0, of the rows that are not zero."""
        return sorted({max(row, tuple(-a for a in row)) for row in self.rows if any(row)})

    @cached_property
    def rays(self) -> list[Row]:
        """One vector of each line that all but one dimension of rows is normal to."""
        return _rays(self.lines, self.rank)

    @cached_property
    def patterns(self) -> set[tuple[bool, ...]]:
        """1[X u >= 0] of generic u; zero rows are active."""
        cells = _cells(self.lines, self.rank)
        place = {line: k for k, line in enumerate(self.lines)}
        found = set()
        for cell in cells:
            pattern = []
            for row in self.rows:
                k = place.get(row)
                pattern.append(cell[k] > 0 if k is not None else not any(row) or cell[place[_negative(row)]] < 0)
            found.add(tuple(pattern))
        return found

    def ray_vectors(self, d: int) -> Any:
        """The rays as unit vectors of d columns, (d, k)."""
        vectors = np.zeros((d, len(self.rays)))
        for j, ray in enumerate(self.rays):
            exact = [value * s for value, s in zip(ray, self.scale, strict=True)]
            size = max(abs(value) for value in exact)
            vectors[self.columns, j] = [float(value / size) for value in exact]
        return vectors / np.linalg.norm(vectors, axis=0) if len(self.rays) else vectors

    def width(self, pattern: tuple[bool, ...]) -> float:
        """The largest sine by which any u can keep away from all hyperplanes of the cell.

        That is the distance of 0 from the convex hull of the inward unit normals; of the columns as they came and
        scaled to about one, the lesser counts.
        """
        X = np.array([[float(value) for value in row] for row in self.exact])
        used = np.any(X != 0.0, axis=1)
        sizes = np.abs(X).max(axis=0)
        widths = [1.0]
        for scaled in (X[used], X[used] / np.where(sizes > 0.0, sizes, 1.0)):
            units = scaled / np.linalg.norm(scaled, axis=1)[:, None] * np.where(pattern, 1.0, -1.0)[used, None]
            shares = nnls(np.vstack([units.T, np.ones(len(units))]), np.eye(1, X.shape[1] + 1, X.shape[1])[0])[0]
            widths.append(float(np.linalg.norm(shares @ units) / shares.sum()))
        return min(widths)

    def signs_of(self, u: Any) -> list[int]:
        """Exact signs of the products of the rows with a float vector of all columns."""
        weights = [Fraction(float(value)) for value in u]
        return [_sign(_dot(row, weights)) for row in self.exact]


def independent_columns(rows: list[list[Fraction]]) -> list[int]:
    """The first columns that are independent, by exact elimination."""
    left = [list(row) for row in rows]
    chosen: list[int] = []
    for k in range(len(rows[0])):
        pivot = next((i for i in range(len(chosen), len(left)) if left[i][k] != 0), None)
        if pivot is None:
            continue
        here = len(chosen)
        left[here], left[pivot] = left[pivot], left[here]
        for i in range(here + 1, len(left)):
            factor = left[i][k] / left[here][k]
            if factor:
                left[i] = [a - factor * b for a, b in zip(left[i], left[here], strict=True)]
        chosen.append(k)
    return chosen


def _integers(row: list[Fraction]) -> Row:
    common = 1
    for value in row:
        common = common * value.denominator // gcd(common, value.denominator)
    return _primitive([int(value * common) for value in row])


def _primitive(row: Any) -> Row:
    divisor = gcd(*row)
    return tuple(a // divisor for a in row) if divisor else tuple(row)


def _negative(row: Row) -> Row:
    return tuple(-a for a in row)


def _dot(a: Any, b: Any) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _sign(value: Any) -> int:
    return (value > 0) - (value < 0)


def _determinant(rows: list[Row]) -> int:
    if not rows:
        return 1
    return sum(
        (-1) ** k * a * _determinant([row[:k] + row[k + 1 :] for row in rows[1:]]) for k, a in enumerate(rows[0]) if a
    )


def _rays(lines: list[Row], rank: int) -> list[Row]:
    found = set()
    for subset in combinations(lines, rank - 1):
        ray = [(-1) ** k * _determinant([row[:k] + row[k + 1 :] for row in subset]) for k in range(rank)]
        if any(ray):
            primitive = _primitive(ray)
            found.add(max(primitive, _negative(primitive)))
    return sorted(found)


def _cells(lines: list[Row], rank: int) -> set[Row]:
    """Sign vectors of the open cells of lines that span their rank."""
    if rank == 0:
        return {()}
    if rank == 1:
        return {tuple(_sign(row[0]) for row in lines), tuple(-_sign(row[0]) for row in lines)}
    found = set()
    for ray in _rays(lines, rank):
        signs = [_sign(_dot(row, ray)) for row in lines]
        around = [k for k, sign in enumerate(signs) if sign == 0]
        rows = [lines[k] for k in around]
        columns = independent_columns([[Fraction(a) for a in row] for row in rows])
        for inner in _cells([tuple(row[k] for k in columns) for row in rows], rank - 1):
            for side in (1, -1):
                cell = [side * sign for sign in signs]
                for k, sign in zip(around, inner, strict=True):
                    cell[k] = sign
                found.add(tuple(cell))
    return found
