"""A path of 50 penalties on scikit-learn's diabetes, in multiples of the time of its hardest point alone.

    python benchmarks/path.py [--points 50] [--ratio 1e-3] [--gap 1e-3] [--alone 3] [--time-limit SECONDS]

X and y are standardised and a column of ones is appended; squared loss; pricing by search. The points that took longest
on the path are trained again from nothing, and the slowest of these is the hardest. Wanted: a ratio below 10.
"""

import argparse

import numpy as np
from sklearn.datasets import load_diabetes

import neuralgauge as ng


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--ratio", type=float, default=1e-3, help="last beta over the first")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--alone", type=int, default=3, help="points that are trained from nothing too")
    parser.add_argument("--time-limit", type=float, help="seconds for the path")
    settings = parser.parse_args()
    X, y = load_diabetes(return_X_y=True)
    problem = ng.TrainingProblem(standardised(X), standardised(y), beta=1.0)
    ng.train(problem.with_data(problem.X[:40, :-1], problem.y[:40]), gap=0.1, prove=False)  # loads the compiler

    def show(beta, solution):
        certificate = solution.certificate
        print(
            f"{beta:10.4f} {certificate.upper:12.6f} {certificate.gap:8.1e} {solution.network.n_neurons:4} "
            f"{solution.n_iter:3} {solution.seconds:8.2f}  {solution.status.name.lower()}",
            flush=True,
        )

    print(f"{'beta':>10} {'objective':>12} {'gap':>8} {'m':>4} {'it':>3} {'seconds':>8}")
    path = ng.relu_path(
        problem, settings.points, settings.ratio, gap=settings.gap, prove=False, time_limit=settings.time_limit,
        progress=show,
    )  # fmt: skip
    seconds = path.summary()["seconds"].to_numpy()
    print(f"{len(path)} points in {seconds.sum():.1f} s; {path.status.value}\nfrom nothing:")
    alone = []
    for k in np.argsort(-seconds)[: settings.alone]:
        solution = ng.train(problem.with_beta(path.betas[k]), settings.gap, prove=False)
        show(path.betas[k], solution)
        alone.append(solution.seconds)
    ratio = seconds.sum() / max(alone)
    print(f"path over hardest point: {ratio:.1f} (wanted 10: {'met' if ratio < 10 else 'missed'})")


if __name__ == "__main__":
    main()
