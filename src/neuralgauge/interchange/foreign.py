"""Two-layer ReLU networks from elsewhere: weight arrays, scikit-learn and PyTorch, with their biases accounted for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from ..networks import TwoLayerNetwork

TORCH_LAYERS = ["Linear", "ReLU", "Linear"]


def network_of(model: Any, bias: bool = True) -> TwoLayerNetwork:
    r"""The network that another library trained, in the form of [2].

    A hidden bias is the weight of the column of ones. An *output* bias b, which [2] has not, becomes one more neuron
    that is constant on every sample, :math:`u = \sqrt{|b|}\,(0, \dots, 0, 1)`, :math:`\alpha = b / \sqrt{|b|}`:
    :math:`(x^T u)_+ \alpha = b`, for which the weight decay charges :math:`|b|`.

    Parameters
    ----------
    model : TwoLayerNetwork, tuple (U, A), MLPRegressor, MLPClassifier or torch.nn.Sequential
        Weight arrays `U` of shape (d, m), the hidden biases as the last row if `bias`, and `A` of shape (m,) or
        (m, 1); or a fitted scikit-learn network with one hidden ReLU layer and one output; or
        ``Sequential(Linear, ReLU, Linear)``. A classifier is taken by its logits, those before the sigmoid.
    bias : bool
        Whether the design matrix has the column of ones. Without it the biases of `model` must be zero.

    Returns
    -------
    TwoLayerNetwork
        With the outputs of `model`, up to the rounding of its own precision; not balanced, so its weight decay is
        that of the weights as they are.

    Raises
    ------
    InvalidInputError
        For a model of another kind or another shape, one that is not fitted, or biases where there is no column of
        ones.

    Examples
    --------
    >>> from neuralgauge.interchange import network_of
    >>> network = network_of(([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0]))
    >>> network.predict([[-3.0], [2.0]]).tolist()
    [3.0, 2.0]
    """
    if isinstance(model, TwoLayerNetwork):
        if model.bias != bias:
            raise InvalidInputError(
                f"the network has bias={model.bias} and the problem bias={bias}; give both the same `bias`, "
                "or the last row of U would mean two things."
            )
        return model
    if isinstance(model, tuple):
        if len(model) != 2:
            raise InvalidInputError(f"weight arrays must come as a tuple (U, A) of two, got {len(model)}.")
        U, A = (_weights(part) for part in model)
        return TwoLayerNetwork(U, A, bias)
    # Recognised by name, so that no library is imported that the caller has not.
    names = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}
    if names & {"sklearn.MLPRegressor", "sklearn.MLPClassifier"}:
        return _network_of_layers(*_sklearn_layers(model), bias)
    if "torch.Sequential" in names:
        return _network_of_layers(*_torch_layers(model), bias)
    raise InvalidInputError(
        f"`network` must be a TwoLayerNetwork, a tuple (U, A), a fitted MLPRegressor or MLPClassifier, or a "
        f"torch.nn.Sequential(Linear, ReLU, Linear), got {type(model).__name__}{_remedy(model)}."
    )


def _weights(values: Any) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"`U` and `A` must be arrays of numbers, got {type(values).__name__} with other values in it."
        ) from None


def _remedy(model: Any) -> str:
    if hasattr(model, "named_steps"):
        return "; pass its last step, and a problem with the X that the steps before it make"
    for name in ("network_", "network"):
        if hasattr(model, name):
            return f"; pass its `{name}`, and a problem with the X it was trained on"
    return ""


def _sklearn_layers(model: Any) -> tuple[Array, Array, Array, Array]:
    """Hidden weights (d, m) and biases (m,), output weights (m, 1) and bias (1,)."""
    name = type(model).__name__
    if not hasattr(model, "coefs_"):
        raise InvalidInputError(f"the {name} must be fitted, got one that is not; call its fit first.")
    if len(model.coefs_) != 2:
        raise InvalidInputError(f"the {name} must have one hidden layer, got {len(model.coefs_) - 1}.")
    if model.activation != "relu":
        raise InvalidInputError(f'the {name} must have activation="relu", got {model.activation!r}.')
    if model.out_activation_ == "softmax":
        raise InvalidInputError(
            f"the {name} must tell two classes apart, got {model.n_outputs_}; certify one class against the others, "
            "each with a network of its own."
        )
    if model.out_activation_ not in ("identity", "logistic"):
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
    hidden: Array, hidden_bias: Array, output: Array, output_bias: Array, bias: bool
) -> TwoLayerNetwork:
    if output.shape[1] != 1:
        raise InvalidInputError(
            f"the network must have 1 output, got {output.shape[1]}; certify one output at a time, each with a "
            "network of its own."
        )
    if not bias:
        for place, values in (("hidden", hidden_bias), ("output", output_bias)):
            if np.any(values != 0):
                raise InvalidInputError(
                    f"the problem has no column of ones, but the network has a nonzero {place} bias; use "
                    "TrainingProblem(..., bias=True), where the weight decay covers it."
                )
        return TwoLayerNetwork(hidden, output, bias=False)
    U, offset = np.vstack([hidden, hidden_bias]), float(output_bias[0])
    if offset != 0:
        root = np.sqrt(abs(offset))
        constant = np.zeros((U.shape[0], 1))
        constant[-1] = root
        U, output = np.hstack([U, constant]), np.vstack([output, [[offset / root]]])
    return TwoLayerNetwork(U, output, bias=True)
