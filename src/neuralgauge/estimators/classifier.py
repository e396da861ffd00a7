"""ReLUClassifier: two-layer ReLU classification for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from .._array import Array
from ..errors import InvalidInputError
from ..losses import Loss, get_loss
from ..solution import Record
from .base import ReLUEstimator


def _has_probabilities(estimator: Any) -> bool:
    name = get_loss(estimator.loss).name
    if name != "logistic":
        raise AttributeError(
            f"`predict_proba` needs loss='logistic', got loss={name!r}, whose outputs are margins and not "
            "log-odds; use `decision_function` or wrap the classifier in CalibratedClassifierCV."
        )
    return True


class ReLUClassifier(ClassifierMixin, ReLUEstimator):  # type: ignore[misc]
    r"""Two-layer ReLU network for two classes, trained to a certified gap.

    Minimises :math:`\sum_i s_i\,\ell(f(x_i), y_i) + \tfrac\beta2 \sum_j (\|u_j\|^2 + \alpha_j^2)` over networks of
    every width, y = -1 for the first class and +1 for the second; a positive output means the second class.

    Parameters
    ----------
    loss : "logistic", "hinge" or Loss, default="logistic"
        A sum over samples. Only "logistic" gives probabilities.
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
    classes_ : array of shape (2,)
        The two labels, sorted.
    network_ : TwoLayerNetwork
    certificate_ : Certificate
        Objective, lower bound, relative gap and what the bound covers.
    solution_ : Solution
    beta_ : float
        The penalty used.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only when X was a table with text column names.

    Warns
    -----
    ConvergenceWarning
        When training stopped before the requested gap; the message gives the gap that was reached.

    Examples
    --------
    >>> from neuralgauge import ReLUClassifier
    >>> X = [[-2.0], [-1.5], [0.0], [0.5], [1.5], [2.0]]
    >>> model = ReLUClassifier(beta=0.01).fit(X, ["far", "far", "near", "near", "far", "far"])
    >>> model.predict([[0.1], [1.9]]).tolist()
    ['near', 'far']
    """

    classes_: npt.NDArray[Any]

    def __init__(
        self,
        *,
        loss: str | Loss = "logistic",
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ReLUClassifier:
        """Train on X of shape (n, d), n >= 2, and two labels y of shape (n,), with weights >= 0 or None."""
        loss = self._checked_loss("sign")
        features, labels, weight = self._fit_arguments(X, y, sample_weight)
        kind = type_of_target(labels, input_name="y", raise_unknown=True)
        classes = np.unique(labels)
        if kind != "binary":
            raise InvalidInputError(
                f"Only binary classification is supported. The type of the target is {kind}, with {len(classes)} "
                "distinct values; wrap the classifier in OneVsRestClassifier, or use ReLURegressor for numbers."
            )
        present = np.unique(labels[weight > 0])
        if len(present) < 2:
            raise InvalidInputError(
                f"`y` must have two classes among the rows of positive weight, got one class, {present.tolist()[0]!r}."
            )
        self.classes_ = classes
        self._train(features, np.where(labels == classes[1], 1.0, -1.0), weight, loss)
        return self

    def decision_function(self, X: Any) -> Array:
        """Outputs f(x) of shape (n,): positive for `classes_[1]`, the log-odds under the logistic loss."""
        return self._outputs(X)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Labels of shape (n,)."""
        positive = self._outputs(X) > 0
        labels: npt.NDArray[Any] = self.classes_[positive.astype(np.intp)]
        return labels

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Probabilities of shape (n, 2), columns as in `classes_`; only for the logistic loss."""
        outputs = self._outputs(X)
        return np.column_stack([expit(-outputs), expit(outputs)])
