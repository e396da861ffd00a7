"""Pruning what training leaves: neurons and objective, without loss, down to a width, and within an objective.

    python benchmarks/pruning.py [--within] [--data FOLDER]

scikit-learn's diabetes, X and y standardised, squared loss, beta 10; networks of `train` at two gaps, and a wide
one of L-BFGS. One BLAS thread; seconds of the first row of each network are those of making it.

--within: the fewest neurons found for an objective that is 0.1, 1 and 5 % higher, on tables of the data folder and
diabetes, columns and numeric targets standardised, at 3 and 0.3 % of beta_max, trained to a gap of 1e-3 or until 60
seconds are over. kin8nm by its first 1,500 rows; mammographic and blood by the logistic loss. Processor seconds of one
thread. The constants of the search were chosen on yacht, mammographic and diabetes; the others were not looked at.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from classification import DEFAULT_DATA
from sklearn.datasets import load_diabetes
from threadpoolctl import threadpool_limits

import neuralgauge as ng
from neuralgauge.solvers.local_search import local_search

GAPS, WIDTHS = (1e-4, 1e-6), (None, 40, 30, 20, 10)
SHARES, WITHIN = (0.03, 0.003), (0.001, 0.01, 0.05)
TABLES = {
    "diabetes": "",
    "yacht": "regression/yacht.npz",
    "mammographic": "uci/mammographic.npz",
    "boston": "boston.npz",
    "energy": "regression/energy.npz",
    "blood": "uci/blood.npz",
    "kin8nm": "kin8nm.npz",
}
MOST_ROWS = 1500
WIDE, ITERATIONS = 600, 500  # a network of L-BFGS alone, wider than there are samples


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def sources(problem):
    """Names of networks and how to make them."""
    for gap in GAPS:
        yield f"trained to {gap:.0e}", lambda gap=gap: ng.train(problem, gap=gap).network
    rng = np.random.default_rng(0)
    U, A = 0.1 * rng.standard_normal((problem.d, WIDE)), 0.1 * rng.standard_normal(WIDE)
    start = ng.TwoLayerNetwork(U, A)
    yield f"{WIDE} neurons, {ITERATIONS} steps of L-BFGS", lambda: local_search(problem, start, ITERATIONS)


def main() -> None:
    features, target = load_diabetes(return_X_y=True)
    problem = ng.TrainingProblem(standardised(features), standardised(target), beta=10.0)
    print("| network | width asked for | neurons | objective | cost | outputs moved | seconds |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for name, make in sources(problem):
        started = time.perf_counter()
        network = make()
        seconds, value = time.perf_counter() - started, problem.objective(network)
        print(f"| {name} | | {network.n_neurons} | {value:.6f} | | | {seconds:.2f} |", flush=True)
        outputs = network.forward(problem.X)
        for width in WIDTHS:
            started = time.perf_counter()
            pruning = ng.prune(network, problem, width)
            seconds = time.perf_counter() - started
            moved = np.abs(pruning.network.forward(problem.X) - outputs).max()
            print(
                f"| | {width or 'none: no loss'} | {pruning.width} | {pruning.after:.6f} | {pruning.cost:.0e} "
                f"| {moved:.0e} | {seconds:.2f} |",
                flush=True,
            )


def problem_of(name, folder):
    """The table under beta 1; None where it is not there."""
    if not TABLES[name]:
        X, y = load_diabetes(return_X_y=True)
    elif not (folder / TABLES[name]).exists():
        return None
    else:
        with np.load(folder / TABLES[name]) as data:
            X, y = data["X"][:MOST_ROWS].astype(float), data["y"][:MOST_ROWS].astype(float)
    X = standardised(X[:, X.std(axis=0) > 0.0])
    if TABLES[name].startswith("uci"):
        return ng.TrainingProblem(X, np.where(y == y.max(), 1.0, -1.0), beta=1.0, loss="logistic")
    return ng.TrainingProblem(X, standardised(y), beta=1.0)


def within(folder) -> None:
    heads = " | ".join(f"within {share:.1%} | cost | s" for share in WITHIN)
    print(f"| table | n | d | beta / beta_max | trained, s | neurons | at least | {heads} |")
    print("|---|" + "--:|" * (6 + 3 * len(WITHIN)), flush=True)
    for name in TABLES:
        table = problem_of(name, folder)
        for share in SHARES if table is not None else ():
            problem = table.with_beta(share * ng.beta_max(table))
            started = time.process_time()
            network = ng.train(problem, gap=1e-3, prove=False, n_jobs=1, time_limit=60.0).network
            row = [name, problem.n, problem.d - 1, share, f"{time.process_time() - started:.1f}", network.n_neurons]
            cells = []
            for most in WITHIN:
                started = time.process_time()
                pruning = ng.prune(network, problem, within=most)
                cells += [pruning.width, f"{pruning.cost:.2%}", f"{time.process_time() - started:.1f}"]
            print("| " + " | ".join(map(str, [*row, pruning.at_least, *cells])) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--within", action="store_true", help="the fewest neurons within an objective, on tables")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder with the sets")
    settings = parser.parse_args()
    with threadpool_limits(1, "blas"):
        within(settings.data) if settings.within else main()
