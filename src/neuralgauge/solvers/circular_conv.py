"""Training of circular linear convolutional networks with full-length filters: working sets of frequencies [14]."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import numpy as np

from .._array import Array, as_positive
from .._threads import threads
from ..certificate import Certificate, lower_bound
from ..errors import InvalidInputError
from ..features.patches import full_circle
from ..features.spectrum import ComplexArray, Index, nuclear_norms, price_frequencies, ranks, spectral_norms
from ..problems.linear_conv import LinearConvProblem
from ..programs.circular_conv import CircularProgram, network_of_blocks
from .complex_lasso import Iterate, SpectralInteriorPoint
from .solution import Record, Solution, Status

FIRST = 16  # frequencies of the first working set
GROWTH = 2.0  # most that are added in one round, relative to those with weight
DUST = 0.1  # singular values below so much of their dual slack, both relative, end at zero
NEAR = 0.9  # of beta: frequencies whose dual blocks are larger stay in the working set


def train_circular_conv(
    problem: LinearConvProblem,
    gap: float = 1e-8,
    *,
    time_limit: float | None = None,
    max_iter: int = 500,
    filters: Literal["waves", "fewest"] = "waves",
    progress: Callable[[Record], None] | None = None,
) -> Solution:
    r"""Train a circular linear convolutional network with full-length filters to global optimality [13], [14].

    .. math:: \min_\theta L(X \theta + 1 b^T) + \frac\beta K \sum_l \|\hat\theta_l\|_*

    over pixel weights theta (n_pixels, c), hat the unnormalised DFT over the K positions, with blocks of channels times
    outputs: an l1 norm of complex numbers for one channel and one output. It is the nuclear-norm program [12] of the
    same problem, made diagonal. An interior point solves it over a working set of frequencies, priced by one FFT.

    Parameters
    ----------
    problem : LinearConvProblem
        Filters of the size of the image, stride 1, ``padding="same"``, ``padding_mode="circular"``: signals or images,
        of any channels, outputs and loss.
    gap : float
        Relative duality gap at which to stop.
    time_limit : float, optional
        Seconds after which the best network so far is returned with its certificate.
    max_iter : int
        Most iterations of the interior point, over all working sets together.
    filters : {"waves", "fewest"}
        "waves": a filter for each singular value at each pair of frequencies, for one channel a cosine. "fewest": sums
        of those, as many as the largest rank of a block, at most min(channels, c): for one channel or one output a
        single filter has the same function and weight decay.
    progress : callable, optional
        Called with a `Record` whenever all frequencies are priced.

    Returns
    -------
    Solution
        `network` is a `LinearConvNetwork` of real filters, balanced. `certificate.upper` is its own weight-decay
        objective and `certificate.scope` is "exact": the dual norm has a closed form, so the bound holds for every
        network of every width, rounding included. `status` says whether the gap was reached.

    Raises
    ------
    InvalidInputError
        For filters shorter than the image, and a gap or a time limit that is not positive. Shorter filters have the
        relaxation ``problem.with_full_filters()``, which bounds their optimum from below.

    Notes
    -----
    One FFT of the images, whose memory is that of the images. Then 10 to 40 iterations, each of min(n^2 p c^2, n p^2 c)
    operations for p = 2 channels M, M frequencies in the working set, about as many as have weight at the optimum;
    pricing takes 2 n n_pixels c. Source: section 4.3 and [13], [14] of Pilanci & Ergen (2020), with the factor 1 / K
    for the unnormalised DFT, 1 / sqrt(K) for the unitary one; channels, several outputs and other losses are ours.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> signals = np.cos(np.arange(6)[:, None] * np.arange(8))
    >>> problem = ng.LinearConvProblem(
    ...     signals, [1, 1, -1, 1, -1, -1], beta=0.5, filter_size=8, padding="same", padding_mode="circular"
    ... )
    >>> solution = ng.train_circular_conv(problem)
    >>> solution.certificate.scope, solution.certificate.gap < 1e-8, solution.network.filters.shape[1:]
    ('exact', True, (8, 1))
    """
    as_positive(gap, "gap")
    if time_limit is not None:
        as_positive(time_limit, "time_limit")
    if filters not in ("waves", "fewest"):
        raise InvalidInputError(f'`filters` must be "waves" or "fewest", got {filters!r}.')
    _check_full_circle(problem)
    with threads():
        rounds = FrequencyRounds(problem, gap, time_limit, max_iter, progress)
        try:
            status = rounds.run()
        except KeyboardInterrupt:
            status = Status.INTERRUPTED
        return rounds.solution(status, filters == "fewest")


def _check_full_circle(problem: LinearConvProblem) -> None:
    geometry = problem.geometry
    if full_circle(geometry):
        return
    raise InvalidInputError(
        f"circular training takes filters of the size of the image, {geometry.spatial_shape}, at every cyclic shift: "
        f'stride 1, padding="same", padding_mode="circular"; got filters {geometry.filters}, stride '
        f"{geometry.strides}, padding {geometry.padding!r}, {geometry.padding_mode!r}. Take train_linear_conv, which "
        "is exact for any filters, or problem.with_full_filters(), whose optimum bounds this one from below."
    )


class FrequencyRounds:
    """State of one run: the best blocks, the best dual point, the frequencies in play."""

    def __init__(
        self,
        problem: LinearConvProblem,
        gap: float,
        time_limit: float | None,
        max_iter: int,
        progress: Callable[[Record], None] | None,
    ) -> None:
        self.problem, self.fit, self.target, self.progress = problem, problem.fit, gap, progress
        self.start = time.perf_counter()
        self.max_iter = max_iter
        self.deadline = np.inf if time_limit is None else self.start + time_limit
        images = problem.images.dense().reshape(problem.n, *problem.geometry.shape)
        self.program = CircularProgram.of(images, problem.c)
        self.kept = np.zeros(0, dtype=np.intp)
        self.w = np.zeros((0, self.program.channels, problem.c), dtype=np.complex128)
        self.offset = self.fit.constant
        self.level = self.upper = self.objective(self.program.take(self.kept), self.w, self.offset)
        self.lower, self.v = -np.inf, np.zeros_like(problem.y)
        self.history: list[Record] = []
        self.n_iter = 0

    @property
    def gap(self) -> float:
        """Relative gap of the best pair."""
        return Certificate(self.upper, self.lower, "exact").gap

    def run(self) -> Status:
        """Working sets until the gap is reached, nothing moves, or time is up."""
        v = self.fit.empty_dual
        pull = self._price(v)
        self._record()
        if self.gap <= self.target:
            return Status.SOLVED
        if self.upper <= np.finfo(float).eps * self.fit.value(np.zeros_like(v)):
            return Status.STALLED  # the offset alone fits, up to rounding
        working = np.sort(np.argsort(-pull)[:FIRST])
        while True:
            before = self.upper
            status, v, pull = self._solve(Restricted(self, working), v)
            if status is not None:
                return status
            working = self._enlarged(working, pull, shrink=self.upper < before)

    def _solve(self, restricted: Restricted, v: Array) -> tuple[Status | None, Array, Array]:
        """The program over some frequencies until others are missing (no status) or it is done; v, and all its pulls.

        All frequencies are priced whenever the gap over these ones has fallen to a tenth of the whole one.
        """
        tolerance = self._tolerance()
        for k, iterate in enumerate(SpectralInteriorPoint(self.problem, restricted.program, v, self.level)):
            self.n_iter += k > 0
            restricted.update(iterate)
            late, last = time.perf_counter() >= self.deadline, self.n_iter >= self.max_iter
            if late or last or restricted.gap <= tolerance:
                pull = self._take_stock(restricted, 0.1 * tolerance)
                missing = self._missing(restricted.working, pull).size > 0
                if late or last or missing or self.gap <= self.target:
                    ended = Status.TIME_LIMIT if late else Status.ITERATION_LIMIT if last else None
                    return (Status.SOLVED if self.gap <= self.target else ended), restricted.v, pull
                tolerance = self._tolerance()
        pull = self._take_stock(restricted, 0.1 * tolerance)  # rounding has stopped the interior point
        missing = self._missing(restricted.working, pull).size > 0
        ended = None if missing else Status.STALLED
        return (Status.SOLVED if self.gap <= self.target else ended), restricted.v, pull

    def _tolerance(self) -> float:
        return max(0.3 * self.target, min(0.1 * self.gap, 1e-2))

    def _take_stock(self, restricted: Restricted, slack: float) -> Array:
        """Keep the blocks if they are the best so far, and price all frequencies at v."""
        value, w, offset = restricted.sparse(slack)
        if value < self.upper:
            some = np.any(w != 0.0, axis=(1, 2))
            self.upper, self.kept, self.w, self.offset = value, restricted.working[some], w[some], offset
        pull = self._price(restricted.v)
        self._record()
        return pull

    def _missing(self, working: Index, pull: Array) -> Index:
        """The frequencies outside the working set that the dual point overpays, most first."""
        outside = pull > self.problem.beta
        outside[working] = False
        found = np.flatnonzero(outside)
        return found[np.argsort(-pull[found])]

    def _enlarged(self, working: Index, pull: Array, shrink: bool) -> Index:
        found = self._missing(working, pull)[: max(FIRST, int(GROWTH * len(self.kept)))]
        if shrink:
            working = np.union1d(self.kept, working[pull[working] > NEAR * self.problem.beta])
        return np.union1d(working, found)

    def _price(self, v: Array) -> Array:
        """sigma_max of the dual blocks of v at all frequencies; the lower bound is updated on the way."""
        pull, gauge = price_frequencies(
            self.problem.images.dense(), v.reshape(self.problem.n, -1), self.program.spectrum
        )
        if (bound := self.bound(v, gauge)) > self.lower:
            self.lower, self.v = bound, v
        return pull

    def bound(self, v: Array, gauge: float) -> float:
        """Lower bound from v, if no frequency of a set pulls more than the gauge."""
        return lower_bound(self.problem, v, gauge)

    def objective(self, program: CircularProgram, w: ComplexArray, offset: Array) -> float:
        """L + beta sum_l |w_l|_*."""
        f = (program.forward(w) + offset).reshape(self.problem.y.shape)
        return self.fit.value(f) + self.problem.beta * float(nuclear_norms(w).sum())

    def _record(self) -> None:
        seconds = time.perf_counter() - self.start
        self.history.append(Record(seconds, self.upper, self.lower, ranks(self.w)))
        if self.progress is not None:
            self.progress(self.history[-1])

    def solution(self, status: Status, fewest: bool) -> Solution:
        """The network of the best blocks, certified by its own objective."""
        spectrum = self.program.spectrum.take(self.kept)
        network = network_of_blocks(self.w, spectrum, self.problem.geometry, self.offset, fewest)
        certificate = Certificate(self.problem.objective(network), self.lower, "exact")
        if certificate.gap <= self.target and status is not Status.INTERRUPTED:
            status = Status.SOLVED
        seconds = time.perf_counter() - self.start
        return Solution(network, certificate, status, self.n_iter, seconds, self.v, tuple(self.history))


class Restricted:
    """The best blocks and the best dual point over some frequencies, `working`."""

    def __init__(self, rounds: FrequencyRounds, working: Index) -> None:
        self.rounds, self.working, self.program = rounds, working, rounds.program.take(working)
        self.value, self.lower = np.inf, -np.inf
        self.w: ComplexArray = np.zeros((0, 0, 0), dtype=np.complex128)
        self.offset, self.v = rounds.offset, rounds.v

    @property
    def gap(self) -> float:
        """Relative gap over these frequencies."""
        return (self.value - self.lower) / abs(self.value)

    def update(self, iterate: Iterate) -> None:
        """Keep what is better in this iterate."""
        rounds, program = self.rounds, self.program
        if (value := rounds.objective(program, iterate.w, iterate.offset)) < self.value:
            self.value, self.w, self.offset = value, iterate.w, iterate.offset
        v = rounds.fit.project(iterate.v)
        gauge = float(spectral_norms(program.adjoint(v.reshape(len(v), -1))).max())
        if (bound := rounds.bound(v, gauge)) > self.lower:
            self.lower, self.v = bound, v

    def sparse(self, slack: float) -> tuple[float, ComplexArray, Array]:
        """The blocks without the singular values that v does not pay for, unless that costs more than the slack.

        On the central path a singular value and what v falls short of paying for it have a constant product.
        """
        zeta = self.program.adjoint(self.v.reshape(len(self.v), -1))
        P, s, Q_h = np.linalg.svd(self.w, full_matrices=False)
        paid = np.einsum("mar,mab,mrb->mr", P.conj(), zeta, Q_h.conj()).real / self.rounds.problem.beta
        s = np.where(s > DUST * (1.0 - paid) * s.sum(), s, 0.0)
        w = (P * s[:, None, :]) @ Q_h
        value = self.rounds.objective(self.program, w, self.offset)
        return (value, w, self.offset) if value <= (1.0 + slack) * self.value else (self.value, self.w, self.offset)
