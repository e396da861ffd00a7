"""What the paper states apart from its figures: rows that can fail, and fail where the statement does."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge_reproduction import EXPERIMENTS, Scale, duality, gauge_sets
from neuralgauge_reproduction.counting import bound, loose_bound

STATEMENTS = ("fig1", "duality", "patterns", "filters")
ERRORS = {"section 4.2, [10]", "A.7"}  # where the paper errs, by this package's reading


@pytest.fixture(scope="module")
def outcomes():
    return {name: EXPERIMENTS[name].run(Scale(quick=True), {}) for name in STATEMENTS}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_hold_but_for_the_known_errors(name, outcomes):
    for check in outcomes[name].checks:
        assert check.agrees is (check.place not in ERRORS), check
        assert check.why


def test_there_are_enough_places(outcomes):
    places = [check.place for outcome in outcomes.values() for check in outcome.checks]
    assert len(places) >= 20
    for needed in ("A.2", "A.3", "A.7", "A.13", "Theorem 1", "n + 1", "[7]"):
        assert any(
            needed in f"{check.place} {check.claim}" for outcome in outcomes.values() for check in outcome.checks
        )


def test_bounds_on_the_number_of_patterns():
    assert [bound(n, 2) for n in (2, 3, 50)] == [4, 6, 100]
    assert bound(50, 3) == 2452 == ng.count_patterns(50, 3)
    assert loose_bound(3, 2) == pytest.approx(4.0 * np.e**2)


def test_a_wrong_network_does_not_pass_for_stationary(paper, rng):
    problem = paper(0.05)
    network = ng.train(problem, 1e-6).network
    assert duality._stationarity(problem, network, rng).agrees
    assert not duality._stationarity(problem, network.with_neurons(1.1 * network.U, network.A), rng).agrees


def test_sets_that_are_too_small_miss_the_neural_gauge():
    outcome = gauge_sets.figure_1(Scale(quick=True))
    _, rectified, polar = outcome.panels
    q, mirrored = (np.array([curve.x, curve.y]) for curve in rectified.curves)
    np.testing.assert_array_equal(q, -mirrored)
    assert q.min() == 0.0
    (outline,) = polar.curves
    rays = np.array([outline.x, outline.y]).T
    # The outline of the polar touches the constraint of every atom and crosses none.
    scores = rays @ np.hstack([q, mirrored])
    assert scores.max(axis=1) == pytest.approx(np.ones(len(rays)), rel=1e-5)
    gauge = ng.neural_gauge(gauge_sets.X, gauge_sets.Y, bias=False).certificate.upper
    assert [check.agrees for check in gauge_sets._checks(gauge, 0.9 * q, 0.9 * rays)] == [False, False, True]
