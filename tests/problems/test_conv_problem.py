"""Convolutional problems against loops over patches, dense twins, CVXPY and enumeration."""

import tracemalloc

import cvxpy as cp
import numpy as np
import pytest
from scipy.signal import correlate

import neuralgauge as ng
from neuralgauge.patterns.strategies import interior_vectors
from neuralgauge.solvers.passes import loss_heads

READOUTS = ("pooled", "flattened", (2, 1))
every_readout = pytest.mark.parametrize("readout", READOUTS, ids=str)


def images(seed, n=8, shape=(5, 4, 2)):
    rng = np.random.default_rng(seed)
    return rng.integers(-2, 3, (n, *shape)).astype(float), rng


def conv_problem(seed, readout="pooled", loss="squared", c=1, beta=0.3, **options):
    X, rng = images(seed)
    y = rng.standard_normal((8, c)[: 1 + (c > 1)])
    y = np.sign(y) if loss in ("hinge", "logistic") else y
    return ng.ReLUConvProblem(X, y, beta=beta, filter_size=(3, 2), readout=readout, loss=loss, **options), X, rng


def random_network(problem, rng, m=4):
    U, A = rng.standard_normal((problem.d, m)), rng.standard_normal((m, problem.q))
    return problem.empty_network().with_neurons(U, A, rng.standard_normal(problem.c) if problem.offset else None)


def hidden_by_hand(network, X):
    """(n, K, m) by SciPy, one filter at a time, for stride 1 without padding."""
    parts = []
    for j, filter_j in enumerate(network.filters):
        bias = network.U[-1, j] if network.bias else 0.0
        one = np.stack([correlate(image, filter_j, mode="valid")[..., 0] for image in X])
        parts.append(np.maximum(one.reshape(len(X), -1) + bias, 0.0))
    return np.stack(parts, axis=2)


@every_readout
@pytest.mark.parametrize("c", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_outputs_equal_correlations(readout, c, bias):
    problem, X, rng = conv_problem(0, readout, c=c, bias=bias, offset=True)
    network = random_network(problem, rng)
    H = hidden_by_hand(network, X)
    K = H.shape[1]
    weights = np.zeros((K, K))  # of position k in the region of position p, by where it is on the 3 x 3 grid
    rows = np.arange(K) // 3
    region = {"pooled": np.zeros(K, int), "flattened": np.arange(K), (2, 1): rows * 2 // 3}[readout]
    for k in range(K):
        weights[region[k], k] = 1.0 / np.sum(region == region[k])
    A = network.A.reshape(4, -1, c)
    f = sum(np.einsum("k,nkm,mc->nc", weights[p], H, A[:, p]) for p in range(A.shape[1])) + network.offset
    f = f[:, 0] if c == 1 else f
    np.testing.assert_allclose(network.predict(X), f, atol=1e-12)
    np.testing.assert_allclose(problem.outputs(network), f, atol=1e-12)
    np.testing.assert_allclose(problem.with_data(X[:3], problem.y[:3]).outputs(network), f[:3], atol=1e-12)
    np.testing.assert_allclose(problem.part(np.array([1, 4])).outputs(network), f[[1, 4]], atol=1e-12)
    expected = problem.fit.value(f) + problem.beta * network.weight_decay()
    assert problem.objective(network) == pytest.approx(expected)


def test_equal_patches_are_one_row():
    X = np.zeros((3, 6, 1))
    X[1, 2:4] = 1.0
    X[2] = 2.0
    pooled = ng.ReLUConvProblem(X, [0.0, 1.0, 2.0], beta=1.0, filter_size=(2,))
    # One row for each of the patches (0 0), (0 1), (1 1), (1 0) of image 1, one for all patches of the others.
    assert len(pooled.X) == 6
    assert sorted(pooled.features.readout.weight.tolist()) == pytest.approx([0.2, 0.2, 0.2, 0.4, 1.0, 1.0])
    assert len(ng.ReLUConvProblem(X, [0.0, 1.0, 2.0], beta=1.0, filter_size=(2,), bias=False).X) == 4
    assert len(ng.ReLUConvProblem(X, [0.0, 1.0, 2.0], beta=1.0, filter_size=(2,), readout="flattened").X) == 15


@every_readout
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_gradient_against_differences(readout, loss):
    problem, _, rng = conv_problem(1, readout, loss, offset=True)
    network = random_network(problem, rng)
    U, A, b = network.U, network.A, np.asarray(network.offset)
    step, gradients = 1e-6, problem.features.value_and_gradient(U, A, loss_heads(problem, b))[1:]
    for which, gradient in enumerate(gradients):
        move = rng.standard_normal(gradient.shape)
        values = []
        for sign in (1.0, -1.0):
            moved = [U, A, b]
            moved[which] = moved[which] + sign * step * move
            values.append(problem.fit.value(problem.outputs(network.with_neurons(*moved))))
        assert np.sum(gradient * move) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5, abs=1e-6)


def test_chunks_do_not_change_the_gradient(monkeypatch):
    problem, _, rng = conv_problem(2, "flattened")
    network = random_network(problem, rng)

    def evaluated():
        return problem.features.value_and_gradient(network.U, network.A, loss_heads(problem, np.zeros(1)))

    whole = evaluated()
    monkeypatch.setattr("neuralgauge.features.rows.CHUNK", 50)
    assert len(problem.features.chunks(4)) > 2
    for one, other in zip(whole, evaluated(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("readout", ["pooled", "flattened"])
def test_a_filter_as_large_as_the_image_is_a_dense_network(readout):
    X, rng = images(3, n=12, shape=(2, 1, 1))
    y = rng.standard_normal(12)
    conv = ng.train(ng.ReLUConvProblem(X, y, beta=0.2, filter_size=(2, 1), readout=readout))
    dense = ng.train(ng.TrainingProblem(X.reshape(12, -1), y, beta=0.2))
    assert conv.certificate.scope == "exact"
    assert conv.certificate.upper == pytest.approx(dense.certificate.upper, rel=1e-4)


def test_separable_is_dense_training_on_patches():
    X, rng = images(4, n=4)
    y = rng.standard_normal((4, 9))
    problem = ng.ReLUConvProblem(X, y, beta=0.5, filter_size=(3, 2), readout="separable")
    dense = ng.TrainingProblem(problem.geometry.stack(X), y.ravel(), beta=0.5)
    np.testing.assert_array_equal(problem.X, dense.X)
    np.testing.assert_array_equal(problem.y, dense.y)
    network = random_network(problem, rng)
    np.testing.assert_allclose(network.predict(X), problem.outputs(network).reshape(4, 9), atol=1e-12)
    assert problem.objective(network) == pytest.approx(dense.objective(ng.TwoLayerNetwork(network.U, network.A)))
    shared = ng.ReLUConvProblem(X, y[:, 0], beta=0.5, filter_size=(3, 2), readout="separable")
    np.testing.assert_array_equal(shared.y, np.repeat(y[:, 0], 9))


def program_by_hand(problem, gates, directions, cones):
    """The convex program with its readout spelled out row by row, for CVXPY."""
    readout, c, P = problem.features.readout, problem.c, problem.features.readout.n_regions
    blocks = [cp.Variable(problem.d) for _ in gates]
    f = [0.0] * (problem.n * c)
    for w, gate, g in zip(blocks, gates, directions.reshape(len(gates), P, c), strict=True):
        for r in np.flatnonzero(gate):
            pay = readout.weight[r] * g[readout.region[r]]
            for k in range(c):
                f[readout.sample[r] * c + k] += pay[k] * (problem.X[r] @ w)
    loss = sum(cp.square(value - target) for value, target in zip(f, problem.y.ravel(), strict=True)) / 2
    signs = np.where(gates, 1.0, -1.0)
    held = [cp.multiply(sign, problem.X @ w) >= 0 for sign, w in zip(signs, blocks, strict=True)] if cones else []
    task = cp.Problem(cp.Minimize(loss + problem.beta * sum(cp.norm(w) for w in blocks)), held)
    task.solve(solver=cp.CLARABEL)
    return task.value


@every_readout
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("c", [1, 2])
def test_programs_agree_with_cvxpy(readout, gated, c):
    problem, X, rng = conv_problem(5, readout, c=c, beta=1.0)
    patterns = ng.sample_patterns(problem.X, 6, random_state=0)
    G = rng.standard_normal((6, problem.q))
    G /= np.linalg.norm(G, axis=1, keepdims=True)
    expected = program_by_hand(problem, patterns.dense(), G, not gated)
    solved = ng.solve_program(problem, patterns, tol=1e-9, directions=G, gated=gated)
    assert solved.certificate.upper == pytest.approx(expected, rel=1e-6)
    assert solved.certificate.lower <= expected * (1 + 1e-7)
    f = solved.network.predict(X)
    penalty = problem.beta * np.sum(np.linalg.norm(solved.blocks, axis=1))
    assert problem.fit.value(f.reshape(problem.y.shape)) + penalty == pytest.approx(solved.certificate.upper, rel=1e-9)
    reference = ng.solve_program(problem, patterns, directions=G, gated=gated, solver="reference")
    assert reference.certificate.upper == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", ["hinge", "logistic", "absolute"])
@pytest.mark.parametrize("offset", [False, True])
def test_other_losses_and_offsets_agree_with_cvxpy(loss, offset):
    problem, _, _ = conv_problem(6, (2, 1), loss, beta=0.4, offset=offset)
    patterns = ng.sample_patterns(problem.X, 5, random_state=0)
    ours = ng.solve_program(problem, patterns, tol=1e-8)
    reference = ng.solve_program(problem, patterns, solver="reference")
    assert ours.certificate.gap <= 1e-8
    assert ours.certificate.upper == pytest.approx(reference.certificate.upper, rel=1e-6)


@pytest.mark.parametrize("loss", ["squared", "hinge"])
def test_training_reaches_the_program_over_all_patterns(loss):
    """Pooled, filters of two pixels: every pattern can be enumerated, and the signs are all the directions."""
    rng = np.random.default_rng(7)
    X = rng.integers(-3, 4, (6, 5)).astype(float)
    y = rng.standard_normal(6) if loss == "squared" else rng.choice([-1.0, 1.0], 6)
    problem = ng.ReLUConvProblem(X, y, beta=0.05, filter_size=2, loss=loss)
    whole = ng.solve_program(problem, ng.enumerate_patterns(problem.X), tol=1e-8)
    trained = ng.train(problem, gap=1e-5)
    assert trained.certificate.scope == "exact"
    assert trained.certificate.lower <= whole.certificate.upper * (1 + 1e-8)
    assert trained.certificate.upper == pytest.approx(whole.certificate.upper, rel=2e-5)


@pytest.mark.parametrize("readout", ["flattened", (2,)])
def test_several_regions_are_certified_exactly(readout):
    """No network of a search from many starts lies below the bound, and the trained one meets it."""
    rng = np.random.default_rng(8)
    problem = ng.ReLUConvProblem(
        rng.standard_normal((6, 4)), rng.standard_normal(6), beta=0.3, filter_size=2, readout=readout
    )
    solution = ng.train(problem, gap=1e-4)
    assert solution.certificate.scope == "exact"
    assert solution.certificate.gap <= 1e-4
    from neuralgauge.solvers import local_search

    for seed in range(5):
        start = random_network(problem, np.random.default_rng(seed), m=12)
        found = local_search.local_search(problem, start, 300)
        assert problem.objective(found) >= solution.certificate.lower


def test_bounds_of_many_rows_stay_below():
    """The batched search of many rows finds what the ascent from all starts finds, if not in the first draw."""
    X, rng = images(9, n=60, shape=(12, 12, 2))
    problem = ng.ReLUConvProblem(
        X + rng.standard_normal(X.shape), np.sign(rng.standard_normal(60)), beta=1.0, filter_size=4, loss="hinge"
    )
    assert problem.X.size > 1.5e5
    from neuralgauge.pricing import ascend
    from neuralgauge.pricing.search import search

    v = problem.fit.empty_dual
    for sign in (1.0, -1.0):
        slow = ascend(sign * problem.features.readout.lifted(v), problem.X, 32)[0]
        for seed in range(4):
            fast = search(v, problem.features, 32, np.random.default_rng(seed), sign=sign)
            gains = sign * problem.features.readout.gains(v, np.maximum(problem.X @ fast.U, 0.0))[:, 0]
            np.testing.assert_allclose(gains, fast.values, rtol=1e-9)
            if fast.values[0] >= 0.999 * slow[0]:
                break
        assert fast.values[0] >= 0.999 * slow[0]


@pytest.mark.parametrize("readout", ["pooled", "flattened"])
@pytest.mark.parametrize("loss", ["squared", "hinge"])
def test_rounds_on_sampled_cones_reach_the_same_optimum(readout, loss, monkeypatch):
    rng = np.random.default_rng(14)
    y = rng.standard_normal(12)
    y = np.sign(y) if loss == "hinge" else y
    X = rng.standard_normal((12, 6, 6, 1))
    problem = ng.ReLUConvProblem(X, y, beta=1.0, filter_size=3, readout=readout, loss=loss)
    problem = problem.with_beta(0.1 * ng.beta_max(problem))
    whole = ng.train(problem, gap=1e-3)
    monkeypatch.setattr("neuralgauge.training.row_sample.MANY_ROWS", 50)
    monkeypatch.setattr(
        "neuralgauge.training.column_generation.LARGE_DATA", 1000
    )  # the first network comes from some of the samples
    sampled = ng.train(problem, gap=1e-3)
    assert sampled.certificate.gap <= 1e-3
    assert sampled.certificate.upper == pytest.approx(whole.certificate.upper, rel=2e-3)


def test_starts_that_are_only_explored_support_nothing(monkeypatch):
    """Where rows are too many for ascents to be followed to their ends."""
    problem, _, _ = conv_problem(15, "pooled", beta=0.5)
    assert ng.train(problem, gap=1e-2, prove=False).certificate.starts > 0
    monkeypatch.setattr("neuralgauge.training.dual_side.SURVEY_WORK", 10)
    explored = ng.train(problem, gap=1e-2, prove=False).certificate
    assert explored.starts == 0
    assert explored.weak


def test_pruning_keeps_outputs_and_objective():
    problem, X, rng = conv_problem(10, (2, 1), beta=0.1)
    network = random_network(problem, rng, m=40)
    pruned = ng.prune(network, problem)
    assert pruned.width <= problem.n * problem.c + 1
    assert pruned.after <= pruned.before * (1 + 1e-9)
    np.testing.assert_allclose(pruned.network.predict(X), network.predict(X), atol=1e-7)
    assert ng.prune(network, problem, width=3).width <= 3


def test_paths_and_certificates_take_convolutions():
    problem, _, rng = conv_problem(11, "pooled")
    path = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.1, gap=1e-2)
    assert len(path.solutions) == 3
    network = random_network(problem, rng)
    certificate = ng.certify(network, problem, gap=1e-2)
    assert certificate.upper == pytest.approx(problem.objective(network.balance()))
    assert certificate.lower <= certificate.upper


def test_patterns_of_networks_witness_their_gates():
    problem, _, rng = conv_problem(12, "pooled")
    network = random_network(problem, rng)
    witnesses = interior_vectors(problem.X, network.U.T, rng)
    assert np.all((witnesses @ problem.X.T >= 0) == (network.U.T @ problem.X.T >= 0))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"filter_size": 7}, "`filter_size` must be at most"),
        ({"readout": "mean"}, "`readout` must be"),
        ({"y": np.zeros(5)}, "one entry per row"),
    ],
)
def test_refusals(options, match):
    X, rng = images(13)
    arguments = {"y": rng.standard_normal(8), "beta": 1.0, "filter_size": 2} | options
    with pytest.raises(ng.InvalidInputError, match=match):
        ng.ReLUConvProblem(X, arguments.pop("y"), **arguments)


def test_gray_images_and_signals_are_not_mixed_up():
    X = np.zeros((3, 6, 4))
    X[0] = 1.0
    with pytest.raises(ng.InvalidInputError, match="may be gray images or signals"):
        ng.ReLUConvProblem(X, np.ones(3), beta=1.0, filter_size=2)
    assert ng.ReLUConvProblem(X, np.ones(3), beta=1.0, filter_size=(2, 2)).geometry.shape == (6, 4, 1)
    assert ng.ReLUConvProblem(X, np.ones(3), beta=1.0, filter_size=(2,)).geometry.shape == (6, 4)
    network = ng.ReLUConvProblem(X, np.ones(3), beta=1.0, filter_size=(2,)).empty_network()
    with pytest.raises(ng.InvalidInputError, match="`X` must have shape"):
        network.predict(np.zeros((3, 4, 6)))


def test_weights_must_fit_the_geometry():
    geometry = ng.PatchGeometry((4, 1), filter_size=2)
    with pytest.raises(ng.InvalidInputError, match="one row per filter entry"):
        ng.ReLUConvNetwork(np.ones((2, 1)), [1.0], geometry=geometry)
    with pytest.raises(ng.InvalidInputError, match="outputs of each of 3 regions"):
        ng.ReLUConvNetwork(np.ones((3, 1)), [1.0], geometry=geometry, readout="flattened")


def test_a_flattened_network_takes_memory_of_the_order_of_its_activations():
    geometry = ng.PatchGeometry((60, 60, 1), 3)
    K = geometry.n_positions
    network = ng.ReLUConvNetwork(np.ones((10, 2)), np.ones((2, K)), geometry=geometry, readout="flattened")
    X = np.ones((1, 60, 60, 1))
    tracemalloc.start()
    try:
        outputs = network.predict(X)
        assert tracemalloc.get_traced_memory()[1] < 100 * 8 * K  # a matrix of the positions has K^2 entries
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(outputs, 2 * 10 * K)


def test_equal_patches_are_one_row_also_of_whole_numbers(rng):
    """Floats of small whole numbers share most of their bits."""
    images = rng.integers(-2, 3, (3, 40, 40, 1)).astype(float)
    problem = ng.ReLUConvProblem(images, [1.0, 2.0, 3.0], beta=1.0, filter_size=2, bias=False)
    patches = problem.geometry.stack(images).reshape(3, -1, 4)
    different = sum(len(np.unique(one[np.any(one != 0.0, axis=1)], axis=0)) for one in patches)
    assert len(problem.X) == different
