"""The nodes that encode the columns of a table, each an input of its own, as `preparation.encoding` does."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..errors import InvalidInputError
from ..preparation.cells import MISSING_WORDS
from ..preparation.encoding import PERIODS, ColumnCode
from ..preparation.table_encoding import Codes
from .graph import ML, Graph


def missing_words() -> list[str]:
    """Every word for a missing value in every mixture of small and capital letters.

    Examples
    --------
    >>> len(missing_words()), "NaN" in missing_words(), "" in missing_words()
    (50, True, True)
    """
    mixed = ({"".join(letters) for letters in product(*zip(w, w.upper(), strict=True))} for w in MISSING_WORDS)
    return sorted(set().union(*mixed))


def encoded_columns(graph: Graph, codes: Codes) -> str:
    """The features (n, d) in double precision from one input (n, 1) a column."""
    used = [code for code in codes if code.kind != "left out"]
    if any(not code.name for code in used):
        raise InvalidInputError("Every column must have a name, got one without; ONNX takes inputs by name.")
    encoders = {"number": _number, "category": _category, "date": _date}
    return graph.joined([part for code in used for part in encoders[code.kind](graph, code)])


def _number(graph: Graph, code: ColumnCode) -> list[str]:
    x = graph.input(code.name, graph.precision, (1,))
    return _filled(graph, code, x if graph.precision == "float64" else graph.cast(x, "float64"))


def _date(graph: Graph, code: ColumnCode) -> list[str]:
    """Days since 1970 and the waves of its periods; in double precision, for single has a day in 200 years at best."""
    days, *missing = _filled(graph, code, graph.input(code.name, "float64", (1,)))
    waves = []
    for period in code.periods:
        around = graph.node("Mul", days, graph.constant(2.0 * np.pi, "two_pi", "float64"))
        angle = graph.node("Div", around, graph.constant(PERIODS[period], period, "float64"), name="angle")
        waves += [_cosine(graph, angle), graph.node("Sin", angle)]
    return [days, *waves, *missing]


def _cosine(graph: Graph, angle: str) -> str:
    """1 - 2 sin(angle / 2)^2, to rounding: older onnxruntime has no cosine in double precision, and half is exact."""
    one, two, half = (graph.constant(value, "number", "float64") for value in (1.0, 2.0, 0.5))
    sine = graph.node("Sin", graph.node("Mul", angle, half))
    return graph.node("Sub", one, graph.node("Mul", two, graph.node("Mul", sine, sine)), name="cosine")


def _filled(graph: Graph, code: ColumnCode, x: str) -> list[str]:
    """The numbers with the median for NaN, and whether they were NaN if the encoding has a column for that."""
    missing = graph.node("IsNaN", x, name="missing")
    filled = graph.node("Where", missing, graph.constant(np.float64(code.fill), "median", "float64"), x, name="filled")
    return [filled, graph.cast(missing, "float64")] if code.missing else [filled]


def _category(graph: Graph, code: ColumnCode) -> list[str]:
    """One row of indicators for each level, one for missing values and one for all other text, looked up by number."""
    text = graph.input(code.name, "str", (1,))
    levels = list(code.levels)
    # A word for missing values is one even where a level is called so.
    places = {level: k for k, level in enumerate(levels)} | dict.fromkeys(missing_words(), len(levels))
    place = graph.node(
        "LabelEncoder",
        text,
        domain=ML,
        name="level",
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=len(levels) + 1,
    )
    rows = np.zeros((len(levels) + 2, len(code.features)))
    for column, level in enumerate(code.shown):
        rows[levels.index(level), column] = 1.0
    if code.joined:
        rows[-1, len(code.shown)] = 1.0
    if code.missing:
        rows[-2, -1] = 1.0
    table = graph.constant(rows, "indicators", "float64")
    return [graph.node("Gather", table, graph.reshaped(place, (-1,)), axis=0, name="encoded")]
