r"""Local search on the non-convex objective [2]: a fast start, stopped before the kinks make it crawl."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from .._array import Array
from ..networks import TwoLayerNetwork
from ..problem import TrainingProblem

MEMORY = 20  # L-BFGS pairs


def local_search(problem: TrainingProblem, network: TwoLayerNetwork, max_iter: int) -> TwoLayerNetwork:
    """L-BFGS on weights and output weights together, from a given network of one output.

    Never worse than the start; no guarantee beyond that. The hinge loss is followed along subgradients.

    Parameters
    ----------
    problem : TrainingProblem
    network : TwoLayerNetwork
        Start; balanced first.
    max_iter : int

    Returns
    -------
    TwoLayerNetwork
        Balanced.

    Notes
    -----
    Cost O(n d m) an iteration.
    """
    start = network.balance()
    if start.n_neurons == 0 or max_iter < 1:
        return start
    X, beta = problem.X, problem.beta
    split = start.U.size
    shape = start.U.shape

    def objective(theta: Array) -> tuple[float, Array]:
        U, alpha = theta[:split].reshape(shape), theta[split:]
        X_U = X @ U
        hidden = np.maximum(X_U, 0.0)
        f = hidden @ alpha
        g = problem.loss_gradient(f)
        gradient = beta * theta
        gradient[split:] += g @ hidden
        np.greater(X_U, 0.0, out=X_U)
        X_U *= g[:, None]
        gradient[:split] += ((X.T @ X_U) * alpha).ravel()
        return problem.loss_value(f) + 0.5 * beta * float(theta @ theta), gradient

    theta = np.concatenate([start.U.ravel(), start.A[:, 0]])
    options: Any = {"maxiter": max_iter, "maxcor": MEMORY, "maxfun": 3 * max_iter, "ftol": 1e-12, "gtol": 1e-9}
    found = minimize(objective, theta, jac=True, method="L-BFGS-B", options=options)
    if not found.fun <= objective(theta)[0]:
        return start
    return TwoLayerNetwork(found.x[:split].reshape(shape), found.x[split:, None], start.bias).balance()
