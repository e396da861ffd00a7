"""Columns of a round: which of them are taken, and how they join a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..networks.dense import TwoLayerNetwork
from ..pricing.columns import Columns
from ..problems.training import TrainingProblem

MOST_COLUMNS = 60  # new neurons of each sign and round
SAME_COLUMN = 1e-4  # 1 - cosine under which two of them count as one


def violated(parts: Sequence[Columns], least: float) -> Columns:
    """The columns with scores above `least` that differ, at most MOST_COLUMNS of each part."""
    return Columns.joined([part.take(part.values > least).distinct(MOST_COLUMNS, SAME_COLUMN) for part in parts])


def with_columns(problem: TrainingProblem, network: TwoLayerNetwork, upper: float, columns: Columns) -> TwoLayerNetwork:
    """The network and the columns at a small weight: a tenth of its neurons' or, without any, 1 % of the loss."""
    if len(columns.values) == 0:
        return network
    if network.n_neurons:
        size = 0.1 * np.sqrt(np.mean(np.sum(network.A**2, axis=1)))
    else:
        size = np.sqrt(0.01 * upper / (problem.beta * len(columns.values)))
    return network.join(network.with_neurons(size * columns.U, size * columns.G))
