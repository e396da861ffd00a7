"""The search for neurons of large scores: ascents for few rows, exploration in batches for many."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..features.rows import WHOLE, Features
from .ascent import ascend, start_rows
from .ascent_vector import ascend_vector
from .columns import Columns
from .explore import KEPT_POINTS, explore, explored
from .orthant import clipped, reflected, with_walls
from .streamed import evaluated, search_streamed

EXPLORED = 2e5  # entries of X from which a batch explores before the ascent, for several output weights of patches
FINISHED = 1e7  # entries of X that the ascents after it may touch a sweep, all starts together
WALL_SWEEPS, WALL_TOLERANCE = 5_000, 1e-8  # of ascents between walls, whose weights let values fall short by 1e-6 else
FINISHED_OUTPUTS = 3e6  # the same for several outputs, where an ascent takes some ten times as many sweeps


def search(
    V: Array,
    features: Features,
    n_starts: int,
    rng: np.random.Generator,
    *,
    starts: Array | None = None,
    sign: float | None = None,
    orthant: Array | None = None,
    finish: int = KEPT_POINTS,
) -> Columns:
    r"""Return local maximisers of the score of a neuron, best first: lower bounds on G(V), and columns to add.

    Parameters
    ----------
    V : array of shape (n,) or (n, c)
        Dual point of the samples.
    features : Features
        Rows X (N, d) and their readout.
    n_starts : int
        Independent starts, uniform on the sphere.
    rng : numpy.random.Generator
    starts : array of shape (d, k), optional
        Further starts, for instance the neurons of a network.
    sign : {1, -1}, optional
        Required for one output weight a neuron: the sign of the score that is sought.
    orthant : array of shape (d,), optional
        Signs that entries of neurons must have, 0 for those that are free; with a sign.
    finish : int
        Explored points that an ascent finishes at most: more of them find more where X has about as many columns as
        rows, for maxima then sit at corners that exploring only comes near.

    Notes
    -----
    All starts `explore`, for several outputs of patches above 200,000 entries of X, and an ascent finishes `finish` of
    them, fewer the larger X is and none above 10 million, or 3 million for several outputs without patches; what is not
    finished keeps the value it reached. Where rows are not whole in memory, or over 10 million entries, the best of a
    sample move on by passes over all rows (`search_streamed`), which copy nothing.
    """
    if not features.resident or features.size > WHOLE:
        return search_streamed(V, features, n_starts, rng, starts=starts, sign=sign, orthant=orthant, kept=finish)
    finished, rest = starts, None
    if sign is not None or not features.patched or features.size >= EXPLORED:
        found = explore(V, features, n_starts, rng, starts=starts, sign=sign, orthant=orthant, kept=finish)
        work = FINISHED if sign is not None or features.patched else FINISHED_OUTPUTS
        count = int(work / (features.size + features.N * features.n_regions))
        n_starts, finished, rest = 0, found[:, :count], found[:, count:]
    parts = []
    if finished is None or finished.shape[1] or n_starts:
        parts.append(ascended(features.lifted(V), features.dense(), n_starts, rng, finished, sign, orthant))
    if rest is not None and rest.shape[1]:
        parts.append(evaluated(V, features, rest, sign))
    return Columns.joined(parts).best_first()


def maximised(
    V: Array,
    features: Features,
    starts: Array,
    most: int,
    rng: np.random.Generator,
    sign: float | None,
    orthant: Array | None = None,
) -> Columns:
    """Return local maximisers from at most so many of the given starts, the best after exploring, best first.

    Starts that have explored end in better maxima than others, three times sooner. Rows are whole in memory.
    """
    if sign is not None or not features.patched or features.size >= EXPLORED:
        starts = explored(V, features, starts, sign, most, orthant)
    return ascended(features.lifted(V), features.dense(), 0, rng, starts[:, :most], sign, orthant)


def ascended(
    lifted: Array,
    X: Array,
    n_starts: int,
    rng: np.random.Generator,
    starts: Array | None,
    sign: float | None,
    orthant: Array | None = None,
) -> Columns:
    """Return local maximisers from uniform and given starts, for a dual point `lifted` of the rows of X."""
    if sign is None:
        return ascend_vector(lifted, X, n_starts, rng, starts=starts)
    v = sign * lifted
    if orthant is not None:
        values, U = _ascended_inside(v, X, start_rows(X.shape[1], n_starts, rng, starts).T, orthant)
        return Columns(values, U, np.full((len(values), 1), sign)).best_first()
    values, U = ascend(v, X, n_starts, rng, starts=starts)
    return Columns(values, U, np.full((len(values), 1), sign))


def _ascended_inside(v: Array, X: Array, starts: Array, orthant: Array) -> tuple[Array, Array]:
    """Scores and unit vectors (d, k) of an orthant that ascents end at: over rows with walls, then exactly inside."""
    rows = with_walls(v, X, orthant)
    U = ascend(*rows, 0, starts=reflected(starts, orthant), sweeps=WALL_SWEEPS, tol=WALL_TOLERANCE)[1]
    inside = clipped(U, orthant)
    inside = np.where(np.any(inside != 0.0, axis=0), inside, reflected(U, orthant))
    inside /= np.linalg.norm(inside, axis=0)
    return v @ np.maximum(X @ inside, 0.0), inside
