"""The training problem [2]: data, loss and penalty, with its primal and dual objectives."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from .._array import Array, as_matrix, as_positive, as_targets, as_vector, frozen, with_ones
from ..errors import InvalidInputError
from ..features import passes
from ..features.readouts import DenseReadout, Index, Readout
from ..losses import Loss, check_coupled, dual_domain, get_loss
from ..networks.dense import TwoLayerNetwork
from ..networks.gated import GatedNetwork

LARGEST = {"X": 1e60, "y": 1e40, "sample_weight": 1e40, "beta": 1e140}  # and one over it the least


class TrainingProblem:
    r"""Weight-decay training of a two-layer ReLU network.

    .. math:: p(U, A, b) = \sum_i s_i\,\ell(f(x_i), y_i)
              + \tfrac\beta2 \sum_j \left(\|u_j\|_2^2 + \|\alpha_j\|_2^2\right),
              \qquad f(x) = \sum_j (x^T u_j)_+ \alpha_j + b

    The loss is a *sum* over samples and outputs, not a mean, and `beta` keeps the paper's scaling everywhere.

    Parameters
    ----------
    X : array of shape (n, d)
        Features. Lists, NumPy arrays, pandas and polars tables are accepted; values must be finite.
    y : array of shape (n,) or (n, c)
        Targets, one column an output: real numbers for regression, -1 and +1 for logistic, hinge and squared hinge,
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

    Attributes
    ----------
    X : array of shape (n, d) or (n, d + 1)
        Design matrix, with the column of ones when `bias`; read-only, as are `y` and `sample_weight`.
    y : array of shape (n,) or (n, c)
        Outputs, gradients and dual points have its shape; (n,) for one output.
    n, d, c : int
        Samples, columns of the design matrix, outputs.

    Raises
    ------
    InvalidInputError
        For values that are not finite or so large or small that their squares are not, shapes that do not match,
        `beta` <= 0, targets the loss does not take, or a loss of your own that couples outputs and does not say where
        its dual points lie.

    Notes
    -----
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
    ) -> None:
        features = as_matrix(X)
        self.bias: bool = bool(bias)
        self.X: Array = frozen(with_ones(features) if bias else features)
        self.readout: Readout = DenseReadout(len(features))
        self._set_targets(y, beta, loss, offset, sample_weight)

    def _set_targets(self, y: Any, beta: float, loss: str | Loss, offset: bool, sample_weight: Any) -> None:
        n = self.n
        self.loss: Loss = get_loss(loss)
        self.beta: float = as_positive(beta, "beta")
        self.offset: bool = bool(offset)
        self.y: Array = frozen(checked_targets(as_targets(y, n), self.loss))
        check_coupled(self.loss, self.c, self.offset)
        weight = np.ones(n) if sample_weight is None else as_vector(sample_weight, n, "sample_weight")
        if not np.all(weight > 0):
            row = int(np.flatnonzero(weight <= 0)[0])
            raise InvalidInputError(f"`sample_weight` must be > 0, got {weight[row]} in row {row}; drop such rows.")
        self.sample_weight: Array = frozen(weight)
        for name, values in (("X", self.X), ("y", self.y), ("sample_weight", weight), ("beta", np.array(self.beta))):
            _check_size(name, values)

    @property
    def n(self) -> int:
        """Samples."""
        return self.readout.n

    @property
    def d(self) -> int:
        """Columns of the design matrix."""
        return self.X.shape[1]

    @property
    def c(self) -> int:
        """Outputs."""
        return 1 if self.y.ndim == 1 else self.y.shape[1]

    @property
    def q(self) -> int:
        """Output weights of a neuron: c, times the regions of a convolutional readout."""
        return self.readout.n_regions * self.c

    @property
    def output_weight(self) -> Array:
        """The sample weights in a shape that multiplies outputs, (n,) or (n, 1)."""
        return self.sample_weight if self.y.ndim == 1 else self.sample_weight[:, None]

    def with_beta(self, beta: float) -> TrainingProblem:
        """The same data and loss with another penalty."""
        other = copy.copy(self)
        other.beta = as_positive(beta, "beta")
        return other

    def output(self, k: int) -> TrainingProblem:
        """The problem of output k alone, for elementwise losses."""
        other = copy.copy(self)
        other.y = frozen(self.y[:, k].copy())
        return other

    def part(self, samples: Index) -> TrainingProblem:
        """Only these samples, in increasing order, under the same beta."""
        other = copy.copy(self)
        rows, other.readout = self.readout.part(samples)
        other.X = frozen(self.X[rows])
        other.y, other.sample_weight = frozen(self.y[samples]), frozen(self.sample_weight[samples])
        return other

    def with_data(self, X: Any, y: Any) -> TrainingProblem:
        """Other rows and targets, unweighted, under the same loss, penalty and outputs."""
        targets = self._like_targets(y)
        return TrainingProblem(X, targets, beta=self.beta, loss=self.loss, bias=self.bias, offset=self.offset)

    def _like_targets(self, y: Any) -> Array:
        """Other targets in the shape of these: labels become indicators of the same classes."""
        targets = as_targets(y, len(y))
        if self.loss.targets == "simplex" and targets.ndim == 1:
            targets = _probabilities(targets, self.c)
        return targets

    def loss_value(self, f: Array) -> float:
        """L(f), the weighted sum over samples and outputs, for outputs f of y's shape."""
        return _weighted_sum(self.loss.value(f, self.y), self.sample_weight)

    def loss_gradient(self, f: Array) -> Array:
        """Gradient of L at f, of y's shape."""
        return self.output_weight * self.loss.gradient(f, self.y)

    def loss_of(self, f: Array, samples: slice) -> tuple[float, Array]:
        """The loss and its gradient on some of the samples alone, for their outputs."""
        y, weight = self.y[samples], self.sample_weight[samples]
        gradient = self.loss.gradient(f, y) * (weight if y.ndim == 1 else weight[:, None])
        return _weighted_sum(self.loss.value(f, y), weight), gradient

    def objective(self, network: TwoLayerNetwork) -> float:
        """The weight-decay objective [2] of a network, from its own ReLU outputs and weights."""
        return self.loss_value(self.outputs(network)) + self.beta * network.weight_decay()

    def outputs(self, network: TwoLayerNetwork) -> Array:
        """The network's own outputs on the samples, of y's shape."""
        f = passes.outputs(self.X, self.readout, network.U, network.A)
        return (f + network.offset).reshape(self.y.shape)

    def empty_network(self) -> TwoLayerNetwork:
        """The best network without neurons: outputs zero, or with `offset` the best constant."""
        b = dual_domain.best_constant(self.y, self.sample_weight, self.loss)[0] if self.offset else 0.0
        return TwoLayerNetwork(np.zeros((self.d, 0)), np.zeros((0, self.q)), self.bias, b)

    def gated_network(self, W: Array, gates: Array | None, directions: Array, offset: Array) -> GatedNetwork:
        """The gated network of blocks W (m, d), gates (m, d) and directions (m, q)."""
        if self.q == 1:
            return GatedNetwork(W * directions, gates, self.bias, None, offset)
        return GatedNetwork(W, gates, self.bias, directions, offset)

    def empty_dual(self) -> Array:
        """v = -grad L at the outputs of the empty network, feasible but for G(v) <= beta; beta_max = G(v)."""
        if not self.offset:
            return self.clip_dual(-self.loss_gradient(np.zeros_like(self.y)))
        g = dual_domain.best_constant(self.y, self.sample_weight, self.loss)[1]
        return self.clip_dual(-self.output_weight * g)

    def dual_terms(self, v: Array) -> Array:
        """Terms -s_i ell*(-v_i / s_i) whose sum is the dual objective [15], after clipping v to its intervals."""
        lower, upper = self.loss.domain(self.y)
        weight = self.output_weight
        terms = self.loss.conjugate(np.clip(-v / weight, lower, upper), self.y)
        return -(self.sample_weight if terms.ndim == 1 else weight) * terms

    def dual_objective(self, v: Array) -> float:
        """-L*(-v): a lower bound on [2] for every width if G(v) <= beta and -v lies in the domain of L*."""
        return float(np.sum(self.dual_terms(v)))

    def clip_dual(self, v: Array) -> Array:
        """A point near v for which L*(-v) is finite, with `offset` and softmax up to the rounding of sums."""
        weight = self.output_weight
        return -weight * dual_domain.nearest(-v / weight, self.y, self.sample_weight, self.loss, self.offset)

    def dual_distance(self, v: Array) -> float:
        """Bound on the l1 distance from v, inside its intervals, to where L*(-v) is finite exactly."""
        g = -v / self.output_weight
        return dual_domain.distance(g, self.y, self.sample_weight, self.loss, self.offset)


def _check_size(name: str, values: Array) -> None:
    """Refuse values whose squares and products double precision cannot hold."""
    largest, limit = float(np.max(np.abs(values))), LARGEST[name]
    if largest > limit or 0.0 < largest < 1.0 / limit:
        raise InvalidInputError(
            f"`{name}` must be zero or have its largest entry between {1.0 / limit:g} and {limit:g}, got {largest:g}: "
            "squares of it would leave the range of double precision; choose other units."
        )


def _weighted_sum(values: Array, weight: Array) -> float:
    return float(weight @ (values if values.ndim == 1 else values.sum(axis=1)))


def checked_targets(y: Array, loss: Loss) -> Array:
    """Targets as the loss takes them: softmax labels become indicator columns."""
    if loss.targets == "simplex":
        return _probabilities(y)
    wrong = {"sign": np.abs(y) != 1.0, "count": y < 0.0}.get(loss.targets, np.zeros(y.shape, dtype=bool))
    if np.any(wrong):
        row = int(np.argwhere(wrong)[0][0])
        allowed, remedy = {
            "sign": ("-1 or +1", "encode the two classes so, or use ReLUClassifier, which does"),
            "count": (">= 0", "take another loss for negative targets"),
        }[loss.targets]
        raise InvalidInputError(
            f"`y` must be {allowed} for the {loss.name} loss, got {y[wrong][0]} in row {row}; {remedy}."
        )
    return y


def _probabilities(y: Array, n_classes: int = 2) -> Array:
    if y.ndim == 1:
        labels = y.astype(np.intp)
        if np.any(labels != y) or np.any(labels < 0):
            row = int(np.flatnonzero((labels != y) | (labels < 0))[0])
            raise InvalidInputError(
                f"`y` must hold whole numbers 0, ..., c - 1 for the softmax loss, got {y[row]} in row {row}; "
                "number the classes, or use ReLUClassifier, which does."
            )
        return np.eye(max(n_classes, int(labels.max()) + 1))[labels]
    sums = y.sum(axis=1)
    wrong = np.any(y < 0.0, axis=1) | (np.abs(sums - 1.0) > 1e-9)
    if np.any(wrong):
        row = int(np.flatnonzero(wrong)[0])
        raise InvalidInputError(
            f"`y` must have rows of probabilities that sum to 1 for the softmax loss, got {y[row].tolist()} in row "
            f"{row}; divide counts by their sum, or give labels 0, ..., c - 1."
        )
    return y / sums[:, None]
