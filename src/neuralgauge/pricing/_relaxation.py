r"""The smallest bound of one cone: least squares with bounds, by coordinate descent and projections.

In the notation of `_cone_search`, minimise :math:`|f + \sum_k (e_k + \lambda_k) n_k + \sum_i y_i z_i|` over
:math:`|y_i| \le |w_i|` and :math:`\lambda \ge 0`. Every iterate bounds the cone, so it may stop anywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._array import Array
from .._compiled import compiled

Index = npt.NDArray[np.int64]
MAX_SWEEPS = 1000  # of one cone; any number gives a bound
NEAR_THRESHOLD = 1e-4  # relative distance from the threshold within which every digit counts


@compiled
def dot(x: Array, y: Array) -> float:
    total = 0.0
    for c in range(len(x)):
        total += x[c] * y[c]
    return total


@compiled
def norm(x: Array) -> float:
    return np.sqrt(dot(x, x))


@compiled
def _move(x: Array, direction: Array, step: float) -> None:
    for c in range(len(x)):
        x[c] += step * direction[c]


@compiled
def relax(
    w: Array, Z: Array, v: Array, dual: Array, f: Array, e: Array, lam: Array, nn: Array, res: Array, stop: int,
    middle: int, end: int, index: Index, Y: Array, limit: float, patience: float, M: Array,
) -> float:  # fmt: skip
    """Return a bound, the smallest norm by coordinate descent; stops below the limit or once that is out of reach."""
    r = len(f)
    for c in range(r):
        res[c] = f[c]
        for k in range(r):
            res[c] += e[k] * dual[k, c]
    short = 0.0
    for k in range(r):
        lam[k], nn[k], reach = 0.0, 0.0, -e[k]
        for c in range(r):
            nn[k] += dual[k, c] * dual[k, c]
            reach += (res[c] - f[c]) * v[k, c]
        short = max(short, -reach)
    for place in range(middle, end):
        for c in range(r):
            res[c] += Y[place] * Z[index[place], c]
    # An excess above the chords is removed by further descent; dividing the cone would not reduce it.
    chord, weak = 2.0 * np.sqrt(r) * np.max(e), 0
    before = norm(res)
    for _sweep in range(MAX_SWEEPS):
        for k in range(r):
            change = max(0.0, lam[k] - dot(dual[k], res) / nn[k]) - lam[k]
            if change != 0.0:
                lam[k] += change
                for c in range(r):
                    res[c] += change * dual[k, c]
        _descend(w, Z, res, middle, end, index, Y)
        after = norm(res)
        if after <= limit:
            break
        explained = limit * (1.0 + NEAR_THRESHOLD) < after < limit + chord
        if (patience if explained else 16.0 * patience) * (before - after) < after - limit:
            weak += 1
            if explained or weak > 8 * r:
                break
            for _step in range(4 * r):
                if _project(w, Z, dual, nn, lam, res, middle, end, index, Y, M):
                    break
            after = norm(res)
            if after <= limit:
                break
        before = after
    return norm(res) + np.sqrt(r) * (short + _leak(v, dual, lam))


@compiled
def _descend(w: Array, Z: Array, res: Array, middle: int, end: int, index: Index, Y: Array) -> None:
    """One sweep over the slopes of the concave kinks, each set to its best value within [-|w|, |w|]."""
    r = len(res)
    for place in range(middle, end):
        i = index[place]
        most = abs(w[i])
        z = Z[i]
        g = 0.0
        for c in range(r):
            g += z[c] * res[c]
        old = Y[place]
        change = min(most, max(-most, old - g)) - old
        if change != 0.0:
            Y[place] = old + change
            for c in range(r):
                res[c] += change * z[c]


@compiled
def _project(
    w: Array, Z: Array, dual: Array, nn: Array, lam: Array, res: Array, middle: int, end: int, index: Index, Y: Array,
    M: Array,
) -> bool:  # fmt: skip
    """Least squares over the variables strictly inside their bounds, up to the first that is met; True if none is."""
    r = len(res)
    x = M[r]
    M[:r] = 0.0
    for place in range(middle, end):
        if abs(Y[place]) < abs(w[index[place]]):
            _add_square(M, Z[index[place]], 1.0)
    for k in range(r):
        if lam[k] > 0.0:
            _add_square(M, dual[k], 1.0 / nn[k])
    _solve(M, res, x)
    step, blocking = 1.0, -1
    for place in range(middle, end):
        most = abs(w[index[place]])
        change = -dot(Z[index[place]], x)
        if abs(Y[place]) < most < abs(Y[place] + step * change):
            step = (most - Y[place]) / change if change > 0.0 else (-most - Y[place]) / change
            blocking = place
    for k in range(r):
        change = -dot(dual[k], x) / nn[k]
        if lam[k] > 0.0 > lam[k] + step * change:
            step, blocking = -lam[k] / change, end + k
    for place in range(middle, end):
        most = abs(w[index[place]])
        if abs(Y[place]) < most:
            aim = Y[place] - step * dot(Z[index[place]], x)
            if place == blocking:
                aim = most if aim > 0.0 else -most
            _move(res, Z[index[place]], aim - Y[place])
            Y[place] = aim
    for k in range(r):
        if lam[k] > 0.0:
            aim = 0.0 if blocking == end + k else max(0.0, lam[k] - step * dot(dual[k], x) / nn[k])
            _move(res, dual[k], aim - lam[k])
            lam[k] = aim
    return blocking < 0


@compiled
def _add_square(M: Array, a: Array, scale: float) -> None:
    for c in range(len(a)):
        for k in range(c + 1):
            M[c, k] += scale * a[c] * a[k]


@compiled
def _solve(M: Array, y: Array, x: Array) -> None:
    """x = (M + a small ridge)^-1 y by Cholesky; the lower triangle of M is overwritten."""
    r = len(y)
    ridge = 1e-300
    for c in range(r):
        ridge += 1e-14 * M[c, c]
    for c in range(r):
        for k in range(c + 1):
            total = M[c, k] + (ridge if k == c else 0.0)
            for t in range(k):
                total -= M[c, t] * M[k, t]
            M[c, k] = np.sqrt(max(total, ridge)) if k == c else total / M[k, k]
    for c in range(r):
        total = y[c]
        for t in range(c):
            total -= M[c, t] * x[t]
        x[c] = total / M[c, c]
    for c in range(r - 1, -1, -1):
        total = x[c]
        for t in range(c + 1, r):
            total -= M[t, c] * x[t]
        x[c] = total / M[c, c]


@compiled
def _leak(v: Array, dual: Array, lam: Array) -> float:
    """Largest negative value of (sum_k lambda_k n_k)^T v_j that rounding has left."""
    r = len(lam)
    worst = 0.0
    for j in range(r):
        total = 0.0
        for c in range(r):
            part = 0.0
            for k in range(r):
                part += lam[k] * dual[k, c]
            total += part * v[j, c]
        worst = min(worst, total)
    return -worst
