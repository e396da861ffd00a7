"""Every loss: seconds to a gap of 1e-4, and the last restricted program by our interior point and by CVXPY + Clarabel.

    python benchmarks/losses.py [--only NAME ...] [--fraction 0.05] [--time-limit 120]

Regression losses on scikit-learn's diabetes (442 rows, 10 columns; for Poisson the targets are tens, as counts), losses
of two classes and softmax on its breast cancer data (569 rows, 30 columns). Columns are standardised, numeric targets
too; beta is a fraction of beta_max. The restricted program has the patterns and directions of the trained network; both
solvers get the same, ours to a gap of 1e-8, Clarabel at its tolerances of 1e-8, CVXPY's compilation included, since its
user waits for it. Pricing is by search (no proof), BLAS has one thread. One run each, after a warm-up.
"""

import argparse
import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from threadpoolctl import threadpool_limits

import neuralgauge as ng
from neuralgauge.losses import LOSSES
from neuralgauge.patterns.strategies import interior_vectors

GAP = 1e-4


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def problem_of(loss, fraction):
    kind = LOSSES[loss].targets
    X, y = load_diabetes(return_X_y=True) if kind in ("real", "count") else load_breast_cancer(return_X_y=True)
    targets = {"real": standardised(y), "count": np.floor(y / 10), "sign": np.where(y > 0, 1.0, -1.0), "simplex": y}
    problem = ng.TrainingProblem(standardised(X), targets[kind], beta=1.0, loss=loss)
    return problem.with_beta(fraction * ng.beta_max(problem))


def restricted(problem, network):
    """Patterns with witnesses inside their cells, and the directions of the network's neurons."""
    witnesses = interior_vectors(problem.X, network.U.T, np.random.default_rng(0))
    patterns = ng.PatternSet(np.packbits(witnesses @ problem.X.T >= 0, axis=1), problem.n, witnesses)
    return patterns, network.A / np.linalg.norm(network.A, axis=1, keepdims=True)


def seconds_of(call):
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def measure(loss, settings):
    problem = problem_of(loss, settings.fraction)
    few = problem.with_data(problem.X[:40, :-1], problem.y[:40])
    ng.train(few, gap=0.1, prove=False)
    solution, seconds = seconds_of(lambda: ng.train(problem, GAP, prove=False, time_limit=settings.time_limit))
    patterns, G = restricted(problem, solution.network)
    ours, ours_s = seconds_of(lambda: ng.solve_program(problem, patterns, directions=G))
    line = (
        f"{loss:20} {problem.beta:9.4g} {solution.certificate.upper:12.6f} {solution.certificate.gap:8.1e} "
        f"{seconds:8.2f} {solution.network.n_neurons:5} {ours_s:8.3f}"
    )
    try:
        theirs, theirs_s = seconds_of(
            lambda: ng.solve_program(problem, patterns, directions=G, solver="reference").certificate.upper
        )
    except Exception as error:
        return f"{line}   Clarabel failed: {type(error).__name__}"
    difference = (theirs - ours.certificate.upper) / abs(theirs)
    return f"{line} {theirs_s:8.2f} {theirs_s / ours_s:7.1f} {difference:9.1e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(LOSSES), choices=list(LOSSES), metavar="NAME")
    parser.add_argument("--fraction", type=float, default=0.05, help="beta over beta_max")
    parser.add_argument("--time-limit", type=float, default=120.0, help="seconds of training for each loss")
    settings = parser.parse_args()
    print(
        f"{'loss':20} {'beta':>9} {'objective':>12} {'gap':>8} {'train s':>8} {'m':>5} {'ours s':>8} "
        f"{'CVXPY s':>8} {'ratio':>7} {'excess':>9}"
    )
    with threadpool_limits(1):
        for loss in settings.only:
            print(measure(loss, settings), flush=True)


if __name__ == "__main__":
    main()
