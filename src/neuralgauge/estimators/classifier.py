"""ReLUClassifier: two-layer ReLU classification for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from .._array import Array
from ..errors import InvalidInputError
from ..losses import Loss, Softmax, get_loss
from ..solvers.solution import Record
from .base import ReLUEstimator, TrainingData
from .class_scores import best_class, class_scores, probabilities

MultiClass = Literal["joint", "one_vs_rest"]


def _has_probabilities(estimator: Any) -> bool:
    name = get_loss(estimator.loss).name
    if name not in ("logistic", "softmax"):
        raise AttributeError(
            f"`predict_proba` needs loss='logistic', got loss={name!r}, whose outputs are margins and not "
            "log-odds; use `decision_function` or wrap the classifier in CalibratedClassifierCV."
        )
    return True


class Classification(ClassifierMixin, ReLUEstimator):  # type: ignore[misc]
    """Labels, targets and predictions of the classifiers."""

    _counterpart = "ReLURegressor"

    multi_class: MultiClass = "joint"
    classes_: npt.NDArray[Any]

    def _trains_apart(self) -> bool:
        return self.multi_class == "one_vs_rest"

    def _checked_data(self, X: Any, y: Any, sample_weight: Any) -> TrainingData:
        """What was given, checked; sets `classes_`."""
        loss = self._checked_loss(("sign", "simplex"))
        if self.multi_class not in ("joint", "one_vs_rest"):
            raise InvalidInputError(f"`multi_class` must be 'joint' or 'one_vs_rest', got {self.multi_class!r}.")
        if self._trains_apart() and loss.coupled:
            raise InvalidInputError(
                f"`multi_class='one_vs_rest'` trains one network a class, which loss={loss.name!r} does not allow; "
                "use loss='logistic'."
            )
        features, labels, weight = self._fit_arguments(X, y, sample_weight)
        check_classification_targets(labels)
        present = np.unique(labels[weight > 0])
        if len(present) < 2:
            raise InvalidInputError(
                f"`y` must have two classes among the rows of positive weight, got one class, {present.tolist()[0]!r}."
            )
        self.classes_, index = np.unique(labels, return_inverse=True)
        if len(self.classes_) > 2 and loss.name == "logistic" and not self._trains_apart():
            loss = Softmax()
        return TrainingData(features, labels, _targets(index, len(self.classes_), loss), weight, loss)

    def decision_function(self, X: Any) -> Array:
        """Outputs f(x) of shape (n, c); for two classes (n,), positive for `classes_[1]`.

        Log-odds for two classes under the logistic or softmax loss, logarithms of probabilities up to a constant a
        row for more.
        """
        outputs = self._outputs(X)
        return class_scores(outputs, len(self.classes_))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Labels of shape (n,): those of the largest output."""
        index = best_class(self.decision_function(X))
        labels: npt.NDArray[Any] = self.classes_[index]
        return labels

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Probabilities of shape (n, c), columns as in `classes_`; only for the logistic and softmax losses.

        With `multi_class="one_vs_rest"` each network's own probability, divided by their sum over the classes as in
        scikit-learn's `OneVsRestClassifier`: no network was trained for that.
        """
        return probabilities(self.decision_function(X), self._trains_apart())


def _targets(index: npt.NDArray[np.intp], c: int, loss: Loss) -> Array:
    """Class numbers as targets: +-1 of shape (n,) for two classes, else +-1 or indicators of shape (n, c)."""
    if loss.targets == "simplex":
        return np.eye(c)[index]
    indicator = 2.0 * np.eye(c)[index] - 1.0
    return indicator[:, 1].copy() if c == 2 else indicator


class ReLUClassifier(Classification):
    r"""Two-layer ReLU network for two or more classes, trained to a certified gap.

    Minimises :math:`\sum_i s_i\,\ell(f(x_i), y_i) + \tfrac\beta2 \sum_j (\|u_j\|^2 + \|\alpha_j\|^2)` over networks of
    every width. For two classes there is one output and y = -1 for the first, +1 for the second. For more there is one
    output a class, and the largest decides.

    Parameters
    ----------
    loss : str or Loss, default="logistic"
        A sum over samples. "logistic" is the cross-entropy: the logistic loss of one output for two classes,
        "softmax" for more; "softmax" itself gives two classes two outputs. "hinge" and "squared_hinge" are, for more
        than two classes, summed over the outputs with y = +1 in the column of the class and -1 elsewhere. Only
        "logistic" and "softmax" give probabilities.
    multi_class : {"joint", "one_vs_rest"}, default="joint"
        For more than two classes: one network whose neurons serve all classes, each at the price
        :math:`\beta \|u_j\| \|\alpha_j\|`; or c networks of one class against the rest, each with its own penalty and
        no shared neurons.
    beta : float or None, default=None
        Penalty, > 0, never rescaled. None takes 1 % of the smallest beta that gives the empty network.
    bias : bool, default=True
        Whether hidden neurons have a bias, penalised like any weight.
    offset : bool, default=False
        Whether outputs have an offset, which is not penalised: useful for unequal classes.
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
    classes_ : array of shape (c,)
        The labels, sorted.
    network_ : TwoLayerNetwork
        With one output for two classes (two for the softmax loss), else one a class. For "one_vs_rest" the c networks
        stacked, every neuron with one output weight that is not zero.
    certificate_ : Certificate
        Objective, lower bound, relative gap and what the bound covers. For "one_vs_rest" and more than two classes the
        sums of the c networks with their weakest scope, and `certificate_.separate`: the bound then covers networks
        without shared neurons only.
    solution_ : Solution
    beta_ : float
        The penalty used.
    loss_ : Loss
        The loss used: `Softmax` for "logistic" with more than two classes.
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
    >>> model = ReLUClassifier(beta=0.01).fit(X, ["left", "left", "near", "near", "right", "right"])
    >>> model.predict([[0.1], [1.9]]).tolist(), model.predict_proba(X).shape
    (['near', 'right'], (6, 3))
    """

    def __init__(
        self,
        *,
        loss: str | Loss = "logistic",
        multi_class: MultiClass = "joint",
        beta: float | None = None,
        bias: bool = True,
        offset: bool = False,
        gap: float = 1e-3,
        time_limit: float | None = None,
        random_state: Any = 0,
        verbose: bool | Callable[[Record], None] = False,
    ) -> None:
        self.loss = loss
        self.multi_class = multi_class
        self.beta = beta
        self.bias = bias
        self.offset = offset
        self.gap = gap
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ReLUClassifier:
        """Train on X of shape (n, d), n >= 2, and labels y of shape (n,), with weights >= 0 or None."""
        self._fit_at(self.beta, self._checked_data(X, y, sample_weight))
        return self
