"""What passes over rows in a Dask cluster cost: seconds and bytes on one and two workers, and what follows for more.

    python benchmarks/dask_cluster.py [--rows 4000000] [--columns 20] [--neurons 100]

Workers are processes of one thread each on this machine; a table of random rows is made on them. Bytes are those that
workers send each other, by their own logs. A pass takes what the shards of a worker take, one after the other, and what
the scheduler adds, which is measured with as many shards as 100 workers have: their time follows from both.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

import neuralgauge as ng
from neuralgauge.shards import shards as shards_module
from neuralgauge.shards.shards import Shard, Shards
from neuralgauge.solvers.passes import Passes
from neuralgauge.solvers.sharded_passes import passes_of

REPEATS = 7
PER_THREAD = shards_module.PER_THREAD
MANY = 100  # workers that the last lines are about


class Measured(NamedTuple):
    """A pass: seconds of it, of one shard in processor time, and of its messages alone; bytes between workers."""

    seconds: float
    shard: float
    empty: float
    received: int


def table(rows: int, columns: int, blocks: int) -> tuple[Any, Any]:
    """Random rows and a target that two of their columns make."""
    X = da.random.default_rng(0).standard_normal((rows, columns), chunks=(-(-rows // blocks), columns), dtype="float32")
    return X, da.sin(2.0 * X[:, 0]) + X[:, 1] * X[:, 2]


def measured(client: Client, passes: Any, net: tuple[Any, ...]) -> Measured:
    """The pass with gradients, by the median of some repeats."""
    shards = passes.shards
    shards.total(processor_seconds, shared=net, combine=joined)  # compiled, and its copies made
    before = received(client)
    passes.smoothed(*net)
    between = received(client) - before
    one = np.median([np.median(shards.total(processor_seconds, shared=net, combine=joined)) for _ in range(REPEATS)])
    return Measured(
        median_seconds(lambda: passes.smoothed(*net)), float(one), median_seconds(lambda: empty(shards, net)), between
    )


def median_seconds(work: Callable[[], object]) -> float:
    """Of some repeats."""
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds))


def empty(shards: Shards, net: tuple[Any, ...]) -> None:
    """A pass that sends the same and computes nothing."""
    shards.total(zeros, shared=net)


def zeros(_: Shard, *net: Any) -> tuple[Any, ...]:
    return tuple(np.zeros_like(part) for part in net)


def processor_seconds(shard: Shard, *net: Any) -> list[float]:
    begun = time.thread_time()
    shard.view(Passes).smoothed(*net)
    return [time.thread_time() - begun]


def joined(parts: list[list[float]]) -> list[float]:
    return [seconds for part in parts for seconds in part]


def received(client: Client) -> int:
    """Bytes that workers have had from each other."""
    found = client.run(lambda dask_worker: sum(entry["total"] for entry in dask_worker.transfer_incoming_log))
    return sum(found.values())


def cluster_of(workers: int) -> LocalCluster:
    return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0)


def scheduling(net: tuple[Any, ...], columns: int) -> float:
    """Seconds of a pass without work over the shards of many workers, all of them on two."""
    shards_module.PER_THREAD = MANY * PER_THREAD // 2
    with cluster_of(2) as cluster, Client(cluster):
        X, y = table(100 * MANY * PER_THREAD, columns, MANY * PER_THREAD)
        shards = ng.TrainingProblem(X, y, beta=1.0).features.shards
        return median_seconds(lambda: empty(shards, net))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--neurons", type=int, default=100)
    options = parser.parse_args()
    rng, m = np.random.default_rng(0), options.neurons
    U, A = rng.standard_normal((options.columns + 1, m)), rng.standard_normal((m, 1))
    net = U, A, np.zeros(1), np.full(m, 0.1)
    size = sum(part.nbytes for part in net)
    print(f"{options.rows:,} x {options.columns} rows, {m} neurons, a network of {size:,} bytes; with gradients\n")
    print("| workers | shards | s a pass | processor s a shard | s without work | bytes between workers |")
    print("|---|---|---|---|---|---|")
    results = {}
    for workers in (1, 2):
        with cluster_of(workers) as cluster, Client(cluster) as client:
            X, y = table(options.rows, options.columns, 4 * PER_THREAD)
            passes = passes_of(ng.TrainingProblem(X, y, beta=1.0))
            found = results[workers] = measured(client, passes, net)
            times = f"{found.seconds:.3f} | {found.shard:.3f} | {found.empty:.3f}"
            print(f"| {workers} | {len(passes.shards.sizes)} | {times} | {found.received:,} |")
    one, two, schedule = results[1], results[2], scheduling(net, options.columns)
    alone, shared = (PER_THREAD * found.shard + found.empty for found in (one, two))
    print(
        f"\nTwo workers are {one.seconds / two.seconds:.2f} times as fast as one, "
        f"{alone / shared:.2f} with a core each by processor time."
    )
    print(
        f"A pass without work over {MANY * PER_THREAD} shards takes {schedule:.2f} s. {MANY} workers with as many rows "
        f"each as the one, {MANY * options.rows:,}, then take about {PER_THREAD * one.shard + schedule:.2f} s a pass, "
        f"and send each other {2 * MANY * size / 1e6:.1f} MB: the weights once to each, and the sums of each once."
    )


if __name__ == "__main__":
    main()
