"""Training of linear convolutional networks: the one loop that stops, times and logs, and the bounds it collects."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Literal

import numpy as np

from .._array import Array
from .._threads import threads
from ..certificate import Certificate, lower_bound
from ..errors import InvalidInputError
from ..features.patches import full_circle
from ..losses import PiecewiseLoss
from ..networks.linear_conv import LinearConvNetwork
from ..problems.linear_conv import LinearConvProblem
from ..programs.linear_conv import ConvIterate, LinearConvProgram
from ._conv_proximal_gradient import ConvProximalGradient
from .circular_conv import train_circular_conv
from .conv_interior_point import ConvInteriorPoint
from .solution import Record, Solution, Status

Solver = Literal["interior_point", "proximal_gradient"]
LARGEST_FILTER, LARGEST_ORDER, LARGEST_PAIRS = 128, 6000, 5e7  # of the interior point; see `_chosen`
CUTS = 10.0 ** np.arange(-14, -1)  # singular values relative to the largest below which they may be dropped
DUST = 0.01  # of the gap, for which they are


class Bounds:
    """Best point and best dual point of one run."""

    def __init__(self, program: LinearConvProgram) -> None:
        problem = program.problem
        empty = problem.empty_network()
        self.program, self.problem = program, problem
        self.Z = np.zeros((problem.d, problem.n_positions * problem.c))
        self.offset = np.asarray(empty.offset)
        self.upper = problem.objective(empty)
        self.dual = problem.fit.empty_dual
        self.lower = self._bound(self.dual)

    @property
    def gap(self) -> float:
        """Relative gap of the best pair."""
        return Certificate(self.upper, self.lower, "exact").gap

    def _bound(self, v: Array) -> float:
        return lower_bound(self.problem, v, self.problem.polar(v).bound)

    def update(self, iterate: ConvIterate) -> bool:
        """Keep what is better in this iterate, and say whether anything was."""
        better = self._offer(iterate.Z, iterate.offset)
        v = self.problem.fit.project(iterate.v)
        if (bound := self._bound(v)) > self.lower:
            self.lower, self.dual, better = bound, v, True
        return better

    def _offer(self, Z: Array, offset: Array) -> bool:
        value = self.program.objective(Z, offset)
        if not value < self.upper:
            return False
        self.upper, self.Z, self.offset = value, Z, offset
        return True

    def network(self, gap: float) -> LinearConvNetwork:
        """The network of the best point, without filters that are worth less than a part of the gap."""
        P, s, Qt = np.linalg.svd(self.Z, full_matrices=False)
        Z, rank = self.Z, len(s)
        allowed = self.upper + DUST * max(self.upper - self.lower, 1e-14 * abs(self.upper))
        if self.gap <= gap < 1.0:
            allowed = min(allowed, max(self.lower / (1.0 - gap), self.upper))
        for cut in CUTS:
            kept = s > cut * s[0]
            if (fewer := int(np.sum(kept))) < rank:
                trial = (P[:, kept] * s[kept]) @ Qt[kept]
                if self.program.objective(trial, self.offset) <= allowed:
                    Z, rank = trial, fewer
        return LinearConvNetwork.of_matrix(Z, self.problem.geometry, self.offset)


def train_linear_conv(
    problem: LinearConvProblem,
    gap: float = 1e-6,
    time_limit: float | None = None,
    progress: Callable[[Record], None] | None = None,
    *,
    max_iter: int | None = None,
    solver: Solver | None = None,
) -> Solution:
    r"""Train a linear convolutional network to global optimality.

    .. math:: \min_Z \; L\Big(\sum_k X_k z_k\Big) + \beta \|Z\|_* \;=\; \max_v \; -L^*(-v) \quad \text{such that} \quad
              \sigma_{max}([X_1^T v, \ldots, X_K^T v]) \le \beta

    is solved by a primal-dual interior point whose matrix inequality has the order d of a filter, and the filters are
    the left singular vectors of Z: u_j = sqrt(s_j) p_j, alpha_j = sqrt(s_j) q_j. Filters as long as the image that meet
    every cyclic shift are left to `train_circular_conv`, unless a solver is asked for.

    Parameters
    ----------
    problem : LinearConvProblem
    gap : float
        Relative gap (upper - lower) / upper at which to stop.
    time_limit : float, optional
        Seconds; the best network so far is returned when they are over. Ctrl-C does the same.
    progress : callable, optional
        Called with a `Record` after every iteration.
    max_iter : int, optional
        100 iterations of the interior point, 100,000 of the other and 500 in the Fourier domain, unless told otherwise.
    solver : {"interior_point", "proximal_gradient"}, optional
        The interior point, unless filters have more than 128 entries, pixels times outputs times the square of those
        are more than 1e8, or both samples and pixels are more than 6,000; then, for losses without kinks, accelerated
        proximal gradient, which takes many more but cheaper iterations.

    Returns
    -------
    Solution
        `network` is a balanced `LinearConvNetwork` with at most min(d, K c) filters, without those of no use.
        `certificate` holds its own weight-decay objective and a lower bound for every network of every width, rounding
        included: its scope is "exact" at any size, since the gauge has a closed form. `status` says whether the gap was
        reached.

    Raises
    ------
    InvalidInputError
        For the proximal gradient with a loss that has kinks.

    Notes
    -----
    Cost of an iteration of the interior point, some 10 in all: the order q = min(n, pixels) of its systems, with
    q^3 / 3 + q n pixels operations for a factor (for the squared loss, or one output; else one an output), and
    pixels c d^2 / 2 floats. Source: [9]-[12] of Pilanci & Ergen (2020); the structured interior point is ours.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> signals = np.sin(np.outer(np.arange(1.0, 21.0), np.arange(12.0)))
    >>> problem = ng.LinearConvProblem(signals, np.tile([1.0, -1.0], 10), beta=0.5, filter_size=4)
    >>> solution = ng.train_linear_conv(problem, gap=1e-8)
    >>> solution.certificate.scope, solution.certificate.gap < 1e-8
    ('exact', True)
    >>> bool(np.isclose(problem.objective(solution.network), solution.certificate.upper, rtol=1e-12))
    True
    """
    if solver is None and full_circle(problem.geometry):
        return train_circular_conv(
            problem, gap, time_limit=time_limit, max_iter=500 if max_iter is None else max_iter, progress=progress
        )
    program = LinearConvProgram(problem)
    chosen = solver or _chosen(problem)
    if chosen == "proximal_gradient" and not _smooth(problem):
        raise InvalidInputError(
            f'`solver` "proximal_gradient" needs a loss without kinks, got {problem.loss.name}; take '
            '"interior_point", or a smooth loss such as squared_hinge, logistic or huber.'
        )
    limit = max_iter if max_iter is not None else 100 if chosen == "interior_point" else 100_000
    # The products are skinny and many: more threads than one mostly wait, but for large factors.
    with threads() if problem.images.dense().size < 1e6 else nullcontext():
        return _run(program, chosen, gap, limit, time_limit, progress)


def _smooth(problem: LinearConvProblem) -> bool:
    loss = problem.loss
    return not isinstance(loss, PiecewiseLoss) or loss.pieces(problem.y).smoothing > 0.0


def _chosen(problem: LinearConvProblem) -> Solver:
    pixels, d = problem.geometry.n_pixels, problem.d
    small = d <= LARGEST_FILTER and pixels * problem.c * d * d / 2 <= LARGEST_PAIRS
    if (small and min(problem.n, pixels) <= LARGEST_ORDER) or not _smooth(problem):
        return "interior_point"
    return "proximal_gradient"


def _run(
    program: LinearConvProgram,
    solver: Solver,
    gap: float,
    max_iter: int,
    time_limit: float | None,
    progress: Callable[[Record], None] | None,
) -> Solution:
    start = time.perf_counter()
    bounds, history = Bounds(program), list[Record]()
    status, n_iter, idle = Status.STALLED, 0, 0
    try:
        iterates = ConvInteriorPoint(program) if solver == "interior_point" else ConvProximalGradient(program)
        if bounds.gap <= gap:  # beta >= beta_max, or nothing to learn
            status = Status.SOLVED
        for count, iterate in enumerate(iterates if status is Status.STALLED else ()):
            n_iter = count * iterates.stride
            idle = 0 if bounds.update(iterate) else idle + 1
            history.append(Record(time.perf_counter() - start, bounds.upper, bounds.lower, program.problem.d))
            if progress is not None:
                progress(history[-1])
            if bounds.gap <= gap:
                status = Status.SOLVED
                break
            if n_iter >= max_iter or idle > iterates.patience:
                status = Status.ITERATION_LIMIT if n_iter >= max_iter else Status.STALLED
                break
            if time_limit is not None and history[-1].seconds >= time_limit:
                status = Status.TIME_LIMIT
                break
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    network = bounds.network(gap)
    certificate = Certificate(program.problem.objective(network), bounds.lower, "exact")
    if certificate.gap <= gap and status is not Status.INTERRUPTED:
        status = Status.SOLVED
    seconds = time.perf_counter() - start
    return Solution(network, certificate, status, n_iter, seconds, bounds.dual, tuple(history))
