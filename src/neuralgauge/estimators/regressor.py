"""ReLURegressor: two-layer ReLU regression for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import RegressorMixin

from .._array import Array
from ..losses import Loss
from ..solution import Record
from .base import ReLUEstimator


class ReLURegressor(RegressorMixin, ReLUEstimator):  # type: ignore[misc]
    r"""Two-layer ReLU network for regression, trained to a certified gap.

    Minimises :math:`\tfrac12 \sum_i s_i (f(x_i) - y_i)^2 + \tfrac\beta2 \sum_j (\|u_j\|^2 + \alpha_j^2)` over
    networks of every width; the width is a result, not a parameter. Features are taken as they are: put a
    `StandardScaler` before it, and scale y too if its numbers are large or small (`TransformedTargetRegressor`).

    Parameters
    ----------
    loss : "squared" or Loss, default="squared"
        A sum over samples, of ``(f - y)**2 / 2``.
    beta : float or None, default=None
        Penalty, > 0, never rescaled. None takes 1 % of the smallest beta that gives the zero network.
    bias : bool, default=True
        Whether hidden neurons have a bias, penalised like any weight.
    gap : float, default=1e-3
        Relative gap between objective and lower bound at which training stops, > 0.
    time_limit : float or None, default=None
        Seconds after which the best network so far is taken, with a `ConvergenceWarning`.
    random_state : int, RandomState instance or None, default=0
        Seed of the searches; the optimum does not depend on it.
    verbose : bool or callable, default=False
        True prints a line an iteration to stderr; a callable gets each `Record`.

    Attributes
    ----------
    network_ : TwoLayerNetwork
        The trained network.
    certificate_ : Certificate
        Objective, lower bound, relative gap and what the bound covers.
    solution_ : Solution
        Everything the solver returned: status, history, dual point, seconds.
    beta_ : float
        The penalty used.
    n_iter_ : int
        Iterations of the solver.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only when X was a table with text column names.

    Warns
    -----
    ConvergenceWarning
        When training stopped before the requested gap; the message gives the gap that was reached.

    Notes
    -----
    Rows are brought to one order, equal rows are merged and rows of weight zero dropped first, so the result does
    not depend on the order of the rows, and an integer weight is the same as that many copies of the row.

    Examples
    --------
    >>> from neuralgauge import ReLURegressor
    >>> X = [[-2.0], [-1.0], [0.0], [1.0], [2.0]]
    >>> model = ReLURegressor(beta=0.01).fit(X, [2.0, 1.0, 0.0, 1.0, 2.0])
    >>> model.certificate_.gap <= 1e-3
    True
    >>> abs(float(model.predict([[1.5]])[0]) - 1.5) < 0.05
    True
    """

    def __init__(
        self,
        *,
        loss: str | Loss = "squared",
        beta: float | None = None,
        bias: bool = True,
        gap: float = 1e-3,
        time_limit: float | None = None,
        random_state: Any = 0,
        verbose: bool | Callable[[Record], None] = False,
    ) -> None:
        self.loss = loss
        self.beta = beta
        self.bias = bias
        self.gap = gap
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ReLURegressor:
        """Train on X of shape (n, d), n >= 2, and y of shape (n,), with weights >= 0 of shape (n,) or None."""
        loss = self._checked_loss("real")
        features, targets, weight = self._fit_arguments(X, y, sample_weight, y_numeric=True)
        self._train(features, targets, weight, loss)
        return self

    def predict(self, X: Any) -> Array:
        """Outputs f(x) of shape (n,)."""
        return self._outputs(X)
