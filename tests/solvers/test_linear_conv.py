"""Linear convolutional networks and their problem: outputs, balance, pricing in closed form, bounds, refusals."""

import numpy as np
import pytest
from cases import targets_of

import neuralgauge as ng
from neuralgauge.certificate import lower_bound
from neuralgauge.programs.linear_conv import LinearConvProgram

# images' shape, filter size, stride, padding, padding mode
GEOMETRIES = [
    ((7, 9), 3, 1, 0, "zeros"),
    ((6, 8), 3, 2, "same", "circular"),
    ((6, 5, 4, 2), (2, 3), (1, 1), (1, 0), "zeros"),
    ((5, 6, 6, 1), (3, 3), 1, 0, "circular"),
]


def make(case, c=1, loss="squared", beta=0.3, seed=0, **options):
    shape, *geometry = case
    rng = np.random.default_rng(seed)
    y = targets_of(loss, rng.standard_normal((shape[0], c)))
    names = ("filter_size", "stride", "padding", "padding_mode")
    return ng.LinearConvProblem(
        rng.standard_normal(shape), y, beta=beta, loss=loss, **dict(zip(names, geometry, strict=True)), **options
    )


def random_network(problem, rng, m=3):
    U, A = rng.standard_normal((problem.d, m)), rng.standard_normal((m, problem.n_positions, problem.c))
    return ng.LinearConvNetwork(U, A, problem.geometry, rng.standard_normal(problem.c) if problem.offset else 0.0)


def images_of(problem):
    return problem.X.reshape(problem.n, *problem.geometry.shape)


cases = pytest.mark.parametrize("case", GEOMETRIES, ids=str)


@cases
@pytest.mark.parametrize("c", [1, 3])
def test_outputs_are_those_of_filters_and_output_weights(case, c, rng):
    problem = make(case, c)
    net, images = random_network(problem, rng), images_of(problem)
    hidden = problem.geometry.hidden(images, net.U)
    expected = np.einsum("nkj,jkc->nc", hidden, net.A) + net.offset
    np.testing.assert_allclose(net.predict(images), expected[:, 0] if c == 1 else expected, atol=1e-12)
    stacked = problem.geometry.stack(images).reshape(problem.n, problem.n_positions, problem.d)
    np.testing.assert_allclose(np.einsum("nkd,dj->nkj", stacked, net.U), hidden, atol=1e-12)
    value = problem.fit.value(expected.reshape(problem.y.shape))
    penalty = problem.beta / 2 * (np.sum(net.U**2) + np.sum(net.A**2))
    assert problem.objective(net) == pytest.approx(value + penalty, rel=1e-12)


def test_balancing_keeps_the_function_and_lowers_the_penalty(rng):
    problem = make(GEOMETRIES[2], 2)
    net = random_network(problem, rng)
    U, A = np.hstack([net.U, np.zeros((problem.d, 1))]), np.vstack([7.0 * net.A, np.ones((1, *net.A.shape[1:]))])
    given = ng.LinearConvNetwork(U, A, problem.geometry)
    balanced, images = given.balance(), images_of(problem)
    np.testing.assert_allclose(balanced.predict(images), given.predict(images), atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(balanced.U, axis=0), np.linalg.norm(balanced.A, axis=(1, 2)))
    assert balanced.n_neurons == 3
    assert balanced.weight_decay() < given.weight_decay()
    assert net.filters.shape == (3, 2, 3, 2)
    np.testing.assert_array_equal(net.filters[1].ravel(), net.U[:, 1])


@cases
def test_the_network_of_a_matrix_has_its_nuclear_norm_as_weight_decay(case, rng):
    problem = make(case, 2)
    program = LinearConvProgram(problem)
    Z = rng.standard_normal((problem.d, 2)) @ rng.standard_normal((2, problem.n_positions * 2))
    net = ng.LinearConvNetwork.of_matrix(Z, problem.geometry, 0.5)
    assert net.n_neurons == 2
    assert net.weight_decay() == pytest.approx(np.linalg.norm(Z, "nuc"), rel=1e-12)
    np.testing.assert_allclose(net.predict(images_of(problem)), program.forward(Z, 0.5), atol=1e-10)
    assert problem.objective(net) == pytest.approx(program.objective(Z, 0.5), rel=1e-12)


@cases
@pytest.mark.parametrize("c", [1, 2])
def test_the_gauge_is_the_largest_singular_value_of_the_patches(case, c, rng):
    problem = make(case, c)
    v = rng.standard_normal(problem.y.shape)
    stacked = problem.geometry.stack(images_of(problem)).reshape(problem.n, problem.n_positions, problem.d)
    T = np.einsum("nkd,nc->dkc", stacked, v.reshape(problem.n, -1)).reshape(problem.d, -1)
    largest = np.linalg.svd(T, compute_uv=False)[0]
    polar = problem.polar(v)
    value, bound = polar.value, polar.bound
    assert value == pytest.approx(largest, rel=1e-12)
    assert largest <= bound <= largest * (1 + 1e-10)
    np.testing.assert_allclose(problem.images.patched_adjoint(v.reshape(problem.n, -1)), T, atol=1e-12)


@cases
@pytest.mark.parametrize("c", [1, 2])
def test_the_program_agrees_with_patches_and_is_its_own_adjoint(case, c, rng):
    problem = make(case, c)
    program = LinearConvProgram(problem)
    Z, v = rng.standard_normal((problem.d, problem.n_positions * c)), rng.standard_normal(problem.y.shape)
    np.testing.assert_allclose(program.adjoint(v), problem.images.patched_adjoint(v.reshape(problem.n, -1)), atol=1e-12)
    assert np.vdot(program.forward(Z), v) == pytest.approx(np.vdot(Z, program.adjoint(v)), rel=1e-12)
    np.testing.assert_array_equal(program.unfold.toarray(), program.fold.toarray().T)


@pytest.mark.parametrize("loss", ["squared", "logistic", "poisson", "softmax"])
def test_the_gradient_in_the_weights_matches_differences(loss, rng):
    problem = make(GEOMETRIES[2], 3, loss, sample_weight=rng.uniform(0.5, 2.0, 6))
    program = LinearConvProgram(problem)
    Z = 0.1 * rng.standard_normal((problem.d, problem.n_positions * problem.c))
    gradient = program.adjoint(problem.fit.gradient(program.forward(Z)))
    for _ in range(5):
        D = rng.standard_normal(Z.shape)
        ends = [problem.fit.value(program.forward(Z + t * D)) for t in (-1e-5, 1e-5)]
        assert (ends[1] - ends[0]) / 2e-5 == pytest.approx(np.vdot(gradient, D), rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "c"), [("squared", 1), ("hinge", 2), ("absolute", 1), ("logistic", 2), ("softmax", 3)]
)
@pytest.mark.parametrize("offset", [False, True])
def test_bounds_lie_below_every_network(loss, c, offset, rng):
    problem = make(GEOMETRIES[0], c, loss, offset=offset)
    solution = ng.train(problem, gap=1e-9)
    best = solution.certificate.upper
    for scale in (0.01, 1.0, 10.0):
        v = problem.fit.project(scale * rng.standard_normal(problem.y.shape))
        assert lower_bound(problem, v, problem.polar(v).bound) <= best
        assert problem.objective(random_network(problem, rng).balance()) >= solution.certificate.lower
    assert lower_bound(problem, solution.dual, problem.polar(solution.dual).bound) == solution.certificate.lower
    assert solution.certificate.lower <= best


def test_another_penalty_changes_nothing_else():
    problem = make(GEOMETRIES[0], loss="logistic", sample_weight=np.arange(1.0, 8.0), offset=True)
    other = problem.with_beta(2.0)
    assert (problem.beta, other.beta) == (0.3, 2.0)
    assert other.X is problem.X
    assert (other.n, other.d, other.c, other.n_positions) == (7, 3, 1, 7)
    assert (other.loss, other.offset) == (problem.loss, True)
    np.testing.assert_array_equal(other.sample_weight, np.arange(1.0, 8.0))
    assert ng.beta_max(other) == ng.beta_max(problem)


def test_integer_images_are_taken_as_they_are(rng):
    images = rng.integers(0, 256, (4, 5, 5, 1), dtype=np.uint8)
    problem = ng.LinearConvProblem(images, [1.0, 2.0, 3.0, 4.0], beta=1.0, filter_size=2)
    np.testing.assert_array_equal(problem.X, images.reshape(4, 25))
    assert problem.X.dtype == np.float64
    assert images.dtype == np.uint8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filter_size": 9}, "`filter_size` must be at most the size of the padded image"),
        ({"stride": 0}, "`stride` must hold whole numbers >= 1"),
        ({"images": np.full((3, 6), np.nan)}, "`images` must be finite"),
        ({"y": [1.0, 2.0]}, "one entry per row of X"),
        ({"beta": 0.0}, "`beta` must be finite and > 0, got 0.0"),
        ({"loss": "cubic"}, "`loss` must be one of"),
        ({"loss": "hinge", "y": [0.0, 1.0, 1.0]}, "`y` must be -1 or .1"),
        ({"sample_weight": [1.0, -1.0, 1.0]}, "`sample_weight` must be > 0"),
    ],
)
def test_refused_problems(changes, message):
    arguments = {"images": np.ones((3, 6)), "y": [1.0, 2.0, 3.0], "beta": 1.0, "filter_size": 2, **changes}
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.LinearConvProblem(arguments.pop("images"), arguments.pop("y"), **arguments)


@pytest.mark.parametrize(
    ("U", "A", "offset", "message"),
    [
        (np.ones((2, 3)), np.ones((3, 5)), 0.0, r"`U` must have shape \(d, m\) = \(2, m\).*K = 4.*got \(2, 3\) and"),
        (np.ones((3, 2)), np.ones((3, 4)), 0.0, "transpose if yours are rows"),
        (np.ones((2, 1)), np.ones((1, 4, 2)), [1.0, 2.0, 3.0], "`offset` must be a number or have 2 entries, got 3"),
        (np.full((2, 1), np.inf), np.ones((1, 4)), 0.0, "must be finite"),
    ],
)
def test_refused_networks(U, A, offset, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.LinearConvNetwork(U, A, ng.PatchGeometry((5, 1), 2), offset)


def test_networks_predict_only_images_of_their_shape():
    net = ng.LinearConvNetwork(np.ones((2, 1)), np.ones((1, 4)), ng.PatchGeometry((5, 1), 2))
    with pytest.raises(ng.InvalidInputError, match=r"`images` must have shape \(n, length, channels\)"):
        net.predict(np.ones((3, 6)))
