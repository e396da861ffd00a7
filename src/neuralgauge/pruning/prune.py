"""Networks with fewer neurons: with the same outputs on the samples, of a given width, or within an objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from .._array import as_positive
from .._threads import threads
from ..errors import InvalidInputError
from ..networks.base import Net
from ..networks.dense import N, TwoLayerNetwork
from ..problems.base import Problem, checked_problem
from ..problems.linear_conv import LinearConvProblem
from ..problems.training import TrainingProblem
from .caratheodory import basic
from .cells import joined_in_cells
from .least_width import least_width
from .linear_conv import fewest_filters, filters_within
from .narrowing import Widths, fewest_within, narrowed

KEPT_OUTPUTS = 1e-10  # change of an output, relative to the largest sum of |activation times output weight|
KEPT_OBJECTIVE = 1e-10  # relative


@dataclass(frozen=True)
class Pruning(Generic[Net]):
    """A network with fewer neurons, and the change of its objective.

    Attributes
    ----------
    network : TwoLayerNetwork
        The pruned network, balanced.
    before, after : float
        The objective [2] of the network as it came and of the pruned one.
    width_before : int
        Neurons of the network as it came.
    at_least : int
        Neurons that every network of the problem has whose objective is up to `after`, with `within` up to what that
        allows: the number found is the fewest only where the two are equal. What is easily proven, mostly 1 or 2.
    """

    network: Net
    before: float
    after: float
    width_before: int
    at_least: int = 0

    @property
    def width(self) -> int:
        """Neurons left."""
        return self.network.n_neurons

    @property
    def cost(self) -> float:
        """(after - before) / before, negative where the objective fell; 0 if both are 0."""
        return (self.after - self.before) / self.before if self.before > 0.0 else 0.0


def prune(
    network: Net,
    problem: Problem[Net],
    width: int | None = None,
    *,
    within: float | None = None,
    random_state: int | np.random.Generator | None = 0,
) -> Pruning[Net]:
    r"""Return a network with fewer neurons: with the same outputs on the samples, of a width, or within an objective.

    Without `width` and `within`, neurons of one output direction that have the same sign on every sample are added up,
    (X u)_+ + (X w)_+ = (X (u + w))_+, and amplitudes t >= 0 are chosen by a linear program over the atoms
    a_j = (X u_j)_+ alpha_j^T,

    .. math:: \min_{t \ge 0}\ \sum_j t_j \|u_j\|_2 \|\alpha_j\|_2
              \quad\text{such that}\quad \sum_j t_j a_j = \sum_j a_j ,

    whose vertices use at most rank(a_1, ..., a_m) <= n c neurons. Among those of least cost some are drawn for
    one that uses fewer still; finding the fewest is NP-hard, and this is a heuristic.

    With `width` neurons are dropped or joined with their nearest, one in twenty at a time and below 40 one, each time
    followed by L-BFGS on all weights; below 40 the four steps that raise the objective least are followed a little
    way, and the best is taken. At the width asked for, the neuron of largest score at the residual is added and one
    dropped again while that lowers the objective; fewer neurons are kept where it is lower with them.

    With `within` the same search ends at the fewest neurons that it finds for an objective of at most (1 + within)
    times that of `network`; up to 40 neurons every width is also reached from below, a neuron at a time.

    Of a linear convolutional network the fewest filters are known: as many as the rank of Z = sum_j u_j alpha_j^T, or
    of its largest block where filters have every cyclic shift as a position. `width` keeps the largest singular values,
    `within` as few of them as the objective allows.

    Parameters
    ----------
    network : TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
        The problem that the network was trained on.
    width : int, optional
        Neurons to end with at most, >= 1.
    within : float, optional
        Relative rise of the objective [2] that fewer neurons may cost, > 0: 0.01 for one percent. In place of `width`.
    random_state : int, Generator or None
        Seed of the draws.

    Returns
    -------
    Pruning
        Without `width` and `within`: at most n c neurons, outputs on the samples to 1e-10 relative to the sum of
        |activations| |output weights|, an objective that does not rise by more than 1e-10 relative (it falls
        where a network is not optimal), and the same `offset`; steps that rounding does not allow are not taken.
        Outputs elsewhere may change. With `width`: no guarantee on the cost. With `within`: `cost` <= `within`, and
        no guarantee on the width, which is never called the least: `at_least` says what is proven of that.

    Raises
    ------
    InvalidInputError
        For a width below 1, a `within` that is not > 0, both of them, rows of X that are not whole in memory with
        either, or a problem of another shape.

    Notes
    -----
    Cost O(n c m^2) and a linear program of min(n c, m) rows and m columns; with `width` and `within` some 20 log(m/40)
    searches of 20 iterations, and some ten for each width of 40 and less, an iteration O(n (d + c) m). Source: Theorem
    1 of Pilanci & Ergen (2020) and Caratheodory's theorem.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-1.0], [0.0], [2.0]], [0.0, 1.0, 3.0], beta=0.1)
    >>> split = ng.TwoLayerNetwork([[1.0, 1.0, 0.5], [1.0, 1.0, 0.8]], [0.4, 0.3, 0.5])
    >>> pruning = ng.prune(split, problem)
    >>> pruning.width_before, pruning.width
    (3, 1)
    >>> pruning.after <= pruning.before
    True

    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> network = ng.train(problem).network
    >>> [ng.prune(network, problem, within=within).width for within in (0.001, 0.5, 2.0)]
    [4, 3, 0]
    """
    if width is not None and not width >= 1:
        raise InvalidInputError(f"`width` must be >= 1, got {width}; leave it out to keep the objective.")
    if width is not None and within is not None:
        raise InvalidInputError(f"give `width` or `within`, not both, got width={width} and within={within}.")
    if isinstance(checked_problem(problem), LinearConvProblem):
        network = problem.network_of(network)
    else:
        _check(network, problem)
    with threads():
        before = problem.objective(network)
        limit = None if within is None else before * (1.0 + as_positive(within, "within"))
        small = _pruned(network, problem, width, limit, np.random.default_rng(random_state))
        after = problem.objective(small)
        least = least_width(problem, small.offset, after if limit is None else limit)
    return Pruning(small, before, after, network.n_neurons, least)


def _pruned(network: Any, problem: Any, width: int | None, limit: float | None, rng: np.random.Generator) -> Any:
    if isinstance(problem, LinearConvProblem):
        return fewest_filters(network, problem, width) if limit is None else filters_within(network, problem, limit)
    if not problem.features.resident:
        return _merged(network, problem, width, limit)
    small = _lossless(network, problem, rng)
    if limit is not None:
        kept = small if problem.objective(small) <= limit else network.balance()
        return fewest_within(kept, problem, limit, rng)
    return small if width is None or small.n_neurons <= width else narrowed(small, problem, width, rng)


def of_every_width(network: Any, problem: Any, random_state: int | None) -> list[Any]:
    """Return the best networks found with fewer neurons, none included, and of as many: the fewest first."""
    if isinstance(problem, LinearConvProblem):
        whole: Any = fewest_filters(network, problem, None)
        return [*(fewest_filters(whole, problem, width) for width in range(whole.n_neurons)), whole]
    _check(network, problem)
    if not problem.features.resident:
        raise InvalidInputError(
            "fewer neurons need the rows of X whole in memory; take a part of the samples, `problem.part(samples)`."
        )
    rng = np.random.default_rng(random_state)
    found = Widths(problem, _lossless(network, problem, rng), rng)
    found.eliminate(1)
    found.settle()
    return [found.networks[width] for width in sorted(found.networks)]


def _merged(network: N, problem: TrainingProblem, width: int | None, limit: float | None) -> N:
    """The neurons of one ray joined, which takes no pass over the rows; outputs of all neurons would not fit."""
    small = problem.merged(network)
    if limit is not None or (width is not None and small.n_neurons > width):
        option, wanted = (
            ("within", f"an objective up to {limit:.6g}") if width is None else ("width", f"a width of {width}")
        )
        raise InvalidInputError(
            f"`{option}` needs the rows of X whole in memory, got {small.n_neurons} neurons for {wanted}; prune "
            f"on a part of the samples, `problem.part(samples)` of few enough rows, or leave `{option}` out."
        )
    return small if _as_good(small, network.balance(), problem) else network.balance()


def _check(network: Any, problem: Any) -> None:
    if not isinstance(network, TwoLayerNetwork):
        raise InvalidInputError(
            f"the network of a ReLU problem must be a TwoLayerNetwork, got {type(network).__name__}; prune a network "
            "on the problem it was trained on."
        )
    found, expected = (network.U.shape[0], network.A.shape[1]), (problem.d, problem.q)
    if found != expected:
        raise InvalidInputError(
            f"`problem` must have as many columns and outputs as the network, {found}, got {expected}; "
            "prune a network on the problem it was trained on."
        )


def _lossless(network: N, problem: TrainingProblem, rng: np.random.Generator) -> N:
    small = problem.merged(network)
    joined = joined_in_cells(small, problem.features)
    small = joined if _as_good(joined, small, problem) else small
    fewer = basic(small, problem.features, rng)
    return fewer if _as_good(fewer, small, problem) else small


def _as_good(found: TwoLayerNetwork, network: TwoLayerNetwork, problem: TrainingProblem) -> bool:
    """Whether outputs on the samples and the objective are kept."""
    scale = problem.features.outputs(network.U, np.abs(network.A)).max()
    change = np.abs(problem.outputs(found) - problem.outputs(network)).max()
    limit = problem.objective(network) * (1.0 + KEPT_OBJECTIVE)
    return bool(change <= KEPT_OUTPUTS * scale) and problem.objective(found) <= limit
