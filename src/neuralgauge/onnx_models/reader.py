"""`from_onnx`: a two-layer ReLU network from an ONNX file of any origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelFileError
from ..networks.dense import TwoLayerNetwork
from ..networks.foreign import network_of_layers
from ..networks.torch_layers import Weights
from ..quoting import listed, quoted
from .affine import MOST_ENTRIES, Map, Refused, check_entries
from .graph import onnx_package
from .operators import OPERATORS, Value
from .stored import MALFORMED, Stored, loaded

MOST_NODES = 1000  # a two-layer network has ten
MOST_KEPT = 4 * MOST_ENTRIES  # of all arrays together, 1 GiB


def from_onnx(
    model: Any, *, bias: bool | None = None, offset: bool = True, output: str | None = None
) -> TwoLayerNetwork:
    r"""Return the two-layer ReLU network that an ONNX file holds, wherever it comes from.

    Of this package, of ``torch.onnx.export`` of ``Sequential(Linear, ReLU, Linear)``, of skl2onnx for an `MLPRegressor`
    with one hidden layer, say after a `StandardScaler`: whatever is affine before the ReLU and after it is folded into
    the weights, so that the network takes the inputs of the file and `certify` takes the network.

    Parameters
    ----------
    model : str, Path or onnx.ModelProto
        A file, or what `onnx.load` returns.
    bias : bool, optional
        Whether the network is for a problem with a column of ones, as `network_of` has it. By default it is where the
        file adds something before the ReLU; with False that must be zero.
    offset : bool
        Whether it is for a problem with an output offset. With False an output bias becomes one more neuron that is
        constant, at the price of its weights.
    output : str, optional
        The value of the graph to read, by default its one output. Of a classifier the logits, before the sigmoid or
        the softmax.

    Returns
    -------
    TwoLayerNetwork
        In double precision, with the inputs of the file as columns, several inputs side by side in their order; images
        are taken flattened. Its outputs are those of the file up to the rounding of the precision that runs there.
        Weights that the file holds are those of the network, to the last bit, where nothing is folded into them.

    Raises
    ------
    ModelFileError
        For a file that is damaged or no ONNX model, holds an operator that such networks have not (its name is told),
        has more than one layer of ReLUs or none, refers to files outside its folder, or asks for arrays of more than
        256 MiB.
    InvalidInputError
        For biases where `bias` is False, and weights that are not finite.
    MissingDependencyError
        If the package onnx is not installed.

    Notes
    -----
    Read are Add, Sub, Mul, Div, Neg, MatMul, Gemm, BatchNormalization, Relu, Clip and Max at zero, Concat, Gather,
    Flatten, Reshape, Squeeze, Transpose, Cast, Identity, Dropout, Constant; Scaler and ArrayFeatureExtractor
    of ai.onnx.ml. Nothing in the file is executed, and of weights in other files only those beside it are read.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.5]], [1.0, 1.0])
    >>> ng.from_onnx(ng.to_onnx(network, precision="float64")).U.tolist()  # doctest: +SKIP
    [[1.0, -1.0], [0.0, 0.5]]
    """
    onnx = onnx_package("from_onnx")
    proto, stored = loaded(onnx, model)
    name = stored.name
    with np.errstate(all="ignore"):
        value = _Reader(proto.graph, stored).value_of(output)
    if not isinstance(value, Map) or value.hidden is None:
        raise ModelFileError(f"{name} has no ReLU between its inputs and {quoted(output or 'its output')}.")
    hidden, weights = value.hidden, (value.hidden.weights(), value.weights())
    bias = hidden.t is not None if bias is None else bias
    zeros = (np.zeros(hidden.size), np.zeros(value.size))
    shifts = [zero if one.t is None else one.t for one, zero in zip((hidden, value), zeros, strict=True)]
    return network_of_layers(Weights(weights[0], shifts[0], weights[1], shifts[1]), bias, offset)


class _Reader:
    """The values of a graph, node by node."""

    def __init__(self, graph: Any, stored: Stored) -> None:
        self.graph, self.stored, self.onnx, self.name = graph, stored, stored.onnx, stored.name
        self.values: dict[str, Value] = {}
        self.kept = 0
        if not graph.node or len(graph.node) > MOST_NODES:
            raise ModelFileError(
                f"{self.name} must hold a graph of 1 to {MOST_NODES} nodes to be a two-layer network, got "
                f"{len(graph.node)}."
            )

    def value_of(self, output: str | None) -> Value:
        """The value of that name, by default of the one output."""
        for tensor in self.graph.initializer:
            self._keep(tensor.name, self.stored.array(tensor))
        self._add_inputs()
        outputs = [one.name for one in self.graph.output]
        if output is None and len(outputs) != 1:
            raise ModelFileError(
                f"{self.name} has the outputs {listed(outputs)}; name one of them as `output`, or a value "
                "before them that is affine in the ReLUs."
            )
        wanted = outputs[0] if output is None else output
        for number, node in self._needed(wanted):
            self._run(number, node)
        if wanted not in self.values:
            raise ModelFileError(f"{self.name} has no value {quoted(wanted)}.")
        return self.values[wanted]

    def _needed(self, wanted: str) -> list[tuple[int, Any]]:
        """The nodes that a value comes from, with their numbers."""
        names, nodes = {wanted}, []
        for number, node in reversed(list(enumerate(self.graph.node, 1))):
            if names.intersection(node.output):
                names.update(node.input)
                nodes.append((number, node))
        return nodes[::-1]

    def _keep(self, name: str, value: Value) -> None:
        parts = [part for part in (value.W, value.t) if part is not None] if isinstance(value, Map) else [value]
        self.kept += sum(part.size for part in parts)
        if self.kept > MOST_KEPT:
            raise ModelFileError(f"{self.name} makes arrays of more than {MOST_KEPT:,} entries, the most that is kept.")
        self.values[name] = value

    def _add_inputs(self) -> None:
        inputs = [one for one in self.graph.input if one.name not in self.values]
        shapes = [self._shape(one) for one in inputs]
        if len(inputs) == 1 and shapes[0] is None:
            shapes = [self._shape_of_product()]
        if not inputs or None in shapes:
            raise ModelFileError(f"{self.name} must have inputs of a known number of columns, got none.")
        maps = [Map(shape) for shape in shapes if shape is not None]
        total = sum(one.size for one in maps)
        if len(maps) > 1:
            check_entries((total, total))
        first = 0
        for one, columns in zip(inputs, maps, strict=True):
            value = columns
            if len(maps) > 1:
                value = Map(columns.shape, np.eye(total)[:, first : first + columns.size])
                first += columns.size
            self._keep(one.name, value)

    def _shape(self, one: Any) -> tuple[int, ...] | None:
        """The shape of one sample of an input, None if it is not stated."""
        kind = one.type.tensor_type
        sizes = tuple(size.dim_value for size in kind.shape.dim)
        if one.type.WhichOneof("value") != "tensor_type" or kind.elem_type == self.onnx.TensorProto.STRING:
            raise ModelFileError(f"{self.name} takes {quoted(one.name)}, which is no array of numbers.")
        if len(sizes) == 1:
            raise ModelFileError(f"{self.name} takes {quoted(one.name)} of one axis; export it for samples as rows.")
        return sizes[1:] if len(sizes) > 1 and min(sizes[1:]) > 0 else None

    def _shape_of_product(self) -> tuple[int, ...] | None:
        """The number of columns by the first matrix that something is multiplied by."""
        for node in self.graph.node:
            if node.op_type in ("MatMul", "Gemm") and len(node.input) > 1:
                matrix = self.values.get(node.input[1])
                if isinstance(matrix, np.ndarray) and matrix.ndim == 2:
                    transposed = any(one.name == "transB" and one.i for one in node.attribute)
                    return (matrix.shape[1 if transposed else 0],)
        return None

    def _run(self, number: int, node: Any) -> None:
        domain, kind = ("" if node.domain == "ai.onnx" else node.domain), node.op_type
        # Protobuf gives text that is not UTF-8 as bytes.
        what = f"node {number}, {quoted('.'.join(str(name) for name in (domain, kind) if name))}"
        try:
            attributes = {one.name: self._attribute(one) for one in node.attribute}
            if (domain, kind) == ("", "Constant"):
                self._keep(node.output[0], np.asarray(next(iter(attributes.values()))))
                return
            if (domain, kind) not in OPERATORS:
                raise Refused("such a network has no operator of this kind" + self._hint(node))
            inputs = [self.values[name] if name else None for name in node.input]
            self._keep(node.output[0], OPERATORS[domain, kind](*inputs, **attributes))
        except Refused as reason:
            raise ModelFileError(
                f"{self.name} is not a two-layer ReLU network: {what}, is refused, for {reason}."
            ) from None
        except ModelFileError:
            raise
        except MALFORMED as error:
            raise ModelFileError(f"{self.name} is damaged: {what}, makes no sense ({error}).") from error

    def _hint(self, node: Any) -> str:
        if node.input and node.op_type in ("Sigmoid", "Softmax", "LogSoftmax", "ArgMax", "Exp", "Greater"):
            return f"; to read what comes before it, give output={quoted(node.input[0])}"
        return ""

    def _attribute(self, attribute: Any) -> Any:
        value = self.onnx.helper.get_attribute_value(attribute)
        if isinstance(value, self.onnx.TensorProto):
            return self.stored.array(value)
        if isinstance(value, self.onnx.GraphProto):
            raise Refused("it holds a graph of its own")
        return value
