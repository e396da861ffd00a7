"""Linear convolutional networks: the certified optimum against gradient descent on filters and output weights.

    python benchmarks/linear_conv.py [--only TEXT ...] [--data FOLDER] [--descent SECONDS] [--threads N]

CIFAR-10, airplanes against automobiles: the first 387 as signals of 3,072 numbers with circular padding, filters of 10,
as in Fig. 5 of the paper. MNIST, all ten classes: filters of 5 x 5. Pixels are divided by 255; beta is a fraction of
beta_max. Read from cifar10.npz and mnist.npz (arrays X and y) in the data folder; problems without their file are left
out. Every run is a process of its own, imports and a small training run come before the clock, and every objective is
computed here from the weights that came back. `cpu` is processor time, on which a busy machine has less influence; the
seconds asked for are of that. Gradient descent is Adam on all samples at once, from small random filters, the best of
three learning rates; beside its objective stands how far its filters are, as |U U^T - U* U*^T| / |U* U*^T|, which no
rotation of filters changes.
"""

import argparse
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import THREAD_VARIABLES, run_apart
from measure import main as run_as_competitor

DEFAULT_DATA = Path(os.environ.get("NEURALGAUGE_DATA", "../shared/data"))
RATES = (1e-1, 1e-2, 1e-3)
MOMENTS = (0.9, 0.999)


@dataclass
class Case:
    """One problem and what must come out."""

    name: str
    file: str
    loss: str
    fraction: float
    n: int
    gap: float
    within: float | None = None  # processor seconds
    descend: bool = False


CASES = [
    Case("CIFAR, 10 %", "cifar10.npz", "squared", 0.1, 387, 1e-8, 1.0, True),
    Case("CIFAR, 1 %", "cifar10.npz", "squared", 0.01, 387, 1e-8, 1.0, True),
    Case("CIFAR, hinge, 10 %", "cifar10.npz", "hinge", 0.1, 387, 1e-8),
    Case("CIFAR, hinge, 1 %", "cifar10.npz", "hinge", 0.01, 387, 1e-8),
    *(
        Case(f"MNIST, {loss}, {fraction:.0%}", "mnist.npz", loss, fraction, n, 1e-6)
        for loss in ("squared", "softmax")
        for fraction in (0.1, 0.01)
        for n in (1000, 5000)
    ),
]


def problem_of(data):
    import neuralgauge as ng

    options = {"filter_size": (5, 5)}
    if data["images"].ndim == 2:
        options = {"filter_size": 10, "padding": "same", "padding_mode": "circular"}
    problem = ng.LinearConvProblem(data["images"], data["y"], beta=1.0, loss=str(data["loss"]), **options)
    return problem.with_beta(float(data["fraction"]) * ng.beta_max(problem))


def train(data):
    import time

    import neuralgauge as ng

    few = {**data, "images": data["images"][:40], "y": data["y"][:40]}
    ng.train(problem_of(few), gap=1e-2)
    problem = problem_of(data)

    def solve():
        start = time.process_time()
        solution = ng.train(problem, float(data["gap"]))
        processor = time.process_time() - start
        network, certificate = solution.network, solution.certificate
        return {"U": network.U, "A": network.A, "lower": certificate.lower, "n_iter": solution.n_iter, "cpu": processor}

    return solve


def descend(data):
    """Adam on U and A for so many seconds; the best network that it meets."""
    import time

    import neuralgauge as ng
    from neuralgauge.programs.linear_conv import LinearConvProgram

    problem = problem_of(data)
    program, rng = LinearConvProgram(problem), np.random.default_rng(0)
    d, width = problem.d, problem.n_positions * problem.c
    start = [0.1 * rng.standard_normal((d, d)), 0.1 * rng.standard_normal((d, width)) / np.sqrt(width)]

    def gradients(U, A):
        v = program.adjoint(problem.fit.gradient(program.forward(U @ A)))
        return [v @ A.T + problem.beta * U, U.T @ v + problem.beta * A]

    def solve():
        weights, moments = [w.copy() for w in start], [[np.zeros_like(w), np.zeros_like(w)] for w in start]
        best, kept, began, step = np.inf, start, time.perf_counter(), 0
        while time.perf_counter() - began < float(data["seconds"]):
            step += 1
            for weight, moment, gradient in zip(weights, moments, gradients(*weights), strict=True):
                for order, decay in enumerate(MOMENTS):
                    moment[order] += (1.0 - decay) * (gradient ** (order + 1) - moment[order])
                mean, square = (m / (1.0 - decay**step) for m, decay in zip(moment, MOMENTS, strict=True))
                weight -= float(data["rate"]) * mean / (np.sqrt(square) + 1e-8)
            if step % 20 == 0:
                U, A = weights
                net = ng.LinearConvNetwork(U, A.reshape(d, problem.n_positions, -1), problem.geometry).balance()
                if (value := problem.objective(net)) < best:
                    best, kept = value, [net.U, net.A.reshape(net.n_neurons, -1)]
        return {"U": kept[0], "A": kept[1].reshape(kept[1].shape[0], problem.n_positions, -1), "n_iter": step}

    return solve


# Running.


def read(case, folder):
    with np.load(folder / case.file) as arrays:
        X, y = arrays["X"], arrays["y"]
    if case.file == "cifar10.npz":
        chosen = np.flatnonzero(y < 2)[: case.n]
        return X[chosen].reshape(len(chosen), -1) / 255.0, np.where(y[chosen] == 0, 1.0, -1.0)
    images, labels = X[: case.n, :, :, None] / 255.0, y[: case.n].astype(int)
    return images, labels if case.loss == "softmax" else np.eye(10)[labels]


def objective(problem, found):
    """[9] of the network that came back, from its own outputs."""
    import neuralgauge as ng

    return problem.objective(ng.LinearConvNetwork(found["U"], found["A"], problem.geometry))


def measure(case, settings):
    images, y = read(case, settings.data)
    data = {"images": images, "y": y, "loss": case.loss, "fraction": case.fraction, "gap": case.gap}
    threads = dict.fromkeys(THREAD_VARIABLES, settings.threads)
    problem = problem_of(data)
    found = run_apart(__file__, "train", data, threads)
    value, lower, seconds = objective(problem, found), float(found["lower"]), float(found["seconds"])
    gap = max(0.0, (value - lower) / value)
    processor = float(found["cpu"])
    wrong = [text for text, bad in (("gap", gap > case.gap), ("seconds", processor > (case.within or np.inf))) if bad]
    must = f"gap {case.gap:.0e}" + (f", {case.within:.0f} s" if case.within else "")
    memory = f"{float(found['peak']):6.0f} {float(found['added']):6.0f}"
    print(
        f"{case.name:20} {case.n:5} {problem.beta:9.3f} {must:15} {value:13.6f} {lower:13.6f} {gap:8.1e} "
        f"{seconds:8.2f} {processor:8.2f} {int(found['n_iter']):4} {found['U'].shape[1]:7} {memory}  "
        f"{'missed: ' + ', '.join(wrong) if wrong else 'met'}",
        flush=True,
    )
    if not case.descend or settings.descent == 0:
        return
    runs = []
    for rate in RATES:
        run = run_apart(__file__, "descend", {**data, "rate": rate, "seconds": settings.descent}, threads)
        runs.append((objective(problem, run), rate, run))
    best, rate, run = min(runs, key=lambda found: found[0])
    outer, optimal = run["U"] @ run["U"].T, found["U"] @ found["U"].T
    away = np.linalg.norm(outer - optimal) / np.linalg.norm(optimal)
    print(
        f"  Adam, rate {rate:g}, {int(run['n_iter'])} steps in {settings.descent:g} s: {best:.6f}, "
        f"{(best - lower) / best:.1e} above the bound; filters {away:.1e} away",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="TEXT", help="problems with one of these in their name"
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of cifar10.npz and mnist.npz")
    parser.add_argument(
        "--descent", type=float, default=20.0, help="seconds of gradient descent a rate; 0 leaves it out"
    )
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads of every run (default 1)")
    settings = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {settings.threads} BLAS thread(s), one run each")
    print(
        f"{'problem':20} {'n':>5} {'beta':>9} {'must':15} {'objective':>13} {'lower':>13} {'gap':>8} {'seconds':>8} "
        f"{'cpu':>8} {'it':>4} {'filters':>7} {'MB':>6} {'added':>6}"
    )
    for case in CASES:
        if not any(text.lower() in case.name.lower() for text in settings.only):
            continue
        if not (settings.data / case.file).exists():
            print(f"{case.name:20} left out: there is no {settings.data / case.file}", file=sys.stderr)
            continue
        measure(case, settings)


if __name__ == "__main__":
    kinds = {"train": train, "descend": descend}
    if len(sys.argv) > 1 and sys.argv[1] in kinds:
        run_as_competitor(kinds)
    else:
        main()
