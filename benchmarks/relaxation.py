"""The proven gap of `prove_bound` against seconds, on standardised rows of diabetes.

    python benchmarks/relaxation.py [--rows 60 200 442] [--shares 0.3 0.1] [--seconds 30]

Up to 60 rows have six columns (bmi, s5, bp, s6, age, sex), more rows all ten; a column of ones
is appended. Penalties are shares of beta_max. The gap is relative to the objective of a network that `train` finds.
"""

import argparse

import numpy as np
from sklearn.datasets import load_diabetes

import neuralgauge as ng

COLUMNS = (2, 8, 3, 9, 0, 1, 4, 5, 6, 7)
MOMENTS = (1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 180.0)


def diabetes(n, share):
    """n rows drawn at random, standardised, at a share of beta_max."""
    X, y = load_diabetes(return_X_y=True)
    rows = np.random.default_rng(0).choice(len(y), n, replace=False)
    X, y = X[np.ix_(rows, COLUMNS[:6] if n <= 60 else COLUMNS)], y[rows]
    problem = ng.TrainingProblem((X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std(), beta=1.0)
    return problem.with_beta(share * float(ng.beta_max(problem)))


def main():
    """Print a line a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[60, 200, 442])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.3, 0.1])
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    for n in given.rows:
        for share in given.shares:
            problem = diabetes(n, share)
            upper = ng.train(problem, gap=1e-5, time_limit=20.0, prove=False).certificate.upper
            bound = ng.prove_bound(problem, time_limit=given.seconds)
            print(f"{n} x {problem.d}, {share:.0%} of beta_max:", end="")
            for moment in (*(one for one in MOMENTS if one < given.seconds), given.seconds):
                known = [record.lower_bound for record in bound.history if record.seconds <= moment]
                if known:
                    print(f"  {1 - known[-1] / upper:.2%} in {moment:g} s", end="")
            print(f"  ({len(bound.history) - 1} proofs)", flush=True)


if __name__ == "__main__":
    main()
