"""The relaxation as it is written down, for CVXPY: slow, and in the coordinates of the definition."""

import warnings

import cvxpy as cp
import numpy as np
from registry.losses import FORMULAS

from neuralgauge.relaxation._sphere import sphere


def relaxation_value(problem):
    """The optimum of the split doubly nonnegative relaxation, by Clarabel; the rows are unscaled."""
    X, (n, d) = problem.X, problem.X.shape
    one, none = np.eye(n), np.zeros((n, n))
    L = np.block(  # on, off, p, q of u, p, on, a
        [
            [0 * X, none, one, np.zeros((n, 1))],
            [0 * X, none, -one, np.ones((n, 1))],
            [0 * X, one, none, np.zeros((n, 1))],
            [-X, one, none, np.zeros((n, 1))],
        ]
    )
    constraints, outputs, penalty = [], [], 0.0
    for _ in range(2):
        Z = cp.Variable((d + 2 * n + 1, d + 2 * n + 1), PSD=True)
        Y, t = L @ Z @ L.T, Z[-1, -1]
        constraints += [Y >= 0, t == cp.trace(Z[:d, :d])]
        for k, other in ((0, 1), (2, 3), (0, 3), (1, 2)):
            constraints += [cp.diag(Y[k * n : (k + 1) * n, other * n : (other + 1) * n]) == 0]
        outputs.append(Z[d : d + n, -1])
        penalty += problem.beta / 2 * (cp.trace(Z[:d, :d]) + t)
    f = outputs[0] - outputs[1] + (cp.Variable() if problem.offset else 0.0)
    loss = problem.sample_weight @ FORMULAS[problem.loss.name].convex(f, problem.y)
    program = cp.Problem(cp.Minimize(loss + penalty), constraints)
    return solved(program)


def row_by_row_value(problem):
    """The optimum of the relaxation row by row, for the squared loss and no offset."""
    X, n, d = problem.X, problem.n, problem.d
    f, penalty, constraints = 0, 0, []
    for sign in (1, -1):
        M, R = cp.Variable((d + 1, d + 1), PSD=True), cp.Variable(n)
        U, w, t = M[:d, :d], M[:d, d], M[d, d]
        A = cp.sum(cp.multiply(X @ U, X), axis=1)
        constraints += [cp.trace(U) == t, cp.abs(X @ w) <= R, cp.norm(X @ U, axis=1) <= R]
        constraints += [cp.SOC(t + A[i], cp.hstack([t - A[i], 2 * R[i]])) for i in range(n)]
        f, penalty = f + 0.5 * sign * (X @ w + R), penalty + problem.beta * t
    program = cp.Problem(cp.Minimize(0.5 * cp.sum_squares(f - problem.y) + penalty), constraints)
    return solved(program)


def solved(program):
    """The value of a program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some end at 1e-6 rather than 1e-8
        program.solve(solver=cp.CLARABEL)
    assert program.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)
    return float(np.asarray(program.value))


def quartic_value(problem):
    """The optimum of the quartic relaxation row by row, for the squared loss and no offset."""
    X, n, d = problem.X, problem.n, problem.d
    lengths = np.linalg.norm(X, axis=1)
    Z, whole = X / lengths[:, None], sphere(d)
    f, penalty, constraints = 0, 0, []
    for sign in (1, -1):
        y, half = cp.Variable(whole.size), cp.Variable((5, n))
        basis = cp.reshape(whole.basis @ y, (whole.order, whole.order), order="C")
        U, i, j = cp.Variable((d, d), symmetric=True), *np.triu_indices(d)
        m = [cp.trace(U) * np.ones(n), Z @ (whole.means @ y), cp.sum(cp.multiply(Z @ U, Z), axis=1)]
        m += [whole.three.powers(Z) @ y[whole.first :], whole.four.powers(Z) @ y[: whole.first]]
        constraints += [basis >> 0, U[i, j] == whole.squares @ y]
        constraints += [cp.norm(Z @ U, axis=1) <= 2 * half[1] - m[1]]
        for row in range(n):
            for side in ([half[k, row] for k in range(5)], [(-1) ** k * (m[k][row] - half[k, row]) for k in range(5)]):
                constraints.append(cp.bmat([[side[a + b] for b in range(3)] for a in range(3)]) >> 0)
                local = [[side[a + b + 1] - side[a + b + 2] for b in range(2)] for a in range(2)]
                constraints.append(cp.bmat(local) >> 0)
        f, penalty = f + sign * cp.multiply(lengths, half[1]), penalty + problem.beta * cp.trace(U)
    return solved(cp.Problem(cp.Minimize(0.5 * cp.sum_squares(f - problem.y) + penalty), constraints))
