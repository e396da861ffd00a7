"""The polar gauge G(V) = max |V^T (X u)_+| over |u| <= 1 by brute force, and what a vector pays exactly.

A maximiser lies inside a face, and is there a local maximum of |V^T D X u| over the flat of the face, D the pattern
of a cell next to it: the projection of X^T D v on the flat for one output, a leading singular vector for several.
All these and the rays of the arrangement are tried on the true score, so that no cone projections are needed.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
from degenerate.arrangement import Arrangement

BEST = 4  # candidates whose score is computed exactly


def candidates(v: Any, X: Any, arrangement: Arrangement) -> Any:
    """Vectors among which the maximisers of the score are, up to rounding, (d, k)."""
    if arrangement.rank == 0:
        return np.eye(X.shape[1])[:, :1]
    V = v.reshape(len(X), -1)
    gates = np.array(sorted(arrangement.patterns), dtype=float)
    sums = np.einsum("pi,ik,ij->pkj", gates, V, X)  # V^T D X, (P, c, d)
    found = [arrangement.ray_vectors(X.shape[1])]
    for P in _flats(X, arrangement):
        projected = sums @ P
        if V.shape[1] == 1:
            found.append(projected[:, 0].T)
        else:
            found.append(np.linalg.svd(projected)[2][:, 0].T)
    U = np.hstack(found)
    U = U[:, np.linalg.norm(U, axis=0) > 0]
    U = U / np.linalg.norm(U, axis=0)
    return np.hstack([U, -U])


def _flats(X: Any, arrangement: Arrangement) -> list[Any]:
    """Projections on the flats on which rows vanish, the whole row space first."""
    lines = [
        next(i for i, row in enumerate(arrangement.rows) if line in (row, tuple(-a for a in row)))
        for line in arrangement.lines
    ]
    rows = X[lines] / np.linalg.norm(X[lines], axis=1)[:, None]
    flats = []
    for size in range(arrangement.rank):
        for subset in combinations(range(len(rows)), size):
            basis = np.linalg.svd(rows[list(subset)])[2][:size] if size else np.zeros((0, X.shape[1]))
            flats.append(np.eye(X.shape[1]) - basis.T @ basis)
    return flats


def scores(v: Any, X: Any, U: Any) -> Any:
    """|V^T (X u)_+| of unit vectors, in floating point."""
    return np.linalg.norm(v.reshape(len(X), -1).T @ np.maximum(X @ U, 0.0), axis=0)


def exact_score(v: Any, X: Any, u: Any) -> Decimal:
    """|V^T (X u)_+| / |u| in sixty digits, from fractions up to the roots."""
    weights = [Fraction(float(value)) for value in u]
    length = sum(value * value for value in weights)
    if length == 0:
        return Decimal(0)
    outputs = [Fraction(0)] * v.reshape(len(X), -1).shape[1]
    for row, gains in zip(X, v.reshape(len(X), -1), strict=True):
        active = sum(Fraction(float(a)) * w for a, w in zip(row, weights, strict=True))
        if active > 0:
            outputs = [total + Fraction(float(gain)) * active for total, gain in zip(outputs, gains, strict=True)]
    square = sum(total * total for total in outputs) / length
    return (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()


def attained(v: Any, X: Any, arrangement: Arrangement, more: Any = None) -> Decimal:
    """The largest exact score found: never above G(V)."""
    U = candidates(v, X, arrangement)
    if more is not None:
        U = np.hstack([U, more])
    best = np.argsort(-scores(v, X, U))[:BEST]
    return max((exact_score(v, X, U[:, k]) for k in best), default=Decimal(0))
