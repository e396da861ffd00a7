"""A program over given blocks: its feasible and dual points, and its solution by the interior point."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from .._threads import threads
from ..certificate import Certificate, lower_bound
from ..networks.dense import TwoLayerNetwork
from ..networks.gated import GatedNetwork
from ..programs.block import BlockProgram
from ..programs.mapping import network_of_blocks
from .interior_point import BlockIterate, InteriorPoint
from .run import Run
from .solution import Solution, Status

FEASIBLE = 1e-9  # largest cone violation, relative to |x_j| |w_i|, of a point called feasible


class BlockBracket:
    """Feasible blocks and dual points of one program, offered to a run whose points are pairs (W, offset).

    It starts with the best network without blocks, and v = 0 without a bound.
    """

    def __init__(self, program: BlockProgram, witnesses: Array | None, run: Run) -> None:
        problem, empty = program.problem, program.problem.empty_network()
        self.program, self.witnesses, self.run = program, witnesses, run
        zero = np.zeros((program.n_blocks, problem.d)), np.asarray(empty.offset)
        run.offer(problem.objective(empty), zero)
        # No blocks do better than a loss of zero, and the central path is empty.
        run.offer_dual(0.0 if run.upper == 0.0 else -np.inf, np.zeros_like(problem.y))

    def offer(self, W: Array, offset: Array) -> Array:
        """Offer feasible blocks; their outputs."""
        W = self.program.confined(W)
        f = self.program.forward(W, offset)
        self.run.offer(self.program.objective(W, offset, f), (W, offset))
        return f

    def offer_start(self, start: Solution[Any] | None) -> None:
        """Offer the blocks of a solution for another penalty, if they satisfy the cones."""
        if start is None:
            return
        W = start.blocks
        assert W is not None
        length = np.linalg.norm(W, axis=1)
        slack = self.program.slacks(W) if self.program.cones else np.zeros(1)
        if -slack.min() <= FEASIBLE * float(self.program.problem.features.lengths.max() * length.max()):
            self.offer(W, np.asarray(start.network.offset))

    def offer_dual(self, v: Array, cone_multipliers: Array) -> Array:
        """Offer a dual point with the bound that multipliers of the cones give it; the scores they leave, (m,)."""
        polar, scores = polar_bound(self.program, v, cone_multipliers)
        if np.isfinite(polar):
            self.run.offer_dual(lower_bound(self.program.problem, v, polar), v)
        return scores

    def consider(self, iterate: BlockIterate) -> None:
        """Offer an iterate of the interior point, and write a record."""
        if iterate.violation <= FEASIBLE:
            self.offer(iterate.W, iterate.offset)
        self.offer_dual(self.program.problem.fit.project(-iterate.g), iterate.cone_multipliers)
        self.run.record(self.program.n_blocks)

    def include(self, solved: Solution[Any], W: Array | None = None) -> None:
        """Offer what a solution has, or these blocks made of its own, where its bound holds for this program."""
        self.run.n_iter += solved.n_iter
        self.run.offer_dual(solved.certificate.lower, solved.dual)
        blocks = solved.blocks if W is None else W
        assert blocks is not None
        self.offer(blocks, np.asarray(solved.network.offset))

    def include_part(self, solved: Solution[Any], part: npt.NDArray[np.intp]) -> None:
        """Offer the blocks of a solution over some blocks, `part`; its bound says nothing of the others."""
        self.run.n_iter += solved.n_iter
        W = np.zeros((self.program.n_blocks, self.program.problem.d))
        W[part] = solved.blocks
        self.offer(W, np.asarray(solved.network.offset))

    def solution(self, ended: Status) -> Solution[Any]:
        """The best points of the run."""
        run, (W, offset) = self.run, self.run.point
        trivial = self.program.problem.fit.dual_bound(np.zeros_like(self.program.problem.y))
        constrained = self.program.problem.constraints is not None
        certificate = Certificate(run.upper, run.lower, "patterns", proven=trivial, constrained=constrained)
        return run.solution(self._network(W, offset), certificate, ended, blocks=W)

    def _network(self, W: Array, offset: Array) -> TwoLayerNetwork | GatedNetwork:
        """The network of blocks: ReLU with cones, gated without."""
        problem, directions = self.program.problem, self.program.directions
        if self.program.cones:
            return network_of_blocks(W, directions, problem.empty_network(), offset)
        alive = np.einsum("ij,ij->i", W, W) > 0
        gates = None if self.witnesses is None else self.witnesses[alive]
        return problem.gated_network(W[alive], gates, directions[alive], offset)


def polar_bound(program: BlockProgram, v: Array, cone_multipliers: Array) -> tuple[float, Array]:
    """Upper bound on max_i max {g_i^T v^T D_i X w : |w| <= 1, w in K_i} from multipliers of the cones; those of each i.

    By weak duality each is at most |X^T D_i v g_i + X^T (2 D_i - I) Lambda_i|; a margin covers the rounding.
    """
    sums = program.adjoint(v) + cone_multipliers
    problem = program.problem
    features = problem.features
    weight = features.along(np.abs(v), np.ones((1, problem.q)))[:, 0]
    size = float(np.linalg.norm(features.absolute_sum(weight)) + np.abs(cone_multipliers).max(initial=0.0))
    margin = 4.0 * (features.N + problem.d + problem.q) * np.finfo(float).eps * size
    scores = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    return float(scores.max()) + margin, scores


def solve_blocks(
    program: BlockProgram, witnesses: Array | None, run: Run, max_iter: int, start: Solution[Any] | None = None
) -> Solution[Any]:
    """The program's solution by the interior point over all its blocks and constraints.

    Every iteration is a `Record`. Witnesses inside the cones, (m, d), give a start on the central path. No result is
    above a feasible solution for another penalty, `start`.
    """
    with threads():
        bracket = BlockBracket(program, witnesses, run)
        bracket.offer_start(start)
        ended = run.follow(lambda: InteriorPoint(program, witnesses), bracket.consider, max_iter, stride=1)
        return bracket.solution(ended)
