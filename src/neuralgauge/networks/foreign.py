"""Two-layer ReLU networks of other libraries: weight arrays, scikit-learn and PyTorch, with their biases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .._array import Array, balanced_rows
from ..errors import InvalidInputError
from ..features.patches import PatchGeometry
from ..features.readouts import Regions
from ..networks.torch_layers import Weights, tensor, weights_of_layers
from .conv import ReLUConvNetwork
from .dense import TwoLayerNetwork

TORCH_LAYERS = ["Linear", "ReLU", "Linear"]


def network_of(
    model: Any,
    bias: bool = True,
    offset: bool = False,
    geometry: PatchGeometry | None = None,
    readout: Regions = "pooled",
) -> TwoLayerNetwork:
    r"""Return the network that another library trained, in the form of [2].

    A hidden bias is the weight of the column of ones. An *output* bias b in R^c is the output offset where the problem
    has one (`offset`). Where it has none, as in [2], b becomes one more neuron that is constant on every sample,
    :math:`u = \sqrt{|b|}\,(0, \dots, 0, 1)`, :math:`\alpha = b / \sqrt{|b|}`: :math:`(x^T u)_+ \alpha = b`, for which
    the weight decay charges :math:`|b|_2`; with P regions of a convolutional network, which share b,
    :math:`|b|_2 / \sqrt P`.

    Parameters
    ----------
    model : TwoLayerNetwork, tuple of arrays, MLPRegressor, MLPClassifier or torch.nn.Sequential
        Weight arrays (U, A) or (U, A, b): `U` of shape (d, m), the hidden biases as the last row if `bias`, `A` of
        shape (m,) or (m, c), and the output biases `b`, a number or (c,); or a fitted scikit-learn network with one
        hidden ReLU layer; or ``Sequential(Linear, ReLU, Linear)``. A classifier is taken by its logits, those before
        the sigmoid (one) or the softmax (one a class), a regressor for counts by the logarithms of its means. With a
        `geometry` a ReLUConvNetwork, weight arrays with `A` of shape (m, P c), or the layers that `to_torch` makes:
        ``Sequential(Conv2d, ReLU, AdaptiveAvgPool2d(1), Flatten, Linear)`` for the pooled readout, the same without
        pooling for the flattened one.
    bias : bool
        Whether the design matrix has the column of ones. Without it the hidden biases of `model` must be zero, and
        without `offset` too its output biases.
    offset : bool
        Whether the problem has an output offset.
    geometry : PatchGeometry, optional
        Of a convolutional problem.
    readout : {"pooled", "flattened", "separable"} or tuple of int
        Of a convolutional problem.

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
    >>> from neuralgauge.networks.foreign import network_of
    >>> network = network_of(([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0], -4.0))
    >>> network.predict([[-3.0], [2.0]]).tolist(), network.n_neurons
    ([-1.0, -2.0], 3)
    >>> network_of(([[1.0, -1.0], [0.0, 0.0]], [1.0, 1.0], -4.0), offset=True).offset.tolist()
    [-4.0]
    """
    if isinstance(model, TwoLayerNetwork):
        _check_own(model, bias, offset, geometry, readout)
        return model
    make = TwoLayerNetwork if geometry is None else partial(ReLUConvNetwork, geometry=geometry, readout=readout)
    if isinstance(model, tuple):
        if len(model) not in (2, 3):
            raise InvalidInputError(f"weight arrays must come as a tuple (U, A) or (U, A, offset), got {len(model)}.")
        network = make(_weights(model[0]), _weights(model[1]), bias, *map(_weights, model[2:]))
        return network if offset else _with_constant(network)
    # Recognised by name, so that no library is imported that the caller has not.
    names = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}
    if names & {"sklearn.MLPRegressor", "sklearn.MLPClassifier"} and geometry is None:
        return network_of_layers(_sklearn_layers(model), bias, offset, make)
    if "torch.Sequential" in names:
        layers = _torch_layers(model) if geometry is None else weights_of_layers(model, geometry, readout)
        return network_of_layers(layers, bias, offset, make)
    allowed = (
        "TwoLayerNetwork, a tuple (U, A) or (U, A, offset), a fitted MLPRegressor or MLPClassifier, or a "
        "torch.nn.Sequential(Linear, ReLU, Linear)"
        if geometry is None
        else "ReLUConvNetwork, a tuple (U, A) or (U, A, offset), or a torch.nn.Sequential(Conv, ReLU, ..., Linear)"
    )
    raise InvalidInputError(f"`network` must be a {allowed}, got {type(model).__name__}{_remedy(model)}.")


def _check_own(
    network: TwoLayerNetwork, bias: bool, offset: bool, geometry: PatchGeometry | None, readout: Regions
) -> None:
    """Refuse a network of this package whose bias, offset, geometry or readout is not that of the problem."""
    if isinstance(network, ReLUConvNetwork) != (geometry is not None):
        kinds = ("dense", "convolutional") if geometry is not None else ("convolutional", "dense")
        raise InvalidInputError(
            f"the network is {kinds[0]} and the problem {kinds[1]}; convolutional ones belong to ReLUConvProblem."
        )
    if isinstance(network, ReLUConvNetwork) and geometry is not None:
        for name, own, wanted in (
            ("geometry", network.geometry.places, geometry.places),
            ("readout", network.readout, readout),
        ):
            if own != wanted:
                raise InvalidInputError(f"the network must have the {name} of the problem, {wanted}, got {own}.")
    if network.bias != bias:
        raise InvalidInputError(
            f"the network has bias={network.bias} and the problem bias={bias}; give both the same `bias`, "
            "or the last row of U would mean two things."
        )
    if np.any(network.offset) and not offset:
        raise InvalidInputError(
            "the network has an output offset and the problem has none; use TrainingProblem(..., offset=True), or "
            "pass (U, A, offset) to have it charged as one more neuron."
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


def _sklearn_layers(model: Any) -> Weights:
    name = type(model).__name__
    if not hasattr(model, "coefs_"):
        raise InvalidInputError(f"the {name} must be fitted, got one that is not; call its fit first.")
    if len(model.coefs_) != 2:
        raise InvalidInputError(f"the {name} must have one hidden layer, got {len(model.coefs_) - 1}.")
    if model.activation != "relu":
        raise InvalidInputError(f'the {name} must have activation="relu", got {model.activation!r}.')
    if model.out_activation_ not in ("identity", "logistic", "softmax", "exp"):
        raise InvalidInputError(
            f"the {name} must have linear outputs, logits or logarithms of means, got the output activation "
            f"{model.out_activation_!r}."
        )
    hidden, output = (_weights(part) for part in model.coefs_)
    return Weights(hidden, _weights(model.intercepts_[0]), output, _weights(model.intercepts_[1]))


def _torch_layers(model: Any) -> Weights:
    layers = list(model)
    kinds = [type(layer).__name__ for layer in layers]
    if kinds != TORCH_LAYERS:
        raise InvalidInputError(
            f"the Sequential must hold (Linear, ReLU, Linear), got ({', '.join(kinds)}); "
            "leave out what comes before and after, and give the problem the X that reaches the first Linear."
        )
    hidden, output = (tensor(layers[k].weight).T for k in (0, 2))
    offsets = [
        np.zeros(weight.shape[1]) if layers[k].bias is None else tensor(layers[k].bias)
        for k, weight in ((0, hidden), (2, output))
    ]
    return Weights(hidden, offsets[0], output, offsets[1])


def network_of_layers(
    layers: Weights, bias: bool, offset: bool, make: Callable[..., TwoLayerNetwork] = TwoLayerNetwork
) -> TwoLayerNetwork:
    """The network of weights and biases, for a problem with or without a column of ones and an output offset."""
    if not bias and np.any(layers.hidden_bias != 0):
        raise InvalidInputError(
            "the problem has no column of ones, but the network has a nonzero hidden bias; use "
            "TrainingProblem(..., bias=True), where the weight decay covers it."
        )
    U = np.vstack([layers.hidden, layers.hidden_bias]) if bias else layers.hidden
    network = make(U, layers.output, bias, layers.output_bias)
    return network if offset else _with_constant(network)


def _with_constant(network: TwoLayerNetwork) -> TwoLayerNetwork:
    """Return a network of the same outputs without an offset, which becomes a neuron."""
    n_regions = network.A.shape[1] // network.n_outputs
    # The weights of the positions in a region sum to one, so each region adds its part of b.
    b = np.tile(np.asarray(network.offset), n_regions) / n_regions
    if not np.any(b):
        return network
    if not network.bias:
        raise InvalidInputError(
            "the problem has no column of ones, but the network has a nonzero output bias; use "
            "TrainingProblem(..., bias=True), where the weight decay covers it, or offset=True, where it is free."
        )
    constant = np.zeros((network.U.shape[0], 1))
    constant[-1] = 1.0
    column, weights, _ = balanced_rows(constant.T, b[None])
    U, A = np.hstack([network.U, column.T]), np.vstack([network.A, weights])
    return network.with_neurons(U, A, 0.0)
