"""Two-layer ReLU networks: weights, outputs, weight decay and the forms that keep the function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ._array import Array, as_matrix, frozen, with_ones
from .errors import InvalidInputError


@dataclass(frozen=True)
class TwoLayerNetwork:
    r"""f(x) = sum_j (x^T u_j)_+ alpha_j.

    Parameters
    ----------
    U : array of shape (d, m)
        Hidden weights, one column a neuron; with `bias` the last row multiplies a constant one.
    A : array of shape (m, c)
        Output weights; a vector of shape (m,) is taken as c = 1.
    bias : bool
        Whether the last row of U is the hidden bias.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> net = ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0])
    >>> net.predict([[-3.0], [2.0]]).tolist()
    [3.0, 2.0]
    """

    U: Array
    A: Array
    bias: bool = True

    def __post_init__(self) -> None:
        # One memory order: it decides the rounding of products, and equal weights should give equal outputs.
        U = np.array(self.U, dtype=np.float64, order="C")
        A = np.array(self.A, dtype=np.float64, order="C")
        A = A[:, None] if A.ndim == 1 else A
        if U.ndim != 2 or A.ndim != 2 or U.shape[1] != A.shape[0]:
            raise InvalidInputError(
                f"`U` must have shape (d, m) and `A` (m,) or (m, c), got {U.shape} and {A.shape}; "
                "columns of U are neurons, transpose if yours are rows."
            )
        if not (np.isfinite(U).all() and np.isfinite(A).all()):
            raise InvalidInputError("`U` and `A` must be finite, got NaN or infinite weights.")
        object.__setattr__(self, "U", frozen(U))
        object.__setattr__(self, "A", frozen(A))

    @property
    def n_neurons(self) -> int:
        """m."""
        return self.U.shape[1]

    @property
    def n_features(self) -> int:
        """Number of columns `predict` expects, without the constant one."""
        return self.U.shape[0] - int(self.bias)

    def forward(self, design: Array) -> Array:
        """Outputs for a design matrix that already has the column of ones: (n,) for c = 1, else (n, c)."""
        outputs: Array = np.maximum(design @ self.U, 0.0) @ self.A
        return outputs[:, 0] if self.A.shape[1] == 1 else outputs

    def predict(self, X: Any) -> Array:
        """Outputs for raw features X of shape (n, n_features): (n,) for c = 1, else (n, c)."""
        features = as_matrix(X)
        if features.shape[1] != self.n_features:
            raise InvalidInputError(
                f"`X` must have {self.n_features} columns for this network, got {features.shape[1]}."
            )
        return self.forward(with_ones(features) if self.bias else features)

    def weight_decay(self) -> float:
        """(|U|^2 + |A|^2) / 2, the penalty of [2] without its beta."""
        return 0.5 * float(np.sum(self.U**2) + np.sum(self.A**2))

    def balance(self) -> TwoLayerNetwork:
        """The same function with |u_j| = |alpha_j|, which is where [2] equals [3]; dead neurons are dropped."""
        u, a = np.linalg.norm(self.U, axis=0), np.linalg.norm(self.A, axis=1)
        alive = (u > 0) & (a > 0)
        root = np.sqrt(a[alive] / u[alive])
        return TwoLayerNetwork(self.U[:, alive] * root, self.A[alive] / root[:, None], self.bias)

    def merge(self, tolerance: float = 1e-12) -> TwoLayerNetwork:
        """The same function with neurons on one ray and of one output direction joined, balanced.

        For w_j = |alpha_j| u_j on a common ray the ReLU is linear, so the sum of the atoms is one atom of
        the same cost. Two rays count as one when their unit vectors are closer than `tolerance`, and so do
        output directions. Cost about O(m log m) comparisons of length d + c.
        """
        net = self.balance()
        if net.n_neurons < 2:
            return net
        scale = np.linalg.norm(net.A, axis=1)
        directions = np.hstack([(net.U / scale).T, net.A / scale[:, None]])
        group = _group_rows(directions, tolerance)
        W = np.zeros((int(group.max()) + 1, net.U.shape[0]))
        G = np.zeros((W.shape[0], net.A.shape[1]))
        np.add.at(W, group, (net.U * scale).T)
        np.add.at(G, group, net.A * scale[:, None])
        cost, gain = np.linalg.norm(W, axis=1), np.linalg.norm(G, axis=1)
        keep = (cost > 0) & (gain > 0)
        root = np.sqrt(cost[keep])[:, None]
        A = G[keep] / gain[keep][:, None] * root
        return TwoLayerNetwork((W[keep] / root).T, A, net.bias)


@dataclass(frozen=True)
class GatedNetwork:
    """f(x) = sum_i 1[x^T h_i >= 0] x^T w_i: fixed gates h_i, free weights w_i.

    Parameters
    ----------
    W : array of shape (m, d)
        Weights, signs included.
    gates : array of shape (m, d) or None
        The vectors h_i; None when the patterns came without witnesses, and then nothing can be predicted.
    bias : bool
        Whether the last column multiplies a constant one.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> net = ng.GatedNetwork(W=np.array([[2.0, 1.0]]), gates=np.array([[1.0, 0.0]]))
    >>> net.predict([[-3.0], [2.0]]).tolist()
    [0.0, 5.0]
    """

    W: Array
    gates: Array | None
    bias: bool = True

    @property
    def n_neurons(self) -> int:
        """m."""
        return self.W.shape[0]

    def predict(self, X: Any) -> Array:
        """Outputs (n,) for raw features X."""
        if self.gates is None:
            raise InvalidInputError(
                "a gated network needs its gates to predict; make the patterns with sample_patterns or "
                "enumerate_patterns, which keep a witness for each."
            )
        features = as_matrix(X)
        design = with_ones(features) if self.bias else features
        result: Array = np.sum((design @ self.gates.T >= 0) * (design @ self.W.T), axis=1)
        return result


def _group_rows(rows: Array, tolerance: float) -> npt.NDArray[np.intp]:
    """Label of the group of each row: rows within `tolerance` of each other are of one group."""
    pairs = cKDTree(rows).query_pairs(tolerance, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(rows), len(rows)))
    label: npt.NDArray[np.intp] = connected_components(graph, directed=False)[1].astype(np.intp)
    return label
