"""The neural gauge [6], [7]: the network of least weight decay through all the points."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from .._array import Array, as_matrix, as_positive, as_targets, with_ones
from .._threads import threads
from ..certificate import Certificate
from ..errors import NotInterpolatableError
from ..networks.dense import TwoLayerNetwork
from ..problems.penalty import beta_max
from ..problems.training import TrainingProblem
from ..solvers.run import Run
from ..solvers.solution import Record, Solution, Status
from .exact_fit import first_fit, fit_exactly
from .interpolable import check_interpolable
from .proof import Prove, checked_prove, priced_alone, with_proof
from .train import train

SKETCH_BETA, SKETCH_GAP = 1e-3, 1e-2  # of the first, squared problem; beta relative to beta_max
SKETCH_SHARE = 0.3  # of the time limit
PRICE = 10.0  # of a misfit, over the largest multiplier of the sketch; factor by which it rises where needed
PRICE_MET = 0.5  # multipliers above this share of the price: it may be too low
RISES, ATTEMPTS = 12, 3  # of the price until no multiplier meets it; at the gap
EPS = float(np.finfo(float).eps)


def neural_gauge(
    X: Any,
    y: Any,
    *,
    bias: bool = True,
    offset: bool = False,
    gap: float = 1e-4,
    time_limit: float | None = None,
    random_state: int | np.random.Generator | None = 0,
    prove: bool | float | None = None,
    n_jobs: int | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Solution[Any]:
    r"""The least weight decay of a two-layer ReLU network that interpolates the data, and that network.

    .. math:: \min_{U, A, b} \tfrac12 \sum_j \left(\|u_j\|_2^2 + \|\alpha_j\|_2^2\right)
              \;\text{ subject to }\; f(x_i) = y_i \;\forall i
              \qquad = \qquad \max_Z \; \langle Y, Z \rangle \;\text{ subject to }\; G(Z) \le 1,

    the limit of training as beta goes to 0, divided by beta. With `offset` the columns of Z also sum to zero.

    Parameters
    ----------
    X : array of shape (n, d)
        Features.
    y : array of shape (n,) or (n, c)
    bias : bool
        Append a column of ones to X: a hidden bias, penalised like any weight.
    offset : bool
        Whether the outputs have an offset of their own, not penalised.
    gap : float
        Relative gap at which to stop.
    time_limit : float, optional
        Seconds after which the best network so far is returned; finding a first one, the last correction, and seconds
        of `prove` come on top.
    random_state : int, Generator or None
        Seed of all starts.
    prove : bool or float, optional
        As in `train`: whether pricing is exact, or the seconds for a relaxation of the last training.
    n_jobs : int, optional
        Threads, as in `train`.
    progress : callable, optional
        Called with a `Record` after every round.

    Returns
    -------
    Solution
        `network` interpolates: its own outputs differ from y by no more than what rounding of their sums can
        amount to, sample by sample, and so they do after Ctrl-C and at a time limit; at most n c neurons (the network
        to begin with, of random neurons, has up to 4 n). `certificate.upper` is its weight decay, with what that
        rounding is worth at the multipliers `dual` added,
        `certificate.lower` <= the gauge in floating point too, as far as the scope goes ("exact", "bounded" or
        "estimated", as in `train`); `dual` is a Z with <Y, Z> = `lower` and G(Z) <= 1 as far as that. Objectives in
        `history` are weight decay plus the misfit at a price above every multiplier, at which the optimum has none.

    Raises
    ------
    NotInterpolatableError
        If no network interpolates: rows of X that are equal where y is not; without bias also rows on a common line
        through 0 that contradict :math:`f(tx) = t f(x)`, t >= 0, or :math:`f(x) - f(-x)` linear. Or if rows are so
        close that none is found in double precision. With bias distinct rows can always be interpolated.
    InvalidInputError
        For values that are not finite, shapes that do not match, a gap or a time limit that is not positive.

    Notes
    -----
    Column generation for the exact penalty: with v = Z / p and a price p above the largest \|Z_i\|, the minimum of
    :math:`\sum_i |f(x_i) - y_i| + \sum_j \|w_j\| / p` interpolates. The neurons that it leaves are corrected to
    interpolate to rounding, which costs n c by m (d + c) least squares. Otherwise the cost is that of `train`; the
    multipliers are as large as slopes y / x between neighbours, and near contradictions slow it down.
    Source: [6], [7] of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> solution = ng.neural_gauge([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], gap=1e-6)
    >>> print(f"{solution.certificate.upper:.5f}", solution.certificate.scope)
    10.12899 exact
    >>> solution.network.predict([[-2], [-1], [0], [1], [2]]).round(9).tolist()
    [1.0, -1.0, 1.0, 1.0, -1.0]
    """
    run = Run(as_positive(gap, "gap"), time_limit, progress)
    features = as_matrix(X)
    targets = as_targets(y, len(features))
    check_interpolable(with_ones(features) if bias else features, targets, bias, offset)
    # What follows works on centred targets about 1 in size; powers of four, so that weights scale without rounding.
    # Rounding of the centre, one unit of each y - shift, is within what the lower bound subtracts.
    shift: Array | float = 0.0
    if offset:
        shift = targets[0] if np.all(targets == targets[0]) else targets.mean(axis=0)
    centred = targets - shift
    largest = float(np.max(np.abs(centred)))
    scale = 4.0 ** round(0.5 * math.log2(largest)) if largest > 0 else 1.0
    problem = TrainingProblem(features, centred / scale, beta=1.0, loss="absolute", bias=bias, offset=offset)
    search = _Interpolation(problem, scale, run, np.random.default_rng(random_state), checked_prove(prove, problem))
    with threads(n_jobs):
        ended = run.follow(search.trainings)
        search.prove_last()
    return search.solution(targets, shift, ended)


class _Interpolation:
    """The best interpolating network so far, and what the trainings on the way have proven."""

    def __init__(
        self, problem: TrainingProblem, scale: float, run: Run, rng: np.random.Generator, prove: Prove
    ) -> None:
        self.problem, self.scale, self.run, self.rng, self.prove = problem, scale, run, rng, prove
        self.last: tuple[TrainingProblem, Solution[Any]] | None = None
        self.dual = np.zeros_like(problem.y)
        self.network = self._first() if np.any(problem.y) else problem.empty_network()
        self.certificate = Certificate(self.network.weight_decay(), 0.0, "exact")

    def trainings(self) -> Generator[None, None, Status]:
        """A sketch, a price that no multiplier meets, and then the gap."""
        exact = self.problem
        if not np.any(exact.y):
            return Status.SOLVED
        features = exact.features.dense()[:, : exact.d - exact.bias]
        sketch = TrainingProblem(features, exact.y, beta=1.0, bias=exact.bias, offset=exact.offset)
        sketch = sketch.with_beta(SKETCH_BETA * beta_max(sketch))
        solved = self._trained(sketch, SKETCH_GAP, SKETCH_SHARE, False, None)
        beta = sketch.beta / (PRICE * max(float(np.max(np.abs(solved.dual))), EPS))
        solved = replace(solved, dual=solved.dual * (beta / sketch.beta))
        for _ in range(RISES):
            solved = self._trained(exact.with_beta(beta), SKETCH_GAP, SKETCH_SHARE, False, solved)
            if np.max(np.abs(solved.dual)) < PRICE_MET or self.run.late():
                break
            beta, solved = beta / PRICE, replace(solved, dual=solved.dual / PRICE)
        for attempt in range(ATTEMPTS):
            tight = 0.5 * 0.3**attempt * self.run.target_gap
            solved = self._trained(exact.with_beta(beta), tight, 1.0, priced_alone(self.prove, exact), solved)
            if abs(self.certificate.gap) <= self.run.target_gap:
                break
            yield
            beta, solved = beta / PRICE, replace(solved, dual=solved.dual / PRICE)
        return solved.status

    def _first(self) -> TwoLayerNetwork:
        problem = self.problem
        first = first_fit(problem.features.dense(), problem.y, problem.bias, problem.offset, self.rng)
        if first is None:
            i, k, distance = _closest(problem.features.dense(), problem.y)
            raise NotInterpolatableError(
                f"rows {i} and {k} of `X` are only {distance:.3g} apart and y differs, a slope for which no network "
                "in double precision was found; average such rows or drop some."
            )
        return first

    def _trained(
        self, problem: TrainingProblem, gap: float, share: float, prove: bool | None, start: Solution[Any] | None
    ) -> Solution[Any]:
        """One training; what it says about the neural gauge is kept."""
        run, factor = self.run, self.scale / problem.beta

        def note(record: Record) -> None:
            objective, bound = factor * record.objective, factor * record.lower_bound
            run.note(Record(run.seconds, objective, bound, record.n_neurons))

        limit = run.left(share)
        solved = train(problem, gap, time_limit=limit, random_state=self.rng, prove=prove, start=start, progress=note)
        run.n_iter += solved.n_iter
        self.last = problem, solved
        self._keep_network(solved)
        self._keep_bound(solved, problem.beta)
        if solved.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        return solved

    def prove_last(self) -> None:
        """Keep what a relaxation of the last training proves in the seconds that there are for it."""
        if self.last is None or self.run.interrupted:
            return
        problem, solved = self.last
        proven = with_proof(problem, solved, self.prove, self.run.target_gap)
        if proven is not solved:
            self._keep_bound(proven, problem.beta)
        if proven.status is Status.INTERRUPTED:
            self.run.interrupt()

    def _keep_network(self, solved: Solution[Any]) -> None:
        """Keep the network that the solution's leads to, if it is the best."""
        assert isinstance(solved.network, TwoLayerNetwork)
        X, y = self.problem.features.dense(), self.problem.y
        found = fit_exactly(solved.network, X, y, self.problem.offset, self.rng)
        if found is not None and found.weight_decay() < self.network.weight_decay():
            self.network = found

    def _keep_bound(self, solved: Solution[Any], beta: float) -> None:
        """Keep the bound of a solution, if it says more, and the best of what is proven."""
        # An interpolating network has the objective beta times its weight decay, so the bounds hold for that too.
        y, known, factor = self.problem.y, solved.certificate, (1.0 - 4.0 * EPS)
        new = replace(known, lower=known.lower / beta * factor, proven=known.proven / beta * factor)
        proven = max(new.proven, self.certificate.proven)
        if says_more(new, self.certificate):
            gain = float(np.sum(y * solved.dual))
            self.dual = solved.dual * (new.lower / gain) if gain > 0 else np.zeros_like(y)
            self.certificate = new
        self.certificate = replace(self.certificate, upper=self._upper(self.network, y)).with_proven(proven)

    def _upper(self, network: TwoLayerNetwork, y: Array) -> float:
        """Weight decay, and what the multipliers charge for the misfit that rounding leaves.

        The neural gauge N is convex with its multipliers as subgradients: N(y) <= N(f) + <Z, y - f> with those of y.
        """
        left = np.abs(y - network.forward(self.problem.features.dense()))
        return network.weight_decay() + float(np.sum(np.abs(self.dual) * left))

    def solution(self, y: Array, shift: Array | float, ended: Status) -> Solution[Any]:
        """The network in the units of y, certified."""
        root = math.sqrt(self.scale)
        network = self.network
        b = np.asarray(network.offset) * self.scale + shift
        network = TwoLayerNetwork(network.U * root, network.A * root, network.bias, b)
        lower, proven = self.certificate.lower * self.scale, self.certificate.proven * self.scale
        certificate = replace(self.certificate, upper=self._upper(network, y), lower=lower, proven=proven)
        self.run.history.append(Record(self.run.seconds, certificate.upper, certificate.lower, network.n_neurons))
        return self.run.solution(network, certificate, ended, dual=self.dual)


def says_more(new: Certificate, old: Certificate) -> bool:
    """Whether a bound replaces another: a proven one any estimate and any lower bound, an estimate no proven one.

    The exceptions are a proof of nothing, a bound of zero or less, and an estimate that lies above the objective.
    """
    if old.scope == "estimated" and old.lower > old.upper:
        return True
    proven, before = new.scope != "estimated", old.scope != "estimated" and old.lower > 0.0
    return new.lower > old.lower if proven == before else proven


def _closest(X: Array, y: Array) -> tuple[int, int, float]:
    """The pair of neighbouring rows with the largest slope of y, and their distance."""
    near = cKDTree(X).query(X, k=min(3, len(X)))
    distance, neighbour = (np.reshape(found, (len(X), -1))[:, 1:] for found in near)
    Y = y.reshape(len(X), -1)
    rise = np.linalg.norm(Y[:, None] - Y[neighbour], axis=2)
    steepest = np.argmax(np.where(rise > 0, rise / np.maximum(distance, np.finfo(float).tiny), 0.0))
    row, column = np.unravel_index(steepest, rise.shape)
    pair = sorted((int(row), int(neighbour[row, column])))
    return pair[0], pair[1], float(distance[row, column])
