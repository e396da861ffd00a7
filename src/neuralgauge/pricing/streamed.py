"""The search for neurons of large scores where rows are not in memory: on a sample, then by passes over all."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..features.rows import Features
from ._climb import FIRST_STEP, LEAST_RISE, LEAST_STEP
from .columns import Columns
from .explore import SAMPLED, distinct, explore
from .orthant import clipped, reflected

DENSE_COLUMNS = 1000  # columns up to which the sample is made dense; text has more, and few of them in a row
SAMPLE_STEPS, STEPS = 40, 15  # on a sample that stays as it is, and over all rows
KEPT = 16  # best of the sample that move on: each pass over all rows takes time for every one


def search_streamed(
    V: Array,
    features: Features,
    n_starts: int,
    rng: np.random.Generator,
    *,
    starts: Array | None = None,
    sign: float | None = None,
    orthant: Array | None = None,
    kept: int = KEPT,
) -> Columns:
    """Return neurons of large scores, best first; arguments as in `search`.

    Some two million entries of X are explored from all starts; the best directions then climb over all rows, at most 15
    steps of two or three passes. Values are exact sums over all rows, so lower bounds on G(V).
    """
    V = V.reshape(features.n, -1)
    share = SAMPLED / features.size
    chosen = np.sort(rng.choice(features.n, max(1, min(features.n, round(share * features.n))), replace=False))
    sampled = np.asarray(V[chosen])  # a dual point may lie where its rows do
    if features.d <= DENSE_COLUMNS:
        options: dict[str, Any] = {"starts": starts, "sign": sign, "orthant": orthant, "kept": min(kept, KEPT)}
        U = explore(sampled, features.dense_part(chosen), n_starts, rng, **options)
    else:
        U = rng.standard_normal((features.d, n_starts))
        U = U if starts is None else np.hstack([starts, U])
        U, values = _climbed(sampled, features.part(chosen), reflected(U, orthant), sign, orthant, SAMPLE_STEPS)
        U = distinct(U.T, values, min(kept, KEPT)).T
    U, _ = _climbed(V, features, U, sign, orthant, STEPS)
    return evaluated(V, features, U, sign).best_first()


def _climbed(
    V: Array, features: Features, U: Array, sign: float | None, orthant: Array | None, steps: int
) -> tuple[Array, Array]:
    """Unit directions (d, k) moved uphill inside the orthant, and the scores they reach."""
    U = U / np.maximum(np.linalg.norm(U, axis=0), np.finfo(float).tiny)
    value, gradient = _score(V, features, U, sign, orthant)
    step = np.full(U.shape[1], FIRST_STEP)
    for _ in range(steps):
        live = np.flatnonzero(step > LEAST_STEP)
        if not live.size:
            break
        trial = (1.0 - step[live]) * U[:, live] + step[live] * gradient[:, live]
        trial /= np.maximum(np.linalg.norm(trial, axis=0), np.finfo(float).tiny)
        reached, slope = _score(V, features, trial, sign, orthant)
        better = reached > value[live] * (1.0 + LEAST_RISE)
        won = live[better]
        U[:, won], value[won], gradient[:, won] = trial[:, better], reached[better], slope[:, better]
        step[won] = np.minimum(1.5 * step[won], 1.0)
        step[live[~better]] *= 0.4
    return U, value


def _score(V: Array, features: Features, U: Array, sign: float | None, orthant: Array | None) -> tuple[Array, Array]:
    """Scores of unit directions, and the directions of their gradients in the orthant."""
    if sign is None:
        G = features.gains(V, U)
        G /= np.maximum(np.linalg.norm(G, axis=1, keepdims=True), np.finfo(float).tiny)
    else:
        G = np.full((U.shape[1], 1), sign)
    value, gradient = features.score_gradient(V, U, G)
    gradient = clipped(gradient, orthant)
    return value, gradient / np.maximum(np.linalg.norm(gradient, axis=0), np.finfo(float).tiny)


def evaluated(V: Array, features: Features, U: Array, sign: float | None) -> Columns:
    """The directions with their scores over all rows."""
    gains = features.gains(V, U)
    if sign is not None:
        return Columns(sign * gains[:, 0], U, np.full((len(gains), 1), sign))
    values = np.linalg.norm(gains, axis=1)
    return Columns(values, U, gains / np.maximum(values, np.finfo(float).tiny)[:, None])
