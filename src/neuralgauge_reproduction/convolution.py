"""Figs. 10 and 11: convolutional ReLU networks on two classes of images, pooled and flattened."""

from __future__ import annotations

from typing import Literal

import numpy as np

import neuralgauge as ng

from ._array import Array
from .baseline import NAME, baseline
from .convex import CERTIFIED, certified
from .descent import Training
from .images import accuracy_of, chance_of, signs, two_classes
from .outcome import IN_GENERAL, Check, Method, Outcome, Panel
from .scale import Scale

Readout = Literal["pooled", "flattened"]
N, FILTERS, BATCH, TRIALS = 195, 50, 60, 5
FRACTIONS: dict[Readout, float] = {"pooled": 0.02, "flattened": 0.05}  # of beta_max
GAP = 1e-2
UNSEEN = "The caption of this figure was not at hand; it is the second readout of section 4 on the data of Fig. 10."


def figure_10(scale: Scale) -> Outcome:
    """Average pooling."""
    return _network("Convolutional network with average pooling", scale, "pooled")


def figure_11(scale: Scale) -> Outcome:
    """Flattened: an output weight for each position."""
    return _network("Convolutional network, flattened", scale, "flattened")


def _network(title: str, scale: Scale, readout: Readout) -> Outcome:
    data = two_classes(scale)
    n, size, stride, filters = scale.pick((100, 4, 2, 10), (N, 4, 4, FILTERS))
    images, tested = _standardised(data.X[:n], data.X_test)
    y, accuracy = signs(data.y[:n]), accuracy_of(tested, signs(data.y_test))
    scaled = ng.ReLUConvProblem(
        images, y, beta=1.0, filter_size=size, stride=stride, readout=readout, loss="hinge", bias=False
    )
    problem = scaled.with_beta(FRACTIONS[readout] * ng.beta_max(scaled))
    ours, _ = certified(problem, GAP, scale.pick(8.0, 120.0), accuracy, prove=False)
    geometry = ng.PatchGeometry(images.shape[1:], size, stride)
    patches = geometry.stack(images).reshape(n, geometry.n_positions, -1)
    iterations = scale.pick(1000, 6000)
    training = Training(patches, y, problem.beta, "hinge", filters, BATCH, iterations, TRIALS, readout)

    def network_of(U: Array, A: Array) -> ng.TwoLayerNetwork:
        return problem.empty_network().with_neurons(U, A)

    found = baseline(training, network_of, problem.objective, accuracy)
    methods = (*found.methods, ours)
    levels = ((CERTIFIED, ours.best, "found"), (f"lower bound ({ours.scope})", float(ours.lower or 0.0), "bound"))
    return Outcome(
        title,
        {"data": data.origin, "verified": data.verified, "n": n, "images": "x".join(map(str, images.shape[1:])),
         "filter": f"{size}x{size}x{images.shape[-1]}", "stride": stride, "filters": filters, "loss": "hinge",
         "beta": problem.beta, "batch": BATCH, "trials": TRIALS, "iterations": iterations,
         "test images": len(data.X_test)},
        (
            f"beta is {FRACTIONS[readout]:.0%} of beta_max; no bias, batch, step size and iterations are ours.",
            *(() if readout == "pooled" else (UNSEEN,)),
        ),
        {"two classes": methods},
        _checks(methods, ours, len(tested)),
        (
            Panel("objective", "iteration", "objective", found.objectives, levels, (True, True)),
            Panel("test accuracy", "iteration", "test accuracy", found.scores,
                  ((CERTIFIED, float(ours.score or 0.0), "found"),), (True, False)),
        ),
        found.missing,
        "mean test accuracy",
    )  # fmt: skip


def _standardised(images: Array, tested: Array) -> tuple[Array, Array]:
    """Each channel with mean 0 and deviation 1 over the training images."""
    train = images.astype(np.float64)
    mean, spread = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
    return (train - mean) / spread, (tested.astype(np.float64) - mean) / spread


def _checks(methods: tuple[Method, ...], ours: Method, tested: int) -> tuple[Check, ...]:
    found = f"column generation {ours.best:.6g}, lower bound {ours.lower:.6g} ({ours.scope})"
    if methods[0].name != NAME:
        return (Check("Convex training has a lower objective than descent.", IN_GENERAL, found, None,
                      "Descent did not run."),)  # fmt: skip
    trials, mean = methods[0].objectives, float(np.mean(methods[0].scores))
    chance = chance_of(mean, tested)
    return (
        Check(
            "Convex training has a lower objective than descent.",
            IN_GENERAL,
            f"{found}; SGD {min(trials):.6g} to {max(trials):.6g}",
            ours.best <= min(trials),
        ),
        Check(
            "And no lower test accuracy.",
            IN_GENERAL,
            f"{ours.score:.3f}; SGD {mean:.3f} on average",
            float(ours.score or 0.0) >= mean - chance,
            f"Agreement is counted within two standard errors of {tested} test images, {chance:.3f}.",
        ),
    )
