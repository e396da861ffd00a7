"""The slow obvious twin of pricing: every pattern, each with its cone projection."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy.optimize import nnls

import neuralgauge as ng


def gauge_over_patterns(v, X):
    """Moreau: the maximum of a^T u over the ball and the cone K u >= 0 is the distance of a from the polar cone."""
    best = 0.0
    for pattern in ng.enumerate_patterns(X).dense():
        K = np.where(pattern, 1.0, -1.0)[:, None] * X
        for sign in (1.0, -1.0):
            best = max(best, nnls(K.T, -sign * (X.T @ (pattern * v)))[1])
    return best


def small_problems(ranks, seed, count, n_max=12):
    """Random and integer-degenerate (v, X): repeated, zero and collinear rows, X of deficient rank."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        r = int(rng.choice(ranks))
        n, d = int(rng.integers(r, n_max + 1)), r + int(rng.integers(0, 3))
        if k % 2:
            X, v = rng.integers(-2, 3, (n, r)), rng.integers(-2, 3, n)
            X = X @ rng.integers(-1, 2, (r, d)) if k % 4 == 1 else X
        else:
            X, v = rng.standard_normal((n, r)) @ rng.standard_normal((r, d)), rng.standard_normal(n)
            X[rng.integers(n)] = rng.choice([0.0, 1.0, -3.0]) * X[rng.integers(n)]
        yield v.astype(float), X.astype(float)


@pytest.fixture
def brute_force() -> Callable[..., float]:
    return gauge_over_patterns


@pytest.fixture
def problems() -> Callable[..., Iterator[tuple[np.ndarray, np.ndarray]]]:
    return small_problems
