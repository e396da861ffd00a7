"""The relaxation as it is written down, for CVXPY: slow, and in the coordinates of the definition."""

import warnings

import cvxpy as cp
import numpy as np
from registry.losses import FORMULAS


def relaxation_value(problem):
    """The optimum of the split doubly nonnegative relaxation with its cones, by Clarabel; the rows are unscaled."""
    X, (n, d) = problem.X, problem.X.shape
    constraints, outputs, penalty = [], [], 0.0
    for _ in range(2):
        Z = cp.Variable((d + n + 1, d + n + 1), PSD=True)
        U, C, P = Z[:d, :d], Z[:d, d : d + n], Z[d : d + n, d : d + n]
        w, b, t = Z[:d, -1], Z[d : d + n, -1], Z[-1, -1]
        A, T = X @ C, C - U @ X.T
        constraints += [
            cp.diag(P) == cp.diag(A),
            P >= 0,
            P - A >= 0,
            P - A - A.T + X @ U @ X.T >= 0,
            cp.norm(C, axis=0) <= b,
            cp.norm(T, axis=0) <= b - X @ w,
            t == cp.trace(U),
        ]
        outputs.append(b)
        penalty += problem.beta / 2 * (cp.trace(U) + t)
    f = outputs[0] - outputs[1] + (cp.Variable() if problem.offset else 0.0)
    loss = problem.sample_weight @ FORMULAS[problem.loss.name].convex(f, problem.y)
    program = cp.Problem(cp.Minimize(loss + penalty), constraints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some end at 1e-6 rather than 1e-8
        program.solve(solver=cp.CLARABEL)
    assert program.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)
    return float(np.asarray(program.value))
