"""Training to the global optimum: objective, certificate and seconds on real tables, against what must hold.

    python benchmarks/training.py [--only TEXT ...] [--data FOLDER] [--restarts 10] [--threads N] [--json]

X and y are standardised over the rows used (population deviation) and a column of ones is appended; the loss is squared
unless said. Every run is a process of its own, imports and a small training run come before the clock, and every
objective is computed here from the weights that came back. BLAS has one thread, with which L-BFGS is fastest; pricing
uses all cores. Boston and kin8nm are read from boston.npz and kin8nm.npz (arrays X and y) in the data folder and left
out where they are missing.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from measure import THREAD_VARIABLES, run_apart
from measure import main as run_as_competitor

DEFAULT_DATA = Path(os.environ.get("NEURALGAUGE_DATA", "../shared/data"))
DIGITS = 1e-4  # half a unit of the fourth decimal and some rounding: how far above a printed optimum is still that


@dataclass
class Case:
    """One problem, how it is trained, and what must come out."""

    name: str
    make: Callable[[Path], tuple[np.ndarray, np.ndarray]]
    beta: float = 10.0
    relative: bool = False  # whether beta is a multiple of beta_max
    loss: str = "squared"
    gap: float = 1e-4
    time_limit: float | None = None
    prove: bool | None = None
    objective: float | None = None  # at most
    scope: str | None = None
    within: float | None = None  # seconds
    curve: bool = False  # show the proven gap over time instead of asking for one
    restarts: bool = False  # compare with restarts of L-BFGS
    file: str | None = None  # in the data folder
    result: dict = field(default_factory=dict)

    @property
    def must(self) -> str:
        if self.curve:
            return "the gap over time"
        parts = [f"objective {self.objective:.4f}" if self.objective else "", f'"{self.scope}"' if self.scope else ""]
        within = f"{self.within:.0f} s" if self.within else ""
        return ", ".join(part for part in [*parts, f"gap {self.gap:.0e}", within] if part)

    def missed(self) -> list[str]:
        """What was asked for and did not come out."""
        found, wrong = self.result, []
        if self.objective and found["objective"] > self.objective:
            wrong.append(f"objective above {self.objective:.4f}")
        if self.scope and found["scope"] != self.scope:
            wrong.append(f'scope not "{self.scope}"')
        if not self.curve and found["gap"] > self.gap:
            wrong.append(f"gap above {self.gap:.0e}")
        if self.within and found["seconds"] > self.within:
            wrong.append(f"over {self.within:.0f} s")
        return wrong


# Data.


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def diabetes(*columns):
    def make(folder):
        from sklearn.datasets import load_diabetes

        features, target = load_diabetes(return_X_y=True)
        return standardised(features[:, columns] if columns else features), standardised(target)

    return make


def first_rows(name, n):
    def make(folder):
        with np.load(folder / name) as data:
            X, y = np.asarray(data["X"], dtype=float)[:n], np.asarray(data["y"], dtype=float).ravel()[:n]
        return standardised(X), standardised(y)

    return make


def ring(folder):
    """1,000 points of the plane, labelled by whether they lie in a ring, 5 % of the labels flipped."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 2))
    radius = np.linalg.norm(X, axis=1)
    y = np.where((radius > 0.8) & (radius < 1.6), 1.0, -1.0)
    y[rng.choice(1000, 50, replace=False)] *= -1.0
    return standardised(X), y


def sine(folder):
    """100,000 noisy values of a sine."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-3.0, 3.0, 100_000)
    return standardised(x[:, None]), standardised(np.sin(2.0 * x) + 0.3 * rng.standard_normal(len(x)))


CASES = [
    Case("diabetes", diabetes(), objective=106.7861, within=3, restarts=True),
    Case("diabetes, 2 features", diabetes(2, 8), objective=125.3279 + DIGITS, scope="exact", gap=1e-6, within=1),
    Case("diabetes, 3 features", diabetes(2, 8, 3), objective=119.0101 * (1 + 1e-4), scope="exact", within=3),
    Case("diabetes, 4 features", diabetes(2, 8, 3, 9), objective=117.4858 * (1 + 1e-4), scope="exact", within=15),
    Case("ring, hinge", ring, 0.01, True, loss="hinge", scope="exact", within=15),
    Case("sine", sine, 0.001, True, scope="exact", gap=1e-6, within=60),
    Case("Boston, 400 rows", first_rows("boston.npz", 400), 0.01, True, gap=1e-3, within=10, file="boston.npz"),
    Case(
        "kin8nm, 4,000 rows", first_rows("kin8nm.npz", 4000), 0.01, True,
        gap=1e-2, objective=446.5, within=60, file="kin8nm.npz",
    ),
    Case("diabetes, 5 features", diabetes(2, 8, 3, 9, 6), prove=True, time_limit=60, curve=True),
    Case(
        "kin8nm, 400 rows", first_rows("kin8nm.npz", 400), 0.01, True,
        prove=True, time_limit=60, curve=True, file="kin8nm.npz",
    ),
]  # fmt: skip


# What a process of its own runs.


def problem_of(data):
    import neuralgauge as ng

    problem = ng.TrainingProblem(data["X"], data["y"], beta=float(data["beta"]), loss=str(data["loss"]))
    return problem.with_beta(problem.beta * ng.beta_max(problem)) if data["relative"] else problem


def train(data):
    import neuralgauge as ng

    problem = problem_of(data)
    limit = float(data["time_limit"]) or None
    prove = {"None": None, "True": True}[str(data["prove"])]

    def solve(problem=problem, limit=limit):
        solution = ng.train(problem, float(data["gap"]), time_limit=limit, prove=prove)
        network, certificate = solution.network, solution.certificate
        return {
            "U": network.U, "A": network.A, "beta": problem.beta, "lower": certificate.lower,
            "scope": certificate.scope, "status": solution.status.name, "rounds": len(solution.history),
            "upper": certificate.upper, "dual": solution.dual,
        }  # fmt: skip

    few = np.arange(0, problem.n, max(1, problem.n // 30))
    small = ng.TrainingProblem(data["X"][few], data["y"][few], beta=problem.beta, loss=problem.loss)
    solve(small, 1.0)
    return solve


def proof(data):
    """The proven bound of the dual point found, as branch and bound tightens it."""
    import neuralgauge as ng
    from neuralgauge.certificate import lower_bound

    problem, limit = problem_of(data), float(data["time_limit"])
    ng.price(data["dual"][:20], problem.X[:20], time_limit=1.0)

    def solve():
        start = ng.train(problem, float(data["gap"]), time_limit=limit, prove=False)
        priced = ng.price(start.dual, problem.X, tol=1e-5, time_limit=max(limit - start.seconds, 1.0))
        bounds = [(start.seconds + t, lower_bound(problem, start.dual, bound)) for t, _, bound in priced.history]
        return {"curve": np.array(bounds), "upper": start.certificate.upper, "estimated": start.certificate.lower}

    return solve


def restarts(data):
    """L-BFGS on [2] from random networks of 200 neurons, each until it stops by itself or after 2,000 iterations."""
    from scipy.optimize import minimize

    X, y, beta = np.column_stack([data["X"], np.ones(len(data["y"]))]), data["y"], float(data["beta"])
    (_, d), m = X.shape, 200

    def objective(theta):
        U, alpha = theta[: d * m].reshape(d, m), theta[d * m :]
        X_U = X @ U
        hidden = np.maximum(X_U, 0.0)
        residual = hidden @ alpha - y
        gradient = beta * theta
        gradient[: d * m] += (X.T @ (np.outer(residual, alpha) * (X_U > 0))).ravel()
        gradient[d * m :] += hidden.T @ residual
        return 0.5 * residual @ residual + 0.5 * beta * theta @ theta, gradient

    def solve():
        values = []
        for seed in range(int(data["restarts"])):
            rng = np.random.default_rng(seed)
            U, alpha = rng.standard_normal((d, m)) * np.sqrt(2.0 / d), rng.standard_normal(m) * np.sqrt(1.0 / m)
            options = {"maxiter": 2000, "maxfun": 10_000, "ftol": 1e-12, "gtol": 1e-8}
            theta = np.concatenate([U.ravel(), alpha])
            values.append(minimize(objective, theta, jac=True, method="L-BFGS-B", options=options).fun)
        return {"values": np.array(values)}

    return solve


# Running.


def run(kind, data, settings):
    blas = [name for name in THREAD_VARIABLES if not name.startswith("NUMBA")]  # pricing uses all cores
    return run_apart(__file__, kind, data, dict.fromkeys(blas, settings.threads))


def objective(data, found):
    """[2] of the network that came back, from its own ReLU outputs."""
    X, y, U, A = np.column_stack([data["X"], np.ones(len(data["y"]))]), data["y"], found["U"], found["A"]
    f = (np.maximum(X @ U, 0.0) @ A)[:, 0]
    loss = 0.5 * np.sum((f - y) ** 2) if data["loss"] == "squared" else np.sum(np.maximum(0.0, 1.0 - y * f))
    return float(loss + 0.5 * float(found["beta"]) * (np.sum(U**2) + np.sum(A**2)))


def measure(case, settings):
    X, y = case.make(Path(settings.data))
    data = {
        "X": X, "y": y, "beta": case.beta, "relative": case.relative, "loss": case.loss, "gap": case.gap,
        "time_limit": case.time_limit or 0.0, "prove": str(case.prove), "restarts": settings.restarts,
    }  # fmt: skip
    found = run("train", data, settings)
    value, lower = objective(data, found), float(found["lower"])
    case.result = {
        "n": len(y), "d": X.shape[1] + 1, "beta": float(found["beta"]), "objective": value, "lower": lower,
        "gap": max(0.0, (value - lower) / value), "scope": str(found["scope"]), "status": str(found["status"]),
        "seconds": float(found["seconds"]), "neurons": found["U"].shape[1], "rounds": int(found["rounds"]),
    }  # fmt: skip
    if case.curve:
        traced = run("proof", {**data, "dual": found["dual"]}, settings)
        upper, points = float(traced["upper"]), traced["curve"]
        case.result["curve"] = [(float(t), max(0.0, (upper - float(lower)) / upper)) for t, lower in points]
    if case.restarts and settings.restarts:
        other = run("restarts", data, settings)
        case.result["restarts"] = {
            "best": float(other["values"].min()),
            "worst": float(other["values"].max()),
            "seconds": float(other["seconds"]),
        }


# Printing.

HEADER = (
    f"{'problem':21} {'n':>6} {'d':>3} {'must':45} {'objective':>13} {'lower':>13} {'gap':>8} {'scope':10} "
    f"{'seconds':>8} {'neurons':>8}"
)


def row(case):
    found, missed = case.result, case.missed()
    verdict = "shown" if case.curve else f"missed: {', '.join(missed)}" if missed else "met"
    return (
        f"{case.name:21} {found['n']:6} {found['d']:3} {case.must:45} "
        f"{found['objective']:13.6f} {found['lower']:13.6f} {found['gap']:8.1e} {found['scope']:10} "
        f"{found['seconds']:8.2f} {found['neurons']:8}  {verdict}"
    )


def details(case):
    """Lines under the row: the gap over time, the comparison with L-BFGS."""
    found = case.result
    if "curve" in found:
        times = (1, 2, 5, 10, 20, 30, 45, 60, np.inf)
        known = [min((gap for t, gap in found["curve"] if t <= limit), default=np.nan) for limit in times[:-1]]
        yield "  proven gap: " + ", ".join(
            f"{gap:.1e} after {limit} s" for limit, gap in zip(times, known, strict=False) if np.isfinite(gap)
        )
    if "restarts" in found:
        other = found["restarts"]
        ratio = other["seconds"] / found["seconds"]
        yield (
            f"  L-BFGS with 200 neurons: {other['best']:.6f} to {other['worst']:.6f} in {other['seconds']:.1f} s, "
            f"{ratio:.1f} times as long (wanted 10: {'met' if ratio >= 10 else 'missed'}); "
            f"ours below the best: {'met' if found['objective'] < other['best'] else 'missed'}"
        )


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="TEXT", help="problems with one of these in their name"
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of boston.npz and kin8nm.npz")
    parser.add_argument("--restarts", type=int, default=10, help="of L-BFGS on the first problem; 0 leaves them out")
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads of every run (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser.parse_args()


def main():
    settings, measured = parse(), []
    conditions = (
        f"{platform.machine()}, {os.cpu_count()} cores, {settings.threads} BLAS thread(s), "
        f"Python {platform.python_version()}, one run each"
    )
    if not settings.json:
        print(f"{conditions}\n{HEADER}", flush=True)
    for case in CASES:
        if not any(text.lower() in case.name.lower() for text in settings.only):
            continue
        if case.file and not (settings.data / case.file).exists():
            print(f"{case.name:21} left out: there is no {settings.data / case.file}", file=sys.stderr)
            continue
        measure(case, settings)
        measured.append({"problem": case.name, "must": case.must, "missed": case.missed(), **case.result})
        if not settings.json:
            print("\n".join([row(case), *details(case)]), flush=True)
    if settings.json:
        print(json.dumps({"conditions": conditions, "problems": measured}))


if __name__ == "__main__":
    kinds = {"train": train, "proof": proof, "restarts": restarts}
    if len(sys.argv) > 1 and sys.argv[1] in kinds:
        run_as_competitor(kinds)
    else:
        main()
