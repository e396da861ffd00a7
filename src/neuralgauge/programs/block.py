r"""The convex program over given activation patterns [8], [19], as data.

.. math:: \min_W \; L\Big(\sum_i \sigma_i D_i X w_i\Big) + \beta \sum_i \|w_i\|_2
          \quad\text{subject to}\quad (2 D_i - I) X w_i \ge 0 \ \text{ (dropped when gated)}

with one block w_i for each pattern D_i and sign sigma_i = +-1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from ..problem import TrainingProblem


@dataclass(frozen=True)
class BlockProgram:
    """Blocks of one training problem.

    Attributes
    ----------
    problem : TrainingProblem
        Data X (n, d), loss and beta.
    gates : bool array of shape (m, n)
        Row i is the diagonal of D_i.
    signs : array of shape (m,)
        sigma_i, -1 or +1.
    cones : bool
        Whether block i is confined to its cone K_i (ReLU) or free (gated ReLU).
    rows : int array of shape (m, k), optional
        The samples whose constraints block i keeps; all by default. Where they miss a facet of K_i, the program is a
        relaxation: its dual bound still holds for the program with all of them.
    """

    problem: TrainingProblem
    gates: BoolArray
    signs: Array
    cones: bool = True
    rows: npt.NDArray[np.intp] | None = None

    @property
    def n_blocks(self) -> int:
        """m."""
        return self.gates.shape[0]

    def forward(self, W: Array) -> Array:
        """sum_i sigma_i D_i X w_i for W (m, d): shape (n,), 2 n m d operations."""
        Z = W @ self.problem.X.T
        result: Array = np.einsum("mn,mn,m->n", self.gates, Z, self.signs, optimize=False)
        return result

    def adjoint(self, v: Array) -> Array:
        """sigma_i X^T D_i v for every block: shape (m, d), 2 n m d operations."""
        return self.signs[:, None] * ((self.gates * v) @ self.problem.X)

    def objective(self, W: Array) -> float:
        """L + beta sum |w_i|, whether or not W is feasible."""
        penalty = self.problem.beta * float(np.sum(np.linalg.norm(W, axis=1)))
        return self.problem.loss_value(self.forward(W)) + penalty
