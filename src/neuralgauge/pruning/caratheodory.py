r"""Fewer neurons of the same directions: basic solutions of the linear program over their amplitudes.

With the atoms a_j = (X u_j)_+ alpha_j^T in R^{n c} and costs |u_j| |alpha_j|, every t >= 0 with sum_j t_j a_j =
sum_j a_j gives the same outputs on the samples. A vertex of this polyhedron has at most rank(a_1, ..., a_m) <= n c
positive entries, and one of them has the least cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import qr
from scipy.optimize import linprog

from .._array import Array, BoolArray
from ..features.rows import Features
from ..networks.dense import N
from .exchange import exchange

RANKS = (1e-9, 1e-11, 1e-13)  # what counts as dependent, the most generous first; the outputs decide
KEPT_SUMS = 1e-11  # change of an output, relative to the largest sum of |activation times output weight|
FREE = 1e-9  # reduced cost, relative to the largest cost, up to which a neuron may be used on the cheapest face
TRIALS, REWEIGHTINGS = 6, 2  # random vertices of that face, and steps from each towards fewer neurons
SOLVER: Any = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}  # HiGHS's least


@dataclass(frozen=True)
class Amplitudes:
    """min cost^T s subject to E s = E start, s >= 0."""

    E: Array  # (n c, m), unit columns: the atoms' directions
    start: Array  # (m,), norms of the atoms
    cost: Array  # (m,), penalty of a unit of amplitude

    def rows(self, tolerance: float) -> Array:
        """(r, m): E in an orthonormal basis of its columns, r their numerical rank."""
        R, order = qr(self.E, mode="r", pivoting=True)
        diagonal = np.abs(np.diag(R))
        rank = int(np.count_nonzero(diagonal > tolerance * diagonal.max(initial=0.0)))
        rows = np.empty((rank, self.E.shape[1]))
        rows[:, order] = R[:rank]
        return rows

    def polished(self, s: Array) -> Array | None:
        """Return s of the same support with E s = E start to rounding; None where that is impossible or needs s < 0."""
        wanted = self.E @ self.start
        support = np.flatnonzero(s > 0)
        part, amplitudes = self.E[:, support], s[support].copy()
        try:
            for _ in range(2):  # the second step takes away the rounding of the first
                amplitudes += np.linalg.lstsq(part, wanted - part @ amplitudes, rcond=None)[0]
        except np.linalg.LinAlgError:  # a singular value decomposition that does not converge
            return None
        scale = float((np.abs(self.E) @ self.start).max(initial=0.0))
        kept = np.abs(part @ amplitudes - wanted).max(initial=0.0) <= KEPT_SUMS * scale
        if not kept or amplitudes.min(initial=0.0) < 0.0:
            return None
        result = np.zeros_like(s)
        result[support] = amplitudes
        return result if self.cost @ result <= self.cost @ self.start * (1.0 + KEPT_SUMS) else None


def basic(network: N, features: Features, rng: np.random.Generator | None = None) -> N:
    """Return a balanced network of at most rank(atoms) <= n c of the neurons, with the same outputs on the samples.

    Outputs are kept to 1e-11 of the largest sum of |activations times output weights|, and the penalty rises by no more
    than 1e-11. Where rounding does not allow that, `exchange` leaves at most n c, not always at the least cost. With
    `rng`, random vertices of the cheapest face are searched for one with fewer neurons: a heuristic, as finding the
    fewest is NP-hard.
    """
    balanced = network.balance()
    live = balanced.take(features.hidden(balanced.U).max(axis=0, initial=0.0) > 0.0)
    if live.n_neurons == 0:
        return live
    program = _amplitudes(live, features)
    tried = 0
    for tolerance in RANKS:
        rows = program.rows(tolerance)
        if len(rows) == live.n_neurons:
            break
        if len(rows) == tried:  # the same program again
            continue
        tried = len(rows)
        found = _cheapest(program, rows)
        if found is None:
            continue
        s, free = found
        if rng is not None:
            s = _sparsest(program, rows, s, free, rng)
        keep = s > 0
        root = np.sqrt(s[keep] / program.start[keep])
        return live.with_neurons(live.U[:, keep] * root, live.A[keep] * root[:, None])
    # With many neurons of nearly one direction linear programs are found infeasible.
    return exchange(live, features)


def _amplitudes(network: N, features: Features) -> Amplitudes:
    columns = features.atoms(network.U, network.A)
    size = np.linalg.norm(columns, axis=0)
    return Amplitudes(columns / size, size, np.einsum("ij,ij->i", network.A, network.A) / size)


def _cheapest(program: Amplitudes, rows: Array) -> tuple[Array, BoolArray] | None:
    """A vertex of least cost, and the neurons that may be used at this cost."""
    scale = float(program.cost.max())
    solved = _solve(program.cost / scale, rows, program.start)
    if solved is None:
        return None
    s = program.polished(solved[0])
    return None if s is None else (s, (solved[1] <= FREE) | (s > 0))


def _sparsest(program: Amplitudes, rows: Array, s: Array, free: BoolArray, rng: np.random.Generator) -> Array:
    """The vertex with fewest neurons among some of the cheapest face, where all neurons in use are free."""
    columns = np.flatnonzero(free)
    for _ in range(TRIALS if len(columns) > np.count_nonzero(s) else 0):
        weight = rng.exponential(size=len(columns))
        for _ in range(1 + REWEIGHTINGS):
            solved = _solve(weight, rows[:, columns], s[columns])
            if solved is None:
                break
            # Reweighted l1: what is small costs more in the next step.
            weight = 1.0 / (solved[0] + 0.1 * solved[0].mean())
            weight /= weight.max()
            candidate = np.zeros_like(s)
            candidate[columns] = solved[0]
            if np.count_nonzero(candidate) < np.count_nonzero(s):
                polished = program.polished(candidate)
                s = s if polished is None else polished
    return s


def _solve(cost: Array, rows: Array, start: Array) -> tuple[Array, Array] | None:
    """min cost^T s subject to rows s = rows start, s >= 0: a vertex and its reduced costs."""
    scale = float(start.max())
    found = linprog(cost, A_eq=rows, b_eq=rows @ (start / scale), bounds=(0.0, None), method="highs-ds", options=SOLVER)
    if found.x is None:
        return None
    s = np.asarray(found.x, dtype=np.float64) * scale
    s[s < KEPT_SUMS * s.max()] = 0.0
    return s, np.asarray(found.lower.marginals, dtype=np.float64)
