"""Fig. 5: linear convolutions around the circle, L1-Convex, and the filters of descent."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuralgauge as ng

from ._array import Array
from .baseline import NAME, baseline
from .convex import uninterrupted
from .descent import Trace, Training
from .images import signs
from .outcome import Check, Curve, Method, Outcome, Panel
from .scale import Scale

N, WIDTH, LENGTH, BATCH, TRIALS = 387, 30, 10, 60, 5
FRACTION = 0.1  # of beta_max
GAP = 1e-8


def figure_5(scale: Scale) -> Outcome:
    """Descent on filters of length 10 against the programs [12] and [14]."""
    X, y, origin, verified = _signals(scale)
    problem = ng.LinearConvProblem(X, y, beta=1.0, filter_size=LENGTH, padding="same", padding_mode="circular")
    problem = problem.with_beta(FRACTION * ng.beta_max(problem))
    nuclear = uninterrupted(ng.train(problem, GAP))
    full = uninterrupted(ng.train(problem.with_full_filters(), GAP))
    exact = Method.of_solution("nuclear norm [12]", nuclear, nuclear.certificate.upper)
    relaxed = Method.of_solution(
        "L1-Convex [14]", full, full.certificate.upper, note="relaxation: filters as long as the signal"
    )
    iterations = scale.pick(2000, 10_000)
    training = Training(
        X[:, None], y, problem.beta, "squared", WIDTH, BATCH, iterations, TRIALS, "circular", LENGTH
    )  # fmt: skip
    found = baseline(training, lambda U, A: _network(problem, U, A), problem.objective)
    methods = (found.method, relaxed, exact)
    distances = _distances(found.trace, nuclear.network)
    levels = (("L1-Convex [14]", relaxed.best, "approximate"), ("nuclear norm [12]", exact.best, "program"),
              (f"lower bound ({exact.scope})", float(exact.lower or 0.0), "bound"))  # fmt: skip
    return Outcome(
        "Linear convolutions around the circle",
        {"data": origin, "verified": verified, "n": len(X), "d": X.shape[1], "h": LENGTH, "m": WIDTH,
         "loss": "squared", "beta": problem.beta, "batch": BATCH, "trials": TRIALS, "iterations": iterations},
        (
            f"beta is {FRACTION:.0%} of beta_max, and the mean image is taken off; both, squared loss, step size and "
            "iterations are ours.",
            "Distance: |theta - theta*| / |theta*| of the pixels' weights theta that filters and output weights make "
            "together; single filters cannot be compared, for mixtures of them give the same network.",
            "[14] holds for filters as long as the signal and is a relaxation for shorter ones; [12] with patches of "
            "length 10 is exact.",
        ),
        {"two classes": methods},
        _checks(methods, distances),
        (
            Panel("objective", "iteration", "objective", found.objectives, levels, (True, True)),
            Panel("distance to the optimal weights", "iteration", "relative distance", distances, (), (True, True)),
        ),
        stand_in=f"{origin}, in place of CIFAR-10" if scale.stands_in else "",
    )  # fmt: skip


def _signals(scale: Scale) -> tuple[Array, Array, str, bool]:
    """Images as signals (n, pixels) between 0 and 1 less the mean image, without which descent takes far longer."""
    if scale.stands_in:
        from sklearn.datasets import load_digits

        X, target = load_digits(return_X_y=True)
        X, y, origin, verified = X[:N] / 16.0, signs(1 - target[:N] % 2), "scikit-learn's digits, even and odd", True
    else:
        data = scale.data("cifar10")
        X, y = data.X[:N].reshape(N, -1) / 255.0, signs(data.y[:N])
        origin, verified = data.origin, data.verified
    return X - X.mean(axis=0), y, origin, verified


def _network(problem: ng.LinearConvProblem, U: Array, A: Array) -> ng.LinearConvNetwork:
    """The network of descent, whose output weights belong to shifts counted from the start of the filter."""
    return ng.LinearConvNetwork(U, np.roll(A, problem.geometry.pads[0][0], axis=1), problem.geometry)


def _distances(trace: Trace, optimum: Any) -> tuple[Curve, ...]:
    """Relative distance of the pixels' weights from the optimal ones, a curve a trial."""
    theta = optimum.pixels[:, 0]
    d = len(theta)
    values = []
    for U, A in trace.snapshots:
        product = np.fft.rfft(U, d, axis=1).swapaxes(1, 2) * np.fft.rfft(A, axis=2)
        found = np.fft.irfft(product.sum(axis=1), d, axis=1)
        values.append(np.linalg.norm(found - theta, axis=1) / np.linalg.norm(theta))
    return tuple(Curve(NAME, trace.iterations.tolist(), one) for one in np.stack(values, axis=1).tolist())


def _checks(methods: tuple[Method, ...], distances: tuple[Curve, ...]) -> tuple[Check, ...]:
    descent, relaxed, exact = methods
    trials, last = descent.objectives, [float(curve.y[-1]) for curve in distances]
    return (
        Check(
            "section 4.3; [14]",
            "L1-Convex has the value of the training problem of the circular linear network.",
            "for filters of every length h",
            f"L1-Convex {relaxed.best:.6g}, exact value at length {LENGTH}: {exact.best:.6g}, gap "
            f"{(exact.best - float(exact.lower or 0.0)) / exact.best:.0e}",
            abs(relaxed.best - exact.best) <= 1e-6 * exact.best,
            f"A.6 lets the diagonal of F^H U F be any vector, which needs h = d. For h = {LENGTH} only vectors of "
            f"filters with d - {LENGTH} zeros occur; a larger set under the maximum tightens the dual, so [14] "
            f"lies below, here by {1.0 - relaxed.best / exact.best:.2%}.",
        ),
        Check(
            "Fig. 5; section 6",
            "All trials of descent reach the objective of L1-Convex.",
            "5 of 5",
            f"{min(trials) / relaxed.best - 1.0:.2e} to {max(trials) / relaxed.best - 1.0:.2e} above L1-Convex, "
            f"{min(trials) / exact.best - 1.0:.2e} to {max(trials) / exact.best - 1.0:.2e} above the exact value",
            max(trials) <= relaxed.best * 1.01,
            f"Agreement is counted within 1 %. No filters of length {LENGTH} get below the exact value, [12] with "
            "circular patches.",
        ),
        Check(
            "Fig. 5; section 6",
            "Their filters are almost the same as those of the program.",
            "distance near 0",
            f"relative distance {min(last):.3f} to {max(last):.3f}",
            max(last) <= 0.1,
            "To the exact program's; agreement is counted within 0.1.",
        ),
    )
