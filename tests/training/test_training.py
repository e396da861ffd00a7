"""From a problem to a certified network: reference values, certificates that hold, limits, interruption."""

from itertools import pairwise

import numpy as np
import pytest

import neuralgauge as ng

LOSSES = ("squared", "logistic", "hinge")


def table(loss="squared", n=40, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    wave = np.abs(X[:, 0]) - X[:, -1] ** 2 + 0.1 * rng.standard_normal(n)
    return X, wave if loss == "squared" else np.where(wave > -0.2, 1.0, -1.0)


def slow_objective(problem, network):
    """[2], one sample and one neuron at a time."""
    total = 0.0
    for x, y, s in zip(problem.X, problem.y, problem.sample_weight, strict=True):
        f = 0.0
        for u, a in zip(network.U.T, network.A[:, 0], strict=True):
            f += max(0.0, float(x @ u)) * float(a)
        losses = {"squared": 0.5 * (f - y) ** 2, "hinge": max(0.0, 1.0 - y * f), "logistic": np.logaddexp(0.0, -y * f)}
        total += s * losses[problem.loss.name]
    for u, a in zip(network.U.T, network.A[:, 0], strict=True):
        total += 0.5 * problem.beta * (float(u @ u) + float(a) ** 2)
    return total


def small_problem(seed):
    """Rank at most 3, every second one of small integers with repeated, zero and collinear rows."""
    rng = np.random.default_rng(seed)
    loss, rank = LOSSES[seed % 3], 1 + seed % 3
    n, d = int(rng.integers(3, 9)), rank + int(rng.integers(0, 2))
    if seed % 2:
        X = rng.integers(-2, 3, (n, rank)) @ rng.integers(-1, 2, (rank, d))
        X[rng.integers(n)] = rng.choice([0, 1, -2]) * X[rng.integers(n)]
        y = rng.integers(-3, 4, n)
    else:
        X, y = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d)), rng.standard_normal(n)
    y = y if loss == "squared" else rng.choice([-1.0, 1.0], n)
    weight = rng.integers(1, 4, n) if seed % 5 == 0 else None
    beta = float(rng.choice([0.03, 0.3, 1.0]))
    return ng.TrainingProblem(X, y, beta=beta, loss=loss, bias=False, sample_weight=weight)


@pytest.mark.parametrize(
    ("beta", "optimum"), [(1.0, 2.447794), (0.1, 0.891447), (1e-2, 0.1000738), (1e-3, 0.01011683), (1e-4, 0.001012777)]
)
def test_five_points(paper, beta, optimum):
    problem = paper(beta)
    solution = ng.train(problem, gap=1e-6)
    certificate = solution.certificate
    assert solution.status is ng.Status.SOLVED
    assert certificate.scope == "exact"
    assert certificate.gap <= 1e-6
    assert certificate.upper == pytest.approx(optimum, rel=2e-6)
    assert certificate.lower <= optimum * (1 + 1e-6)
    assert solution.network.n_neurons <= 6


@pytest.mark.parametrize("seed", range(24))
def test_agrees_with_a_conic_solver_over_all_patterns(seed):
    problem = small_problem(seed)
    if not np.any(problem.X):
        pytest.skip("zero data has no neurons")
    reference = ng.solve_program(problem, ng.enumerate_patterns(problem.X), solver="reference").certificate
    solution = ng.train(problem, gap=1e-6)
    certificate, scale = solution.certificate, max(reference.upper, 1e-6)
    assert certificate.scope == "exact"
    assert certificate.gap <= 1e-6 or certificate.upper - certificate.lower < 1e-9
    assert certificate.lower <= reference.upper + 1e-7 * scale
    assert certificate.upper >= reference.upper - 1e-6 * scale
    assert certificate.upper <= reference.upper + 3e-6 * scale


@pytest.mark.parametrize("loss", LOSSES)
def test_certificate_is_that_of_the_network_returned(loss):
    problem = ng.TrainingProblem(*table(loss), beta=0.5, loss=loss)
    solution = ng.train(problem)
    assert solution.certificate.upper == pytest.approx(slow_objective(problem, solution.network), rel=1e-12)
    assert solution.certificate.upper == problem.objective(solution.network)
    assert type(solution.certificate.upper) is float
    assert solution.certificate.gap <= 1e-4


@pytest.mark.parametrize("loss", LOSSES)
def test_no_network_found_elsewhere_lies_below_the_bound(loss):
    """Local search from random networks of other widths, against a proven bound and an estimated one."""
    from neuralgauge.solvers.local_search import local_search

    problem = ng.TrainingProblem(*table(loss, d=2), beta=0.5, loss=loss)
    lowest = max(ng.train(problem, gap=1e-6, prove=prove).certificate.lower for prove in (None, False))
    rng = np.random.default_rng(0)
    for m in (2, 5, 20, 100):
        start = ng.TwoLayerNetwork(rng.standard_normal((3, m)), rng.standard_normal(m))
        assert problem.objective(local_search(problem, start, 500)) >= lowest


@pytest.mark.parametrize("loss", LOSSES)
def test_no_neuron_is_a_duplicate_or_vanishes(loss):
    problem = ng.TrainingProblem(*table(loss), beta=0.2, loss=loss)
    network = ng.train(problem).network
    size = np.linalg.norm(network.U, axis=0)
    assert network.n_neurons <= problem.n + 1
    assert np.all(size > 1e-8 * size.max())
    assert np.allclose(size, np.abs(network.A[:, 0]), rtol=1e-10)
    cosine = (network.U / size).T @ (network.U / size)
    same_sign = np.sign(network.A) == np.sign(network.A.T)
    distinct = ~np.eye(network.n_neurons, dtype=bool)
    assert np.all(cosine[same_sign & distinct] < 1.0 - 1e-12)
    value = problem.objective(network)
    for k in range(network.n_neurons):  # each one earns its place, up to the slack of simplification
        left = ng.TwoLayerNetwork(np.delete(network.U, k, axis=1), np.delete(network.A, k, axis=0))
        assert problem.objective(left) > value * (1 - 1e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_samples_need_few_neurons(n):
    problem = ng.TrainingProblem(*table(n=n), beta=1e-3)
    assert ng.train(problem, gap=1e-6).network.n_neurons <= n + 1


def test_history_is_monotone():
    records = []
    problem = ng.TrainingProblem(*table(n=60, d=4), beta=0.3)
    solution = ng.train(problem, gap=1e-5, progress=records.append)
    assert tuple(records) == solution.history
    assert len(records) == solution.n_iter + 1
    seconds, objectives = [r.seconds for r in records], [r.objective for r in records]
    assert seconds == sorted(seconds)
    assert objectives == sorted(objectives, reverse=True)
    assert objectives[-1] >= solution.certificate.upper
    assert records[-1].n_neurons == solution.network.n_neurons
    assert records[-1].lower_bound <= solution.certificate.upper  # those before are of a search under way


def test_deterministic_for_a_random_state():
    problem = ng.TrainingProblem(*table(), beta=0.5)
    first, second = ng.train(problem, random_state=3), ng.train(problem, random_state=3)
    assert np.array_equal(first.network.U, second.network.U)
    assert np.array_equal(first.network.A, second.network.A)
    assert first.certificate == second.certificate
    assert [r.objective for r in first.history] == [r.objective for r in second.history]
    generator = ng.train(problem, random_state=np.random.default_rng(3))
    assert generator.certificate == first.certificate


def test_any_random_state_reaches_the_gap():
    problem = ng.TrainingProblem(*table(), beta=0.5)
    values = [ng.train(problem, random_state=seed).certificate.upper for seed in range(4)]
    assert max(values) <= min(values) * (1 + 1e-4)


@pytest.mark.parametrize("limit", [1e-3, 0.3])
def test_time_limit_returns_a_certified_network(limit):
    problem = ng.TrainingProblem(*table(n=400, d=8), beta=0.05)
    solution = ng.train(problem, gap=1e-8, time_limit=limit)
    assert solution.status is ng.Status.TIME_LIMIT
    certificate = solution.certificate
    assert certificate.upper == problem.objective(solution.network)
    assert 0.0 <= certificate.lower <= certificate.upper
    assert certificate.upper <= problem.fit.value(np.zeros(problem.n))


@pytest.mark.parametrize("after", [1, 2, 3])
def test_interruption_returns_the_best_network(after):
    problem, seen = ng.TrainingProblem(*table(n=60, d=4), beta=0.1), []

    def interrupt(record):
        seen.append(record)
        if len(seen) == after:
            raise KeyboardInterrupt

    solution = ng.train(problem, gap=1e-9, progress=interrupt)
    assert solution.status is ng.Status.INTERRUPTED
    assert len(seen) == after
    assert solution.certificate.upper == problem.objective(solution.network) == seen[-1].objective
    assert solution.certificate.lower <= solution.certificate.upper


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("factor", [1.0 + 1e-9, 10.0])
def test_zero_network_from_beta_max_on(loss, factor):
    problem = ng.TrainingProblem(*table(loss, d=2), beta=1.0, loss=loss)
    solution = ng.train(problem.with_beta(factor * ng.beta_max(problem)))
    assert solution.status is ng.Status.SOLVED
    assert solution.network.n_neurons == 0
    assert solution.certificate.upper == problem.fit.value(np.zeros(problem.n))
    assert solution.certificate.scope == "exact"
    assert solution.certificate.gap <= 1e-12


def test_neurons_below_beta_max():
    problem = ng.TrainingProblem(*table(d=2), beta=1.0)
    assert ng.train(problem.with_beta(0.99 * ng.beta_max(problem)), gap=1e-6).network.n_neurons > 0


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_without_proof_nothing_is_called_proven(d):
    problem = ng.TrainingProblem(*table(d=d), beta=0.5)
    certificate = ng.train(problem, prove=False).certificate
    assert certificate.scope == "estimated"
    assert certificate.starts > 0
    assert certificate.gap <= 1e-4
    assert "99 % confidence" in str(certificate)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_search_and_proof_agree(d):
    problem = ng.TrainingProblem(*table(d=d), beta=0.5)
    searched, proven = ng.train(problem, prove=False).certificate, ng.train(problem, prove=True).certificate
    assert proven.scope == "exact"
    assert searched.upper == pytest.approx(proven.upper, rel=2e-4)
    assert proven.lower <= searched.upper
    assert searched.lower <= proven.upper


def test_unfinished_proof_is_called_bounded():
    problem = ng.TrainingProblem(*table(n=60, d=6), beta=1.0)
    certificate = ng.train(problem, prove=True, time_limit=1.0).certificate
    assert certificate.scope == "bounded"
    assert certificate.starts == 0
    searched = ng.train(problem, prove=False).certificate
    assert certificate.lower <= searched.upper


@pytest.mark.parametrize("loss", LOSSES)
def test_sample_weights_are_repeated_rows(loss):
    X, y = table(loss, n=20, d=2)
    weight = np.random.default_rng(1).integers(1, 4, 20)
    weighted = ng.train(ng.TrainingProblem(X, y, beta=0.5, loss=loss, sample_weight=weight), gap=1e-6).certificate
    repeated = ng.TrainingProblem(np.repeat(X, weight, axis=0), np.repeat(y, weight), beta=0.5, loss=loss)
    found = ng.train(repeated, gap=1e-6).certificate
    assert weighted.upper == pytest.approx(found.upper, rel=2e-6)
    assert max(weighted.lower, found.lower) <= min(weighted.upper, found.upper)


def test_width_needed_grows_as_beta_falls_and_the_optimum_falls():
    X, y = table(n=30, d=2)
    values = [ng.train(ng.TrainingProblem(X, y, beta=beta)).certificate for beta in (3.0, 1.0, 0.3, 0.1, 0.03)]
    assert all(later.lower < earlier.upper for earlier, later in pairwise(values))
    assert all(c.scope == "exact" for c in values)


@pytest.mark.filterwarnings("ignore::neuralgauge.errors.ColumnScaleWarning")  # 1e6 beside 1 on purpose
@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[0.0], [0.0]], [1.0, -1.0]),
        ([[1.0]], [2.0]),
        ([[3.0], [3.0], [3.0]], [1.0, 2.0, 3.0]),
        ([[1.0, 1.0, 2.0], [-1.0, -1.0, -2.0], [2.0, 2.0, 4.0]], [1.0, 1.0, 0.0]),
        ([[1e6, 1.0], [1e6, -1.0], [1e6 + 1.0, 0.0]], [1.0, -1.0, 0.5]),
        ([[1.0], [2.0]], [0.0, 0.0]),
    ],
)
def test_degenerate_data(X, y):
    problem = ng.TrainingProblem(X, y, beta=0.1)
    certificate = ng.train(problem, gap=1e-6).certificate
    assert certificate.scope == "exact"
    assert certificate.upper - certificate.lower <= 1e-6 * certificate.upper + 1e-12


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("d", [1, 3])
def test_rows_of_zeros_only_leave_the_constant(loss, d):
    """No neuron does anything, so the offset is all there is: the optimum is 0 or its infimum."""
    problem = ng.TrainingProblem(np.zeros((1, d)), [1.0], beta=0.1, loss=loss, bias=False, offset=True)
    solution = ng.train(problem)
    assert solution.network.n_neurons == 0
    assert 0.0 <= solution.certificate.upper <= 1e-20


@pytest.mark.parametrize(("option", "words"), [({"gap": 0.0}, "`gap`"), ({"time_limit": -1.0}, "`time_limit`")])
def test_refuses_what_is_not_positive(paper, option, words):
    with pytest.raises(ng.InvalidInputError, match=words):
        ng.train(paper(1.0), **option)


def test_patterns_to_start_with_make_the_first_program(paper, monkeypatch):
    """With all patterns one program is all there is to do; no local search comes before it."""
    monkeypatch.setattr(
        "neuralgauge.training.column_generation.Rounds._first_network", lambda _: pytest.fail("searched")
    )
    problem = paper(0.1)
    solution = ng.train(problem, gap=1e-6, start=ng.enumerate_patterns(problem.X))
    assert solution.certificate.gap <= 1e-6
    assert solution.history[1].objective == pytest.approx(0.891447, rel=1e-2)
    assert solution.n_iter <= 3


@pytest.mark.parametrize("strategy", ["gaussian", "sign_flips", "clusters"])
@pytest.mark.parametrize("c", [1, 2])
def test_some_patterns_to_start_with(strategy, c):
    """After one round no worse than the program over these patterns, and at the optimum in the end."""
    X, y = table(n=30)
    problem = ng.TrainingProblem(X, y if c == 1 else np.column_stack([y, X[:, 1]]), beta=0.5)
    patterns = ng.sample_patterns(problem.X, 20, strategy=strategy)
    # For two outputs each pattern serves one direction, along V^T (X u)_+ for V = -grad L(0), and its opposite.
    V = -problem.fit.gradient(np.zeros_like(problem.y)).reshape(30, c)
    G = np.maximum(patterns.witness(slice(None)) @ problem.X.T, 0.0) @ V
    both = np.vstack([patterns.dense()] * 2), np.vstack([G, -G])
    over_these = ng.solve_program(problem, both[0], tol=1e-6, directions=both[1]).certificate.upper
    solution = ng.train(problem, gap=1e-4, prove=False, start=patterns)
    assert solution.history[0].objective == problem.objective(problem.empty_network())
    assert solution.history[1].objective <= over_these * 1.02
    assert solution.certificate.upper == pytest.approx(ng.train(problem, prove=False).certificate.upper, rel=3e-4)


@pytest.mark.parametrize("readout", ["pooled", "flattened"])
def test_patterns_of_clustered_patches_start_a_convolution(readout, rng):
    signals = rng.standard_normal((12, 8))
    y = np.sum(np.maximum(signals[:, 1:] - signals[:, :-1], 0.0), axis=1)
    problem = ng.ReLUConvProblem(signals, y, beta=0.5, filter_size=2, readout=readout)
    patterns = ng.sample_patterns(problem.X, 20, strategy="clusters")
    solution = ng.train(problem, gap=1e-3, prove=False, start=patterns)
    assert solution.history[1].objective < 0.5 * solution.history[0].objective
    assert solution.certificate.upper == pytest.approx(ng.train(problem, 1e-3, prove=False).certificate.upper, rel=3e-3)
    own = ng.sample_patterns(problem.X, 1000, strategy="network", network=solution)
    if readout == "pooled":
        assert ng.solve_program(problem, own).certificate.upper <= solution.certificate.upper * (1 + 1e-6)


def test_patterns_of_other_data_are_no_start():
    problem = ng.TrainingProblem(*table(), beta=1.0)
    for X in (problem.X[:-1], problem.X[:, :-1]):
        with pytest.raises(ng.InvalidInputError, match="`start` must have patterns of 40 rows and 4 columns"):
            ng.train(problem, start=ng.sample_patterns(X, 5))


def test_patterns_above_the_largest_penalty_leave_the_network_empty(paper):
    problem = paper(50.0)
    assert ng.train(problem, start=ng.enumerate_patterns(problem.X)).network.n_neurons == 0
