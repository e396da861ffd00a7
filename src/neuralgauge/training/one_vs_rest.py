"""Several outputs apart: one network each, stacked into one network without shared neurons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..certificate import Certificate
from ..networks.dense import TwoLayerNetwork
from ..problems.penalty import beta_max
from ..problems.training import TrainingProblem
from ..solvers.run import Run
from ..solvers.solution import Solution, Status
from .proof import checked_prove, priced_alone, shared
from .train import train

NO_TIME = 1e-3  # seconds left for the outputs that an interrupt leaves


def train_one_vs_rest(
    problem: TrainingProblem,
    gap: float = 1e-4,
    *,
    time_limit: float | None = None,
    start: Solution[Any] | None = None,
    prove: bool | float | None = None,
    trainer: Callable[..., Solution[Any]] = train,
    **options: Any,
) -> Solution[Any]:
    r"""Train a network of its own for every output of an elementwise loss.

    .. math:: \min \sum_k \Big( L_k(f_k) + \beta \sum_j \|u_{kj}\|\,|\alpha_{kj}| \Big)

    This is the problem [3] restricted to neurons that serve one output each, so its optimum is never below that of
    the joint problem.

    Parameters
    ----------
    problem : TrainingProblem
        With y of shape (n, c); one output is trained as `train` does.
    gap, time_limit, start
        As in `train`; the gap holds for every part, and the time is for all of them.
    prove : bool or float, optional
        As in `train`; seconds are shared by the parts.
    trainer : callable
        What trains a part.
    **options
        Its other options; `progress` sees one part after the other.

    Returns
    -------
    Solution
        `network` is the stacked network with c outputs, `certificate` the sum of the parts' objectives and bounds
        with their weakest scope, and `separate`: it covers networks without shared neurons only. `dual` is (n, c); no
        history.
    """
    if problem.c == 1:
        options |= {} if prove is None else {"prove": prove}
        return trainer(problem, gap, time_limit=time_limit, start=start, **options)
    if prove is not None:
        options["prove"] = shared(checked_prove(prove, problem.output(0)), problem.c)
    run, parts = Run(gap, time_limit), list[Solution[Any]]()
    for k in range(problem.c):
        interrupted = any(part.status is Status.INTERRUPTED for part in parts)
        limit = NO_TIME if interrupted else run.left(1.0 / (problem.c - k))
        own = None if start is None else _part(start, k)
        if interrupted and prove is not None:
            options["prove"] = priced_alone(prove, problem.output(k))
        parts.append(trainer(problem.output(k), gap, time_limit=limit, start=own, **options))
    return _stacked(parts)


def beta_max_one_vs_rest(problem: TrainingProblem) -> float:
    """The penalty at or above which no output has a neuron."""
    if problem.c == 1:
        return beta_max(problem)
    return max(beta_max(problem.output(k)) for k in range(problem.c))


def _part(solution: Solution[Any], k: int) -> Solution[Any]:
    """The part of a stacked solution that belongs to output k."""
    assert isinstance(solution.network, TwoLayerNetwork)
    return replace(solution, network=solution.network.output(k), dual=solution.dual[:, k].copy())


def _stacked(parts: list[Solution[Any]]) -> Solution[Any]:
    networks = [part.network for part in parts if isinstance(part.network, TwoLayerNetwork)]
    # An output weight for each region and output; a dense network has one region.
    m, n_regions = sum(network.n_neurons for network in networks), networks[0].A.shape[1]
    A = np.zeros((m, n_regions, len(parts)))
    last = 0
    for k, network in enumerate(networks):
        first, last = last, last + network.n_neurons
        A[first:last, :, k] = network.A
    offset = np.concatenate([np.ravel(network.offset) for network in networks])
    U = np.hstack([network.U for network in networks])
    return Solution(
        network=networks[0].with_neurons(U, A.reshape(m, n_regions * len(parts)), offset),
        certificate=Certificate.total([part.certificate for part in parts]),
        status=next((part.status for part in parts if part.status is not Status.SOLVED), Status.SOLVED),
        n_iter=sum(part.n_iter for part in parts),
        seconds=sum(part.seconds for part in parts),
        dual=np.column_stack([part.dual for part in parts]),
    )
