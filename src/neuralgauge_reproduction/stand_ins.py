"""Two classes of images and tables for the quick runs: shipped with scikit-learn, or generated."""

from __future__ import annotations

import numpy as np

from ._array import Array
from .registry import Data


def digits(first: int, second: int) -> Data:
    """Two of scikit-learn's handwritten digits, (n, 8, 8, 1) from 0 to 16, every third one for the test."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    chosen = np.isin(bunch.target, (first, second))
    images, labels = bunch.images[chosen][..., None], (bunch.target[chosen] == second).astype(np.int64)
    test = np.arange(len(labels)) % 3 == 0
    return Data(
        images[~test], labels[~test], images[test], labels[test], f"scikit-learn's digits {first} and {second}", True
    )


def diabetes() -> Data:
    """scikit-learn's diabetes table, for Boston."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, scaled=False)
    return _table(X, y, "scikit-learn's diabetes")


def arm(n: int = 2000, joints: int = 8) -> Data:
    """Distance of the hand of a planar arm from a point, by its joint angles, with noise, for Kinematics."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(-np.pi / 2, np.pi / 2, (n, joints))
    heading = np.cumsum(angles, axis=1)
    hand = np.stack([np.cos(heading).sum(axis=1), np.sin(heading).sum(axis=1)], axis=1) / joints
    y = np.linalg.norm(hand - [0.5, 0.25], axis=1) + 0.05 * rng.standard_normal(n)
    return _table(angles, y, "a generated arm of 8 joints")


def friedman(n: int = 2000, columns: int = 32) -> Data:
    """Friedman's first function of five of 32 columns, with noise, for Bank."""
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(n, columns, noise=1.0, random_state=0)
    return _table(X, y, "scikit-learn's make_friedman1 with 32 columns")


def _table(X: Array, y: Array, origin: str) -> Data:
    return Data(np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64), X[:0], y[:0], origin, True)
