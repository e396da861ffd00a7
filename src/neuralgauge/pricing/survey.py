r"""The search behind an "estimated" bound: maxima from independent starts, then iterated local search from the best.

Where n and d are near each other, nearly every start ends in a maximum of its own, and the best of thousands is not the
best there is. Maxima are clustered, though: starts in the neighbourhood of good ones lead to better ones. So the best
are disturbed and ascended again, until several batches in a row have found none that is better (iterated local search;
Lourenço, Martin & Stützle 2003).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._array import Array
from .columns import Columns

STARTS_AT_A_TIME = 128
DISTURBED = 4  # times as many disturbed maxima explore, and the best of them ascend
UNIFORM = 4  # most batches of independent starts
FEW_NEW, MOSTLY_NEW = 0.05, 0.8  # share of new maxima in a batch outside which further batches say no more
POOL = 64  # best distinct maxima that are disturbed: 32 and 16 miss the best one twice as often
DISTANCE = (-0.7, 0.3)  # powers of ten of the disturbance of a unit vector
IDLE = 4  # batches that find nothing better before the search ends: 3 miss more often, 10 hardly less
FEW_IDLE = 1  # the same where independent starts have met most maxima
BETTER = 1e-9  # relative, of a value that is better
SAME_MAXIMUM = 1e-5  # 1 - cosine under which two maxima are one

Ascent = Callable[[Array, int], Columns]


@dataclass(frozen=True)
class Survey:
    """The maxima that a search found, and how many of its last independent starts led to new ones."""

    maxima: Columns  # the best distinct local maxima, best first
    starts: int  # independent starts of the last batch
    unseen: int  # how many of them ended in a maximum that no earlier start had led to


def survey(ascent: Ascent, sample: Callable[[int], Array], own: Array, most: int, rng: np.random.Generator) -> Survey:
    """Search for the best maximum of a score by at most so many ascents, in whole batches.

    `ascent(starts, most)` gives local maxima from starts (d, k), best first, at most so many; `sample` makes k
    independent starts of one distribution, (d, k); `own` (d, m) are starts near known maxima, for instance the neurons
    of a network.

    Independent starts are drawn in up to four batches, until few of the maxima of one are new, or nearly all are.
    The share of new ones in a batch is an unbiased estimate of the probability that a start ends in a
    maximum that was not seen before the batch: Good and Turing's question, answered by starts held out.
    """
    size = max(1, min(STARTS_AT_A_TIME, most // 4))
    seen = ascent(np.hstack([own, sample(size)]), own.shape[1] + size)
    spent, batches, unseen = seen.U.shape[1], 0, size
    while batches < UNIFORM and (batches == 0 or spent < most // 2):
        found = ascent(sample(size), size)
        unseen = int(np.sum(_new(found, seen)))
        seen, spent, batches = Columns.joined([seen, found]).best_first(), spent + size, batches + 1
        if not FEW_NEW * size < unseen < MOSTLY_NEW * size:
            break
    pool, idle = seen.distinct(POOL, SAME_MAXIMUM), 0
    patience = FEW_IDLE if unseen <= FEW_NEW * size else IDLE
    while idle < patience and spent < most:
        best = pool.values[0]
        found = Columns.joined([pool, ascent(_disturbed(pool.U, DISTURBED * size, rng), size)])
        pool = found.best_first().distinct(POOL, SAME_MAXIMUM)
        spent, idle = spent + size, 0 if pool.values[0] > best * (1.0 + BETTER) else idle + 1
    return Survey(pool, size, unseen)


def _disturbed(U: Array, count: int, rng: np.random.Generator) -> Array:
    chosen = U[:, rng.integers(U.shape[1], size=count)]
    noise = rng.standard_normal(chosen.shape) / np.sqrt(len(chosen))
    return chosen + 10.0 ** rng.uniform(*DISTANCE, size=count) * noise


def _new(found: Columns, seen: Columns) -> Array:
    """Return a mask of the maxima found that are not among those seen and have a score above 0."""
    cosines = (found.U.T @ seen.U) * (found.G @ seen.G.T)
    return (np.max(cosines, axis=1, initial=-1.0) < 1.0 - SAME_MAXIMUM) & (found.values > 0.0)
