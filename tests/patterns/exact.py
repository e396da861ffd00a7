"""Open cells of integer arrangements in exact integer arithmetic: slow, short and obviously right."""

from math import gcd


def _primitive(row):
    divisor = gcd(*row)
    return tuple(a // divisor for a in row) if divisor else tuple(row)


def strictly_feasible(rows):
    """Whether some u has row . u > 0 for all rows: Fourier-Motzkin elimination of one coordinate after the other."""
    rows = {_primitive(row) for row in rows}
    for axis in range(len(next(iter(rows), ()))):
        upper = [row for row in rows if row[axis] > 0]
        lower = [row for row in rows if row[axis] < 0]
        rows = {row for row in rows if row[axis] == 0}
        for p in upper:
            for q in lower:
                rows.add(_primitive([p[axis] * b - q[axis] * a for a, b in zip(p, q, strict=True)]))
    return not rows  # what is left reads 0 > 0


def open_cells(X):
    """The set of patterns (tuples of bool) of generic u; zero rows are active."""
    cells = [[]]
    for row in X:
        if any(row):
            cells = [[*cell, side] for cell in cells for side in (1, -1) if _fits(X, [*cell, side])]
        else:
            cells = [[*cell, 1] for cell in cells]
    return {tuple(side > 0 for side in cell) for cell in cells}


def _fits(X, sides):
    return strictly_feasible([[side * a for a in row] for side, row in zip(sides, X, strict=False) if any(row)])


def count_cells(X):
    """Number of open cells by deletion and restriction: each hyperplane cuts as many cells as it has cells itself."""
    lines = {max(p, tuple(-a for a in p)) for p in map(_primitive, X) if any(p)}
    return _count(sorted(lines))


def _count(lines):
    if not lines:
        return 1
    first, *others = lines
    axis = next(k for k, a in enumerate(first) if a)
    restricted = {
        _primitive([first[axis] * b - row[axis] * a for a, b in zip(first, row, strict=True)]) for row in others
    }
    restricted = {max(p, tuple(-a for a in p)) for p in restricted if any(p)}
    return _count(others) + _count(sorted(restricted))
