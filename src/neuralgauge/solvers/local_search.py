r"""Local search on the non-convex objective [2]: a fast start, stopped before the kinks make it crawl."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.optimize import minimize

from .._array import Array
from .._threads import threads
from ..features.readouts import Readout
from ..features.rows import mapped
from ..losses.datafit import DataFit
from ..networks.dense import N
from ..problems.training import TrainingProblem

MEMORY = 20  # L-BFGS pairs
Part = tuple[slice, DataFit, Readout]  # rows, the fit to their samples, and their readout


def local_search(problem: TrainingProblem, network: N, max_iter: int, deadline: float = np.inf) -> N:
    """L-BFGS on weights, output weights and, where the problem has one, the offset together, from a given network.

    Never worse than the start; no guarantee beyond that. Losses with kinks are followed along subgradients.

    Parameters
    ----------
    problem : TrainingProblem
    network : Network
        Start; balanced first.
    max_iter : int
    deadline : float
        Value of `time.perf_counter()` after which no iteration starts.

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
    sums = _Passes(problem, start.n_neurons)

    def unpack(theta: Array) -> tuple[Array, Array, Array]:
        return theta[:first].reshape(sizes[0]), theta[first:last].reshape(sizes[1]), theta[last:]

    def objective(theta: Array) -> tuple[float, Array]:
        U, A, b = unpack(theta)
        loss, by_U, by_A, by_b = sums.loss_and_gradient(U, A, b if problem.offset else fixed)
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
        if time.perf_counter() >= deadline:
            raise StopIteration

    with threads():  # L-BFGS-B itself, too, waits for threads of BLAS longer than it works
        found = minimize(objective, theta, jac=True, method="L-BFGS-B", options=options, callback=watch)
    if not found.fun <= value:
        return start
    U, A, b = unpack(found.x)
    return start.with_neurons(U, A, b if problem.offset else fixed).balance()


class _Passes:
    """The loss and its gradient, chunk by chunk."""

    def __init__(self, problem: TrainingProblem, m: int) -> None:
        self.problem = problem
        self.chunks = [(rows, problem.fit.part(samples), part) for rows, samples, part in problem.features.chunks(m)]

    def loss_and_gradient(self, U: Array, A: Array, b: Array) -> tuple[float, Array, Array, Array]:
        """L, and its gradient in U, A and the offset."""
        parts = mapped(lambda chunk: self._of(chunk, U, A, b), self.chunks)
        loss, by_U, by_A, by_b = (sum(terms[1:], terms[0]) for terms in zip(*parts, strict=True))
        return loss, by_U, by_A, by_b

    def _of(
        self, chunk: tuple[slice, DataFit, Readout], U: Array, A: Array, b: Array
    ) -> tuple[float, Array, Array, Array]:
        rows, fit, readout = chunk
        X = self.problem.features.X[rows]
        X_U = X @ U
        hidden = np.maximum(X_U, 0.0)
        f = (readout.outputs(hidden, A) + b).reshape(fit.y.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = fit.value(f)
        if not np.isfinite(loss):
            return loss, np.zeros_like(U), np.zeros_like(A), np.zeros_like(b)
        g = fit.gradient(f).reshape(readout.n, -1)
        by_A = readout.gains(g, hidden)
        np.greater(X_U, 0.0, out=X_U)
        if self.problem.q == 1:  # the gradient in the activations has rank one: rows of X take it up
            by_U = ((X * readout.along(g, np.ones((1, 1)))).T @ X_U) * A[:, 0]
        else:
            X_U *= readout.along(g, A)
            by_U = X.T @ X_U
        return loss, by_U, by_A, g.sum(axis=0)
