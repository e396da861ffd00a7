"""The sweeps in the plane and in space against the list of all patterns."""

import numpy as np
import pytest

from neuralgauge.pricing.kinks import kink_form
from neuralgauge.pricing.sweep_plane import sweep_plane
from neuralgauge.pricing.sweep_space import sweep_space

SWEEPS = {2: sweep_plane, 3: sweep_space}


def attained(v, X, u):
    return max(abs(v @ np.maximum(X @ u, 0.0)), abs(v @ np.maximum(-X @ u, 0.0)))


@pytest.mark.parametrize(("rank", "count"), [(2, 200), (3, 120)])
def test_sweep_finds_the_maximum_over_all_patterns(rank, count, brute_force, problems):
    checked = 0
    for v, X in problems([rank], seed=rank, count=count):
        form = kink_form(v, X)
        if form.rank != rank:
            continue
        checked += 1
        z, bound = SWEEPS[rank](form)
        truth, value = brute_force(v, X), attained(v, X, form.basis @ z)
        assert np.linalg.norm(form.basis @ z) == pytest.approx(1.0, abs=1e-14)
        assert value == pytest.approx(truth, rel=1e-12, abs=1e-13)
        assert truth <= (bound + form.margin) * (1.0 + 1e-14)
        assert bound <= value + 1e-11 * form.mass
    assert checked > count // 2


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_kink_form_is_the_score(rank, problems):
    rng = np.random.default_rng(rank)
    for v, X in problems([rank], seed=10 + rank, count=50):
        form = kink_form(v, X)
        z = rng.standard_normal(form.rank)
        z /= np.linalg.norm(z)
        score = v @ np.maximum(X @ (form.basis @ z), 0.0)
        assert abs(score - form.b @ z - form.even(z)) <= form.margin + 1e-16
        assert form.margin <= 1e-13 * (1.0 + form.mass)
        assert np.all(np.abs(np.triu(form.Z @ form.Z.T, 1)) < 1.0 - 1e-15) or len(form.w) < 2


def test_rows_on_one_line_share_a_kink():
    form = kink_form(np.array([1.0, 2.0, 4.0, 1.0]), np.array([[1.0, 1.0], [3.0, 3.0], [-2.0, -2.0], [1.0, 0.0]]))
    assert sorted(form.w) == pytest.approx([0.5, 0.5 * np.sqrt(2.0) * (1 + 6 + 8)])


def test_opposite_kinks_cancel():
    form = kink_form(np.array([1.0, -1.0, 1.0]), np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]]))
    assert form.w == pytest.approx([0.5])


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("n_kinks", [0, 1, 2])
def test_few_kinks(rank, n_kinks, brute_force):
    X = np.vstack([np.eye(rank), -np.eye(rank)])
    v = np.ones(2 * rank)
    v[rank + n_kinks :] = -1.0  # opposite weights on one line leave a linear function
    form = kink_form(v, X)
    z, bound = SWEEPS[rank](form)
    assert attained(v, X, form.basis @ z) == pytest.approx(brute_force(v, X), rel=1e-12)
    assert bound == pytest.approx(brute_force(v, X), rel=1e-12)


def test_points_on_the_circle_are_all_kinks():
    angles = np.linspace(0.0, np.pi, 40, endpoint=False)
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    form = kink_form(np.ones(40), X)
    z, bound = sweep_plane(form)
    z = form.basis @ z
    # All weights are +1: every cell's functional is attained, and the largest is the whole half circle's.
    assert bound == pytest.approx(np.linalg.norm(X.sum(axis=0)), rel=1e-12)
    assert attained(np.ones(40), X, z) == pytest.approx(bound, rel=1e-12)


def test_a_long_table_in_the_plane_keeps_its_digits():
    rng = np.random.default_rng(0)
    X, v = np.column_stack([rng.standard_normal(200_000), np.ones(200_000)]), rng.standard_normal(200_000)
    form = kink_form(v, X)
    z, bound = sweep_plane(form)
    value = attained(v, X, form.basis @ z)
    assert value <= bound + form.margin
    assert bound - value <= 1e-8 * value


def test_a_thousand_rows_in_space():
    rng = np.random.default_rng(1)
    X, v = np.column_stack([rng.standard_normal((1000, 2)), np.ones(1000)]), rng.standard_normal(1000)
    form = kink_form(v, X)
    z, bound = sweep_space(form)
    assert bound - attained(v, X, form.basis @ z) <= 1e-9 * bound
