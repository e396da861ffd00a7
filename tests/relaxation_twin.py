"""The relaxation as it is written down, for CVXPY: slow, and in the coordinates of the definition."""

import warnings

import cvxpy as cp
import numpy as np
from registry.losses import FORMULAS
from splitting_twin import readout_matrix

from neuralgauge.relaxation._sphere import sphere


def relaxation_value(problem):
    """The optimum of the doubly nonnegative relaxation, by Clarabel; the rows are unscaled.

    Split by sign where neurons have one output weight.
    """
    constraints, penalty, q, (n, d) = [], 0.0, problem.q, problem.X.shape
    weights = [moments_of(problem.X, q if q > 1 else 0) for _ in range(1 if q > 1 else 2)]
    for Z, of_rows in weights:
        penalty += problem.beta / 2 * (cp.trace(Z[:d, :d]) + Z[-1, -1])
        constraints += of_rows
    first, *second = (Z[d : d + n, d + 2 * n : -1] if q > 1 else Z[d : d + n, -1:] for Z, _ in weights)
    outputs = readout_matrix(problem) @ cp.vec(first - second[0] if second else first, order="C")
    f = outputs if problem.y.ndim == 1 else cp.reshape(outputs, problem.y.shape, order="C")
    if problem.offset:
        f = f + cp.Variable() if problem.y.ndim == 1 else f + np.ones((problem.n, 1)) @ cp.Variable((1, problem.c))
    loss, weight = FORMULAS[problem.loss.name].convex(f, problem.y), problem.sample_weight
    loss = cp.sum(cp.multiply(loss, weight if loss.ndim == 1 else np.repeat(weight[:, None], problem.c, axis=1)))
    return solved(cp.Problem(cp.Minimize(loss + penalty), constraints))


def moments_of(X, q):
    """Moments of (u, p, on, alpha, a), with q entries of alpha, and what holds for them."""
    n, d = X.shape
    one, none, of_alpha = np.eye(n), np.zeros((n, n)), np.zeros((n, q))
    L = np.block(  # on, off, p, q of u, p, on, alpha, a
        [
            [0 * X, none, one, of_alpha, np.zeros((n, 1))],
            [0 * X, none, -one, of_alpha, np.ones((n, 1))],
            [0 * X, one, none, of_alpha, np.zeros((n, 1))],
            [-X, one, none, of_alpha, np.zeros((n, 1))],
        ]
    )
    Z = cp.Variable((d + 2 * n + q + 1, d + 2 * n + q + 1), PSD=True)
    Y = L @ Z @ L.T
    constraints = [Y >= 0, Z[-1, -1] == cp.trace(Z[:d, :d])]
    for k, other in ((0, 1), (2, 3), (0, 3), (1, 2)):
        constraints += [cp.diag(Y[k * n : (k + 1) * n, other * n : (other + 1) * n]) == 0]
    if q:
        alpha = slice(d + 2 * n, d + 2 * n + q)
        constraints += [cp.norm(L @ Z[:, alpha], axis=1) <= L @ Z[:, -1], Z[-1, -1] == cp.trace(Z[alpha, alpha])]
    return Z, constraints


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
