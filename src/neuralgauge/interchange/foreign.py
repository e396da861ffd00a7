"""Two-layer ReLU networks from elsewhere: weight arrays, scikit-learn and PyTorch, with their biases accounted for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from ..networks import TwoLayerNetwork

TORCH_LAYERS = ["Linear", "ReLU", "Linear"]


def network_of(model: Any, bias: bool = True, offset: bool = False) -> TwoLayerNetwork:
    r"""The network that another library trained, in the form of [2].

    A hidden bias is the weight of the column of ones. An *output* bias b in R^c is the output offset where the problem
    has one (`offset`). Where it has none, as in [2], b becomes one more neuron that is constant on every sample,
    :math:`u = \sqrt{|b|}\,(0, \dots, 0, 1)`, :math:`\alpha = b / \sqrt{|b|}`: :math:`(x^T u)_+ \alpha = b`, for which
    the weight decay charges :math:`|b|_2`.

    Parameters
    ----------
    model : TwoLayerNetwork, tuple of arrays, MLPRegressor, MLPClassifier or torch.nn.Sequential
        Weight arrays (U, A) or (U, A, b): `U` of shape (d, m), the hidden biases as the last row if `bias`, `A` of
        shape (m,) or (m, c), and the output biases `b`, a number or (c,); or a fitted scikit-learn network with one
        hidden ReLU layer; or ``Sequential(Linear, ReLU, Linear)``. A classifier is taken by its logits, those before
        the sigmoid (one) or the softmax (one a class).
    bias : bool
        Whether the design matrix has the column of ones. Without it the hidden biases of `model` must be zero, and
        without `offset` too its output biases.
    offset : bool
        Whether the problem has an output offset.

    Returns
    -------
    TwoLayerNetwork
        With the outputs of `model`, up to the rounding of its own precision; not balanced, so its weight decay is
        that of the weights as they are. A TwoLayerNetwork is returned as it is.

    Raises
    ------
    InvalidInputError
        For a model of another kind or another shape, one that is not fitted, biases where there is no column of
        ones, or a TwoLayerNetwork with an offset where the problem has none.

    Examples
    --------
    >>> from neuralgauge.interchange import network_of
    >>> network = network_of(([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0], -4.0))
    >>> network.predict([[-3.0], [2.0]]).tolist(), network.n_neurons
    ([-1.0, -2.0], 3)
    >>> network_of(([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0], -4.0), offset=True).offset.tolist()
    [-4.0]
    """
    if isinstance(model, TwoLayerNetwork):
        if model.bias != bias:
            raise InvalidInputError(
                f"the network has bias={model.bias} and the problem bias={bias}; give both the same `bias`, "
                "or the last row of U would mean two things."
            )
        if np.any(model.offset) and not offset:
            raise InvalidInputError(
                "the network has an output offset and the problem has none; use TrainingProblem(..., offset=True), or "
                "pass (U, A, offset) to have it charged as one more neuron."
            )
        return model
    if isinstance(model, tuple):
        if len(model) not in (2, 3):
            raise InvalidInputError(f"weight arrays must come as a tuple (U, A) or (U, A, offset), got {len(model)}.")
        network = TwoLayerNetwork(_weights(model[0]), _weights(model[1]), bias, *map(_weights, model[2:]))
        return network if offset else _with_constant(network)
    # Recognised by name, so that no library is imported that the caller has not.
    names = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}
    if names & {"sklearn.MLPRegressor", "sklearn.MLPClassifier"}:
        return _network_of_layers(*_sklearn_layers(model), bias, offset)
    if "torch.Sequential" in names:
        return _network_of_layers(*_torch_layers(model), bias, offset)
    raise InvalidInputError(
        f"`network` must be a TwoLayerNetwork, a tuple (U, A) or (U, A, offset), a fitted MLPRegressor or "
        f"MLPClassifier, or a torch.nn.Sequential(Linear, ReLU, Linear), got {type(model).__name__}{_remedy(model)}."
    )


def _weights(values: Any) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"`U`, `A` and `offset` must be arrays of numbers, got {type(values).__name__} with other values in it."
        ) from None


def _remedy(model: Any) -> str:
    if hasattr(model, "named_steps"):
        return "; pass its last step, and a problem with the X that the steps before it make"
    for name in ("network_", "network"):
        if hasattr(model, name):
            return f"; pass its `{name}`, and a problem with the X it was trained on"
    return ""


def _sklearn_layers(model: Any) -> tuple[Array, Array, Array, Array]:
    """Hidden weights (d, m) and biases (m,), output weights (m, c) and biases (c,)."""
    name = type(model).__name__
    if not hasattr(model, "coefs_"):
        raise InvalidInputError(f"the {name} must be fitted, got one that is not; call its fit first.")
    if len(model.coefs_) != 2:
        raise InvalidInputError(f"the {name} must have one hidden layer, got {len(model.coefs_) - 1}.")
    if model.activation != "relu":
        raise InvalidInputError(f'the {name} must have activation="relu", got {model.activation!r}.')
    if model.out_activation_ not in ("identity", "logistic", "softmax"):
        raise InvalidInputError(
            f"the {name} must have linear outputs or logits, got the output activation {model.out_activation_!r}."
        )
    hidden, output = (_weights(part) for part in model.coefs_)
    return hidden, _weights(model.intercepts_[0]), output, _weights(model.intercepts_[1])


def _torch_layers(model: Any) -> tuple[Array, Array, Array, Array]:
    """Hidden weights (d, m) and biases (m,), output weights (m, c) and biases (c,)."""
    layers = list(model)
    kinds = [type(layer).__name__ for layer in layers]
    if kinds != TORCH_LAYERS:
        raise InvalidInputError(
            f"the Sequential must hold (Linear, ReLU, Linear), got ({', '.join(kinds)}); "
            "leave out what comes before and after, and give the problem the X that reaches the first Linear."
        )
    hidden, output = (_tensor(layers[k].weight).T for k in (0, 2))
    offsets = [
        np.zeros(weight.shape[1]) if layers[k].bias is None else _tensor(layers[k].bias)
        for k, weight in ((0, hidden), (2, output))
    ]
    return hidden, offsets[0], output, offsets[1]


def _tensor(tensor: Any) -> Array:
    # Doubled before it leaves PyTorch: NumPy has no bfloat16.
    return _weights(tensor.detach().cpu().double().numpy())


def _network_of_layers(
    hidden: Array, hidden_bias: Array, output: Array, output_bias: Array, bias: bool, offset: bool
) -> TwoLayerNetwork:
    if not bias and np.any(hidden_bias != 0):
        raise InvalidInputError(
            "the problem has no column of ones, but the network has a nonzero hidden bias; use "
            "TrainingProblem(..., bias=True), where the weight decay covers it."
        )
    network = TwoLayerNetwork(np.vstack([hidden, hidden_bias]) if bias else hidden, output, bias, output_bias)
    return network if offset else _with_constant(network)


def _with_constant(network: TwoLayerNetwork) -> TwoLayerNetwork:
    """The same outputs without an offset."""
    b = np.asarray(network.offset)
    size = float(np.linalg.norm(b))
    if size == 0:
        return network
    if not network.bias:
        raise InvalidInputError(
            "the problem has no column of ones, but the network has a nonzero output bias; use "
            "TrainingProblem(..., bias=True), where the weight decay covers it, or offset=True, where it is free."
        )
    constant = np.zeros((network.U.shape[0], 1))
    constant[-1] = np.sqrt(size)
    return TwoLayerNetwork(np.hstack([network.U, constant]), np.vstack([network.A, b / np.sqrt(size)]), network.bias)
