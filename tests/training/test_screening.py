"""Rough training: near the optimum of full training, never worse than its start, certified no more than it is."""

import numpy as np
import pytest
from registry.losses import KINKED

from neuralgauge import TrainingProblem, beta_max, train
from neuralgauge.errors import InvalidInputError
from neuralgauge.losses import LOSSES
from neuralgauge.solvers.solution import Status
from neuralgauge.training.one_vs_rest import train_one_vs_rest
from neuralgauge.training.screening import ROUNDS, is_searchable, screen


def problem(loss="logistic", c=1, offset=False):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 4))
    scores = np.column_stack([np.abs(X[:, 0]) - 0.8, X[:, 1] * X[:, 2], X[:, 3]])[:, :c] + 0.3 * rng.normal(
        size=(40, c)
    )
    y = {
        "sign": np.where(scores > 0, 1.0, -1.0),
        "real": scores,
        "count": np.round(np.exp(scores)),
        "simplex": np.argmax(scores, axis=1),
    }[LOSSES[loss].targets]
    y = y[:, 0] if y.ndim == 2 and c == 1 else y
    whole = TrainingProblem(X, y, beta=1.0, loss=loss, offset=offset)
    return whole.with_beta(0.05 * beta_max(whole))


SEARCHABLE = [
    problem("squared"),
    problem("squared", c=3),
    problem("huber"),
    problem("logistic"),
    problem("logistic", offset=True),
    problem("squared_hinge"),
    problem("poisson"),
    problem("softmax", c=3),
]


@pytest.mark.parametrize("problem", SEARCHABLE, ids=lambda p: f"{p.loss.name} {p.c} {p.offset}")
def test_near_the_optimum(problem):
    optimum = train(problem, gap=1e-3, prove=False).certificate
    found = screen(problem)
    assert optimum.lower <= found.certificate.upper <= 1.05 * optimum.upper
    assert found.certificate.upper == pytest.approx(problem.objective(found.network), rel=1e-12)
    assert found.certificate.lower <= optimum.upper
    assert found.certificate.scope == "estimated"
    assert found.certificate.starts == 0
    assert found.n_iter <= ROUNDS


def test_status_tells_whether_the_gap_was_reached():
    reached, short = screen(SEARCHABLE[0], 0.5), screen(SEARCHABLE[0], 1e-6)
    assert reached.status is Status.SOLVED
    assert reached.certificate.gap <= 0.5
    assert short.status is Status.ITERATION_LIMIT
    assert short.certificate.gap > 1e-6
    assert screen(SEARCHABLE[0], 1e-9, time_limit=1e-9).status is Status.TIME_LIMIT


def test_never_worse_than_its_start_and_deterministic():
    problem = SEARCHABLE[3]
    above = screen(problem.with_beta(2.0 * problem.beta))
    found, again = (screen(problem, start=above) for _ in range(2))
    assert found.certificate.upper < problem.objective(above.network)
    np.testing.assert_array_equal(found.network.U, again.network.U)
    best = train(problem, gap=1e-6, prove=False)
    assert screen(problem, start=best.network).certificate.upper <= best.certificate.upper * (1.0 + 1e-3)


@pytest.mark.parametrize("problem", [SEARCHABLE[3], SEARCHABLE[4]], ids=["plain", "offset"])
def test_largest_penalty_leaves_the_network_empty(problem):
    found = screen(problem.with_beta(beta_max(problem) * 1.001))
    assert found.network.n_neurons == 0
    assert found.status is Status.SOLVED
    assert found.certificate.gap <= 1e-2


def test_parts_apart_are_those_of_their_own():
    problem = TrainingProblem(SEARCHABLE[1].X[:, :-1], np.sign(SEARCHABLE[1].y), beta=0.5, loss="logistic")
    together = train_one_vs_rest(problem, 0.03, trainer=screen, random_state=0)
    for k in range(3):
        alone = screen(problem.output(k), 0.03)
        np.testing.assert_array_equal(together.network.output(k).U, alone.network.U)
    assert together.certificate.separate


def test_what_can_be_searched():
    found = {name for name in LOSSES if not is_searchable(problem(name, c=3 if name == "softmax" else 1))}
    assert found == set(KINKED)


def test_refusals():
    with pytest.raises(InvalidInputError, match="`gap` must be finite and > 0"):
        screen(SEARCHABLE[0], 0.0)
    with pytest.raises(InvalidInputError, match="`start` must have 5 rows of weights and 1 output weights a neuron"):
        screen(SEARCHABLE[0], start=train(SEARCHABLE[1], gap=0.5).network)
