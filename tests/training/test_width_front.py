"""Error against neurons: true numbers at every point, a front that is one, certificates of the penalty."""

import math
from itertools import pairwise

import numpy as np
import pytest
from registry.problems import PROBLEMS, random_network

import neuralgauge as ng
from neuralgauge.solvers.local_search import local_search


def data(n=24, c=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    y = np.sin(2 * X[:, :1]) + X[:, 1:] ** 2 + 0.1 * rng.standard_normal((n, c))
    return X, (y[:, 0] if c == 1 else y)


def assert_true(front, problem, held_out=None):
    """Every number of every point by hand, and the order that is promised."""
    for point in front.points:
        one = problem.with_beta(point.beta)
        f = one.outputs(point.network)
        assert point.objective == one.objective(point.network) == point.certificate.upper
        assert point.data_fit == one.fit.value(f)
        assert point.data_fit + point.beta * point.network.weight_decay() == pytest.approx(point.objective)
        assert point.certificate.lower <= point.objective
        if one.loss.name == "squared":
            errors = 0.5 * (f - one.y) ** 2
            assert point.train_error == pytest.approx(one.sample_weight @ errors / one.sample_weight.sum())
        if held_out is None:
            assert math.isnan(point.validation_error)
        else:
            assert point.validation_error == pytest.approx(
                np.mean(0.5 * (point.network.predict(held_out[0]) - held_out[1]) ** 2)
            )
    for beta in {point.beta for point in front.points}:
        at = [(point.n_neurons, point.objective) for point in front.points if point.beta == beta]
        assert at == sorted(at)
        assert all(after[1] < before[1] for before, after in pairwise(at))


def assert_pareto(front, of):
    """The slow twin: a point is on the front if no other has as few neurons and is as good, the first of equals."""
    pairs = [(point.n_neurons, getattr(point, of)) for point in front.points]
    best = sorted({p for p in pairs if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in pairs)})
    assert [(point.n_neurons, getattr(point, of)) for point in front.pareto(of)] == best


def test_a_solution():
    X, y = data()
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    problem, held_out = ng.TrainingProblem(X, y, beta=0.5, sample_weight=weight), data(seed=1)
    solution = ng.train(problem, gap=1e-5)
    front = ng.width_front(solution, problem, validation=held_out)
    assert_true(front, problem, held_out)
    for of in ("objective", "train_error", "validation_error"):
        assert_pareto(front, of)
    assert front.pareto() == front.points
    assert front.points[0].n_neurons == 0
    assert front.points[-1].objective <= solution.certificate.upper * (1 + 1e-6)
    assert {point.certificate.lower for point in front.points} == {solution.certificate.lower}
    assert {point.certificate.scope for point in front.points} == {"exact"}
    assert front.fewest(1e9).n_neurons == 0
    assert front.fewest().n_neurons == front.points[-1].n_neurons
    wanted = front.fewest(within=0.05)
    assert wanted.objective <= 1.05 * front.points[-1].objective
    assert all(p.objective > 1.05 * front.points[-1].objective for p in front.points if p.n_neurons < wanted.n_neurons)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_no_worse_than_many_random_starts(m):
    X, y = data()
    problem, rng = ng.TrainingProblem(X, y, beta=0.5), np.random.default_rng(0)
    front = ng.width_front(ng.train(problem, gap=1e-3), problem)
    found = min(point.objective for point in front.points if point.n_neurons <= m)
    starts = [ng.TwoLayerNetwork(rng.standard_normal((3, m)), rng.standard_normal(m)) for _ in range(30)]
    assert found <= min(problem.objective(local_search(problem, start, 300)) for start in starts) * (1 + 1e-2)


def test_a_path_and_its_text():
    X, y = data()
    problem, held_out = ng.TrainingProblem(X, y, beta=1.0), data(seed=1)
    path = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.02, prove=False)
    front = ng.width_front(path, problem, validation=held_out)
    assert {point.beta for point in front.points} == set(path.betas)
    assert_true(front, problem, held_out)
    assert_pareto(front, "validation_error")
    assert front.pareto() == front.pareto("validation_error")
    assert_pareto(front, "train_error")
    for beta, solution in zip(path.betas, path.solutions, strict=True):
        lower = [point.certificate.lower for point in front.points if point.beta == beta]
        assert max(lower) <= solution.certificate.lower
        assert min(lower) >= solution.certificate.lower * (1 - 1e-2)
    table = front.summary()
    assert len(table) == len(front) == len(front.points)
    assert table["pareto"].sum() == len(front.pareto())
    lines = str(front).splitlines()
    assert len(lines) == len(front.pareto()) + 2
    assert [int(line.split()[0]) for line in lines[1:-1]] == [point.n_neurons for point in front.pareto()]
    assert lines[-1] == "Pareto front of the validation error; the best found of each width."


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_network_of_every_kind_is_certified(kind):
    problem = PROBLEMS[kind]("squared", 0)
    network = random_network(problem, 0)
    front = ng.width_front(network, problem, gap=1e-2, prove=False)
    points = front.points
    assert points[0].n_neurons == 0
    assert points[-1].objective <= problem.objective(network)
    assert [point.objective for point in points] == [problem.objective(point.network) for point in points]
    bound = ng.certify(network, problem, gap=1e-2, prove=False)
    assert all(point.certificate.lower <= point.objective for point in points)
    assert {point.certificate.scope for point in points} == {bound.scope}


@pytest.mark.parametrize(("loss", "c"), [("logistic", 1), ("softmax", 3), ("absolute", 1)])
def test_other_losses_and_offsets(loss, c):
    X, y = data()
    y = {"logistic": np.where(y > 0, 1.0, -1.0), "softmax": (y > 0).astype(int) + (y > 1), "absolute": y}[loss]
    problem = ng.TrainingProblem(X, y, beta=0.5, loss=loss, offset=True)
    front = ng.width_front(ng.train(problem, gap=1e-2, prove=False), problem)
    assert_true(front, problem)
    assert front.points[0].objective == pytest.approx(problem.objective(problem.empty_network()))


def test_what_does_not_fit():
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=0.5)
    solution = ng.train(problem, gap=1e-2, prove=False)
    with pytest.raises(ng.InvalidInputError, match="`source` must be trained on `problem`: its certificate says"):
        ng.width_front(solution, problem.with_beta(0.4))
    with pytest.raises(ng.InvalidInputError, match="the network must take the 3 columns of X"):
        ng.width_front(solution, ng.TrainingProblem(X[:, [0, 1, 1]], y, beta=0.5))
    front = ng.width_front(solution, problem)
    with pytest.raises(
        ng.InvalidInputError, match="`of` must be one of 'objective', 'train_error', 'validation_error'"
    ):
        front.pareto("error")
    with pytest.raises(ng.InvalidInputError, match="without data; give `width_front` `validation`"):
        front.pareto("validation_error")
    with pytest.raises(ng.InvalidInputError, match="`within` must be finite and >= 0, got -1"):
        front.fewest(within=-1)


def test_an_empty_solution_of_another_penalty_is_refused():
    """Its objective is the same at every penalty, its bound is not."""
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=1e3)
    solution = ng.train(problem)
    assert solution.network.n_neurons == 0
    assert len(ng.width_front(solution, problem)) == 1
    front = ng.width_front(solution, problem.with_beta(0.1))
    assert front.points[0].certificate.lower <= ng.train(problem.with_beta(0.1)).certificate.upper


def test_rows_that_are_not_whole_in_memory(tmp_path):
    X, y = data()
    rows = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, X.shape)
    rows[:] = X
    problem = ng.TrainingProblem(rows, y, beta=0.5)
    with pytest.raises(ng.InvalidInputError, match="fewer neurons need the rows of X whole in memory"):
        ng.width_front(ng.TwoLayerNetwork(np.eye(3)[:, :2], np.ones(2)), problem, gap=0.5)
