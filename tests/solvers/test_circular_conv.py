"""Circular linear convolutional networks: against CVXPY in pixels, matrices and frequencies, and on their own."""

import cvxpy as cp
import numpy as np
import pytest
from cases import dft_matrix, targets_of

import neuralgauge as ng
from neuralgauge.features.spectrum import Spectrum, nuclear_norms
from neuralgauge.losses import LOSSES
from neuralgauge.programs.circular_conv import CircularProgram, network_of_blocks
from neuralgauge.solvers import circular_conv
from neuralgauge.solvers.nuclear_norm import solve_nuclear_norm
from neuralgauge.solvers.reference import _loss_expression
from neuralgauge.solvers.run import Run

CIRCLE = {"padding": "same", "padding_mode": "circular"}
SHAPES = [(5, 1), (6, 1), (4, 2), (2, 3, 1), (3, 2, 2)]


def train_circular_conv(problem, gap=1e-8, time_limit=None, progress=None, max_iter=None):
    return solve_nuclear_norm(problem, Run(gap, time_limit, progress), solver="fourier", max_iter=max_iter)


def problem_of(rng, shape, c=1, *, n=7, beta=0.7, loss="squared", filter_size=None, **options):
    y = targets_of(loss, rng.standard_normal((n, c)))
    size = shape[:-1] if filter_size is None else filter_size
    images = rng.standard_normal((n, *shape))
    return ng.LinearConvProblem(images, y, beta=beta, loss=loss, filter_size=size, **CIRCLE, **options)


def at_fraction(problem, fraction):
    return problem.with_beta(max(fraction * ng.beta_max(problem), 1e-6))


def loss_of(problem, F):
    return _loss_expression(cp, problem, F[:, 0] if problem.y.ndim == 1 else F)


def solved(objective):
    task = cp.Problem(cp.Minimize(objective))
    task.solve(solver=cp.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9)
    return float(task.value)


def offset_of(problem):
    return cp.Variable((1, problem.c)) if problem.offset else np.zeros((1, problem.c))


def nuclear_norm_optimum(problem):
    """[12] itself, with the patches of the images: any filter length."""
    geometry, c = problem.geometry, problem.c
    K = geometry.n_positions
    patches = geometry.stack(problem.X.reshape(problem.n, *geometry.shape)).reshape(problem.n, K, -1)
    Z = cp.Variable((geometry.d, K * c))
    F = sum(patches[:, k] @ Z[:, k * c : (k + 1) * c] for k in range(K)) + np.ones((problem.n, 1)) @ offset_of(problem)
    return solved(loss_of(problem, F) + problem.beta * cp.normNuc(Z))


def complex_l1_optimum(problem, unitary):
    """[14] for one channel and one output: theta = F w in the paper's variables, with a dense DFT."""
    d = problem.X.shape[1]
    F = dft_matrix(problem.geometry.spatial_shape).conj() / (np.sqrt(d) if unitary else 1.0)
    w = cp.Variable(d, complex=True)
    theta = cp.Variable(d)
    weight = problem.beta / np.sqrt(d) if unitary else problem.beta
    task = cp.Problem(
        cp.Minimize(loss_of(problem, cp.reshape(problem.X @ theta, (problem.n, 1), order="C")) + weight * cp.norm1(w)),
        [cp.real(F @ w) == theta, cp.imag(F @ w) == 0],
    )
    task.solve(solver=cp.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9)
    return float(task.value)


def output_by_loops(network, image):
    """f(x) from its definition: every cyclic shift of the image against every filter."""
    geometry = network.geometry
    spatial, before = geometry.spatial_shape, [pad[0] for pad in geometry.pads]
    f = np.array(network.offset)
    for j, filters in enumerate(network.filters):
        for k, position in enumerate(np.ndindex(*spatial)):
            total = 0.0
            for entry in np.ndindex(*spatial):
                pixel = tuple(
                    (p + q - s) % size for p, q, s, size in zip(position, entry, before, spatial, strict=True)
                )
                total += float(image[pixel] @ filters[entry])
            f = f + total * network.A[j, k]
    return f


@pytest.mark.parametrize("unitary", [False, True])
@pytest.mark.parametrize("shape", [(5, 1), (8, 1), (3, 4, 1)])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_complex_l1_in_both_conventions_of_the_dft(shape, loss, unitary, rng):
    problem = problem_of(rng, shape, loss=loss)
    upper = train_circular_conv(problem).certificate.upper
    assert upper == pytest.approx(complex_l1_optimum(problem, unitary), rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("loss", ["squared", "absolute", "logistic"])
def test_it_is_the_nuclear_norm_program(shape, c, loss, rng):
    problem = problem_of(rng, shape, c, loss=loss, offset=True, sample_weight=rng.uniform(0.5, 2.0, 7))
    solution = train_circular_conv(problem)
    assert solution.certificate.upper == pytest.approx(nuclear_norm_optimum(problem), rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("c", [1, 2])
def test_the_real_network_has_the_objective_of_the_program(shape, c, rng):
    problem = at_fraction(problem_of(rng, shape, c, offset=True), 0.1)
    network = train_circular_conv(problem).network
    images = problem.X.reshape(problem.n, *shape)
    f = np.stack([output_by_loops(network, image) for image in images])
    np.testing.assert_allclose(network.predict(images).reshape(f.shape), f, atol=1e-11)
    own = 0.5 * np.sum((f.reshape(problem.y.shape) - problem.y) ** 2)
    own += 0.5 * problem.beta * (np.sum(network.U**2) + np.sum(network.A**2))
    program, spectrum = CircularProgram.of(images, c), Spectrum.of(shape)
    w = spectrum.blocks(network.pixels)
    F = (program.forward(w) + network.offset).reshape(problem.y.shape)
    assert own == pytest.approx(problem.fit.value(F) + problem.beta * nuclear_norms(w).sum(), rel=1e-12)
    assert own == pytest.approx(problem.objective(network), rel=1e-12)
    np.testing.assert_allclose(np.linalg.norm(network.U, axis=0), np.linalg.norm(network.A, axis=(1, 2)), rtol=1e-12)


@pytest.mark.parametrize("size", [8, 9])
def test_one_cosine_for_each_pair_of_frequencies(size, rng):
    w = np.zeros((size // 2 + 1, 1, 1), dtype=complex)
    w[[0, 2], 0, 0] = -1.5, 0.3 - 0.4j
    problem = problem_of(rng, (size, 1))
    network = network_of_blocks(w, Spectrum.of((size, 1)), problem.geometry)
    assert network.n_neurons == 2
    assert network.weight_decay() == pytest.approx(2.0, rel=1e-13)
    np.testing.assert_allclose(network.filters[0], network.filters[0, 0, 0] * np.ones((size, 1)), atol=1e-14)
    hat = np.abs(np.fft.rfft(network.filters[1, :, 0]))
    assert np.argmax(hat) == 2
    assert np.sum(hat > 1e-12) == 1
    np.testing.assert_allclose(Spectrum.of((size, 1)).blocks(network.pixels), w, atol=1e-14)


def test_a_real_frequency_gives_real_filters_whatever_its_sign(rng):
    shape = (4, 4, 2)
    spectrum = Spectrum.of(shape)
    w = rng.standard_normal((len(spectrum.chosen), 2, 3)) + 1j * rng.standard_normal((len(spectrum.chosen), 2, 3))
    w[spectrum.multiplicity == 1.0] = w[spectrum.multiplicity == 1.0].real
    network = network_of_blocks(w, spectrum, problem_of(rng, shape).geometry, [1.0, 2.0, 3.0])
    assert network.n_neurons == 2 * len(spectrum.chosen)
    assert network.weight_decay() == pytest.approx(nuclear_norms(w).sum(), rel=1e-13)
    np.testing.assert_allclose(spectrum.blocks(network.pixels), w, atol=1e-13)


@pytest.mark.parametrize(("shape", "c", "width"), [((8, 1), 1, 1), ((9, 1), 3, 1), ((4, 3, 3), 1, 1), ((5, 2), 3, 2)])
def test_the_fewest_filters_have_the_same_function_and_weight_decay(shape, c, width, rng):
    problem = at_fraction(problem_of(rng, shape, c, n=20, offset=True), 0.02)
    waves = train_circular_conv(problem).network
    fewest = ng.prune(waves, problem).network
    assert fewest.n_neurons == width < waves.n_neurons
    np.testing.assert_allclose(fewest.pixels, waves.pixels, atol=1e-13)
    assert fewest.weight_decay() == pytest.approx(waves.weight_decay(), rel=1e-13)
    assert problem.objective(fewest) == pytest.approx(problem.objective(waves), rel=1e-12)


@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize(
    ("shape", "n", "c", "offset"),
    [((9, 1), 6, 1, True), ((9, 1), 6, 2, False), ((3, 4, 2), 30, 2, True), ((40, 1), 12, 3, True)],
)
def test_every_loss_reaches_its_gap(loss, shape, n, c, offset, rng):
    c = max(c, 2) if loss == "softmax" else c
    problem = problem_of(rng, shape, c, n=n, loss=loss, offset=offset, sample_weight=rng.uniform(0.5, 2.0, n))
    for fraction in (0.3, 0.01):
        solution = train_circular_conv(at_fraction(problem, fraction))
        assert solution.status is ng.Status.SOLVED
        assert solution.certificate.gap <= 1e-8
        assert solution.n_iter <= 60
        assert solution.certificate.lower <= solution.certificate.upper
        assert solution.certificate.scope == "exact"


@pytest.mark.parametrize("loss", ["squared", "hinge"])
def test_no_network_is_below_the_lower_bound(loss, rng):
    problem = at_fraction(problem_of(rng, (6, 2), 2, loss=loss), 0.2)
    lower = train_circular_conv(problem).certificate.lower
    optimum = train_circular_conv(problem).network
    for size in (1e-8, 1e-4, 1e-1):
        for _ in range(20):
            U = optimum.U + size * rng.standard_normal(optimum.U.shape)
            A = optimum.A + size * rng.standard_normal(optimum.A.shape)
            assert problem.objective(ng.LinearConvNetwork(U, A, problem.geometry)) >= lower


@pytest.mark.parametrize("c", [1, 3])
def test_zero_at_beta_max_and_not_below(c, rng):
    problem = problem_of(rng, (7, 2), c, offset=True)
    beta_max = ng.beta_max(problem)
    at = train_circular_conv(problem.with_beta(beta_max * (1 + 1e-12)))
    assert (at.network.n_neurons, at.n_iter, at.status) == (0, 0, ng.Status.SOLVED)
    below = train_circular_conv(problem.with_beta(0.99 * beta_max))
    assert below.network.n_neurons > 0
    assert below.certificate.upper < problem.objective(problem.empty_network()) - 1e-6


def test_the_gradient_of_the_loss_in_the_blocks(rng):
    problem = problem_of(rng, (6, 2), 2, loss="logistic")
    program = CircularProgram.of(problem.X.reshape(7, 6, 2), 2)
    w = 0.1 * (rng.standard_normal((4, 2, 2)) + 1j * rng.standard_normal((4, 2, 2)))
    slope = program.adjoint(problem.fit.gradient(program.forward(w)))
    for index in np.ndindex(*w.shape):
        for direction in (1.0, 1.0j):
            step = np.zeros_like(w)
            step[index] = 1e-6 * direction
            ahead, behind = (problem.fit.value(program.forward(w + sign * step)) for sign in (1, -1))
            expected = (ahead - behind) / 2e-6
            assert (slope[index].conj() * direction).real == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("fraction", [0.1, 0.01])
def test_a_long_signal_takes_few_iterations(fraction, rng):
    """Performance that does not depend on the machine: iterations, and how many frequencies they are about."""
    smooth = np.cumsum(rng.standard_normal((100, 2048)), axis=1)
    problem = ng.LinearConvProblem(
        smooth - smooth.mean(axis=1, keepdims=True),
        np.sign(rng.standard_normal(100)),
        beta=1.0,
        filter_size=2048,
        **CIRCLE,
    )
    problem = at_fraction(problem, fraction)
    sizes = []
    interior_point = circular_conv.SpectralInteriorPoint

    class Counted(interior_point):
        def __init__(self, dense, program, *rest):
            sizes.append(program.n_blocks)
            super().__init__(dense, program, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circular_conv, "SpectralInteriorPoint", Counted)
        solution = train_circular_conv(problem)
    assert solution.status is ng.Status.SOLVED
    assert solution.n_iter <= 40
    assert max(sizes) <= 4 * max(16, solution.network.n_neurons)


def test_the_relaxation_bounds_shorter_filters_from_below(rng):
    """[14] at h < d: never above the exact program [12] with circular patches of length h, here well below it."""
    ratios = []
    for h in (1, 2, 3, 5):
        problem = problem_of(np.random.default_rng(1), (6, 1), n=8, beta=1.0, filter_size=(h,))
        exact = nuclear_norm_optimum(problem)
        assert solve_nuclear_norm(problem, Run(1e-8)).certificate.upper == pytest.approx(exact, rel=1e-6)
        relaxed = train_circular_conv(problem.with_full_filters()).certificate
        assert relaxed.lower <= exact * (1 + 1e-8)
        ratios.append(relaxed.upper / exact)
    assert ratios == sorted(ratios)
    assert ratios[0] < 0.9
    whole = problem_of(np.random.default_rng(1), (6, 1), n=8, beta=1.0)
    assert whole.with_full_filters().geometry == whole.geometry


@pytest.mark.parametrize(
    "options",
    [
        {"padding": 0},
        {"padding": "same", "padding_mode": "circular", "stride": 2},
        {"padding": 1, "padding_mode": "circular"},
    ],
)
def test_the_relaxation_holds_for_other_geometries(options, rng):
    images, y = rng.standard_normal((6, 3, 5, 1)), rng.standard_normal(6)
    problem = ng.LinearConvProblem(images, y, beta=0.5, filter_size=3, **options)
    relaxed = train_circular_conv(problem.with_full_filters()).certificate
    assert relaxed.lower <= nuclear_norm_optimum(problem) * (1 + 1e-8)


@pytest.mark.parametrize("options", [{"padding": 1}, {"padding": "same"}, {"padding": 3, "padding_mode": "circular"}])
def test_the_relaxation_is_refused_where_it_would_not_hold(options, rng):
    problem = ng.LinearConvProblem(rng.standard_normal((4, 5)), np.ones(4), beta=0.5, filter_size=3, **options)
    with pytest.raises(ng.InvalidInputError, match="at most once and no zeros"):
        problem.with_full_filters()


def test_what_is_refused(rng):
    short = problem_of(rng, (6, 1), filter_size=(3,))
    with pytest.raises(ng.InvalidInputError, match=r"filters of the size of the image, \(6,\).*with_full_filters"):
        train_circular_conv(short)
    with pytest.raises(ng.InvalidInputError, match="`gap` must be"):
        ng.train(short.with_full_filters(), gap=0.0)
    with pytest.raises(ng.InvalidInputError, match="`time_limit` must be"):
        train_circular_conv(short.with_full_filters(), time_limit=-1.0)


def test_history_progress_and_repetition(rng):
    problem = at_fraction(problem_of(rng, (64, 1), n=30), 0.05)
    images, records = problem.X.copy(), []
    first, second = train_circular_conv(problem, progress=records.append), train_circular_conv(problem)
    assert tuple(records) == first.history
    assert np.all(np.diff([record.objective for record in records]) <= 0)
    assert np.all(np.diff([record.lower_bound for record in records]) >= 0)
    assert np.array_equal(first.network.U, second.network.U)
    assert np.array_equal(problem.X, images)


def test_time_limit_and_interruption(rng):
    problem = at_fraction(problem_of(rng, (64, 1), n=30), 0.01)
    late = train_circular_conv(problem, time_limit=1e-6)
    assert late.status is ng.Status.TIME_LIMIT
    assert late.certificate.lower <= late.certificate.upper

    def interrupt(record):
        if record.n_neurons:
            raise KeyboardInterrupt

    stopped = train_circular_conv(problem, progress=interrupt)
    assert stopped.status is ng.Status.INTERRUPTED
    assert stopped.network.n_neurons > 0


@pytest.mark.parametrize("images", [np.zeros((3, 6)), np.ones((3, 6)), np.array([[1.0, 0, 0, 0, 0, 0]] * 3)])
def test_degenerate_images(images):
    problem = ng.LinearConvProblem(images, [1.0, 2.0, 3.0], beta=0.1, filter_size=6, **CIRCLE)
    solution = train_circular_conv(problem)
    assert solution.status is ng.Status.SOLVED


def test_nothing_to_fit(rng):
    """No relative gap can be certified of an objective that is zero up to rounding."""
    images = rng.standard_normal((3, 6))
    zero = ng.LinearConvProblem(images, np.zeros(3), beta=0.1, filter_size=6, **CIRCLE)
    assert train_circular_conv(zero).status is ng.Status.SOLVED
    constant = ng.LinearConvProblem(images, np.full(3, 0.1), beta=0.1, filter_size=6, offset=True, **CIRCLE)
    solution = train_circular_conv(constant)
    assert solution.n_iter == 0
    assert solution.certificate.upper < 1e-30


def test_train_linear_conv_takes_the_faster_way(rng):
    """The same optimum from both, and from the nuclear-norm solver without the detour."""
    problem = problem_of(rng, (6, 1), n=8)
    fast = solve_nuclear_norm(problem, Run(1e-8))
    assert np.array_equal(fast.network.U, train_circular_conv(problem, gap=1e-8).network.U)
    slow = solve_nuclear_norm(problem, Run(1e-6), solver="interior_point")
    assert slow.certificate.lower <= fast.certificate.upper * (1 + 1e-12)
    assert fast.certificate.lower <= slow.certificate.upper
    assert slow.certificate.upper == pytest.approx(fast.certificate.upper, rel=1e-5)


def test_iteration_limit(rng):
    problem = at_fraction(problem_of(rng, (64, 1), n=30), 0.01)
    solution = solve_nuclear_norm(problem, Run(1e-8), max_iter=3)
    assert (solution.status, solution.n_iter) == (ng.Status.ITERATION_LIMIT, 3)
