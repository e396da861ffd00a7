"""The training problem [2]: data, loss and penalty, with its primal and dual objectives."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .._array import Array, column_names
from ..errors import ColumnScaleWarning, InvalidInputError
from ..features.kinds import features_of, tables_read
from ..features.parquet import ParquetRows
from ..features.places import is_elsewhere, to_host
from ..features.rows import Index
from ..losses import Loss, check_coupled, get_loss
from ..losses.datafit import DataFit
from ..networks.dense import TwoLayerNetwork
from ..networks.foreign import network_of
from ..networks.gated import GatedNetwork
from ..shards.problem import sharded
from ..shards.source import is_collection
from .column_scales import warn_of_scales
from .constraints import Constraints, Convexity, Monotonic, neuron_constraints
from .scored import ScoredProblem


class TrainingProblem(ScoredProblem):
    r"""Weight-decay training of a two-layer ReLU network.

    .. math:: p(U, A, b) = \sum_i s_i\,\ell(f(x_i), y_i)
              + \tfrac\beta2 \sum_j \left(\|u_j\|_2^2 + \|\alpha_j\|_2^2\right),
              \qquad f(x) = \sum_j (x^T u_j)_+ \alpha_j + b

    The loss is a *sum* over samples and outputs, not a mean, and `beta` keeps the paper's scaling everywhere.

    Parameters
    ----------
    X : array of shape (n, d)
        Features; values must be finite. Lists, NumPy arrays, pandas and polars tables become float64 arrays. Sparse
        matrices, `numpy.memmap`, `ParquetRows`, the path of a Parquet file, a polars LazyFrame, and from 10 million
        entries on float32 arrays are kept as they are. Arrays of other libraries (PyTorch, CuPy) stay on their device,
        and Dask collections on the workers of their cluster: docs/large_data.md.
    y : array of shape (n,) or (n, c), or names of columns
        The name of a target column, or a list of names, where X is the path of a Parquet file or a LazyFrame. Else
        targets, one column an output: real numbers for regression, -1 and +1 for logistic, hinge and squared hinge,
        counts >= 0 for Poisson. For softmax whole numbers 0, ..., c - 1 of shape (n,), or class probabilities (n, c).
    beta : float
        Penalty, > 0.
    loss : str or Loss
        A name in `neuralgauge.losses.LOSSES`; "squared" is ``(f - y)**2 / 2``.
    bias : bool
        Append a column of ones to X: a hidden bias, penalised like any weight (the paper's convention).
    offset : bool
        Whether the outputs have an offset b of their own, which is not penalised. It restricts the dual: the columns
        of V must sum to zero.
    sample_weight : array of shape (n,), optional
        Weights s_i > 0 of the samples, one by default.
    monotonic_cst : sequence of int, or mapping of names to int, optional
        For each column of X 1 where outputs must not fall with it, -1 where they must not rise, 0 elsewhere; by name,
        of tables, for some columns. Of one output.
    convexity : {"convex", "concave"}, optional
        That outputs must be convex, or concave, in x.
    positive : bool
        That outputs must be >= 0, by output weights >= 0, so that they are convex, too; not with `offset`.

    Attributes
    ----------
    X : array of shape (n, d) or (n, d + 1)
        Design matrix, with the column of ones when `bias`; read-only, as are `y` and `sample_weight`.
    y : array of shape (n,) or (n, c)
        Outputs, gradients and dual points have its shape; (n,) for one output.
    n, d, c : int
        Samples, columns of the design matrix, outputs.
    constraints : NeuronConstraints or None
        What neurons must obey, one by one, so that the network does on every input.

    Raises
    ------
    InvalidInputError
        For values that are not finite or so large or small that their squares are not, shapes that do not match,
        `beta` <= 0, targets the loss does not take, a loss of your own that couples outputs and does not say where
        its dual points lie, or constraints of several outputs or that contradict each other.

    Warns
    -----
    ColumnScaleWarning
        Where typical entries of two columns of an array in memory differ more than a hundredfold. Entries of zero do
        not count, so that rare indicators raise none.

    Notes
    -----
    Constraints hold for each neuron, for output weight and hidden weights :math:`s_k \alpha_j u_{jk} \ge 0` and
    :math:`\alpha_j` of one sign, and thereby for the network on every input, not only on the rows of X. Objectives,
    bounds and certificates are then about networks whose every neuron obeys.

    Source: [2] and [15] of Pilanci & Ergen (2020); several outputs with the penalty that weight decay gives,
    |u_j| |alpha_j| a neuron.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> problem.X.shape
    (5, 2)
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        *,
        beta: float,
        loss: str | Loss = "squared",
        bias: bool = True,
        offset: bool = False,
        sample_weight: Any = None,
        monotonic_cst: Monotonic = None,
        convexity: Convexity = None,
        positive: bool = False,
    ) -> None:
        self.bias: bool = bool(bias)
        if is_collection(X):
            build = partial(TrainingProblem, beta=beta, loss=loss, bias=bias)
            self.features, fit = sharded(X, y, sample_weight, get_loss(loss), offset, build)
            self._set(fit, beta)
            self._constrain(Constraints(monotonic_cst, convexity, positive), X)
            return
        X, y = tables_read(X, y)
        y, sample_weight = (to_host(values) if is_elsewhere(values) else values for values in (y, sample_weight))
        self.features = features_of(X, self.bias)
        self._set(DataFit.of(y, self.features.n, loss, offset, sample_weight), beta)
        self._constrain(Constraints(monotonic_cst, convexity, positive), X)
        warn_of_scales(self.features, self.bias)

    def _constrain(self, asked: Constraints, X: Any) -> None:
        names = X.names if isinstance(X, ParquetRows) else column_names(X)
        found = neuron_constraints(asked, names, self.d, self.bias)
        if found is not None and self.c > 1:
            raise InvalidInputError(
                f"`monotonic_cst`, `convexity` and `positive` are for one output, got {self.c}; take one problem each."
            )
        if found is not None:
            found.check_offset(self.offset)
        self.constraints = found

    @property
    def X(self) -> Array:
        """Design matrix (N, d), read-only."""
        return self.features.dense()

    @property
    def d(self) -> int:
        """Columns of the design matrix."""
        return self.features.d

    @property
    def reach(self) -> float:
        """Bound on |f| of one sample for one atom: the longest row, or of a patched sample the sum over its rows."""
        return self.features.reach

    def output(self, k: int) -> TrainingProblem:
        """The problem of output k alone, for elementwise losses."""
        other = copy.copy(self)
        other.fit = self.fit.output(k)
        return other

    def with_offset(self, offset: bool) -> TrainingProblem:
        """The same data, loss and penalty with or without an output offset."""
        check_coupled(self.loss, self.c, offset)
        if self.constraints is not None:
            self.constraints.check_offset(offset)
        other = copy.copy(self)
        other.fit = replace(self.fit, offset=offset)
        return other

    def part(self, samples: Index) -> TrainingProblem:
        """Only these samples, in increasing order, under the same beta."""
        other = copy.copy(self)
        other.fit, other.features = self.fit.part(samples), self.features.part(samples)
        return other

    def with_data(self, X: Any, y: Any) -> TrainingProblem:
        """Other rows and targets, unweighted, under the same loss, penalty and outputs."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ColumnScaleWarning)  # said of the problem's own rows
            targets = self.fit.targets_like(y)
            other = TrainingProblem(X, targets, beta=self.beta, loss=self.loss, bias=self.bias, offset=self.offset)
        other.constraints = self.constraints
        return other

    def outputs(self, network: TwoLayerNetwork) -> Array:
        """The network's own outputs on the samples, of y's shape."""
        f = self.features.outputs(network.U, network.A)
        return (f + network.offset).reshape(self.y.shape)

    def empty_network(self) -> TwoLayerNetwork:
        """The best network without neurons: outputs zero, or with `offset` the best constant."""
        return TwoLayerNetwork(np.zeros((self.d, 0)), np.zeros((0, self.q)), self.bias, self.fit.constant)

    def network_of(self, model: Any) -> TwoLayerNetwork:
        """Return a model as a network of this problem; `networks.foreign.network_of` lists what is taken."""
        if getattr(model, "out_activation_", None) == "exp" and self.loss.targets != "count":
            raise InvalidInputError(
                f"the {type(model).__name__} has the output activation 'exp', for counts, and the problem the loss "
                f'{self.loss.name!r}; give a problem with loss="poisson".'
            )
        return self._fitting(network_of(model, self.bias, self.offset))

    def _fitting(self, network: TwoLayerNetwork) -> TwoLayerNetwork:
        """Return the network; an InvalidInputError unless it has the outputs and the columns of the problem."""
        if network.n_outputs != self.c:
            raise InvalidInputError(
                f"the network must have {self.c} output{'s' if self.c > 1 else ''}, got {network.n_outputs}"
                + (
                    '; one logit of two classes belongs to loss="logistic" with y of -1 and +1.'
                    if network.n_outputs == 1 and self.loss.targets == "simplex"
                    else "; y must have one column an output."
                )
            )
        rows = network.U.shape[0]
        if rows != self.d:
            ones = int(self.bias)
            remedy = "; the hidden biases are the last row of U" if ones and rows == self.d - 1 else ""
            raise InvalidInputError(
                f"the network must take the {self.d - ones} columns of X{' and the constant one' if ones else ''}, "
                f"{self.d} rows of U, got {rows}{remedy}."
            )
        return self.obedient(network)

    def gated_network(self, W: Array, gates: Array | None, directions: Array, offset: Array) -> GatedNetwork:
        """The gated network of blocks W (m, d), gates (m, d) and directions (m, q)."""
        if self.q == 1:
            return GatedNetwork(W * directions, gates, self.bias, None, offset)
        return GatedNetwork(W, gates, self.bias, directions, offset)
