"""Conversion of what users hold to checked arrays."""

import numpy as np
import pytest

from neuralgauge import InvalidInputError, TrainingProblem
from neuralgauge._array import as_matrix, as_vector


@pytest.mark.parametrize("ragged", [[[1.0], [2.0, 3.0]], ([1.0, 2.0], [3.0]), [[1.0], 2.0], [["a"], ["b", "c"]]])
def test_ragged_rows_are_explained(ragged):
    kind = type(ragged).__name__
    with pytest.raises(InvalidInputError, match=f"`X` must have rows of equal length, got a ragged {kind}; give every"):
        as_matrix(ragged)
    with pytest.raises(InvalidInputError, match="`y` must have rows of equal length"):
        as_vector(ragged, 2)


def test_ragged_rows_reach_the_user_as_such():
    with pytest.raises(InvalidInputError, match="`X` must have rows of equal length"):
        TrainingProblem([[1.0], [2.0, 3.0]], [1.0, 2.0], beta=1.0)


@pytest.mark.parametrize("values", [[[1, 2], [3, 4]], np.array([[1, 2], [3, 4]], order="F"), np.eye(2, dtype=bool)])
def test_a_matrix_is_a_contiguous_float_copy(values):
    matrix = as_matrix(values)
    assert matrix.dtype == np.float64
    assert matrix.flags.c_contiguous
    assert not np.shares_memory(matrix, np.asarray(values))
    np.testing.assert_array_equal(matrix, np.asarray(values, dtype=float))
