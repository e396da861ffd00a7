"""Freed memory is kept by worker processes: counted in page faults, never in time."""

import ctypes
import os
import subprocess
import sys

import pytest

CODE = """
import resource, numpy as np
from neuralgauge.shards.memory import keep_freed_memory
if {kept}:
    keep_freed_memory()
def fill(): np.empty(200_000).fill(1.0)
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50): fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kept, environment):
    command = [sys.executable, "-c", CODE.format(kept=kept)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment})
    return int(found.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_chunks_are_not_mapped_anew():
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("another C library")
    as_dask_starts_workers = {"MALLOC_TRIM_THRESHOLD_": "65536"}
    many, few = faults(False, as_dask_starts_workers), faults(True, as_dask_starts_workers)
    assert few < 50 < many
