"""A model as a module of Python that imports nothing but the standard library."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Any

from ..errors import InvalidInputError
from ..preparation.cells import MISSING_WORDS
from ..preparation.encoding import PERIODS, ColumnCode
from ..quoting import quoted
from .literals import checked_digits, comment, decimal, input_lines
from .predictor import Predictor, predictor_of

OWN = ("CENTRE", "HIDDEN", "BIAS", "OUTPUT", "CONSTANT", "CLASSES", "COLUMNS", "math", "datetime")
CELLS = {
    "known": f'''
def _known(cell):
    """Text without spaces around it; None where a value is missing."""
    text = "" if cell is None or cell != cell else str(cell).strip()
    return None if text.lower() in {tuple(MISSING_WORDS)!r} else text.lower() if isinstance(cell, bool) else text
''',
    "number": '''
def _number(cell, median, tell):
    """A number, the median for a missing one, and whether it is missing."""
    text = _known(cell)
    value = median if text is None else float({"true": 1, "false": 0}.get(text.lower(), text))
    return (value, float(text is None)) if tell else (value,)
''',
    "category": '''
def _category(cell, levels, shown, rare, tell):
    """One number of 0 and 1 a level, and whether it is another one, and missing."""
    text = _known(cell)
    found = [float(text == level) for level in shown]
    found += [float(text is not None and text not in levels)] if rare else []
    return found + ([float(text is None)] if tell else [])
''',
    "date": '''
def _date(cell, form, median, periods, tell):
    """Days since 1970, the cosine and sine of each period, and whether the date is missing."""
    days, text = median, _known(cell)
    if text is not None:
        time = datetime.datetime.strptime(text, form) if isinstance(cell, str) else cell
        if not isinstance(time, datetime.datetime):
            time = datetime.datetime(time.year, time.month, time.day)
        days = (time.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1)
    waves = [wave(2.0 * math.pi * days / period) for period in periods for wave in (math.cos, math.sin)]
    return [days, *waves] + ([float(text is None)] if tell else [])
''',
}


def to_python(
    model: Any, name: str = "predict", *, digits: int | None = None, feature_names: Sequence[str] | None = None
) -> str:
    """A model as the text of a Python module that needs no package, for one row at a time.

    It has the function NAME(row): a number; a list of numbers for several outputs; or a label, and then the function
    NAME_scores(row), and NAME_proba(row) where the loss gives probabilities, lists in the order of CLASSES. A row is a
    mapping from the names of columns to cells, or a sequence of cells in the order of COLUMNS.

    Parameters
    ----------
    model : TwoLayerNetwork, fitted estimator, pipeline of a TableEncoder and one, or SavedModel
        On a table; in the user's units, encoding of columns included.
    name : str
        Of the function.
    digits : int, optional
        Significant digits; by default as many as give the same numbers.
    feature_names : sequence of str, optional
        Of a model without names.

    Returns
    -------
    str
        For Python 3.8 or newer. Names of columns and labels are literals in it, whatever characters they have.

    Raises
    ------
    InvalidInputError
        For another kind of model, and names that Python does not allow.

    Notes
    -----
    Equal to `predict` up to some 1e-12 of the largest term of the sum that an output is. Of columns of numbers with an
    encoding, text has a decimal point; a comma is no number there.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> namespace = {}
    >>> exec(ng.to_python(ng.TwoLayerNetwork([[1.0], [0.5]], [2.0]), feature_names=["size"]), namespace)
    >>> namespace["predict"]({"size": 1.0}), namespace["predict"]([-1.0])
    (3.0, 0.0)
    """
    if not str(name).isidentifier() or keyword.iskeyword(name) or name in OWN or str(name).startswith("_"):
        raise InvalidInputError(f"`name` must be a name that Python allows and no word of it, got {quoted(name)}.")
    one = predictor_of(model, feature_names)
    parts = [_header(one), _imports(one), _constants(one, checked_digits(digits)), _features(one), SCORES]
    return "".join([*parts, *_functions(one, str(name))])


SCORES = '''

def _scores(row):
    """The outputs of the network."""
    x = [value - centre for value, centre in zip(_features(row), CENTRE)]
    scores = list(CONSTANT)
    for weights, bias, output in zip(HIDDEN, BIAS, OUTPUT):
        h = sum([weight * value for weight, value in zip(weights, x)], bias)
        if not h <= 0.0:
            scores = [score + weight * h for score, weight in zip(scores, output)]
    return scores
'''


def _header(one: Predictor) -> str:
    lines = [*one.about, "", *input_lines([repr(code.name) for code in one.columns], "row")]
    return comment(lines, "#") + "\n"


def _imports(one: Predictor) -> str:
    modules = ["datetime"] if any(code.kind == "date" for code in one.columns) else []
    modules += ["math"] if modules or one.has_probabilities or one.link == "counts" else []
    return "".join(f"\nimport {module}" for module in modules) + "\n"


def _constants(one: Predictor, digits: int | None) -> str:
    def vector(values: Sequence[float]) -> str:
        return "(" + "".join(f"{decimal(value, digits)}, " for value in values).rstrip() + ")"

    def matrix(values: Sequence[Sequence[float]]) -> str:
        return "(" + "".join(f"\n    {vector(row)}," for row in values) + "\n)"

    found = [
        f"COLUMNS = {tuple(code.name for code in one.columns)!a}",
        f"CENTRE = {vector(one.centre.tolist())}",
        f"HIDDEN = {matrix(one.W.T.tolist())}",
        f"BIAS = {vector(one.v.tolist())}",
        f"OUTPUT = {matrix(one.A.tolist())}",
        f"CONSTANT = {vector(one.constant.tolist())}",
    ]
    return "\n" + "\n".join([*found, *([f"CLASSES = {one.classes!a}"] if one.classes else [])]) + "\n"


def _features(one: Predictor) -> str:
    """The functions that make numbers of a row."""
    cells = 'cells = [row[name] for name in COLUMNS] if hasattr(row, "keys") else list(row)'
    check = (
        "    if len(cells) != len(COLUMNS):\n"
        '        raise ValueError("A row must have %d cells, got %d." % (len(COLUMNS), len(cells)))\n'
    )
    start = f'\n\ndef _features(row):\n    """The columns of numbers of a row."""\n    {cells}\n{check}'
    if one.is_plain:
        return f"{start}    return [float(cell) for cell in cells]\n"
    used = {code.kind for code in one.columns}
    helpers = "\n".join(CELLS[kind] for kind in ("known", "number", "category", "date") if kind in used | {"known"})
    calls = "".join(f"        *{_call(code, k)},\n" for k, code in enumerate(one.columns))
    return f"\n{helpers}{start}    return [\n{calls}    ]\n"


def _call(code: ColumnCode, k: int) -> str:
    if code.kind == "category":
        return f"_category(cells[{k}], {code.levels!a}, {code.shown!a}, {code.joined > 0}, {code.missing})"
    if code.kind == "date":
        periods = tuple(PERIODS[period] for period in code.periods)
        return f"_date(cells[{k}], {code.format!a}, {code.fill!r}, {periods!r}, {code.missing})"
    return f"_number(cells[{k}], {code.fill!r}, {code.missing})"


def _functions(one: Predictor, name: str) -> list[str]:
    """The public functions."""
    if not one.classes:
        values = "[math.exp(score) for score in _scores(row)]" if one.link == "counts" else "_scores(row)"
        several = len(one.targets) > 1
        said = "The predictions" if several else "The prediction"
        return [f'\n\ndef {name}(row):\n    """{said} for a row."""\n    return {values}{"" if several else "[0]"}\n']
    best = "int(scores[0] > 0.0)" if one.A.shape[1] == 1 else "scores.index(max(scores))"
    found = [
        f'\n\ndef {name}_scores(row):\n    """A score of each class, or one that is positive for the second."""\n'
        "    return _scores(row)\n",
        f'\n\ndef {name}(row):\n    """The label of a row, None where a cell is not a number."""\n'
        "    scores = _scores(row)\n"
        f"    return None if any(score != score for score in scores) else CLASSES[{best}]\n",
    ]
    if one.has_probabilities:
        found.append(
            f'\n\ndef {name}_proba(row):\n    """The probability of each class."""\n    scores = _scores(row)\n'
        )
        found.append(PROBABILITIES[one.link])
    return found


SOFTMAX = """    largest = max(scores)
    found = [math.exp(score - largest) for score in scores]
    return [one / sum(found) for one in found]
"""
PROBABILITIES = {
    "logistic": """    small = math.exp(-abs(scores[0]))
    found = [small / (1.0 + small), 1.0 / (1.0 + small)]
    return found if scores[0] > 0.0 else found[::-1]
""",
    "softmax": SOFTMAX,
    "separate": f"""    scores = [min(score, 0.0) - math.log1p(math.exp(-abs(score))) for score in scores]
{SOFTMAX}""",
}
