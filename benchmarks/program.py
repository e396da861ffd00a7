"""The convex program over fixed patterns: neuralgauge against CVXPY + Clarabel, scnn and adelie.

    python benchmarks/program.py [--quick] [--rounds 5] [--threads 1] [--peers PYTHON] [--json]

Data: scikit-learn's diabetes, X and y standardised (population deviation), a column of ones appended: n 442, d 11.
Every run is a process of its own, competitors take turns, and every objective is computed here, by the same function,
from the weights that came back. Gaps are relative, against the best lower bound of our runs.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from measure import main as run_as_competitor

HERE = Path(__file__).resolve().parent
DEFAULT_PEERS = HERE.parent / ".venv-peers" / "bin" / "python"
THREAD_VARIABLES = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"))
NO_LIMIT = 1e6  # seconds
EQUAL = 1e-8  # objectives this close, relatively, count as equal


@dataclass
class Competitor:
    """One solver with its settings, and what was measured of it."""

    label: str
    kind: str  # ours, reference, adelie or scnn
    options: dict
    rounds: int | None = None  # fewer than the others, for long runs
    budget: float | None = None  # seconds
    seconds: list[float] = field(default_factory=list)
    objective: float = np.nan
    lower: float = -np.inf
    gap: float = np.nan
    added: float = np.nan  # MB, peak over what was held before the call
    peak: float = np.nan  # MB, of the whole process
    ratio: float = np.nan  # against our fastest run that is no worse
    failure: str = ""

    @property
    def is_ours(self):
        return self.kind == "ours"

    @property
    def median(self):
        return statistics.median(self.seconds) if self.seconds else np.nan


# What a process of its own runs, for the two solvers that share our environment.


def solve_here(data):
    import neuralgauge as ng

    X, y, gates = data["X"], data["y"], data["gates"]
    problem = ng.TrainingProblem(X, y, beta=float(data["beta"]), bias=False)
    signs, gated = (data["signs"] if data["signs"].size else None), bool(data["gated"])

    def solve(m=None):
        patterns = ng.PatternSet(np.packbits(gates[:m], axis=1), len(y), data["vectors"][:m])
        chosen = None if signs is None else signs[:m]
        solver, tol = str(data["solver"]), float(data["tol"])
        solution = ng.solve_program(problem, patterns, tol, directions=chosen, gated=gated, solver=solver)
        network = solution.network
        weights = {"W": solution.blocks} if gated else {"U": network.U, "A": network.A}
        return {**weights, "lower": solution.certificate.lower, "status": solution.status.value}

    solve(4)
    return solve


# Problems, and the objective of what came back.


def diabetes():
    from sklearn.datasets import load_diabetes

    features, target = load_diabetes(return_X_y=True)
    X = (features - features.mean(axis=0)) / features.std(axis=0)
    return np.column_stack([X, np.ones(len(X))]), (target - target.mean()) / target.std()


def program(n_patterns, beta, *, signs, gated=False):
    """The arrays of one program; `signs` is "alternating" or "both"."""
    from neuralgauge import sample_patterns

    X, y = diabetes()
    patterns = sample_patterns(X, n_patterns, random_state=0)
    sigma = np.where(np.arange(n_patterns) % 2 == 0, 1.0, -1.0) if signs == "alternating" else np.zeros(0)
    return {
        "X": X, "y": y, "beta": beta, "gates": patterns.dense(), "vectors": patterns.witness(np.arange(n_patterns)),
        "signs": sigma, "gated": gated,
    }  # fmt: skip


def objective(data, weights):
    """[2] of a network from its own ReLU outputs, or the gated program's value at its blocks."""
    X, y, beta = data["X"], data["y"], data["beta"]
    if data["gated"]:
        W = weights["W"]
        outputs = np.sum(data["gates"] * (W @ X.T), axis=0)
        penalty = np.sum(np.linalg.norm(W, axis=1))
    else:
        U, A = weights["U"], weights["A"]
        outputs = (np.maximum(X @ U, 0.0) @ A)[:, 0]
        penalty = 0.5 * (np.sum(U**2) + np.sum(A**2))
    return float(0.5 * np.sum((outputs - y) ** 2) + beta * penalty)


# Running.


def run_once(competitor, data, settings):
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(settings.threads))}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.npz"), Path(folder, "out.npz")
        if competitor.kind in ("ours", "reference"):
            given, script = data, HERE / "program.py"
            command = [sys.executable, "-W", "ignore", script, competitor.kind, source, target]
        else:
            given = for_adapter(data, settings)
            command = [settings.peers, HERE / "peers" / "worker.py", competitor.kind, source, folder]
            target = Path(folder, "end.npz")
        np.savez(source, **given, **competitor.options)
        command, options = [str(part) for part in command], {"env": environment, "capture_output": True, "text": True}
        try:
            done = subprocess.run(command, timeout=competitor.budget, **options)
        except subprocess.TimeoutExpired:
            competitor.failure = f"not done after {competitor.budget:.0f} s"
            return
        if done.returncode or not target.exists():
            competitor.failure = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return
        with np.load(target) as result:
            weights = {} if given is data else blocks_of(max(Path(folder).glob("[0-9]*.npz")), data)
            record(competitor, data, {**result, **weights})


def for_adapter(data, settings):
    """The same problem for the adapters of peers/."""
    kind = "gated" if data["gated"] else "relu"
    shared = {name: data[name] for name in ("X", "y", "gates", "vectors")}
    return {**shared, "kind": kind, "betas": [data["beta"]], "limit": NO_LIMIT, "threads": settings.threads}


def blocks_of(snapshot, data):
    """What the adapter recorded last: the blocks of a gated program, or the network that blocks in cones make."""
    with np.load(snapshot) as stored:
        W = stored["W"][0]
    if data["gated"]:
        return {"W": W}
    sign, root = np.repeat([1.0, -1.0], len(W) // 2), np.sqrt(np.linalg.norm(W, axis=1))
    alive = root > 0
    return {"U": (W[alive] / root[alive, None]).T, "A": (sign * root)[alive, None]}


def record(competitor, data, result):
    competitor.seconds.append(float(result["seconds"]))
    competitor.objective = objective(data, result)
    competitor.peak, competitor.added = float(result["peak"]), float(result["added"])
    if competitor.is_ours:
        competitor.lower = float(result["lower"])


def compare(data, competitors, settings):
    for index in range(settings.rounds):
        for competitor in competitors:
            if not competitor.failure and index < (competitor.rounds or settings.rounds):
                run_once(competitor, data, settings)
    lower = max(c.lower for c in competitors)
    for competitor in competitors:
        competitor.gap = (competitor.objective - lower) / competitor.objective
    for competitor in competitors:
        good = [
            c.median
            for c in competitors
            if c.is_ours and c.seconds and not c.objective > competitor.objective * (1.0 + EQUAL)
        ]
        if not competitor.is_ours and good:
            spent = competitor.budget if competitor.failure and competitor.budget else competitor.median
            competitor.ratio = spent / min(good)


# The four comparisons.


def ours(tol):
    return Competitor(f"neuralgauge, gap {tol:.0e}", "ours", {"tol": tol, "solver": "interior_point"})


def reference(**fields):
    return Competitor("CVXPY + Clarabel", "reference", {"tol": 1e-8, "solver": "reference"}, **fields)


def scnn(label, *, unitize, tol, **fields):
    return Competitor(f"scnn, {label}", "scnn", {"unitize": unitize, "tol": tol, "iterations": 10_000}, **fields)


def adelie(tol):
    return Competitor(f"adelie, path of 30, tol {tol:.0e}", "adelie", {"tol": tol})


def comparisons(settings):
    """(title, data, competitors, least ratio wanted or None)."""
    budget = settings.reference_budget
    yield (
        "ReLU, 120 patterns with alternating signs, beta 10",
        program(120, 10.0, signs="alternating"),
        [ours(1e-8), reference()],
        10.0,
    )
    large = [ours(1e-8)] if settings.quick else [ours(1e-8), reference(rounds=1, budget=budget)]
    yield (
        "ReLU, 500 patterns with alternating signs, beta 10",
        program(500, 10.0, signs="alternating"),
        large,
        None,
    )
    if settings.peers is None:
        return
    loose = scnn("default tolerance, unit columns", unitize=True, tol=1e-6, rounds=3)
    more = [
        scnn("default tolerance", unitize=False, tol=1e-6, rounds=1),
        scnn("tolerance 1e-12, unit columns", unitize=True, tol=1e-12, rounds=1),
    ]
    yield (
        "ReLU, 200 patterns with both signs (400 blocks), beta 10",
        program(200, 10.0, signs="both"),
        [ours(1e-2), ours(1e-6), loose, *([] if settings.quick else more)],
        20.0,
    )
    for beta in (10.0, 1.0):
        yield (
            f"Gated ReLU, 500 patterns, beta {beta:.0f}",
            program(500, beta, signs="both", gated=True),
            [*(ours(tol) for tol in (1e-2, 1e-3, 1e-6, 1e-8)), *(adelie(tol) for tol in (1e-7, 1e-10, 1e-12))],
            1.0,
        )


# Printing.

HEADER = f"{'':42} {'seconds':>9} {'(range)':>17} {'objective':>13} {'gap':>8} {'MB':>6} {'added':>6} {'ratio':>8}"


def row(c):
    if not c.seconds:
        at_least = f"> {c.ratio:.0f}" if np.isfinite(c.ratio) else "-"
        return f"{c.label:42} {c.failure:>65} {at_least:>8}"
    spread = f"({min(c.seconds):.3f}-{max(c.seconds):.3f})"
    ratio = "" if c.is_ours else f"{c.ratio:.1f}" if np.isfinite(c.ratio) else "none"
    return (
        f"{c.label:42} {c.median:9.3f} {spread:>17} {c.objective:13.6f} {c.gap:8.0e} {c.peak:6.0f} {c.added:6.0f} "
        f"{ratio:>8}"
    )


def verdicts(competitors, wanted):
    for c in competitors:
        if wanted is None or c.is_ours or (c.failure and not c.budget):
            continue
        if not np.isfinite(c.ratio):
            yield f"missed: no run of ours is as good as {c.label}"
        else:
            word = "met" if c.ratio >= wanted else "missed"
            yield f"{word}: {c.ratio:.1f} times as fast as {c.label} at no higher objective, {wanted:.0f} wanted"


def show(title, competitors, wanted):
    print(f"\n{title}\n{HEADER}")
    for c in competitors:
        print(row(c))
    for line in verdicts(competitors, wanted):
        print(line)
    sys.stdout.flush()


def plain(fields):
    """The fields as JSON has them: no NaN, no infinities."""
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in fields.items()
    }


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three rounds, and none of the runs that take minutes")
    parser.add_argument("--rounds", type=int, help="runs of each competitor, of which the median counts (default 5)")
    parser.add_argument("--threads", type=int, default=1, help="threads of every competitor (default 1)")
    parser.add_argument("--reference-budget", type=float, default=900.0, help="seconds for Clarabel at 500 patterns")
    parser.add_argument("--peers", type=Path, default=os.environ.get("NEURALGAUGE_PEERS", DEFAULT_PEERS))
    parser.add_argument("--only", default="", metavar="TEXT", help="comparisons with this in the title, such as gated")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    settings = parser.parse_args()
    settings.rounds = settings.rounds or (3 if settings.quick else 5)
    if not Path(settings.peers).exists():
        print(
            f"adelie and scnn are left out: there is no {settings.peers}; `make setup-peers` makes it.", file=sys.stderr
        )
        settings.peers = None
    return settings


def main():
    settings, results = parse(), []
    conditions = (
        f"{platform.machine()}, {os.cpu_count()} cores, {settings.threads} thread(s) each, Python "
        f"{platform.python_version()}, median of {settings.rounds} runs (once where a run takes long)"
    )
    if not settings.json:
        print(conditions)
        print("MB: peak resident memory of the process; added: of it, what the solver took after warming up.")
        print("ratio: seconds over those of our fastest run whose objective is no higher.")
    for title, data, competitors, wanted in comparisons(settings):
        if settings.only.lower() not in title.lower():
            continue
        compare(data, competitors, settings)
        if not settings.json:
            show(title, competitors, wanted)
        rows = [{**asdict(c), "median": c.median, "gap": float(c.gap)} for c in competitors]
        results.append(
            {"title": title, "wanted": wanted, "rows": rows, "verdicts": list(verdicts(competitors, wanted))}
        )
    if settings.json:
        finite = json.dumps({"conditions": conditions, "comparisons": results}, default=float)
        print(finite.replace("NaN", "null").replace("-Infinity", "null").replace("Infinity", "null"))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in ("ours", "reference"):
        run_as_competitor({"ours": solve_here, "reference": solve_here})
    else:
        main()
