"""Networks in the header of a file: the geometry and the readout of convolutional ones."""

from __future__ import annotations

import math
import warnings
from typing import Any

from .._array import Array
from ..errors import DroppedPixelsWarning, InvalidInputError
from ..features.patches import PatchGeometry
from ..features.readouts import region_grid
from ..networks.conv import ReLUConvNetwork
from ..networks.dense import TwoLayerNetwork
from ..networks.linear_conv import LinearConvNetwork
from .model_header import ConvRecord, GeometryRecord, LinearConvRecord

Network = TwoLayerNetwork | LinearConvNetwork


def record_of(network: ReLUConvNetwork | LinearConvNetwork) -> dict[str, Any]:
    """Everything but the weights, in JSON's types: the fields of a `ConvRecord`.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.ReLUConvNetwork([[1.0]] * 3, [1.0], geometry=ng.PatchGeometry((4, 1), 2))
    >>> record_of(network)["kind"], record_of(network)["geometry"]["filter_size"]
    ('relu_conv', [2])
    """
    geometry = {name: _listed(getattr(network.geometry, name)) for name in GeometryRecord.__struct_fields__}
    if isinstance(network, LinearConvNetwork):
        return {"kind": "linear_conv", "geometry": geometry}
    return {"kind": "relu_conv", "geometry": geometry, "readout": _listed(network.readout)}


def rebuilt_network(record: ConvRecord | None, U: Array, A: Array, bias: bool, offset: Array) -> Network:
    """The network of these weights, a dense one without a record; what does not fit is an InvalidInputError.

    Unlike the networks themselves it takes no offset of one number for several outputs: without neurons their number
    would come from a shape alone, which a small file can state to be large.
    """
    is_linear = isinstance(record, LinearConvRecord)
    if U.ndim != 2 or A.ndim != (3 if is_linear else 2):
        raise InvalidInputError(f"`U` and `A` must have 2 and {3 if is_linear else 2} axes, got {U.shape}, {A.shape}.")
    if record is None:
        _check_offset(offset, A.shape[1])
        return TwoLayerNetwork(U, A, bias, offset)
    where = record.geometry
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedPixelsWarning)  # said when it was trained
        geometry = PatchGeometry(where.shape, where.filter_size, where.stride, where.padding, where.padding_mode)
    if isinstance(record, LinearConvRecord):
        _check_offset(offset, A.shape[2])
        return LinearConvNetwork(U, A, geometry, offset)
    _check_offset(offset, A.shape[1] // math.prod(region_grid(record.readout, geometry.output_shape)))
    return ReLUConvNetwork(U, A, bias, offset, geometry=geometry, readout=record.readout)


def _check_offset(offset: Array, n_outputs: int) -> None:
    if n_outputs < 1 or offset.shape != (n_outputs,):
        raise InvalidInputError(f"`offset` must have an entry for each of {n_outputs} outputs, got {offset.shape}.")


def _listed(value: Any) -> Any:
    return [int(size) for size in value] if isinstance(value, tuple) else value
