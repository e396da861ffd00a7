r"""The convex program over given activation patterns [8], [19], as data.

.. math:: \min_{W, b} \; L\Big(\sum_i D_i X w_i g_i^T + 1 b^T\Big) + \beta \sum_i \|w_i\|_2
          \quad\text{subject to}\quad (2 D_i - I) X w_i \ge 0 \ \text{ (dropped when gated)}

with one block w_i for each pattern D_i and output direction g_i, a unit vector; for one output g_i = +-1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from ..features.cones import ConeRows, cone_rows
from ..features.gated import GatedRows, gated
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
        The rows of `walls` whose constraints block i keeps; all by default. Where they miss a facet of K_i, the program
        is a relaxation: its dual bound still holds for the program with all of them.
    operator : GatedRows, optional
        The map from blocks to outputs, made from the gates and directions unless it is given.
    """

    problem: TrainingProblem
    gates: BoolArray
    directions: Array
    cones: bool = True
    rows: npt.NDArray[np.intp] | None = None
    operator: GatedRows = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.operator is None:
            object.__setattr__(self, "operator", gated(self.problem.features, self.gates, self.directions))

    def take(self, blocks: npt.NDArray[Any]) -> BlockProgram:
        """Only these blocks, with all constraints."""
        operator = self.operator.take(blocks)
        return replace(self, gates=operator.gates, directions=operator.directions, rows=None, operator=operator)

    @property
    def n_blocks(self) -> int:
        """m."""
        return self.gates.shape[0]

    def cone_rows(self) -> ConeRows:
        """The constraints of the blocks; none of them when it is gated."""
        none = np.zeros((self.n_blocks, 0), dtype=np.intp)
        return cone_rows(*self.walls, self.rows if self.cones else none)

    @cached_property
    def walls(self) -> tuple[Array, BoolArray]:
        """Rows (N + p, d), and for each block the side of them that its cone is on, (m, N + p): X and its gates.

        For a problem with constraints on neurons p rows of theirs follow, on the side of the block's output sign.
        """
        X, constraints = self.problem.features.dense(), self.problem.constraints
        if constraints is None:
            return X, self.gates
        positive = np.repeat(self.directions > 0.0, len(constraints.walls), axis=1)
        return np.vstack([X, constraints.walls]), np.hstack([self.gates, positive])

    def slacks(self, W: Array) -> Array:
        """How far blocks W (m, d) are inside of each wall of their cones, negative outside, (m, N + p)."""
        rows, side = self.walls
        return np.where(side, 1.0, -1.0) * (W @ rows.T)

    def confined(self, W: Array) -> Array:
        """Blocks whose entries obey the constraints on neurons exactly, those that do not set to zero."""
        constraints = self.problem.constraints
        return W if constraints is None else constraints.confined(W.T, self.directions[:, 0]).T

    def forward(self, W: Array, offset: Array | float = 0.0) -> Array:
        """Outputs of y's shape for W (m, d) and offset (c,): 2 N m d operations."""
        return (self.operator.forward(W) + offset).reshape(self.problem.y.shape)

    def adjoint(self, v: Array) -> Array:
        """X^T D_i v g_i for every block: shape (m, d), as many operations."""
        return self.operator.adjoint(v.reshape(self.problem.n, -1))

    def objective(self, W: Array, offset: Array | float = 0.0, outputs: Array | None = None) -> float:
        """L + beta sum |w_i|, whether or not W is feasible, from the outputs if they are known."""
        penalty = self.problem.beta * float(np.sum(np.linalg.norm(W, axis=1)))
        return self.problem.fit.value(self.forward(W, offset) if outputs is None else outputs) + penalty
