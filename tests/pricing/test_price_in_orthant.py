"""Pricing of neurons in orthants: exact against all cells, searches inside and no higher."""

import numpy as np
import pytest
from scipy.optimize import nnls

from neuralgauge.features.rows import DenseFeatures
from neuralgauge.patterns import enumerate_patterns
from neuralgauge.pricing import price_in_orthant as module
from neuralgauge.pricing.orthant import clipped, reflected, with_walls
from neuralgauge.pricing.price import priced
from neuralgauge.pricing.price_in_orthant import price_in_orthant
from neuralgauge.pricing.search import maximised, search
from neuralgauge.pricing.streamed import search_streamed


def over_cells(v, X, orthants):
    """The largest score over the cells of X and the orthants: the distance of a gradient from the polar of a cone."""
    best = 0.0
    for sign, orthant in orthants.items():
        walls = np.diag(orthant)[orthant != 0.0]
        for gate in enumerate_patterns(X).dense():
            cone = np.vstack([np.where(gate, 1.0, -1.0)[:, None] * X, walls])
            gradient = X.T @ (sign * v * gate)
            multipliers = nnls(cone.T, -gradient)[0]
            best = max(best, float(np.linalg.norm(gradient + cone.T @ multipliers)))
    return best


def drawn(seed, n, d):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal((n, d - 1)), np.ones(n)])
    monotone = np.append(rng.integers(-1, 2, size=d - 1), 0).astype(float)
    signs = [(1.0, -1.0), (1.0,), (-1.0,)][seed % 3]
    return X, rng.standard_normal(n), {sign: sign * monotone for sign in signs}


@pytest.mark.parametrize(("n", "d"), [(5, 1), (9, 2), (25, 2), (6, 3), (14, 3), (25, 3), (12, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_exact_prices_are_those_of_all_cells(n, d, seed):
    X, v, orthants = drawn(seed, n, d)
    found, expected = price_in_orthant(v, X, orthants), over_cells(v, X, orthants)
    assert found.closed
    scale = float(np.abs(v) @ np.linalg.norm(X, axis=1))
    assert found.value <= expected + 1e-12 * scale
    assert found.bound >= expected - 1e-12 * scale
    assert found.bound - found.value <= 3e-9 * scale
    if found.value > 0.0:
        assert np.all(orthants[found.sign] * found.u >= 0.0)
        assert found.sign * v @ np.maximum(X @ found.u, 0.0) == pytest.approx(found.value, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1.0, 1e9, 1e150])
def test_prices_keep_their_units(scale):
    X, v, orthants = drawn(0, 20, 3)
    X = X * [1e-4, 1e5, 1.0]
    found, scaled = price_in_orthant(v, X, orthants), price_in_orthant(scale * v, X, orthants)
    assert scaled.closed
    assert scaled.value == pytest.approx(scale * found.value, rel=1e-7)


def test_a_target_decides():
    X, v, orthants = drawn(3, 30, 4)
    value = price_in_orthant(v, X, orthants).value
    assert price_in_orthant(v, X, orthants, target=0.9 * value).value > 0.9 * value
    assert price_in_orthant(v, X, orthants, target=1.1 * value).bound <= 1.1 * value


def test_no_score_is_positive():
    X = np.ones((3, 1))
    found = price_in_orthant(np.array([-1.0, -2.0, -0.5]), X, {1.0: np.array([1.0])})
    assert found.value == 0.0
    assert found.bound <= 1e-11


@pytest.mark.parametrize("n", [10, 200])  # in NumPy and compiled
def test_searches_stay_inside_and_find_the_best(n):
    X, v, orthants = drawn(0, n, 4)
    exact = price_in_orthant(v, X, orthants)
    features, rng = DenseFeatures(X), np.random.default_rng(1)
    best = 0.0
    for sign, orthant in orthants.items():
        near = np.random.default_rng(2).standard_normal((4, 30))
        for found in (
            search(v, features, 64, rng, sign=sign, orthant=orthant),
            maximised(v, features, near, 20, rng, sign, orthant),
            search_streamed(v, features, 64, rng, sign=sign, orthant=orthant),
        ):
            assert np.all(orthant[:, None] * found.U >= 0.0)
            assert np.linalg.norm(found.U, axis=0) == pytest.approx(np.ones(len(found.values)))
            assert sign * v @ np.maximum(X @ found.U, 0.0) == pytest.approx(found.values)
            assert np.all(found.values <= exact.bound)
            best = max(best, float(found.values.max()))
    assert best == pytest.approx(exact.value, rel=1e-7)


def test_walls_bound_the_score_outside():
    X, v, orthants = drawn(0, 30, 4)
    U = np.random.default_rng(0).standard_normal((4, 1000))
    walled, rows = with_walls(v, X, orthants[1.0])
    inside = v @ np.maximum(X @ clipped(U, orthants[1.0]), 0.0)
    assert np.all(walled @ np.maximum(rows @ U, 0.0) <= inside + 1e-12)
    mirrored = reflected(U, orthants[1.0])
    assert walled @ np.maximum(rows @ mirrored, 0.0) == pytest.approx(v @ np.maximum(X @ mirrored, 0.0))


def test_signs_share_the_seconds(monkeypatch):
    X, v, orthants = drawn(0, 30, 4)
    limits = []

    def told(*arguments, least):
        limits.append(arguments[4])
        return priced(*arguments, least=least)

    monkeypatch.setattr(module, "priced", told)
    found = price_in_orthant(v, X, orthants, time_limit=100.0)
    assert found.closed
    assert limits[0] == pytest.approx(50.0, abs=1.0)
    assert 50.0 < limits[1] <= 100.0


@pytest.mark.parametrize("seed", range(0, 30, 3))  # both signs
def test_a_price_that_stops_early_bounds_all_signs(seed):
    X, v, orthants = drawn(seed, 20, 3)
    whole = price_in_orthant(v, X, orthants)
    early = price_in_orthant(v, X, orthants, target=1e-3 * whole.value)
    assert early.value > 1e-3 * whole.value
    assert early.bound >= whole.value


@pytest.mark.parametrize("orthant", [[-1.0, -1.0, 0.0], [-1.0, -1.0, -1.0]])
def test_a_gauge_of_zero_ends(orthant):
    X, v, _ = drawn(21, 20, 3)
    found = price_in_orthant(v, X, {1.0: np.array(orthant)})
    assert found.value == 0.0
    assert found.closed
    assert found.bound <= 2e-9 * float(np.abs(v) @ np.linalg.norm(X, axis=1))
