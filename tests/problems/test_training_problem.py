"""The training problem: what it takes, what it refuses, its primal and dual objectives."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from registry.losses import TYPICAL

import neuralgauge as ng

X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
y = [1.0, -1.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": [1.0, 2.0, 3.0]}, r"`X` must have two dimensions \(samples, features\), got shape \(3,\).*reshape"),
        ({"X": np.zeros((0, 2))}, r"at least one row and one column, got shape \(0, 2\)"),
        ({"X": np.zeros((3, 0))}, r"at least one row and one column, got shape \(3, 0\)"),
        ({"X": [[1.0, 2.0], [3.0, np.nan], [5.0, np.inf]]}, r"finite, got nan in row 1, column 1 \(2 such values\)"),
        ({"X": pd.DataFrame({"age": [1.0, np.inf, 2.0]})}, r"got inf in row 1, column 'age' \(1 such value\)"),
        ({"X": [["a", "b"], ["c", "d"], ["e", "f"]]}, "must hold numbers, got 'a'"),
        ({"X": np.array(X) + 1j}, "real numbers, got complex"),
        ({"y": [1.0, -1.0]}, r"one entry per row of X \(3\), got 2"),
        ({"y": [[1.0, 2.0], [3.0, 4.0]]}, r"`y` must have one row per row of X \(3\), got 2"),
        ({"y": [1.0, np.nan, 2.0]}, "`y` must be finite, got nan in row 1"),
        ({"y": [1.0, None, "x"]}, "`y` must hold numbers, got None"),
        ({"y": [1.0, 0.0, 1.0], "loss": "logistic"}, "`y` must be -1 or .1 for the logistic loss, got 0.0 in row 1"),
        ({"y": [1.0, 2.0, 1.0], "loss": "hinge"}, "ReLUClassifier"),
        ({"beta": 0.0}, "`beta` must be finite and > 0, got 0.0"),
        ({"beta": -1.0}, "got -1.0"),
        ({"beta": np.inf}, "got inf"),
        ({"beta": "large"}, "`beta` must be a number > 0, got 'large'"),
        ({"beta": None}, "got None"),
        ({"loss": "cubic"}, "`loss` must be one of"),
        ({"sample_weight": [1.0, 0.0, 1.0]}, "`sample_weight` must be > 0, got 0.0 in row 1; drop such rows"),
        ({"sample_weight": [1.0]}, r"`sample_weight` must have one entry per row of X \(3\), got 1"),
        ({"sample_weight": [1.0, np.inf, 1.0]}, "`sample_weight` must be finite"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.TrainingProblem(**{"X": X, "y": y, "beta": 0.1, **changes})


@pytest.mark.parametrize("table", [np.array, pd.DataFrame, lambda rows: pl.DataFrame(rows, orient="row"), np.float32])
def test_tables_of_all_kinds(table):
    problem = ng.TrainingProblem(table(X), y, beta=0.1)
    np.testing.assert_array_equal(problem.X, [[1, 2, 1], [3, 4, 1], [5, 6, 1]])
    assert problem.X.dtype == problem.y.dtype == np.float64
    assert (problem.n, problem.d) == (3, 3)


def test_bias_is_a_column_of_ones_or_nothing():
    np.testing.assert_array_equal(ng.TrainingProblem(X, y, beta=1, bias=False).X, X)
    column = ng.TrainingProblem(X, np.array(y)[:, None], beta=1)
    np.testing.assert_array_equal(column.y, y)


def test_data_are_copied_and_read_only():
    mine, targets = np.array(X), np.array(y)
    problem = ng.TrainingProblem(mine, targets, beta=0.1, bias=False)
    mine[:], targets[:] = 0.0, 0.0
    np.testing.assert_array_equal(problem.X, X)
    np.testing.assert_array_equal(problem.y, y)
    with pytest.raises(ValueError, match="read-only"):
        problem.X[0, 0] = 1.0


@pytest.mark.parametrize("bias", [True, False])
def test_another_penalty_changes_nothing_else(bias):
    problem = ng.TrainingProblem(X, y, beta=0.1, loss="hinge", bias=bias, sample_weight=[1.0, 2.0, 3.0])
    other = problem.with_beta(0.2)
    assert (problem.beta, other.beta) == (0.1, 0.2)
    assert other.loss == problem.loss
    for name in ("X", "y", "sample_weight"):
        np.testing.assert_array_equal(getattr(other, name), getattr(problem, name))


def random_problem(seed, loss, weighted=True):
    rng = np.random.default_rng(seed)
    n = 12
    targets = rng.standard_normal(n) if loss == "squared" else np.where(rng.random(n) > 0.5, 1.0, -1.0)
    weight = rng.uniform(0.2, 3.0, n) if weighted else None
    return ng.TrainingProblem(rng.standard_normal((n, 2)), targets, beta=0.3, loss=loss, sample_weight=weight)


@pytest.mark.parametrize("loss", TYPICAL)
def test_loss_is_the_weighted_sum_and_its_gradient_fits(loss):
    problem = random_problem(0, loss)
    f = np.random.default_rng(1).standard_normal(problem.n)
    values = problem.loss.value(f, problem.y)
    assert problem.fit.value(f) == pytest.approx(sum(problem.sample_weight * values))
    assert isinstance(problem.fit.value(f), float)
    for i in range(problem.n):
        step = 1e-6 * np.eye(problem.n)[i]
        difference = (problem.fit.value(f + step) - problem.fit.value(f - step)) / 2e-6
        assert problem.fit.gradient(f)[i] == pytest.approx(difference, abs=1e-7)


@pytest.mark.parametrize("loss", TYPICAL)
@pytest.mark.parametrize("seed", range(5))
def test_dual_objective_is_the_conjugate(loss, seed):
    """-L*(-v) <= L(f) + v . f for all f and v, with equality at v = -grad L(f)."""
    problem = random_problem(seed, loss)
    rng = np.random.default_rng(seed)
    f = rng.standard_normal(problem.n)
    touching = -problem.fit.gradient(f)
    assert problem.fit.dual_objective(touching) == pytest.approx(problem.fit.value(f) + touching @ f)
    for _ in range(20):
        v = problem.fit.project(rng.standard_normal(problem.n))
        assert problem.fit.dual_objective(v) <= problem.fit.value(f) + v @ f + 1e-12


@pytest.mark.parametrize("loss", TYPICAL)
def test_clipped_duals_lie_in_the_domain_and_stay(loss):
    problem = random_problem(2, loss)
    v = problem.fit.project(5.0 * np.random.default_rng(0).standard_normal(problem.n))
    lower, upper = problem.loss.domain(problem.y)
    assert np.all((lower <= -v / problem.sample_weight) & (-v / problem.sample_weight <= upper))
    np.testing.assert_allclose(problem.fit.project(v), v, rtol=1e-15)


@pytest.mark.parametrize("loss", TYPICAL)
@pytest.mark.parametrize("seed", range(4))
def test_dual_objective_stays_below_the_optimum(loss, seed):
    """For every feasible v: here random ones, scaled by the norm of X^T D v over all patterns, which bounds G."""
    problem = random_problem(seed, loss)
    patterns = ng.enumerate_patterns(problem.X)
    optimum = ng.solve_program(problem, patterns, tol=1e-9).certificate.upper
    rng = np.random.default_rng(seed)
    for _ in range(50):
        v = problem.fit.project(rng.standard_normal(problem.n) - problem.fit.gradient(np.zeros(problem.n)))
        gauge = np.linalg.norm((patterns.dense() * v) @ problem.X, axis=1).max()
        assert problem.fit.dual_objective(v * min(1.0, problem.beta / gauge)) <= optimum


@pytest.mark.parametrize("loss", TYPICAL)
def test_weights_are_repeated_rows(loss):
    plain = random_problem(3, loss, weighted=False)
    times = np.arange(plain.n) % 3 + 1
    weighted = ng.TrainingProblem(plain.X, plain.y, beta=0.3, loss=loss, bias=False, sample_weight=times.astype(float))
    repeated = ng.TrainingProblem(
        np.repeat(plain.X, times, axis=0), np.repeat(plain.y, times), beta=0.3, loss=loss, bias=False
    )
    f, v = np.random.default_rng(0).standard_normal((2, plain.n))
    v = weighted.fit.project(v)
    assert weighted.fit.value(f) == pytest.approx(repeated.fit.value(np.repeat(f, times)))
    assert weighted.fit.dual_objective(v) == pytest.approx(repeated.fit.dual_objective(np.repeat(v / times, times)))
    optima = [ng.solve_program(p, ng.enumerate_patterns(p.X)).certificate.upper for p in (weighted, repeated)]
    assert optima[0] == pytest.approx(optima[1], rel=1e-6)


@pytest.mark.parametrize("seed", [739, 2162, 0])
def test_dual_points_next_to_their_domain_stay_finite(seed):
    """Every class has its own mass up to rounding, in two cases of which nothing is left to mix in."""
    p = np.repeat(np.random.default_rng(seed).dirichlet(np.ones(3), 4), 3, axis=0)
    p = np.vstack([np.roll(p[i], i) for i in range(12)])
    y = np.eye(3)[np.arange(12) % 3]
    np.testing.assert_allclose(ng.Softmax().project_balanced(p - y, y, np.ones(12)), p - y, atol=1e-14)


def test_dual_points_far_outside_their_domain_stay_finite():
    """Clipped, the first row is all zero."""
    problem = ng.TrainingProblem([[1.0], [2.0]], [0, 1], beta=1.0, loss="softmax", bias=False)
    v = problem.fit.project(np.array([[5.0, 5.0], [0.2, -0.2]]))
    np.testing.assert_allclose(v, [[0.0, 0.0], [0.0, 0.0]], atol=1e-15)
