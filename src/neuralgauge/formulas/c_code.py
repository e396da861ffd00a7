"""A model as a function of C, without memory of its own and without a library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from .._array import Array, as_matrix
from ..errors import InvalidInputError
from ..quoting import quoted
from .literals import checked_digits, comment, decimal, input_lines, rows
from .predictor import LARGEST_SINGLE, Predictor, outputs, predictor_of

Precision = Literal["float32", "float64"]
# Words of C and C++, functions that compilers know, and the names that the file itself uses.
RESERVED = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main and asm bool
catch class delete explicit export false friend mutable namespace new not operator or private protected public template
this throw true try typeid typename using virtual wchar_t xor
abort abs acos asin atan atan2 cbrt ceil cos cosh erf exit exp expf fabs floor fma fmax fmin fmod free gamma hypot index
j0 j1 jn ldexp lgamma log log10 log1p log1pf log2 logf malloc modf pow printf putchar puts rint round scanf signbit sin
sinh sqrt strcmp strlen tan tanh trunc y0 y1 yn
x y h i j k o r best bias centre constant far hidden largest output rows sum wanted wrong
"""


def to_c(
    model: Any,
    name: str = "predict",
    *,
    precision: Precision = "float32",
    digits: int | None = None,
    feature_names: Sequence[str] | None = None,
    test_rows: Any = None,
) -> str:
    """A model as the text of a C file with one function, for microcontrollers and everything else that C runs on.

    ``void NAME(const float *x, float *y)`` writes the predictions to y; of a classifier
    ``int NAME(const float *x, float *y)`` returns the number of the class, -1 where an input is not a number, and
    writes its probabilities to y, or scores where the loss gives none. Constant arrays and loops, no allocation; C99
    and C++; libm only for probabilities and counts.

    Parameters
    ----------
    model : TwoLayerNetwork, fitted estimator, pipeline of a TableEncoder and one, or SavedModel
        On a table. The scaling of estimators is in the numbers, x and y are in the user's units. Of columns with an
        encoding, x are the columns of numbers that these become: the header says which.
    name : str
        Of the function.
    precision : {"float32", "float64"}
        Type of all numbers; "float64" writes `double`.
    digits : int, optional
        Significant digits; by default as many as give the same numbers.
    feature_names : sequence of str, optional
        Of a model without names, for the header.
    test_rows : array of shape (k, d), optional
        Rows whose predictions are kept in the file, with a `main` that computes them anew, under ``#ifdef NAME_TEST``:
        it returns 0 where all agree.

    Returns
    -------
    str

    Raises
    ------
    InvalidInputError
        For another kind of model, a name that C does not allow, and numbers that single precision does not hold.

    Notes
    -----
    Columns are centred before they are multiplied, so that single precision serves columns of large means too. The
    outputs of "float32" are those of `predict` up to some 1e-6 of the largest term of the sum that they are. A bare
    network has no scaling: its columns are centred by none.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> code = ng.to_c(ng.TwoLayerNetwork([[1.0], [0.5]], [2.0]), "ramp")
    >>> "void ramp(const float *x, float *y)" in code
    True
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", str(name)) or re.search(rf"\b{name}\b", RESERVED):
        raise InvalidInputError(
            f"`name` must be a name that C allows, none of C's own or of this file, got {quoted(name)}."
        )
    if precision not in get_args(Precision):
        raise InvalidInputError(f"`precision` must be one of {list(get_args(Precision))}, got {precision!r}.")
    exact = predictor_of(model, feature_names)
    single = precision == "float32"
    writer = Writer(exact.single() if single else exact, name, single, checked_digits(digits))
    return writer.text(None if test_rows is None else as_matrix(test_rows, "test_rows"), exact)


class Writer:
    """The parts of the file."""

    def __init__(self, model: Predictor, name: str, single: bool, digits: int | None) -> None:
        self.model, self.name, self.single, self.digits = model, name, single, digits
        self.type, self.end = ("float", "f") if single else ("double", "")
        self.d, self.m = model.W.shape
        self.c = model.A.shape[1]
        self.written = max(self.c, len(model.classes)) if model.has_probabilities else self.c

    def text(self, tests: Array | None, exact: Predictor) -> str:
        """The whole file."""
        model = self.model
        math = "#include <math.h>\n\n" if model.has_probabilities or model.link == "counts" else ""
        guard = '#ifdef __cplusplus\nextern "C"\n#endif\n'
        body = [*self._arrays(), *self._loops(), *self._link()]
        parts = [self._header(), math + guard + self._signature() + "\n{\n" + "\n".join(body) + "\n}\n"]
        return "\n".join(parts if tests is None else [*parts, self._main(tests, exact)])

    def _signature(self) -> str:
        returned = "int" if self.model.classes else "void"
        return f"{returned} {self.name}(const {self.type} *x, {self.type} *y)"

    def _header(self) -> str:
        model = self.model
        lines = [*model.about, "", f"{self._signature()};", "", *input_lines(model.features, "x")]
        if model.classes:
            kind = "probability" if model.has_probabilities else "score"
            shown = model.classes if self.written > 1 else (f"positive for {model.classes[-1]}",)
            lines += [f"y[{k}]: {kind}, {label}" for k, label in enumerate(shown)]
            lines.append("Returns the number of the class, -1 where an input is not a number:")
            lines += [f"{k}: {label}" for k, label in enumerate(model.classes)]
        else:
            lines += input_lines(model.targets, "y")
        lines += ["", "x and y must not overlap. Not for -ffast-math where inputs may be NaN."]
        return f"/*\n{comment(lines, ' *')}\n */"

    def _number(self, value: float) -> str:
        return decimal(value, self.digits, self.single) + self.end

    def _array(self, name: str, values: Array) -> str:
        numbers = [self._number(value) for value in values.ravel().tolist()]
        size = "".join(f"[{n}]" for n in values.shape)
        if values.ndim == 1:
            return f"    static const {self.type} {name}{size} = {{\n{rows(numbers, ' ' * 8)}}};"
        parts = [f"        {{{', '.join(map(self._number, row))}}}" for row in values.tolist()]
        return f"    static const {self.type} {name}{size} = {{\n" + ",\n".join(parts) + "};"

    def _arrays(self) -> list[str]:
        model, arrays = self.model, []
        if self.m:
            if np.any(model.centre):
                arrays.append(self._array("centre", model.centre))
            arrays += [self._array("hidden", model.W.T), self._array("bias", model.v), self._array("output", model.A)]
        return [*arrays, self._array("constant", model.constant)]

    def _loops(self) -> list[str]:
        model = self.model
        if not self.m:
            return ["    int i;", "    (void)x;", f"    for (i = 0; i < {self.c}; i++)", "        y[i] = constant[i];"]
        column = "(x[k] - centre[k])" if np.any(model.centre) else "x[k]"
        return [
            "    int i, j, k;",
            f"    for (i = 0; i < {self.c}; i++)",
            "        y[i] = constant[i];",
            f"    for (j = 0; j < {self.m}; j++) {{",
            f"        {self.type} h = bias[j];",
            f"        for (k = 0; k < {self.d}; k++)",
            f"            h += hidden[j][k] * {column};",
            f"        if (h <= 0.0{self.end})",
            "            continue;",
            f"        for (i = 0; i < {self.c}; i++)",
            "            y[i] += output[j][i] * h;",
            "    }",
        ]

    def _link(self) -> list[str]:
        """What is made of the outputs in y."""
        model, f, c = self.model, self.end, self.c
        if model.link == "counts":
            return [f"    for (i = 0; i < {c}; i++)", f"        y[i] = exp{f}(y[i]);"]
        if not model.classes:
            return []
        if c == 1:
            found = [f"    i = y[0] > 0.0{f};", "    if (y[0] != y[0])", "        i = -1;"]
            if model.link == "logistic":
                found += [
                    f"    y[1] = 1.0{f} / (1.0{f} + exp{f}(-y[0]));",
                    f"    y[0] = 1.0{f} / (1.0{f} + exp{f}(y[0]));",
                ]
            return [*found, "    return i;"]
        return ["    {", *(f"    {line}" for line in self._largest()), "    }"]

    def _largest(self) -> list[str]:
        model, f, c = self.model, self.end, self.c
        found = [
            "    int best = 0;",
            f"    for (i = 1; i < {c}; i++)",
            "        if (y[i] > y[best])",
            "            best = i;",
            f"    for (i = 0; i < {c}; i++)",
            "        if (y[i] != y[i])",
            "            best = -1;",
        ]
        if model.has_probabilities:
            if model.link == "separate":
                found += [
                    f"    for (i = 0; i < {c}; i++)",
                    f"        y[i] = y[i] < 0.0{f} ? y[i] - log1p{f}(exp{f}(y[i])) : -log1p{f}(exp{f}(-y[i]));",
                ]
            found += [
                "    if (best >= 0) {",
                f"        {self.type} largest = y[best], sum = 0.0{f};",
                f"        for (i = 0; i < {c}; i++)",
                f"            sum += y[i] = exp{f}(y[i] - largest);",
                f"        for (i = 0; i < {c}; i++)",
                "            y[i] /= sum;",
                "    }",
            ]
        return [*found, "    return best;"]

    def _main(self, tests: Array, exact: Predictor) -> str:
        """A program that compares the function with predictions that are kept in it."""
        if tests.shape[1] != self.d:
            raise InvalidInputError(f"`test_rows` must have {self.d} columns, got {tests.shape[1]}.")
        if self.single and np.abs(tests).max() > LARGEST_SINGLE:
            raise InvalidInputError(f"`test_rows` must be at most 3e38 in single precision, got {np.abs(tests).max()}.")
        tests = tests.astype(np.float32).astype(np.float64) if self.single else tests
        wanted = outputs(exact, tests)
        far = self._number((1e-5 if self.single else 1e-11) * float(np.abs(wanted).max()))
        return "\n".join(
            [
                f"#ifdef {self.name.upper()}_TEST",
                "int main(void)",
                "{",
                self._array("rows", tests),
                self._array("wanted", wanted),
                f"    {self.type} y[{wanted.shape[1]}], far;",
                "    int r, o, wrong = 0;",
                f"    for (r = 0; r < {len(tests)}; r++) {{",
                f"        {self.name}(rows[r], y);",
                f"        for (o = 0; o < {wanted.shape[1]}; o++) {{",
                "            far = y[o] - wanted[r][o];",
                f"            wrong += !(far <= {far} && -far <= {far});",
                "        }",
                "    }",
                "    return wrong != 0;",
                "}",
                "#endif",
                "",
            ]
        )
