"""The experiments themselves: values that are known, bounds below objectives, and what is said without PyTorch."""

import dataclasses
import json

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge_reproduction import EXPERIMENTS, Scale
from neuralgauge_reproduction.circular import _network
from neuralgauge_reproduction.images import features_of
from neuralgauge_reproduction.line import figure_2
from neuralgauge_reproduction.planar import BETA, intruder, quadrants
from neuralgauge_reproduction.timing import table_1

QUICK = Scale(quick=True)
FAST = ("fig2", "fig5", "fig11")
FIGURES = [
    pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in EXPERIMENTS if name != "table1"
]


def outcome_of(name):
    return EXPERIMENTS[name].run(QUICK, {})


def test_figure_2_finds_the_optimum_of_the_paper(no_torch):
    outcome = figure_2(QUICK)
    assert outcome.checks[0].agrees
    exact = outcome.methods["m = 8"][0]
    assert exact.name == "Optimal"
    assert exact.best == pytest.approx(0.001012777, abs=1e-9)
    assert exact.lower <= exact.best
    assert "neuralgauge[torch]" in outcome.missing[0]


@pytest.mark.parametrize("name", FIGURES)
def test_bounds_hold_and_numbers_are_json(name, twin):
    outcome = outcome_of(name)
    assert twin, "descent was not asked for"
    assert outcome.missing == ()
    assert outcome.checks
    for methods in outcome.methods.values():
        bound = max(
            one.lower for one in methods if (one.lower is not None and one.scope == "exact") or one is methods[-1]
        )
        for one in methods:
            if "relaxation" not in one.note:
                assert min(one.objectives) >= bound - 1e-9 * abs(bound)
    text = json.dumps(outcome.numbers(), allow_nan=False)
    assert json.loads(text)["title"] == outcome.title


@pytest.mark.parametrize("name", FIGURES)
def test_without_torch_the_convex_methods_run_alone(name, no_torch):
    outcome = outcome_of(name)
    assert outcome.missing
    assert all(methods for methods in outcome.methods.values())
    assert all(one.name != "SGD" for methods in outcome.methods.values() for one in methods)


@pytest.mark.parametrize("points", [quadrants, intruder])
def test_the_plane_is_solved_to_the_global_optimum(points, rng):
    X, y = points(rng)
    problem = ng.TrainingProblem(X, y, beta=BETA, loss="hinge")
    solution = ng.train(problem, 1e-4)
    assert solution.certificate.scope == "exact"
    assert solution.certificate.gap <= 1e-4


def test_the_intruder_is_near_and_negative(rng):
    X, y = intruder(rng)
    distances = np.linalg.norm(X[:-1] - X[-1], axis=1)
    assert distances.min() == pytest.approx(0.05)
    assert (y[-1], y[np.argmin(distances)]) == (-1.0, 1.0)


def test_images_become_means_of_squares(rng):
    images = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    features = features_of(images)
    assert features.shape == (2, 100)
    assert features[1, 13] == pytest.approx(images[1, 4:7, 10:13].astype(float).mean())


def test_networks_of_circular_descent_keep_their_outputs(rng):
    X = rng.standard_normal((4, 7))
    problem = ng.LinearConvProblem(X, np.ones(4), beta=1.0, filter_size=3, padding="same", padding_mode="circular")
    U, A = rng.standard_normal((3, 2)), rng.standard_normal((2, 7))
    by_hand = [sum(A[j, k] * x[(k + a) % 7] * U[a, j] for j in range(2) for k in range(7) for a in range(3)) for x in X]
    assert _network(problem, U, A).predict(X) == pytest.approx(by_hand)


def test_table_1_gathers_what_ran(twin):
    found = {"fig2": outcome_of("fig2")}
    outcome = table_1(QUICK, found)
    assert list(outcome.methods) == ["Fig. 2 m = 8", "Fig. 2 m = 15", "Fig. 2 m = 50"]
    assert outcome.missing == tuple(
        f"{name} did not run, so its column is missing." for name in ("fig3", "fig4", "fig5")
    )
    assert len(outcome.checks) == 3
    (panel,) = outcome.panels
    seconds = {curve.label: list(curve.y) for curve in panel.curves}
    assert seconds["SGD"] == [0.1, 0.1, 0.1]


def test_an_interrupted_solver_ends_the_experiment(paper, monkeypatch):
    from neuralgauge_reproduction import convex

    solution = ng.train(paper(0.1), 1e-2)
    monkeypatch.setattr(ng, "train", lambda *_, **__: dataclasses.replace(solution, status=ng.Status.INTERRUPTED))
    with pytest.raises(KeyboardInterrupt):
        convex.certified(paper(0.1), 1e-2, 1.0)
