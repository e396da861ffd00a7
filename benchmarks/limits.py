"""How near to the machine's limit pricing and the interior point run.

    python benchmarks/limits.py [--rounds 7] [--threads 1] [--only TEXT] [--quick]

A step of exploration takes two products in single precision, (n, d) by (d, k) and (d, n) by (n, k) for k starts:
4 n d k operations. An iteration of the interior point takes one symmetric product and one Cholesky factorization on the
smaller side of its Newton system, of order q = min(n, m d) with p = max(n, m d): q^2 p + q^3 / 3 operations. Limits
are measured in turns with the work, in the same process: the rate of large products ("peak"), the time of these
operations alone, by BLAS and LAPACK at these shapes ("alone"), and for pricing the roofline of separate products over
memory, which write and read the activations (n, k) once each and which blocks that stay in the cache beat. All times
are processor times, medians over the rounds; a ratio is limit over time taken.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import islice

import numpy as np
from scipy.linalg import blas, lapack
from threadpoolctl import threadpool_info, threadpool_limits

import neuralgauge as ng
from neuralgauge.patterns.facets import facet_rows
from neuralgauge.pricing import _climb
from neuralgauge.programs.block import BlockProgram
from neuralgauge.solvers.facets import NEAREST_LOOSE
from neuralgauge.solvers.interior_point import InteriorPoint

LARGE = 1536  # order of the products whose rate is the peak
PRICING = ((442, 11, 128), (4_000, 8, 128), (4_000, 32, 64), (20_000, 20, 64), (20_000, 100, 64))  # n, d, starts
INTERIOR = ((442, 11, 120), (4_000, 8, 120), (4_000, 32, 60), (20_000, 20, 60), (1_000, 100, 40))  # n, d, blocks
FIRST, ITERATIONS = 2, 4  # iterations before the clock and under it


def seconds(work: Callable[[], object], least: float = 0.02) -> float:
    """Processor time of one call, from as many as fill `least` seconds."""
    count, spent = 0, 0.0
    while spent < least:
        started = time.process_time()
        work()
        spent += time.process_time() - started
        count += 1
    return spent / count


def medians(rounds: int, works: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Median of what each work measures, all of them taking turns."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return {name: statistics.median(values) for name, values in found.items()}


def product(dtype: type) -> Callable[[], float]:
    """Seconds an operation of a large product takes."""
    A = np.random.default_rng(0).standard_normal((LARGE, LARGE)).astype(dtype)
    return lambda: seconds(lambda: A @ A) / (2.0 * LARGE**3)


def traffic() -> float:
    """Seconds a byte of a large array takes to be read or written, twice as much read as written."""
    a, b = np.ones(8_000_000), np.ones(8_000_000)
    return seconds(lambda: np.add(a, b, out=a)) / (3 * a.nbytes)


def pricing(n: int, d: int, k: int, rounds: int) -> dict[str, float]:
    """Seconds of one step for all starts, and its limits."""
    rng = np.random.default_rng(0)
    X, V, U = rng.standard_normal((n, d)), rng.standard_normal((n, 1)), rng.standard_normal((d, k))
    X32, U32 = X.astype(np.float32), (U / np.linalg.norm(U, axis=0)).astype(np.float32)
    Z = X32 @ U32
    v_X32 = (V * X).astype(np.float32)

    def climb() -> float:
        # After three steps, that is four evaluations, no start has given up yet.
        moved = U32.copy()
        return seconds(lambda: _climb.climb(X32, v_X32, moved, 3)) / 4.0

    found = medians(
        rounds,
        {
            "taken": climb,
            "alone": lambda: seconds(lambda: (X32 @ U32, v_X32.T @ Z)),
            "rate": product(np.float32),
            "traffic": traffic,
        },
    )
    found["operations"] = 4.0 * n * d * k
    found["peak"] = found["operations"] * found["rate"]
    found["roofline"] = max(found["peak"], 8.0 * n * k * found["traffic"])
    return found


def program(n: int, d: int, m: int) -> tuple[BlockProgram, np.ndarray]:
    """A classification problem whose curvature changes at every iteration, over patterns of Gaussian vectors."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = np.where(np.maximum(X @ rng.standard_normal((d, 5)), 0.0).sum(axis=1) > 2.0, 1.0, -1.0)
    problem = ng.TrainingProblem(X, y, beta=0.02 * n / np.sqrt(d), loss="logistic", bias=False)
    patterns = ng.sample_patterns(X, m, random_state=0)
    witnesses = patterns.witness(np.arange(m))
    rows = facet_rows(X, witnesses, NEAREST_LOOSE)
    sigma = np.where(np.arange(m) % 2 == 0, 1.0, -1.0)[:, None]
    return BlockProgram(problem, patterns.dense(), sigma, rows=rows), witnesses


def interior(n: int, d: int, m: int, rounds: int) -> dict[str, float]:
    """Seconds of one iteration, and its limits."""
    data, witnesses = program(n, d, m)
    q, p = min(n, m * d), max(n, m * d)
    F = np.asfortranarray(np.random.default_rng(0).standard_normal((q, p)))
    K = blas.dsyrk(1.0, F, lower=1) + p * np.eye(q)

    def iterate() -> float:
        iterates = iter(InteriorPoint(data, witnesses))
        next(islice(iterates, FIRST, None))
        started = time.process_time()
        for _ in range(ITERATIONS):
            next(iterates)
        return (time.process_time() - started) / ITERATIONS

    found = medians(
        rounds,
        {
            "taken": iterate,
            "symmetric": lambda: seconds(lambda: blas.dsyrk(1.0, F, lower=1)),
            "Cholesky": lambda: seconds(lambda: lapack.dpotrf(K, lower=1)),
            "rate": product(np.float64),
        },
    )
    found["operations"] = float(q) ** 2 * p + float(q) ** 3 / 3.0
    found["peak"] = found["operations"] * found["rate"]
    found["alone"] = found["symmetric"] + found["Cholesky"]
    found["symmetric rate"] = float(q) ** 2 * p / found["symmetric"] / 1e9
    found["Cholesky rate"] = float(q) ** 3 / 3.0 / found["Cholesky"] / 1e9
    return found


def show_pricing(settings: argparse.Namespace) -> None:
    print("pricing, a step for all starts, single precision")
    print("     n    d    k       ms  GFLOP/s  peak  of peak  of the products alone  of the roofline")
    for n, d, k in PRICING[:3] if settings.quick else PRICING:
        found = pricing(n, d, k, settings.rounds)
        taken, rate = found["taken"], 1e-9 * found["operations"] / found["taken"]
        print(
            f"{n:6} {d:4} {k:4} {1e3 * taken:8.3f} {rate:8.1f} {1e-9 / found['rate']:5.0f} "
            f"{found['peak'] / taken:8.2f} {found['alone'] / taken:22.2f} {found['roofline'] / taken:16.2f}",
            flush=True,
        )


def show_interior(settings: argparse.Namespace) -> None:
    print("interior point, an iteration, double precision")
    print("     n    d    m       ms  GFLOP/s  peak  of peak  of the two alone  symmetric  Cholesky (GFLOP/s)")
    for n, d, m in INTERIOR[:3] if settings.quick else INTERIOR:
        found = interior(n, d, m, settings.rounds)
        taken, rate = found["taken"], 1e-9 * found["operations"] / found["taken"]
        print(
            f"{n:6} {d:4} {m:4} {1e3 * taken:8.1f} {rate:8.1f} {1e-9 / found['rate']:5.0f} "
            f"{found['peak'] / taken:8.2f} {found['alone'] / taken:17.2f} {found['symmetric rate']:10.0f} "
            f"{found['Cholesky rate']:9.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="of BLAS")
    parser.add_argument("--only", default="", choices=("", "pricing", "interior"))
    parser.add_argument("--quick", action="store_true", help="the first three sizes of each")
    settings = parser.parse_args()
    kernels = sorted({f"{lib['version']} {lib['architecture']}" for lib in threadpool_info() if "architecture" in lib})
    print(f"BLAS {', '.join(kernels)}; {settings.threads} thread(s), median of {settings.rounds} rounds")
    with threadpool_limits(settings.threads, "blas"):
        if settings.only != "interior":
            show_pricing(settings)
        if settings.only != "pricing":
            show_interior(settings)


if __name__ == "__main__":
    main()
