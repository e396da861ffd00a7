"""The graph of an ONNX model that is being made: nodes, constants, inputs and outputs, each under a name of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InvalidInputError, MissingDependencyError

Precision = Literal["float32", "float64"]
# ONNX 1.12 of 2022, which every runtime in use reads; nothing here needs a later one.
OPSET, ML_OPSET, IR_VERSION = 17, 3, 8
ML = "ai.onnx.ml"


def onnx_package(caller: str) -> Any:
    """The module `onnx` with its helpers; a MissingDependencyError says who needs it."""
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingDependencyError(
            f"`{caller}` needs the package onnx, which is not installed: `pip install neuralgauge[onnx]`."
        ) from error
    return onnx


class Graph:
    """A graph that grows node by node; a value is the name of what a node gives."""

    def __init__(self, precision: Precision, inputs: Iterable[str] = ()) -> None:
        self.onnx = onnx_package("to_onnx")
        self.precision = precision
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.constants: list[Any] = []
        self.nodes: list[Any] = []
        self._taken = set(inputs)

    def unused(self, name: str) -> str:
        """The name, numbered where it is taken already, and from now on taken."""
        free, k = name, 2
        while free in self._taken:
            free, k = f"{name} ({k})", k + 1
        self._taken.add(free)
        return free

    def type_of(self, kind: str) -> int:
        """The number of a type of tensors, such as "float64" or "object" for text."""
        dtype = np.dtype("O" if kind == "str" else kind)
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(dtype))

    def input(self, name: str, kind: str, shape: Sequence[int]) -> str:
        """An input (n, *shape) under exactly this name."""
        self.inputs.append(self.onnx.helper.make_tensor_value_info(name, self.type_of(kind), ["n", *shape]))
        return name

    def output(self, value: str, name: str, kind: str, shape: Sequence[int]) -> None:
        """Give a value (n, *shape) of a node out, under this name unless it is taken."""
        name = self.unused(name)
        for node in self.nodes:
            for names in (node.input, node.output):
                for k in range(len(names)):
                    names[k] = name if names[k] == value else names[k]
        self.outputs.append(self.onnx.helper.make_tensor_value_info(name, self.type_of(kind), ["n", *shape]))

    def constant(self, values: Any, name: str, kind: str | None = None) -> str:
        """An array, floats in the precision of the graph unless another kind is given."""
        name = self.unused(name)
        array = np.asarray(values)
        if kind is not None or array.dtype.kind == "f":
            array = self._rounded(array, kind or self.precision, name)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def _rounded(self, array: npt.NDArray[Any], kind: str, name: str) -> npt.NDArray[Any]:
        with np.errstate(over="ignore", under="ignore"):
            rounded = array.astype(kind)
        if kind == "float32" and not (np.isfinite(rounded).all() and np.all((rounded != 0.0) == (array != 0.0))):
            raise InvalidInputError(
                f"`precision` must be 'float64' for this model, got 'float32': its {name} has numbers beyond the "
                "range of single precision, 1e-45 to 3e38; or give the columns other units."
            )
        return rounded

    def node(self, kind: str, *values: str, name: str | None = None, domain: str = "", **attributes: Any) -> str:
        """A node with one output; the value of that."""
        output = self.unused(name or kind.lower())
        self.nodes.append(
            self.onnx.helper.make_node(kind, list(values), [output], name=output, domain=domain, **attributes)
        )
        return output

    def reshaped(self, value: str, shape: Sequence[int]) -> str:
        """The value in another shape; 0 keeps the size of an axis, and -1 stands for the rest."""
        return self.node("Reshape", value, self.constant(np.array(shape, dtype=np.int64), "shape"))

    def cast(self, value: str, kind: str) -> str:
        """The value as numbers of another type."""
        return self.node("Cast", value, to=self.type_of(kind))

    def joined(self, values: Sequence[str]) -> str:
        """Columns side by side."""
        return values[0] if len(values) == 1 else self.node("Concat", *values, axis=1)

    def model(self, version: str, facts: dict[str, str]) -> Any:
        """The graph as a ModelProto."""
        helper = self.onnx.helper
        graph = helper.make_graph(self.nodes, "neuralgauge", self.inputs, self.outputs, self.constants)
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain == ML for node in self.nodes):
            opsets.append(helper.make_opsetid(ML, ML_OPSET))
        model = helper.make_model(
            graph,
            opset_imports=opsets,
            ir_version=IR_VERSION,
            producer_name="neuralgauge",
            producer_version=version,
        )
        helper.set_model_props(model, facts)
        return model
