"""Seconds and memory of one call, in a process that does nothing else. NumPy only: peers run it on their own NumPy."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MEGABYTE = 2**20
THREAD_VARIABLES = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"))


def _status(name: str) -> float | None:
    """A memory figure of this process in MB, from Linux; None elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), None)


def peak() -> float:
    """The most resident memory this process has held, in MB."""
    # getrusage also counts what the parent held before exec; VmHWM does not.
    known = _status("VmHWM")
    if known is not None:
        return known
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MEGABYTE if sys.platform == "darwin" else 1024)


def forget_peak() -> float:
    """Start the peak afresh where the system allows it; the memory held now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return peak()
    return _status("VmRSS") or peak()


def run_apart(script: str, competitor: str, data: dict[str, Any], threads: dict[str, int]) -> dict[str, Any]:
    """What `main` of the script writes for a competitor, in a process of its own with these numbers of threads."""
    environment = {**os.environ, **{name: str(count) for name, count in threads.items()}}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(source, **data)
        command = [sys.executable, script, competitor, str(source), str(target)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode or not target.exists():
            raise SystemExit(f"{competitor} failed:\n{done.stderr}")
        with np.load(target) as result:
            return dict(result)


def main(competitors: dict[str, Callable[[dict[str, Any]], Callable[[], dict[str, Any]]]]) -> None:
    """`SCRIPT COMPETITOR INPUT OUTPUT`: prepare, solve under the clock, write what came out.

    A competitor takes the arrays and options of INPUT, imports and warms up what it needs and returns the call to be
    measured, which returns the arrays of OUTPUT.
    """
    name, source, target = sys.argv[1:]
    with np.load(source) as data:
        solve = competitors[name](dict(data))
    held = forget_peak()
    start = time.perf_counter()
    result = solve()
    seconds = time.perf_counter() - start
    highest = peak()
    np.savez(target, seconds=seconds, peak=highest, added=highest - held, **result)
