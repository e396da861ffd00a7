"""The positive semidefinite part of a matrix that moves little from one call to the next."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from .._array import Array

SPARE = 6  # directions kept beside those of positive eigenvalues, from which new ones grow
WIDEST = 0.4  # share of the order up to which a subspace is cheaper than the whole decomposition
DEGREE = 2  # of the filter; products with the matrix. 1 takes more iterations, 3 no fewer
WHOLE_FIRST, WHOLE_EVERY = 20, 50  # calls answered by the whole decomposition: at first, and now and then


class PositivePart:
    """Roots of the nearest positive semidefinite matrices.

    Moments have few positive eigenvalues (some 50 to 100 where the order is 895): their eigenvectors are followed by a
    Chebyshev filter, which raises what is above 0 over what is in [least eigenvalue, 0], and a Rayleigh-Ritz step.
    (Zhou, Saad, Tiago & Chelikowsky, J. Comput. Phys. 2006.) A positive eigenvalue that is missed stays in the matrix,
    where later calls find it.
    """

    def __init__(self) -> None:
        self._basis: Array | None = None
        self._least = 0.0
        self._calls = 0

    def root(self, M: Array) -> Array:
        """Return R of shape (order, rank) with R R^T the positive part of the symmetric M, which is left as it is."""
        self._calls += 1
        if self._basis is None or self._calls <= WHOLE_FIRST or self._calls % WHOLE_EVERY == 0:
            values, vectors = eigh(M, driver="evd", check_finite=False)
            self._least = min(1.2 * float(values[0]), -1e-300)
        else:
            filtered = np.linalg.qr(self._filtered(M, self._basis))[0]
            values, turn = eigh(filtered.T @ (M @ filtered), driver="evd", check_finite=False)
            vectors = filtered @ turn
        positive = int(np.sum(values > 0.0))
        kept = positive + SPARE
        self._basis = vectors[:, -kept:] if positive < len(values) and kept <= WIDEST * len(M) else None
        return np.asarray(vectors[:, len(values) - positive :] * np.sqrt(values[len(values) - positive :]))

    def _filtered(self, M: Array, V: Array) -> Array:
        """T_k(2 M / |least| + I) V, the Chebyshev polynomial that is small on [least, 0]."""
        half = -0.5 * self._least
        before, now = V, (M @ V) / half + V
        for _ in range(DEGREE - 1):
            before, now = now, 2.0 * ((M @ now) / half + now) - before
        return now
