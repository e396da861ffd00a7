"""Cones a y_i >= |y_i alpha| of several output weights alpha in the splitting, y = on, off, p and q."""

from __future__ import annotations

import numpy as np

from .._array import Array


class OutputCones:
    """What the cones have answered, n of each of on, off, p and q, in rows (a, alpha) times the root of their weight.

    Attributes
    ----------
    away : array of shape (4, n, q + 1)
        The images less their reflection, 2 kept - aim: what the semidefinite step is to make up for.
    """

    def __init__(self, n: int, q: int) -> None:
        self._aims, self._reflected = np.zeros((4, n, q + 1)), np.zeros((4, n, q + 1))
        self.away = np.zeros((4, n, q + 1))

    def move(self, images: Array, relaxation: float) -> None:
        """Move the aims toward images (4, n, q + 1), and reflect them."""
        self._aims += relaxation * (images - 0.5 * (self._aims + self._reflected))
        t, x = self._aims[..., :1], self._aims[..., 1:]
        length = np.linalg.norm(x, axis=2, keepdims=True)
        inside = length <= np.abs(t)
        turn = np.where(inside, np.sign(t), t / np.maximum(length, 1e-300))
        self._reflected = np.concatenate([np.where(inside, np.abs(t), length), turn * x], axis=2)
        self.away = images - self._reflected

    def multipliers(self) -> Array:
        """(l, g) of l a - g^T alpha, (4, n, q + 1): twice kept - aim, with the sign of g turned."""
        twice = self._reflected - self._aims
        twice[..., 1:] *= -1.0
        return twice
