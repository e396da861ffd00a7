"""The registry of solvers that claim the global optimum. A new one adds its line to `SOLVERS`."""

from collections.abc import Callable
from typing import NamedTuple

import neuralgauge as ng
from neuralgauge.solvers.nuclear_norm import solve_nuclear_norm
from neuralgauge.solvers.run import Run


class Solver(NamedTuple):
    """Which problems of the registry it takes, and the solution to a relative gap."""

    takes: Callable
    solve: Callable


def _is_relu(problem):
    return isinstance(problem, ng.TrainingProblem)


def _has_one_output_weight(problem):
    """All directions of such neurons are + and -, so the program over all patterns is the problem."""
    return _is_relu(problem) and problem.q == 1


def _is_linear(problem):
    return isinstance(problem, ng.LinearConvProblem)


def _has_full_filters(problem):
    return _is_linear(problem) and problem.geometry.padding_mode == "circular" and problem.d == problem.X.shape[1]


def _over_all_patterns(problem, gap, **options):
    return ng.solve_program(problem, ng.enumerate_patterns(problem.X), gap, **options)


def _nuclear_norm(solver):
    return lambda problem, gap: solve_nuclear_norm(problem, Run(gap), solver=solver)


SOLVERS: dict[str, Solver] = {
    "train": Solver(lambda problem: True, ng.train),
    "interior point": Solver(_has_one_output_weight, _over_all_patterns),
    # Clarabel itself fails on one of the convolutions.
    "conic solver": Solver(
        lambda problem: _has_one_output_weight(problem) and not hasattr(problem, "geometry"),
        lambda problem, gap: _over_all_patterns(problem, gap, solver="reference"),
    ),
    "nuclear norm": Solver(_is_linear, _nuclear_norm("interior_point")),
    "spectral": Solver(_has_full_filters, _nuclear_norm("fourier")),
}
