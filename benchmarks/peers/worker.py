"""One system on one problem, in a process that does nothing else: `PYTHON worker.py ADAPTER INPUT FOLDER`.

An adapter is a module with `prepare(data)`, which imports and warms up what it needs and returns the call to be timed:
it takes a `Recorder`, records what it finds and may return facts about the run. NumPy only: peers run it on theirs.
"""

import importlib
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recorder import Recorder, TimeUp


def main() -> None:
    adapter, source, folder = sys.argv[1:]
    warnings.simplefilter("ignore")
    with np.load(source) as stored:
        data = {name: value[()] for name, value in stored.items()}
    solve = importlib.import_module(f"adapters.{adapter}").prepare(data)
    recorder = Recorder(Path(folder), float(data["limit"]))
    try:
        facts = solve(recorder)
    except TimeUp:
        facts = {"status": "time_limit"}
    recorder.finish(**(facts or {}))


if __name__ == "__main__":
    main()
