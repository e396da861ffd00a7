"""Fig. 4: two classes of small images, patterns taken from networks (Alg1 to Alg3)."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuralgauge as ng

from ._array import Array
from .baseline import NAME, baseline
from .convex import CERTIFIED, algorithms, certified
from .descent import Training
from .outcome import Check, Curve, Method, Outcome, Panel
from .registry import Data
from .scale import Scale
from .stand_ins import digits

N, WIDTH, BATCH, TRIALS = 106, 12, 25, 10
FRACTION = 0.02  # of beta_max
NO_ALGORITHMS = "Alg1 to Alg3 take their patterns from networks of descent and did not run either."


def features_of(images: Array) -> Array:
    """Gray pixels (n, 100): means over 3 x 3 of the middle 30 x 30 of 32 x 32; smaller images as they are."""
    gray = images.astype(np.float64).mean(axis=-1)
    if gray.shape[1:] == (32, 32):
        gray = gray[:, 1:31, 1:31].reshape(len(gray), 10, 3, 10, 3).mean(axis=(2, 4))
    return gray.reshape(len(gray), -1)


def two_classes(scale: Scale) -> Data:
    """Airplanes and automobiles, or the digits 3 and 8."""
    return digits(3, 8) if scale.stands_in else scale.data("cifar10")


def signs(labels: Array) -> Array:
    """Labels 0 and 1 as -1 and +1."""
    return np.where(labels == 1, 1.0, -1.0)


def accuracy_of(X: Array, y: Array) -> Any:
    """The accuracy of a network's sign."""
    return lambda network: float(np.mean(np.sign(np.asarray(network.predict(X)).reshape(len(X))) == y))


def chance_of(accuracy: float, tested: int) -> float:
    """Two standard errors of an accuracy on so many images."""
    return float(2.0 * (accuracy * (1.0 - accuracy) / tested) ** 0.5)


def figure_4(scale: Scale) -> Outcome:
    """Objective and test accuracy of ten trials."""
    data = two_classes(scale)
    chosen = np.random.default_rng(0).permutation(len(data.X))[:N]
    X, X_test = features_of(data.X[chosen]), features_of(data.X_test)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    spread[spread == 0.0] = 1.0
    X, X_test = (X - mean) / spread, (X_test - mean) / spread
    y, accuracy = signs(data.y[chosen]), accuracy_of(X_test, signs(data.y_test))
    problem = ng.TrainingProblem(X, y, beta=1.0, loss="hinge", bias=False)
    problem = problem.with_beta(FRACTION * ng.beta_max(problem))

    ours, _ = certified(problem, 1e-3, scale.pick(15.0, 120.0), accuracy, prove=False)
    training = Training(
        problem.X[:, None], y, problem.beta, "hinge", WIDTH, BATCH, scale.pick(2000, 20_000), TRIALS
    )  # fmt: skip

    def network_of(U: Any, A: Any) -> ng.TwoLayerNetwork:
        return ng.TwoLayerNetwork(U, A, bias=False)

    found = baseline(training, network_of, problem.objective, accuracy)
    programs = [] if found.trace is None else algorithms(problem, found.trace, accuracy)
    methods = (*found.methods, *programs, ours)
    missing = (*found.missing, *(NO_ALGORITHMS for _ in found.missing))
    return Outcome(
        "Two classes of images, patterns from networks",
        {"data": data.origin, "verified": data.verified, "n": N, "d": X.shape[1], "m": WIDTH, "loss": "hinge",
         "beta": problem.beta, "batch": BATCH, "trials": TRIALS, "test images": len(X_test)},
        (
            "How 32 x 32 colour images become 100 numbers is ours: gray, 3 x 3 means, standardised; no bias.",
            f"beta is {FRACTION:.0%} of beta_max; step size and iterations are ours.",
            "Patterns of Alg1 are those of the trained network, of Alg2 those of the initial one, of Alg3 the trained "
            "ones and as many with nearby hyperplanes crossed.",
        ),
        {"two classes": methods},
        _checks(methods, len(X_test)),
        _panels(methods, ours),
        missing,
        "mean test accuracy",
    )  # fmt: skip


def _panels(methods: tuple[Method, ...], ours: Method) -> tuple[Panel, ...]:
    trials = range(1, TRIALS + 1)
    many = [method for method in methods if len(method.objectives) > 1]
    objectives = tuple(Curve(method.name, trials, method.objectives, "points") for method in many)
    scores = tuple(Curve(method.name, trials, method.scores, "points") for method in many)
    levels = ((CERTIFIED, ours.best, "found"), (f"lower bound ({ours.scope})", float(ours.lower or 0.0), "bound"))
    return (
        Panel("objective", "trial", "objective", objectives, levels, (False, True)),
        Panel("test accuracy", "trial", "test accuracy", scores, ((CERTIFIED, float(ours.score or 0.0), "found"),)),
    )


def _checks(methods: tuple[Method, ...], tested: int) -> tuple[Check, ...]:
    named = {method.name: method for method in methods}
    if NAME not in named:
        return (Check("Alg1 has the lowest objective and the highest test accuracy.", "Alg1 first", "", None,
                      "Descent did not run."),)  # fmt: skip
    means = {name: float(np.mean(method.objectives)) for name, method in named.items()}
    scores = {name: float(method.score or 0.0) for name, method in named.items()}
    of_paper = (NAME, "Alg1", "Alg2", "Alg3")
    lowest, highest = min(of_paper, key=lambda name: means[name]), max(of_paper, key=lambda name: scores[name])
    ours, chance = named[CERTIFIED], chance_of(scores[highest], tested)
    return (
        Check(
            "A program over patterns of the trained network has a lower objective than that network.",
            "Alg1 below SGD",
            f"means: {', '.join(f'{name} {means[name]:.5g}' for name in of_paper)}; lowest {lowest}",
            means["Alg1"] < means["SGD"],
            "It holds for every trial: the trained network is a feasible point of its own program.",
        ),
        Check(
            "Alg1 has the highest test accuracy.",
            "Alg1 first",
            f"means: {', '.join(f'{name} {scores[name]:.3f}' for name in of_paper)}; highest {highest}",
            scores["Alg1"] >= scores[highest] - chance,
            f"Agreement is counted within two standard errors of {tested} test images, {chance:.3f}.",
        ),
        Check(
            "Beyond the paper: how far all of them are from the best network.",
            "not known",
            f"column generation {ours.best:.5g} with accuracy {scores[CERTIFIED]:.3f}, lower bound {ours.lower:.5g} "
            f"({ours.scope}); Alg1 is {means['Alg1'] / ours.best - 1.0:.1%} above",
            None,
        ),
    )
