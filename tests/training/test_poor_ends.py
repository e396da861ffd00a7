"""Data whose scale is far from 1, or that have nothing to say: solved, or refused with a sentence."""

import numpy as np
import pytest
from cases import targets_of

import neuralgauge as ng


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 2))
    return X, np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.standard_normal(20)


def trained(X, y, share=0.1, **options):
    """At a share of beta_max, where there is one."""
    problem = ng.TrainingProblem(X, y, beta=1.0, **options)
    largest = ng.beta_max(problem)
    rounding = 1e-12 * np.prod([np.max(np.abs(v)) for v in (problem.X, problem.y, problem.sample_weight)])
    problem = problem.with_beta(share * largest if largest > rounding else 1.0)
    solution = ng.train(problem)
    assert solution.status is ng.Status.SOLVED
    return problem, solution


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-6, 1e-9, 1e4])
def test_huber_at_any_size_of_the_targets(table, size):
    X, y = table
    problem, solution = trained(X, size * y, loss="huber")
    if size < 1.0:  # every residual is below delta, so the loss is the squared one
        squared = ng.train(ng.TrainingProblem(X, size * y, beta=problem.beta)).certificate
        assert solution.certificate.upper == pytest.approx(squared.upper, rel=2e-4)


def test_huber_with_one_residual_above_delta_keeps_its_pieces(table):
    """Where the loss of the empty network is just above what the edge of one sample costs, and just below."""
    X, y = table
    for factor in (0.999, 1.001):
        delta = np.sqrt(np.sum(y**2)) * factor
        problem, solution = trained(X, y, loss=ng.Huber(delta=delta))
        squared = ng.train(ng.TrainingProblem(X, y, beta=problem.beta)).certificate
        assert solution.certificate.upper == pytest.approx(squared.upper, rel=2e-4)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_class_that_never_occurs_costs_nothing_with_an_offset(table, share, missing):
    """Its offset goes to minus infinity, and the optimum is that of the other classes."""
    X, y = table
    labels = np.setdiff1d(np.arange(3), missing)[(y > 0).astype(int)]
    problem, solution = trained(X, np.eye(3)[labels], share, loss="softmax", offset=True, bias=False)
    two = ng.TrainingProblem(
        X, np.eye(2)[(y > 0).astype(int)], beta=problem.beta, loss="softmax", offset=True, bias=False
    )
    assert solution.certificate.upper == pytest.approx(ng.train(two).certificate.upper, rel=2e-4)


@pytest.mark.parametrize(("loss", "y"), [("logistic", 1.0), ("logistic", -1.0), ("poisson", 0.0), ("hinge", 1.0)])
def test_an_offset_alone_reaches_a_loss_of_zero(table, loss, y):
    _, solution = trained(table[0], np.full(20, y), loss=loss, offset=True)
    assert (solution.certificate.upper, solution.certificate.gap, solution.network.n_neurons) == (0.0, 0.0, 0)


@pytest.mark.parametrize("loss", ["squared", "huber", "logistic", "hinge"])
@pytest.mark.parametrize("size", [1e-5, 1e-7, 1e-10, 0.0])
@pytest.mark.parametrize(("offset", "bias"), [(False, False), (True, False), (False, True)])
def test_small_features(table, loss, size, offset, bias):
    X, y = table
    trained(size * X, targets_of(loss, y[:, None]), loss=loss, offset=offset, bias=bias)


@pytest.mark.parametrize("loss", ["squared", "huber", "logistic", "hinge"])
@pytest.mark.parametrize("size", [1e-4, 1e-6, 1e-7])
def test_small_features_beside_a_bias_and_an_offset(table, loss, size):
    """Solved as long as the cells are not too thin; an honest end, with a bound that holds, beyond."""
    X, y = table
    targets = targets_of(loss, y[:, None])
    problem = ng.TrainingProblem(size * X, targets, beta=1.0, loss=loss, offset=True)
    problem = problem.with_beta(0.1 * ng.beta_max(problem))
    solution = ng.train(problem, time_limit=2.0 if size == 1e-7 else None)
    certificate = solution.certificate
    assert (solution.status is ng.Status.SOLVED) == (0.0 <= certificate.gap <= 1e-4)
    assert solution.status is ng.Status.SOLVED or size == 1e-7
    assert certificate.upper == pytest.approx(problem.objective(solution.network), rel=1e-12)
    assert certificate.lower <= certificate.upper


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("offset", [False, True])
def test_few_rows_and_rows_of_zeros(table, n, offset):
    X, y = table
    trained(X[:n], y[:n], offset=offset)
    trained(0.0 * X[:n], y[:n], offset=offset)
    trained(0.0 * X[:n], y[:n], offset=offset, bias=False)
    trained(X[:n], 0.0 * y[:n], offset=offset)


@pytest.mark.parametrize("X_size", [1e-59, 1.0, 1e59])
@pytest.mark.parametrize("y_size", [1e-39, 1e39])
@pytest.mark.parametrize("weight", [1e-39, 1e39])
def test_all_sizes_that_are_taken(table, X_size, y_size, weight):
    X, y = table
    scaled = y_size * y / np.max(np.abs(y))
    trained(X_size * X / np.max(np.abs(X)), scaled, bias=False, sample_weight=np.full(20, weight))


@pytest.mark.parametrize("name", ["X", "y", "sample_weight", "beta"])
@pytest.mark.parametrize("size", [1e200, 1e-160])
def test_sizes_whose_squares_are_not_numbers_are_refused(table, name, size):
    X, y = table
    values = {"X": X, "y": y, "sample_weight": np.ones(20), "beta": 1.0}
    values[name] = values[name] * size
    with pytest.raises(ng.InvalidInputError, match=f"`{name}` must be zero or have its largest entry between"):
        ng.TrainingProblem(values.pop("X"), values.pop("y"), bias=False, **values)


def test_a_penalty_below_rounding_is_refused(table):
    with pytest.raises(ng.InvalidInputError, match=r"`beta` must be at least .* `neural_gauge`"):
        ng.train(ng.TrainingProblem(*table, beta=1e-50))
