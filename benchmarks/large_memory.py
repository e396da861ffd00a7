"""Peak memory of large tables: python -m benchmarks.large_memory [rows ...]

Each kind of X is trained for some seconds in a process of its own. Printed are the bytes of X as it is given, and the
most anonymous memory (of Linux: mapped files and the system's cache apart) before the problem is made, X in memory and
the targets included, and above that while it is made and trained.
"""

import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

COLUMNS, SECONDS = 20, 30.0
KINDS = ("float64", "float32", "memmap", "parquet")


def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


class Peak(threading.Thread):
    """Samples the anonymous memory every few milliseconds."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most = 0

    def run(self):
        while True:
            self.most = max(self.most, anonymous())
            time.sleep(0.005)


def blocks(n):
    for first in range(0, n, 100_000):
        rng = np.random.default_rng(first)
        X = rng.standard_normal((min(100_000, n - first), COLUMNS), dtype=np.float32)
        y = np.sin(2 * X[:, 0]) + np.maximum(X[:, 1] - X[:, 2], 0.0) + 0.3 * rng.standard_normal(len(X))
        yield first, X, y


def write(folder, n):
    import polars as pl

    mapped = np.lib.format.open_memmap(f"{folder}/X.npy", mode="w+", dtype=np.float32, shape=(n, COLUMNS))
    y = np.empty(n)
    for first, X, part in blocks(n):
        mapped[first : first + len(X)], y[first : first + len(X)] = X, part
    mapped.flush()
    np.save(f"{folder}/y.npy", y)
    pl.DataFrame({f"x{k}": mapped[:, k] for k in range(COLUMNS)}).write_parquet(f"{folder}/X.parquet")


def given(kind, folder):
    import neuralgauge as ng

    if kind == "parquet":
        return ng.ParquetRows(f"{folder}/X.parquet", memory=2**20)
    mapped = np.load(f"{folder}/X.npy", mmap_mode="r")
    return mapped if kind == "memmap" else np.array(mapped, dtype=kind)


def measure(kind, folder):
    import neuralgauge as ng

    small = np.random.default_rng(0).standard_normal((500, 3))
    ng.train(ng.TrainingProblem(small, small[:, 0], beta=1.0), gap=0.1)  # compiles
    X, y = given(kind, folder), np.load(f"{folder}/y.npy")
    before, peak = anonymous(), Peak()
    peak.start()
    problem = ng.TrainingProblem(X, y, beta=1.0)
    made = max(peak.most - before, 0)
    problem = problem.with_beta(0.01 * ng.beta_max(problem))
    solution = ng.train(problem, gap=1e-2, time_limit=SECONDS)
    size = len(y) * COLUMNS * (8 if kind == "float64" else 4)
    figures = (size, before, made, peak.most - before)
    print(
        f"{kind:8}{len(y):>12,}", *(f"{figure / 1e6:>10.0f}" for figure in figures), f"{solution.certificate.gap:9.1e}"
    )


def main(sizes):
    print("kind            rows      X, MB     before       made       peak       gap", flush=True)
    for n in sizes:
        with tempfile.TemporaryDirectory() as folder:
            write(folder, n)
            for kind in KINDS:
                command = [sys.executable, "-m", "benchmarks.large_memory", "--one", kind, folder]
                subprocess.run(command, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(*sys.argv[2:])
    else:
        main([int(float(n)) for n in sys.argv[1:]] or [1_000_000])
