"""The nuclear-norm program of linear convolutional networks: its points and dual points, and the choice of a solver."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Literal

import numpy as np

from .._array import Array
from .._threads import threads
from ..certificate import Certificate, lower_bound
from ..errors import InvalidInputError
from ..losses import PiecewiseLoss
from ..networks.linear_conv import LinearConvNetwork
from ..problems.linear_conv import LinearConvProblem
from ..programs.linear_conv import ConvIterate, LinearConvProgram
from ._conv_proximal_gradient import ConvProximalGradient
from .circular_conv import solve_in_fourier_domain
from .conv_interior_point import ConvInteriorPoint
from .run import Run
from .solution import Solution

Solver = Literal["interior_point", "proximal_gradient", "fourier"]
MAX_ITER: dict[Solver, int] = {"interior_point": 100, "proximal_gradient": 100_000, "fourier": 500}
LARGEST_FILTER, LARGEST_ORDER, LARGEST_PAIRS = 128, 6000, 5e7  # of the interior point; see `_chosen`
CUTS = 10.0 ** np.arange(-14, -1)  # singular values relative to the largest below which they may be dropped
CUT_COST = 0.01  # of the gap: the most that dropping them may cost


def solve_nuclear_norm(
    problem: LinearConvProblem,
    run: Run,
    *,
    max_iter: int | None = None,
    solver: Solver | None = None,
    start: Any = None,
) -> Solution[Any]:
    r"""Return the best linear convolutional network, certified, with what the run knows.

    .. math:: \min_Z \; L\Big(\sum_k X_k z_k\Big) + \beta \|Z\|_* \;=\; \max_v \; -L^*(-v) \quad \text{such that} \quad
              \sigma_{max}([X_1^T v, \ldots, X_K^T v]) \le \beta

    The filters are the left singular vectors of Z: u_j = sqrt(s_j) p_j, alpha_j = sqrt(s_j) q_j.

    Parameters
    ----------
    problem : LinearConvProblem
    run : Run
    max_iter : int, optional
        100 iterations of the interior point, 100,000 of the proximal gradient and 500 in the Fourier domain, unless
        told otherwise.
    solver : {"interior_point", "proximal_gradient", "fourier"}, optional
        By default "fourier" where filters as long as the image meet every cyclic shift (`circular_conv`). Otherwise the
        interior point, unless filters have more than 128 entries, pixels times outputs times the square of those are
        more than 1e8, or both samples and pixels are more than 6,000; then, for losses without kinks, accelerated
        proximal gradient, which takes many more but cheaper iterations.
    start : Solution, or what `problem.network_of` takes, optional
        The result is no worse than this network, and its bound no worse than the one of a solution's dual point. The
        Fourier domain starts from that dual point; the other two iterations start afresh.

    Returns
    -------
    Solution
        `network` is a balanced `LinearConvNetwork` with at most min(d, K c) filters, without those of no use.
        `certificate` holds its own weight-decay objective and a lower bound for every network of every width, rounding
        included: its scope is "exact" at any size, since the polar gauge has a closed form.

    Raises
    ------
    InvalidInputError
        For the proximal gradient with a loss that has kinks, and "fourier" with other filters.

    Notes
    -----
    Cost of an iteration of the interior point, some 10 in all: the order q = min(n, pixels) of its systems, with
    q^3 / 3 + q n pixels operations for a factor (for the squared loss, or one output; else one an output), and
    pixels c d^2 / 2 floats. Source: [9]-[12] of Pilanci & Ergen (2020); the structured interior point is ours.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> from neuralgauge.solvers.run import Run
    >>> signals = np.sin(np.outer(np.arange(1.0, 21.0), np.arange(12.0)))
    >>> problem = ng.LinearConvProblem(signals, np.tile([1.0, -1.0], 10), beta=0.5, filter_size=4)
    >>> solution = solve_nuclear_norm(problem, Run(1e-8))
    >>> solution.certificate.scope, solution.certificate.gap < 1e-8
    ('exact', True)
    """
    if solver is not None and solver not in MAX_ITER:
        raise InvalidInputError(f"`solver` must be one of {list(MAX_ITER)}, got {solver!r}.")
    chosen = solver or _chosen(problem)
    limit = MAX_ITER[chosen] if max_iter is None else max_iter
    if chosen == "fourier":
        return solve_in_fourier_domain(problem, run, limit, start)
    if chosen == "proximal_gradient" and not _smooth(problem):
        raise InvalidInputError(
            f'`solver` "proximal_gradient" needs a loss without kinks, got {problem.loss.name}; take '
            '"interior_point", or a smooth loss such as squared_hinge, logistic or huber.'
        )
    method = ConvInteriorPoint if chosen == "interior_point" else ConvProximalGradient
    # The products are skinny and many: more threads than one mostly wait, but for large factors.
    with threads() if problem.images.dense().size < 1e6 else nullcontext():
        bracket = NuclearBracket(LinearConvProgram(problem), run, start)
        ended = run.follow(
            lambda: method(bracket.centred), bracket.consider, limit, stride=method.stride, patience=method.patience
        )
        network = bracket.network()
        return run.solution(network, Certificate(problem.objective(network), run.lower, "exact"), ended)


class NuclearBracket:
    """Points and dual points of one program, offered to a run whose points are pairs (Z, offset).

    Iterates are those of the `centred` program, of images less their mean where there is an offset: beside a mean of a
    hundred deviations the offset is lost in rounding, and with one of thirty iterations are ten times as many.
    """

    def __init__(self, program: LinearConvProgram, run: Run, start: Any = None) -> None:
        self.program, self.problem, self.run = program, program.problem, run
        self.centred, self.mean = program, np.zeros(self.problem.geometry.n_pixels)
        if self.problem.offset:
            centred, self.mean = self.problem.centred()
            self.centred = LinearConvProgram(centred)
        empty = self.problem.empty_network()
        self._offer(empty.matrix, np.asarray(empty.offset))
        self._offer_dual(self.problem.fit.empty_dual)
        if start is not None:
            network = self.problem.network_of(start.network if isinstance(start, Solution) else start)
            self._offer(network.matrix, np.asarray(network.offset))
        if isinstance(start, Solution):
            self._offer_dual(self.problem.fit.project(start.dual))

    def _offer(self, Z: Array, offset: Array) -> None:
        self.run.offer(self.program.objective(Z, offset), (Z, offset))

    def _offer_dual(self, v: Array) -> None:
        self.run.offer_dual(lower_bound(self.problem, v, self.problem.polar(v).bound), v)

    def consider(self, iterate: ConvIterate) -> None:
        """Offer an iterate, and write a record."""
        self._offer(iterate.Z, iterate.offset - self.mean @ self.program.pixels(iterate.Z))
        self._offer_dual(self.problem.fit.project(iterate.v))
        self.run.record(self.problem.d)

    def network(self) -> LinearConvNetwork:
        """The network of the best point, without filters that lower the objective by less than a part of the gap."""
        run, (Z, offset) = self.run, self.run.point
        P, s, Qt = np.linalg.svd(Z, full_matrices=False)
        rank = len(s)
        allowed = run.upper + CUT_COST * max(run.upper - run.lower, 1e-14 * abs(run.upper))
        if run.gap <= run.target_gap < 1.0:
            allowed = min(allowed, max(run.lower / (1.0 - run.target_gap), run.upper))
        for cut in CUTS:
            kept = s > cut * s[0]
            if (fewer := int(np.sum(kept))) < rank:
                trial = (P[:, kept] * s[kept]) @ Qt[kept]
                if self.program.objective(trial, offset) <= allowed:
                    Z, rank = trial, fewer
        return LinearConvNetwork.of_matrix(Z, self.problem.geometry, offset)


def _smooth(problem: LinearConvProblem) -> bool:
    loss = problem.loss
    return not isinstance(loss, PiecewiseLoss) or loss.pieces(problem.y).smoothing > 0.0


def _chosen(problem: LinearConvProblem) -> Solver:
    if problem.geometry.full_circle:
        return "fourier"
    pixels, d = problem.geometry.n_pixels, problem.d
    small = d <= LARGEST_FILTER and pixels * problem.c * d * d / 2 <= LARGEST_PAIRS
    if (small and min(problem.n, pixels) <= LARGEST_ORDER) or not _smooth(problem):
        return "interior_point"
    return "proximal_gradient"
