"""The penalty above which the empty network is optimal."""

from __future__ import annotations

import numpy as np

from .._threads import threads
from ..problems.training import TrainingProblem
from .price import price
from .search import search

SWEEPS = ((1, np.inf), (2, np.inf), (3, 2000))  # rank, and rows up to which a sweep is cheap
STARTS = 64


def beta_max(problem: TrainingProblem, random_state: int = 0) -> float:
    r""":math:`\beta_{max} = G(-\nabla L)` at the empty network: at or above it that network is globally optimal.

    The empty network has outputs zero, or with an offset the best constant. The gauge is exact for X of rank 1 and 2,
    and of rank 3 up to 2,000 rows. Above it is searched by multi-start ascent: attained by a neuron and never above
    the true value, but a better neuron may have been missed, which makes it an *estimate*. The problem's own beta
    plays no part. At a kink of the loss with an offset, one subgradient is taken: enough for optimality, but a
    smaller penalty may be too.

    Parameters
    ----------
    problem : TrainingProblem
    random_state : int

    Returns
    -------
    float
        0.0 when the loss is stationary at the empty network (for instance y = 0 with the squared loss).

    Notes
    -----
    Source: dual [15] of Pilanci & Ergen (2020) at the empty network.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> print(f"{ng.beta_max(problem):.4f}")
    1.7889
    """
    v, X, readout = problem.empty_dual(), problem.X, problem.readout
    if not np.any(v):
        return 0.0
    rank = int(np.linalg.matrix_rank(X))
    if any(rank <= most and len(X) <= rows for most, rows in SWEEPS):
        return price(readout.lifted(v), X).value
    rng = np.random.default_rng(random_state)
    signs = (None,) if problem.q > 1 else (1.0, -1.0)
    with threads():
        return max(0.0, *(float(search(v, X, readout, STARTS, rng, sign=sign).values[0]) for sign in signs))
