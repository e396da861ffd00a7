"""A model as formulas of spreadsheet cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .._array import Array
from ..errors import InvalidInputError
from ..preparation.encoding import ColumnCode
from ..quoting import quoted
from .literals import checked_digits, decimal
from .predictor import Predictor, predictor_of

LONGEST_FORMULA = 8192  # characters of a formula that Excel takes
LONGEST_TEXT = 255  # characters of a text in a formula
MOST_ARGUMENTS = 255  # of a function
REFERENCE = r"\$?[A-Z]{1,3}\$?[1-9][0-9]{0,6}"


def to_excel(model: Any, cells: Sequence[str] | None = None, *, digits: int | None = None) -> list[str]:
    """A model as formulas for cells of Excel, LibreOffice and Google Sheets, one for each output.

    Of several targets there is one each; of two classes the label, then the probability of the second, or the score
    that is positive for it; of more classes one score each, of which the largest decides.

    Parameters
    ----------
    model : TwoLayerNetwork, fitted estimator, pipeline of a TableEncoder and one, or SavedModel
        On a table; in the user's units. Categories are told by EXACT.
    cells : sequence of str, optional
        Where the columns are, such as "B2" or "$B$2"; by default A2, B2, ... in the order of the table.
    digits : int, optional
        Significant digits; by default as many as give the same numbers, of which Excel reads 15.

    Returns
    -------
    list of str
        Each begins with ``=``, has English names of functions, commas and decimal points, as files have them and a
        spreadsheet in another language shows otherwise. Nothing of the names of columns is in them.

    Raises
    ------
    InvalidInputError
        For another kind of model, dates, references that are none, levels and labels of more than 255 characters or
        with characters that are not printed, and a formula above the 8,192 characters that Excel takes: a model of
        fewer neurons or fewer `digits` is shorter.

    Notes
    -----
    A cell that should hold a number and does not, also an empty one, gives ``#N/A`` unless the model was trained with
    gaps there. Words for missing values, such as NA, are levels like others here, and so are levels with spaces around.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> ng.to_excel(ng.TwoLayerNetwork([[1.0], [0.5]], [2.0], offset=3.0), ["B7"])
    ['=IF(COUNT(B7)<1,NA(),3.0+2.0*MAX(0,0.5+1.0*B7))']
    """
    one = predictor_of(model)
    found = _Sheet(one, _checked(cells, one), checked_digits(digits)).formulas()
    longest = max(map(len, found))
    if longest > LONGEST_FORMULA:
        raise InvalidInputError(
            f"A cell of Excel takes {LONGEST_FORMULA:,} characters, and this model needs {longest:,}; give fewer "
            "`digits`, prune the network to fewer neurons, or use `to_python` or `to_sql`."
        )
    return found


def _checked(cells: Sequence[str] | None, one: Predictor) -> list[str]:
    dated = next((code.name for code in one.columns if code.kind == "date"), None)
    if dated is not None:
        raise InvalidInputError(
            f"Column {quoted(dated)} is one of dates, which spreadsheets read by their language; train on numbers made "
            "of them, or use `to_python`."
        )
    found = [f"{_letters(k)}2" for k in range(len(one.columns))] if cells is None else list(cells)
    wrong = next((cell for cell in found if not isinstance(cell, str) or not re.fullmatch(REFERENCE, cell)), None)
    if wrong is not None or len(found) != len(one.columns):
        got = f"{len(found)} of them" if wrong is None else quoted(wrong)
        raise InvalidInputError(f'`cells` must be {len(one.columns)} references such as "B2" or "$B$2", got {got}.')
    return found


def _letters(k: int) -> str:
    """The name of a column of a sheet: A, ..., Z, AA, ..."""
    return (_letters(k // 26 - 1) if k >= 26 else "") + chr(ord("A") + k % 26)


class _Sheet:
    def __init__(self, model: Predictor, cells: Sequence[str], digits: int | None) -> None:
        self.model, self.cells, self.digits = model, cells, digits

    def formulas(self) -> list[str]:
        model = self.model
        inputs = [
            text for code, cell in zip(model.columns, self.cells, strict=True) for text in self._columns(code, cell)
        ]
        neurons = [f"MAX(0,{self._sum(v, w, inputs, model.centre)})" for v, w in zip(model.v, model.W.T, strict=True)]
        scores = [
            self._sum(b, a, neurons, [0.0] * len(neurons)) for b, a in zip(model.constant, model.A.T, strict=True)
        ]
        if model.link == "counts":
            scores = [f"EXP({score})" for score in scores]
        if len(scores) > 1 or not model.classes:
            return [self._guarded(score) for score in scores]
        low, high = map(self._text, model.classes)
        # The hyperbolic tangent does not overflow where EXP does.
        second = f"0.5+0.5*TANH(0.5*({scores[0]}))" if model.link == "logistic" else scores[0]
        return [self._guarded(f"IF({scores[0]}>0,{high},{low})"), self._guarded(second)]

    def _number(self, value: float) -> str:
        return decimal(value, self.digits).upper()

    def _guarded(self, text: str) -> str:
        numbers = [
            cell
            for code, cell in zip(self.model.columns, self.cells, strict=True)
            if code.kind == "number" and not code.missing
        ]
        if not numbers:
            return f"={text}"
        counts = "+".join(
            f"COUNT({','.join(numbers[k : k + MOST_ARGUMENTS])})" for k in range(0, len(numbers), MOST_ARGUMENTS)
        )
        return f"=IF({counts}<{len(numbers)},NA(),{text})"

    def _sum(self, first: float, weights: Array, terms: Sequence[str], centres: Any) -> str:
        text = self._number(first) if first != 0.0 else ""
        for weight, term, centre in zip(weights.tolist(), terms, centres, strict=True):
            if weight != 0.0:
                shown = self._number(abs(centre))
                moved = term if centre == 0.0 else f"({term}{'+' if centre < 0 else '-'}{shown})"
                text += f"{'-' if weight < 0 else '+'}{self._number(abs(weight))}*{moved}"
        return text.removeprefix("+") or "0"

    def _columns(self, code: ColumnCode, cell: str) -> list[str]:
        """The columns of numbers of a cell."""
        if code.kind == "number" and code.missing:
            return [f"IF(ISNUMBER({cell}),{cell},{self._number(code.fill)})", f"IF(ISNUMBER({cell}),0,1)"]
        if code.kind == "number":
            return [cell]
        empty = f'TRIM({cell})=""'
        found = [f"IF(EXACT({cell},{self._text(level)}),1,0)" for level in code.shown]
        if code.joined:
            levels = [f"EXACT({cell},{self._text(level)})" for level in code.levels]
            found.append(f"IF(OR({','.join([empty, *levels])}),0,1)")
        return found + ([f"IF({empty},1,0)"] if code.missing else [])

    @staticmethod
    def _text(value: object) -> str:
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if not isinstance(value, str):
            return decimal(float(value)) if isinstance(value, int | float) else repr(value)
        if len(value) > LONGEST_TEXT or not value.isprintable():
            raise InvalidInputError(
                f"A text in a formula must have at most {LONGEST_TEXT} printed characters, got {quoted(value)}."
            )
        return '"' + value.replace('"', '""') + '"'
