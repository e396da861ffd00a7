"""One neuron a cell: two neurons with the same signs on all samples are replaced by their sum, at lower cost."""

from __future__ import annotations

import numpy as np

from ..features.rows import Features
from ..networks.dense import N

ON_BOUNDARY = 1e-13  # x^T u below this, relative to |x| |u|, is on the boundary of both cells
SAME_OUTPUT = 1e-12  # 1 - cosine of output directions that count as one


def joined_in_cells(network: N, features: Features) -> N:
    """Return a network of the same outputs on the samples, with neurons of one direction and one cell added up.

    Where (x_i^T w_j) (x_i^T w_k) >= 0 for all i, (X w_j)_+ + (X w_k)_+ = (X (w_j + w_k))_+, and the cost |w_j + w_k|
    is below |w_j| + |w_k| unless the two are on one ray. The closest pairs go first; neurons that no sample activates
    are dropped. Expects a balanced network. Cost O(n m^2), and O(n m) a pair.
    """
    network = network.take(features.hidden(network.U).max(axis=0, initial=0.0) > 0.0)
    size = np.linalg.norm(network.A, axis=1)
    W, G = network.U * size, network.A / size[:, None]
    sides = features.margins(W.T).T
    sides[np.abs(sides) <= ON_BOUNDARY * np.outer(features.lengths, np.linalg.norm(W, axis=0))] = 0.0
    up, down = (sides > 0.0).astype(np.float32), (sides < 0.0).astype(np.float32)
    conflicts = up.T @ down
    apart = (conflicts + conflicts.T > 0) | (G @ G.T < 1.0 - SAME_OUTPUT)
    np.fill_diagonal(apart, True)
    left = np.ones(W.shape[1], dtype=bool)
    while not apart.all():
        unit = W / np.linalg.norm(W, axis=0)
        j, k = np.unravel_index(np.argmax(np.where(apart, -np.inf, unit.T @ unit)), apart.shape)
        W[:, j] += W[:, k]
        up[:, j], down[:, j] = np.maximum(up[:, j], up[:, k]), np.maximum(down[:, j], down[:, k])
        left[k] = False
        apart[k], apart[:, k] = True, True
        new = (up[:, j] @ down + down[:, j] @ up > 0) | apart[j]
        apart[j], apart[:, j] = new, new
    root = np.sqrt(np.linalg.norm(W[:, left], axis=0))
    return network.with_neurons(W[:, left] / root, G[left] * root[:, None])
