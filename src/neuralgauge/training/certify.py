"""How far a given network is from the global optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..certificate import Certificate, lower_bound
from ..errors import InvalidInputError
from ..problems.base import Problem, checked_problem
from ..solvers.solution import Record, Solution
from .train import train


def certify(
    network: Any,
    problem: Problem[Any],
    time_limit: float | None = None,
    random_state: int | np.random.Generator | None = 0,
    prove: bool | float | None = None,
    *,
    gap: float = 1e-4,
    n_jobs: int | None = None,
    progress: Callable[[Record], None] | None = None,
) -> Certificate:
    r"""Certificate of any network: its own objective [2] above, the dual bound of the best training below.

    Parameters
    ----------
    network : TwoLayerNetwork, tuple of arrays, MLPRegressor, MLPClassifier or torch.nn.Sequential
        A network of one hidden ReLU layer on the columns of ``problem.X``, with as many outputs as the problem: weight
        arrays (U, A) or (U, A, offset) of shapes (d, m), (m,) or (m, c), and (c,), with the hidden biases as the last
        row of `U` if ``problem.bias``; a fitted scikit-learn network; ``Sequential(Linear, ReLU, Linear)`` of PyTorch.
        X must be as that network saw it. `from_onnx` reads one from an ONNX file. For a ReLUConvProblem a
        ReLUConvNetwork, such arrays with an output weight for each region and output, or the layers that `to_torch`
        makes. For a LinearConvProblem a LinearConvNetwork, or arrays with A of shape (m, K) or (m, K, c).
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
        The data, the loss and the `beta` that count. For a classifier the outputs are its logits: of two classes y is
        -1 for ``classes_[0]`` and +1 for ``classes_[1]`` under the logistic loss; of more y is the position in
        ``classes_``, under the softmax loss.
    time_limit : float, optional
        Seconds for the training behind the lower bound; seconds of `prove` come on top.
    random_state : int, Generator or None
        Seed of the training behind the bound.
    prove : bool or float, optional
        As in `train`: whether to price exactly, which makes the bound hold for every network of every width, or the
        seconds in which a relaxation may prove such a bound at any rank.
    gap : float
        Relative gap at which the training behind the bound stops: the bound falls short of the optimum by at most
        this much of it, if time suffices.
    n_jobs : int, optional
        Threads, as in `train`.
    progress : callable, optional
        Called with a `Record` after every round of that training.

    Returns
    -------
    Certificate
        `upper` is the objective of `network` after balancing, |u_j| = |alpha_j|, which keeps its outputs and lowers
        its penalty. `lower`, `scope` and `proven` are those of the training; where that found a better network, the
        gap says by how much the given one can be improved, and "estimated" bounds stay below the given network too.

    Raises
    ------
    InvalidInputError
        If the network is not of this kind, does not fit the problem's columns, has a neuron that does not obey the
        problem's constraints, or has an objective beyond double precision; `network_of` in
        `neuralgauge.networks.foreign` lists the cases.

    Notes
    -----
    What the penalty covers: all hidden and output weights; the hidden biases, as weights of the column of ones. An
    output bias b in R^c is free where ``problem.offset``; elsewhere it counts as one more neuron that is constant, at
    the price of beta |b|_2. No penalty is taken over from where the network was trained: scikit-learn minimises the
    mean loss plus alpha / (2 n) times the squared weights without biases, PyTorch whatever it was given. Cost: that of
    `train`.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> zero = ng.TwoLayerNetwork([[1.0], [0.0]], [0.0])
    >>> certificate = ng.certify(zero, problem)
    >>> print(f"{certificate.upper:.2f} {certificate.gap:.3f} {certificate.scope}")
    2.50 0.643 exact
    """
    given = checked_problem(problem).network_of(network).balance()
    with np.errstate(over="ignore", invalid="ignore"):
        upper = problem.objective(given)
    if not np.isfinite(upper):
        raise InvalidInputError(
            f"the network's objective must be finite, got {upper}: loss, outputs or squared weights exceed 1e308, with "
            f"weights up to {np.max(np.abs(given.U), initial=0.0):.3g} once balanced; check the units of its weights."
        )
    solution = train(
        problem,
        gap,
        time_limit=time_limit,
        random_state=random_state,
        prove=prove,
        n_jobs=n_jobs,
        progress=progress,
    )
    return certificate_of(given, problem, solution)


def certificate_of(network: Any, problem: Problem[Any], solution: Solution[Any]) -> Certificate:
    """Return the certificate of a network of this problem by the bound of a training of it."""
    found = solution.certificate
    lower, upper = found.lower, problem.objective(network)
    if found.scope == "estimated":
        # The search may have missed the neurons of the given network; with them the bound cannot exceed its objective.
        lower = min(lower, lower_bound(problem, solution.dual, problem.attained(solution.dual, network)))
    return replace(found, upper=upper, lower=lower).with_proven(found.proven)
