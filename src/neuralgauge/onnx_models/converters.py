"""Converters of skl2onnx for the estimators of this package, so that pipelines with them become ONNX models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import InvalidInputError, MissingDependencyError
from ..interchange.answers import Answers, answers_of
from ..preparation.table_encoding import feature_names
from ..quoting import listed
from .columns import encoded_columns
from .graph import Graph, Precision
from .writer import add_answers

LABEL_ENCODER = 2  # the version of ai.onnx.ml in which it takes numbers for text
OPTIONS = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}


def register_onnx_converters() -> None:
    """Teach skl2onnx the estimators of this package and `TableEncoder`, alone, in pipelines and in searches.

    Call it once before ``skl2onnx.to_onnx(pipeline, X)`` or ``skl2onnx.convert_sklearn``; again it changes nothing.

    Raises
    ------
    MissingDependencyError
        If skl2onnx is not installed.

    Notes
    -----
    The precision is that of the input: double for ``DoubleTensorType``, else single. Outputs are those of skl2onnx's
    own converters: "variable" of regressors, "label" and "probabilities" of classifiers with its options `zipmap`,
    `output_class_labels` and `nocl`; losses without probabilities have their scores there, of two classes with the
    negative in front. Labels are text or whole numbers. Quantile regressors give the middle level. A `TableEncoder`
    takes one input (n, 1) for each column that it uses, by name, else in the order of the table: numbers, text, and
    days since 1970-01-01 for dates, with NaN or "" for missing values as in `to_onnx`.

    Cost: none until a model is converted. Source: skl2onnx's ``update_registered_converter``.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> ng.register_onnx_converters()  # doctest: +SKIP
    >>> skl2onnx.to_onnx(make_pipeline(StandardScaler(), ng.ReLUClassifier()).fit(X, y), X)  # doctest: +SKIP
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise MissingDependencyError(
            "`register_onnx_converters` needs skl2onnx, which is not installed: `pip install skl2onnx`, or give a "
            "fitted estimator to `to_onnx`."
        ) from error
    from .. import estimators
    from ..estimators.table_encoder import TableEncoder

    for name in estimators.__all__:
        kind = getattr(estimators, name)
        options = OPTIONS if "Classifier" in name else None
        update_registered_converter(kind, f"Neuralgauge{name}", _set_shapes, _convert, options=options)
    update_registered_converter(TableEncoder, "NeuralgaugeTableEncoder", _set_encoded_shape, _convert_encoder)


def _set_shapes(operator: Any) -> None:
    """The types of what an estimator gives."""
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    answers = _answers(operator.scope_inst, operator)
    n = operator.inputs[0].get_first_dimension()
    floats = _float_type(operator)
    if not answers.classes:
        operator.outputs[0].set_type(floats([n, answers.network.n_outputs]))
        return
    whole = all(not isinstance(label, str) and label == int(label) for label in answers.classes)
    if not whole and not isinstance(answers.classes[0], str):
        raise InvalidInputError(
            f"skl2onnx knows classes of text and whole numbers, got {listed(answers.classes, limit=3)}; use `to_onnx`."
        )
    operator.outputs[0].set_type((Int64TensorType if whole else StringTensorType)([n]))
    operator.outputs[1].set_type(floats([n, len(answers.classes)]))


def _answers(scope: Any, operator: Any) -> Answers:
    """The answers of the estimator, its classes numbered where the option `nocl` leaves them out."""
    answers = answers_of(operator.raw_operator)
    if answers.classes and scope.get_options(operator.raw_operator, {"nocl": False})["nocl"]:
        return replace(answers, classes=tuple(range(len(answers.classes))))
    return answers


def _set_encoded_shape(operator: Any) -> None:
    """The type of what a TableEncoder gives."""
    n = operator.inputs[0].get_first_dimension()
    operator.outputs[0].set_type(_float_type(operator)([n, len(feature_names(operator.raw_operator.codes_))]))


def _float_type(operator: Any) -> Any:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    return (
        DoubleTensorType if any(isinstance(one.type, DoubleTensorType) for one in operator.inputs) else FloatTensorType
    )


def _precision(operator: Any) -> Precision:
    return "float64" if _float_type(operator).__name__ == "DoubleTensorType" else "float32"


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """The nodes of an estimator."""
    precision, answers = _precision(operator), _answers(scope, operator)
    graph = Graph(precision)
    x = graph.joined([graph.cast(graph.input(graph.unused("X"), precision, ()), precision) for _ in operator.inputs])
    add_answers(graph, x, precision, answers)
    names = [one.name for one in graph.outputs][: len(operator.outputs)]
    if answers.classes:
        label, scores = names
        if isinstance(answers.classes[0], bool | float):
            label = graph.cast(label, "int64")
        if len(answers.classes) == 2 and not answers.probabilities:
            scores = graph.joined([graph.node("Neg", scores), scores])
        names = [label, scores]
    _splice(graph, scope, operator, container, names)


def _convert_encoder(scope: Any, operator: Any, container: Any) -> None:
    """The nodes of a TableEncoder."""
    codes, precision = operator.raw_operator.codes_, _precision(operator)
    used = tuple(code for code in codes if code.kind != "left out")
    given = {one.raw_name: one for one in operator.inputs}
    if not given.keys() >= {code.name for code in used} and len(operator.inputs) not in (len(used), len(codes)):
        raise InvalidInputError(
            f"A TableEncoder takes one input a column, {listed([code.name for code in used])}, got "
            f"{listed([one.raw_name for one in operator.inputs])}; name each in `initial_types`."
        )
    if given.keys() >= {code.name for code in used}:
        operator.inputs = [given[code.name] for code in used]
    elif len(operator.inputs) == len(codes):
        operator.inputs = [one for one, code in zip(operator.inputs, codes, strict=True) if code.kind != "left out"]
    graph = Graph(precision, [code.name for code in used])
    features = encoded_columns(graph, used)
    _splice(
        graph, scope, operator, container, [features if precision == "float64" else graph.cast(features, precision)]
    )


def _splice(graph: Graph, scope: Any, operator: Any, container: Any, outputs: list[str]) -> None:
    """Move a graph into the container of skl2onnx, its inputs and outputs those of the operator, all else renamed."""
    helper, text = graph.onnx.helper, graph.type_of("str")
    names = {}
    for made, one in zip(graph.inputs, operator.inputs, strict=True):
        names[made.name] = one.full_name
        kind = made.type.tensor_type.elem_type
        if kind != text:
            names[made.name] = scope.get_unique_variable_name("cast")
            container.add_node("Cast", one.full_name, names[made.name], to=kind)
    for tensor in graph.constants:
        names[tensor.name] = scope.get_unique_variable_name("constant")
        content = list(tensor.string_data) if tensor.data_type == text else tensor
        container.add_initializer(names[tensor.name], tensor.data_type, list(tensor.dims), content)
    for node in graph.nodes:
        names |= {name: scope.get_unique_variable_name(node.op_type.lower()) for name in node.output}
        attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        places = [names[name] for name in node.input], [names[name] for name in node.output]
        version = LABEL_ENCODER if node.domain else None  # the last one is more than converters may have
        container.add_node(node.op_type, *places, op_domain=node.domain, op_version=version, **attributes)
    for name, one in zip(outputs, operator.outputs, strict=True):
        container.add_node("Identity", names[name], one.full_name)
