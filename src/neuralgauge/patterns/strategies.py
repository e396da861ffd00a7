"""Activation patterns around given vectors."""

from __future__ import annotations

import numpy as np

from .._array import Array

TIE = 1e-7


def interior_vectors(X: Array, U: Array, rng: np.random.Generator) -> Array:
    """For every row of U, a vector inside an open cell whose closure holds it.

    The best neurons sit on kinks, where x_i^T u = 0 for several samples and the pattern is undecided. Each row moves
    along a random direction, half-way to the next hyperplane it is not already on, which settles the ties one way;
    since the cell's closure holds u, nothing is lost.

    Parameters
    ----------
    X : array of shape (n, d)
    U : array of shape (k, d)
        Not zero; rows are normalised.
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (k, d)

    Notes
    -----
    Cost O(n d k). Samples with |x_i^T u| <= 1e-7 |x_i| count as tied.
    """
    unit = U / np.linalg.norm(U, axis=1, keepdims=True)
    move = rng.standard_normal(U.shape)
    Z, Z_move = np.abs(unit @ X.T), np.abs(move @ X.T)
    free = TIE * np.linalg.norm(X, axis=1) < Z
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(free, Z / Z_move, np.inf).min(axis=1, initial=np.inf)
    result: Array = unit + 0.5 * np.minimum(reach, 0.2)[:, None] * move
    return result
