"""What a system has found so far, and when: its trace, written to files while its clock stands still. NumPy only."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: its names must not hide anyone's
from measure import forget_peak, peak

SPACING = 1.2  # a snapshot is due when the time of the run has grown by this factor
FIRST = 5e-3  # seconds
GRACE = 1.5  # multiple of the limit at which a run is stopped wherever it is


class TimeUp(Exception):
    """Raised by an adapter to leave a system that has no limit of its own."""


class Recorder:
    """The snapshots of one system on one problem.

    A system with several runs (step sizes, random starts) begins each with `begin`; every run may take `limit` seconds
    and is stopped some time after that, wherever it is: what it had recorded by then counts.
    """

    def __init__(self, folder: Path, limit: float) -> None:
        self.folder, self.limit, self.count = folder, limit, 0
        self.run, self.earlier, self.earlier_processor = "", 0.0, 0.0
        self.held = forget_peak()
        self._restart()

    def _restart(self) -> None:
        self.start, self.start_processor, self.last = time.perf_counter(), time.process_time(), 0.0
        if hasattr(signal, "SIGALRM"):  # its default action ends the process even inside compiled code
            signal.setitimer(signal.ITIMER_REAL, GRACE * self.limit + 1.0)

    def begin(self, run: str, limit: float | None = None) -> None:
        """Start the clock of another run; those before count towards the time of all of them together."""
        self.earlier += self.seconds
        self.earlier_processor += self.processor
        self.run, self.limit = run, limit or self.limit
        self._restart()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of this run, without the writing of snapshots."""
        return time.perf_counter() - self.start

    @property
    def processor(self) -> float:
        """Processor seconds of this run, all threads."""
        return time.process_time() - self.start_processor

    @property
    def left(self) -> float:
        """Seconds until the limit."""
        return self.limit - self.seconds

    def due(self) -> bool:
        """Whether enough time has passed since the last snapshot for another one."""
        return self.seconds >= max(FIRST, SPACING * self.last)

    def add(self, **arrays: Any) -> None:
        """Keep the weights U (d, m) and A (m, 1) of a network, or the blocks W (k, m, d) of a program at k betas.

        Networks at several betas are U0, A0, U1, ...
        Blocks come in the order of the patterns; in a program with cones, those with plus before those with minus.
        """
        now, now_processor = time.perf_counter(), time.process_time()
        self.last = self.seconds
        times = {
            "seconds": self.seconds, "processor": self.processor,
            "total": self.earlier + self.seconds, "total_processor": self.earlier_processor + self.processor,
        }  # fmt: skip
        whole = self.folder / f"{self.count:05}.npz"
        part = whole.with_suffix(".part")
        with open(part, "wb") as file:
            np.savez(file, run=self.run, peak=peak(), added=peak() - self.held, **times, **arrays)
        os.replace(part, whole)
        self.count += 1
        self.start += time.perf_counter() - now
        self.start_processor += time.process_time() - now_processor

    def finish(self, **facts: Any) -> None:
        """Write what the system says about itself once it has ended: a status, a lower bound."""
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        facts = {
            "seconds": self.earlier + self.seconds, "processor": self.earlier_processor + self.processor,
            "peak": peak(), "added": peak() - self.held, **facts,
        }  # fmt: skip
        np.savez(self.folder / "end.npz", **facts)
