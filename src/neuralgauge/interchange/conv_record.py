"""Convolutional networks as what the header of a file can hold: where the filters sit and how they are read out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from .._array import Array
from ..conv_networks import ReLUConvNetwork
from ..errors import DroppedPixelsWarning, InvalidInputError
from ..linear_conv import LinearConvNetwork
from ..patches import PatchGeometry

FIELDS = ("shape", "filter_size", "stride", "padding", "padding_mode")


def record_of(network: ReLUConvNetwork | LinearConvNetwork) -> dict[str, Any]:
    """Everything but the weights, in JSON's types.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.ReLUConvNetwork([[1.0]] * 3, [1.0], geometry=ng.PatchGeometry((4, 1), 2))
    >>> record_of(network)["kind"], record_of(network)["geometry"]["filter_size"]
    ('relu_conv', [2])
    """
    geometry = {name: _listed(getattr(network.geometry, name)) for name in FIELDS}
    if isinstance(network, LinearConvNetwork):
        return {"kind": "linear_conv", "geometry": geometry}
    return {"kind": "relu_conv", "geometry": geometry, "readout": _listed(network.readout)}


def rebuilt_network(
    record: Mapping[str, Any], U: Array, A: Array, bias: bool, offset: Array
) -> ReLUConvNetwork | LinearConvNetwork:
    """The network of a record and its weights; what does not fit together is an InvalidInputError."""
    fields = {name: _tupled(record["geometry"][name]) for name in FIELDS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedPixelsWarning)  # said when it was trained
        geometry = PatchGeometry(**fields)
    if record["kind"] == "linear_conv":
        return LinearConvNetwork(U, A, geometry, offset)
    if record["kind"] == "relu_conv":
        return ReLUConvNetwork(U, A, bias, offset, geometry=geometry, readout=_tupled(record["readout"]))
    raise InvalidInputError(f"A convolutional network is 'relu_conv' or 'linear_conv', got {record['kind']!r}.")


def _listed(value: Any) -> Any:
    return [int(size) for size in value] if isinstance(value, tuple) else value


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
