"""Which 120 patterns: the optimum of the convex program over the patterns of every strategy of `sample_patterns`.

    python benchmarks/strategies.py [--patterns 120] [--beta 10] [--seeds 5]

Data: scikit-learn's diabetes, X and y standardised (population deviation), ones appended: n 442, d 11. Every
pattern is used with both signs, to a gap of 1e-6. The network whose patterns are taken has as many neurons as patterns
are wanted; scikit-learn's MLPRegressor trains it by L-BFGS on the same objective, but for biases, which it does not
penalise. `train` says what is best over all patterns. Seeds change the draws and the network.
"""

import argparse
import time
import warnings

import numpy as np
from program import diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

import neuralgauge as ng
from neuralgauge.networks.foreign import network_of

ROWS = {  # label: strategy, iterations of the network or None
    "Gaussian vectors": ("gaussian", None),
    "neurons before training": ("initial", None),
    "clusters": ("clusters", None),
    "sign flips of Gaussian vectors": ("sign_flips", None),
    "neurons after 20 iterations": ("network", 20),
    "neurons after 100 iterations": ("network", 100),
    "neurons after 1,000 iterations": ("network", 1000),
    "sign flips of neurons after 1,000": ("sign_flips", 1000),
}


def perceptron(problem, width, iterations, seed):
    # With alpha = beta scikit-learn minimises 1/n of our objective, with unpenalised biases.
    model = MLPRegressor(
        hidden_layer_sizes=(width,),
        solver="lbfgs",
        alpha=problem.beta,
        max_iter=iterations,
        random_state=seed,
        tol=1e-12,
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return network_of(model.fit(problem.X[:, :-1], problem.y))


def measure(problem, strategy, iterations, settings):
    found = []
    for seed in range(settings.seeds):
        network = iterations and perceptron(problem, settings.patterns, iterations, seed)
        start = time.perf_counter()
        patterns = ng.sample_patterns(problem.X, settings.patterns, seed, strategy=strategy, network=network)
        seconds = time.perf_counter() - start
        solved = ng.solve_program(problem, patterns, tol=1e-6)
        own = problem.objective(network) if network else np.nan
        found.append((solved.certificate.upper, len(patterns), own, seconds))
    return np.array(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patterns", type=int, default=120)
    parser.add_argument("--beta", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=5)
    settings = parser.parse_args()
    X, y = diabetes()
    problem = ng.TrainingProblem(X[:, :-1], y, beta=settings.beta)
    print("| vectors u | patterns | objective: median | least | most | network's own | sampling, s |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    with threadpool_limits(1, "blas"):
        for label, (strategy, iterations) in ROWS.items():
            values, counts, own, seconds = measure(problem, strategy, iterations, settings).T
            network = f"{np.median(own):.3f}" if iterations else ""
            print(
                f"| {label} | {np.median(counts):.0f} | {np.median(values):.3f} | {values.min():.3f} | "
                f"{values.max():.3f} | {network} | {np.median(seconds):.3f} |"
            )
        solution = ng.train(problem, gap=1e-4)
    print(f"\nover all patterns: {solution.certificate.upper:.3f}, lower bound {solution.certificate.lower:.3f}")


if __name__ == "__main__":
    main()
