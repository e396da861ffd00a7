"""Two-layer ReLU networks: weights, outputs, weight decay and the forms that keep the function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np

from .._array import Array, as_matrix, balanced_rows, with_ones
from ..errors import InvalidInputError
from ..features.grouping import group_rows
from ..features.kinds import features_of, kept_as_it_is
from .base import Network
from .breakpoints import Breakpoints, breakpoints_of
from .formula import Formula, formula_of
from .pieces import AffinePiece, box_of, pieces_of


@dataclass(frozen=True)
class TwoLayerNetwork(Network):
    r"""f(x) = sum_j (x^T u_j)_+ alpha_j + b.

    Parameters
    ----------
    U : array of shape (d, m)
        Hidden weights, one column a neuron; with `bias` the last row multiplies a constant one.
    A : array of shape (m, c)
        Output weights; a vector of shape (m,) is taken as c = 1.
    bias : bool
        Whether the last row of U is the hidden bias.
    offset : float or array of shape (c,)
        Output offset b, 0 by default; not part of the weight decay.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> net = ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0])
    >>> net.predict([[-3.0], [2.0]]).tolist()
    [3.0, 2.0]
    """

    bias: bool = True
    offset: Array | float = 0.0

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
        self._freeze(U, A, self.offset)

    def _outputs_of(self, A: Array) -> int:
        return A.shape[1]

    @property
    def n_features(self) -> int:
        """Number of columns `predict` expects, without the constant one."""
        return self.U.shape[0] - int(self.bias)

    def forward(self, design: Array) -> Array:
        """Outputs for a design matrix that already has the column of ones: (n,) for c = 1, else (n, c)."""
        outputs: Array = np.maximum(design @ self.U, 0.0) @ self.A
        if np.any(self.offset):
            outputs += self.offset
        return outputs[:, 0] if self.A.shape[1] == 1 else outputs

    def predict(self, X: Any) -> Array:
        """Outputs for raw features X of shape (n, n_features): (n,) for c = 1, else (n, c)."""
        kept = kept_as_it_is(X)
        features = X if kept else as_matrix(X.toarray() if hasattr(X, "toarray") else X)
        if features.shape[1] != self.n_features:
            raise InvalidInputError(
                f"`X` must have {self.n_features} columns for this network, got {features.shape[1]}."
            )
        if kept:
            outputs = features_of(X, self.bias).outputs(self.U, self.A) + self.offset
            return outputs[:, 0] if self.n_outputs == 1 else outputs
        return self.forward(with_ones(features) if self.bias else features)

    def with_neurons(self, U: Any, A: Any, offset: Any = None) -> Self:
        """Other neurons under the same bias and, unless another is given, the same offset."""
        return replace(self, U=U, A=A, offset=self.offset if offset is None else offset)

    def take(self, neurons: Any) -> Self:
        """Only these neurons, by index or mask."""
        return self.with_neurons(self.U[:, neurons], self.A[neurons])

    def output(self, k: int) -> Self:
        """The network of output k alone, without the neurons that it does not use."""
        A = self.A.reshape(self.n_neurons, self.A.shape[1] // self.n_outputs, self.n_outputs)[:, :, k]
        used = np.any(A != 0.0, axis=1)
        return self.with_neurons(self.U[:, used], A[used], np.asarray(self.offset)[k])

    def join(self, other: TwoLayerNetwork) -> Self:
        """The neurons of both, under the bias and offset of this one."""
        return self.with_neurons(np.hstack([self.U, other.U]), np.vstack([self.A, other.A]))

    def balance(self) -> Self:
        """Return the same function with |u_j| = |alpha_j|, which is where [2] equals [3], at any size of the weights.

        Neurons with |u_j| |alpha_j| below 1e-300 are dropped.
        """
        columns, A, _ = balanced_rows(self.U.T, self.A)
        return self.with_neurons(columns.T, A)

    def merge(self, tolerance: float = 1e-12) -> Self:
        """Return the same function with neurons on one ray and of one output direction joined, balanced.

        For w_j = |alpha_j| u_j on a common ray the ReLU is linear, so the sum of the atoms is one atom of
        the same cost. Two rays count as one when their unit vectors are closer than `tolerance`, and so do
        output directions; on rays that are equal to 1e-12 neurons of any output directions are joined, which
        lowers the cost. Cost about O(m log m) comparisons of length d + c.
        """
        net = self.balance()._with_distinct_rays()
        if net.n_neurons < 2:
            return net
        scale = np.linalg.norm(net.A, axis=1)
        directions = np.hstack([(net.U / scale).T, net.A / scale[:, None]])
        group, first = group_rows(directions, tolerance)
        W = np.zeros((len(first), net.U.shape[0]))
        G = np.zeros((W.shape[0], net.A.shape[1]))
        np.add.at(W, group, (net.U * scale).T)
        np.add.at(G, group, net.A * scale[:, None])
        cost, gain = np.linalg.norm(W, axis=1), np.linalg.norm(G, axis=1)
        keep = (cost > 0) & (gain > 0)
        root = np.sqrt(cost[keep])[:, None]
        A = G[keep] / gain[keep][:, None] * root
        return net.with_neurons((W[keep] / root).T, A)

    def formula(self, feature_names: Sequence[str] | None = None, digits: int | None = 4) -> Formula:
        """The network as a formula to read: `str` of the result, its `latex()` or its `sympy()`.

        Parameters
        ----------
        feature_names : sequence of str, optional
            Of the n_features columns, all different; x1, x2, ... by default.
        digits : int or None
            Significant digits that are written; `Formula.error` states the difference on rows of yours, and
            `Formula.simplify` finds fewer for a stated one.

        Examples
        --------
        >>> network = TwoLayerNetwork([[1.0, -2.0], [0.5, 1.0]], [3.0, -1.5])
        >>> print(network.formula(["size"]))
        max(0, 3 size + 1.5) - max(0, -3 size + 1.5)
        """
        U, names = self._with_biases("formula"), feature_names
        names = [f"x{k + 1}" for k in range(self.n_features)] if names is None else list(names)
        if len(names) != self.n_features:
            raise InvalidInputError(f"`feature_names` must be {self.n_features} names, got {len(names)}.")
        return formula_of(U, self.A, np.asarray(self.offset), names, digits)

    def breakpoints(self) -> Breakpoints:
        """Of a network of one feature the places where its slope changes, with the values there and the slopes between.

        Neurons that switch at one place are one breakpoint, none where their changes of slope cancel.

        Examples
        --------
        >>> TwoLayerNetwork([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0]).breakpoints().slopes.ravel().tolist()
        [-1.0, 1.0]
        """
        return breakpoints_of(self._with_biases("breakpoints", 1), self.A, np.asarray(self.offset))

    def pieces(self, lower: Sequence[float], upper: Sequence[float]) -> list[AffinePiece]:
        """Of a network of two features the polygons in a box on which it is affine, each with its gradient.

        Their number is at most 1 + m + m (m - 1) / 2 for m neurons; `plot_pieces` draws them.

        Examples
        --------
        >>> network = TwoLayerNetwork([[1.0], [-1.0], [0.0]], [2.0])
        >>> [(piece.area, piece.gradient.ravel().tolist()) for piece in network.pieces((0, 0), (1, 1))]
        [(0.5, [2.0, -2.0]), (0.5, [0.0, 0.0])]
        """
        return pieces_of(self._with_biases("pieces", 2), self.A, np.asarray(self.offset), *box_of(lower, upper))

    def _with_biases(self, method: str, features: int | None = None) -> Array:
        """Hidden weights with a row of biases, or of zeros; an error for networks that `method` is not of."""
        if hasattr(self, "geometry"):
            raise InvalidInputError(f"`{method}` is of networks on tables, got a {type(self).__name__}.")
        if features not in (None, self.n_features):
            raise InvalidInputError(
                f"`{method}` is of networks of {features} feature{'s' if features != 1 else ''}, got one of "
                f"{self.n_features}; `formula` is of any."
            )
        return self.U if self.bias else np.vstack([self.U, np.zeros(self.n_neurons)])

    def _with_distinct_rays(self) -> Self:
        """Return a balanced network with one neuron a ray, the sum of those on it; for a balanced network."""
        if self.n_neurons < 2:
            return self
        size = np.linalg.norm(self.U, axis=0)
        group, first = group_rows((self.U / size).T, 1e-12)
        if len(first) == self.n_neurons:
            return self
        A = np.zeros((len(first), self.A.shape[1]))
        np.add.at(A, group, self.A * size[:, None])
        return self.with_neurons((self.U / size)[:, first], A).balance()


N = TypeVar("N", bound=TwoLayerNetwork)  # a network, and the same kind with other neurons
