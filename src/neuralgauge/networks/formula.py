"""A network as a formula to read: text, LaTeX and SymPy, with few digits and a stated error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from .._array import Array, as_matrix, as_positive, frozen
from ..errors import InvalidInputError, MissingDependencyError
from ..quoting import quoted
from .formula_styles import Latex, Style

LINE = 100  # characters of a formula on one line; a longer one has a line for each neuron
MOST_DIGITS = 17  # from which on a decimal is the binary number


@dataclass(frozen=True)
class Formula:
    r"""y = b + sum_j a_j max(0, w_j^T x + v_j), written with a number of significant digits.

    `str` of it is the text. Each neuron is scaled, which a ReLU allows, so that the largest of its output weights is
    1 or -1: with one output the numbers inside are then the slopes that the neuron adds where it is on. Neurons without
    a column are part of the constant. A column is left out of a neuron only if its weight is zero.

    Attributes
    ----------
    names : tuple of str
        Of the columns, all different. In the text, a name that is not a plain word stands in backquotes.
    outputs : tuple of str
        Of the outputs where these are several, or stand on the left for other reasons; empty for a bare expression.
    W : array of shape (d, m)
        Weights inside, one column a neuron.
    v : array of shape (m,)
        Constants inside.
    A : array of shape (m, c)
        Weights outside.
    constant : array of shape (c,)
    digits : int or None
        Significant digits of all numbers; None for as many as tell them from all others.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[4.0, -0.3], [-0.6, 0.0], [2.0, 1.0]], [0.5, -2.0], offset=3.2)
    >>> print(network.formula(["crim", "rm"]))
    3.2 + max(0, 2 crim - 0.3 rm + 1) - max(0, -0.6 crim + 2)
    >>> network.formula(["crim", "rm"]).latex()
    '3.2 + \\max(0, 2\\,\\mathrm{crim} - 0.3\\,\\mathrm{rm} + 1) - \\max(0, -0.6\\,\\mathrm{crim} + 2)'
    """

    names: tuple[str, ...]
    outputs: tuple[str, ...]
    W: Array
    v: Array
    A: Array
    constant: Array
    digits: int | None = 4

    def __post_init__(self) -> None:
        check_distinct(self.names, "feature_names")
        if self.digits is not None and not (isinstance(self.digits, int) and 1 <= self.digits <= MOST_DIGITS):
            raise InvalidInputError(
                f"`digits` must be from 1 to {MOST_DIGITS}, or None for all, got {quoted(self.digits)}."
            )
        for name in ("W", "v", "A", "constant"):
            object.__setattr__(self, name, frozen(np.array(getattr(self, name), dtype=np.float64)))

    def __str__(self) -> str:
        return "\n".join(self._lines(Style(self.names, self.digits)))

    def latex(self) -> str:
        r"""The formula in LaTeX, for math mode; several outputs as the rows of an `aligned`."""
        lines = [" ".join(line.split()) for line in self._lines(Latex(self.names, self.digits))]
        if len(lines) == 1:
            return lines[0]
        rows = " \\\\\n".join(line.replace(" = ", " &= ", 1) for line in lines)
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    def sympy(self) -> Any:
        """The formula as an expression of SymPy, a list of them for several outputs; one real symbol a column.

        Raises
        ------
        MissingDependencyError
            If SymPy is not installed: `pip install "neuralgauge[sympy]"`.
        """
        try:
            import sympy
        except ImportError as error:
            raise MissingDependencyError(
                '`sympy` needs SymPy, which is not installed: `pip install "neuralgauge[sympy]"`, or use `latex`.'
            ) from error
        one = self.written()
        x = [sympy.Symbol(name, real=True) for name in one.names]

        def total(weights: Array, terms: Sequence[Any], constant: float) -> Any:
            parts = [sympy.Float(w) * term for w, term in zip(weights.tolist(), terms, strict=True) if w != 0.0]
            return sympy.Add(sympy.Float(constant), *parts)

        neurons = [sympy.Max(0, total(w, x, c)) for w, c in zip(one.W.T, one.v.tolist(), strict=True)]
        found = [total(a, neurons, b) for a, b in zip(one.A.T, one.constant.tolist(), strict=True)]
        return found[0] if len(found) == 1 else found

    def written(self) -> Self:
        """The formula whose numbers are those that are written, rounded to `digits`."""
        if self.digits is None:
            return self
        rounded = np.vectorize(lambda value: float(f"{value:.{self.digits}g}"), otypes=[np.float64])
        return replace(self, W=rounded(self.W), v=rounded(self.v), A=rounded(self.A), constant=rounded(self.constant))

    def predict(self, X: Any) -> Array:
        """What the formula as it is written gives for rows X (n, d): (n,) for one output, else (n, c)."""
        rows, one = as_matrix(X), self.written()
        if rows.shape[1] != len(self.names):
            raise InvalidInputError(f"`X` must have {len(self.names)} columns for this formula, got {rows.shape[1]}.")
        outputs: Array = np.maximum(rows @ one.W + one.v, 0.0) @ one.A + one.constant
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def error(self, X: Any) -> float:
        """The largest difference, on rows X, of the formula as it is written and with all digits."""
        return float(np.max(np.abs(self.predict(X) - replace(self, digits=None).predict(X))))

    def simplify(self, X: Any, within: float) -> Self:
        """A formula of fewer columns and digits whose outputs on rows X (n, d) differ by at most `within`.

        Terms w_jk x_k whose share of the outputs varies least over the rows are replaced by their means, as many as
        half of `within` allows, then digits are rounded off. That the result is the simplest is not claimed; that its
        outputs on the rows given are so near is, and of other rows nothing.

        Examples
        --------
        >>> import numpy as np
        >>> import neuralgauge as ng
        >>> X = np.random.default_rng(0).uniform(-1, 1, (50, 2))
        >>> formula = ng.TwoLayerNetwork([[1.23456], [0.001], [0.5]], [1.0]).formula(["a", "b"])
        >>> simple = formula.simplify(X, within=0.01)
        >>> print(simple)
        max(0, 1.23 a + 0.5)
        >>> float(np.abs(simple.predict(X) - formula.predict(X)).max()) < 0.01
        True
        """
        within, rows = as_positive(within, "within"), as_matrix(X)
        exact = replace(self, digits=None)
        wanted = exact.predict(rows)

        def fits(candidate: Formula, allowed: float) -> bool:
            return bool(np.max(np.abs(candidate.predict(rows) - wanted)) <= allowed)

        spread = np.abs(exact.W) * np.ptp(rows, axis=0)[:, None] * np.max(np.abs(exact.A), axis=1, initial=0.0)
        order = np.argsort(spread, axis=None, kind="stable")
        order = order[exact.W.ravel()[order] != 0.0]
        count = _most(len(order), lambda k: fits(exact._without(order[:k], rows), 0.5 * within))
        best = exact._without(order[:count], rows)
        digits = next((k for k in range(1, MOST_DIGITS) if fits(replace(best, digits=k), within)), None)
        return replace(best, digits=digits)

    def _without(self, terms: Any, rows: Array) -> Self:
        """The formula in which the means of these terms, by their numbers in W, stand for them."""
        W, v = self.W.copy(), self.v.copy()
        k, j = np.unravel_index(terms, W.shape)
        np.add.at(v, j, W[k, j] * rows.mean(axis=0)[k])
        W[k, j] = 0.0
        return replace(self, **_folded(W, v, self.A, self.constant))

    def _lines(self, style: Style) -> list[str]:
        terms = [style.neuron(w, c) for w, c in zip(self.W.T, self.v, strict=True)]
        lines = []
        for k, (a, b) in enumerate(zip(self.A.T, self.constant, strict=True)):
            left = f"{style.name(self.outputs[k])} = " if self.outputs else ""
            line = left + style.total(a, terms, b)
            lines.append(line if len(line) <= LINE else left + style.total(a, terms, b, "\n    "))
        return lines


def formula_of(U: Array, A: Array, offset: Array, names: Sequence[str], digits: int | None) -> Formula:
    """The formula of hidden weights U (d + 1, m), biases in the last row, output weights A (m, c) and the offset."""
    size = np.max(np.abs(A), axis=1, initial=0.0)
    used = size > 0.0
    with np.errstate(over="ignore"):
        A, U = A[used] / size[used, None], U[:, used] * size[used]
    if not np.isfinite(U).all():
        raise InvalidInputError("The slopes of the network are above 1e308; give columns or targets in other units.")
    parts = _folded(U[:-1], U[-1], A, np.asarray(offset))
    outputs = tuple(f"y{k + 1}" for k in range(A.shape[1])) if A.shape[1] > 1 else ()
    return Formula(tuple(names), outputs, digits=digits, **parts)


def _folded(W: Array, v: Array, A: Array, constant: Array) -> dict[str, Any]:
    """The parts of a formula, neurons without a column in the constant."""
    used = np.any(W != 0.0, axis=0)
    constant = constant + np.maximum(v[~used], 0.0) @ A[~used]
    return {"W": W[:, used], "v": v[used], "A": A[used], "constant": constant}


def _most(n: int, holds: Callable[[int], bool]) -> int:
    """A number k <= n of bisection for which `holds`; 0 holds."""
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def check_distinct(names: Sequence[str], argument: str) -> None:
    """Refuse names that are no text, and one that is there twice."""
    wrong = next((name for name in names if not isinstance(name, str) or not name), None)
    if wrong is not None:
        raise InvalidInputError(f"`{argument}` must hold text that is not empty, got {quoted(wrong)}.")
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if twice is not None:
        raise InvalidInputError(f"`{argument}` must be different names, got {quoted(twice)} twice; rename one.")
