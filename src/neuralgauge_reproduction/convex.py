"""The convex methods of the experiments: the paper's programs by their names, and the search with a certificate."""

from __future__ import annotations

import time
from typing import Any, cast

import neuralgauge as ng
from neuralgauge.certificate import lower_bound

from .baseline import Score
from .descent import Trace
from .outcome import Method

TOLERANCE = 1e-6  # of the convex programs
CERTIFIED = "neuralgauge"


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


def over_patterns(
    name: str,
    problem: ng.TrainingProblem,
    patterns: list[ng.PatternSet],
    score: Score | None,
    time_limit: float | None = None,
) -> Method:
    """The program over given patterns, a set of them a trial."""
    begun = time.perf_counter()
    solutions = [uninterrupted(ng.solve_program(problem, one, TOLERANCE, time_limit=time_limit)) for one in patterns]
    seconds = time.perf_counter() - begun
    networks = [cast(ng.TwoLayerNetwork, solution.network) for solution in solutions]
    scores = () if score is None else tuple(score(network) for network in networks)
    return Method(name, tuple(problem.objective(network) for network in networks), seconds, scores)


def approximate(
    problem: ng.TrainingProblem,
    n_patterns: int,
    trials: int,
    score: Score | None = None,
    time_limit: float | None = None,
) -> Method:
    """ "Approximate": the program over random patterns, anew each trial."""
    sets = [ng.sample_patterns(problem.X, n_patterns, random_state=seed) for seed in range(trials)]
    return over_patterns("Approximate", problem, sets, score, time_limit)


def algorithms(problem: ng.TrainingProblem, trace: Trace, score: Score) -> list[Method]:
    """ "Alg1" to "Alg3", from the networks of a descent: a program each over patterns of the trained network, of the
    initial one, and of the trained one with hyperplanes nearby crossed."""
    trained = [ng.TwoLayerNetwork(U, A) for U, A in trace.weights]
    initial = [ng.TwoLayerNetwork(U, A) for U, (_, A) in zip(trace.initial_U, trace.weights, strict=True)]
    m = trace.initial_U.shape[2]

    def of_neurons(networks: list[ng.TwoLayerNetwork]) -> list[ng.PatternSet]:
        return [ng.sample_patterns(problem.X, m, strategy="network", network=one) for one in networks]

    flipped = [
        ng.sample_patterns(problem.X, 2 * m, seed, strategy="sign_flips", network=one)
        for seed, one in enumerate(trained)
    ]
    return [
        over_patterns("Alg1", problem, of_neurons(trained), score),
        over_patterns("Alg2", problem, of_neurons(initial), score),
        over_patterns("Alg3", problem, flipped, score),
    ]


def certified(
    problem: ng.TrainingProblem, gap: float, time_limit: float, score: Score | None = None, prove: bool | None = None
) -> tuple[Method, ng.Solution[Any]]:
    """Column generation, with its lower bound on networks of every width."""
    solution = uninterrupted(ng.train(problem, gap, time_limit=time_limit, prove=prove))
    scores = () if score is None else (score(solution.network),)
    return Method.of_solution(
        CERTIFIED, solution, problem.objective(cast(ng.TwoLayerNetwork, solution.network)), scores=scores
    ), solution
