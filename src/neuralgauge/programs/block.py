r"""The convex program over given activation patterns [8], [19], as data.

.. math:: \min_{W, b} \; L\Big(\sum_i D_i X w_i g_i^T + 1 b^T\Big) + \beta \sum_i \|w_i\|_2
          \quad\text{subject to}\quad (2 D_i - I) X w_i \ge 0 \ \text{ (dropped when gated)}

with one block w_i for each pattern D_i and output direction g_i, a unit vector; for one output g_i = +-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from ..problems.training import TrainingProblem


@dataclass(frozen=True)
class BlockProgram:
    """Blocks of one training problem.

    Attributes
    ----------
    problem : TrainingProblem
        Data X, loss and beta; with a convolutional readout X has N rows, patches, and D_i X w_i g_i^T is read out.
    gates : bool array of shape (m, N)
        Row i is the diagonal of D_i.
    directions : array of shape (m, q)
        Unit rows g_i; -1 or +1 for one output.
    cones : bool
        Whether block i is confined to its cone K_i (ReLU) or free (gated ReLU).
    rows : int array of shape (m, k), optional
        The rows whose constraints block i keeps; all by default. Where they miss a facet of K_i, the program is a
        relaxation: its dual bound still holds for the program with all of them.
    maps : array of shape (m, n c, d), optional
        What stands for D_i X where samples have many rows: the maps from w_i to the outputs, formed once.
    """

    problem: TrainingProblem
    gates: BoolArray
    directions: Array
    cones: bool = True
    rows: npt.NDArray[np.intp] | None = None
    maps: Array | None = None

    def __post_init__(self) -> None:
        features = self.problem.features
        if self.maps is None and features.patched:
            maps = features.maps(self.gates, self.directions)
            object.__setattr__(self, "maps", maps.reshape(self.n_blocks, -1, self.problem.d))

    @property
    def n_blocks(self) -> int:
        """m."""
        return self.gates.shape[0]

    @cached_property
    def signed_gates(self) -> Array:
        """The gates times the sign that is a block's direction, (m, N), for one output."""
        result: Array = self.gates * self.directions
        return result

    def forward(self, W: Array, offset: Array | float = 0.0) -> Array:
        """Outputs of y's shape for W (m, d) and offset (c,): 2 N m d operations, with maps 2 n c m d."""
        problem = self.problem
        if self.maps is not None:
            outputs = np.matmul(self.maps, W[:, :, None]).sum(axis=0).reshape(problem.n, -1)
            return (outputs + offset).reshape(problem.y.shape)
        if problem.q == 1:
            f = problem.features.row_products(W.T @ self.signed_gates)
            return (f.reshape(problem.n, 1) + offset).reshape(problem.y.shape)
        Z = problem.features.margins(W)
        f = problem.features.readout.outputs((self.gates * Z).T, self.directions) + offset
        return f.reshape(problem.y.shape)

    def adjoint(self, v: Array) -> Array:
        """X^T D_i v g_i for every block: shape (m, d), as many operations."""
        if self.maps is not None:
            return np.matmul(v.reshape(-1), self.maps)
        problem = self.problem
        if problem.q == 1:
            return problem.features.scaled_sums(self.signed_gates, v.ravel())
        return problem.features.weighted_sums(self.gates * problem.features.along(v, self.directions).T)

    def objective(self, W: Array, offset: Array | float = 0.0) -> float:
        """L + beta sum |w_i|, whether or not W is feasible."""
        penalty = self.problem.beta * float(np.sum(np.linalg.norm(W, axis=1)))
        return self.problem.fit.value(self.forward(W, offset)) + penalty
