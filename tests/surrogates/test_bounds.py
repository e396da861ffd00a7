"""Bounds of linear programs by any multipliers, and of norms of sums of which some terms are there."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from neuralgauge.surrogates.envelope import facets_above
from neuralgauge.surrogates.linear_program import lagrangian_bound, linear_maximum
from neuralgauge.surrogates.norms import largest_stretch, sum_of_entries


@pytest.mark.parametrize("seed", range(10))
def test_any_multipliers_bound_a_linear_program(seed):
    rng = np.random.default_rng(seed)
    cost, A = rng.standard_normal(4) * 10.0 ** rng.integers(-8, 8), rng.standard_normal((6, 4))
    lower = rng.uniform(-2, 0, 4)
    upper = lower + rng.uniform(0, 3, 4)
    b = A @ rng.uniform(lower, upper) + rng.uniform(0, 1, 6)
    want = -linprog(-cost, A_ub=A, b_ub=b, bounds=np.column_stack([lower, upper])).fun
    found = linear_maximum(cost, A, b, lower, upper)
    size = np.abs(cost).sum()
    assert want - 1e-12 * size <= found.bound <= want + 1e-9 * size
    assert np.all(A @ found.point <= b + 1e-9)
    for _ in range(20):
        multipliers = rng.exponential(size, 6)
        assert lagrangian_bound(cost, A, b, lower, upper, multipliers) >= want - 1e-12 * size


@pytest.mark.parametrize("seed", range(10))
def test_estimates_are_above_all_sums(seed):
    rng = np.random.default_rng(seed)
    m, c, d = int(rng.integers(0, 7)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    fixed = rng.standard_normal((c, d))
    parts = np.einsum("mc,md->mcd", rng.standard_normal((m, c)), rng.standard_normal((m, d)))
    entries, stretch = sum_of_entries(fixed[0], parts[:, 0]), largest_stretch(fixed, parts)
    for chosen in itertools.product((0.0, 1.0), repeat=m):
        s = np.array(chosen)
        J = fixed + np.tensordot(s, parts, axes=1)
        assert np.abs(J[0]).sum() <= entries.root(entries.constant + entries.share @ s)
        assert np.linalg.norm(J, 2) <= stretch.root(stretch.constant + stretch.share @ s)
    if m == 0:
        assert entries.root(entries.constant) == pytest.approx(np.abs(fixed[0]).sum())
        assert stretch.root(stretch.constant) == pytest.approx(np.linalg.norm(fixed, 2))


@pytest.mark.parametrize("seed", range(10))
def test_facets_are_above_a_neuron_and_equal_its_concave_envelope(seed):
    """The envelope at t by its definition: the best mean of the corners' values over weights whose mean is t."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 5))
    slope, level, t = rng.standard_normal((3, k)), rng.standard_normal(3), rng.uniform(-1, 1, k)
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=k)))
    slopes, levels = facets_above(slope, level, t)
    values = np.maximum(corners @ slope.T + level, 0.0)
    assert np.all(corners @ slopes.T + levels >= values - 1e-12)  # convex, so that corners are enough
    for j in range(3):
        A = np.vstack([corners.T, np.ones(len(corners))])
        want = -linprog(-values[:, j], A_eq=A, b_eq=np.append(t, 1.0)).fun
        assert slopes[j] @ t + levels[j] == pytest.approx(want, abs=1e-9)
