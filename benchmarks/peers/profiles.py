"""Times to a target and performance profiles: pure functions of traces. NumPy only."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

TARGETS = (1e-2, 1e-3, 1e-4)  # relative distance above the best known objective

Trace = Sequence[tuple[float, float]]  # (seconds, excess), in the order of time


def time_to(trace: Trace, target: float) -> float:
    """Least seconds at which the excess is at most `target`, over all runs of the trace; infinity if it never is."""
    return min((seconds for seconds, excess in trace if excess <= target), default=np.inf)


def median_time(times: Sequence[float]) -> float:
    """The median over repeats; infinity where at least half of them never arrived."""
    return float(statistics.median(times)) if times else np.inf


def best_so_far(trace: Trace) -> list[tuple[float, float]]:
    """The trace with the least excess up to each moment, without the points that improve nothing."""
    kept: list[tuple[float, float]] = []
    for seconds, excess in sorted(trace):
        if not kept or excess < kept[-1][1]:
            kept.append((seconds, excess))
    return kept


def ratios(times: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    """Times as multiples of the fastest on each problem, of those that somebody solved (Dolan and More, 2002)."""
    table = np.array(list(times.values()), dtype=float)
    if table.size == 0:
        return {name: np.zeros(0) for name in times}
    fastest = table.min(axis=0)
    solved = np.isfinite(fastest)
    scaled = table[:, solved] / np.maximum(fastest[solved], 1e-9)
    return dict(zip(times, scaled, strict=True))


def profile(times: Mapping[str, Sequence[float]], factors: Iterable[float]) -> dict[str, list[float]]:
    """Share of the problems on which a system takes at most each factor times the fastest system's time."""
    return {
        name: [float(np.mean(row <= factor)) if row.size else 0.0 for factor in factors]
        for name, row in ratios(times).items()
    }


def lead(ours: float, peers: Mapping[str, float]) -> tuple[str, float]:
    """The fastest peer, and its time over ours: above 1 we lead, infinite if no peer arrives, NaN if nobody does."""
    name = min(peers, key=lambda key: peers[key], default="")
    best = peers[name] if name else np.inf
    if np.isinf(best) and np.isinf(ours):
        return "", np.nan
    return (name if np.isfinite(best) else ""), best / ours if np.isfinite(ours) else 0.0
