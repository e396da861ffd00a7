"""The neural gauge: reference values, CVXPY over all patterns, bounds, limits, refusals."""

import dataclasses
import sys

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.training.column_generation import Rounds
from neuralgauge.training.interpolation import says_more

FIVE = ([[-2.0], [-1.0], [0.0], [1.0], [2.0]], [1.0, -1.0, 1.0, 1.0, -1.0])


def interpolates(solution, X, y):
    """From the network's own outputs, one neuron at a time."""
    y = np.asarray(y, dtype=float).reshape(len(y), -1)
    design = np.asarray(X, dtype=float)
    if solution.network.bias:
        design = np.hstack([design, np.ones((len(design), 1))])
    f = np.zeros_like(y) + solution.network.offset
    for u, a in zip(solution.network.U.T, solution.network.A, strict=True):
        f = f + np.outer(np.maximum(design @ u, 0.0), a)
    return np.max(np.abs(f - y)) <= 1e-9 * np.max(np.abs(y))


def reference(X, y, bias, offset=False, directions=None):
    """Minimum of sum |w_i| over all patterns, handed to CVXPY and Clarabel."""
    cp = pytest.importorskip("cvxpy")
    X, Y = np.asarray(X, dtype=float), np.asarray(y, dtype=float).reshape(len(y), -1)
    design = np.hstack([X, np.ones((len(X), 1))]) if bias else X
    gates = ng.enumerate_patterns(design).dense()
    directions = np.array([[1.0], [-1.0]]) if directions is None else directions
    f, cost, cones = np.ones((len(X), 1)) @ (float(offset) * cp.Variable((1, Y.shape[1]))), 0, []
    for D in gates:
        for g in directions:
            w = cp.Variable(design.shape[1])
            f = f + cp.reshape(cp.multiply(D, design @ w), (len(X), 1), order="C") @ g[None, :]
            cost = cost + cp.norm(w)
            cones.append(cp.multiply(np.where(D, 1.0, -1.0), design @ w) >= 0)
    task = cp.Problem(cp.Minimize(cost), [f == Y, *cones])
    task.solve(solver=cp.CLARABEL)
    return float(task.value)


def test_five_points():
    solution = ng.neural_gauge(*FIVE, gap=1e-7)
    certificate = solution.certificate
    assert solution.status is ng.Status.SOLVED
    assert certificate.scope == "exact"
    assert certificate.lower <= 10.128990 + 5e-7
    assert certificate.upper == pytest.approx(10.128990, abs=1e-6)
    assert certificate.upper == pytest.approx(solution.network.weight_decay(), rel=1e-12)
    assert certificate.upper >= solution.network.weight_decay()
    assert interpolates(solution, *FIVE)


@pytest.mark.parametrize("h", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_a_zigzag_costs_the_same_however_small_it_is_drawn(h):
    """A slope of -10 over a stretch h: leaving the middle point out costs 1e-9 of misfit and saves three quarters."""
    X, y = [[0.0], [h], [1.0], [2.0]], [0.0, -10.0 * h, 1.0, 0.0]
    solution = ng.neural_gauge(X, y)
    limit = 13.8284  # for h to 0, from the program over all patterns; it rises with h
    assert limit <= solution.certificate.upper
    assert solution.certificate.lower <= reference([[0.0], [1e-2], [1.0], [2.0]], [0.0, -0.1, 1.0, 0.0], True)
    assert solution.network.predict(X)[1] == pytest.approx(y[1], rel=1e-6)
    if h >= 1e-4:
        assert solution.status is ng.Status.SOLVED
        assert solution.certificate.upper == pytest.approx(reference(X, y, True), rel=3e-4)


@pytest.mark.parametrize("seed", range(6))
def test_neighbours_with_targets_apart_keep_the_sides_in_order(seed):
    """Multipliers of 1e4 and more, that even a misfit of 1e-9 is worth something to."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((8, 1 + seed % 2))
    X[1] = X[0] + 1e-4 * rng.standard_normal(X.shape[1])
    y = rng.standard_normal(8)
    solution = ng.neural_gauge(X, y, gap=1e-6)
    assert solution.certificate.lower <= solution.certificate.upper
    assert solution.certificate.upper <= reference(X, y, True) * (1 + 1e-3)
    assert solution.certificate.lower <= reference(X, y, True) * (1 + 1e-6)


def small_data(seed):
    """Rank at most 3; every second one of small integers, with repeated, collinear and opposite rows."""
    rng = np.random.default_rng(seed)
    bias, rank = seed % 4 < 2, 1 + seed % 3
    n, d = int(rng.integers(3, 7)), rank - bias if rank > bias else 1
    if seed % 2:
        X = rng.integers(-2, 3, (n, d)).astype(float)
        design = np.hstack([X, np.ones((n, 1))]) if bias else X
        U = rng.integers(-2, 3, (design.shape[1], 5))
        y = np.maximum(design @ U, 0.0) @ rng.integers(-2, 3, 5)
        y[0] += 1.0 if bias and len(np.unique(X, axis=0)) == n else 0.0
    else:
        X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
        if d == 1 and not bias:
            y = np.where(X[:, 0] > 0, 2.0, -0.5) * X[:, 0]
    return X, y, bias


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("offset", [False, True])
def test_agrees_with_the_program_over_all_patterns(seed, offset):
    X, y, bias = small_data(seed)
    solution = ng.neural_gauge(X, y, bias=bias, offset=offset, gap=1e-6)
    certificate, optimum = solution.certificate, reference(X, y, bias, offset)
    assert certificate.scope == "exact"
    assert interpolates(solution, X, y) or not np.any(y)
    assert certificate.upper == pytest.approx(optimum, rel=2e-6, abs=1e-6)
    assert certificate.lower <= optimum * (1 + 1e-6) + 1e-7
    assert certificate.lower <= certificate.upper


def test_several_outputs(rng):
    X, Y = rng.standard_normal((6, 1)), rng.standard_normal((6, 2))
    solution = ng.neural_gauge(X, Y, gap=1e-5)
    angle = np.arange(16) * np.pi / 8
    over_some = reference(X, Y, True, directions=np.stack([np.cos(angle), np.sin(angle)], axis=1))
    singly = [ng.neural_gauge(X, Y[:, k], gap=1e-5).certificate for k in range(2)]
    assert interpolates(solution, X, Y)
    assert solution.dual.shape == (6, 2)
    assert solution.certificate.lower <= over_some * (1 + 1e-6)
    assert solution.certificate.upper <= over_some * (1 + 1e-5)
    assert solution.certificate.upper >= max(c.lower for c in singly)
    assert solution.certificate.upper <= sum(c.upper for c in singly)


@pytest.mark.parametrize("offset", [False, True])
def test_the_dual_point_proves_the_bound(rng, offset):
    X, y = rng.standard_normal((15, 2)), rng.standard_normal(15) + 3.0
    solution = ng.neural_gauge(X, y, offset=offset, gap=1e-5)
    z = solution.dual
    assert solution.status is ng.Status.SOLVED
    assert ng.price(z, np.hstack([X, np.ones((15, 1))])).bound <= 1.0 + 1e-9
    assert y @ z == pytest.approx(solution.certificate.lower, rel=1e-9)
    if offset:
        assert abs(z.sum()) <= 1e-9 * np.abs(z).sum()


def test_is_the_limit_of_training():
    gauge = ng.neural_gauge(*FIVE, gap=1e-6).certificate
    values = [ng.train(ng.TrainingProblem(*FIVE, beta=b), gap=1e-7).certificate.upper / b for b in (1e-2, 1e-3, 1e-4)]
    below = gauge.upper - np.array(values)
    assert np.all(below > 0)
    assert below[1:] == pytest.approx(below[:-1] / 10.0, rel=0.05)


def test_an_offset_never_costs(rng):
    X, y = rng.standard_normal((12, 2)), rng.standard_normal(12) + 2.0
    penalised, free = (ng.neural_gauge(X, y, offset=offset, gap=1e-5) for offset in (False, True))
    assert free.certificate.lower < penalised.certificate.upper
    assert interpolates(free, X, y)
    moved = ng.neural_gauge(X, y - 100.0, offset=True, gap=1e-5)
    assert moved.certificate.upper == pytest.approx(free.certificate.upper, rel=1e-5)


@pytest.mark.parametrize("factor", [1e-6, 3.0, 1e6])
def test_homogeneous_in_the_targets(factor, rng):
    X, y = rng.standard_normal((10, 2)), rng.standard_normal(10)
    one, other = ng.neural_gauge(X, y, gap=1e-6), ng.neural_gauge(X, factor * y, gap=1e-6)
    assert other.certificate.upper == pytest.approx(factor * one.certificate.upper, rel=2e-6)
    assert other.certificate.lower == pytest.approx(factor * one.certificate.lower, rel=2e-6)
    assert interpolates(other, X, factor * y)


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_homogeneous_in_the_features_without_bias(factor, rng):
    X, y = rng.standard_normal((10, 3)), rng.standard_normal(10)
    one, other = (ng.neural_gauge(s * X, y, bias=False, gap=1e-6).certificate for s in (1.0, factor))
    assert other.upper == pytest.approx(one.upper / factor, rel=2e-6)
    assert other.lower == pytest.approx(one.lower / factor, rel=2e-6)


@pytest.mark.parametrize(("scale", "centre"), [(1e-3, 0.0), (1e3, 0.0), (1.0, 1e2)])
def test_units_of_the_features(scale, centre, rng):
    X, y = scale * rng.standard_normal((10, 1)) + centre, rng.standard_normal(10)
    solution = ng.neural_gauge(X, y, gap=1e-4)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.scope == "exact"
    assert interpolates(solution, X, y)


def test_close_points_cost_their_slope():
    X, y = [[0.0], [1.0], [1.0 + 1e-5]], [0.0, 0.0, 1.0]
    solution = ng.neural_gauge(X, y)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.lower >= 1e5 * (1 - 1e-4)
    assert interpolates(solution, X, y)


@pytest.mark.parametrize(("y", "offset"), [([0.0, 0.0, 0.0], False), ([0.1, 0.1, 0.1], True), ([0.0] * 3, True)])
def test_nothing_to_pay(y, offset):
    solution = ng.neural_gauge([[1.0], [2.0], [4.0]], y, offset=offset)
    assert solution.status is ng.Status.SOLVED
    assert (solution.certificate.upper, solution.certificate.lower, solution.certificate.gap) == (0.0, 0.0, 0.0)
    assert solution.network.predict([[1.0], [2.0], [4.0]]).tolist() == y


def test_above_the_rank_that_is_proven(rng):
    X, y = rng.standard_normal((25, 7)), rng.standard_normal(25)
    solution = ng.neural_gauge(X, y, gap=1e-3)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.scope == "estimated"
    assert interpolates(solution, X, y)
    assert solution.network.n_neurons <= 26


def test_a_time_limit_returns_an_interpolating_network(rng):
    X, y = rng.standard_normal((80, 6)), rng.standard_normal(80)
    solution = ng.neural_gauge(X, y, gap=1e-9, time_limit=0.5)
    assert solution.status is ng.Status.TIME_LIMIT
    assert interpolates(solution, X, y)
    assert solution.certificate.lower <= solution.certificate.upper


@pytest.mark.parametrize("calls", [1, 3, 12])
def test_interruption_keeps_the_best(calls, rng):
    X, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
    seen = []

    def stop(record):
        seen.append(record)
        if len(seen) == calls:
            raise KeyboardInterrupt

    solution = ng.neural_gauge(X, y, gap=1e-9, progress=stop)
    assert solution.status is ng.Status.INTERRUPTED
    assert len(seen) == calls
    assert interpolates(solution, X, y)
    assert solution.certificate.lower <= solution.certificate.upper
    assert solution.certificate.upper == pytest.approx(solution.network.weight_decay(), rel=1e-12)


def test_interruption_between_trainings(rng, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Rounds, "__init__", interrupted)
    solution = ng.neural_gauge(*FIVE)
    assert solution.status is ng.Status.INTERRUPTED
    assert solution.certificate.lower == 0.0
    assert interpolates(solution, *FIVE)


def test_same_seed_same_result(rng):
    X, y = rng.standard_normal((20, 2)), rng.standard_normal(20)
    one, other = ng.neural_gauge(X, y), ng.neural_gauge(X, y)
    assert np.array_equal(one.network.U, other.network.U)
    assert one.certificate == other.certificate
    assert [r.seconds for r in one.history] == sorted(r.seconds for r in one.history)


@pytest.mark.parametrize(
    ("X", "y", "options", "words"),
    [
        ([[1.0], [1.0]], [0.0, 1.0], {}, "rows 0 and 1 of `X` are equal"),
        ([[1.0], [1.0 + 1e-15]], [0.0, 1.0], {}, "rows 0 and 1 of `X` are equal"),
        ([[1.0], [2.0]], [1.0, 1.0], {"bias": False}, "2 times row 0"),
        ([[0.0], [2.0]], [1.0, 1.0], {"bias": False}, "row 0 of `X` is zero"),
        ([[0.0], [1.0], [1.0 + 1e-11]], [0.0, 0.0, 1.0], {}, "rows 1 and 2 of `X` are only 1e-11 apart"),
        ([[1.0], [2.0]], [1.0, 1.0], {"gap": 0.0}, "`gap`"),
        ([[1.0], [2.0]], [1.0, 1.0], {"time_limit": -1.0}, "`time_limit`"),
        ([[1.0], [2.0]], [1.0, 1.0, 1.0], {}, "one entry per row"),
    ],
)
def test_refusals(X, y, options, words):
    with pytest.raises(ng.InvalidInputError, match=words):
        ng.neural_gauge(X, y, **options)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("X", "y", "bias", "value"),
    [
        ([[1.0], [1.0]], [2.0, 2.0], True, 2.0 * np.sqrt(0.5)),
        ([[-1.0], [1.0]], [1.0, -2.0], False, 3.0),
        ([[1e6], [1e6 + 0.5]], [1.0, 1.0], True, None),
    ],
)
def test_rank_one_and_rows_that_are_nearly_parallel(X, y, bias, value, seed):
    """Few random neurons may all lie on one side; rows far from the origin are no equal rows."""
    solution = ng.neural_gauge(X, y, bias=bias, random_state=seed)
    assert interpolates(solution, X, y)
    assert solution.certificate.lower <= solution.certificate.upper
    if value is not None:
        assert solution.certificate.upper == pytest.approx(value, rel=1e-3)


EXACT, BOUNDED, ESTIMATED = "exact", "bounded", "estimated"


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        ((EXACT, 0.0), (ESTIMATED, 1.0), True),  # a proof of nothing
        ((EXACT, 2.0), (ESTIMATED, 3.0), False),
        ((BOUNDED, 2.0), (ESTIMATED, 3.0), False),
        ((ESTIMATED, 3.0), (EXACT, 2.0), True),
        ((EXACT, 2.0), (EXACT, 3.0), True),
        ((EXACT, 2.0), (BOUNDED, 1.0), False),
        ((BOUNDED, 1.0), (EXACT, 2.0), True),
        ((ESTIMATED, 2.0), (ESTIMATED, 1.0), False),
        ((ESTIMATED, 6.0), (ESTIMATED, 1.0), True),  # it lay above the objective
    ],
)
def test_bounds_of_the_trainings_rise(old, new, replaced):
    known, found = (ng.Certificate(5.0, lower, scope) for scope, lower in (old, new))
    assert says_more(found, known) is replaced


def test_a_proven_bound_survives_a_later_training_that_proves_less(monkeypatch):
    module = sys.modules["neuralgauge.training.interpolation"]
    right, proven = module.train, []

    def once(problem, gap, *, prove, **options):
        """Proves only the first time that it may, and never reaches the gap."""
        solved = right(problem, gap, prove=prove if not proven else False, **options)
        if prove is not False:
            proven.append(solved.certificate.lower / problem.beta)
            if len(proven) > 1:
                lower = 0.5 * solved.certificate.lower
                solved = dataclasses.replace(solved, certificate=dataclasses.replace(solved.certificate, lower=lower))
        return solved

    monkeypatch.setattr(module, "train", once)
    solution = ng.neural_gauge(*FIVE, gap=1e-13)
    assert len(proven) > 1
    assert solution.certificate.scope == "exact"
    assert solution.certificate.lower == pytest.approx(proven[0], rel=1e-12)
    assert float(np.sum(np.array(FIVE[1]) * solution.dual)) == pytest.approx(solution.certificate.lower, rel=1e-9)


def test_an_interrupt_returns_what_is_known():
    records = []

    def interrupt(record):
        records.append(record)
        if len(records) == 4:
            raise KeyboardInterrupt

    solution = ng.neural_gauge(*FIVE, progress=interrupt)
    assert solution.status is ng.Status.INTERRUPTED
    assert interpolates(solution, *FIVE)
    assert solution.certificate.lower <= 10.128990 + 5e-7
    assert len(solution.history) == 5
