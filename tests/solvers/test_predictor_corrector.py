"""The predictor-corrector method where the optimum is known, and what it does where arithmetic fails."""

from itertools import islice
from typing import NamedTuple

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.solvers import predictor_corrector as module
from neuralgauge.solvers._loss_terms import LossDirection
from neuralgauge.solvers.conv_interior_point import ConvInteriorPoint
from neuralgauge.solvers.interior_point import InteriorPoint
from neuralgauge.solvers.predictor_corrector import PredictorCorrector, rate_of
from neuralgauge.solvers.spectral_interior_point import SpectralInteriorPoint

NOTHING = LossDirection(*(np.zeros(0) for _ in range(5)))


class NoLoss:
    """A loss without variables."""

    s = q = np.zeros(0)

    def shorten(self, alpha, direction):
        return alpha

    def move(self, alpha, direction):
        pass


class Step(NamedTuple):
    dx: np.ndarray
    dz: np.ndarray
    loss: LossDirection


class Plain(PredictorCorrector):
    """min c^T x over x >= 0: multipliers z = c, products x z."""

    variables = ("x", "z")

    def __init__(self, c):
        self.c, self.x, self.z = c, np.ones_like(c), np.ones_like(c)
        self.loss, self.largest = NoLoss(), 1.0
        self.fails, self.directions = [], []

    def iterate(self):
        return self.x, self.z

    def linearize(self):
        if self.fails and self.fails.pop(0) == "factorize":
            raise np.linalg.LinAlgError

    def direction(self, centre, affine=None, trust=1.0):
        self.directions.append((centre, affine is not None))
        kind = self.fails.pop(0) if self.fails else None
        if kind == "solve":
            raise np.linalg.LinAlgError
        dz = self.c - self.z
        product = centre - self.x * self.z - (trust * affine.dx * affine.dz if affine is not None else 0.0)
        dx = (product - self.x * dz) / self.z
        if kind == "nan":
            dx = np.full_like(dx, np.nan)
        return Step(dx, dz, NOTHING)

    def reach(self, step):
        rate = rate_of(self.x, step.dx, self.z, step.dz)
        return 1.0 / rate if rate > 0 else np.inf

    def products(self, step, alpha):
        x, z = (self.x, self.z) if step is None else (self.x + alpha * step.dx, self.z + alpha * step.dz)
        return float(x @ z), x.size

    def move(self, step, alpha):
        self.x, self.z = self.x + alpha * step.dx, self.z + alpha * step.dz


C = np.array([1.0, 2.0, 5.0])


def advanced(iterates, count):
    """The last of so many iterates, and how the method ended if it did before."""
    point = None
    for _ in range(count):
        try:
            point = next(iterates)
        except StopIteration as end:
            return point, end.value
    return point, None


def started(fails):
    """The method after one iteration; what fails does so from then on."""
    method = Plain(C)
    iterates = iter(method)
    points = [next(iterates)[0], next(iterates)[0]]
    method.fails = list(fails)
    method.directions.clear()
    return method, iterates, points


def assert_optimal(iterates):
    (x, z), ended = advanced(iterates, 14)
    assert ended is None
    assert np.max(x) < 1e-10
    np.testing.assert_allclose(z, C, rtol=1e-10)


def test_it_ends_at_the_optimum_in_few_iterations():
    (x, z), ended = advanced(iter(Plain(C)), 12)
    assert ended is None
    assert np.max(x) < 1e-10
    np.testing.assert_allclose(z, C, rtol=1e-10)


def test_products_stay_positive():
    for x, z in islice(Plain(C), 12):
        assert np.all(x > 0)
        assert np.all(z > 0)


@pytest.mark.parametrize(
    "fails",
    [["factorize"], [None, "solve"], [None, None, "solve"], [None, "nan", "nan"], [None, None, "nan"]],
    ids=["factorization", "predictor", "corrector", "predictor not finite", "corrector not finite"],
)
def test_what_fails_once_is_replaced_by_a_safe_direction_from_one_step_back(fails):
    method, iterates, (before, _) = started(fails)
    mean = float(before @ np.ones(3)) / 3  # of the products there: z is 1
    x, _ = next(iterates)
    assert method.directions[-1] == (pytest.approx(module.SAFE_CENTRING * mean), False)
    step = method.direction(method.directions[-1][0])
    assert np.all(np.isfinite(step.dx))
    assert np.all(x > 0.0)
    assert_optimal(iterates)


@pytest.mark.parametrize(
    "fails",
    [2 * ["factorize"], ["factorize", None, "solve"], ["factorize", None, "nan"]],
    ids=["factorization", "direction", "not finite"],
)
def test_a_safe_direction_that_fails_ends_the_method(fails):
    method, iterates, _ = started(fails)
    point, ended = advanced(iterates, 1)
    assert point is None
    assert ended is method.ended is ng.Status.SINGULAR


def test_it_is_rescued_once():
    method, iterates, _ = started(["factorize"])
    next(iterates)
    method.fails = ["factorize"]
    assert advanced(iterates, 1) == (None, ng.Status.SINGULAR)


def test_steps_that_no_arithmetic_allows_stall_after_a_safe_one(monkeypatch):
    method = Plain(C)
    monkeypatch.setattr(method, "reach", lambda step: 1e-12)
    _, ended = advanced(iter(method), 3)
    assert ended is method.ended is ng.Status.STALLED
    assert method.directions[-1] == (pytest.approx(module.SAFE_CENTRING), False)


def test_products_that_rise_diverge():
    method, iterates, _ = started([])
    method.x = 1e6 * method.x
    assert advanced(iterates, 1) == (None, ng.Status.DIVERGED)


def test_two_short_steps_are_followed_by_a_safe_one_if_that_is_longer(monkeypatch):
    method, iterates, _ = started([])
    reach = method.reach

    def short(step):
        safe = method.directions[-1][0] > 0.0 and not method.directions[-1][1]
        return reach(step) if safe else min(0.05, reach(step))

    monkeypatch.setattr(method, "reach", short)
    next(iterates)
    assert method.directions[-1][1]  # the corrected direction, once
    next(iterates)
    assert not method.directions[-1][1]
    assert method._last_step > module.SHORT_STEP


@pytest.mark.parametrize("method", [InteriorPoint, ConvInteriorPoint, SpectralInteriorPoint])
def test_the_methods_supply_parts_only(method):
    assert issubclass(method, PredictorCorrector)
    assert not set(vars(method)) & {"__iter__", "_advance", "_attempt", "_corrected", "_towards_centre"}
    assert set(method.variables)


@pytest.mark.parametrize("at", [2, 6])
def test_a_program_is_solved_although_one_factorization_fails(monkeypatch, at):
    rng = np.random.default_rng(0)
    problem = ng.TrainingProblem(rng.standard_normal((30, 3)), rng.standard_normal(30), beta=0.3)
    gates = ng.sample_patterns(problem.X, 15, random_state=0).dense()
    expected = ng.solve_program(problem, gates, 1e-8)
    right, calls = InteriorPoint.linearize, []

    def failing(self):
        calls.append(1)
        if len(calls) == at:
            raise np.linalg.LinAlgError
        right(self)

    monkeypatch.setattr(InteriorPoint, "linearize", failing)
    solution = ng.solve_program(problem, gates, 1e-8)
    assert solution.status is ng.Status.SOLVED
    assert solution.n_iter <= expected.n_iter + 4
    assert solution.certificate.upper == pytest.approx(expected.certificate.upper, rel=1e-7)
