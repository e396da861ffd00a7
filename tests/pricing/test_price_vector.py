"""Pricing of several outputs: sweeps and the search over directions against dense grids and against each other."""

import numpy as np
import pytest

from neuralgauge.errors import InvalidInputError
from neuralgauge.pricing import ascend_vector, plane_maxima, price
from neuralgauge.pricing.kinks import kink_form
from neuralgauge.pricing.sweep_plane import leading
from neuralgauge.pricing.sweep_space_vector import leading_eigenvector


def tables(problems, ranks, seed, count, outputs=(2, 3), n_max=10):
    """Random and degenerate X; V random, of integers, with rows summing to zero, of deficient rank, with zero rows."""
    rng = np.random.default_rng(seed)
    for k, (v, X) in enumerate(problems(ranks, seed, count=count, n_max=n_max)):
        n, c = len(v), int(rng.choice(outputs))
        V = rng.integers(-2, 3, (n, c)).astype(float) if k % 2 else rng.standard_normal((n, c))
        if k % 5 == 1:
            V -= V.mean(axis=1, keepdims=True)
        if k % 5 == 2:
            V = np.outer(v, rng.integers(-2, 3, c))
        if k % 5 == 3:
            V[rng.integers(n)] = 0.0
        yield V, X


def mass_of(V, X):
    return np.linalg.norm(V, axis=1) @ np.linalg.norm(X, axis=1)


def enclosure_by_scalar_prices(V, X, k):
    """Brute force: prices of V g over k directions g of the half circle; the maximum is at most cos(pi / 2k) away."""
    angle = (np.arange(k) + 0.5) * np.pi / k
    value = max(price(V @ np.array([np.cos(t), np.sin(t)]), X).value for t in angle)
    return value, value / np.cos(0.5 * np.pi / k)


@pytest.mark.parametrize(("rank", "count"), [(1, 10), (2, 20), (3, 20)])
def test_two_outputs_against_a_grid_of_directions(rank, count, problems):
    for V, X in tables(problems, [rank], 20 + rank, count, outputs=[2]):
        result, mass = price(V, X), mass_of(V, X)
        low, high = enclosure_by_scalar_prices(V, X, 100)
        assert low - 1e-13 * mass <= result.value <= high * (1.0 + 1e-12) + 1e-13 * mass
        assert result.value <= result.bound <= result.value + 1e-11 * mass
        assert result.closed
        assert result.method == "sweep"


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_value_is_attained_and_nothing_found_by_sampling_is_above_the_bound(rank, problems):
    rng = np.random.default_rng(rank)
    for V, X in tables(problems, [rank], 30 + rank, 30 if rank < 4 else 8, outputs=[2, 3, 5], n_max=14):
        V_before, X_before = V.copy(), X.copy()
        result, mass = price(V, X), mass_of(V, X)
        output = V.T @ np.maximum(X @ result.u, 0.0)
        assert result.value == pytest.approx(np.linalg.norm(output), rel=1e-13, abs=1e-300)
        assert result.value == pytest.approx(result.direction @ output, rel=1e-13, abs=1e-300)
        assert np.linalg.norm(result.u) == pytest.approx(1.0, abs=1e-14)
        assert np.linalg.norm(result.direction) == pytest.approx(1.0, abs=1e-14)
        assert (result.sign, result.closed) == (1, True)
        U = rng.standard_normal((X.shape[1], 3000))
        sampled = np.linalg.norm(V.T @ np.maximum(X @ (U / np.linalg.norm(U, axis=0)), 0.0), axis=0).max()
        assert sampled <= result.bound * (1.0 + 1e-14)
        found = ascend_vector(V, X, 60).values[0]
        assert found <= result.bound * (1.0 + 1e-14)
        if rank <= 3:
            assert found <= result.value + 1e-13 * mass
        assert np.array_equal(V, V_before)
        assert np.array_equal(X, X_before)


@pytest.mark.parametrize(("rank", "count"), [(2, 25), (3, 25)])
def test_sweep_and_search_over_directions_agree(rank, count, problems):
    for V, X in tables(problems, [rank], 40 + rank, count, outputs=[2, 3, 4]):
        exact, mass = price(V, X, method="auto"), mass_of(V, X)
        searched = price(V, X, method="branch_and_bound", tol=1e-4)
        assert searched.closed
        assert searched.value <= exact.value + 1e-13 * mass
        assert exact.value <= searched.bound <= exact.value * (1.0 + 1.01e-4) + 1e-12 * mass


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_one_column_is_one_output(rank, problems):
    for v, X in problems([rank], 50 + rank, 10, n_max=10):
        one, column = price(v, X), price(v[:, None], X)
        assert (one.value, one.bound, one.sign) == (column.value, column.bound, column.sign)
        assert np.array_equal(one.u, column.u)
        assert one.direction.tolist() == [one.sign]


@pytest.mark.parametrize("rank", [2, 3, 4])
def test_dual_of_rank_one_is_one_output(rank, problems):
    g = np.array([2.0, -1.0, 2.0]) / 3.0
    for v, X in problems([rank], 60 + rank, 10, n_max=10):
        one, several = price(v, X), price(np.outer(v, g), X)
        assert several.value == pytest.approx(one.value, rel=1e-5, abs=1e-13)
        assert several.bound == pytest.approx(one.bound, rel=2e-5, abs=1e-12)
        if one.value > 0.0:
            np.testing.assert_allclose(np.abs(several.direction @ g), 1.0, atol=1e-12)


@pytest.mark.parametrize("rank", [2, 3])
def test_turning_the_outputs_changes_nothing(rank, rng):
    V, X = rng.standard_normal((25, 4)), rng.standard_normal((25, rank))
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    plain, turned = price(V, X), price(V @ Q, X)
    assert turned.value == pytest.approx(plain.value, rel=1e-12)
    np.testing.assert_allclose(Q @ turned.direction, plain.direction, atol=1e-9)
    padded = price(np.column_stack([V, np.zeros(25)]), X)
    assert padded.value == pytest.approx(plain.value, rel=1e-13)


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_nothing_to_gain_is_worth_nothing(d):
    for V, X in ((np.zeros((4, 2)), np.ones((4, d))), (np.ones((4, 2)), np.zeros((4, d)))):
        result = price(V, X)
        assert (result.value, result.bound, result.closed) == (0.0, 0.0, True)
        assert np.linalg.norm(result.u) == np.linalg.norm(result.direction) == 1.0


@pytest.mark.parametrize("d", [2, 3, 4])
def test_opposite_rows_that_cancel_leave_a_linear_output(d, rng):
    X, V = rng.standard_normal((6, d)), rng.standard_normal((6, 3))
    result = price(np.vstack([V, -V]), np.vstack([X, -X]))
    assert result.value == pytest.approx(np.linalg.svd(V.T @ X)[1][0], rel=1e-12)
    assert result.bound == pytest.approx(result.value, rel=1e-11)


@pytest.mark.parametrize("c", [2, 3])
def test_cells_in_which_every_direction_is_as_good(c):
    """On the positive orthant the outputs are u itself: the largest singular value is repeated, |M u| constant."""
    for d in (2, 3):
        X = np.vstack([np.eye(d), -np.eye(d)])
        V = np.vstack([np.eye(d, max(c, d)), np.zeros((d, max(c, d)))])
        result = price(V, X)
        assert result.value == pytest.approx(1.0, abs=1e-14)
        assert result.bound <= 1.0 + 1e-11


@pytest.mark.parametrize("d", [2, 3, 4])
def test_scales_with_its_arguments(d):
    rng = np.random.default_rng(d)
    V, X = rng.standard_normal((10, 2)), rng.standard_normal((10, d))
    value = price(V, X).value
    for a, b in ((1e200, 1e-100), (1e-180, 1e-20)):
        assert price(a * V, b * X).value == pytest.approx(a * b * value, rel=1e-5)


@pytest.mark.parametrize(("factor", "above"), [(0.9, True), (1.01, False), (-1.0, True)])
def test_target_is_decided(factor, above):
    rng = np.random.default_rng(6)
    V, X = rng.standard_normal((40, 3)), rng.standard_normal((40, 4))
    full = price(V, X)
    result = price(V, X, target=factor * full.value)
    assert (result.value > factor * full.value) is above
    assert above or result.bound <= factor * full.value
    assert result.n_nodes <= full.n_nodes


@pytest.mark.parametrize("c", [2, 12])
def test_time_limit_leaves_a_bound(c):
    rng = np.random.default_rng(7)
    V, X = rng.standard_normal((60, c)), rng.standard_normal((60, 7))
    result = price(V, X, time_limit=0.3)
    assert not result.closed
    assert result.value < result.bound < mass_of(V, X)
    assert result.history[-1][0] < 10.0
    assert result.history[0][2] >= result.history[-1][2] >= result.bound * (1.0 - 1e-12)


def test_few_directions_are_priced():
    rng = np.random.default_rng(8)
    V, X = rng.standard_normal((100, 2)), rng.standard_normal((100, 3))
    result = price(V, X, method="branch_and_bound", tol=1e-6)
    assert result.closed
    assert len(result.history) < 60


@pytest.mark.parametrize(("rank", "integer"), [(2, False), (2, True)])
def test_plane_maxima_hold_every_maximum_of_a_dense_grid(rank, integer):
    angle = np.linspace(0.0, 2.0 * np.pi, 20001)[:-1]
    for seed in range(15):
        rng = np.random.default_rng(seed)
        X = rng.integers(-2, 3, (9, 2)).astype(float) if integer else rng.standard_normal((9, 2))
        V = rng.integers(-2, 3, (9, 3)).astype(float) if integer else rng.standard_normal((9, 3))
        values, U, G = plane_maxima(V, X, np.eye(2))
        outputs = np.maximum(X @ U, 0.0).T @ V
        np.testing.assert_allclose(np.linalg.norm(U, axis=0), 1.0)
        np.testing.assert_allclose(np.linalg.norm(G, axis=1), 1.0)
        np.testing.assert_allclose(values, np.einsum("kc,kc->k", outputs, G), atol=1e-12)
        assert values[0] == pytest.approx(price(V, X).value, abs=1e-12)
        h = np.linalg.norm(V.T @ np.maximum(X @ np.stack([np.cos(angle), np.sin(angle)]), 0.0), axis=0)
        for value in h[(h > np.roll(h, 1)) & (h > np.roll(h, -1))]:
            assert np.min(np.abs(values - value)) < 1e-3  # the grid may straddle a kink


def test_plane_maxima_of_nothing_and_of_few():
    values, U, G = plane_maxima(np.ones((3, 2)), np.zeros((3, 2)), np.eye(2))
    assert (values.tolist(), U.shape, G.shape) == ([0.0], (2, 1), (1, 2))
    rng = np.random.default_rng(0)
    assert len(plane_maxima(rng.standard_normal((50, 2)), rng.standard_normal((50, 2)), np.eye(2), 3).values) == 3


def test_kink_form_is_the_output(problems):
    rng = np.random.default_rng(1)
    for V, X in tables(problems, [1, 2, 3, 4], 70, 40):
        form = kink_form(V, X)
        z = rng.standard_normal(form.rank)
        z /= np.linalg.norm(z)
        output = V.T @ np.maximum(X @ (form.basis @ z), 0.0)
        assert np.linalg.norm(output - form.b @ z - np.abs(form.Z @ z) @ form.w) <= form.margin + 1e-16
        assert form.margin <= 1e-13 * (1.0 + form.mass)


def test_leading_singular_vectors(rng):
    M = rng.standard_normal((50, 4, 2))
    values, tops = leading(M)
    np.testing.assert_allclose(values, np.linalg.svd(M)[1][:, 0], rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(np.einsum("kij,kj->ki", M, tops), axis=1), values, rtol=1e-13)


@pytest.mark.parametrize("gap", [1.0, 1e-6, 1e-12, 1e-16, 0.0])
def test_leading_eigenvector_when_eigenvalues_nearly_coincide(gap, rng):
    for third in (0.3, 1.0):
        Q = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        A = Q @ np.diag([1.0 + gap, 1.0, third]) @ Q.T
        A = 0.5 * (A + A.T)
        t = np.zeros(3)
        value = leading_eigenvector(A.copy(), np.zeros((3, 3)), t)
        assert value == pytest.approx(np.linalg.eigvalsh(A)[-1], abs=4e-15)
        assert t @ A @ t == pytest.approx(value, abs=4e-15)
        assert np.linalg.norm(t) == pytest.approx(1.0, abs=1e-14)


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(InvalidInputError, match=r"`v` must have one row per row of X \(3\), got 2\."):
        price(np.ones((2, 2)), np.ones((3, 2)))
    with pytest.raises(InvalidInputError, match="`v` must have one dimension, got shape"):
        price(np.ones((3, 2, 2)), np.ones((3, 2)))
    with pytest.raises(InvalidInputError, match="ragged"):
        price([[1.0, 2.0], [1.0]], np.ones((2, 2)))
