"""Figs. 7 to 9: regression on the tables Boston, Kinematics and Bank."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import neuralgauge as ng

from ._array import Array
from .baseline import NAME, Baseline, baseline
from .claims import claims, listed
from .convex import CERTIFIED, algorithms, approximate, certified
from .descent import Training
from .outcome import Check, Curve, Method, Outcome, Panel
from .registry import Data
from .scale import Scale
from .stand_ins import arm, diabetes, friedman

WIDTH, BATCH, TRIALS = 12, 25, 5
FRACTION = 0.01  # of beta_max
GAP = 1e-2
RANDOM = "Random"  # the program over as many patterns as Alg1 has, all of them random


@dataclass(frozen=True)
class Table:
    """A standardised table, split at random into rows for training and for the test."""

    X: Array
    y: Array
    X_test: Array
    y_test: Array

    @classmethod
    def of(cls, data: Data, n: int) -> Table:
        """`n` rows for training, the others for the test; means and deviations are of the first."""
        order = np.random.default_rng(0).permutation(len(data.X))
        train, test = order[:n], order[n:]
        mean, spread = data.X[train].mean(axis=0), data.X[train].std(axis=0)
        spread[spread == 0.0] = 1.0
        centre, scale = data.y[train].mean(), data.y[train].std()
        return cls(
            (data.X[train] - mean) / spread,
            (data.y[train] - centre) / scale,
            (data.X[test] - mean) / spread,
            (data.y[test] - centre) / scale,
        )

    def error(self, network: Any) -> float:
        """Mean squared error on the test rows, in units of the variance of the training targets."""
        return float(np.mean((np.asarray(network.predict(self.X_test)).reshape(-1) - self.y_test) ** 2))


def figure_7(scale: Scale) -> Outcome:
    """Boston Housing."""
    data = diabetes() if scale.stands_in else scale.data("boston")
    return _table("Boston Housing", "Fig. 7", scale, data, scale.pick(300, 400))


def figure_8(scale: Scale) -> Outcome:
    """Kinematics."""
    data = arm() if scale.stands_in else scale.data("kinematics")
    return _table("Kinematics", "Fig. 8", scale, data, scale.pick(400, 4000))


def figure_9(scale: Scale) -> Outcome:
    """Bank."""
    data = friedman() if scale.stands_in else scale.data("bank")
    return _table("Bank", "Fig. 9", scale, data, scale.pick(400, 4000))


def _table(title: str, place: str, scale: Scale, data: Data, n: int) -> Outcome:
    table = Table.of(data, n)
    problem = ng.TrainingProblem(table.X, table.y, beta=1.0)
    problem = problem.with_beta(FRACTION * ng.beta_max(problem))
    iterations = scale.pick(10_000, 100_000)
    training = Training(problem.X[:, None], problem.y, problem.beta, "squared", WIDTH, BATCH, iterations, TRIALS)
    found = baseline(training, ng.TwoLayerNetwork, problem.objective, table.error)
    limit = scale.pick(3.0, 60.0)  # of a program
    programs, _ = algorithms(
        problem, found.trace, table.error, lambda trial: ng.sample_patterns(problem.X, WIDTH, trial), limit
    )
    random = replace(approximate(problem, 2 * WIDTH, TRIALS, table.error, limit), name=RANDOM)
    ours, solution = certified(problem, GAP, scale.pick(6.0, 120.0), table.error, prove=False)
    methods = (found.method, *programs, random, ours)
    return Outcome(
        title,
        {"data": data.origin, "verified": data.verified, "n": n, "d": table.X.shape[1], "test rows": len(table.y_test),
         "m": WIDTH, "loss": "squared", "beta": problem.beta, "batch": BATCH, "trials": TRIALS,
         "iterations": iterations},
        (
            f"beta is {FRACTION:.0%} of beta_max; the rows of the training part, the bias of the hidden layer, the "
            "step size and the iterations are ours, and X and y are standardised by the training rows.",
            f"Alg1 takes the m patterns of the trained network and m random ones; {RANDOM} takes 2 m random ones.",
            "Seconds of Alg1 are those of its program, without the descent that gave it patterns; seconds of descent "
            "are the mean of trials that run together.",
        ),
        {title: methods},
        _checks(place, methods),
        _panels(methods, found, solution),
        score="mean squared test error",
        stand_in=scale.in_place_of(title, data),
    )  # fmt: skip


def _panels(methods: tuple[Method, ...], found: Baseline, solution: ng.Solution[Any]) -> tuple[Panel, ...]:
    """Objective and test error over the seconds, with a cross where the solver of a program is done."""
    ours, programs = methods[-1], methods[1:-1]
    seen = [record for record in solution.history if record.lower_bound > 0.0]
    seconds = [record.seconds for record in seen]
    rounds = (
        Curve(CERTIFIED, seconds, [record.objective for record in seen], "found"),
        Curve(f"lower bound ({ours.scope})", seconds, [record.lower_bound for record in seen], "bound"),
    )
    ends = tuple(Curve(one.name, one.times, one.objectives, "marks") for one in programs)
    tested = tuple(Curve(one.name, one.times, one.scores, "marks") for one in programs)
    last = Curve(CERTIFIED, (ours.seconds,), ours.scores, "marks")
    objectives, scores = found.over_time(found.objectives), found.over_time(found.scores)
    return (
        Panel("objective", "seconds", "objective", (*objectives, *ends, *rounds), (), (True, True)),
        Panel("test error", "seconds", "mean squared error", (*scores, *tested, last), (), (True, True)),
    )


def _checks(place: str, methods: tuple[Method, ...]) -> tuple[Check, ...]:
    objective = {method.name: float(np.mean(method.objectives)) for method in methods}
    random = Check(
        "Remark 3.3",
        "Programs over random patterns alone are often better than descent.",
        "often better",
        listed(objective, (RANDOM, NAME), ".5g"),
        objective[RANDOM] < objective[NAME],
        "The chance of a random pattern is the solid angle of its cone; descent may move through all cones.",
    )
    return (*claims(f"{place}; A.1", methods, "test error"), random)
