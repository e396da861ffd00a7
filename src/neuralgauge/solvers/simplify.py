"""The smallest network that is as good: an interior point leaves nothing at zero and splits neurons over cells."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from .._array import Array
from ..networks import TwoLayerNetwork
from ..problem import TrainingProblem

ANGLES = (1e-6, 1e-4, 1e-3, 1e-2, 3e-2)
CUTS = (1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)


def simplify(network: TwoLayerNetwork, problem: TrainingProblem, slack: float = 0.0) -> TwoLayerNetwork:
    """Join neurons of nearly one direction and drop vanishing ones, as far as the objective allows.

    Parameters
    ----------
    network : TwoLayerNetwork
    problem : TrainingProblem
    slack : float
        Relative rise of the objective [2] that each of the two steps may cost.

    Returns
    -------
    TwoLayerNetwork
        Balanced, with at most n c + 1 neurons.
    """
    network = network.merge()
    limit = problem.objective(network) * (1.0 + max(slack, 1e-13))
    for angle in reversed(ANGLES):
        merged = network.merge(angle)
        if merged.n_neurons < network.n_neurons and problem.objective(merged) <= limit:
            network = merged
            break
    size = np.linalg.norm(network.U, axis=0)
    for cut in reversed(CUTS):
        keep = size > cut * size.max(initial=0.0)
        smaller = network.take(keep)
        if not keep.all() and problem.objective(smaller) <= limit:
            network = smaller
            break
    return network if network.n_neurons <= problem.y.size + 1 else _sparsest(network, problem)


def _sparsest(network: TwoLayerNetwork, problem: TrainingProblem) -> TwoLayerNetwork:
    """The same outputs on the samples from at most n c of the neurons (Caratheodory): a basic solution of an LP."""
    hidden = np.maximum(problem.X @ network.U, 0.0)
    atoms = (hidden[:, None, :] * network.A.T).reshape(-1, network.n_neurons)
    cost: Array = np.einsum("ij,ij->i", network.A, network.A)
    found = linprog(cost, A_eq=atoms, b_eq=atoms.sum(axis=1), bounds=(0.0, None), method="highs-ds")
    if found.x is None:
        return network
    keep = found.x > 0
    root = np.sqrt(found.x[keep])
    smaller = network.with_neurons(network.U[:, keep] * root, network.A[keep] * root[:, None])
    return smaller if problem.objective(smaller) <= problem.objective(network) * (1.0 + 1e-9) else network
