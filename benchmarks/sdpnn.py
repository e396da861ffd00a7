"""`prove_bound` against SDPNN-IW (Prakhya, Birdal & Yurtsever, ICLR 2025), a relaxation of the same training problem.

    OMP_NUM_THREADS=1 python benchmarks/sdpnn.py [--problems random iris table] [--rows 50 100] [--betas 0.1 0.01]
        [--seconds 60] [--peer-seconds 600]

SDPNN-IW lifts z = (p, q, u, alpha), p = (X u)_+, q = (-X u)_+, to one matrix of order 2 n + d + c, positive
semidefinite, >= 0 among p and q, with the products of p - q - X u and of p_i q_i zero. Here it is written in CVXPY from
its description and solved by SCS with its authors' settings, 1e-4 and at most 100,000 iterations. Its value is what the
solver returns, which nothing rounds to the safe side; ours is proven. Squared loss, X standardised, no column of ones.

A line a problem: gaps below the best objective that `train` finds, seconds, and how many times sooner ours proves the
value that SDPNN-IW arrives at. Problems: random (25 x 2, five outputs), iris (75 x 4, three outputs), table (rows of
scikit-learn's breast cancer, its first eight columns, one output).
"""

import argparse
import time

import cvxpy as cp
import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris

import neuralgauge as ng

TOLERANCE, MOST_ITERATIONS = 1e-4, 100_000


def sdpnn(problem):
    """The relaxation as a program of CVXPY, on the rows of the problem."""
    X, Y = problem.X, problem.y.reshape(problem.n, -1)
    (n, d), c = X.shape, Y.shape[1]
    Z = cp.Variable((2 * n + d + c, 2 * n + d + c), PSD=True)
    kinks = np.hstack([np.eye(n), -np.eye(n), -X, np.zeros((n, c))])
    constraints = [Z[: 2 * n, : 2 * n] >= 0, kinks @ Z == 0, cp.diag(Z[:n, n : 2 * n]) == 0]
    outputs, sizes = Z[:n, 2 * n + d :], cp.trace(Z[2 * n :, 2 * n :])
    return cp.Problem(cp.Minimize(cp.sum_squares(outputs - Y) / 2 + problem.beta / 2 * sizes), constraints)


def solve(problem, seconds):
    """Value, seconds and status of SDPNN-IW; the clock counts the compilation, too."""
    begun, program = time.perf_counter(), sdpnn(problem)
    options = {"eps_abs": TOLERANCE, "eps_rel": TOLERANCE, "max_iters": MOST_ITERATIONS, "time_limit_secs": seconds}
    try:
        program.solve(solver=cp.SCS, **options)
    except cp.SolverError as error:
        return np.nan, time.perf_counter() - begun, str(error)
    value = np.nan if program.value is None else float(program.value)
    return value, time.perf_counter() - begun, program.status


def standardised(X):
    """Columns of mean 0 and deviation 1."""
    return (X - X.mean(axis=0)) / X.std(axis=0)


def problems(kinds, rows):
    """Name, rows and targets."""
    if "random" in kinds:
        rng = np.random.default_rng(0)
        yield "random 25 x 2, 5 outputs", rng.standard_normal((25, 2)), rng.standard_normal((25, 5))
    if "iris" in kinds:
        X, label = load_iris(return_X_y=True)
        yield "iris 75 x 4, 3 outputs", standardised(X[::2]), np.eye(3)[label[::2]]
    if "table" in kinds:
        X, label = load_breast_cancer(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(X))
        for n in rows:
            chosen = order[:n]
            yield f"table {n} x 8", standardised(X[chosen, :8]), 2.0 * label[chosen] - 1.0


def ours(problem, seconds):
    """The bounds of `prove_bound` as they rose, or why there are none."""
    try:
        return ng.prove_bound(problem, time_limit=seconds), ""
    except ng.InvalidInputError as error:
        return None, str(error)


def report(name, problem, given):
    """One line."""
    upper = ng.train(problem, gap=1e-4, time_limit=20.0, prove=False).certificate.upper
    value, took, status = solve(problem, given.peer_seconds)
    print(f"{name}, beta {problem.beta:g} ({problem.beta / ng.beta_max(problem):.2g} beta_max), best {upper:.6g}")
    print(f"  SDPNN-IW: {value:.6g}, gap {1 - value / upper:.2%}, {took:.1f} s, {status}")
    bound, reason = ours(problem, given.seconds)
    if bound is None:
        print(f"  ours: none. {reason}", flush=True)
        return
    print(f"  ours: {bound.value:.6g}, gap {1 - bound.value / upper:.2%}, {bound.seconds:.1f} s", end="")
    moments = [record.seconds for record in bound.history if record.lower_bound >= value]
    if moments:
        print(f"; SDPNN-IW's value after {moments[0]:.2f} s, {took / moments[0]:.0f} times sooner", flush=True)
    else:
        print(f"; {(value - bound.value) / upper:.2%} of the best short of SDPNN-IW's value", flush=True)


def main():
    """Every problem at every beta."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", default=["random", "iris", "table"])
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--betas", type=float, nargs="+", default=[0.1, 0.01])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--peer-seconds", type=float, default=600.0)
    given = parser.parse_args()
    for name, X, y in problems(given.problems, given.rows):
        for beta in given.betas:
            report(name, ng.TrainingProblem(X, y, beta=beta, bias=False), given)


if __name__ == "__main__":
    main()
