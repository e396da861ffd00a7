"""A model as one SELECT of standard SQL over the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from ..networks.formula import check_distinct
from ..preparation.cells import MISSING_WORDS
from ..preparation.encoding import ColumnCode
from ..quoting import quoted
from .literals import checked_digits, comment, decimal
from .predictor import Predictor, predictor_of

TERMS = 40  # of a sum between parentheses: databases bound the depth of expressions, SQLite by 1,000
LARGEST_EXPONENT = 700  # of EXP, above which databases report an overflow


def to_sql(
    model: Any,
    table: str,
    *,
    keep: Sequence[str] | None = None,
    digits: int | None = None,
    feature_names: Sequence[str] | None = None,
) -> str:
    """A model as a query: one SELECT of standard SQL, with a row for each row of the table.

    Its columns are those of `keep`, then "prediction"; "prediction_NAME" for each of several targets; for classes
    "prediction" is the label, after which comes a "probability_LABEL" for each class, or "score..." where the loss
    gives none.

    Parameters
    ----------
    model : TwoLayerNetwork, fitted estimator, pipeline of a TableEncoder and one, or SavedModel
        On a table; in the user's units. Categories are told by CASE.
    table : str
        Name of the table; a dot is part of the name.
    keep : sequence of str, optional
        Columns of the table that the result repeats, such as its key; by default those the model reads.
    digits : int, optional
        Significant digits; by default as many as give the same numbers.
    feature_names : sequence of str, optional
        Columns of the table, in the order of a model without names.

    Returns
    -------
    str
        Without a semicolon, so that it can stand in another query. Names stand in double quotes, a quote in them
        doubled; MySQL asks for its mode ANSI_QUOTES.

    Raises
    ------
    InvalidInputError
        For another kind of model, dates (databases differ), names or labels with a backslash or a character that is not
        printed (databases differ, too), and a column of `keep` that would be there twice.

    Notes
    -----
    A NULL in a column makes the prediction NULL, unless the model was trained with gaps there. Numbers are of double
    precision; equal to `predict` up to some 1e-12 of the largest term of the sum that an output is. Probabilities and
    counts need EXP, and one-against-the-rest LN. Of text, TRIM takes the spaces around it, and words for missing
    values, such as NA, are missing.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0], [0.5]], [2.0], offset=3.0)
    >>> print(ng.to_sql(network, "houses", feature_names=["size"]))
    -- A two-layer ReLU network of neuralgauge.
    SELECT "size",
      3.0E0 + 2.0E0 * CASE WHEN "_h1" <= 0 THEN 0 ELSE "_h1" END AS "prediction"
    FROM (SELECT "size",
      0.5E0 + 1.0E0 * "size" AS "_h1"
    FROM "houses") AS "_hidden"
    """
    one = predictor_of(model, feature_names)
    dated = next((code.name for code in one.columns if code.kind == "date"), None)
    if dated is not None:
        raise InvalidInputError(
            f"Dates differ from one database to another, and column {quoted(dated)} is one; train on numbers made of "
            "them, or use `to_python`."
        )
    return Query(one, table, keep, checked_digits(digits)).text()


def identifier(name: str) -> str:
    """A name of standard SQL in quotes."""
    return f'"{_plain(name, "name").replace(chr(34), chr(34) * 2)}"'


def constant(value: object) -> str:
    """A label or a level as a literal."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return f"'{_plain(value, 'text').replace(chr(39), chr(39) * 2)}'"
    return repr(value)


def _plain(text: str, kind: str) -> str:
    if not isinstance(text, str) or not text.isprintable() or "\\" in text:
        raise InvalidInputError(
            f"A {kind} in SQL must have printed characters and no backslash, got {quoted(text)}; rename it."
        )
    return text


def added(terms: Sequence[str]) -> str:
    """The sum of terms, each of which may begin with a minus, in parentheses where they are many."""
    if len(terms) > TERMS:
        return added([f"({added(terms[k : k + TERMS])})" for k in range(0, len(terms), TERMS)])
    return terms[0] + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms[1:])


class Query:
    """The levels of the query, from the table outwards."""

    def __init__(self, model: Predictor, table: str, keep: Sequence[str] | None, digits: int | None) -> None:
        self.model, self.table, self.digits = model, table, digits
        self.keep = [code.name for code in model.columns] if keep is None else list(keep)
        check_distinct(self.keep, "keep")
        self.read = [code.name for code in model.columns]
        known = {name.lower() for name in (*self.keep, *self.read)}
        self.mark = "_"
        while any(name.startswith(self.mark) for name in known):
            self.mark += "_"
        twice = {name.lower() for name in self._results()} & {name.lower() for name in self.keep}
        if twice:
            raise InvalidInputError(
                f"The result has a column {quoted(sorted(twice)[0])} already; leave it out of `keep`, or rename it."
            )

    def text(self) -> str:
        """The whole query."""
        model = self.model
        query = identifier(self.table)
        kept = list(dict.fromkeys([*self.keep, *self.read]))
        if not model.is_plain:
            query = self._select(kept, self._encoded(), query, "_columns")
        hidden = self._names("h", model.W.shape[1])
        if hidden:
            inside = [
                (name, self._sum(v, self._inputs(w))) for name, v, w in zip(hidden, model.v, model.W.T, strict=True)
            ]
            query = self._select(self.keep, inside, query, "_hidden")
        neurons = [f"CASE WHEN {q} <= 0 THEN 0 ELSE {q} END" for q in map(identifier, hidden)]
        # Without neurons the columns stay in the sum, at a weight of zero, for a NULL in them.
        rest = [] if hidden else self._inputs(np.zeros(len(model.centre)))
        scores = [
            self._sum(b, [*(self._times(w, neuron) for w, neuron in zip(a.tolist(), neurons, strict=True)), *rest])
            for a, b in zip(model.A.T, model.constant, strict=True)
        ]
        names = self._names("f", len(scores))
        if model.link == "numbers":
            return self._finished(list(zip(self._results(), scores, strict=True)), query)
        query = self._select(self.keep, list(zip(names, scores, strict=True)), query, "_scores")
        if model.link == "separate":
            query = self._select(self.keep, [(f, _log_sigmoid(identifier(f))) for f in names], query, "_logarithms")
        return self._finished(list(zip(self._results(), self._made(names), strict=True)), query)

    def _finished(self, results: Sequence[tuple[str, str]], query: str) -> str:
        select = self._select(self.keep, results, query, None)
        return f"{comment(self.model.about, '--')}\n{select}"

    def _select(self, kept: Sequence[str], made: Sequence[tuple[str, str]], query: str, alias: str | None) -> str:
        """A level: columns that are passed on, and what is made."""
        columns = [*map(identifier, kept), *(f"\n  {text} AS {identifier(name)}" for name, text in made)]
        select = f"SELECT {', '.join(columns).replace(', ' + chr(10), ',' + chr(10))}\nFROM {query}"
        return select if alias is None else f'({select}) AS "{alias}"'

    def _names(self, letter: str, n: int) -> list[str]:
        return [f"{self.mark}{letter}{k + 1}" for k in range(n)]

    def _number(self, value: float) -> str:
        # With an exponent: without one, standard SQL takes decimals for exact numbers, which are slow.
        text = decimal(value, self.digits)
        return text.replace("e", "E") if "e" in text else f"{text}E0"

    def _sum(self, first: float, terms: list[str]) -> str:
        return added([self._number(first), *terms] if first != 0.0 or not terms else terms)

    def _times(self, weight: float, term: str) -> str:
        return f"{self._number(weight)} * {term}"

    def _inputs(self, w: Array) -> list[str]:
        """The terms inside of a neuron."""
        found = []
        names = self.read if self.model.is_plain else self._names("x", len(w))
        for weight, name, centre in zip(w.tolist(), names, self.model.centre.tolist(), strict=True):
            sign = "+" if centre < 0 else "-"
            column = identifier(name) if centre == 0.0 else f"({identifier(name)} {sign} {self._number(abs(centre))})"
            # A weight of zero stays, so that a NULL makes the prediction one.
            found.append(self._times(weight, column))
        return found

    def _encoded(self) -> list[tuple[str, str]]:
        made = [text for code in self.model.columns for text in _columns_of(code, self._number)]
        return list(zip(self._names("x", len(made)), made, strict=True))

    def _results(self) -> tuple[str, ...]:
        """Names of what is predicted."""
        model = self.model
        if not model.classes:
            return model.targets
        if model.has_probabilities:
            return ("prediction", *(f"probability_{label}" for label in model.classes))
        return ("prediction", *model.targets)

    def _made(self, names: Sequence[str]) -> list[str]:
        """What the link makes of scores."""
        model, scores = self.model, [identifier(name) for name in names]
        if model.link == "counts":
            return [f"EXP({score})" for score in scores]
        if len(scores) == 1:
            (s,), (low, high) = scores, map(constant, model.classes)
            label = f"CASE WHEN {s} > 0 THEN {high} WHEN {s} <= 0 THEN {low} END"
            if model.link == "scores":
                return [label, s]
            return [label, _share([f"({s})"]), _share([f"(-{s})"])]
        wins = [
            (" AND ".join(f"{s} >= {other}" for other in scores if other != s), constant(label))
            for s, label in zip(scores, model.classes, strict=True)
        ]
        label = f"CASE {' '.join(f'WHEN {wins_it} THEN {label}' for wins_it, label in wins)} END"
        if model.link == "scores":
            return [label, *scores]
        return [label, *(_share([f"({other} - {s})" for other in scores if other != s]) for s in scores)]


def _clamped(text: str) -> str:
    most = LARGEST_EXPONENT
    return f"EXP(CASE WHEN {text} > {most} THEN {most} WHEN {text} < -{most} THEN -{most} ELSE {text} END)"


def _share(differences: Sequence[str]) -> str:
    """1 / (1 + the exponentials of what other scores have more)."""
    return f"1.0E0 / ({added(['1.0E0', *map(_clamped, differences)])})"


def _log_sigmoid(score: str) -> str:
    small = f"EXP(CASE WHEN ABS({score}) > {LARGEST_EXPONENT} THEN -{LARGEST_EXPONENT} ELSE -ABS({score}) END)"
    return f"CASE WHEN {score} < 0 THEN {score} ELSE 0 END - LN(1.0E0 + {small})"


def _columns_of(code: ColumnCode, number: Any) -> list[str]:
    """The columns of numbers of a column of the table."""
    name = identifier(code.name)
    if code.kind == "number":
        value = f"COALESCE({name}, {number(code.fill)})" if code.missing else name
        return [value, f"CASE WHEN {name} IS NULL THEN 1 ELSE 0 END"] if code.missing else [value]
    words = ", ".join(constant(word) for word in MISSING_WORDS)
    missing = f"{name} IS NULL OR LOWER(TRIM({name})) IN ({words})"
    levels = ", ".join(map(constant, code.levels))
    found = [f"CASE WHEN TRIM({name}) = {constant(level)} THEN 1 ELSE 0 END" for level in code.shown]
    if code.joined:
        other = f"TRIM({name}) NOT IN ({levels})" if levels else "1 = 1"
        found.append(f"CASE WHEN {missing} THEN 0 WHEN {other} THEN 1 ELSE 0 END")
    return found + ([f"CASE WHEN {missing} THEN 1 ELSE 0 END"] if code.missing else [])
