r"""Local searches on the non-convex objective [2]: one that stops where kinks make it crawl, one that smooths them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize

from .._array import Array
from .._threads import threads
from ..networks.dense import N, TwoLayerNetwork
from ..problems.constraints import NeuronConstraints
from ..problems.training import TrainingProblem
from .passes import Passes, loss_heads
from .run import Run

MEMORY = 20  # L-BFGS pairs
# Relative decrease of one iteration at which a search ends: rounding; and what single precision can tell.
LEAST_DECREASE, SINGLE_DECREASE = 1e-12, 1e-9
START_UNIT = 1e-6  # of the objective at the start, in which SciPy sees it: what is small to it is so in any units of y

# Hidden weights, output weights and offset to the loss and its gradients in them.
Evaluation = Callable[[Array, Array, Array], tuple[float, Array, Array, Array]]


def local_search(problem: TrainingProblem, network: N, max_iter: int, run: Run | None = None) -> N:
    """L-BFGS on weights, output weights and, where the problem has one, the offset together, from a given network.

    Never worse than the start; no guarantee beyond that. Under constraints signs stay those of the start, which obeys.
    Losses with kinks are followed along subgradients.

    Parameters
    ----------
    problem : TrainingProblem
    network : Network
        Start; balanced first.
    max_iter : int
    run : Run, optional
        No iteration starts when its time is over.

    Returns
    -------
    Network
        Balanced.

    Notes
    -----
    Cost O(N (d + q) m) an iteration, N rows and q output weights a neuron; memory O(N c + (d + q) m).
    """

    def evaluate(U: Array, A: Array, b: Array) -> tuple[float, Array, Array, Array]:
        return problem.features.value_and_gradient(U, A, loss_heads(problem, b))

    return _descended(problem, network.balance(), evaluate, max_iter, run, LEAST_DECREASE)


def smoothed_search(
    passes: Passes, network: N, share: float, max_iter: int, run: Run | None = None, least: float = 0.0
) -> N:
    """The same with activations smoothed near zero, where kinks do not stop it, in single precision.

    Parameters
    ----------
    passes : Passes
    network : Network
        Start; balanced first.
    share : float
        Width of smoothing of a neuron, relative to the root mean square of its x^T u over the rows at the start.
    max_iter, run
        As in `local_search`.
    least : float
        Relative decrease of one iteration at which the search ends.

    Returns
    -------
    Network
        Balanced; no worse than the start on the smoothed objective, which exceeds [2] less the smaller the share.
    """
    start = network.balance()
    width = share * passes.spread(start.U / np.linalg.norm(start.U, axis=0))

    def evaluate(U: Array, A: Array, b: Array) -> tuple[float, Array, Array, Array]:
        return passes.smoothed(U, A, b, width)

    return _descended(passes.problem, start, evaluate, max_iter, run, max(least, SINGLE_DECREASE))


def _descended(
    problem: TrainingProblem, start: N, evaluate: Evaluation, max_iter: int, run: Run | None, least: float
) -> N:
    """The network after so many iterations of L-BFGS from a balanced one."""
    if start.n_neurons == 0 or max_iter < 1:
        return start
    sizes = start.U.shape, start.A.shape
    first, last = start.U.size, start.U.size + start.A.size
    fixed = np.asarray(start.offset)

    def unpack(theta: Array) -> tuple[Array, Array, Array]:
        return theta[:first].reshape(sizes[0]), theta[first:last].reshape(sizes[1]), theta[last:]

    def objective(theta: Array) -> tuple[float, Array]:
        U, A, b = unpack(theta)
        loss, by_U, by_A, by_b = evaluate(U, A, b if problem.offset else fixed)
        if not np.isfinite(loss):  # too long a step: let the line search come back
            return far, np.zeros_like(theta)
        gradient = np.concatenate([by_U.ravel(), by_A.ravel(), by_b if problem.offset else b])
        gradient[:last] += problem.beta * theta[:last]
        return (loss + 0.5 * problem.beta * float(theta[:last] @ theta[:last])) / unit, gradient / unit

    b = fixed if problem.offset else np.zeros(0)
    theta, far, unit = np.concatenate([start.U.ravel(), start.A.ravel(), b]), np.inf, 1.0
    value = objective(theta)[0]
    if not 0.0 < value < np.inf:
        return start
    unit = 4.0 ** round(0.5 * np.log2(START_UNIT * value))  # so that roots scale without rounding, too
    value /= unit
    far = 1e6 * value
    options: Any = {"maxiter": max_iter, "maxcor": MEMORY, "maxfun": 3 * max_iter, "ftol": least, "gtol": 1e-9}

    def watch(intermediate_result: Any) -> None:
        if run is not None and run.late():
            raise StopIteration

    limits = None if problem.constraints is None else _bounds(problem.constraints, start, len(b))
    with threads():  # L-BFGS-B itself, too, waits for threads of BLAS longer than it works
        found = minimize(objective, theta, jac=True, method="L-BFGS-B", options=options, callback=watch, bounds=limits)
    if not found.fun <= value:
        return start
    U, A, b = unpack(found.x)
    return start.with_neurons(U, A, b if problem.offset else fixed).balance()


def _bounds(constraints: NeuronConstraints, start: TwoLayerNetwork, free: int) -> Bounds:
    """Signs that weights and output weights keep, and so many more variables."""
    alpha = start.A[:, 0]
    low, high = constraints.bounds(alpha)
    least = np.concatenate([low.ravel(), np.where(alpha > 0.0, 0.0, -np.inf), np.full(free, -np.inf)])
    most = np.concatenate([high.ravel(), np.where(alpha < 0.0, 0.0, np.inf), np.full(free, np.inf)])
    return Bounds(least, most)
