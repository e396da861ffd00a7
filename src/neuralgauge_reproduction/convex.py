"""The convex methods of the experiments: the paper's programs by their names, and the search with a certificate."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np

import neuralgauge as ng
from neuralgauge.certificate import lower_bound

from ._array import Array
from .baseline import Score
from .descent import Trace
from .outcome import Method

TOLERANCE = 1e-6  # of the convex programs
CERTIFIED = "neuralgauge"
ALGORITHMS = ("Alg1", "Alg2", "Alg3")


def uninterrupted(solution: ng.Solution[Any]) -> ng.Solution[Any]:
    """The solution; solvers return their best on Ctrl-C, which must end the experiment too."""
    if solution.status is ng.Status.INTERRUPTED:
        raise KeyboardInterrupt
    return solution


def optimal(problem: ng.TrainingProblem, time_limit: float | None = None) -> tuple[Method, ng.TwoLayerNetwork]:
    """ "Optimal": the program [8] over all patterns, and its network without the neurons that change nothing.

    Its dual point is priced exactly: the bound holds for every network, also where a cell too thin for floating-point
    arithmetic is missing among the patterns (`PatternSet.complete`).
    """
    begun = time.perf_counter()
    solution = uninterrupted(
        ng.solve_program(problem, ng.enumerate_patterns(problem.X), TOLERANCE, time_limit=time_limit)
    )
    seconds = time.perf_counter() - begun
    network = ng.prune(cast(ng.TwoLayerNetwork, solution.network), problem).network
    lower = lower_bound(problem, solution.dual, ng.price(solution.dual, problem.X).bound)
    objective = problem.objective(network)
    return Method("Optimal", (objective,), seconds, lower=lower, scope="exact", n_neurons=network.n_neurons), network


def joined(*sets: ng.PatternSet) -> ng.PatternSet:
    """The distinct patterns of several sets, those of the first sets first."""
    packed = np.concatenate([one.packed for one in sets])
    witnesses = np.concatenate([one.witness(slice(None)) for one in sets])
    _, first = np.unique(packed, axis=0, return_index=True)
    first.sort()
    return ng.PatternSet(packed[first], sets[0].n, witnesses[first])


def of_neurons(problem: ng.TrainingProblem, U: Array) -> ng.PatternSet:
    """The patterns of the columns of U."""
    m = U.shape[1]
    network = ng.TwoLayerNetwork(U, np.ones((m, 1)), bias=False)
    return ng.sample_patterns(problem.X, m, strategy="network", network=network)


def over_patterns(
    name: str,
    problem: ng.TrainingProblem,
    patterns: list[ng.PatternSet],
    score: Score | None,
    time_limit: float | None = None,
) -> tuple[Method, list[ng.Solution[Any]]]:
    """The program over given patterns, a set of them a trial."""
    solutions = [uninterrupted(ng.solve_program(problem, one, TOLERANCE, time_limit=time_limit)) for one in patterns]
    networks = [cast(ng.TwoLayerNetwork, solution.network) for solution in solutions]
    scores = () if score is None else tuple(map(score, networks))
    times = tuple(solution.seconds for solution in solutions)
    stopped = sum(solution.status is not ng.Status.SOLVED for solution in solutions)
    note = f"{stopped} of {len(solutions)} programs stopped before {TOLERANCE:g}" if stopped else ""
    objectives = tuple(map(problem.objective, networks))
    return Method(name, objectives, sum(times), scores, note=note, times=times), solutions


def approximate(
    problem: ng.TrainingProblem,
    n_patterns: int,
    trials: int,
    score: Score | None = None,
    time_limit: float | None = None,
) -> Method:
    """ "Approximate": the program over random patterns, anew each trial."""
    sets = [ng.sample_patterns(problem.X, n_patterns, random_state=seed) for seed in range(trials)]
    return over_patterns("Approximate", problem, sets, score, time_limit)[0]


def algorithms(
    problem: ng.TrainingProblem,
    trace: Trace,
    score: Score,
    beside: Callable[[int], ng.PatternSet],
    time_limit: float | None = None,
) -> tuple[tuple[Method, ...], list[ng.Solution[Any]]]:
    """Alg1 to Alg3 of section 6, a program each a trial of descent, and the solutions of Alg1.

    Alg1: the patterns of the trained network, then those that `beside` gives by the number of the trial. Alg2: the
    patterns of the initial network. Alg3: those of the initial network, and as many in which products x_i^T u that were
    small have changed their sign.
    """
    m = trace.initial_U.shape[2]
    hinted, initial, flipped = [], [], []
    for trial, ((trained, _), start) in enumerate(zip(trace.weights, trace.initial_U, strict=True)):
        hinted.append(joined(of_neurons(problem, trained), beside(trial)))
        initial.append(of_neurons(problem, start))
        network = ng.TwoLayerNetwork(start, np.ones((m, 1)), bias=False)
        flipped.append(ng.sample_patterns(problem.X, 2 * m, trial, strategy="sign_flips", network=network))
    runs = [
        over_patterns(name, problem, sets, score, time_limit)
        for name, sets in zip(ALGORITHMS, (hinted, initial, flipped), strict=True)
    ]
    return tuple(method for method, _ in runs), runs[0][1]


def certified(
    problem: ng.TrainingProblem, gap: float, time_limit: float, score: Score | None = None, prove: bool | None = None
) -> tuple[Method, ng.Solution[Any]]:
    """Column generation, with its lower bound on networks of every width."""
    solution = uninterrupted(ng.train(problem, gap, time_limit=time_limit, prove=prove))
    scores = () if score is None else (score(solution.network),)
    return Method.of_solution(
        CERTIFIED, solution, problem.objective(cast(ng.TwoLayerNetwork, solution.network)), scores=scores
    ), solution
