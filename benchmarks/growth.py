"""Time and memory of training as the rows or the columns grow, with slopes: python benchmarks/growth.py [FIGURE.svg]

Data of a teacher network of five neurons with noise of 0.3 of its deviation, float32, squared loss, 5 % of beta_max, to
an estimated gap of 1e-2. Each size is a process of its own with one thread; seconds are the processor's and leave the
making of the data out, memory is the resident peak above what the process holds with the data.
"""

import os
import subprocess
import sys
import time

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

ROWS, COLUMNS = (10_000, 100_000, 1_000_000, 10_000_000), (10, 30, 100, 300, 1_000)
FIXED_COLUMNS, FIXED_ROWS, GAP, LIMIT = 10, 5_000, 1e-2, 100.0


def teacher(n, d):
    rng = np.random.default_rng(0)
    X, U, a = np.empty((n, d), np.float32), rng.standard_normal((d, 5)), rng.standard_normal(5)
    y = np.empty(n)
    for first in range(0, n, 100_000):
        part = rng.standard_normal((min(100_000, n - first), d), dtype=np.float32)
        X[first : first + len(part)], y[first : first + len(part)] = part, np.maximum(part @ U, 0.0) @ a
    return X, y + 0.3 * y.std() * rng.standard_normal(n)


def status(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def run(n, d):
    import neuralgauge as ng

    def train(X, y):
        problem = ng.TrainingProblem(X, y, beta=1.0)
        problem = problem.with_beta(0.05 * ng.beta_max(problem))
        return ng.train(problem, gap=GAP, time_limit=LIMIT, n_jobs=1, prove=False)

    train(*teacher(2_000, 20))
    train(teacher(50_000, 20)[0], teacher(50_000, 20)[1])
    X, y = teacher(n, d)
    with open("/proc/self/clear_refs", "w") as peaks:
        peaks.write("5")
    before, begun = status("VmRSS"), time.process_time()
    solution = train(X, y)
    seconds, memory = time.process_time() - begun, status("VmHWM") - before
    print(n, d, seconds, memory, X.nbytes / 2**20, solution.certificate.gap)


def measured(n, d):
    found = subprocess.run(
        [sys.executable, __file__, "--one", str(n), str(d)], capture_output=True, text=True, check=True
    )
    n, d, seconds, memory, data, gap = (float(word) for word in found.stdout.split())
    print(f"| {int(n):,} x {int(d)} | {seconds:.2f} | {memory:.0f} | {data:.1f} | {gap:.1e} |", flush=True)
    return seconds, memory


def slope(sizes, values):
    return np.polyfit(np.log(sizes), np.log(values), 1)[0]


def main():
    print("| rows x columns | processor s | MB added | MB of X | gap |\n|---|--:|--:|--:|--:|")
    by_rows = np.array([measured(n, FIXED_COLUMNS) for n in ROWS])
    by_columns = np.array([measured(FIXED_ROWS, d) for d in COLUMNS])
    print(f"slopes in n: time {slope(ROWS, by_rows[:, 0]):.2f}, memory {slope(ROWS, by_rows[:, 1]):.2f}")
    print(f"slopes in d: time {slope(COLUMNS, by_columns[:, 0]):.2f}, memory {slope(COLUMNS, by_columns[:, 1]):.2f}")
    if len(sys.argv) > 1:
        draw(sys.argv[1], by_rows, by_columns)


def draw(path, by_rows, by_columns):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for ax, sizes, found, label in (
        (axes[0], ROWS, by_rows, f"rows, {FIXED_COLUMNS} columns"),
        (axes[1], COLUMNS, by_columns, f"columns, {FIXED_ROWS:,} rows"),
    ):
        ax.loglog(sizes, found[:, 0], "o-", label=f"processor seconds, slope {slope(sizes, found[:, 0]):.2f}")
        ax.loglog(sizes, found[:, 1], "s--", label=f"MB added, slope {slope(sizes, found[:, 1]):.2f}")
        ax.set_xlabel(label)
        ax.legend(frameon=False, fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
