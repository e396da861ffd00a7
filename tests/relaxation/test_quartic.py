"""The quartic relaxation row by row: its maps, no bound too high, the value of the same program by a general solver."""

from itertools import islice

import numpy as np
import pytest
from cases import rough_rows
from proof_cases import LOSSES, names, small_problem
from relaxation_twin import quartic_value

import neuralgauge as ng
from neuralgauge.relaxation._quartic_system import QuarticSystem
from neuralgauge.relaxation._row_method import gain
from neuralgauge.relaxation._sphere import count, sphere
from neuralgauge.relaxation.multipliers import power_of_two
from neuralgauge.relaxation.proven_bound import proven_value
from neuralgauge.relaxation.quartic_interior_point import QuarticByRow
from neuralgauge.relaxation.quartic_multipliers import QuarticMultipliers


def bounds(problem, count=25):
    """What each iterate proves."""
    for iterate in islice(QuarticByRow(problem), count):
        yield proven_value(problem, problem.fit.project(iterate.v), iterate.multipliers())


def moments_of(u):
    """Moments of one neuron and its basis."""
    whole, a = sphere(len(u)), np.linalg.norm(u)
    product = lambda some: np.prod(u[some.indices], axis=1)  # noqa: E731
    basis = np.concatenate([np.sqrt(whole.two.multiplicity) * product(whole.two), a * u])
    return np.concatenate([product(whole.four), a * product(whole.three)]), basis


@pytest.mark.parametrize("r", [2, 3, 5])
def test_moments_of_a_neuron_are_what_the_maps_say(r):
    rng, whole = np.random.default_rng(r), sphere(r)
    u = rng.standard_normal(r)
    y, basis = moments_of(u)
    a = np.linalg.norm(u)
    assert len(y) == count(r)
    assert np.allclose((whole.basis @ y).reshape(whole.order, -1), np.outer(basis, basis))
    assert np.allclose(whole.squares @ y, a**2 * np.outer(u, u)[np.triu_indices(r)])
    assert np.allclose(whole.means @ y, a**3 * u)
    assert basis @ basis == pytest.approx(2.0 * a**4)
    polynomial = rng.standard_normal(len(y))
    S = (whole.inverse @ polynomial).reshape(whole.order, -1)
    assert np.array_equal(S, S.T)
    assert basis @ S @ basis == pytest.approx(polynomial @ y)


def test_uniform_moments_are_means_over_the_sphere():
    u = np.random.default_rng(0).standard_normal((400_000, 3))
    u /= np.linalg.norm(u, axis=1)[:, None]
    assert np.allclose(np.mean([moments_of(one)[0] for one in u[:4000]], axis=0), sphere(3).uniform(), atol=0.03)
    assert np.mean(u[:, 0] ** 4) == pytest.approx(sphere(3).uniform()[0], abs=1e-3)


@pytest.fixture
def system():
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((7, 3))
    return QuarticSystem(Z / np.linalg.norm(Z, axis=1)[:, None], offset=True)


def test_rows_see_moments_along_them(system):
    u = np.random.default_rng(1).standard_normal(3)
    powers, images = system.seen(moments_of(u)[0][None])
    a, h = np.linalg.norm(u), system.Z @ u
    assert np.allclose(powers[0], [a ** (4 - k) * h**k for k in range(5)])
    assert np.allclose(images[0], a**2 * h[:, None] * u)


def test_passes_are_adjoint_in_parts_too(system, monkeypatch):
    monkeypatch.setattr("neuralgauge.relaxation._quartic_system.HELD_POWERS", 60)
    rng = np.random.default_rng(2)
    y, powers, of_U = rng.standard_normal((2, count(3))), rng.standard_normal((2, 5, 7)), rng.standard_normal((2, 7, 3))
    seen, images = system.seen(y)
    assert np.sum(seen * powers) + np.sum(images * of_U) == pytest.approx(np.sum(y * system.pulled(powers, of_U)))


def test_the_newton_system_is_the_sum_of_its_curvatures(system):
    """Solved, and put together again from what rows and cones see of the solution."""
    rng = np.random.default_rng(3)
    n, r, k = 7, 3, sphere(3).order
    K = rng.standard_normal((n, 13, 13))
    K = (K @ K.swapaxes(1, 2)).transpose(1, 2, 0)
    c, norms = rng.standard_normal((2, n, r)), rng.uniform(0.1, 1.0, (2, n))
    P = rng.standard_normal((2, k, k))
    P = P @ P.swapaxes(1, 2) + np.eye(k)
    system.factorize(K.copy(), c, norms, P)
    gradient, b = rng.standard_normal((2, count(3))), 0.3
    y, offset = system.solve(gradient, b)
    powers, images = system.seen(y)
    tails = np.einsum("snk,snk->sn", c, images)
    z = np.concatenate([powers[0], tails[:1], powers[1], tails[1:], np.full((1, n), offset)])
    pull = np.einsum("xzn,zn->xn", K, z)
    signed = pull[:12].reshape(2, 6, n)
    of_U = signed[:, 5, :, None] * c + norms[:, :, None] * images
    cone = P @ (system.sphere.basis @ y.T).T.reshape(2, k, k) @ P
    again = system.pulled(signed[:, :5], of_U) + (system.sphere.basis.T @ cone.reshape(2, -1).T).T
    assert np.allclose(again, gradient)
    assert pull[12].sum() == pytest.approx(b)


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 20))])
@pytest.mark.parametrize("loss", LOSSES, ids=names)
def test_no_bound_is_above_the_optimum(loss, seed):
    problem = small_problem(loss, seed)
    if not (gain(problem) > 0 and np.any(problem.X)):
        return
    trained = ng.train(problem, gap=1e-6)
    assert trained.certificate.scope == "exact"
    found = list(bounds(problem))
    assert len(found) > 5
    assert max(found) <= trained.certificate.upper
    assert found[-1] >= (1 - 1e-4) * max(found)


def random_multipliers(rng, X, size):
    d, rows = X.shape[1], np.flatnonzero(np.any(X, axis=1))
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return QuarticMultipliers(
        power_of_two(X),
        axes,
        rows,
        size * rng.standard_normal((2, len(rows), 3, 3)),
        size * rng.standard_normal((2, len(rows), 2, 2)),
        size * rng.standard_normal((len(rows), d)),
        size * rng.standard_normal((sphere(d).order, sphere(d).order)),
    )


@pytest.mark.parametrize("seed", range(40))
def test_any_multipliers_bound_the_scores(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 9)), int(rng.integers(2, 4))
    X, v = rough_rows(rng, seed, n, d), 10.0 ** rng.integers(-3, 4) * rng.standard_normal(n)
    if not np.any(X):
        return
    beta = float(rng.uniform(0.0, 3.0))
    multipliers = random_multipliers(rng, X, 10.0 ** rng.integers(-4, 2))
    U = rng.standard_normal((d, 2000))
    best = np.max(v @ np.maximum(X @ U, 0.0) / np.linalg.norm(U, axis=0))
    assert best <= multipliers.polar_bound(X, v, beta)
    # Without |v| |X| to fall back on, too.
    assert best <= multipliers._bound(X / multipliers.scale, multipliers.scale * v, beta)


@pytest.mark.parametrize("share", [0.03, 0.3])
def test_the_value_is_that_of_a_general_solver(share):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((8, 3))
    problem = ng.TrainingProblem(X, np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.standard_normal(8), beta=1.0, bias=False)
    problem = problem.with_beta(share * float(ng.beta_max(problem)))
    assert max(bounds(problem)) == pytest.approx(quartic_value(problem), rel=1e-4)


def test_it_comes_before_the_whole_relaxation_for_many_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 4))
    problem = ng.TrainingProblem(X, np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.standard_normal(400), beta=1.0)
    problem = problem.with_beta(0.05 * float(ng.beta_max(problem)))
    kinds = []

    def progress(record):
        if len(kinds) == 35:
            raise KeyboardInterrupt
        kinds.append(record.lower_bound)

    bound = ng.prove_bound(problem, progress=progress)
    assert isinstance(bound.multipliers[0], QuarticMultipliers)
    assert bound.check(problem) == bound.value >= kinds[-1]
