"""Circular linear convolutional networks with full-length filters: working sets of frequencies [14]."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from .._array import Array
from .._threads import threads
from ..certificate import Certificate, lower_bound
from ..errors import InvalidInputError
from ..features.spectrum import ZERO, ComplexArray, Index, nuclear_norms, price_frequencies, ranks, spectral_norms
from ..problems.linear_conv import LinearConvProblem
from ..programs.circular_conv import CircularProgram, network_of_blocks
from .run import Run
from .solution import Solution, Status
from .spectral_interior_point import SpectralInteriorPoint, SpectralIterate

FIRST_FREQUENCIES = 16  # of the first working set
FREQUENCY_GROWTH = 2.0  # most that are added in one round, relative to those with weight
KEPT_SHARE = 0.1  # singular values below so much of their dual slack, both relative, end at zero
KEPT_SCORE = 0.9  # of beta: frequencies whose dual blocks are larger stay in the working set


def solve_in_fourier_domain(problem: LinearConvProblem, run: Run, max_iter: int, start: Any = None) -> Solution[Any]:
    r"""Return the best circular linear convolutional network with full-length filters [13], [14], certified.

    .. math:: \min_\theta L(X \theta + 1 b^T) + \frac\beta K \sum_l \|\hat\theta_l\|_*

    over pixel weights theta (n_pixels, c), hat the unnormalised DFT over the K positions, with blocks of channels times
    outputs: an l1 norm of complex numbers for one channel and one output. It is the nuclear-norm program [12] of the
    same problem, made diagonal. An interior point solves it over a working set of frequencies, priced by one FFT.

    `max_iter` counts the iterations over all working sets together; all frequencies are priced at every `Record`. The
    filters of the network are real: one for each singular value at each pair of frequencies, for one channel a cosine.
    Starts and certificates are as in `solve_nuclear_norm`; filters that are not full-length are refused.

    Notes
    -----
    One FFT of the images, whose memory is that of the images. Then 10 to 40 iterations, each of min(n^2 p c^2, n p^2 c)
    operations for p = 2 channels M, M frequencies in the working set, about as many as have weight at the optimum;
    pricing takes 2 n n_pixels c. Source: section 4.3 and [13], [14] of Pilanci & Ergen (2020), with the factor 1 / K
    for the unnormalised DFT, 1 / sqrt(K) for the unitary one; channels, several outputs and other losses are ours.
    """
    _check_full_circle(problem)
    with threads():
        rounds = FrequencyRounds(problem, run, max_iter)
        ended = run.follow(lambda: rounds.steps(start), max_iter=max_iter)
        return rounds.solution(ended)


def _check_full_circle(problem: LinearConvProblem) -> None:
    geometry = problem.geometry
    if geometry.full_circle:
        return
    raise InvalidInputError(
        f"circular training takes filters of the size of the image, {geometry.spatial_shape}, at every cyclic shift: "
        f'stride 1, padding="same", padding_mode="circular"; got filters {geometry.filters}, stride '
        f"{geometry.strides}, padding {geometry.padding!r}, {geometry.padding_mode!r}. Take another solver, which is "
        "exact for any filters, or problem.with_full_filters(), whose optimum bounds this one from below."
    )


class FrequencyRounds:
    """The program over all frequencies: what is offered to its run are triples (frequencies, blocks w, offset)."""

    def __init__(self, problem: LinearConvProblem, run: Run, max_iter: int) -> None:
        self.problem, self.fit, self.run, self.max_iter = problem, problem.fit, run, max_iter
        images = problem.images.dense().reshape(problem.n, *problem.geometry.shape)
        self.program = CircularProgram.of(images, problem.c)
        none = np.zeros(0, dtype=np.intp), np.zeros((0, self.program.channels, problem.c), dtype=np.complex128)
        self.ended = Status.STALLED
        self.level = self.objective(self.program.take(none[0]), none[1], self.fit.constant)
        run.offer(self.level, (*none, self.fit.constant))
        run.offer_dual(-np.inf, np.zeros_like(problem.y))

    def steps(self, start: Any) -> Generator[None, None, Status]:
        """Working sets, each as far as its own program leads; an iterate whenever all frequencies are priced."""
        v = self._started(start)
        scores = self._price(v)
        self._record()
        yield
        if self.run.upper <= np.finfo(float).eps * self.fit.value(np.zeros_like(v)):
            return Status.STALLED  # the offset alone fits, up to rounding
        working = np.sort(np.argsort(-scores)[:FIRST_FREQUENCIES])
        while True:
            before = self.run.upper
            restricted = Restricted(self, working)
            scores = yield from self._solve(restricted, v)
            v = restricted.v
            if not self._missing(working, scores).size:
                return self.ended
            working = self._enlarged(working, scores, shrink=self.run.upper < before)

    def _started(self, start: Any) -> Array:
        """The dual point to begin with; what a start knows is offered."""
        if start is None:
            return self.fit.empty_dual
        network = self.problem.network_of(start.network if isinstance(start, Solution) else start)
        w, offset = self.program.spectrum.blocks(network.pixels), np.asarray(network.offset)
        sizes = nuclear_norms(w)
        some = np.flatnonzero(sizes > ZERO * sizes.max())
        self.run.offer(self.objective(self.program.take(some), w[some], offset), (some, w[some], offset))
        v = start.dual if isinstance(start, Solution) else -self.fit.gradient(self.problem.outputs(network))
        return self.fit.project(v)

    def _solve(self, restricted: Restricted, v: Array) -> Generator[None, None, Array]:
        """The program over some frequencies until others are missing or it is done; the scores of all.

        All frequencies are priced whenever the gap over these ones has fallen to a tenth of the whole one.
        """
        run = self.run
        tolerance = run.part_gap
        method = SpectralInteriorPoint(self.problem, restricted.program, v, self.level)
        for k, iterate in enumerate(method):
            run.n_iter += k > 0
            restricted.consider(iterate)
            if run.late() or run.n_iter >= self.max_iter or restricted.run.gap <= tolerance:
                scores = self._take_stock(restricted, 0.1 * tolerance)
                yield
                if self._missing(restricted.working, scores).size:
                    return scores
                tolerance = run.part_gap
        self.ended = method.ended
        scores = self._take_stock(restricted, 0.1 * tolerance)
        yield
        return scores

    def _take_stock(self, restricted: Restricted, slack: float) -> Array:
        """Offer the blocks, and price all frequencies at the dual point."""
        value, w, offset = restricted.sparse(slack)
        some = np.any(w != 0.0, axis=(1, 2))
        self.run.offer(value, (restricted.working[some], w[some], offset))
        scores = self._price(restricted.v)
        self._record()
        return scores

    def _missing(self, working: Index, scores: Array) -> Index:
        """The frequencies outside the working set that the dual point violates, most first."""
        outside = scores > self.problem.beta
        outside[working] = False
        found = np.flatnonzero(outside)
        return found[np.argsort(-scores[found])]

    def _enlarged(self, working: Index, scores: Array, shrink: bool) -> Index:
        found = self._missing(working, scores)[: max(FIRST_FREQUENCIES, int(FREQUENCY_GROWTH * len(self.run.point[0])))]
        if shrink:
            working = np.union1d(self.run.point[0], working[scores[working] > KEPT_SCORE * self.problem.beta])
        return np.union1d(working, found)

    def _price(self, v: Array) -> Array:
        """Scores sigma_max of the dual blocks of v at all frequencies; the lower bound is offered on the way."""
        images, V = self.problem.images.dense(), v.reshape(self.problem.n, -1)
        scores, polar = price_frequencies(images, V, self.program.spectrum)
        self.run.offer_dual(lower_bound(self.problem, v, polar), v)
        return scores

    def objective(self, program: CircularProgram, w: ComplexArray, offset: Array) -> float:
        """L + beta sum_l |w_l|_*."""
        f = (program.forward(w) + offset).reshape(self.problem.y.shape)
        return self.fit.value(f) + self.problem.beta * float(nuclear_norms(w).sum())

    def _record(self) -> None:
        self.run.record(ranks(self.run.point[1]))

    def solution(self, ended: Status) -> Solution[Any]:
        """The network of the best blocks, certified by its own objective."""
        frequencies, w, offset = self.run.point
        spectrum = self.program.spectrum.take(frequencies)
        network = network_of_blocks(w, spectrum, self.problem.geometry, offset)
        certificate = Certificate(self.problem.objective(network), self.run.lower, "exact")
        return self.run.solution(network, certificate, ended)


class Restricted:
    """The program over some frequencies, `working`, with a run of its own."""

    def __init__(self, rounds: FrequencyRounds, working: Index) -> None:
        self.rounds, self.working, self.program = rounds, working, rounds.program.take(working)
        self.run = rounds.run.inner()
        self.run.offer_dual(-np.inf, rounds.run.dual)

    @property
    def v(self) -> Array:
        """The best dual point over these frequencies."""
        return self.run.dual

    def consider(self, iterate: SpectralIterate) -> None:
        """Offer an iterate."""
        rounds, program = self.rounds, self.program
        self.run.offer(rounds.objective(program, iterate.w, iterate.offset), (iterate.w, iterate.offset))
        v = rounds.fit.project(iterate.v)
        polar = float(spectral_norms(program.adjoint(v.reshape(len(v), -1))).max())
        self.run.offer_dual(lower_bound(rounds.problem, v, polar), v)

    def sparse(self, slack: float) -> tuple[float, ComplexArray, Array]:
        """The blocks without the singular values that are priced out, unless that costs more than the slack.

        On the central path a singular value and what its score falls short of beta have a constant product.
        """
        best, (w, offset) = self.run.upper, self.run.point
        zeta = self.program.adjoint(self.v.reshape(len(self.v), -1))
        P, s, Q_h = np.linalg.svd(w, full_matrices=False)
        score = np.einsum("mar,mab,mrb->mr", P.conj(), zeta, Q_h.conj()).real / self.rounds.problem.beta
        s = np.where(s > KEPT_SHARE * (1.0 - score) * s.sum(), s, 0.0)
        sparse = (P * s[:, None, :]) @ Q_h
        value = self.rounds.objective(self.program, sparse, offset)
        return (value, sparse, offset) if value <= (1.0 + slack) * best else (best, w, offset)
