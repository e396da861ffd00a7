"""Networks as layers of PyTorch, and layers of a convolutional network as weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from .._array import Array
from ..errors import InvalidInputError, MissingDependencyError, wrong_kind
from ..features.patches import PatchGeometry
from ..features.readouts import Regions, regions_of
from .conv import ReLUConvNetwork
from .dense import TwoLayerNetwork
from .linear_conv import LinearConvNetwork

Precision = Literal["float64", "float32"]


class Weights(NamedTuple):
    """The weights of a two-layer network: hidden (d, m) and its biases (m,), output (m, q) and its biases (c,)."""

    hidden: Array
    hidden_bias: Array
    output: Array
    output_bias: Array


def to_torch(network: Any, precision: Precision = "float64") -> Any:
    r"""Return the network as a `torch.nn.Sequential` with the same outputs.

    A dense network becomes ``(Linear, ReLU, Linear)``, a convolutional one ``(Conv2d, ReLU, AdaptiveAvgPool2d, Flatten,
    Linear)``, without the pooling where it is flattened and without the ReLU where it is linear; signals have `Conv1d`.
    PyTorch has **channels first**: the module takes images of shape (n, channels, height, width), that is
    ``np.moveaxis(images, -1, 1)``, and signals (n, channels, length).

    Parameters
    ----------
    network : TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork
        Of an estimator the `network_`, of a solution the `network`.
    precision : {"float64", "float32"}
        Type of the weights, and of the input that the module takes.

    Returns
    -------
    torch.nn.Sequential
        On the CPU, with outputs of shape (n, c), also where c is 1; for the "separable" readout (n, c, K) over the
        positions. They are those of `network.predict` up to the rounding of `precision`. The second layer has a bias
        only where the network has an offset. A network without neurons gets one whose weights are zero.

    Raises
    ------
    InvalidInputError
        For anything but such a network (gated ones have no counterpart), or another `precision`.
    MissingDependencyError
        If PyTorch is not installed.

    Notes
    -----
    Padding unequal on the two sides becomes a layer of its own in front. Regions that do not divide the positions
    evenly, which PyTorch would let overlap, become a `Linear` over all positions: the same function of more weights.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> geometry = ng.PatchGeometry((8, 8, 3), filter_size=3)
    >>> network = ng.ReLUConvNetwork([[1.0]] * 27, [1.0], bias=False, geometry=geometry)
    >>> module = ng.to_torch(network)  # doctest: +SKIP
    >>> module(torch.zeros(5, 3, 8, 8, dtype=torch.float64)).shape  # doctest: +SKIP
    torch.Size([5, 1])
    """
    if precision not in get_args(Precision):
        raise InvalidInputError(f"`precision` must be one of {list(get_args(Precision))}, got {precision!r}.")
    if not isinstance(network, TwoLayerNetwork | LinearConvNetwork):
        allowed = "a TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork"
        raise wrong_kind("network", allowed, network, "network_", "network")
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            "`to_torch` needs PyTorch, which is not installed: `pip install torch`, or use `save_model` instead."
        ) from error
    if network.n_neurons == 0:
        network = replace(network, U=np.zeros((len(network.U), 1)), A=np.zeros((1, *network.A.shape[1:])))

    def layer(kind: str, *sizes: Any, weight: Array, bias: Array | None, **options: Any) -> Any:
        dtype = getattr(torch, precision)
        # On no device, so that no random numbers are drawn for weights that are replaced.
        made = getattr(torch.nn, kind)(*sizes, bias=bias is not None, device="meta", dtype=dtype, **options)
        made.weight = torch.nn.Parameter(torch.tensor(np.array(weight), dtype=dtype))
        if bias is not None:
            made.bias = torch.nn.Parameter(torch.tensor(np.array(bias), dtype=dtype))
        return made

    if isinstance(network, LinearConvNetwork):
        first = _first_layers(network, None, torch.nn, layer)
        return torch.nn.Sequential(*first, torch.nn.Flatten(), _last_layer(network.A, _offset(network), layer))
    layers = _conv_layers if isinstance(network, ReLUConvNetwork) else _dense_layers
    return torch.nn.Sequential(*layers(network, torch.nn, layer))


def _dense_layers(network: TwoLayerNetwork, nn: Any, layer: Callable[..., Any]) -> list[Any]:
    d, m, c = network.n_features, network.n_neurons, network.n_outputs
    hidden = layer("Linear", d, m, weight=network.U[:d].T, bias=network.U[d] if network.bias else None)
    return [hidden, nn.ReLU(), layer("Linear", m, c, weight=network.A.T, bias=_offset(network))]


def _conv_layers(network: ReLUConvNetwork, nn: Any, layer: Callable[..., Any]) -> list[Any]:
    geometry, m, c = network.geometry, network.n_neurons, network.n_outputs
    nd = f"{len(geometry.filters)}d"
    layers = [*_first_layers(network, network.U[-1] if network.bias else None, nn, layer), nn.ReLU()]
    if network.readout == "separable":
        ones = (1,) * len(geometry.filters)
        weight = network.A.T.reshape(c, m, *ones)
        return [*layers, layer("Conv" + nd, m, c, ones, weight=weight, bias=_offset(network)), nn.Flatten(2)]
    A, grid = network.A.reshape(m, -1, c), _grid(network.readout, geometry)
    if grid is not None:
        layers.append(getattr(nn, "AdaptiveAvgPool" + nd)(grid))
    elif network.readout != "flattened":
        region, share, _ = regions_of(network.readout, geometry.output_shape)
        A = A[:, region] * share[:, None]
    return [*layers, nn.Flatten(), _last_layer(A, _offset(network), layer)]


def _first_layers(
    network: ReLUConvNetwork | LinearConvNetwork, bias: Array | None, nn: Any, layer: Callable[..., Any]
) -> list[Any]:
    """The convolution, and before it padding that it does not do itself."""
    geometry = network.geometry
    nd, circular = f"{len(geometry.filters)}d", geometry.padding_mode == "circular"
    even = all(before == after for before, after in geometry.pads)
    convolution = layer(
        "Conv" + nd,
        geometry.channels,
        network.n_neurons,
        geometry.filters,
        stride=geometry.strides,
        padding=tuple(before for before, _ in geometry.pads) if even else 0,
        padding_mode="circular" if circular else "zeros",
        weight=np.moveaxis(network.filters, -1, 1),
        bias=bias,
    )
    if even:
        return [convolution]
    pad = getattr(nn, ("CircularPad" if circular else "ZeroPad") + nd)
    return [pad(tuple(size for pair in geometry.pads[::-1] for size in pair)), convolution]  # last axis first


def _last_layer(A: Array, offset: Array | None, layer: Callable[..., Any]) -> Any:
    """The output weights A (m, P, c) of flattened activations."""
    weight = A.reshape(-1, A.shape[-1]).T
    return layer("Linear", weight.shape[1], len(weight), weight=weight, bias=offset)


def _offset(network: TwoLayerNetwork | LinearConvNetwork) -> Array | None:
    offset = np.asarray(network.offset)
    return offset if np.any(offset) else None


def _grid(readout: Regions, geometry: PatchGeometry) -> tuple[int, ...] | None:
    """The regions along each axis if there are fewer than positions and PyTorch's pooling has the same ones."""
    grid = (1,) * len(geometry.filters) if readout == "pooled" else readout
    if not isinstance(grid, tuple) or any(
        size % cells for size, cells in zip(geometry.output_shape, grid, strict=True)
    ):
        return None
    return tuple(int(cells) for cells in grid)


def weights_of_layers(model: Any, geometry: PatchGeometry, readout: Regions) -> Weights:
    """The weights of ``Sequential(Conv, ReLU, ..., Linear)`` that reads images as `geometry` and `readout` say.

    The layers are those that `to_torch` makes of such a network; others, and other sizes, are an InvalidInputError.
    """
    layers, nd = list(model), f"{len(geometry.filters)}d"
    padding = layers.pop(0) if layers and type(layers[0]).__name__ in (f"ZeroPad{nd}", f"CircularPad{nd}") else None
    kinds = [type(part).__name__ for part in layers]
    expected, grid = _expected(geometry, readout, nd)
    if kinds != expected:
        raise InvalidInputError(
            f"the Sequential of a problem with readout={readout!r} must hold ({', '.join(expected)}), "
            f"got ({', '.join(kinds)}); another readout is another problem."
        )
    separable = readout == "separable"
    hidden, output, flatten = layers[0], layers[2 if separable else -1], layers[-1 if separable else -2]
    axes = len(geometry.filters)
    padded = any(map(any, geometry.pads))
    sizes = [
        ("in_channels", hidden.in_channels, geometry.channels),
        ("kernel_size", _sizes(hidden.kernel_size, axes), geometry.filters),
        ("stride", _sizes(hidden.stride, axes), geometry.strides),
        ("dilation", _sizes(hidden.dilation, axes), (1,) * axes),
        ("groups", hidden.groups, 1),
        ("padding", _pads(hidden, padding, axes), (geometry.padding_mode if padded else "zeros", geometry.pads)),
        ("start_dim of Flatten", flatten.start_dim, 2 if separable else 1),
    ]
    if grid is not None:
        sizes.append(("output_size", _sizes(layers[2].output_size, axes), grid))
    for name, found, wanted in sizes:
        if found != wanted:
            raise InvalidInputError(f"the layers must have {name} = {wanted} like the problem, got {found}.")
    weight, second = tensor(hidden.weight), tensor(output.weight)
    (m, c), P = (len(weight), len(second)), regions_of(readout, geometry.output_shape)[2]
    if second.size != m * P * c:
        raise InvalidInputError(
            f"the last layer must have {m * P} weights an output, for {m} filters times {P} regions, "
            f"got {second.size // c}."
        )
    return Weights(
        np.moveaxis(weight, 1, -1).reshape(m, -1).T,
        np.zeros(m) if hidden.bias is None else tensor(hidden.bias),
        second.reshape(c, -1).T.reshape(m, -1),
        np.zeros(c) if output.bias is None else tensor(output.bias),
    )


def _expected(geometry: PatchGeometry, readout: Regions, nd: str) -> tuple[list[str], tuple[int, ...] | None]:
    """The layers after padding, and the regions that pooling leaves if there is any."""
    if readout == "separable":
        return ["Conv" + nd, "ReLU", "Conv" + nd, "Flatten"], None
    if readout == "flattened":
        return ["Conv" + nd, "ReLU", "Flatten", "Linear"], None
    grid = _grid(readout, geometry)
    if grid is None:
        raise InvalidInputError(
            f"PyTorch has no layer for regions {readout!r} that do not divide the {geometry.output_shape} positions; "
            "pass weight arrays (U, A)."
        )
    return ["Conv" + nd, "ReLU", "AdaptiveAvgPool" + nd, "Flatten", "Linear"], grid


def _sizes(value: Any, axes: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * axes


def _pads(hidden: Any, layer: Any, axes: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the padding mode of the first layers, and the sizes before and after each axis."""
    if isinstance(hidden.padding, str):
        sizes = _sizes(hidden.kernel_size, axes)
        own = tuple(((size - 1) // 2, size // 2) if hidden.padding == "same" else (0, 0) for size in sizes)
    else:
        own = tuple((size, size) for size in _sizes(hidden.padding, axes))
    mode = hidden.padding_mode
    if layer is not None:
        flat = _sizes(layer.padding, 2 * axes)
        ahead = tuple((flat[2 * axis], flat[2 * axis + 1]) for axis in reversed(range(axes)))
        if any(map(any, own)):
            return "twice", (*ahead, *own)
        own, mode = ahead, "circular" if type(layer).__name__.startswith("Circular") else "zeros"
    return (mode if any(map(any, own)) else "zeros"), own


def tensor(values: Any) -> Array:
    """A tensor as an array."""
    # Doubled before it leaves PyTorch: NumPy has no bfloat16.
    return np.asarray(values.detach().cpu().double().numpy(), dtype=np.float64)
