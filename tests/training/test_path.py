"""The regularization path: each point certified, warm starts that save rounds, errors, cut short."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.training.dual_side import DualSide
from neuralgauge.training.path import error_rate


def problem_of(loss="squared", seed=0, n=40):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    y = np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.standard_normal(n)
    y = {"squared": y, "logistic": np.where(y > 0.5, 1.0, -1.0), "softmax": (y > 0).astype(int) + (y > 1)}[loss]
    return ng.TrainingProblem(X, y, beta=1.0, loss=loss)


@pytest.mark.parametrize("loss", ["squared", "logistic", "softmax"])
def test_every_point_is_what_training_alone_finds(loss):
    problem = problem_of(loss)
    path = ng.relu_path(problem, n_betas=6, beta_min_ratio=0.01, gap=1e-5)
    assert path.status is ng.Status.SOLVED
    assert path.betas[0] == pytest.approx(ng.beta_max(problem))
    assert path.betas[-1] == pytest.approx(0.01 * path.betas[0])
    assert path.solutions[0].network.n_neurons == 0
    for beta, solution in zip(path.betas, path.solutions, strict=True):
        alone = ng.train(problem.with_beta(beta), gap=1e-5).certificate
        assert solution.certificate.scope == "exact"
        assert solution.certificate.upper == pytest.approx(alone.upper, rel=3e-5)
        assert solution.certificate.upper == problem.with_beta(beta).objective(solution.network)
    uppers = [s.certificate.upper for s in path.solutions]
    assert uppers == sorted(uppers, reverse=True)


def test_warm_starts_save_rounds():
    problem = problem_of(n=80)
    path = ng.relu_path(problem, n_betas=10, beta_min_ratio=0.01, gap=1e-4)
    alone = [ng.train(problem.with_beta(beta), gap=1e-4).n_iter for beta in path.betas]
    assert sum(s.n_iter for s in path.solutions) <= sum(alone)


def test_a_training_begins_with_the_columns_of_the_one_before():
    """They are unit vectors with their scores; those of either sign are starts of that sign's searches."""
    problem = problem_of(n=80)
    first = ng.train(problem.with_beta(0.1 * ng.beta_max(problem)), gap=1e-3)
    columns = first.columns
    np.testing.assert_allclose(np.linalg.norm(columns.U, axis=0), 1.0, rtol=1e-9)
    assert set(np.sign(columns.G[:, 0])) == {1.0, -1.0}
    dual = DualSide(problem, np.random.default_rng(0), prove=False)
    dual.remember(columns)
    for sign, known in zip((1.0, -1.0), dual.known, strict=True):
        assert np.all(known.G * sign > 0.0)
    assert sum(len(known.values) for known in dual.known) <= len(columns.values)


def test_no_relaxation_runs_along_a_path_unless_asked_for(rng):
    X = rng.standard_normal((30, 8))
    problem = ng.TrainingProblem(X, rng.standard_normal(30), beta=1.0)
    trivial = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.2, gap=1e-2).solutions[-1].certificate
    asked = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.2, gap=1e-2, prove=0.5).solutions[-1].certificate
    assert trivial.scope == "estimated"
    assert trivial.proven < asked.proven


def test_summary_has_the_errors_of_the_networks():
    problem, other = problem_of("logistic"), problem_of("logistic", seed=1)
    X, y = other.X[:, :-1], other.y
    path = ng.relu_path(problem, n_betas=4, validation=(X, y))
    table = path.summary()
    assert table.columns[:6] == ["beta", "objective", "lower_bound", "gap", "scope", "proven"]
    for k, solution in enumerate(path.solutions):
        wrong = np.where(solution.network.predict(X) > 0, 1.0, -1.0) != y
        assert table["validation_error"][k] == pytest.approx(wrong.mean())
        assert table["gap"][k] == solution.certificate.gap
    assert path.best() == int(np.argmin(table["validation_error"].to_numpy()))
    alone = ng.relu_path(problem, betas=[0.5, 2.0])
    assert alone.betas.tolist() == [2.0, 0.5]
    assert np.isnan(alone.validation_error).all()
    assert alone.best() == int(np.argmin(alone.train_error))


def test_error_rates():
    X = np.zeros((4, 1))
    softmax = ng.TrainingProblem(X, [0, 1, 2, 2], beta=1.0, loss="softmax", sample_weight=[1.0, 1.0, 1.0, 3.0])
    assert error_rate(softmax, np.eye(3)[[0, 2, 2, 1]]) == pytest.approx(4 / 6)
    squared = ng.TrainingProblem(X, np.zeros((4, 2)), beta=1.0)
    assert error_rate(squared, np.ones((4, 2))) == pytest.approx(1.0)
    hinge = ng.TrainingProblem(X, [1, -1, 1, -1], beta=1.0, loss="hinge")
    assert error_rate(hinge, np.array([0.1, 0.1, -0.1, -2.0])) == pytest.approx(0.5)


def test_validation_may_lack_a_class():
    problem = problem_of("softmax")
    path = ng.relu_path(problem, n_betas=2, validation=([[0.0, 0.0], [1.0, 1.0]], [0, 1]))
    assert np.isfinite(path.validation_error).all()


def test_interruption_keeps_the_finished_points():
    problem, seen = problem_of(), []

    def progress(beta, solution):
        seen.append(beta)
        if len(seen) == 3:
            raise KeyboardInterrupt

    path = ng.relu_path(problem, n_betas=5, progress=progress)
    assert path.status is ng.Status.INTERRUPTED
    assert path.betas.tolist() == seen
    assert len(path) == len(path.summary()) == 3


def test_time_limit_keeps_the_finished_points():
    problem = problem_of(n=200)
    path = ng.relu_path(problem, n_betas=200, gap=1e-9, time_limit=0.5)
    assert path.status is ng.Status.TIME_LIMIT
    assert all(solution.status is not ng.Status.TIME_LIMIT for solution in path.solutions[1:])  # none is half done
    assert 1 <= len(path) < 200
    assert len(path.summary()) == len(path.betas) == len(path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_betas": 0}, "`n_betas` must be at least 1, got 0"),
        ({"beta_min_ratio": 1.5}, "`beta_min_ratio` must be below 1, got 1.5"),
        ({"betas": [1.0, -1.0]}, "`betas` must be one or more numbers > 0"),
        ({"betas": []}, "`betas` must be one or more numbers > 0"),
        ({"gap": 0.0}, "`gap` must be"),
        ({"validation": ([[1.0, 2.0]], [1.0, 2.0])}, "one entry per row of X"),
    ],
)
def test_refusals(options, words):
    trained = []
    with pytest.raises(ng.InvalidInputError, match=words):
        ng.relu_path(problem_of(), progress=lambda beta, solution: trained.append(beta), **options)
    assert not trained  # nothing is trained in vain


def test_constant_targets_have_no_path_with_an_offset():
    problem = ng.TrainingProblem(np.arange(6.0)[:, None], np.full(6, 3.0), beta=1.0, offset=True)
    with pytest.raises(ng.InvalidInputError, match="stationary at the empty network"):
        ng.relu_path(problem)
