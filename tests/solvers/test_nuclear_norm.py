"""Training of linear convolutional networks: against conic solvers and each other, limits, statuses, systems."""

import itertools
import warnings

import cvxpy as cp
import numpy as np
import pytest
from cases import targets_of
from registry.losses import FORMULAS, KINKED
from sklearn.datasets import load_digits

import neuralgauge as ng
from neuralgauge.certificate import lower_bound
from neuralgauge.losses import LOSSES
from neuralgauge.programs.linear_conv import LinearConvProgram
from neuralgauge.solvers._conv_proximal_gradient import shrunk
from neuralgauge.solvers._conv_system import Accuracy, ConvSystem, Point
from neuralgauge.solvers.conv_interior_point import ConvInteriorPoint
from neuralgauge.solvers.nuclear_norm import solve_nuclear_norm
from neuralgauge.solvers.run import Run

SIZES = {"more pixels": (9, 14), "more samples": (30, 7)}  # samples, pixels: the two kinds of systems
sizes = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)


def train_linear_conv(problem, gap=1e-6, time_limit=None, progress=None, **options):
    return solve_nuclear_norm(problem, Run(gap, time_limit, progress), **options)


def make(size=(12, 10), loss="squared", c=1, beta=None, fraction=0.1, seed=0, **options):
    rng = np.random.default_rng(seed)
    y = targets_of(loss, rng.standard_normal((size[0], 3 if loss == "softmax" else c)))
    options = {"filter_size": 3, **options}
    problem = ng.LinearConvProblem(rng.standard_normal(size), y, beta=1.0, loss=loss, **options)
    return problem.with_beta(fraction * ng.beta_max(problem) if beta is None else beta)


def dense_loss(problem, f):
    """The loss as CVXPY writes it."""
    y, s = problem.y.reshape(problem.n, -1), problem.sample_weight[:, None]
    terms = FORMULAS[problem.loss.name].convex(f, y)
    return cp.sum(cp.multiply(np.broadcast_to(s, y.shape) if terms.ndim == 2 else s[:, 0], terms))


def reference(problem, form="nuclear norm"):
    """The optimum by CVXPY from explicit patches: the nuclear norm itself, or the semidefinite program [11]."""
    K, c, d = problem.n_positions, problem.c, problem.d
    stacked = problem.geometry.stack(problem.X.reshape(problem.n, *problem.geometry.shape)).reshape(-1, K, d)
    Z = cp.Variable((d, K * c))
    b = cp.Variable((1, c)) if problem.offset else np.zeros((1, c))
    outputs = [sum(stacked[:, k] @ Z[:, k * c + j] for k in range(K)) for j in range(c)]
    f = cp.vstack(outputs).T + np.ones((problem.n, 1)) @ b
    if form == "nuclear norm":
        objective, constraints = dense_loss(problem, f) + problem.beta * cp.normNuc(Z), []
    else:
        W = cp.Variable((d + K * c, d + K * c), PSD=True)
        objective = dense_loss(problem, f) + problem.beta / 2 * cp.trace(W)
        constraints = [W[:d, d:] == Z]
    solved = cp.Problem(cp.Minimize(objective), constraints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it may be inaccurate, where it stops short of 1e-9
        solved.solve(solver=cp.CLARABEL, tol_gap_rel=1e-9, tol_gap_abs=1e-9, tol_feas=1e-9)
    return solved.value


def check(problem, solution, gap):
    """What must hold of every solution."""
    certificate, net = solution.certificate, solution.network
    assert solution.status is ng.Status.SOLVED
    assert certificate.scope == "exact"
    assert certificate.gap <= gap
    assert certificate.lower <= certificate.upper
    f = net.predict(problem.X.reshape(problem.n, *problem.geometry.shape)).reshape(problem.y.shape)
    penalty = 0.5 * problem.beta * (np.sum(net.U**2) + np.sum(net.A**2))
    assert certificate.upper == pytest.approx(problem.fit.value(f) + penalty, rel=1e-12)
    assert net.n_neurons <= problem.d
    np.testing.assert_allclose(np.linalg.norm(net.U, axis=0), np.linalg.norm(net.A, axis=(1, 2)), rtol=1e-10)
    assert lower_bound(problem, solution.dual, problem.polar(solution.dual).bound) == certificate.lower


@sizes
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_reaches_the_optimum_of_a_conic_solver(loss, size):
    problem = make(size, loss)
    gap = 1e-6 if loss in KINKED else 1e-8  # which is not always within rounding
    solution = train_linear_conv(problem, gap)
    check(problem, solution, gap)
    assert solution.certificate.upper == pytest.approx(reference(problem), rel=2e-6)
    assert solution.n_iter <= 15


@sizes
@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge", "huber", "softmax"])
@pytest.mark.parametrize("options", [{"offset": True}, {"weighted": True}, {"offset": True, "weighted": True}], ids=str)
def test_offsets_weights_and_several_outputs(loss, options, size):
    weight = np.random.default_rng(1).uniform(0.3, 3.0, size[0]) if options.get("weighted") else None
    problem = make(size, loss, c=2, offset=options.get("offset", False), sample_weight=weight)
    gap = 1e-6 if loss in KINKED else 1e-8  # which is not always within rounding
    solution = train_linear_conv(problem, gap)
    check(problem, solution, gap)
    assert solution.certificate.upper == pytest.approx(reference(problem), rel=2e-6)
    if problem.offset:
        assert np.abs(solution.dual.reshape(problem.n, -1).sum(axis=0)).max() < 1e-9 * np.abs(solution.dual).sum()


@pytest.mark.parametrize(
    "options",
    [
        {"size": (8, 5, 5, 2), "filter_size": (2, 3)},
        {"size": (8, 6, 6, 1), "filter_size": 3, "stride": (1, 3), "padding": (1, 0)},
        {"size": (20, 9), "filter_size": 4, "padding": "same", "padding_mode": "circular"},
        {"size": (6, 5), "filter_size": 5},
        {"size": (9, 5), "filter_size": 2, "padding": 4, "padding_mode": "circular"},
        {"size": (6, 5), "filter_size": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("fraction", [0.5, 0.02])
def test_geometries_against_the_semidefinite_program(options, fraction):
    problem = make(fraction=fraction, **options)
    solution = train_linear_conv(problem, gap=1e-8)
    check(problem, solution, 1e-8)
    assert solution.certificate.upper == pytest.approx(reference(problem, "semidefinite"), rel=1e-6)


@sizes
@pytest.mark.parametrize("loss", ["squared", "squared_hinge", "huber", "logistic", "poisson", "softmax"])
def test_the_two_solvers_agree(loss, size):
    problem = make(size, loss, c=2, offset=loss != "poisson", fraction=0.3)
    solutions = [train_linear_conv(problem, 1e-6, solver=name) for name in ("interior_point", "proximal_gradient")]
    for solution in solutions:
        check(problem, solution, 1e-6)
    assert solutions[0].certificate.upper == pytest.approx(solutions[1].certificate.upper, rel=2e-6)


def test_local_search_on_the_weights_ends_at_the_optimum():
    from scipy.optimize import minimize

    problem = make(fraction=0.2)
    d, K = problem.d, problem.n_positions
    stacked = problem.geometry.stack(problem.X.reshape(problem.n, *problem.geometry.shape)).reshape(-1, K, d)

    def objective(theta):
        U, A = theta[: d * d].reshape(d, d), theta[d * d :].reshape(d, K)
        r = np.einsum("nkd,dj,jk->n", stacked, U, A) - problem.y
        gradient = np.concatenate(
            [np.einsum("n,nkd,jk->dj", r, stacked, A).ravel(), np.einsum("n,nkd,dj->jk", r, stacked, U).ravel()]
        )
        return 0.5 * r @ r + 0.5 * problem.beta * theta @ theta, gradient + problem.beta * theta

    start = np.random.default_rng(0).standard_normal(d * d + d * K)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15})
    solution = train_linear_conv(problem, gap=1e-9)
    assert found.fun >= solution.certificate.lower
    assert found.fun == pytest.approx(solution.certificate.upper, rel=1e-6)


@pytest.mark.parametrize("loss", ["squared", "hinge", "softmax"])
@pytest.mark.parametrize("offset", [False, True])
def test_at_beta_max_no_filter_is_used_and_below_one_is(loss, offset):
    for factor, used in ((1.0 + 1e-9, False), (1.5, False), (0.97, True)):
        problem = make(loss=loss, offset=offset, fraction=factor, seed=3)
        solution = train_linear_conv(problem, gap=1e-7)  # the hinge loss ends near 2e-8 by rounding
        if not (loss == "hinge" and offset):  # at a kink beta_max takes one subgradient, and a smaller one may do
            assert (solution.network.n_neurons > 0) == used
        assert solution.status is ng.Status.SOLVED


def test_targets_of_zero_need_no_network():
    problem = ng.LinearConvProblem(np.ones((3, 5)), np.zeros(3), beta=1.0, filter_size=2)
    solution = train_linear_conv(problem)
    assert ng.beta_max(problem) == 0.0
    assert (solution.certificate.upper, solution.certificate.gap) == (0.0, 0.0)
    assert solution.network.predict(np.ones((2, 5))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("size", [(1, 6), (5, 3), (40, 3)])
@pytest.mark.parametrize("fraction", [0.9, 1e-4])
def test_single_samples_positions_and_small_penalties(size, fraction):
    problem = make(size, fraction=fraction)
    check(problem, train_linear_conv(problem, gap=1e-7), 1e-7)


def test_images_with_dead_pixels_and_repeated_samples():
    rng = np.random.default_rng(0)
    images = np.zeros((12, 8))
    images[:, 2:5] = rng.integers(0, 3, (12, 3))
    images[6:] = images[:6]
    y = np.sign(images[:, 3] - images[:, 2] + 0.5)
    for loss in ("squared", "hinge", "logistic"):
        problem = ng.LinearConvProblem(images, y, beta=0.1, filter_size=3, loss=loss)
        check(problem, train_linear_conv(problem), 1e-6)


def test_the_history_and_progress_tell_the_same():
    seen = []
    solution = train_linear_conv(make(), gap=1e-8, progress=seen.append)
    assert tuple(seen) == solution.history
    assert len(seen) == solution.n_iter + 1
    assert all(a.objective >= b.objective for a, b in itertools.pairwise(seen))
    assert all(a.lower_bound <= b.lower_bound for a, b in itertools.pairwise(seen))


@pytest.mark.parametrize("solver", ["interior_point", "proximal_gradient"])
def test_limits_and_interrupts_return_the_best_so_far(solver):
    problem = make(size=(40, 20), fraction=1e-3)

    def interrupt(record):
        if record.objective < problem.fit.value(np.zeros(40)):
            raise KeyboardInterrupt

    endings = {
        ng.Status.ITERATION_LIMIT: {"max_iter": 2 if solver == "interior_point" else 20},
        ng.Status.TIME_LIMIT: {"time_limit": 1e-9},
        ng.Status.INTERRUPTED: {"progress": interrupt},
    }
    for status, options in endings.items():
        solution = train_linear_conv(problem, gap=1e-12, solver=solver, **options)
        assert solution.status is status
        assert 0.0 < solution.certificate.gap <= 1.0
        assert problem.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-12)


def test_what_double_precision_does_not_allow_is_said():
    solution = train_linear_conv(make(), gap=0.0)
    assert solution.status is ng.Status.STALLED
    assert solution.certificate.gap < 1e-8


@pytest.mark.parametrize("loss", KINKED)
def test_the_proximal_gradient_refuses_kinks(loss):
    with pytest.raises(ng.InvalidInputError, match=f"loss without kinks, got {loss}; take .interior_point"):
        train_linear_conv(make(loss=loss), solver="proximal_gradient")


def test_long_filters_are_left_to_the_proximal_gradient():
    problem = make(size=(6, 160), filter_size=140, fraction=0.5)
    solution = train_linear_conv(problem, gap=1e-5)
    check(problem, solution, 1e-5)
    assert solution.n_iter % 10 == 0
    assert solution.n_iter > 0


def test_the_proximal_point_lowers_singular_values(rng):
    for shape in ((3, 8), (8, 3)):
        Z = rng.standard_normal(shape)
        P, s, Qt = np.linalg.svd(Z, full_matrices=False)
        np.testing.assert_allclose(shrunk(Z, s[1]), (P * np.maximum(s - s[1], 0.0)) @ Qt, atol=1e-12)
        assert not shrunk(Z, 2.0 * s[0]).any()


@sizes
@pytest.mark.parametrize("loss", ["squared", "hinge", "logistic", "softmax"])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("options", [{}, {"padding": 3, "padding_mode": "circular"}], ids=str)
def test_systems_against_matrices(loss, offset, options, size, rng):
    """The Newton systems solve (I + N h) df = u, N by its definition from explicit patches."""
    problem = make(size, loss, c=2, offset=offset, **options)
    program = LinearConvProgram(problem)
    system = ConvSystem(program)
    n, c, d = problem.n, problem.c, problem.d
    T = (
        0.3
        * problem.beta
        / ng.beta_max(problem)
        * problem.images.patched_adjoint(problem.fit.empty_dual.reshape(problem.n, -1))
    )
    roots = [rng.standard_normal((d, d)) for _ in range(2)]
    M, G = roots[0] @ roots[0].T, roots[1]
    h = rng.uniform(0.1, 2.0, (n, c))
    system.prepare(Point(T, M, G), h)
    W = G @ G.T

    def by_definition(v):
        T_v = problem.images.patched_adjoint(v.reshape(problem.n, -1))
        Z = M @ T_v + W @ (T @ T_v.T + T_v @ T.T) @ W @ T
        f = program.forward(Z).reshape(n, c)
        return f + (system.variance * v.reshape(n, c).sum(axis=0) if offset else 0.0)

    if loss != "softmax":  # one solve is exact
        w = rng.standard_normal((n, c))
        z, N_z = system.factors.solve(w)
        np.testing.assert_allclose(z + h * by_definition(z).reshape(n, c), w, atol=1e-5 if offset else 1e-9)
        np.testing.assert_allclose(N_z.ravel(), by_definition(z).ravel(), atol=1e-5 if offset else 1e-9)
    N = np.column_stack([by_definition(e).ravel() for e in np.eye(n * c)])
    np.testing.assert_allclose(N, N.T, atol=1e-9 * np.abs(N).max())
    assert np.linalg.eigvalsh(N)[0] > -1e-9 * np.abs(N).max()
    if loss == "softmax":
        blocks = problem.loss.hessian(rng.standard_normal((n, c)), problem.y)
        H = np.zeros((n, c, n, c))
        H[np.arange(n), :, np.arange(n)] = blocks
        H = H.reshape(n * c, n * c)
    else:
        H = np.diag(h.ravel())
    u, shift = rng.standard_normal((n, c)), np.zeros((n, c))
    if loss != "softmax":
        shift = rng.standard_normal((n, c))
    x, df = system.solve(lambda f: (H @ f.ravel()).reshape(n, c), shift, u, Accuracy(1e-14, 1e-8), None)
    expected = np.linalg.solve(np.eye(n * c) + N @ H, u.ravel() - N @ shift.ravel())
    tolerance = 1e-6 * np.abs(expected).max()
    if loss == "softmax":  # which does not see what is added to all outputs of a sample
        df = df - df.mean(axis=1, keepdims=True)
        expected = (expected.reshape(n, c) - expected.reshape(n, c).mean(axis=1, keepdims=True)).ravel()
    np.testing.assert_allclose(df.ravel(), expected, atol=tolerance)
    np.testing.assert_allclose(x.ravel(), H @ expected, atol=max(tolerance, 1e-6 * np.abs(H @ expected).max()))


def test_iterates_of_the_interior_point_are_strictly_feasible():
    problem = make(loss="logistic", offset=True)
    program = LinearConvProgram(problem)
    for count, iterate in enumerate(ConvInteriorPoint(program)):
        assert np.linalg.norm(program.adjoint(iterate.v), 2) < problem.beta
        if count == 6:
            break
    assert iterate.Z.shape == (problem.d, problem.n_positions)


@pytest.mark.parametrize(("n", "beta"), [(200, 1.0), (600, 10.0)])
def test_all_digits_under_softmax(n, beta):
    """Pixels that are always zero and more samples than pixels: conjugate gradients meet the rounding at once."""
    images, digit = load_digits(return_X_y=True)
    X = images[:n].reshape(n, 8, 8, 1) / 16
    problem = ng.LinearConvProblem(X, digit[:n], beta=beta, filter_size=3, loss="softmax")
    solution = train_linear_conv(problem, gap=1e-5)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.gap <= 1e-5
    by_descent = train_linear_conv(problem, gap=1e-2, solver="proximal_gradient")
    assert by_descent.certificate.lower <= solution.certificate.upper * (1 + 1e-12)
    assert solution.certificate.lower <= by_descent.certificate.upper


@pytest.mark.parametrize("solver", ["interior_point", "proximal_gradient", "fourier"])
def test_a_start_is_never_lost(solver, rng):
    X, y = rng.standard_normal((20, 12)), rng.standard_normal(20)
    circle = {"filter_size": 12, "padding": "same", "padding_mode": "circular"}
    problem = ng.LinearConvProblem(X, y, beta=1.0, **circle)
    trained = solve_nuclear_norm(problem, Run(1e-4), solver="interior_point")
    known, network = trained.certificate, trained.network
    for start in (trained, network, (network.U, network.A)):
        short = solve_nuclear_norm(problem, Run(1e-12), solver=solver, max_iter=0, start=start)
        assert short.certificate.upper <= known.upper * (1 + 1e-12)
        if start is trained:
            assert short.certificate.lower >= known.lower - 1e-12 * abs(known.lower)
    near = problem.with_beta(0.9 * problem.beta)
    solution = solve_nuclear_norm(near, Run(1e-7), solver=solver, start=trained)
    assert solution.status is ng.Status.SOLVED
    expected = solve_nuclear_norm(near, Run(1e-8)).certificate
    assert solution.certificate.upper == pytest.approx(expected.upper, rel=1e-6)
    assert solve_nuclear_norm(problem, Run(1e-3), solver=solver, start=trained).n_iter == 0
    with pytest.raises(ng.InvalidInputError, match="LinearConvNetwork"):
        solve_nuclear_norm(problem, Run(1e-3), solver=solver, start=ng.TwoLayerNetwork([[1.0]], [1.0], False))


@pytest.mark.parametrize("solver", ["interior_point", "proximal_gradient"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_mean_image_costs_nothing_beside_an_offset(solver, loss):
    """A hundred deviations away from zero, where the interior point once ended at the empty network."""
    near = make((20, 6), loss, offset=True, fraction=0.05, padding="same")
    far = ng.LinearConvProblem(
        near.X + 100.0, near.y, beta=near.beta, loss=loss, offset=True, filter_size=3, padding="same"
    )
    first, second = (train_linear_conv(problem, solver=solver) for problem in (near, far))
    assert first.status is second.status is ng.Status.SOLVED
    assert second.n_iter <= first.n_iter + 5
    assert second.certificate.upper == pytest.approx(first.certificate.upper, rel=2e-6)
    assert far.objective(second.network) == pytest.approx(second.certificate.upper, rel=1e-12)
