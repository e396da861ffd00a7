"""Random activation patterns, for data with too many to list."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import as_matrix
from ..errors import InvalidInputError
from .counting import count_patterns
from .pattern_set import Coverage, PatternSet

DRAWS_PER_PATTERN = 50
ENTRIES = 2**22  # draws times samples handled at a time


def sample_patterns(X: Any, n_patterns: int, random_state: int = 0) -> PatternSet:
    """Distinct patterns 1[X u >= 0] of Gaussian vectors u.

    Parameters
    ----------
    X : array of shape (n, d)
        Design matrix, used as it is (for a problem: ``problem.X``).
    n_patterns : int
        Distinct patterns wanted, >= 1. Fewer come back when 50 draws a pattern do not show that many.
    random_state : int
        Seed.

    Returns
    -------
    PatternSet
        With `coverage`: draws made, estimated probability mass of the patterns seen, bound on their number.

    Raises
    ------
    InvalidInputError
        For `n_patterns` < 1 or a bad X.

    Notes
    -----
    Cost O(n d) a draw. The chance of a pattern is the solid angle of its cone, so small cones are missed.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> patterns = ng.sample_patterns([[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]], n_patterns=10)
    >>> len(patterns), patterns.coverage.n_patterns_bound
    (10, 10)
    """
    matrix = as_matrix(X)
    if n_patterns < 1:
        raise InvalidInputError(f"`n_patterns` must be at least 1, got {n_patterns}.")
    rng = np.random.default_rng(random_state)
    batch = max(1, min(256, ENTRIES // len(matrix)))
    seen: dict[bytes, int] = {}
    kept, n_draws, limit = [], 0, DRAWS_PER_PATTERN * n_patterns
    while len(seen) < n_patterns and n_draws < limit:
        # The stream of draws does not depend on the batch, nor on the number of patterns asked for.
        vectors = rng.standard_normal((min(batch, limit - n_draws), matrix.shape[1]))
        packed = np.packbits(vectors @ matrix.T >= 0, axis=1)
        for vector, bits in zip(vectors, packed, strict=True):
            key = bits.tobytes()
            n_draws += 1
            if key not in seen:
                kept.append((bits, vector))
            seen[key] = seen.get(key, 0) + 1
            if len(seen) >= n_patterns:
                break
    singletons = sum(count == 1 for count in seen.values())
    bound = count_patterns(matrix.shape[0], max(1, int(np.linalg.matrix_rank(matrix))))
    coverage = Coverage(n_draws, 1.0 - singletons / n_draws, bound)
    packed_bits = np.array([bits for bits, _ in kept])
    return PatternSet(packed_bits, matrix.shape[0], np.array([u for _, u in kept]), coverage=coverage)
