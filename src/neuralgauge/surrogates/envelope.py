"""The least concave function above a neuron on a cube: what a linear program can know of it."""

from __future__ import annotations

import numpy as np

from .._array import Array
from .box import EPS


def facets_above(slope: Array, level: Array, t: Array) -> tuple[Array, Array]:
    r"""Linear functions, slopes (m, k) and levels (m,), above neurons on [-1, 1]^k, and least at t.

    With features turned so that slope_j >= 0, a neuron is a supermodular function of the corners of the cube, since it
    is convex in their sum. Its concave envelope at t is therefore its Lovasz extension: along the corners that are
    reached by raising features from -1 to 1 in falling order of t, linear. Cost O(m k log k). These are the
    inequalities of Anderson, Huchette, Ma, Tjandraatmadja & Vielma (2020) without their binaries.
    """
    rows = np.arange(len(slope))[:, None]
    turned = np.where(slope < 0.0, -t, t)
    order = np.argsort(-turned, axis=1, kind="stable")
    raised = 2.0 * np.abs(slope)[rows, order]
    least = level - np.abs(slope).sum(axis=1)
    heights = np.maximum(np.column_stack([least, least[:, None] + np.cumsum(raised, axis=1)]), 0.0)
    slopes = np.zeros_like(slope)
    slopes[rows, order] = 0.5 * np.diff(heights, axis=1)
    levels = heights[:, 0] + slopes.sum(axis=1)
    # Sums of k terms of at most one, as neurons are scaled.
    return np.where(slope < 0.0, -slopes, slopes), levels + 4.0 * (slope.shape[1] + 4) * EPS
