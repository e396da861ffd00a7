"""Conversion of what users hold (arrays, tables, lists) to checked float64 arrays.

Every array that enters the package passes through here once; behind this file all arrays are
finite, C-contiguous float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InvalidInputError

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


CHECKED = 1_000_000  # entries at a time that are looked at for values that are not finite
LEAST_EXPONENT = -996  # of the product of lengths of a pair that counts, about 1e-300
LARGEST = {"X": 1e60, "y": 1e40, "sample_weight": 1e40, "beta": 1e140}  # and one over it the least


def _to_float(values: Any, name: str) -> Array:
    if hasattr(values, "toarray"):
        raise InvalidInputError(f"`{name}` must be dense, got a sparse {type(values).__name__}; call `.toarray()`.")
    try:
        raw = np.asarray(values)
    except ValueError:
        raise InvalidInputError(
            f"`{name}` must have rows of equal length, got a ragged {type(values).__name__}; "
            "give every row the same number of values."
        ) from None
    if np.iscomplexobj(raw):
        raise InvalidInputError(f"`{name}` must hold real numbers, got complex data; use its real part.")
    try:
        return np.array(raw, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        example = next((v for v in raw.ravel().tolist() if not isinstance(v, int | float)), None)
        raise InvalidInputError(
            f"`{name}` must hold numbers, got {example!r} among its values; encode text columns as numbers first."
        ) from None


def column_names(values: Any) -> list[str] | None:
    """The names of the columns of a table; None of an array."""
    columns = getattr(values, "columns", None)
    return None if columns is None else [str(c) for c in columns]


def as_matrix(values: Any, name: str = "X", columns: Sequence[str] | None = None) -> Array:
    """Finite float64 copy of shape (n, d), n >= 1 and d >= 1; a bad value is named by row and column."""
    columns = column_names(values) if columns is None else columns
    matrix = _to_float(values, name)
    _check_shape(matrix, name)
    _check_finite(matrix, name, columns)
    return matrix


def as_design(values: Any, bias: bool, columns: Sequence[str] | None = None) -> Array:
    """The same of X with a last column of ones, the penalised hidden bias of the paper, where `bias`; one copy."""
    if not bias or not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf" or values.ndim != 2:
        matrix = as_matrix(values, columns=columns)
        return with_ones(matrix) if bias else matrix
    _check_shape(values, "X")
    design = np.ones((len(values), values.shape[1] + 1))
    design[:, :-1] = values
    _check_finite(design, "X", columns)
    return design


def _check_shape(matrix: npt.NDArray[Any], name: str) -> None:
    if matrix.ndim != 2:
        raise InvalidInputError(
            f"`{name}` must have two dimensions (samples, features), got shape {matrix.shape}; "
            f"reshape a single feature with `{name}.reshape(-1, 1)`."
        )
    if matrix.shape[0] == 0 or matrix.shape[1] == 0:
        raise InvalidInputError(f"`{name}` must have at least one row and one column, got shape {matrix.shape}.")


def _check_finite(matrix: Array, name: str, columns: Sequence[str] | None) -> None:
    step = max(1, CHECKED // matrix.shape[1])
    if all(np.isfinite(matrix[first : first + step]).all() for first in range(0, len(matrix), step)):
        return
    bad = np.argwhere(~np.isfinite(matrix))
    row, column = (int(k) for k in bad[0])
    label = f"column {columns[column]!r}" if columns else f"column {column}"
    raise InvalidInputError(
        f"`{name}` must be finite, got {matrix[row, column]} in row {row}, {label} "
        f"({len(bad)} such value{'s' if len(bad) > 1 else ''}); impute or drop them first."
    )


def as_vector(values: Any, n: int, name: str = "y") -> Array:
    """Finite float64 copy of shape (n,); a column of shape (n, 1) is accepted."""
    vector = _to_float(values, name)
    if vector.ndim == 2 and vector.shape[1] == 1:
        vector = vector[:, 0].copy()
    if vector.ndim != 1:
        raise InvalidInputError(f"`{name}` must have one dimension, got shape {vector.shape}.")
    if vector.shape[0] != n:
        raise InvalidInputError(f"`{name}` must have one entry per row of X ({n}), got {vector.shape[0]}.")
    bad = np.flatnonzero(~np.isfinite(vector))
    if bad.size:
        row = int(bad[0])
        raise InvalidInputError(
            f"`{name}` must be finite, got {vector[row]} in row {row} ({bad.size} such values); drop those rows first."
        )
    return vector


def as_targets(values: Any, n: int, name: str = "y") -> Array:
    """Finite float64 copy of shape (n,) for one output, a column (n, 1) included, or (n, c)."""
    raw = _to_float(values, name)
    if raw.ndim != 2 or raw.shape[1] == 1:
        return as_vector(values, n, name)
    matrix = as_matrix(values, name)
    if len(matrix) != n:
        raise InvalidInputError(f"`{name}` must have one row per row of X ({n}), got {len(matrix)}.")
    return matrix


def as_positive(value: Any, name: str) -> float:
    """Python float > 0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidInputError(f"`{name}` must be a number > 0, got {value!r}.") from None
    if not (np.isfinite(number) and number > 0):
        raise InvalidInputError(f"`{name}` must be finite and > 0, got {number}.")
    return number


def largest_entry(values: Array) -> float:
    """The largest absolute value, without a copy."""
    return max(float(np.max(values)), -float(np.min(values)))


def check_size(name: str, values: Array | float) -> None:
    """Refuse values, or a largest one, whose squares and products double precision cannot hold."""
    largest, limit = largest_entry(np.asarray(values)), LARGEST[name]
    if largest > limit or 0.0 < largest < 1.0 / limit:
        raise InvalidInputError(
            f"`{name}` must be zero or have its largest entry between {1.0 / limit:g} and {limit:g}, got {largest:g}: "
            "squares of it would leave the range of double precision; choose other units."
        )


def lengths(rows: Array) -> tuple[Array, npt.NDArray[np.intp]]:
    """Euclidean lengths of the rows (m, d) as x * 2**e, x and e of shape (m,): no square overflows or vanishes."""
    _, exponent = np.frexp(np.max(np.abs(rows), axis=1, initial=0.0))
    return np.linalg.norm(np.ldexp(rows, -exponent[:, None]), axis=1), exponent


def balanced_rows(first: Array, second: Array) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """Rows scaled to equal lengths pair by pair with the product of lengths kept, and which pairs are kept.

    Pairs with a product of lengths of 0, or below 1e-300, are left out: squares of what is kept do not vanish.
    """
    (a, a_exponent), (b, b_exponent) = lengths(first), lengths(second)
    total = a_exponent + b_exponent
    alive = (a > 0.0) & (b > 0.0) & (total > LEAST_EXPONENT)
    size = np.sqrt(a * b * np.where(total % 2, 2.0, 1.0))[alive, None]

    def scaled(rows: Array, length: Array, exponent: npt.NDArray[np.intp]) -> Array:
        units = np.ldexp(rows[alive], -exponent[alive, None])
        with np.errstate(over="ignore"):  # to infinity, which networks refuse
            result: Array = np.ldexp(units * (size / length[alive, None]), (total // 2)[alive, None])
        return result

    return scaled(first, a, a_exponent), scaled(second, b, b_exponent), alive


def frozen(array: Array) -> Array:
    """The same array, marked read-only."""
    array.setflags(write=False)
    return array


def with_ones(X: Array) -> Array:
    """X with a last column of ones: the penalised hidden bias of the paper."""
    return np.hstack([X, np.ones((X.shape[0], 1))])
