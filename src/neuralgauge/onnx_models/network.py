"""The nodes of standardization and of networks."""

from __future__ import annotations

import math

import numpy as np

from .._array import Array
from ..features.readouts import regions_of
from ..interchange.answers import Part, is_separable
from ..networks.conv import ReLUConvNetwork
from ..networks.dense import TwoLayerNetwork
from ..networks.linear_conv import LinearConvNetwork
from ..preparation.standardization import Standardization
from .graph import Graph


def standardized(graph: Graph, x: str, scaling: Standardization, kind: str) -> str:
    """(x - mean) / scale over the last axis, of values of this kind.

    In single precision the mean is subtracted in two parts, since what it loses by rounding may be many deviations: the
    difference to the first part is exact wherever x is within a factor of two of the mean (Sterbenz).
    """
    mean, scale = scaling.feature_mean, scaling.feature_scale
    if np.any(mean):
        first = mean.astype(np.float32).astype(np.float64) if kind == "float32" else mean
        x = graph.node("Sub", x, graph.constant(first, "feature_mean", kind), name="centred")
        if np.any(first != mean):
            x = graph.node("Sub", x, graph.constant(mean - first, "feature_mean_rest", kind), name="centred_rest")
    if np.any(scale != 1.0):
        x = graph.node("Div", x, graph.constant(scale, "feature_scale", kind), name="standardized")
    return x


def outputs(graph: Graph, x: str, part: Part, whole: bool) -> str:
    """Outputs (n, c) in the units of the targets from standardised features; (n, K, c) of patches unless `whole`."""
    network, scaling = part
    scale, offset = np.asarray(scaling.target_scale), scaling.original(np.asarray(network.offset))
    if isinstance(network, LinearConvNetwork):
        flat = graph.reshaped(x, (0, network.geometry.n_pixels))
        return _affine(graph, flat, network.pixels * scale, offset, "output")
    if isinstance(network, ReLUConvNetwork):
        H, A = _read_patches(graph, x, network, whole)
    else:
        U, A = _with_neuron(network)
        d = network.n_features
        pre = _affine(graph, x, U[:d], U[d] if network.bias else None, "hidden")
        H = graph.node("Relu", pre, name="activations")
    return _affine(graph, H, A * scale, offset, "output")


def _affine(graph: Graph, x: str, weight: Array, bias: Array | None, name: str) -> str:
    """X weight + bias; zeros are added too, for readers that look for both (OMLT), and None is not."""
    weights = graph.constant(weight, f"{name}_weights")
    if bias is None:
        return graph.node("MatMul", x, weights, name=name)
    products = graph.node("MatMul", x, weights, name=f"{name}_products")
    return graph.node("Add", products, graph.constant(bias, f"{name}_bias"), name=name)


def _with_neuron(network: TwoLayerNetwork) -> tuple[Array, Array]:
    """The weights, of a network without neurons those of one that does nothing: runtimes refuse empty matrices."""
    if network.n_neurons:
        return network.U, network.A
    return np.zeros((len(network.U), 1)), np.zeros((1, network.A.shape[1]))


def _read_patches(graph: Graph, x: str, network: ReLUConvNetwork, whole: bool) -> tuple[str, Array]:
    """Activations (n, P m) summed over regions, and their output weights; (n, K, m) where patches are read alone."""
    geometry, (U, A) = network.geometry, _with_neuron(network)
    m, K = U.shape[1], geometry.n_positions
    H = (_convolved if graph.precision == "float32" else _gathered)(graph, x, network, U)
    if is_separable(network) and not whole:
        return H, A
    readout = "pooled" if is_separable(network) else network.readout
    region, share, P = regions_of(readout, geometry.output_shape)
    if P < K:
        sums = np.zeros((P, K))
        sums[region, np.arange(K)] = share
        H = graph.node("MatMul", graph.constant(sums, "pooling"), H, name="pooled")
    weights = A.reshape(m, P, -1).transpose(1, 0, 2).reshape(P * m, -1)
    return graph.reshaped(H, (0, P * m)), weights


def _convolved(graph: Graph, x: str, network: ReLUConvNetwork, U: Array) -> str:
    """Activations (n, K, m) by a convolution, for which ONNX has channels first."""
    geometry, m = network.geometry, U.shape[1]
    axes, pads = len(geometry.filters), geometry.pads
    if geometry.padding_mode == "circular":
        for axis, (length, (before, after)) in enumerate(zip(geometry.spatial_shape, pads, strict=True)):
            if before or after:
                around = np.arange(-before, length + after) % length
                x = graph.node("Gather", x, graph.constant(around, "around"), axis=axis + 1, name="padded")
        pads = ((0, 0),) * axes
    x = graph.node("Transpose", x, perm=[0, axes + 1, *range(1, axes + 1)], name="channels_first")
    filters = np.moveaxis(U[: geometry.d].T.reshape(m, *geometry.filters, geometry.channels), -1, 1)
    bias = [graph.constant(U[-1], "filter_bias")] if network.bias else []
    x = graph.node(
        "Conv",
        x,
        graph.constant(filters, "filters"),
        *bias,
        strides=list(geometry.strides),
        pads=[before for before, _ in pads] + [after for _, after in pads],
    )
    H = graph.reshaped(graph.node("Relu", x, name="activations"), (0, m, geometry.n_positions))
    return graph.node("Transpose", H, perm=[0, 2, 1], name="positions_first")


def _gathered(graph: Graph, x: str, network: ReLUConvNetwork, U: Array) -> str:
    """The same by gathering patches (n, K, d): onnxruntime has no convolution in double precision."""
    geometry = network.geometry
    pixel = np.arange(1.0, geometry.n_pixels + 1.0).reshape(1, *geometry.shape)
    number = geometry.stack(pixel).astype(np.int64)  # of the pixels of each patch, 0 for padding
    x = graph.reshaped(x, (0, math.prod(geometry.shape)))
    if number.min() == 0:
        x = graph.node("Pad", x, graph.constant(np.array([0, 1, 0, 0]), "pads"), name="padded")
    else:
        number -= 1
    patches = graph.node("Gather", x, graph.constant(number, "pixels"), axis=1, name="patches")
    pre = _affine(graph, patches, U[: geometry.d], U[-1] if network.bias else None, "hidden")
    return graph.node("Relu", pre, name="activations")
