"""How far a given network is from the global optimum."""

from __future__ import annotations

from .certificate import Certificate
from .errors import InvalidInputError
from .networks import TwoLayerNetwork
from .problem import TrainingProblem
from .training import train


def certify(
    network: TwoLayerNetwork, problem: TrainingProblem, time_limit: float | None = None, random_state: int = 0
) -> Certificate:
    """Certificate of any network: its own objective above, the bound of the convex program below.

    Parameters
    ----------
    network : TwoLayerNetwork
        Weights for the columns of ``problem.X``; balanced first, which keeps the function and lowers the penalty.
    problem : TrainingProblem
    time_limit : float, optional
        Seconds for the lower bound.
    random_state : int
        Seed of sampled patterns.

    Returns
    -------
    Certificate
        Scope "exact" where all patterns can be used; otherwise "patterns", and then the bound covers the sampled
        patterns only and may lie above the network's own objective.

    Raises
    ------
    InvalidInputError
        If the network does not fit the problem's columns.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> zero = ng.TwoLayerNetwork([[1.0], [0.0]], [0.0])
    >>> certificate = ng.certify(zero, problem)
    >>> print(f"{certificate.upper:.2f} {certificate.gap:.3f} {certificate.scope}")
    2.50 0.643 exact
    """
    if network.U.shape[0] != problem.d or network.A.shape[1] != 1:
        raise InvalidInputError(
            f"the network must have {problem.d} inputs (constant one included) and 1 output, "
            f"got {network.U.shape[0]} and {network.A.shape[1]}."
        )
    upper = problem.objective(network.balance())
    solution = train(problem, gap=1e-6, time_limit=time_limit, random_state=random_state)
    return Certificate(upper, solution.certificate.lower, solution.certificate.scope)
