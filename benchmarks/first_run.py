"""The first seconds: training on ten rows in a new environment, and again; the help; the import.

    python benchmarks/first_run.py [ROWS [COLUMNS]]

In an empty home folder, without anything compiled before. Seconds of the clock, processor seconds of all threads, and
these relative to importing NumPy and SciPy in the same minute.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS, COLUMNS = 10, 3
TRAIN = ["-m", "neuralgauge", "train", "table.csv", "--target", "y", "--quiet"]
RUNS = {
    "import numpy, scipy.optimize": ["-c", "import numpy, scipy.optimize"],
    "import neuralgauge": ["-c", "import neuralgauge"],
    "neuralgauge --help": ["-m", "neuralgauge", "--help"],
    "first training": TRAIN,
    "second training": TRAIN,
    "third training": TRAIN,
}


def table(rows: int, columns: int) -> str:
    """A CSV of random numbers with a target y that depends on them."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns))
    y = np.sin(2.0 * X[:, 0]) + 0.3 * rng.standard_normal(rows)
    lines = [",".join([*(f"x{k}" for k in range(columns)), "y"])]
    lines += [",".join(f"{value:.4f}" for value in (*row, target)) for row, target in zip(X, y, strict=True)]
    return "\n".join(lines) + "\n"


def seconds_of(arguments: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of the clock and of the processors that Python takes with these arguments."""
    paths = [str(Path(__file__).parents[1] / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"HOME": str(folder), "NUMBA_CACHE_DIR": str(folder / "compiled"), "PYTHONPATH": os.pathsep.join(paths)}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env={**os.environ, **own}, check=True, capture_output=True)
    clock, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    rows, columns = (int(a) for a in [*sys.argv[1:3], *(str(ROWS), str(COLUMNS))[len(sys.argv[1:3]) :]])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "table.csv").write_text(table(rows, columns))
        print(f"{rows} rows, {columns} columns\n{'':32s}{'clock':>8s}{'processor':>11s}{'relative':>10s}")
        unit = 0.0
        for what, arguments in RUNS.items():
            clock, processor = seconds_of(arguments, folder)
            unit = unit or processor
            print(f"{what:32s}{clock:8.2f}{processor:11.2f}{processor / unit:10.1f}")


if __name__ == "__main__":
    main()
