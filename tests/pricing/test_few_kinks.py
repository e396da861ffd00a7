"""Pricing by enumerated signs, and the ascents on few rows: against brute force and the compiled forms."""

from fractions import Fraction

import numpy as np
import pytest

from neuralgauge.pricing import price
from neuralgauge.pricing._climb import FIRST_STEP, LEAST_RISE, LEAST_STEP, climb
from neuralgauge.pricing._few_rows import FEW_ROWS, ascend_few, climb_few
from neuralgauge.pricing.ascent import MOST_LINEARIZATIONS, _ascend_all
from neuralgauge.pricing.few_kinks import FEW_KINKS, price_few_kinks
from neuralgauge.pricing.kinks import kink_form
from neuralgauge.pricing.orthant import reflected


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_is_the_gauge(rank, brute_force, problems):
    for v, X in problems([rank], seed=rank, count=30, n_max=9):
        form = kink_form(v, X)
        z, bound, closed = price_few_kinks(form, -np.inf, 1e-9)
        truth = brute_force(v, X)
        assert closed
        assert form.polar(z) == pytest.approx(truth, rel=2e-9, abs=1e-12)
        assert truth * (1.0 - 1e-14) <= bound <= truth * (1.0 + 1e-8) + 1e-11


@pytest.mark.parametrize("rank", [3, 5, 8, 15])
def test_is_what_branch_and_bound_or_the_sweep_finds(rank):
    rng = np.random.default_rng(rank)
    v, X = rng.standard_normal(FEW_KINKS), rng.standard_normal((FEW_KINKS, rank))
    z, bound, closed = price_few_kinks(form := kink_form(v, X), -np.inf, 1e-9)
    assert closed
    assert form.polar(z) <= bound <= form.polar(z) * (1.0 + 1e-8)
    if rank < 6:
        other = price(v, X, method="sweep" if rank == 3 else "branch_and_bound")
        assert form.polar(z) == pytest.approx(other.value, rel=2e-9)


def test_a_goal_is_enough(problems):
    for v, X in problems([3, 4], seed=5, count=20, n_max=9):
        form = kink_form(v, X)
        if form.mass == 0.0:
            continue
        truth = price_few_kinks(form, -np.inf, 1e-9)[1]
        _, bound, closed = price_few_kinks(form, 1.2 * truth, 1e-9)
        assert closed
        assert truth * (1.0 - 2e-9) <= bound <= 1.2 * truth


def test_the_bound_holds_in_exact_arithmetic():
    """On unit rows the best network is one row's: G is the length of the part of v of one sign, in fractions."""
    v = np.array([3.0, 4.0, 12.0, -1.0])
    result = price(v, np.eye(4))
    assert result.method == "enumeration"
    assert Fraction(result.bound) >= 13 >= Fraction(result.value) * (1 - Fraction(1, 10**14))


def test_auto_enumerates_few_lines_however_many_rows():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((10, 6)).repeat(20, axis=0)
    v = rng.standard_normal(200)
    result, other = price(v, X), price(v, X, method="branch_and_bound")
    assert (result.method, result.closed) == ("enumeration", True)
    assert result.value == pytest.approx(other.value, rel=3e-9)


@pytest.mark.parametrize("d", [1, 3, 7, 20])
def test_ascents_are_those_of_the_compiled_form(d):
    rng = np.random.default_rng(d)
    X, v = rng.standard_normal((FEW_ROWS, d)), rng.standard_normal(FEW_ROWS)
    few = rng.standard_normal((50, d))
    few /= np.linalg.norm(few, axis=1)[:, None]
    compiled = few.copy()
    values = ascend_few(X, v, few, MOST_LINEARIZATIONS, 200, 1e-5)
    expected = _ascend_all(X, v, compiled, 200, 1e-5)
    close = np.isclose(values, expected, rtol=1e-4, atol=1e-9)
    assert np.mean(close) >= 0.8  # slopes are swept in another order, which may lead to another maximum
    assert np.max(values) == pytest.approx(np.max(expected), rel=1e-4)
    np.testing.assert_allclose(values, v @ np.maximum(X @ few.T, 0.0), atol=1e-12)


@pytest.mark.parametrize("confined", [False, True])
@pytest.mark.parametrize("d", [1, 3, 7])
def test_exploring_is_that_of_the_compiled_form(d, confined):
    rng = np.random.default_rng(d)
    X = rng.standard_normal((FEW_ROWS, d)).astype(np.float32)
    v_X = (rng.standard_normal((FEW_ROWS, 1)) * X).astype(np.float32)
    few = rng.standard_normal((d, 64)).astype(np.float32)
    few /= np.linalg.norm(few, axis=0)
    orthant = (np.arange(d) % 3 - 1.0 if confined else np.zeros(d)).astype(np.float32)
    few = np.ascontiguousarray(reflected(few, orthant))
    compiled = few.copy()
    values = climb_few(X, v_X, few, orthant, 1, FIRST_STEP, LEAST_STEP, LEAST_RISE)
    np.testing.assert_allclose(values, climb(X, v_X, compiled, orthant, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(few, compiled, atol=1e-4)
    values = climb_few(X, v_X, few, orthant, 40, FIRST_STEP, LEAST_STEP, LEAST_RISE)
    expected = climb(X, v_X, compiled, orthant, 40)
    assert np.all(orthant[:, None] * few >= 0.0)
    assert np.all(orthant[:, None] * compiled >= 0.0)
    assert np.mean(np.isclose(values, expected, rtol=1e-3, atol=1e-5)) >= 0.9
