"""Fig. 4: two classes of small images, patterns taken from networks (Alg1 to Alg3)."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuralgauge as ng

from ._array import Array
from .baseline import baseline
from .claims import claims
from .convex import CERTIFIED, algorithms, certified
from .descent import Training
from .outcome import Curve, Method, Outcome, Panel
from .registry import Data
from .scale import Scale
from .stand_ins import digits

N, WIDTH, BATCH, TRIALS = 106, 12, 25, 10
FRACTION = 0.02  # of beta_max


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
        problem.X[:, None], y, problem.beta, "hinge", WIDTH, BATCH, scale.pick(10_000, 50_000), TRIALS
    )  # fmt: skip

    def network_of(U: Any, A: Any) -> ng.TwoLayerNetwork:
        return ng.TwoLayerNetwork(U, A, bias=False)

    found = baseline(training, network_of, problem.objective, accuracy)
    programs, _ = algorithms(problem, found.trace, accuracy, lambda trial: ng.sample_patterns(problem.X, WIDTH, trial))
    methods = (found.method, *programs, ours)
    return Outcome(
        "Two classes of images, patterns from networks",
        {"data": data.origin, "verified": data.verified, "n": N, "d": X.shape[1], "m": WIDTH, "loss": "hinge",
         "beta": problem.beta, "batch": BATCH, "trials": TRIALS, "test images": len(X_test)},
        (
            "How 32 x 32 colour images become 100 numbers is ours: gray, 3 x 3 means, standardised; no bias.",
            f"beta is {FRACTION:.0%} of beta_max; step size and iterations are ours.",
            "Alg1 takes the m patterns of the trained network and m random ones, Alg2 those of the initial network, "
            "Alg3 these and as many in which the smallest products have changed their sign.",
        ),
        {"two classes": methods},
        claims("Fig. 4; section 6", methods, "test accuracy"),
        _panels(methods, ours),
        score="mean test accuracy",
        stand_in=scale.in_place_of("CIFAR-10", data),
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
