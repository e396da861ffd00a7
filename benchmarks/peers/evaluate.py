"""What a trace is worth: objectives by one function for everyone, gaps to the best known and to our lower bound."""

from typing import Any

import numpy as np
from problems import Problem
from profiles import TARGETS, median_time, time_to
from systems import System

import neuralgauge as ng

Data = dict[str, Any]
Array = np.ndarray


def objectives(data: Data, weights: dict[str, Array]) -> Array:
    """(readings, k): the objective at every beta, from the weights alone.

    Training has one reading: [2] of the networks, balanced first, |u_j| = |alpha_j|, which changes no output and lowers
    weight decay. Blocks of a program have the reading of the program; with cones a second one, [2] of the ReLU network
    they make. The two agree where the blocks lie in their cones, and only there do they count as a solution.
    """
    betas = np.atleast_1d(data["betas"])
    if data["kind"] == "training":
        return np.array([[network_objective(data, float(betas[0]), weights["U"], weights["A"])]])
    if data["kind"] == "path":
        return np.array(
            [[network_objective(data, float(b), weights[f"U{k}"], weights[f"A{k}"]) for k, b in enumerate(betas)]]
        )
    values = [[program_objective(data, beta, W) for beta, W in zip(betas, weights["W"], strict=True)]]
    if data["kind"] == "relu":
        values.append(
            [network_objective(data, float(beta), *network_of(W)) for beta, W in zip(betas, weights["W"], strict=True)]
        )
    return np.array(values)


def network_objective(data: Data, beta: float, U: Array, A: Array) -> float:
    """[2], from the network's own ReLU outputs."""
    problem = ng.TrainingProblem(data["X"], data["y"], beta=beta, loss=data["loss"], bias=False)
    return problem.objective(ng.TwoLayerNetwork(U, A, False).balance())


def program_objective(data: Data, beta: float, W: Array) -> float:
    """[8] with its gates fixed, whether or not the blocks lie in the cones."""
    used = np.any(W != 0.0, axis=1)
    gates = data["gates"] if data["kind"] == "gated" else np.vstack([data["gates"], data["gates"]])
    outputs = np.sum(signs(data, len(W))[used, None] * gates[used] * (W[used] @ data["X"].T), axis=0)
    return float(0.5 * np.sum((outputs - data["y"]) ** 2) + beta * np.sum(np.linalg.norm(W, axis=1)))


def signs(data: Data, m: int) -> Array:
    return np.ones(m) if data["kind"] == "gated" else np.repeat([1.0, -1.0], m // 2)


def network_of(W: Array) -> tuple[Array, Array]:
    """U (d, m) and A (m, 1) of the balanced network of blocks, those with plus before those with minus."""
    size, sign = np.linalg.norm(W, axis=1), np.repeat([1.0, -1.0], len(W) // 2)
    alive = size > 0
    root = np.sqrt(size[alive])
    return (W[alive] / root[:, None]).T, (sign[alive] * root)[:, None]


def best_known(traces: list[Array], lower: Array | None = None) -> Array:
    """The least objective at every beta that anyone reached, in the reading where it is largest.

    In a program with cones no less than its lower bound: blocks outside the cones are no solutions of it.
    """
    least = np.min([values.max(axis=0) for values in traces], axis=0)
    return least if lower is None else np.maximum(least, lower)


def excess(values: Array, best: Array) -> float:
    """How far from the best known, relatively, where it is most along the path; below counts like above.

    Only blocks outside their cones lie below.
    """
    return float(np.max(np.abs(values - best) / best))


def certified_gap(values: Array, lower: Array) -> float:
    """The relative gap to our lower bound, where it is largest along the path and in the readings."""
    return float(np.max(np.maximum(values - lower, 0.0) / values))


# Runs, as run.py collects them.


def judge(
    problem: Problem,
    data: Data,
    entered: list[System],
    results: dict[str, list[dict[str, Any]]],
    more: list[dict[str, Any]],
    clock: str,
) -> dict[str, Any]:
    """Best known value, lower bound, and what each system reached and when."""
    everyone = [run for runs in results.values() for run in runs] + more
    lower = np.full(np.size(data["betas"]), -np.inf)
    scope = ""
    for run in everyone:
        if "lower" in run:
            scope = run["scope"] if run["lower"][-1] > lower[-1] else scope
            lower = np.maximum(lower, run["lower"])
    traces = [snapshot["objectives"] for run in everyone for snapshot in run["snapshots"]]
    record = {
        "family": problem.family, "name": problem.name, "kind": problem.kind, "loss": data["loss"],
        "n": len(data["y"]), "d": data["X"].shape[1], "patterns": len(data["gates"]) if "gates" in data else None,
        "betas": [float(beta) for beta in np.atleast_1d(data["betas"])], "scope": scope,
        "best": None, "lower": [float(value) for value in lower], "systems": [],
    }  # fmt: skip
    if not traces:
        return record
    best = best_known(traces, lower if problem.kind == "relu" else None)
    record["best"] = [float(value) for value in best]
    record["systems"] = [row(system, results[system.label], best, lower, clock) for system in entered]
    return record


def row(system: System, runs: list[dict[str, Any]], best: np.ndarray, lower: np.ndarray, clock: str) -> dict[str, Any]:
    """One system on one problem: traces, the final network, times to the targets."""
    name, total = ("processor", "total_processor") if clock == "processor" else ("seconds", "total")
    repeats = [points(run, best, name, total) for run in runs]
    final = min(
        (snapshot for run in runs for snapshot in run["snapshots"]),
        key=lambda snapshot: excess(snapshot["objectives"], best),
        default=None,
    )
    alone = [[(p["time"], p["excess"]) for p in trace] for trace in repeats]
    whole = [[(p["total"], p["excess"]) for p in trace] for trace in repeats]
    known = [run for run in runs if run["peak"] is not None]
    return {
        "tool": system.tool, "setting": system.setting, "ours": system.ours,
        "failure": next((run["failure"] for run in runs if run["failure"]), ""),
        "status": runs[-1]["status"] if runs else "",
        "several_runs": len({p["run"] for trace in repeats for p in trace}) > 1,
        "best_run": final["run"] if final else "",
        "objective": float(final["objectives"][:, -1].max()) if final else None,
        "excess": excess(final["objectives"], best) if final else None,
        "gap": certified_gap(final["objectives"], lower) if final else None,
        "seconds": median_time([run.get(name, np.inf) for run in runs]),
        "peak": max((run["peak"] for run in known), default=None),
        "added": max((run["added"] for run in known), default=None),
        "alone": {str(target): median_time([time_to(trace, target) for trace in alone]) for target in TARGETS},
        "whole": {str(target): median_time([time_to(trace, target) for trace in whole]) for target in TARGETS},
        "repeats": repeats,
    }  # fmt: skip


def points(run: dict[str, Any], best: np.ndarray, time_name: str, total_name: str) -> list[dict[str, Any]]:
    return [
        {
            "run": snapshot["run"], "time": snapshot[time_name], "total": snapshot[total_name],
            "excess": excess(snapshot["objectives"], best), "objective": float(snapshot["objectives"][:, -1].max()),
        }
        for snapshot in run["snapshots"]
    ]  # fmt: skip
