"""The penalty above which the zero network is optimal."""

from __future__ import annotations

import numpy as np

from ..problem import TrainingProblem
from .ascent import ascend
from .ascent_vector import ascend_vector


def beta_max(problem: TrainingProblem, random_state: int = 0) -> float:
    r""":math:`\beta_{max} = G(-\nabla L(0))`: at or above it the zero network is globally optimal.

    The gauge is searched by multi-start ascent, so the result is attained by a neuron and never above the true
    value; a better neuron may have been missed, which makes it an *estimate*. The problem's own beta plays no part.

    Parameters
    ----------
    problem : TrainingProblem
    random_state : int

    Returns
    -------
    float
        0.0 when the loss is stationary at the zero network (for instance y = 0 with the squared loss).

    Notes
    -----
    Source: dual [15] of Pilanci & Ergen (2020) at the zero network.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> print(f"{ng.beta_max(problem):.4f}")
    1.7889
    """
    V = -problem.loss_gradient(np.zeros(problem.y.shape))
    if V.ndim == 2:
        return float(ascend_vector(V, problem.X, random_state=random_state).values[0])
    return max(0.0, *(float(ascend(sign * V, problem.X, random_state=random_state)[0][0]) for sign in (1.0, -1.0)))
