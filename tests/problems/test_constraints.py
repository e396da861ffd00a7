"""Networks whose neurons obey constraints: optima, bounds, what holds on every input, what is refused."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import neuralgauge as ng
from neuralgauge.errors import InvalidInputError
from neuralgauge.solvers.passes import Passes
from neuralgauge.solvers.run import Run
from neuralgauge.training.large_rounds import solve_by_passes


def table(seed, n, d, loss="squared"):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = np.sin(2.0 * X[:, 0]) + X[:, -1] + 0.3 * rng.standard_normal(n)
    return X, np.where(y > np.median(y), 1.0, -1.0) if loss == "logistic" else y


def posed(X, y, share=0.05, loss="squared", offset=False, **constraints):
    """A problem at a share of the penalty from which networks are empty without constraints."""
    largest = ng.beta_max(ng.TrainingProblem(X, y, beta=1.0, loss=loss, offset=offset))
    return ng.TrainingProblem(X, y, beta=share * largest, loss=loss, offset=offset, **constraints)


def reference(problem):
    """The optimum over all patterns, every block in its cone and its orthant, by CVXPY and Clarabel."""
    cp = pytest.importorskip("cvxpy")
    X, y, terms, penalty, rows = problem.X, problem.y, 0.0, 0.0, []
    for sign in problem.constraints.signs:
        for gate in ng.enumerate_patterns(X).dense().astype(float):
            w = cp.Variable(problem.d)
            rows += [cp.multiply(2.0 * gate - 1.0, X @ w) >= 0.0]
            rows += [sign * s * w[k] >= 0.0 for k, s in enumerate(problem.constraints.monotone) if s]
            terms, penalty = terms + sign * cp.multiply(gate, X @ w), penalty + cp.norm(w)
    f = terms + cp.Variable() if problem.offset else terms
    losses = {
        "squared": lambda: 0.5 * cp.sum_squares(f - y),
        "absolute": lambda: cp.norm1(f - y),
        "logistic": lambda: cp.sum(cp.logistic(-cp.multiply(y, f))),
    }
    task = cp.Problem(cp.Minimize(losses[problem.loss.name]() + problem.beta * penalty), rows)
    task.solve(solver=cp.CLARABEL)
    return task.value


CASES = [
    ("squared", 1, {"monotonic_cst": [1]}, False),
    ("squared", 2, {"monotonic_cst": [1, -1]}, True),
    ("squared", 2, {"monotonic_cst": [1, 0], "convexity": "convex"}, False),
    ("absolute", 2, {"monotonic_cst": [0, 1]}, False),
    ("absolute", 1, {"convexity": "concave"}, True),
    ("logistic", 2, {"monotonic_cst": [1, 1]}, True),
    ("logistic", 1, {"monotonic_cst": [-1], "convexity": "convex"}, False),
    ("squared", 1, {"positive": True}, False),
]


@pytest.mark.parametrize(("loss", "d", "constraints", "offset"), CASES)
def test_the_optimum_is_that_of_all_patterns(loss, d, constraints, offset):
    problem = posed(*table(d, 10, d, loss), loss=loss, offset=offset, **constraints)
    expected = reference(problem)
    solution = ng.train(problem, gap=1e-7)
    certificate = solution.certificate
    assert certificate.scope == "exact"
    assert certificate.constrained
    assert certificate.upper == pytest.approx(expected, rel=1e-6)
    assert certificate.lower <= expected * (1.0 + 1e-7)  # Clarabel's own accuracy
    assert certificate.upper == problem.objective(solution.network)
    assert np.all(problem.constraints.obeyed(solution.network.U, solution.network.A[:, 0]))


@pytest.mark.parametrize(("loss", "d", "constraints", "offset"), CASES[::2])
@pytest.mark.parametrize("solver", [None, "reference"])
def test_programs_have_the_walls_of_the_constraints(loss, d, constraints, offset, solver):
    problem = posed(*table(d + 5, 8, d, loss), loss=loss, offset=offset, **constraints)
    if solver == "reference":
        pytest.importorskip("cvxpy")
    solution = ng.solve_program(problem, ng.enumerate_patterns(problem.X), solver=solver)
    assert solution.certificate.upper == pytest.approx(reference(problem), rel=1e-6)
    assert solution.certificate.constrained
    assert np.all(problem.constraints.obeyed(solution.network.U, solution.network.A[:, 0]))


def violations(predict, monotone, convexity, count=1_000_000):
    """Of random pairs, how many are in the wrong order along a column, or have a midpoint on the wrong side."""
    rng, d = np.random.default_rng(0), len(monotone)
    x = 10.0 * rng.standard_normal((count, d))
    moved, column = x.copy(), rng.choice(np.flatnonzero(monotone), count) if np.any(monotone) else None
    wrong = 0
    if column is not None:
        moved[np.arange(count), column] += np.abs(rng.standard_normal(count)) * np.asarray(monotone)[column]
        wrong += int(np.sum(predict(moved) < predict(x)))
    if convexity is not None:
        z = 10.0 * rng.standard_normal((count, d))
        side, mean = {"convex": 1.0, "concave": -1.0}[convexity], 0.5 * (predict(x) + predict(z))
        wrong += int(np.sum(side * (predict(0.5 * (x + z)) - mean) > 1e-12 * (1.0 + np.abs(mean))))
    return wrong


@pytest.mark.parametrize(
    ("constraints", "loss"),
    [
        ({"monotonic_cst": [1, -1, 0]}, "squared"),
        ({"monotonic_cst": [0, 1, 0], "convexity": "concave"}, "absolute"),
        ({"convexity": "convex"}, "logistic"),
    ],
)
def test_no_pair_of_inputs_violates_a_constraint(constraints, loss):
    problem = posed(*table(3, 120, 3, loss), loss=loss, **constraints)
    network = ng.train(problem, gap=1e-2).network
    assert network.n_neurons > 0
    monotone = constraints.get("monotonic_cst", [0, 0, 0])
    assert violations(network.predict, monotone, constraints.get("convexity")) == 0


def test_an_unconstrained_network_would_violate_them():
    network = ng.train(posed(*table(3, 120, 3)), gap=1e-2).network
    assert violations(network.predict, [1, 0, 0], "convex", 10_000) > 100


def test_positive_outputs():
    X, y = table(0, 60, 2)
    network = ng.train(posed(X, y, positive=True), gap=1e-3).network
    assert np.all(network.predict(np.random.default_rng(0).standard_normal((10_000, 2)) * 10.0) >= 0.0)


def test_constraints_cost_something_and_bounds_say_of_whom_they_are():
    X, y = table(1, 40, 2)
    free, bound = ng.train(posed(X, y)), ng.train(posed(X, y, monotonic_cst=[1, 1]))
    assert bound.certificate.lower > free.certificate.upper
    assert "only among networks whose every neuron obeys the constraints" in bound.certificate.covers
    words = bound.certificate.in_words()
    assert "whose neurons obey the constraints" in words
    assert "other networks may" in words
    assert not free.certificate.constrained


def test_certify_is_about_networks_that_obey():
    X, y = table(1, 40, 2)
    problem = posed(X, y, monotonic_cst=[1, 1])
    good = ng.train(problem)
    certificate = ng.certify(good.network, problem)
    assert certificate.constrained
    assert abs(certificate.gap) <= 1e-4
    with pytest.raises(InvalidInputError, match="every neuron of the network must obey the constraints"):
        ng.certify(ng.train(posed(X, y)).network, problem)
    with pytest.raises(InvalidInputError, match="must obey"):
        ng.train(problem, start=ng.train(posed(X, y)))
    again = ng.train(problem, start=good)
    assert again.certificate.upper <= good.certificate.upper * (1.0 + 1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_no_constrained_network_is_below_an_estimated_bound(seed):
    X, y = table(seed, 40, 4)
    problem = posed(X, y, share=0.1, monotonic_cst=[1, 0, -1, 1])
    estimated = ng.train(problem, gap=1e-3, prove=False)
    proven = ng.certify(estimated.network, problem)
    assert estimated.certificate.scope == "estimated"
    assert estimated.certificate.lower <= proven.upper
    assert proven.lower <= estimated.certificate.upper
    if proven.scope == "exact":
        assert abs(proven.lower - estimated.certificate.lower) <= 3e-3 * proven.upper


def test_a_path_obeys_at_every_point():
    X, y = table(2, 50, 3)
    problem = posed(X, y, monotonic_cst=[1, 0, 1])
    path = ng.relu_path(problem, n_betas=4, beta_min_ratio=0.05, gap=1e-3)
    assert path.solutions[0].network.n_neurons == 0
    for solution in path.solutions:
        assert np.all(problem.constraints.obeyed(solution.network.U, solution.network.A[:, 0]))
        assert solution.certificate.constrained


@pytest.mark.parametrize("moved", [1e-13, -1e-13])
def test_the_last_bits_change_nothing_that_is_said(moved):
    X, y = table(2, 40, 2)
    rng = np.random.default_rng(0)
    first = ng.train(posed(X, y, monotonic_cst=[1, 0]))
    X = X * (1.0 + moved * rng.standard_normal(X.shape))
    second = ng.train(posed(X, y, monotonic_cst=[1, 0]))
    assert (first.status, first.certificate.scope) == (second.status, second.certificate.scope)
    assert first.certificate.upper == pytest.approx(second.certificate.upper, rel=2e-4)


def test_rows_by_passes_alone():
    X, y = table(4, 3000, 5)
    problem = posed(X, y, share=0.2, monotonic_cst=[1, 0, 0, 0, -1])
    run = Run(1e-2, None, None)
    found = solve_by_passes(Passes(problem), run, np.random.default_rng(0), problem.empty_network(), 60)
    assert found.certificate.gap <= 1e-2
    assert np.all(problem.constraints.obeyed(found.network.U, found.network.A[:, 0]))
    assert ng.train(problem, gap=1e-2).certificate.upper == pytest.approx(found.certificate.upper, rel=1e-2)


def test_rows_that_are_kept_elsewhere():
    rng = np.random.default_rng(0)
    X = scipy.sparse.random(400, 30, 0.2, random_state=0)
    y = np.asarray(X @ rng.standard_normal(30)) + 0.1 * rng.standard_normal(400)
    problem = posed(X, y, share=0.2, monotonic_cst=[1] * 15 + [0] * 15)
    dense = posed(X.toarray(), y, share=0.2, monotonic_cst=[1] * 15 + [0] * 15)
    found, expected = (ng.train(one, gap=1e-2) for one in (problem, dense))
    assert found.certificate.upper == pytest.approx(expected.certificate.upper, rel=2e-2)
    assert np.all(problem.constraints.obeyed(found.network.U, found.network.A[:, 0]))


def test_columns_by_name():
    X, y = table(0, 20, 2)
    named = ng.TrainingProblem(pd.DataFrame(X, columns=["size", "age"]), y, beta=1.0, monotonic_cst={"age": -1})
    assert named.constraints.monotone.tolist() == [0.0, -1.0, 0.0]
    assert ng.TrainingProblem(X, y, beta=1.0, monotonic_cst=[0, 0]).constraints is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"monotonic_cst": [1]}, "must be 2 numbers -1, 0 or 1"),
        ({"monotonic_cst": [1, 2]}, "must be 2 numbers -1, 0 or 1"),
        ({"monotonic_cst": [1, float("nan")]}, "must be 2 numbers -1, 0 or 1"),
        ({"monotonic_cst": "up"}, "must be 2 numbers -1, 0 or 1"),
        ({"monotonic_cst": {"age": 1}}, "can have names only where X has named columns"),
        ({"convexity": "up"}, '`convexity` must be "convex", "concave" or None'),
        ({"convexity": ["convex"]}, "`convexity` must be"),
        ({"convexity": "concave", "positive": True}, "leave one of them out"),
        ({"positive": True, "offset": True}, "leave one of them out"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        ng.TrainingProblem(*table(0, 20, 2), beta=1.0, **arguments)


def test_what_has_no_constraints():
    X, y = table(0, 20, 2)
    with pytest.raises(InvalidInputError, match="are for one output, got 2"):
        ng.TrainingProblem(X, np.column_stack([y, y]), beta=1.0, monotonic_cst=[1, 0])
    with pytest.raises(InvalidInputError, match="must name columns of X, got 'sise'"):
        ng.TrainingProblem(pd.DataFrame(X, columns=["size", "age"]), y, beta=1.0, monotonic_cst={"sise": 1})
    problem = posed(X, y, convexity="convex")
    patterns = ng.enumerate_patterns(problem.X)
    with pytest.raises(InvalidInputError, match="`gated=True` takes no constraints"):
        ng.solve_program(problem, patterns, gated=True)
    with pytest.raises(InvalidInputError, match="`directions` must be"):
        ng.solve_program(problem, patterns, directions=-np.ones(len(patterns)))


def test_pruned_networks_obey():
    X, y = table(5, 60, 3)
    problem = posed(X, y, share=0.02, monotonic_cst=[1, -1, 0])
    network = ng.train(problem, gap=1e-3).network
    assert network.n_neurons > 3
    for pruning in (
        ng.prune(network, problem),
        ng.prune(network, problem, width=2),
        ng.prune(network, problem, within=0.05),
    ):
        assert np.all(problem.constraints.obeyed(pruning.network.U, pruning.network.A[:, 0]))


def test_neurons_of_two_signs_on_nearly_one_ray_are_joined_inside():
    X, y = table(0, 20, 2)
    problem = posed(X, y, monotonic_cst=[1, 1])
    U = np.array([[1e-14, -1e-14], [0.0, 0.0], [1.0, 1.0]])
    network = ng.TwoLayerNetwork(U, [1.0, -3.0])
    assert np.all(problem.constraints.obeyed(network.U, network.A[:, 0]))
    merged = problem.merged(network)
    assert merged.n_neurons == 1
    assert np.all(problem.constraints.obeyed(merged.U, merged.A[:, 0]))
    assert not np.all(problem.constraints.obeyed(network.merge().U, network.merge().A[:, 0]))


def test_entries_that_a_constraint_bounds_end_at_zero():
    X, y = table(1, 60, 3)
    network = ng.train(posed(X, y, monotonic_cst=[1, 1, 1])).network
    share = np.abs(network.U[:3]) / np.linalg.norm(network.U, axis=0)
    assert np.any(share == 0.0)
    assert not np.any((share > 0.0) & (share < 1e-6))


@pytest.mark.parametrize("constraints", [{"monotonic_cst": [1, -1]}, {"convexity": "convex"}])
def test_training_begins_with_patterns(constraints):
    problem = posed(*table(1, 40, 2), **constraints)
    begun = ng.train(problem, start=ng.sample_patterns(problem.X, 30, random_state=0))
    assert begun.certificate.upper == pytest.approx(ng.train(problem).certificate.upper, rel=2e-4)
    assert np.all(problem.constraints.obeyed(begun.network.U, begun.network.A[:, 0]))


def test_positive_outputs_get_no_offset_later():
    X, y = table(0, 20, 2)
    problem = posed(X, y, positive=True)
    with pytest.raises(InvalidInputError, match="leave one of them out"):
        problem.with_offset(True)
    assert problem.with_offset(False).constraints.positive
    with pytest.raises(InvalidInputError, match="leave one of them out"):
        ng.ReLURegressorCV(positive=True, offset="auto", n_betas=2, cv=2, gap=0.1).fit(X, y)
