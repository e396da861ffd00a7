"""The experiments themselves: values that are known, bounds below objectives, claims with their places."""

import dataclasses
import json

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge_reproduction import EXPERIMENTS, Method, Outcome, Scale, planar
from neuralgauge_reproduction.baseline import baseline
from neuralgauge_reproduction.circular import _network
from neuralgauge_reproduction.claims import claims
from neuralgauge_reproduction.convex import algorithms, joined, of_neurons
from neuralgauge_reproduction.descent import Training
from neuralgauge_reproduction.images import features_of
from neuralgauge_reproduction.line import figure_2
from neuralgauge_reproduction.neuron_distances import figure_11
from neuralgauge_reproduction.planar import BETA, intruder, quadrants
from neuralgauge_reproduction.timing import table_1

QUICK = Scale(quick=True)
FAST = ("fig2", "fig5", "fig10")
FIGURES = [
    pytest.param(name, marks=() if name in FAST else pytest.mark.slow)
    for name, experiment in EXPERIMENTS.items()
    if not experiment.needs
]


def outcome_of(name):
    return EXPERIMENTS[name].run(QUICK, {})


def test_figure_2_finds_the_optimum_of_the_paper(few_steps):
    outcome = figure_2(QUICK)
    assert outcome.checks[0].agrees
    _, exact, _ = outcome.methods["m = 8"]
    assert exact.name == "Optimal"
    assert exact.best == pytest.approx(0.001012777, abs=1e-9)
    assert exact.lower <= exact.best


@pytest.mark.parametrize("name", FIGURES)
def test_bounds_hold_and_numbers_are_json(name, few_steps):
    outcome = outcome_of(name)
    assert outcome.missing == ()
    assert outcome.checks
    assert all(check.place and check.claim and check.ours for check in outcome.checks)
    assert all(check.why for check in outcome.checks)
    assert bool(outcome.stand_in) == (name not in ("fig1", "duality", "patterns", "filters", "fig2", "fig3", "fig6"))
    for methods in outcome.methods.values():
        bound = max(
            one.lower for one in methods if (one.lower is not None and one.scope == "exact") or one is methods[-1]
        )
        for one in methods:
            if "relaxation" not in one.note:
                assert min(one.objectives) >= bound - 1e-9 * abs(bound)
    text = json.dumps(outcome.numbers(), allow_nan=False)
    assert json.loads(text)["title"] == outcome.title


def test_alg1_is_no_worse_than_the_network_whose_patterns_it_takes(rng):
    problem = ng.TrainingProblem(rng.standard_normal((30, 3)), rng.standard_normal(30), beta=0.1)
    training = Training(problem.X[:, None], problem.y, 0.1, "squared", 5, 10, 30, 2)
    found = baseline(training, ng.TwoLayerNetwork, problem.objective)
    asked = []

    def none_beside(trial):
        asked.append(trial)
        return of_neurons(problem, found.trace.initial_U[trial])

    (alg1, alg2, alg3), solutions = algorithms(problem, found.trace, problem.objective, none_beside)
    assert asked == [0, 1]
    assert all(one <= other for one, other in zip(alg1.objectives, found.method.objectives, strict=True))
    # Alg1 holds the patterns of Alg2 here, and Alg3 always does.
    for trial in range(2):
        assert alg1.objectives[trial] <= alg2.objectives[trial] * (1.0 + 1e-5)
        assert alg3.objectives[trial] <= alg2.objectives[trial] * (1.0 + 1e-5)
    assert [one.seconds for one in solutions] == list(alg1.times)


def test_patterns_of_several_sets_are_joined_in_their_order(rng):
    X = rng.standard_normal((9, 2))
    first, second = ng.sample_patterns(X, 4), ng.sample_patterns(X, 6, random_state=1)
    both = joined(first, second)
    np.testing.assert_array_equal(both.dense()[:4], first.dense())
    assert {tuple(row) for row in both.dense()} == {tuple(row) for one in (first, second) for row in one.dense()}
    assert len({tuple(row) for row in both.dense()}) == len(both)
    np.testing.assert_array_equal(both.witness(slice(None)) @ X.T >= 0.0, both.dense())


def test_the_claim_is_checked_as_it_stands():
    def method(name, objective, score):
        return Method(name, (objective,), 1.0, (score,), lower=0.5, scope="exact")

    methods = [method("SGD", 2.0, 0.3), method("Alg1", 1.0, 0.4), method("Alg2", 3.0, 0.5), method("Alg3", 4.0, 0.6)]
    ours = method("neuralgauge", 0.9, 0.1)
    lowest, error, beyond = claims("Fig. 7", (*methods, ours), "test error")
    assert (lowest.agrees, error.agrees, beyond.agrees) == (True, False, None)
    assert claims("Fig. 4", (*methods, ours), "test accuracy")[1].agrees is False
    assert "100.0% above the bound" in beyond.ours


def test_trials_below_the_random_programs_are_not_caught():
    """One trial that is far above does not stand for the others, as it would in their mean."""
    exact, random, ours = (Method(name, (value,), 1.0, lower=0.9) for name, value in
                           (("Optimal", 1.0), ("Approximate", 2.0), ("neuralgauge", 1.0)))  # fmt: skip
    some, all_of_them = Method("SGD", (1.5, 1.5, 100.0), 1.0), Method("SGD", (50.0, 60.0, 100.0), 1.0)
    assert planar._checks("Fig. 6; A.1", (some, random, exact, ours))[2].agrees is False
    assert planar._checks("Fig. 6; A.1", (all_of_them, random, exact, ours))[2].agrees is True


def test_figure_11_measures_distances_between_directions(rng):
    U = np.eye(3)
    kept = {"descent": U, "patterns of descent": U[::-1], "patterns of clusters": -U[:1]}
    outcome = figure_11(QUICK, {"fig10": Outcome("", {}, kept=kept)})
    own, other = outcome.panels
    np.testing.assert_allclose(own.values, np.sqrt(2.0) * (1.0 - np.eye(3)))
    np.testing.assert_allclose(other.values, [[2.0, np.sqrt(2.0), np.sqrt(2.0)]])
    assert [check.agrees for check in outcome.checks] == [True, True]
    without = figure_11(QUICK, {"fig10": Outcome("", {}, kept={**kept, "patterns of clusters": U[:0]})})
    assert [check.agrees for check in without.checks] == [True, False]


def test_filters_are_told_by_the_origin_of_their_patterns(few_steps):
    outcome = outcome_of("fig10")
    assert set(outcome.kept) == {"descent", "patterns of descent", "patterns of clusters"}
    for filters in outcome.kept.values():
        np.testing.assert_allclose(np.linalg.norm(filters, axis=1), 1.0)


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


def test_table_1_sets_the_columns_of_the_paper_beside_ours(few_steps):
    found = {"fig2": outcome_of("fig2"), "fig5": outcome_of("fig5")}
    outcome = table_1(QUICK, found)
    (grid,) = outcome.grids
    assert len(grid.rows) == 11
    assert all(len(row) == len(grid.header) for row in grid.rows)
    assert grid.rows[1][:6] == ("Fig. 2", "Optimal", "1.225", grid.rows[1][3], "0.001", "0.001013")
    assert grid.rows[6][:4] == ("Fig. 4", "Alg1", "108.065", "")
    assert grid.rows[10][5] != ""
    assert outcome.missing == tuple(f"{name} did not run, so its columns are missing." for name in ("fig3", "fig4"))
    assert [check.place for check in outcome.checks] == ["Table 1, Fig. 2; A.1", "Table 1, Fig. 5; A.1"]


def test_an_interrupted_solver_ends_the_experiment(paper, monkeypatch):
    from neuralgauge_reproduction import convex

    solution = ng.train(paper(0.1), 1e-2)
    monkeypatch.setattr(ng, "train", lambda *_, **__: dataclasses.replace(solution, status=ng.Status.INTERRUPTED))
    with pytest.raises(KeyboardInterrupt):
        convex.certified(paper(0.1), 1e-2, 1.0)
