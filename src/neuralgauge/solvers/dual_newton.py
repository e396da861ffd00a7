r"""Semismooth Newton on the augmented Lagrangian of the dual of a gated program under the squared loss.

With A_i = D_i X g_i, all rows scaled by the roots of the sample weights, the blocks w of before and
:math:`z_i = w_i + \sigma A_i^T v`, every outer iteration minimises

.. math:: \psi(v) = \tfrac12 \|v\|^2 - y^T v + \frac1{2 \sigma} \sum_i (\|z_i\| - \sigma \beta)_+^2, \qquad
          \nabla \psi = v - y + \sum_i A_i p_i, \quad p_i = (1 - \sigma \beta / \|z_i\|)_+ z_i

and takes p for w: the proximal point method, which ends with the optimal blocks, v their residual. A Newton step is
one system over the blocks with :math:`\|z_i\| > \sigma \beta`, of a_i = sigma (1 - sigma beta / |z_i|), b_i = sigma
and u_i = z_i / |z_i| (`_gated_system`). Blocks enter and leave within a step, many at a time.

Source: Li, Sun & Toh, "A highly efficient semismooth Newton augmented Lagrangian method for solving Lasso problems"
(2018); for groups Zhang, Zhang, Sun & Toh (2020).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from .._array import Array
from ._gated_system import Active, GatedSystem
from ._scaled_rows import Index
from .blocks import BlockBracket
from .solution import Status

TAKING_PART = 0.9  # of beta: blocks of such scores take part; violated ones of others from the next iteration on
FIRST_WEIGHT, HEAVIEST = 3.0, 300.0  # sigma beta at the start, in mean lengths of the blocks with weight: over the gap
WEIGHT_GROWTH, MOST_WEIGHT = 3.0, 1e7  # of sigma an outer iteration; sigma beta at most, in the same lengths
INNER = 30  # Newton steps of an outer iteration, at most
BACKTRACKS, ARMIJO = 12, 1e-4  # of a step; share of the slope that psi must fall by
ROUNDING = 1e-13  # relative to psi: smaller differences say nothing
PATIENCE = 5  # outer iterations in a row that do not shrink the gap


@dataclass
class DualPoint:
    """v (n,) and the blocks w (m, d) of before, which steps replace."""

    v: Array
    W: Array


@dataclass(frozen=True)
class _Part:
    """The blocks that take part: which, their gates (k, n) and weights w (k, d)."""

    blocks: Index
    gates: Array
    W: Array


@dataclass(frozen=True)
class _Step:
    """At one v: z (k, d) and its lengths, the active ones of them, p of these, the gradient of psi, A p."""

    z: Array
    length: Array
    active: Index
    P: Array
    gradient: Array
    outputs: Array


class DualNewton:
    """The method for one penalty, from a point that may be the solution for another one."""

    def __init__(self, bracket: BlockBracket, system: GatedSystem, point: DualPoint) -> None:
        self.bracket, self.run, self.system, self.point = bracket, bracket.run, system, point
        self.rows, self.beta = system.rows, bracket.program.problem.beta
        length = np.linalg.norm(point.W, axis=1)
        typical = float(length[length > 0.0].mean()) if length.any() else self._first_length()
        self.unit = typical / self.beta
        self.sigma = min(FIRST_WEIGHT / self.run.gap, HEAVIEST) * self.unit

    def _offer(self, part: _Part, here: _Step, C: Array, anyway: bool) -> None:
        """Offer p and v if, as far as the blocks that take part tell, they reach the gap."""
        run, y, v = self.run, self.rows.y, self.point.v
        residual = y - here.outputs
        upper = 0.5 * float(residual @ residual) + self.beta * float(np.sum(np.linalg.norm(here.P, axis=1)))
        highest = float(np.linalg.norm(C, axis=1).max(initial=0.0))
        along, energy = float(v @ y), max(float(v @ v), np.finfo(float).tiny)
        share = min(max(along / energy, 0.0), self.beta / max(highest, self.beta))
        lower = share * along - 0.5 * share**2 * energy
        if not anyway and min(upper, run.upper) - max(lower, run.lower) > run.target_gap * upper:
            return
        program, root = self.bracket.program, self.rows.root
        W = np.zeros_like(self.point.W)
        W[part.blocks[here.active]] = here.P
        b = np.zeros(1)
        if program.problem.offset:
            left = root * program.problem.y - self.rows.forward(here.P, part.gates[here.active])
            b = np.array([root @ left / (root @ root)])
        self.bracket.offer(W, b)
        self.bracket.offer_dual(program.problem.fit.project(root * v), np.zeros_like(W))

    def _first_length(self) -> float:
        """Of blocks where none has weight: what fits all targets."""
        return float(np.linalg.norm(self.rows.y) / np.linalg.norm(self.rows.design))

    def steps(self) -> Generator[None, None, Status]:
        """One Newton step after the other; how they end by themselves."""
        idle, gap = 0, np.inf
        while idle < PATIENCE:
            part = self._part()
            yield from self._minimised(part)
            self.run.record(self.bracket.program.n_blocks)
            idle, gap = (0, self.run.gap) if self.run.gap < gap else (idle + 1, gap)
            self.sigma = min(WEIGHT_GROWTH * self.sigma, MOST_WEIGHT * self.unit)
        return Status.STALLED

    def _part(self) -> _Part:
        """The blocks with weight or scores near the largest one allowed, at v shortened until that is attained."""
        W, scores = self.point.W, np.linalg.norm(self.rows.adjoint(self.point.v), axis=1)
        shrunk = scores * min(1.0, self.beta / max(float(scores.max()), np.finfo(float).tiny))
        blocks = np.flatnonzero((shrunk > TAKING_PART * self.beta) | np.any(W != 0.0, axis=1))
        return _Part(blocks, self.rows.gates[blocks], W[blocks])

    def _minimised(self, part: _Part) -> Generator[None, None, None]:
        """Newton steps on psi until what its gradient leaves is less than what new blocks w would change."""
        C = self.rows.adjoint(self.point.v, part.gates)
        for count in range(INNER):
            here = self._at(part, C)
            enough = self._enough(part, here) and count > 0
            self._offer(part, here, C, enough)
            if not enough:
                C = self._newton(part, here, C)
                self.run.n_iter += 1
            self._take(part, here)
            yield
            if enough:
                return

    def _at(self, part: _Part, C: Array) -> _Step:
        z = part.W + self.sigma * C
        length = np.linalg.norm(z, axis=1)
        active = np.flatnonzero(length > self.sigma * self.beta)
        P = (1.0 - self.sigma * self.beta / length[active])[:, None] * z[active]
        outputs = self.rows.projected(self.rows.forward(P, part.gates[active]))
        return _Step(z, length, active, P, self.point.v - self.rows.y + outputs, outputs)

    def _enough(self, part: _Part, here: _Step) -> bool:
        change = part.W.copy()
        change[here.active] -= here.P
        floor = ROUNDING * float(np.linalg.norm(self.rows.y))
        return bool(np.linalg.norm(here.gradient) <= np.linalg.norm(change) / np.sqrt(self.sigma) + floor)

    def _newton(self, part: _Part, here: _Step, C: Array) -> Array:
        """Step to a v of less psi; A^T v there."""
        sigma, length = self.sigma, here.length[here.active]
        shrink = np.maximum(1.0 - sigma * self.beta / length, np.finfo(float).eps)
        active = Active(
            part.blocks[here.active], part.gates[here.active], sigma * shrink, np.full(len(length), sigma),
            here.z[here.active] / length[:, None],
        )  # fmt: skip
        dv = -self.system.solve(active, here.gradient)
        if not np.isfinite(dv).all():
            raise np.linalg.LinAlgError("a direction that is not finite")
        dC = self.rows.adjoint(dv, part.gates)
        psi, slope, t = self._psi(self.point.v, here.length), float(here.gradient @ dv), 1.0
        for _ in range(BACKTRACKS):
            v = self.point.v + t * dv
            moved = self._psi(v, np.linalg.norm(here.z + t * sigma * dC, axis=1))
            if moved <= psi + ARMIJO * t * slope + ROUNDING * abs(psi):
                break
            t *= 0.5
        self.point.v = self.point.v + t * dv
        return C + t * dC

    def _psi(self, v: Array, length: Array) -> float:
        over = np.maximum(length - self.sigma * self.beta, 0.0)
        return float(0.5 * (v @ v) - self.rows.y @ v + 0.5 * (over @ over) / self.sigma)

    def _take(self, part: _Part, here: _Step) -> None:
        """The blocks p: what the next iteration, or another penalty, begins with."""
        W = np.zeros_like(self.point.W)
        W[part.blocks[here.active]] = here.P
        self.point.W = W
