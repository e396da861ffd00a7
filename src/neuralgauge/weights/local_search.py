r"""Local search on the non-convex objective [2]: a fast start, stopped before the kinks make it crawl."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from .._array import Array
from .protocol import N, Problem

MEMORY = 20  # L-BFGS pairs


def local_search(problem: Problem, network: N, max_iter: int) -> N:
    """L-BFGS on weights, output weights and, where the problem has one, the offset together, from a given network.

    Never worse than the start; no guarantee beyond that. Losses with kinks are followed along subgradients.

    Parameters
    ----------
    problem : Problem
    network : Network
        Start; balanced first.
    max_iter : int

    Returns
    -------
    Network
        Balanced.

    Notes
    -----
    Cost O(N (d + q) m) an iteration, N rows and q output weights a neuron.
    """
    start = network.balance()
    if start.n_neurons == 0 or max_iter < 1:
        return start
    X, beta, readout, shape = problem.X, problem.beta, problem.readout, start.U.shape
    first, last = start.U.size, start.U.size + start.A.size
    fixed = np.asarray(start.offset)

    def unpack(theta: Array) -> tuple[Array, Array, Array]:
        return theta[:first].reshape(shape), theta[first:last].reshape(start.A.shape), theta[last:]

    def objective(theta: Array) -> tuple[float, Array]:
        U, A, b = unpack(theta)
        X_U = X @ U
        hidden = np.maximum(X_U, 0.0)
        f = readout.outputs(hidden, A)
        f += b if problem.offset else fixed
        f = f.reshape(problem.y.shape)
        with np.errstate(over="ignore"):
            loss = problem.loss_value(f)
        if not np.isfinite(loss):  # too long a step: let the line search come back
            return far, np.zeros_like(theta)
        g = problem.loss_gradient(f).reshape(readout.n, -1)
        penalised = theta[:last]
        gradient = np.concatenate([beta * penalised, g.sum(axis=0) if problem.offset else b])
        gradient[first:last] += readout.gains(g, hidden).ravel()
        np.greater(X_U, 0.0, out=X_U)
        X_U *= readout.along(g, A)
        gradient[:first] += (X.T @ X_U).ravel()
        return loss + 0.5 * beta * float(penalised @ penalised), gradient

    b = fixed if problem.offset else np.zeros(0)
    theta, far = np.concatenate([start.U.ravel(), start.A.ravel(), b]), np.inf
    value = objective(theta)[0]
    far = 1e6 * (1.0 + value)
    options: Any = {"maxiter": max_iter, "maxcor": MEMORY, "maxfun": 3 * max_iter, "ftol": 1e-12, "gtol": 1e-9}
    found = minimize(objective, theta, jac=True, method="L-BFGS-B", options=options)
    if not found.fun <= value:
        return start
    U, A, b = unpack(found.x)
    return start.with_neurons(U, A, b if problem.offset else fixed).balance()
