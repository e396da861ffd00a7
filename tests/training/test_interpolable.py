"""Which data can be interpolated: the criterion against the span of many random neurons."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.training.interpolable import check_interpolable


def spanned(X, y, offset, rng):
    """Whether y is a combination of the activations of very many neurons, by least squares."""
    U = rng.standard_normal((X.shape[1], 3000))
    columns = np.hstack([np.maximum(X @ U, 0.0), np.ones((len(X), 1))]) if offset else np.maximum(X @ U, 0.0)
    columns = columns[:, np.any(columns, axis=0)]
    if columns.size == 0:
        return not np.any(y)
    return float(np.max(np.abs(columns @ np.linalg.lstsq(columns, y, rcond=1e-10)[0] - y))) < 1e-6


def accepted(X, y, bias, offset):
    try:
        check_interpolable(X, y, bias, offset)
    except ng.NotInterpolatableError:
        return False
    return True


def test_agrees_with_the_span_of_many_neurons():
    verdicts = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        n, d = int(rng.integers(2, 7)), int(rng.integers(1, 4))
        X = rng.integers(-2, 3, (n, d)).astype(float)
        bias, offset = seed % 3 == 0, bool(rng.integers(2))
        design = np.hstack([X, np.ones((n, 1))]) if bias else X
        y = rng.integers(-1, 2, n).astype(float)
        if seed % 4 == 0:  # the outputs of some network
            U, b = rng.standard_normal((design.shape[1], 9)), offset * rng.standard_normal()
            y = np.maximum(design @ U, 0.0) @ rng.standard_normal(9) + b
        verdict = accepted(design, y, bias, offset)
        assert verdict == spanned(design, y, offset, rng), (seed, design, y)
        verdicts.append(verdict)
    assert 30 < sum(verdicts) < 120


def test_distinct_points_always_pass_with_bias(rng):
    X = np.hstack([rng.integers(-3, 4, (30, 3)), np.ones((30, 1))]).astype(float)
    X = np.unique(X, axis=0)
    check_interpolable(X, rng.standard_normal((len(X), 2)), True, False)


def test_distinct_rays_pass_without_bias_unless_opposite(rng):
    X = rng.standard_normal((30, 2))
    check_interpolable(X, rng.standard_normal(30), False, False)
    three = rng.standard_normal((3, 2))
    opposite = np.vstack([three, -2.0 * three])  # six distinct rays; three linear functionals of two dimensions
    with pytest.raises(ng.NotInterpolatableError, match=r"f\(x\) - f\(-x\) is linear"):
        check_interpolable(opposite, rng.standard_normal(6), False, False)
    check_interpolable(opposite[[0, 1, 3, 4]], rng.standard_normal(4), False, False)


@pytest.mark.parametrize(
    ("X", "y", "bias", "words"),
    [
        ([[1, 1], [2, 1], [1, 1]], [1, 2, 3], True, r"rows 0 and 2 of `X` are equal, got y = 1 and 3"),
        ([[1, 1], [1, 1]], [[1, 2], [1, 3]], True, r"rows 0 and 1 .* got y = \[1.0, 2.0\] and \[1.0, 3.0\]"),
        ([[1, 2], [1, 2]], [1, 2], False, r"rows 0 and 1 of `X` are equal"),
        ([[1, 2], [3, 6]], [1, 2], False, r"row 1 of `X` is 3 times row 0"),
        ([[1, 2], [0, 0]], [1, 2], False, r"row 1 of `X` is zero, where a network without bias is 0, got y = 2"),
        ([[1], [-1], [2], [-2]], [1, 1, 2, 3], False, r"row 3 of `X` is 2 times row 1"),
    ],
)
def test_says_what_contradicts_what(X, y, bias, words):
    with pytest.raises(ng.NotInterpolatableError, match=words):
        check_interpolable(np.array(X, dtype=float), np.array(y, dtype=float), bias, False)


def test_repeated_rows_that_agree_pass():
    X, y = np.array([[1.0, 2.0], [1.0, 2.0], [0.5, 1.0], [0.0, 0.0]]), np.array([3.0, 3.0, 1.5, 0.0])
    check_interpolable(X, y, False, False)
    check_interpolable(X, y + 7.0, False, True)
    bent = y + np.array([0.0, 1.0, 0.0, 0.0])
    with pytest.raises(ng.NotInterpolatableError, match="rows 0 and 1 of `X` are equal"):
        check_interpolable(X, bent, False, True)
    with pytest.raises(ng.NotInterpolatableError):
        check_interpolable(X, y + 7.0, False, False)
