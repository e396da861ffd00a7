"""ReLUClassifier and ReLUClassifierCV: two-layer ReLU classification for scikit-learn."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from .._array import Array
from ..errors import InvalidInputError
from ..losses import Loss, Targets, get_loss
from ..losses.classes import best_class, class_scores, probabilities
from ..training.supervised import classes_of
from .base import NetworkEstimator, Penalised, ReLUEstimator, TrainingData
from .cross_validation import CrossValidated
from .parameters import estimator
from .tables import TableEstimator
from .typed_bases import ClassifierMixin


def _has_probabilities(model: Any) -> bool:
    name = get_loss(model.loss).name
    if name not in ("logistic", "softmax"):
        raise AttributeError(
            f"`predict_proba` needs loss='logistic', got loss={name!r}, whose outputs are margins and not "
            "log-odds; use `decision_function` or wrap the classifier in CalibratedClassifierCV."
        )
    return True


def _weighted_classes(class_weight: Any, labels: npt.NDArray[Any], weight: Array) -> Array:
    """The weights of the samples times those of their classes, as scikit-learn has them."""
    if class_weight is None:
        return weight
    if not (isinstance(class_weight, dict) or class_weight == "balanced"):
        raise InvalidInputError(f"`class_weight` must be a dict, 'balanced' or None, got {class_weight!r}.")
    used = weight > 0  # a class without weight has no balance
    classes, index = np.unique(labels[used], return_inverse=True)
    try:
        factors = compute_class_weight(class_weight, classes=classes, y=labels[used], sample_weight=weight[used])
    except ValueError as error:
        raise InvalidInputError(f"`class_weight` must have the labels of y for keys, got others: {error}.") from error
    if not (np.all(np.isfinite(factors)) and np.all(factors >= 0)):
        raise InvalidInputError(f"`class_weight` must have finite weights >= 0, got {class_weight}.")
    weighted = weight.copy()
    weighted[used] *= factors[index]
    return weighted


class Classification(ClassifierMixin, NetworkEstimator):
    """Labels, targets and predictions of the classifiers.

    Parameters
    ----------
    loss : str or Loss, default="logistic"
        A sum over samples. "logistic" is the cross-entropy: the logistic loss of one output for two classes,
        "softmax" for more; "softmax" itself gives two classes two outputs. "hinge" and "squared_hinge" are, for more
        than two classes, summed over the outputs with y = +1 in the column of the class and -1 elsewhere. Only
        "logistic" and "softmax" give probabilities.
    class_weight : dict, "balanced" or None, default=None
        Weights >= 0 of the classes, which multiply `sample_weight`: of a dict {label: weight}, 1 for labels that it
        leaves out; "balanced" gives all classes the same total weight. Probabilities are then those of the weighted
        classes, and where beta is chosen, held-out rows count by these weights too.

    Attributes
    ----------
    classes_ : array of shape (c,)
        The labels, sorted.
    loss_ : Loss
        The loss used: `Softmax` for "logistic" with more than two classes.

    Notes
    -----
    For two classes `network_` has one output (two for the softmax loss) and y = -1 for the first, +1 for the second.
    For more there is one output a class, and the largest decides.
    """

    _counterpart = "ReLURegressor"

    loss: str | Loss = "logistic"
    class_weight: dict[Any, float] | Literal["balanced"] | None = None

    def _checked_data(self, X: Any, y: Any, sample_weight: Any) -> TrainingData:
        """What was given, checked; sets `classes_`."""
        loss = self._checked_loss(("sign", "simplex"))
        features, labels, weight = self._fit_arguments(X, y, sample_weight)
        check_classification_targets(labels)
        weight = _weighted_classes(self.class_weight, labels, weight)
        self.classes_, targets, loss = classes_of(labels, loss, apart=self._trains_apart(), weight=weight)
        return TrainingData(features, labels, targets, weight, loss)

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
        return self.classes_[index]

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Probabilities of shape (n, c), columns as in `classes_`; only for the logistic and softmax losses.

        With `multi_class="one_vs_rest"` each network's own probability, divided by their sum over the classes as in
        scikit-learn's `OneVsRestClassifier`: no network was trained for that.
        """
        return probabilities(self.decision_function(X), self._trains_apart())


class ReLUClassification(Classification, ReLUEstimator):
    r"""Classes by one ReLU network, or by one for each of them.

    Parameters
    ----------
    multi_class : {"joint", "one_vs_rest"}, default="joint"
        For more than two classes: one network whose neurons serve all classes, each at the price
        :math:`\beta \|u_j\| \|\alpha_j\|`; or c networks of one class against the rest, each with its own penalty and
        no shared neurons.

    Notes
    -----
    For "one_vs_rest" and more than two classes `network_` stacks the c networks, every neuron with one output weight
    that is not zero. `certificate_` holds the sums over the networks with their weakest scope, and
    `certificate_.separate`: the bound then covers networks without shared neurons only.
    """

    multi_class: Literal["joint", "one_vs_rest"] = "joint"

    def _trains_apart(self) -> bool:
        return self.multi_class == "one_vs_rest"

    def _checked_loss(self, targets: tuple[Targets, ...]) -> Loss:
        loss = super()._checked_loss(targets)
        if self.multi_class not in ("joint", "one_vs_rest"):
            raise InvalidInputError(f"`multi_class` must be 'joint' or 'one_vs_rest', got {self.multi_class!r}.")
        return loss


@estimator
class ReLUClassifier(ReLUClassification, Penalised, TableEstimator):
    r"""Two-layer ReLU network for two or more classes, trained to a certified gap.

    Minimises :math:`\sum_i s_i\,\ell(f(x_i), y_i) + \tfrac\beta2 \sum_j (\|u_j\|^2 + \|\alpha_j\|^2)` over networks of
    every width; the width is a result, not a parameter.

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


@estimator
class ReLUClassifierCV(ReLUClassification, CrossValidated, TableEstimator):
    r"""`ReLUClassifier` with beta chosen by cross-validation.

    All folds descend one sequence of penalties together, each fold's training starting from its network at the penalty
    before; the penalty of the best mean score is then used on all rows.

    Examples
    --------
    >>> from neuralgauge import ReLUClassifierCV
    >>> X = [[0.25 * k] for k in range(-12, 13)]
    >>> model = ReLUClassifierCV(n_betas=6).fit(X, ["near" if abs(x[0]) < 1.4 else "far" for x in X])
    >>> model.predict([[0.0], [2.0]]).tolist(), model.scores_.shape[1], bool(model.mean_scores_.max() > 0.8)
    (['near', 'far'], 5, True)
    """
