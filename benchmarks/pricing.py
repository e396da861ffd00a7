"""Pricing on real tables: seconds, value and bound by rank.

    python benchmarks/pricing.py [seconds per problem]

Rows: scikit-learn's diabetes (442 patients), with two to six columns and a column of ones, and kin8nm if the folder in
NEURALGAUGE_DATA (default ../shared/data) has it. v is what a ridge regression leaves of the standardised target.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes

from neuralgauge.pricing import price

DIABETES_COLUMNS = (2, 8, 3, 9, 6, 0)  # body mass index, s5, blood pressure, s6, s3, age


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def residual(X, y, ridge=10.0):
    return y - X @ np.linalg.solve(X.T @ X + ridge * np.eye(X.shape[1]), X.T @ y)


def problems() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    features, target = load_diabetes(return_X_y=True)
    y = standardised(target)
    for k in range(1, 6):
        X = np.column_stack([standardised(features)[:, DIABETES_COLUMNS[:k]], np.ones(len(y))])
        yield "diabetes", residual(X, y), X
    file = Path(os.environ.get("NEURALGAUGE_DATA", "../shared/data")) / "kin8nm.npz"
    if not file.exists():
        return
    with np.load(file) as data:
        features, target = np.asarray(data["X"], dtype=float), np.asarray(data["y"], dtype=float).ravel()
    y = standardised(target)
    for k in range(1, 4):
        X = np.column_stack([standardised(features)[:, :k], np.ones(len(y))])
        yield "kin8nm", residual(X, y), X


def warm_up() -> float:
    """Seconds to compile, or to load what was compiled before."""
    rng, started = np.random.default_rng(0), time.perf_counter()
    for d in (3, 4):
        price(rng.standard_normal(24), rng.standard_normal((24, d)))
    return time.perf_counter() - started


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    print(f"compile or load: {warm_up():.1f} s")
    print("data            n rank method              seconds          value  bound/value - 1     cones")
    for name, v, X in problems():
        started = time.perf_counter()
        result = price(v, X, time_limit=limit)
        print(
            f"{name:10} {len(v):6} {X.shape[1]:4} {result.method:18} {time.perf_counter() - started:8.2f} "
            f"{result.value:14.8f} {result.bound / result.value - 1.0:16.1e} {result.n_nodes:9}",
            flush=True,
        )


if __name__ == "__main__":
    main()
