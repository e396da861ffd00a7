"""Continuous functions of a given number of pieces by least squares: `fit_pieces` against pwlf.

    python benchmarks/pieces.py [SEEDS]

Ten functions of one variable, 200 points each, noise of deviation 0.1, equal numbers of pieces, one thread, processor
seconds, means over the seeds; of "ours over fit" the largest. pwlf: `fit` (differential evolution) and `fitfast` (two
starts of L-BFGS, its default). Needs pwlf from PyPI. `fit_pieces` was made on seeds 0 to 2; the seeds here begin at 10.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

import neuralgauge as ng

POINTS, NOISE, FIRST_SEED = 200, 0.1, 10
CASES: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "one sine": (5, lambda x: np.sin(2 * np.pi * x)),
    "two sines": (8, lambda x: np.sin(2 * np.pi * x) + 0.5 * np.sin(6 * np.pi * x)),
    "exponential": (4, lambda x: np.exp(3 * x) / 5),
    "steep step": (3, lambda x: 1 / (1 + np.exp(-40 * (x - 0.5)))),
    "absolute value": (2, lambda x: np.abs(x - 0.3)),
    "five pieces": (5, lambda x: np.interp(x, [0, 0.2, 0.35, 0.6, 0.8, 1], [0, 1, 0.3, 0.8, -0.5, 0])),
    "square root": (4, np.sqrt),
    "bump": (4, lambda x: np.exp(-200 * (x - 0.4) ** 2)),
    "chirp": (7, lambda x: np.sin(12 * x**2)),
    "Runge": (5, lambda x: 1 / (1 + 25 * (2 * x - 1) ** 2)),
}


def timed(call: Callable[[], float]) -> tuple[float, float]:
    started = time.process_time()
    return call(), time.process_time() - started


def compared(x: np.ndarray, y: np.ndarray, pieces: int) -> list[float]:
    """Errors and seconds of ours, `fit` and `fitfast`, and our bound."""
    import pwlf

    def fit(method: str) -> float:
        model = pwlf.PiecewiseLinFit(x, y, seed=0)
        getattr(model, method)(pieces)
        return float(model.ssr)

    bound = []

    def ours() -> float:
        found = ng.fit_pieces(x, y, pieces)
        bound.append(found.lower)
        return found.error

    return [*timed(ours), *timed(lambda: fit("fit")), *timed(lambda: fit("fitfast")), bound[0]]


def main(seeds: int) -> None:
    ng.fit_pieces(np.arange(9.0), np.arange(9.0) ** 2, 3)
    print(
        "| function | pieces | fit_pieces: error, seconds | fit | fitfast | ours over fit, error | fit over ours, "
        "seconds | our gap |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, (pieces, function) in CASES.items():
        found = []
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            rng = np.random.default_rng(seed)
            x = np.sort(rng.uniform(0, 1, POINTS))
            found.append(compared(x, function(x) + NOISE * rng.standard_normal(POINTS), pieces))
        error, seconds, fit_error, fit_seconds, fast_error, fast_seconds, lower = np.mean(found, axis=0)
        worst = max(one[0] / one[2] - 1.0 for one in found)
        print(
            f"| {name} | {pieces} | {error:.5f}, {seconds:.3f} | {fit_error:.5f}, {fit_seconds:.2f} | "
            f"{fast_error:.5f}, {fast_seconds:.3f} | {worst:+.0e} | {fit_seconds / seconds:.0f} | "
            f"{(error - lower) / error:.1%} |",
            flush=True,
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
