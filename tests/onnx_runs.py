"""Running ONNX models, and the encoding of a table as their inputs."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.preparation.cells import dates

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

TOLERANCE = {"float64": 1e-12, "float32": 1e-6}


def run(model, inputs):
    """The outputs of a ModelProto by name; an array is the input "X"."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    given = inputs if isinstance(inputs, dict) else {"X": inputs}
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, given), strict=True))


def of(model, inputs, precision="float64", **options):
    """The outputs of the ONNX model of a model; arrays of numbers are given in its precision."""
    given = inputs.astype(precision) if isinstance(inputs, np.ndarray) else inputs
    made = ng.to_onnx(model, precision=precision, **options)
    onnx.checker.check_model(made, full_check=True)
    return run(made, given)


def close(found, expected, precision):
    """Whether the difference is within the tolerance of the largest value."""
    expected = np.asarray(expected, dtype=np.float64)
    found = np.asarray(found, dtype=np.float64).reshape(expected.shape)
    return np.max(np.abs(found - expected)) <= TOLERANCE[precision] * np.max(np.abs(expected))


def columns_of(frame, codes, precision):
    """What the ONNX model of a model that encodes a polars table takes."""
    inputs = {}
    for code in codes:
        raw = frame.get_column(code.name)
        if code.kind == "category":
            values = np.array([["" if cell is None else str(cell).strip()] for cell in raw], dtype=object)
        elif code.kind == "date":
            times = dates(raw, code.format).dt.epoch("us").to_numpy().astype(float)
            values = times[:, None] / 86_400e6
        elif code.kind == "number":
            values = raw.cast(float).to_numpy().astype(precision)[:, None]
        else:
            continue
        inputs[code.name] = values
    return inputs
