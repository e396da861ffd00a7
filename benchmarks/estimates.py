"""How often "estimated" lower bounds are wrong: above the objective of a network that longer runs find.

    python benchmarks/estimates.py [--family hard ordinary] [--count 60] [--first 0] [--runs 2] [--seconds 25]
                                   [--data FOLDER] [--save FILE]

Problems are drawn at random: subsets of tables, and Gaussian rows with targets that are noise, a product, or a sum of
kinks. "hard" has d from a tenth of n up to n and beta from 0.5 to 10 % of beta_max, "ordinary" up to 13 columns and
beta from 1 to 30 %. Each is trained without proof at gap 1e-4, and again at gap 1e-6 from other seeds (`--runs` times,
at most `--seconds` each). An estimate is wrong if its bound exceeds the best objective by more than 1e-9 of it.
`--save` keeps the results as JSON lines and goes on where a run was cut short. Tables of the data folder
(NEURALGAUGE_DATA) are used where it is there, in place of those that scikit-learn brings along.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
from sklearn import datasets

import neuralgauge as ng

DEFAULT_DATA = Path(os.environ.get("NEURALGAUGE_DATA", "../shared/data"))
# Tables that no constant of the search was chosen on.
TABLES = (
    "uci/statlog-heart", "uci/hill-valley", "uci/spect", "uci/twonorm", "uci/statlog-australian-credit",
    "uci/fertility", "uci/ecoli", "uci/pittsburg-bridges-T-OR-D", "uci/chess-krvkp", "boston", "bank32nh", "kin8nm",
)  # fmt: skip
BUILT_IN = (datasets.load_diabetes, datasets.load_breast_cancer, datasets.load_wine)
WRONG = 1e-9


def table(folder, rng):
    """X and y of a table, from the folder or from scikit-learn."""
    if folder.is_dir():
        with np.load(folder / f"{rng.choice(TABLES)}.npz") as data:
            return np.asarray(data["X"], dtype=float), np.asarray(data["y"], dtype=float)
    return BUILT_IN[rng.integers(len(BUILT_IN))](return_X_y=True)


def rows(family, rng, folder):
    """Some rows and columns of a table, or Gaussian ones, standardised."""
    if family == "hard":
        n = int(rng.choice([30, 40, 60, 80, 100]))
        d = max(4, int(rng.uniform(0.1, 1.0) * n) - 1)
    else:
        n, d = int(rng.choice([60, 100, 150, 250])), int(rng.choice([4, 5, 6, 8, 10, 12]))
    if rng.random() < 0.5:
        X, y = table(folder, rng)
        chosen = rng.permutation(len(X))[:n]
        X, y = X[chosen], y[chosen]
        X = X[:, X.std(axis=0) > 1e-9]
        X = X[:, rng.permutation(X.shape[1])[:d]]
        return (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / max(y.std(), 1e-9)
    X = rng.standard_normal((n, d))
    noise = 0.1 * rng.standard_normal(n)
    kinks = np.abs(X @ rng.standard_normal(d) / np.sqrt(d))
    return X, (rng.standard_normal(n), np.tanh(X[:, 0]) * X[:, 1] + noise, kinks + noise)[rng.integers(3)]


def problem_of(family, seed, folder):
    """The problem of a seed; None where it could be priced exactly by default."""
    rng = np.random.default_rng([seed, 2026, 0 if family == "hard" else 1])
    X, y = rows(family, rng, folder)
    losses = ("squared", "squared", "logistic") if family == "hard" else ("squared", "logistic", "huber", "hinge")
    loss = str(rng.choice(losses))
    if loss in ("logistic", "hinge"):
        y = np.where(y > np.median(y), 1.0, -1.0)
    share = np.exp(rng.uniform(*np.log((0.005, 0.1) if family == "hard" else (0.01, 0.3))))
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss)
    largest = ng.beta_max(problem)
    return problem.with_beta(share * largest) if largest > 0 and np.linalg.matrix_rank(problem.X) > 3 else None


def judged(family, seed, settings):
    """One problem: the estimate, and the best objective of the longer runs."""
    problem = problem_of(family, seed, settings.data)
    if problem is None:
        return None
    begun = time.process_time()
    estimate = ng.train(problem, 1e-4, time_limit=4 * settings.seconds, prove=False).certificate
    seconds = time.process_time() - begun
    others = [
        ng.train(problem, 1e-6, time_limit=settings.seconds, prove=False, random_state=1000 + run).certificate.upper
        for run in range(settings.runs)
    ]
    best = min([estimate.upper, *others])
    return {
        "family": family, "seed": seed, "n": problem.n, "d": problem.d, "loss": problem.loss.name,
        "beta": problem.beta, "upper": estimate.upper, "lower": estimate.lower, "gap": estimate.gap, "best": best,
        "excess": estimate.lower / best - 1.0, "starts": estimate.starts, "unseen": estimate.unseen,
        "weak": estimate.weak, "seconds": seconds,
    }  # fmt: skip


def report(results):
    """One row a family."""
    print(f"{'family':9} {'problems':>8} {'wrong':>5} {'worst':>8} {'weak':>5} {'wrong, not weak':>15} {'seconds':>8}")
    for family in sorted({one["family"] for one in results}):
        those = [one for one in results if one["family"] == family]
        wrong = [one for one in those if one["excess"] > WRONG]
        worst = max((one["excess"] for one in wrong), default=0.0)
        unmarked = sum(not one["weak"] for one in wrong)
        print(
            f"{family:9} {len(those):8} {len(wrong):5} {worst:8.1e} {sum(one['weak'] for one in those):5} "
            f"{unmarked:15} {sum(one['seconds'] for one in those):8.1f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", nargs="+", choices=["hard", "ordinary"], default=["hard", "ordinary"])
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--save", type=Path)
    settings = parser.parse_args()
    done = [json.loads(line) for line in settings.save.read_text().splitlines()] if _there(settings.save) else []
    known = {(one["family"], one["seed"]) for one in done}
    for family in settings.family:
        for seed in range(settings.first, settings.first + settings.count):
            found = None if (family, seed) in known else judged(family, seed, settings)
            if found is not None:
                done.append(found)
                if settings.save is not None:
                    with settings.save.open("a") as file:
                        file.write(json.dumps(found) + "\n")
    report(done)


def _there(path):
    return path is not None and path.exists()


if __name__ == "__main__":
    main()
