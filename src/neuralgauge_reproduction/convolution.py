"""Fig. 10: a convolutional ReLU network on two classes of images."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuralgauge as ng

from ._array import Array
from .baseline import Baseline, baseline
from .claims import claims
from .convex import CERTIFIED, algorithms, certified, of_neurons
from .descent import Training
from .images import accuracy_of, signs, two_classes
from .outcome import Curve, Method, Outcome, Panel
from .scale import Scale

N, FILTERS, BATCH, TRIALS, CLUSTERS = 195, 50, 20, 5, 50
FRACTION = 0.02  # of beta_max
GAP = 1e-2
ORIGINS = ("patterns of descent", "patterns of clusters")
LEAST = 1e-3  # of the largest: a shorter neuron has no direction to speak of


def figure_10(scale: Scale) -> Outcome:
    """Alg1 to Alg3 with the patterns of descent and of clusters of patches."""
    data = two_classes(scale)
    n, size, stride, filters, clusters = scale.pick((100, 4, 2, 8, 20), (N, 4, 4, FILTERS, CLUSTERS))
    images, tested = _standardised(data.X[:n], data.X_test)
    y, accuracy = signs(data.y[:n]), accuracy_of(tested, signs(data.y_test))
    scaled = ng.ReLUConvProblem(images, y, beta=1.0, filter_size=size, stride=stride, loss="hinge", bias=False)
    problem = scaled.with_beta(FRACTION * ng.beta_max(scaled))
    patches = problem.geometry.stack(images).reshape(n, problem.geometry.n_positions, -1)
    iterations = scale.pick(3000, 10_000)
    training = Training(patches, y, problem.beta, "hinge", filters, BATCH, iterations, TRIALS)

    def network_of(U: Array, A: Array) -> ng.TwoLayerNetwork:
        return problem.empty_network().with_neurons(U, A)

    found = baseline(training, network_of, problem.objective, accuracy)
    clustered = of_neurons(problem, _centres(patches.reshape(-1, patches.shape[2]), clusters))
    limit = scale.pick(4.0, 90.0)  # of a program
    programs, of_alg1 = algorithms(problem, found.trace, accuracy, lambda _: clustered, limit)
    own = len(of_neurons(problem, found.trace.weights[0][0]))
    ours, _ = certified(problem, GAP, scale.pick(6.0, 120.0), accuracy, prove=False)
    methods = (found.method, *programs, ours)
    return Outcome(
        "Convolutional network",
        {"data": data.origin, "verified": data.verified, "n": n, "d": int(np.prod(images.shape[1:])),
         "images": "x".join(map(str, images.shape[1:])), "filter": f"{size}x{size}x{images.shape[-1]}",
         "stride": stride, "m": filters, "loss": "hinge", "beta": problem.beta, "batch": BATCH, "trials": TRIALS,
         "clusters": clusters, "iterations": iterations, "test images": len(data.X_test)},
        (
            "The paper does not say how activations become an output: here they are averaged over all positions.",
            f"beta is {FRACTION:.0%} of beta_max; no bias, step size and iterations are ours.",
            "Alg1 takes the patterns of the filters of descent and of the centres of clusters of patches (k-means), "
            "Alg2 those of the initial filters, Alg3 these and as many in which the smallest products have changed "
            "their sign.",
        ),
        {"two classes": methods},
        claims("Fig. 10; A.1", methods, "test accuracy"),
        _panels(methods, found),
        score="mean test accuracy",
        stand_in=scale.in_place_of("CIFAR-10", data),
        kept=_filters(found, of_alg1[0], own),
    )  # fmt: skip


def _centres(patches: Array, clusters: int) -> Array:
    """Centres of the patches by k-means, (d, clusters)."""
    from sklearn.cluster import KMeans

    centres: Array = KMeans(clusters, n_init=1, random_state=0).fit(patches).cluster_centers_
    return centres.T


def _filters(found: Baseline, alg1: ng.Solution[Any], n_patterns: int) -> dict[str, Array]:
    """Of the first trial: those of descent, and of Alg1, whose first patterns, so many, are those of descent."""
    U, A = found.trace.weights[0]
    assert alg1.blocks is not None
    by_pattern = alg1.blocks.reshape(2, -1, len(U))  # plus and minus the output
    longest = np.linalg.norm(by_pattern, axis=2).max()
    return {
        "descent": _directions((U * np.abs(A[:, 0])).T, np.linalg.norm(U * A[:, 0], axis=0).max()),
        ORIGINS[0]: _directions(by_pattern[:, :n_patterns].reshape(-1, len(U)), longest),
        ORIGINS[1]: _directions(by_pattern[:, n_patterns:].reshape(-1, len(U)), longest),
    }


def _directions(rows: Array, longest: float) -> Array:
    """The rows that are not negligible beside the longest one of all, with length 1."""
    lengths = np.linalg.norm(rows, axis=1)
    kept = lengths > LEAST * longest
    result: Array = rows[kept] / lengths[kept, None]
    return result


def _panels(methods: tuple[Method, ...], found: Baseline) -> tuple[Panel, ...]:
    ours, programs = methods[-1], methods[1:-1]
    levels = ((CERTIFIED, ours.best, "found"), (f"lower bound ({ours.scope})", float(ours.lower or 0.0), "bound"))
    ends = tuple(Curve(one.name, one.times, one.objectives, "marks") for one in programs)
    tested = tuple(Curve(one.name, one.times, one.scores, "marks") for one in programs)
    objectives, scores = found.over_time(found.objectives), found.over_time(found.scores)
    return (
        Panel("objective", "seconds", "objective", (*objectives, *ends), levels, (True, True)),
        Panel("test accuracy", "seconds", "test accuracy", (*scores, *tested),
              ((CERTIFIED, float(ours.score or 0.0), "found"),), (True, False)),
    )  # fmt: skip


def _standardised(images: Array, tested: Array) -> tuple[Array, Array]:
    """Each channel with mean 0 and deviation 1 over the training images."""
    train = images.astype(np.float64)
    mean, spread = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
    return (train - mean) / spread, (tested.astype(np.float64) - mean) / spread
