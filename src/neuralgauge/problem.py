"""The training problem [2]: data, loss and penalty, with its primal and dual objectives."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._array import Array, as_matrix, as_positive, as_vector, frozen, with_ones
from .errors import InvalidInputError
from .losses import Loss, get_loss
from .networks import TwoLayerNetwork


class TrainingProblem:
    r"""Weight-decay training of a two-layer ReLU network with one output.

    .. math:: p(U, \alpha) = \sum_i s_i\,\ell(f(x_i), y_i)
              + \tfrac\beta2 \sum_j \left(\|u_j\|_2^2 + \alpha_j^2\right),
              \qquad f(x) = \sum_j (x^T u_j)_+ \alpha_j

    The loss is a *sum* over samples, not a mean, and `beta` keeps the paper's scaling everywhere.

    Parameters
    ----------
    X : array of shape (n, d)
        Features. Lists, NumPy arrays, pandas and polars tables are accepted; values must be finite.
    y : array of shape (n,)
        Targets: real numbers for the squared loss, -1 and +1 for logistic and hinge.
    beta : float
        Penalty, > 0.
    loss : {"squared", "logistic", "hinge"} or Loss
        "squared" is ``(f - y)**2 / 2``.
    bias : bool
        Append a column of ones to X: a hidden bias, penalised like any weight (the paper's convention).
    sample_weight : array of shape (n,), optional
        Weights s_i > 0 of the samples, one by default.

    Attributes
    ----------
    X : array of shape (n, d) or (n, d + 1)
        Design matrix, with the column of ones when `bias`; read-only, as are `y` and `sample_weight`.
    n, d : int
        Shape of the design matrix.

    Raises
    ------
    InvalidInputError
        For values that are not finite, shapes that do not match, `beta` <= 0 or targets the loss does not take.

    Notes
    -----
    Source: [2] and [15] of Pilanci & Ergen (2020).

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
        sample_weight: Any = None,
    ) -> None:
        features = as_matrix(X)
        n = features.shape[0]
        self.loss: Loss = get_loss(loss)
        self.beta: float = as_positive(beta, "beta")
        self.bias: bool = bool(bias)
        self.X: Array = frozen(with_ones(features) if bias else features)
        self.y: Array = frozen(as_vector(y, n))
        weight = np.ones(n) if sample_weight is None else as_vector(sample_weight, n, "sample_weight")
        self.sample_weight: Array = frozen(weight)
        self._check_values()

    def _check_values(self) -> None:
        if not np.all(self.sample_weight > 0):
            row = int(np.flatnonzero(self.sample_weight <= 0)[0])
            raise InvalidInputError(
                f"`sample_weight` must be > 0, got {self.sample_weight[row]} in row {row}; drop rows of weight 0."
            )
        if self.loss.targets == "sign" and not np.all(np.abs(self.y) == 1.0):
            row = int(np.flatnonzero(np.abs(self.y) != 1.0)[0])
            raise InvalidInputError(
                f"`y` must be -1 or +1 for the {self.loss.name} loss, got {self.y[row]} in row {row}; "
                "encode the two classes so, or use ReLUClassifier, which does."
            )

    @property
    def n(self) -> int:
        """Samples."""
        return self.X.shape[0]

    @property
    def d(self) -> int:
        """Columns of the design matrix."""
        return self.X.shape[1]

    def with_beta(self, beta: float) -> TrainingProblem:
        """The same data and loss with another penalty."""
        X = self.X[:, :-1] if self.bias else self.X
        return TrainingProblem(X, self.y, beta=beta, loss=self.loss, bias=self.bias, sample_weight=self.sample_weight)

    def loss_value(self, f: Array) -> float:
        """L(f), the weighted sum over samples, for outputs f of shape (n,)."""
        return float(self.sample_weight @ self.loss.value(f, self.y))

    def loss_gradient(self, f: Array) -> Array:
        """Gradient of L at f, shape (n,)."""
        return self.sample_weight * self.loss.gradient(f, self.y)

    def objective(self, network: TwoLayerNetwork) -> float:
        """The weight-decay objective [2] of a network, from its own ReLU outputs and weights."""
        return self.loss_value(network.forward(self.X)) + self.beta * network.weight_decay()

    def dual_terms(self, v: Array) -> Array:
        """Terms -s_i ell*(-v_i / s_i) whose sum is the dual objective [15], after clipping v to its domain."""
        lower, upper = self.loss.domain(self.y)
        g = np.clip(-v / self.sample_weight, lower, upper)
        return -self.sample_weight * self.loss.conjugate(g, self.y)

    def dual_objective(self, v: Array) -> float:
        """-L*(-v): a lower bound on [2] for every width if G(v) <= beta and -v lies in the domain of L*."""
        return float(np.sum(self.dual_terms(v)))

    def clip_dual(self, v: Array) -> Array:
        """The nearest v for which L*(-v) is finite."""
        lower, upper = self.loss.domain(self.y)
        return -self.sample_weight * np.clip(-v / self.sample_weight, lower, upper)
