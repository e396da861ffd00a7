"""The proven gap of `prove_bound` against seconds.

    python benchmarks/relaxation.py [--table diabetes kin8nm cancer teacher iris ...] [--rows 60 200 442]
                                    [--shares 0.3 0.1] [--seconds 30] [--relaxation rows|quartic|whole] [--data FOLDER]
                                    [--figure FILE]

Tables are standardised and a column of ones is appended. Of diabetes rows are drawn at random, up to 60 with six
columns (bmi, s5, bp, s6, age, sex), more with all ten; cancer has scikit-learn's 569 rows and the logistic loss;
kin8nm is read from kin8nm.npz in the data folder; teacher has a million rows of 20 normal columns and a target of
four neurons with noise. Of several outputs: 75 rows of iris with indicators of the classes as targets, or iris_softmax;
five functions of 25 points in the plane (five); 100 digits of 64 pixels, softmax. Penalties are shares of
beta_max. The gap is relative to the objective of a network that `train` finds, for the teacher of one fitted to 20,000
rows. The figure has a curve of gap against seconds for each problem.
"""

import argparse
import os
import resource
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris

import neuralgauge as ng

COLUMNS = (2, 8, 3, 9, 0, 1, 4, 5, 6, 7)
SEVERAL = ["iris", "iris_softmax", "five", "digits"]
MOMENTS = (1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 180.0)


def standardised(X, y, share, loss="squared"):
    """The problem of a table at a share of beta_max."""
    y = y if loss == "logistic" else (y - y.mean()) / y.std()
    problem = ng.TrainingProblem((X - X.mean(axis=0)) / X.std(axis=0), y, beta=1.0, loss=loss)
    return problem.with_beta(share * float(ng.beta_max(problem)))


def diabetes(n, share):
    """n rows drawn at random."""
    X, y = load_diabetes(return_X_y=True)
    rows = np.random.default_rng(0).choice(len(y), n, replace=False)
    return standardised(X[np.ix_(rows, COLUMNS[:6] if n <= 60 else COLUMNS)], y[rows], share)


def cancer(share):
    """Breast cancer, logistic."""
    X, y = load_breast_cancer(return_X_y=True)
    return standardised(X, 2.0 * y - 1.0, share, "logistic")


def kin8nm(folder, share):
    """All rows of kin8nm."""
    with np.load(Path(folder) / "kin8nm.npz") as data:
        return standardised(data["X"].astype(float), data["y"].astype(float).ravel(), share)


def teacher(share):
    """A million rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1_000_000, 20))
    y = np.maximum(X @ rng.standard_normal((20, 4)), 0.0) @ [1.0, -1.0, 0.5, -0.5] + 0.5 * rng.standard_normal(len(X))
    return standardised(X, y, share)


def several(name, share):
    """A problem of several outputs."""
    rng = np.random.default_rng(0)
    if name == "five":
        X, loss = rng.standard_normal((25, 2)), "squared"
        y = np.column_stack([np.sin(X[:, 0]), np.abs(X[:, 1]), X[:, 0] * X[:, 1], np.cos(X.sum(axis=1)), X[:, 0] ** 2])
    else:
        X, y = (load_digits if name == "digits" else load_iris)(return_X_y=True)
        rows = rng.choice(len(y), 100 if name == "digits" else 75, replace=False)
        X = X[rows] / 16.0 if name == "digits" else ((X - X.mean(axis=0)) / X.std(axis=0))[rows]
        y, loss = (np.eye(3)[y[rows]], "squared") if name == "iris" else (y[rows], "softmax")
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss)
    return problem.with_beta(share * float(ng.beta_max(problem)))


def attained(problem):
    """The objective of a good network."""
    if problem.n <= 20_000:
        return ng.train(problem, gap=1e-5 if problem.n < 2000 else 1e-3, time_limit=30.0, prove=False).certificate.upper
    rows = np.arange(20_000)
    small = problem.part(rows).with_beta(problem.beta * len(rows) / problem.n)
    network = ng.train(small, gap=1e-2, time_limit=60.0, prove=False).network
    return problem.objective(network)


def report(name, problem, given):
    """Print the gaps of one problem."""
    upper = attained(problem)
    bound = ng.prove_bound(problem, time_limit=given.seconds, relaxation=given.relaxation)
    gap = f"{1 - bound.value / upper:.2%}"
    print(f"{name}: {gap} in {bound.seconds:.1f} s;", end="")
    for moment in MOMENTS:
        known = [record.lower_bound for record in bound.history if record.seconds <= moment < bound.seconds]
        if known:
            print(f"  {1 - known[-1] / upper:.2%} in {moment:g} s", end="")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  ({len(bound.history) - 1} proofs; {memory:.0f} MB at most so far)", flush=True)
    return name, [(record.seconds, 1 - record.lower_bound / upper) for record in bound.history[1:]]


def draw(curves, path):
    """Draw gaps against seconds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.subplots()
    for k, (name, points) in enumerate(curves):
        axes.step(*zip(*points, strict=True), where="post", label=name, color=f"C{k // 2}", ls="-" if k % 2 else "--")
    axes.set(xscale="log", yscale="log", xlabel="seconds", ylabel="proven gap", ylim=(None, 1.0))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(path)


def main():
    """Print a line a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tables = ["diabetes", "kin8nm", "cancer", "teacher", *SEVERAL]
    parser.add_argument("--table", nargs="+", default=["diabetes"], choices=tables)
    parser.add_argument("--rows", type=int, nargs="+", default=[60, 200, 442])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.3, 0.1])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--relaxation", choices=["rows", "quartic", "whole"])
    parser.add_argument("--data", default=os.environ.get("NEURALGAUGE_DATA", "../shared/data"))
    parser.add_argument("--figure")
    given = parser.parse_args()
    curves = []
    makers = {"kin8nm": lambda share: kin8nm(given.data, share), "cancer": cancer, "teacher": teacher}
    makers |= {name: partial(several, name) for name in SEVERAL}
    for table in given.table:
        for share in given.shares:
            for n in given.rows if table == "diabetes" else [None]:
                problem = diabetes(n, share) if n else makers[table](share)
                curves.append(report(f"{table}, {problem.n} x {problem.d}, {share:.0%} of beta_max", problem, given))
    if given.figure:
        draw(curves, given.figure)


if __name__ == "__main__":
    main()
