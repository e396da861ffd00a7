"""neuralgauge against its peers: the same problems in the same run, in turns, every result judged by one function.

    make bench-peers [ARGUMENTS="--quick --families cones gated --limit 20 --data FOLDER"]

Results go to results/peers.json after every problem, whole or not at all, tables to results/peers.md and a picture to
results/peers.png. `--report` makes the tables and the picture anew from results that are there.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import report
from evaluate import judge, objectives
from problems import FAMILIES, PROBLEMS, Problem
from systems import SYSTEMS, WIDTH, System

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DEFAULT_PEERS = ROOT / ".venv-peers" / "bin" / "python"
DEFAULT_DATA = os.environ.get("NEURALGAUGE_DATA", "../shared/data")
THREADS = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"))
ONCE = 0.25  # share of the limit: a run that takes more is not repeated
FINE = 1e-3  # gap
OUT_OF_TIME = ("time_limit", "user_limit", "optimal_inaccurate")

Data = dict[str, Any]


def run_once(system: System, data: Data, settings: argparse.Namespace) -> dict[str, Any]:
    """One run in a process of its own: its snapshots, with their objectives, and how it ended."""
    python = sys.executable if system.adapter == "neuralgauge" else str(settings.peers)
    limit = system.share * settings.limit
    environment = {**os.environ, **dict.fromkeys(THREADS, str(settings.threads))}
    given = {**data, **system.options, "limit": limit, "threads": settings.threads}
    given["width"] = min(WIDTH, len(data["y"]) + 1)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.npz")
        np.savez(source, **given)
        command = [python, str(HERE / "worker.py"), system.adapter, str(source), folder]
        begun = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        result = collect(Path(folder), data)
        result["wall"] = time.perf_counter() - begun
    if not result["ended"]:
        result["failure"] = reason(done, limit)
    return result


def collect(folder: Path, data: Data) -> dict[str, Any]:
    """The snapshots of a run and the facts it ended with."""
    result = nothing()
    for path in sorted(folder.glob("[0-9]*.npz")):
        with np.load(path) as stored:
            facts = dict(stored)
        snapshot = {name: float(facts[name]) for name in ("seconds", "processor", "total", "total_processor")}
        snapshot["objectives"] = objectives(data, facts)
        snapshot["run"] = str(facts["run"])
        result["snapshots"].append(snapshot)
        result["peak"], result["added"] = float(facts["peak"]), float(facts["added"])
    if (folder / "end.npz").exists():
        with np.load(folder / "end.npz") as stored:
            facts = dict(stored)
        result["ended"] = True
        result.update({name: float(facts[name]) for name in ("peak", "added", "seconds", "processor")})
        result["status"] = str(facts.get("status", ""))
        if "lower" in facts:
            result["lower"], result["scope"] = np.asarray(facts["lower"], dtype=float), str(facts["scope"])
    return result


def reason(done: subprocess.CompletedProcess[str], limit: float) -> str:
    if done.returncode == -14:  # SIGALRM, see recorder.py
        return f"not done after {limit:g} s"
    if done.returncode < 0:
        return f"killed by signal {-done.returncode}"
    return (done.stderr.strip().splitlines() or ["no message"])[-1][:200]


def compare(problem: Problem, data: Data, settings: argparse.Namespace) -> dict[str, Any]:
    """All systems on one problem, in turns."""
    entered = [system for system in SYSTEMS if system.takes(problem, data) and settings.chosen(system)]
    results: dict[str, list[dict[str, Any]]] = {system.label: [] for system in entered}
    for _ in range(settings.repeats):
        for system in entered:
            runs = results[system.label]
            if runs and (runs[0]["failure"] or spent(runs[0]) > ONCE * settings.limit):
                continue
            runs.append(left_out(system, results) or run_once(system, data, settings))
            print(f"  {system.label}: {runs[-1]['failure'] or 'ended'}, {runs[-1]['wall']:.1f} s", file=sys.stderr)
    return judge(problem, data, entered, results, reference(data, entered, results, settings), settings.clock)


def left_out(system: System, results: dict[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    """A run that is not tried, as a looser setting of the same tool ran out of time."""
    looser = results.get(f"{system.tool}, {system.tighter_than}", [])
    if not looser or not (looser[0]["failure"] or looser[0]["status"] in OUT_OF_TIME):
        return None
    return {**nothing(), "failure": f"not tried: {system.tighter_than} ran out of time", "wall": 0.0}


def nothing() -> dict[str, Any]:
    return {"snapshots": [], "ended": False, "failure": "", "status": "", "peak": None, "added": None}


def reference(
    data: Data, entered: list[System], results: dict[str, list[dict[str, Any]]], settings: argparse.Namespace
) -> list[dict[str, Any]]:
    """One longer run of ours where the limit cut all of the fine ones: it only moves the mark and the bound."""
    fine = [system for system in entered if system.ours and system.options["tol"] <= FINE]
    if not fine or any(run["status"] == "solved" for system in fine for run in results[system.label]):
        return []
    share = 2.0 if data["kind"] == "training" else 6.0  # programs without a bound of ours have no mark to trust
    return [run_once(replace(fine[0], share=share), data, settings)]


def spent(run: dict[str, Any]) -> float:
    return run.get("seconds", np.inf)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="five small problems, limit 4: a few minutes")
    parser.add_argument(
        "--families", nargs="+", choices=FAMILIES, default=[name for name in FAMILIES if name != "large"]
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="problems with this in their name")
    parser.add_argument(
        "--systems", nargs="+", default=[""], metavar="TEXT", help="systems with one of these in their name"
    )
    parser.add_argument("--limit", type=float, help="seconds of a system on a problem (default 10; 4 with --quick)")
    parser.add_argument("--repeats", type=int, help="turns, of which the median counts (default 3; 1 with --quick)")
    parser.add_argument("--threads", type=int, default=1, help="threads of every system (default 1)")
    parser.add_argument("--clock", choices=("processor", "wall"), help="default: processor for one thread, else wall")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of the tables")
    parser.add_argument("--peers", type=Path, default=os.environ.get("NEURALGAUGE_PEERS", DEFAULT_PEERS))
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "peers.json")
    parser.add_argument("--resume", action="store_true", help="keep the problems that the output file has")
    parser.add_argument("--report", action="store_true", help="only make tables and picture from the output file")
    settings = parser.parse_args()
    settings.limit = settings.limit or (4.0 if settings.quick else 10.0)
    settings.repeats = settings.repeats or (1 if settings.quick else 3)
    settings.clock = settings.clock or ("processor" if settings.threads == 1 else "wall")
    settings.chosen = lambda system: any(text.lower() in system.label.lower() for text in settings.systems)
    return settings


def chosen(settings: argparse.Namespace) -> list[Problem]:
    found = []
    for problem in PROBLEMS:
        if problem.family not in settings.families or settings.only.lower() not in problem.name.lower():
            continue
        if settings.quick and not problem.quick:
            continue
        if problem.missing(settings.data):
            print(f"{problem.name}: left out, there is no {problem.file} in the data folder", file=sys.stderr)
            continue
        found.append(problem)
    return found


def show(path: Path) -> None:
    """Print the tables, and write them and the pictures beside the results."""
    results = report.make(path)
    try:
        from picture import draw
    except ImportError:
        print('no picture: Matplotlib is missing (pip install "neuralgauge[plots]")')
        return
    draw(results, path.with_suffix(".png"))


def main() -> None:
    settings = parse()
    if settings.report:
        show(settings.output)
        return
    if not Path(settings.peers).exists():
        raise SystemExit("there is no environment of the peers; `make setup-peers` makes it, or name one by --peers")
    results = {
        "conditions": {
            "machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version(),
            "threads": settings.threads, "limit": settings.limit, "repeats": settings.repeats, "clock": settings.clock,
            "quick": settings.quick, "load": [], "started": time.strftime("%Y-%m-%d %H:%M"),
        },
        "problems": [],
    }  # fmt: skip
    if settings.resume and settings.output.exists():
        results = json.loads(settings.output.read_text())
    known = {(problem["family"], problem["name"]) for problem in results["problems"]}
    begun = time.perf_counter() - 60.0 * results["conditions"].get("minutes", 0.0)
    try:
        for problem in chosen(settings):
            if (problem.family, problem.name) in known:
                continue
            print(f"{problem.family}: {problem.name}", file=sys.stderr)
            results["problems"].append(compare(problem, problem.load(settings.data), settings))
            results["conditions"]["load"].append(os.getloadavg()[0])
            results["conditions"]["minutes"] = (time.perf_counter() - begun) / 60.0
            report.store(settings.output, results)
    except KeyboardInterrupt:
        print("interrupted; the problems that were finished are kept", file=sys.stderr)
    if results["problems"]:
        show(settings.output)


if __name__ == "__main__":
    main()
