"""The penalty above which the empty network is optimal."""

from __future__ import annotations

from typing import Any

from .base import Problem, checked_problem


def beta_max(problem: Problem[Any], random_state: int = 0) -> float:
    r""":math:`\beta_{max} = G(-\nabla L)` at the empty network: at or above it that network is globally optimal.

    The empty network has outputs zero, or with an offset the best constant. The polar gauge G is exact for linear
    convolutions, and for ReLU networks on X of rank 1 and 2, and of rank 3 up to 2,000 rows. Above it is searched by
    multi-start ascent: attained by a neuron and never above the true value, but a better neuron may have been missed,
    which makes it an *estimate*. The problem's own beta plays no part. At a kink of the loss with an offset, one
    subgradient is taken: enough for optimality, but a smaller penalty may be too.

    Parameters
    ----------
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
    random_state : int
        Seed of the search, where there is one.

    Returns
    -------
    float
        0.0 when the loss is stationary at the empty network (for instance y = 0 with the squared loss).

    Notes
    -----
    Source: dual [15], [12] of Pilanci & Ergen (2020) at the empty network.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> print(f"{ng.beta_max(problem):.4f}")
    1.7889
    """
    return checked_problem(problem).polar(problem.fit.empty_dual, random_state).value
