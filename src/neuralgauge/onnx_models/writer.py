"""`to_onnx`: a network or a model with all it takes to predict as an ONNX model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..errors import InvalidInputError
from ..interchange.answers import Answers, answers_of, is_separable
from ..interchange.atomic_write import check_output, write_atomically
from ..interchange.model_content import package_version
from .columns import encoded_columns
from .graph import Graph, Precision
from .network import outputs, standardized


def to_onnx(
    model: Any, path: str | Path | None = None, precision: Precision = "float32", *, force: bool = False
) -> Any:
    r"""Return a network or a model as an ONNX model, and write it to a file, whole or not at all.

    Standardization, the encoding of columns and the step from outputs to labels and probabilities are in the graph:
    it takes what `predict` takes, in the user's units.

    Parameters
    ----------
    model : network, SavedModel or estimator
        A TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork; a model that was loaded; or a fitted estimator, which
        in single precision is more accurate than its `network_` (see Notes), alone or after a `TableEncoder`.
    path : str or Path, optional
        File to write, by custom ending in ``.onnx``; by default nothing is written.
    precision : {"float32", "float64"}
        Type of weights, inputs and outputs. Not every runtime has double precision; onnxruntime does.
    force : bool
        Whether an existing file may be replaced.

    Returns
    -------
    onnx.ModelProto
        Inputs: "X", (n, d), or (n, height, width, channels) and (n, length, channels) of images and signals. Of a
        model that encodes columns one input (n, 1) for each column of the table, under its name: numbers with
        NaN for missing ones, text without spaces around it and with "" for missing ones, dates as days since 1970-01-01
        in double precision with NaN.

        Outputs: "variable" (n, c), what `predict` gives, with one axis more for c = 1 (and for patches read alone,
        (n, K, c)); of a quantile regressor also "quantiles" (n, k). Of classes "label" (n,), and "probabilities" (n, k)
        if the loss gives some, else "scores", (n, 1) for two classes. A column under one of these names keeps it, and
        the output is numbered, as in "label (2)".

    Raises
    ------
    InvalidInputError
        For another model or one that is not fitted; weights beyond single precision; labels that are neither text nor
        numbers; a file that exists or cannot be written.
    MissingDependencyError
        If the package onnx is not installed.

    Notes
    -----
    In double precision the graph does the operations of `predict`, so that both agree to rounding. In single precision
    every input that is a number of single precision is centred without loss, means of any size included, and the
    network runs on the standardised columns z: outputs are off by about 1e-7 times
    :math:`|M| + S \sum_j |\alpha_j| \sum_k |z_k u_{jk}|`, M and S the mean and scale of the target. Of a bare network,
    such as `network_`, which holds the scaling in its weights, z is x in the user's units: where columns have means of
    many deviations, these terms are large and cancel. Give the estimator, or "float64".

    Cost: O(m (d + c)) numbers, and in double precision K d for the patches of images.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.5]], [1.0, 1.0])
    >>> model = ng.to_onnx(network, precision="float64")  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())  # doctest: +SKIP
    >>> session.run(None, {"X": [[-3.0], [2.0]]})[0].tolist()  # doctest: +SKIP
    [[3.5], [2.0]]
    """
    if precision not in get_args(Precision):
        raise InvalidInputError(f"`precision` must be one of {list(get_args(Precision))}, got {precision!r}.")
    answers = answers_of(model)
    if path is not None:
        check_output(path, force=force)
    try:
        result = graph_of(answers, precision).model(package_version(), _facts(answers))
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"Names and classes must be text that UTF-8 can hold: {error}.") from error
    if path is not None:
        write_atomically(path, result.SerializeToString(deterministic=True), force=force)
    return result


def _facts(answers: Answers) -> dict[str, str]:
    names = json.dumps(answers.feature_names, ensure_ascii=False) if answers.feature_names else ""
    return {**answers.facts, **({"feature_names": names} if names else {})}


def graph_of(answers: Answers, precision: Precision) -> Graph:
    """The graph of what a model answers with."""
    graph = Graph(precision, [code.name for code in answers.encoding])
    if answers.encoding:
        features, kind = encoded_columns(graph, answers.encoding), "float64"
    else:
        network = answers.network
        shape = network.geometry.shape if answers.is_convolutional else (network.n_features,)
        features, kind = graph.input(graph.unused("X"), precision, shape), precision
    add_answers(graph, features, kind, answers)
    return graph


def add_answers(graph: Graph, features: str, kind: str, answers: Answers) -> None:
    """The nodes from features of this kind of numbers to all outputs."""
    # One network a level, all of which have the same scaling of features.
    x = standardized(graph, features, answers.parts[0].standardization, kind)
    x = x if kind == graph.precision else graph.cast(x, graph.precision)
    values = [outputs(graph, x, part, answers.whole) for part in answers.parts]
    if answers.classes:
        _add_classes(graph, values[0], answers)
        return
    c, network = answers.network.n_outputs, answers.network
    if len(values) > 1:
        k = len(values)
        rising = graph.node("TopK", *(graph.joined(values), graph.constant(np.array([k]), "levels")), largest=0, axis=1)
        graph.nodes[-1].output.append(graph.unused("places"))
        values = [graph.node("Gather", rising, graph.constant(np.array([answers.main]), "middle"), axis=1)]
    value = graph.node("Exp", values[0], name="counts") if answers.counts else values[0]
    each = (network.geometry.n_positions,) if is_separable(network) and not answers.whole else ()
    graph.output(value, "variable", graph.precision, (*each, c))
    if len(answers.parts) > 1:
        graph.output(rising, "quantiles", graph.precision, (len(answers.parts),))


def _add_classes(graph: Graph, values: str, answers: Answers) -> None:
    """Labels, and probabilities or scores."""
    labels, c, k = answers.classes, answers.network.n_outputs, len(answers.classes)
    if k == 2 and c == 2:
        values = graph.node("MatMul", values, graph.constant(np.array([[-1.0], [1.0]]), "difference"), name="scores")
    if k == 2:
        positive = graph.node("Greater", values, graph.constant(np.zeros(1), "zero"), name="positive")
        place = graph.reshaped(graph.cast(positive, "int64"), (-1,))
    else:
        place = graph.node("ArgMax", values, axis=1, keepdims=0, name="best")
    texts = isinstance(labels[0], str)
    known = np.array(labels, dtype=object) if texts else np.array(labels)
    kind = "str" if texts else {"b": "bool", "i": "int64", "u": "int64"}.get(known.dtype.kind, "float64")
    if known.dtype.kind not in "biuf" and not texts:
        raise InvalidInputError(f"The classes must be text or numbers, got {labels[0]!r}.")
    classes = graph.constant(known, "classes", None if texts else kind)
    graph.output(graph.node("Gather", classes, place, axis=0, name="class"), "label", kind, ())
    if answers.probabilities:
        graph.output(_probabilities(graph, values, answers), "probabilities", graph.precision, (k,))
    else:
        graph.output(values, "scores", graph.precision, (1 if k == 2 else k,))


def _probabilities(graph: Graph, scores: str, answers: Answers) -> str:
    """As `losses.classes.probabilities`: sigmoids of two classes, else the softmax of scores or of log-sigmoids."""
    if len(answers.classes) == 2:
        return graph.node("Sigmoid", graph.joined([graph.node("Neg", scores), scores]))
    if answers.probabilities == "separate":
        zero, one = (graph.constant(np.full(1, value), "number") for value in (0.0, 1.0))
        small = graph.node("Exp", graph.node("Neg", graph.node("Abs", scores)))
        rest = graph.node("Log", graph.node("Add", small, one))
        scores = graph.node("Sub", graph.node("Min", scores, zero), rest, name="log_sigmoids")
    return graph.node("Softmax", scores, axis=-1)
