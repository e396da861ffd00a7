r"""Local search on the non-convex objective [2]: a fast start, stopped before the kinks make it crawl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from .._array import Array
from .._threads import threads
from ..networks.dense import N
from ..problems.training import TrainingProblem
from .run import Run

MEMORY = 20  # L-BFGS pairs


def local_search(problem: TrainingProblem, network: N, max_iter: int, run: Run | None = None) -> N:
    """L-BFGS on weights, output weights and, where the problem has one, the offset together, from a given network.

    Never worse than the start; no guarantee beyond that. Losses with kinks are followed along subgradients.

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
    start = network.balance()
    if start.n_neurons == 0 or max_iter < 1:
        return start
    sizes = start.U.shape, start.A.shape
    first, last = start.U.size, start.U.size + start.A.size
    fixed = np.asarray(start.offset)

    def unpack(theta: Array) -> tuple[Array, Array, Array]:
        return theta[:first].reshape(sizes[0]), theta[first:last].reshape(sizes[1]), theta[last:]

    def objective(theta: Array) -> tuple[float, Array]:
        U, A, b = unpack(theta)
        loss, by_U, by_A, by_b = problem.features.value_and_gradient(
            U, A, _heads(problem, b if problem.offset else fixed)
        )
        if not np.isfinite(loss):  # too long a step: let the line search come back
            return far, np.zeros_like(theta)
        gradient = np.concatenate([by_U.ravel(), by_A.ravel(), by_b if problem.offset else b])
        gradient[:last] += problem.beta * theta[:last]
        return loss + 0.5 * problem.beta * float(theta[:last] @ theta[:last]), gradient

    b = fixed if problem.offset else np.zeros(0)
    theta, far = np.concatenate([start.U.ravel(), start.A.ravel(), b]), np.inf
    value = objective(theta)[0]
    far = 1e6 * (1.0 + value)
    options: Any = {"maxiter": max_iter, "maxcor": MEMORY, "maxfun": 3 * max_iter, "ftol": 1e-12, "gtol": 1e-9}

    def watch(intermediate_result: Any) -> None:
        if run is not None and run.late():
            raise StopIteration

    with threads():  # L-BFGS-B itself, too, waits for threads of BLAS longer than it works
        found = minimize(objective, theta, jac=True, method="L-BFGS-B", options=options, callback=watch)
    if not found.fun <= value:
        return start
    U, A, b = unpack(found.x)
    return start.with_neurons(U, A, b if problem.offset else fixed).balance()


def _heads(problem: TrainingProblem, b: Array) -> Callable[[slice], Callable[[Array], tuple[float, Array]]]:
    """For some of the samples: outputs without the offset b to their loss and its gradient."""

    def of(samples: slice) -> Callable[[Array], tuple[float, Array]]:
        fit = problem.fit.part(samples)

        def head(outputs: Array) -> tuple[float, Array]:
            f = (outputs + b).reshape(fit.y.shape)
            with np.errstate(over="ignore", invalid="ignore"):
                loss = fit.value(f)
                g = fit.gradient(f) if np.isfinite(loss) else np.zeros_like(f)
            return loss, g.reshape(outputs.shape)

        return head

    return of
