"""Least squares with a given number of pieces: against grids, known functions, and all groups in fractions."""

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.training.knots import Line
from neuralgauge.training.segments import segmented


def points(seed, n=60, noise=0.2):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 10, n)
    return x, np.interp(x, [0, 3, 6, 10], [0, 3, 1, 4]) + noise * rng.standard_normal(n)


def least_error(x, y, knots, weight=None):
    """With given knots, by hats and least squares."""
    nodes = np.concatenate([[x.min()], np.sort(knots), [x.max()]])
    hats = np.column_stack([np.interp(x, nodes, row) for row in np.eye(len(nodes))])
    root = np.sqrt(np.ones(len(x)) if weight is None else weight)
    values = np.linalg.lstsq(hats * root[:, None], y * root, rcond=None)[0]
    return float(np.sum(root**2 * (hats @ values - y) ** 2))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_pieces", [2, 3])
def test_no_knots_on_a_grid_are_better(seed, n_pieces):
    x, y = points(seed, 25)
    fit = ng.fit_pieces(x, y, n_pieces)
    grid = np.linspace(x.min(), x.max(), 402 if n_pieces == 2 else 62)[1:-1]
    best = min(least_error(x, y, np.array(knots)) for knots in combinations(grid, n_pieces - 1))
    assert fit.error <= best * (1 + 1e-9)
    assert fit.lower <= fit.error


@pytest.mark.parametrize(("seed", "n_pieces"), [(0, 1), (1, 2), (2, 4), (3, 7)])
def test_the_network_is_a_function_of_so_many_pieces_with_this_error(seed, n_pieces):
    x, y = points(seed)
    fit = ng.fit_pieces(x, y, n_pieces)
    table = fit.network.breakpoints()
    assert table.n_pieces == n_pieces
    assert fit.network.n_neurons == max(n_pieces, 2)
    assert fit.error == pytest.approx(np.sum((fit.network.predict(x[:, None]) - y) ** 2), rel=1e-9)
    assert fit.error == pytest.approx(least_error(x, y, table.x), rel=1e-9)
    assert fit.gap == pytest.approx((fit.error - fit.lower) / fit.error)


def test_more_pieces_are_never_worse_and_bounds_fall():
    x, y = points(5)
    fits = [ng.fit_pieces(x, y, k) for k in range(1, 8)]
    assert all(after.error <= before.error * (1 + 1e-9) for before, after in pairwise(fits))
    assert all(after.lower <= before.lower for before, after in pairwise(fits))


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_a_function_of_so_many_pieces_is_found_in_any_units(unit):
    x = unit * np.linspace(2000.0, 2010.0, 80)
    y = 1e6 + unit * np.interp(x, unit * np.array([2000, 2003, 2006, 2010]), [0, 3, 1, 4])
    fit = ng.fit_pieces(x, y, 3)
    assert fit.error < 1e-12 * np.sum((y - y.mean()) ** 2) + 1e-18 * np.sum(y**2)
    if unit == 1.0:
        assert fit.network.breakpoints().x == pytest.approx([2003, 2006], abs=1e-5)


def test_lines_have_least_squares():
    x, y = points(6)
    slope, level = np.polyfit(x, y, 1)
    fit = ng.fit_pieces(x, y, 1)
    assert fit.network.predict([[0.0], [1.0]]).tolist() == pytest.approx([level, level + slope])
    assert fit.lower == pytest.approx(fit.error, rel=1e-6)


def test_weights_count_as_copies_and_zero_as_absence():
    x, y = points(7, 30)
    weight = np.random.default_rng(0).integers(0, 3, 30)
    copies = ng.fit_pieces(np.repeat(x, weight), np.repeat(y, weight), 3)
    weighted = ng.fit_pieces(x, y, 3, sample_weight=weight)
    assert weighted.error == pytest.approx(copies.error, rel=1e-9)
    assert weighted.lower == pytest.approx(copies.lower, rel=1e-9)


def test_order_and_moves_by_rounding_do_not_matter():
    x, y = points(8)
    order = np.random.default_rng(1).permutation(len(x))
    fit = ng.fit_pieces(x, y, 4)
    for other in (ng.fit_pieces(x[order], y[order], 4), ng.fit_pieces(x * (1 + 1e-13), y * (1 - 1e-13), 4)):
        assert other.error == pytest.approx(fit.error, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_is_that_of_all_groups_in_fractions(seed):
    rng = np.random.default_rng(seed)
    n = 8
    x, y, w = np.sort(rng.choice(40, n, replace=False)), rng.integers(-9, 10, n), rng.integers(1, 4, n)
    line = Line.of(x.astype(float), y.astype(float), w.astype(float))
    for k in (1, 2, 3):
        found, breaks = segmented(line, k)
        best = min(
            sum((apart(x[a:b], y[a:b], w[a:b]) for a, b in zip((0, *cuts), (*cuts, n), strict=True)), Fraction(0))
            for size in range(k)
            for cuts in combinations(range(1, n), size)
        )
        found *= line.scale**2
        assert found <= float(best) + 1e-15
        assert found == pytest.approx(float(best), abs=1e-9)
        assert len(breaks) <= k - 1


def apart(x, y, w):
    """The squared error of the best line through points, as a fraction."""
    x, y, w = ([Fraction(int(one)) for one in values] for values in (x, y, w))
    total = sum(w)
    mean_x = sum(a * b for a, b in zip(w, x, strict=True)) / total
    mean_y = sum(a * b for a, b in zip(w, y, strict=True)) / total
    dx, dy = [one - mean_x for one in x], [one - mean_y for one in y]
    xx, xy, yy = (sum(a * b * c for a, b, c in zip(w, u, v, strict=True)) for u, v in ((dx, dx), (dx, dy), (dy, dy)))
    return yy - xy**2 / xx if xx else yy


def test_the_bound_holds_for_points_that_nearly_meet():
    x = np.array([0.0, 1e-13, 2e-13, 0.5, 1.0])
    y = np.array([0.0, 1.0, 0.0, 0.3, 0.1])
    line = Line.of(x, y, np.ones(5))
    assert segmented(line, 2)[0] <= 0.0 or segmented(line, 2)[0] * line.scale**2 <= ng.fit_pieces(x, y, 2).error


def test_many_points_have_no_bound_and_it_can_be_left_out():
    x = np.linspace(0.0, 1.0, 2100)
    y = np.abs(x - 0.4)
    assert ng.fit_pieces(x, y, 2).lower == -np.inf
    assert ng.fit_pieces(x[::30], y[::30], 2, bound=False).gap in (np.inf, 0.0)
    assert ng.fit_pieces(x, y, 2).error < 1e-9


def test_many_pieces():
    x = np.linspace(0.0, 1.0, 90)
    fit = ng.fit_pieces(x, np.sin(20 * x), 20, bound=False)
    assert fit.network.breakpoints().n_pieces <= 20
    assert fit.error < ng.fit_pieces(x, np.sin(20 * x), 8, bound=False).error


def test_few_places():
    assert ng.fit_pieces([3.0], [2.0], 1).network.predict([[3.0], [9.0]]).tolist() == [2.0, 2.0]
    two = ng.fit_pieces([1.0, 1.0, 2.0], [0.0, 2.0, 3.0], 1)
    assert (two.error, two.network.predict([[3.0]])[0]) == pytest.approx((2.0, 5.0))
    assert ng.fit_pieces([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 1.0], 3).error < 1e-12
    assert ng.fit_pieces([0.0, 1.0, 2.0], [5.0, 5.0, 5.0], 2).error == pytest.approx(0.0, abs=1e-20)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.0, 1.0], [0.0, 1.0], 2), {}, "from 1 to 1"),
        (([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], 0), {}, "`n_pieces`"),
        (([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], 1.5), {}, "`n_pieces`"),
        (([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], True), {}, "`n_pieces`"),
        ((range(99), range(99), 31), {}, "from 1 to 30"),
        (([0.0, 1.0], [0.0, 1e200], 1), {}, "other units"),
        (([0.0, 1.0], [0.0], 1), {}, "`y`"),
        (([0.0, np.nan], [0.0, 1.0], 1), {}, "`x` must be finite"),
        (([[0.0, 1.0]], [0.0], 1), {}, "`x` must have one dimension"),
        (([0.0, 1.0], [0.0, 1.0], 1), {"sample_weight": [-1.0, 1.0]}, "`sample_weight`"),
        (([0.0, 1.0], [0.0, 1.0], 1), {"sample_weight": [0.0, 0.0]}, "`sample_weight`"),
    ],
)
def test_refusals(arguments, options, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.fit_pieces(*arguments, **options)
