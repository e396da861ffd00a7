"""Convolutional ReLU networks against gradient descent on CIFAR-10, and on MNIST as images grow in number.

    python benchmarks/conv.py [--data DIR] [--only cifar mnist] [--subsets 5] [--readouts pooled flattened]

`cifar10.npz` and `mnist.npz` in DIR hold X, y, X_test, y_test (images uint8, labels 0 to 9); the first holds at least
airplanes and automobiles, classes 0 and 1.

CIFAR-10, the size of the paper's Fig. 10: 195 images of two classes, 4 x 4 x 3 filters at stride 4 without bias, hinge
loss; the paper leaves beta open, here 2 % of beta_max (pooled) or 5 % (flattened, with an output weight a filter for
each of 64 positions). Channels are standardised by the subset. Ours stops at a gap of 1 % or --time-limit.
Gradient descent: 50 filters, batches of 20, momentum 0.9, --epochs passes with the step decaying along a cosine, on the
mean loss with its share of the penalty; its first step is the best of four on the first start, whose time is not
counted; five starts, balanced at the end. Objectives are computed from the weights by the library's own objective,
which the tests compare with loops over patches.

MNIST: fours against nines, 5 x 5 filters, pooled, with bias, hinge, beta 2 % of beta_max; one run for each number of
images, with --mnist-limit seconds. Two threads for everybody; every run is a process of its own.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import measure
import numpy as np

import neuralgauge as ng

DEFAULT_DATA = Path(os.environ.get("NEURALGAUGE_DATA", "../shared/data"))
FILTERS, BATCH, MOMENTUM = 50, 20, 0.9
FRACTIONS = {"pooled": 0.02, "flattened": 0.05}  # of beta_max
STEPS = (0.003, 0.01, 0.03, 0.1)
THREADS = dict.fromkeys(measure.THREAD_VARIABLES, 2)


def problem_of(data):
    return ng.ReLUConvProblem(
        data["X"],
        data["y"],
        beta=float(data["beta"]),
        filter_size=int(data["size"]),
        stride=int(data["stride"]),
        readout=str(data["readout"]),
        loss="hinge",
        bias=bool(data["bias"]),
    )


def warm_up(data):
    few = {**data, "X": data["X"][:20], "y": data["y"][:20]}
    ng.train(problem_of(few), gap=0.3, time_limit=5.0, prove=False)


def described(network, problem, data, **more):
    labels = np.sign(network.predict(data["X_test"]))
    objective = problem.objective(network.balance())
    return {"objective": objective, "accuracy": np.mean(labels == data["y_test"]), **more}


def ours(data):
    warm_up(data)

    def run():
        problem = problem_of(data)
        solution = ng.train(problem, gap=float(data["gap"]), time_limit=float(data["limit"]), prove=False)
        c = solution.certificate
        more = {"gap": c.gap, "scope": c.scope, "filters": solution.network.n_neurons, "rows": len(problem.X)}
        return described(solution.network, problem, data, **more)

    return run


def descended(problem, U, A, step, epochs, rng):
    """Momentum on mini-batches of whole samples; the weights at the end."""
    n, K = problem.n, len(problem.X) // problem.n
    X, readout = problem.X.reshape(n, K, -1), problem.readout
    dU, dA = np.zeros_like(U), np.zeros_like(A)
    for epoch in range(epochs):
        rate = 0.5 * step * (1.0 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(n)
        for first in range(0, n, BATCH):
            chosen = np.sort(order[first : first + BATCH])
            rows, part = X[chosen].reshape(len(chosen) * K, -1), readout.part(chosen)[1]
            Z = rows @ U
            H = np.maximum(Z, 0.0)
            f = part.outputs(H, A)[:, 0]
            g = problem.loss.gradient(f, problem.y[chosen])[:, None] / len(chosen)
            by_U = rows.T @ ((Z > 0.0) * part.along(g, A)) + problem.beta / n * U
            by_A = part.gains(g, H) + problem.beta / n * A
            dU, dA = MOMENTUM * dU - rate * by_U, MOMENTUM * dA - rate * by_A
            U, A = U + dU, A + dA
    return U, A


def start(problem, rng):
    """He's initialisation of the filters, and output weights of variance 1 / m."""
    U = rng.standard_normal((problem.d, FILTERS)) * np.sqrt(2.0 / problem.d)
    return U, rng.standard_normal((FILTERS, problem.q)) / np.sqrt(FILTERS)


def gradient_descent(data):
    problem, epochs = problem_of(data), int(data["epochs"])
    if len(problem.X) % problem.n:
        # Equal patches were joined, and batches of whole samples need as many rows for each.
        noise = 1e-12 * np.random.default_rng(0).standard_normal(data["X"].shape)
        problem = problem_of({**data, "X": data["X"] + noise})

    def objective(U, A):
        with np.errstate(over="ignore", invalid="ignore"):
            value = problem.fit.value(problem.outputs(problem.empty_network().with_neurons(U, A)))
        return value + 0.5 * problem.beta * (np.sum(U**2) + np.sum(A**2))

    def tried(step):
        rng = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            U, A = descended(problem, *start(problem, rng), step, epochs // 4, rng)
        return objective(U, A) if np.isfinite(U).all() and np.isfinite(A).all() else np.inf

    step = min(STEPS, key=tried)

    def run():
        found, seconds = [], []
        for seed in range(int(data["starts"])):
            rng, begun = np.random.default_rng(seed), time.perf_counter()
            U, A = descended(problem, *start(problem, rng), step, epochs, rng)
            network = problem.empty_network().with_neurons(U, A)
            found.append(described(network, problem, data))
            seconds.append(time.perf_counter() - begun)
        best = min(found, key=lambda one: one["objective"])
        worst = max(one["objective"] for one in found)
        return {**best, "worst": worst, "step": step, "each": np.median(seconds)}

    return run


def two_classes(path, first, second):
    with np.load(path) as data:
        parts = {name: data[name] for name in ("X", "y", "X_test", "y_test")}
    result = []
    for images, labels in (("X", "y"), ("X_test", "y_test")):
        chosen = np.isin(parts[labels], (first, second))
        result += [parts[images][chosen] / 255.0, np.where(parts[labels][chosen] == second, 1.0, -1.0)]
    return result


def cifar(settings):
    X, y, X_test, y_test = two_classes(settings.data / "cifar10.npz", 0, 1)
    for readout in settings.readouts:
        print(f"\nCIFAR-10, {readout}: objective, gap, test accuracy, seconds, MB", flush=True)
        rows = []
        for seed in range(settings.subsets):
            chosen = np.random.default_rng(seed).choice(len(X), 195, replace=False)
            mean, scale = X[chosen].mean(axis=(0, 1, 2)), X[chosen].std(axis=(0, 1, 2))
            data = {"X": (X[chosen] - mean) / scale, "y": y[chosen], "X_test": (X_test - mean) / scale}
            data |= {"y_test": y_test, "size": 4, "stride": 4, "bias": False, "beta": 1.0, "gap": 0.01}
            data |= {"readout": readout, "limit": settings.time_limit, "epochs": settings.epochs, "starts": 5}
            data["beta"] = FRACTIONS[readout] * ng.beta_max(problem_of(data))
            one = measure.run_apart(__file__, "neuralgauge", data, THREADS)
            other = measure.run_apart(__file__, "gradient_descent", data, THREADS)
            rows.append((one, other))
            print(
                f"subset {seed}  ours {one['objective']:.4f} gap {one['gap']:.1e} accuracy {one['accuracy']:.3f} "
                f"{one['seconds']:.1f} s {one['peak']:.0f} MB, {one['filters']} filters;  descent best "
                f"{other['objective']:.4f} worst {other['worst']:.4f} accuracy {other['accuracy']:.3f} "
                f"{other['seconds']:.1f} s (each {other['each']:.1f}), step {other['step']}",
                flush=True,
            )
        for name, part in (("ours", 0), ("descent", 1)):
            means = [np.mean([row[part][key] for row in rows]) for key in ("objective", "accuracy", "seconds", "peak")]
            print("mean {:8} {:.4f} {:.4f} {:.1f} s {:.0f} MB".format(name, *means), flush=True)


def mnist(settings):
    X, y, X_test, y_test = two_classes(settings.data / "mnist.npz", 4, 9)
    print(f"\nMNIST, fours and nines, stride {settings.stride}, limit {settings.mnist_limit} s", flush=True)
    for n in settings.sizes:
        data = {"X": X[:n, ..., None], "y": y[:n], "X_test": X_test[..., None], "y_test": y_test, "size": 5}
        data |= {"stride": settings.stride, "bias": True, "readout": "pooled", "gap": 0.01, "beta": 1.0}
        data |= {"limit": settings.mnist_limit}
        few = {**data, "X": data["X"][:1000], "y": data["y"][:1000]}
        data["beta"] = 0.02 * len(data["X"]) / len(few["X"]) * ng.beta_max(problem_of(few))
        found = measure.run_apart(__file__, "neuralgauge", data, THREADS)
        print(
            f"{len(data['X'])} images, {found['rows']} patches: objective {found['objective']:.4f} gap "
            f"{found['gap']:.1e} {found['scope']} accuracy {found['accuracy']:.4f} {found['filters']} filters "
            f"{found['seconds']:.1f} s {found['peak']:.0f} MB (added {found['added']:.0f})",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) == 4 and not sys.argv[1].startswith("-"):
        measure.main({"neuralgauge": ours, "gradient_descent": gradient_descent})
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
        parser.add_argument("--only", nargs="+", choices=("cifar", "mnist"), default=["cifar", "mnist"])
        parser.add_argument("--subsets", type=int, default=5)
        parser.add_argument("--readouts", nargs="+", choices=("pooled", "flattened"), default=["pooled", "flattened"])
        parser.add_argument("--epochs", type=int, default=100)
        parser.add_argument("--time-limit", type=float, default=60.0)
        parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000, 5000])
        parser.add_argument("--stride", type=int, default=1)
        parser.add_argument("--mnist-limit", type=float, default=120.0)
        arguments = parser.parse_args()
        for part in arguments.only:
            {"cifar": cifar, "mnist": mnist}[part](arguments)
