"""The rows whose constraints the cones of a round keep: all, or with many rows a sample as a region of trust."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MANY_ROWS = 5_000  # above them, and down to this gap, the cones of a round keep a sample of the rows:
FINE_GAP = 1e-2  # the gap from which on they keep all, and local search no longer saves more than it costs
FIRST_ROWS = 2  # of the first sample, for each column of X


class RowSample:
    """How many of N rows are trusted to hold a network near its cells.

    With many rows the cells are so small that no block could turn. Held to some rows only, blocks may: a step of the
    network with the sample as its region of trust.
    """

    def __init__(self, N: int, d: int, rng: np.random.Generator) -> None:
        self.N, self.fewest, self.rng = N, d, rng
        self.size = FIRST_ROWS * d

    def draw(self, gap: float) -> npt.NDArray[np.intp] | None:
        """Sorted rows for a round at this gap; None for all of them."""
        if self.N <= MANY_ROWS or self.size >= self.N or gap < FINE_GAP:
            return None
        return np.sort(self.rng.choice(self.N, self.size, replace=False)).astype(np.intp)

    def update(self, error: float) -> None:
        """More rows where a network falls short of what its program promised, relative to the gap; fewer where not."""
        if error > 0.5:
            self.size *= 16 if error > 2.0 else 4
        elif error < 0.1:
            self.size = max(self.size // 4, self.fewest)
