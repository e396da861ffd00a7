"""Fig. 2: five points on a line, squared loss, three widths."""

from __future__ import annotations

import numpy as np

import neuralgauge as ng

from .baseline import NAME, baseline
from .convex import certified, optimal
from .descent import Training
from .outcome import Check, Method, Outcome, Panel
from .scale import Scale

X = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
Y = np.array([1.0, -1.0, 1.0, 1.0, -1.0])
BETA = 1e-4
WIDTHS = (8, 15, 50)
TRIALS = 10
REACHED = 0.01  # in the objective: a trial so near has left all local minima, and only its penalty still shrinks
PAPER_OPTIMUM = 0.0010128


def figure_2(scale: Scale) -> Outcome:
    """Descent from ten starts against the program over all ten patterns."""
    problem = ng.TrainingProblem(X, Y, beta=BETA)
    exact, _ = optimal(problem)
    ours, _ = certified(problem, 1e-8, time_limit=30.0)
    iterations = scale.pick(3000, 30_000)
    methods: dict[str, tuple[Method, ...]] = {}
    panels: list[Panel] = []
    reached: list[int] = []
    missing: tuple[str, ...] = ()
    levels = (("Optimal", exact.best, "program"), (f"lower bound ({ours.scope})", float(ours.lower or 0.0), "bound"))
    for m in WIDTHS:
        training = Training(problem.X[:, None], Y, BETA, "squared", m, len(Y), iterations, TRIALS)
        found = baseline(training, ng.TwoLayerNetwork, problem.objective)
        methods[f"m = {m}"] = (*found.methods, exact, ours)
        panels.append(Panel(f"m = {m}", "iteration", "objective", found.objectives, levels, (True, True)))
        reached += [sum(value <= exact.best + REACHED for value in one.objectives) for one in found.methods]
        missing = found.missing
    return Outcome(
        "Five points on a line, three widths",
        {"n": 5, "d": 1, "m": list(WIDTHS), "loss": "squared", "beta": BETA, "trials": TRIALS,
         "iterations": iterations},
        (
            "beta is 1e-4: it gives the optimum 0.0010128, which Table 1 of the paper prints as 0.001.",
            "The step size, the number of iterations and the batch, here all five points, are ours.",
        ),
        methods,
        _checks(exact, ours, methods, reached),
        tuple(panels),
        missing,
    )  # fmt: skip


def _checks(
    exact: Method, ours: Method, methods: dict[str, tuple[Method, ...]], reached: list[int]
) -> tuple[Check, ...]:
    value = exact.best
    checks = [
        Check(
            "The convex program over all patterns has the value of the global optimum.",
            f"{PAPER_OPTIMUM} (Table 1: 0.001)",
            f"{value:.7f}, lower bound {ours.lower:.7f} ({ours.scope})",
            abs(value - PAPER_OPTIMUM) < 1e-6 and abs(value - ours.best) <= 1e-6 * value,
            "Two programs and an exact certificate give the same value.",
        )
    ]
    trials = [method for found in methods.values() for method in found if method.name == NAME]
    if trials:
        checks.append(
            Check(
                "No trial of descent ends below the optimum of the program.",
                "holds at every width",
                f"best trials at m = 8, 15, 50: {', '.join(f'{one.best:.6f}' for one in trials)}",
                all(one.best >= value * (1.0 - 1e-6) for one in trials),
            )
        )
        checks.append(
            Check(
                "The number of trials that reach the optimum grows with the width.",
                "few at m = 8, most at m = 50",
                f"{', '.join(map(str, reached))} of {TRIALS} within {REACHED:g} at m = 8, 15, 50",
                reached == sorted(reached) and reached[-1] > reached[0],
                "The others stay in local minima, where a point or two are not fitted.",
            )
        )
    return tuple(checks)
