"""Pruning what training leaves: neurons and objective, without loss and down to a width.

    python benchmarks/pruning.py

scikit-learn's diabetes, X and y standardised, squared loss, beta 10; networks of `train` at two gaps, and a wide
one of L-BFGS. One BLAS thread; seconds of the first row of each network are those of making it.
"""

import time

import numpy as np
from sklearn.datasets import load_diabetes
from threadpoolctl import threadpool_limits

import neuralgauge as ng
from neuralgauge.solvers.local_search import local_search

GAPS, WIDTHS = (1e-4, 1e-6), (None, 40, 30, 20, 10)
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


if __name__ == "__main__":
    with threadpool_limits(1, "blas"):
        main()
