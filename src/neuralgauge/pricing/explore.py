r"""Batched ascent on |V^T (X u)_+|, read out, for many rows: two matrix products a step for all starts together.

The gradient of h(u) = g^T V^T (X u)_+ is r = X^T (V g * 1[X u > 0]), and h(u) = r^T u. A step goes from u part of the
way to r / |r|, and counts only where the value rises; a step that fails is shortened. Where kinks are many and small
this climbs as far as the coordinate descent of `ascent`, which then finishes the best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..features.readouts import PatchReadout, Readout
from ..features.rows import Features
from ._climb import FIRST_STEP, LEAST_RISE, LEAST_STEP, climb
from ._climb_vector import climb_vector
from ._few_rows import FEW_ROWS, climb_few
from .ascent import on_parts, start_rows
from .orthant import reflected

CLIMB_STEPS, LAST_STEPS = 40, 15  # of all starts, and of those that have climbed on a part of the samples
MOST_CLIMBING = 64  # that climb together on several outputs: which activations are positive stays in the cache
FEWEST_CLIMBING = 24  # fewest starts that climb together: products with fewer columns take longer for each
SAMPLED = 2_000_000  # entries of X that are explored; of more, a random part of the samples is
KEPT_POINTS = 40  # best distinct points, unless told otherwise
SAME_POINT = 1e-3  # 1 - cosine under which two are one


def explore(
    V: Array,
    features: Features,
    n_starts: int,
    rng: np.random.Generator,
    *,
    starts: Array | None = None,
    sign: float | None = None,
    orthant: Array | None = None,
    kept: int = KEPT_POINTS,
) -> Array:
    r"""Return the best distinct points that a batch of starts reaches, best first: (d, k) with k <= `kept`.

    Arguments as in `search`. Cost 4 N d operations a start and step in single precision. Of more than 2 million entries
    of X a random part of the samples is explored, and what is best there moves on over all of them.
    """
    U = _starts(features.d, n_starts, rng, starts, orthant)
    V = V.reshape(features.n, -1)
    share = SAMPLED / features.size
    if share < 1.0:
        chosen = np.sort(rng.choice(features.n, max(1, round(share * features.n)), replace=False))
        U = distinct(U, _climbed(U, V[chosen], features.part(chosen), sign, CLIMB_STEPS, orthant), kept)
    return distinct(U, _climbed(U, V, features, sign, CLIMB_STEPS if share >= 1.0 else LAST_STEPS, orthant), kept).T


def explored(
    V: Array, features: Features, starts: Array, sign: float | None, most: int, orthant: Array | None = None
) -> Array:
    """Return the best points that starts (d, k) reach, at most so many: half of them distinct, the others the rest."""
    U = _starts(features.d, 0, np.random.default_rng(0), starts, orthant)
    values = _climbed(U, V.reshape(features.n, -1), features, sign, CLIMB_STEPS, orthant)
    U = U[np.argsort(-values, kind="stable")]
    first = _distinct(U, most // 2)
    rest = np.setdiff1d(np.arange(len(U)), first)[: most - len(first)]
    return U[np.concatenate([first, rest])].T


def climbed(X: Any, v: Array, starts: Array, orthant: Array | None = None) -> tuple[Array, Array]:
    """Values that starts (d, k) of one output weight reach on rows X (N, d) in single precision, and where, (d, k).

    The values have a common factor.
    """
    length = np.linalg.norm(starts, axis=0)
    U = np.ascontiguousarray(reflected(starts[:, length > 0] / length[length > 0], orthant).T)
    v_X = X * _single(v)[:, None]
    return _climbed_rows(X, v_X, U, CLIMB_STEPS, orthant), U.T


def _starts(d: int, n_starts: int, rng: np.random.Generator, starts: Array | None, orthant: Array | None) -> Array:
    return np.ascontiguousarray(reflected(start_rows(d, n_starts, rng, starts).T, orthant).T)


def _climbed(U: Array, V: Array, features: Features, sign: float | None, steps: int, orthant: Array | None) -> Array:
    """Move the rows of U uphill in place, in threads; return the values reached, up to a common factor."""
    # Only directions count, so that single precision is safe from over- and underflow once scaled.
    V, X, readout = _single(V), _single(features.dense()), features.readout
    if sign is not None:
        X = np.ascontiguousarray(X)
        v_X = np.ascontiguousarray(sign * readout.lifted(V).reshape(-1, 1) * X, dtype=np.float32)
        return _climbed_rows(X, v_X, U, steps, orthant)
    if not isinstance(readout, PatchReadout):
        X, V = np.ascontiguousarray(X), np.ascontiguousarray(V)
        return np.concatenate(on_parts(lambda part: _climb_outputs(X, V, part, steps), U, least=FEWEST_CLIMBING))
    readout = replace(readout, weight=readout.weight.astype(np.float32))
    return np.concatenate(on_parts(lambda part: _climb(V, X, readout, part, steps), U, least=FEWEST_CLIMBING))


def _climbed_rows(X: Any, v_X: Any, U: Array, steps: int, orthant: Array | None) -> Array:
    """Of one output weight a neuron: compiled, or on few rows all starts at once."""
    signs: Any = np.zeros(U.shape[1], np.float32) if orthant is None else orthant.astype(np.float32)
    if len(X) <= FEW_ROWS:
        return _moved(lambda moved: climb_few(X, v_X, moved, signs, steps, FIRST_STEP, LEAST_STEP, LEAST_RISE), U)

    def part(U: Array) -> Array:
        return _moved(lambda moved: climb(X, v_X, moved, signs, steps), U)

    return np.concatenate(on_parts(part, U, least=FEWEST_CLIMBING))


def _climb_outputs(X: Any, V: Any, U: Array, steps: int) -> Array:
    at_once = range(0, len(U), MOST_CLIMBING)
    return np.concatenate(
        [_moved(lambda moved: climb_vector(X, V, moved, steps), U[at : at + MOST_CLIMBING]) for at in at_once]
    )


def _moved(compiled_climb: Callable[[Any], Any], U: Array) -> Array:
    moved = np.ascontiguousarray(U.T, dtype=np.float32)
    values = compiled_climb(moved)
    U[:] = moved.T
    U /= np.maximum(np.linalg.norm(U, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.asarray(values, dtype=np.float64)


def distinct(U: Array, values: Array, most: int) -> Array:
    """Return the best rows that differ by more than `SAME_POINT`, best first."""
    U = U[np.argsort(-values, kind="stable")]
    return U[_distinct(U, most)]


def _distinct(U: Array, most: int) -> npt.NDArray[np.intp]:
    """Indices of the first rows that differ by more than `SAME_POINT`."""
    left = np.ones(len(U), dtype=np.bool_)
    kept: list[int] = []
    while len(kept) < most and left.any():
        kept.append(int(np.argmax(left)))
        left &= U @ U[kept[-1]] < 1.0 - SAME_POINT
        left[kept[-1]] = False  # also where it is zero
    return np.array(kept, dtype=np.intp)


def _single(values: Array) -> Any:
    """Return the values in single precision, scaled to a largest entry of one."""
    return np.asarray(values / max(float(np.max(np.abs(values), initial=0.0)), 1e-300), dtype=np.float32)


def _climb(V: Array, X: Array, readout: Readout, U: Array, steps: int) -> Array:
    """Move the rows of U uphill in place and return the values reached."""
    value, gradient = _score(V, X, readout, U)
    step = np.full((len(U), 1), FIRST_STEP)
    for _ in range(steps):
        live = np.flatnonzero(step[:, 0] > LEAST_STEP)
        if not live.size:
            break
        trial = (1.0 - step[live]) * U[live] + step[live] * gradient[live]
        trial /= np.maximum(np.linalg.norm(trial, axis=1, keepdims=True), np.finfo(float).tiny)
        reached, slope = _score(V, X, readout, trial)
        better = reached > value[live] * (1.0 + LEAST_RISE)
        won = live[better]
        U[won], value[won], gradient[won] = trial[better], reached[better], slope[better]
        step[won] = np.minimum(1.5 * step[won], 1.0)
        step[live[~better]] *= 0.4
    return value


def _score(V: Array, X: Array, readout: Readout, U: Array) -> tuple[Array, Array]:
    """Return the score of every row of U, and the direction of its gradient."""
    Z = X @ U.T.astype(np.float32)
    np.maximum(Z, 0.0, out=Z)
    gains = readout.gains(V, Z)
    value = np.linalg.norm(gains, axis=1)
    rows = readout.along(V, gains / np.maximum(value, np.finfo(float).tiny)[:, None])
    gradient = (X.T @ np.where(Z > 0.0, rows, np.float32(0.0))).T.astype(np.float64)
    return value, gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), np.finfo(float).tiny)
