"""`to_sklearn`: a model as a fitted network of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InvalidInputError
from ..networks.dense import TwoLayerNetwork
from .answers import Answers, answers_of


def to_sklearn(model: Any) -> Any:
    r"""Return a model as a fitted `MLPRegressor` or `MLPClassifier` of scikit-learn with the same predictions.

    For whatever takes one of these, such as gurobi-machinelearning. Scaling is folded into the weights: with means m
    and scales s of the columns and M, S of the targets, hidden weights become :math:`u_k / s_k`, hidden biases are less
    :math:`\sum_k m_k u_k / s_k`, output weights are multiplied by S, and output biases become S b + M.

    Parameters
    ----------
    model : TwoLayerNetwork, SavedModel or estimator
        Dense. A network, and a model for numbers, becomes a regressor; an estimator for classes a classifier.

    Returns
    -------
    MLPRegressor or MLPClassifier
        With ``hidden_layer_sizes=(m,)`` and ``activation="relu"``, one neuron of weights zero where there is none.
        `coefs_` are (d, m) and (m, c), `intercepts_` (m,) and (c,), `n_iter_` is 0. `predict` and, of classes,
        `predict_proba` agree with those of `model` up to rounding; of the Poisson loss `out_activation_` is "exp".

    Raises
    ------
    InvalidInputError
        For another model or one that is not fitted; convolutions; several quantile levels; columns that are encoded;
        and classifiers whose probabilities are no softmax: of the hinge losses, which give none, and of more than two
        classes trained one against the rest.

    Notes
    -----
    Where columns have means of many deviations, biases are large and cancel: predictions then agree to 1e-16 times
    the largest such term. It is scikit-learn's form that asks for it; `to_onnx` keeps the scaling apart.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> model = ng.ReLURegressor(beta=0.01).fit([[-2.0], [-1.0], [0.0], [1.0], [2.0]], [2.0, 1.0, 0.0, 1.0, 2.0])
    >>> network = ng.to_sklearn(model)
    >>> network.n_layers_, network.out_activation_, len(network.coefs_[1]) == model.network_.n_neurons
    (3, 'identity', True)
    >>> abs(float(network.predict([[1.5]])[0] - model.predict([[1.5]])[0])) < 1e-12
    True
    """
    answers = answers_of(model)
    _check(answers, model)
    U, A, offset = _weights(answers)
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import LabelBinarizer

    sizes = {"hidden_layer_sizes": (U.shape[1],), "activation": "relu"}
    if answers.classes:
        result = MLPClassifier(**sizes)
        labels = getattr(model, "classes_", np.array(answers.classes))
        result._label_binarizer = LabelBinarizer().fit(labels)
        result.classes_ = result._label_binarizer.classes_
        result.out_activation_ = "logistic" if len(labels) == 2 else "softmax"
    else:
        result = MLPRegressor(**sizes, loss="poisson" if answers.counts else "squared_error")
        result.out_activation_ = "exp" if answers.counts else "identity"
    result.coefs_, result.intercepts_ = [U[:-1].copy(), A.copy()], [U[-1].copy(), offset.copy()]
    result.n_features_in_, result.n_outputs_, result.n_layers_ = len(U) - 1, A.shape[1], 3
    result.n_iter_ = result.t_ = 0
    if answers.feature_names:
        result.feature_names_in_ = np.array(answers.feature_names, dtype=object)
    return result


def _check(answers: Answers, model: Any) -> None:
    """Refuse what such a network does not express."""
    name = type(model).__name__
    if answers.is_convolutional:
        raise InvalidInputError(f"scikit-learn has no convolutional networks, got {name}; use `to_onnx` or `to_torch`.")
    if len(answers.parts) > 1:
        raise InvalidInputError(
            f"A network of scikit-learn gives no sorted quantiles, got {name} of {len(answers.parts)} levels; pass one "
            "of its `estimators_`."
        )
    if answers.encoding:
        raise InvalidInputError(
            f"A network of scikit-learn takes numbers, and this {name} encodes columns; pass the last step of a "
            "pipeline or, of a SavedModel, `model.standardization.unscaled(model.network)`, for one of the encoded "
            "columns, or use `to_onnx`."
        )
    if answers.classes and not answers.probabilities:
        raise InvalidInputError(
            f"An MLPClassifier gives probabilities, and the loss of this {name} has none; pass its network, for a "
            "regressor that gives the scores, or train with loss='logistic'."
        )
    if len(answers.classes) > 2 and answers.probabilities == "separate":
        raise InvalidInputError(
            "The probabilities of an MLPClassifier are the softmax of its outputs, and those of classes trained one "
            "against the rest are not; pass the network, for a regressor that gives the scores, or train with "
            "multi_class='joint'."
        )


def _weights(answers: Answers) -> tuple[Any, Any, Any]:
    """Weights (d + 1, m) and (m, c) and output biases (c,) in the user's units; of two classes one output."""
    network, scaling = answers.parts[0]
    U, A = network.U, network.A
    if not network.n_neurons:
        U, A = np.zeros((len(U), 1)), np.zeros((1, A.shape[1]))
    if not network.bias:
        U = np.vstack([U, np.zeros(U.shape[1])])
    whole = scaling.unscaled(TwoLayerNetwork(U, A, True, network.offset))
    A, offset = whole.A, np.asarray(whole.offset)
    if len(answers.classes) == 2 and A.shape[1] == 2:
        A, offset = A[:, 1:] - A[:, :1], offset[1:] - offset[:1]
    return whole.U, A, offset
