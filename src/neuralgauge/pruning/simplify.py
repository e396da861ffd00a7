"""A smaller network of the same objective: interior points leave small neurons and split others over cells."""

from __future__ import annotations

import numpy as np

from .._array import Array
from ..networks.dense import N
from ..problems.training import TrainingProblem
from .caratheodory import basic

ANGLES = (1e-6, 1e-4, 1e-3, 1e-2, 3e-2)  # between directions that are joined; the largest that the objective allows
DROPPED = (1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # sizes relative to the largest, likewise


def simplify(network: N, problem: TrainingProblem, slack: float = 0.0) -> N:
    """Return a balanced network of at most n c + 1 neurons, those of nearly one direction joined, small ones dropped.

    `slack` is the relative rise of the objective [2] that these steps may cost.
    """
    network = problem.merged(network)
    limit = problem.objective(network) * (1.0 + max(slack, 1e-13))
    for angle in reversed(ANGLES):
        merged = problem.merged(network, angle)
        if merged.n_neurons < network.n_neurons and problem.objective(merged) <= limit:
            network = merged
            break
    size = np.linalg.norm(network.U, axis=0)
    for cut in reversed(DROPPED):
        keep = size > cut * size.max(initial=0.0)
        smaller = network.take(keep)
        if not keep.all() and problem.objective(smaller) <= limit:
            network = smaller
            break
    if problem.constraints is not None:
        network = _onto_walls(network, problem, problem.constraints.monotone, limit)
    return network if network.n_neurons <= problem.y.size + 1 else basic(network, problem.features)


def _onto_walls(network: N, problem: TrainingProblem, monotone: Array, limit: float) -> N:
    """Entries that constraints bound set to zero where they nearly are: interior points end close to it."""
    size = np.abs(network.U) / np.maximum(np.linalg.norm(network.U, axis=0), np.finfo(float).tiny)
    for cut in reversed(ANGLES):
        near = (monotone[:, None] != 0.0) & (size <= cut)
        moved = network.with_neurons(np.where(near, 0.0, network.U), network.A)
        if problem.objective(moved) <= limit:
            return moved
    return network
