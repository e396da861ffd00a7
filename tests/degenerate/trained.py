"""Statements about trained and certified networks, against objectives that networks found elsewhere attain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from degenerate.gauge import candidates, scores
from degenerate.optimum import Data, Weights
from degenerate.report import EPS, Bench, weights_of

import neuralgauge as ng

GAPS = (1e-2, 1e-4, 1e-4, 1e-6)
PROVE = (None, None, None, True, False)
BLOCKS = 80  # patterns up to which the convex program is solved over all
CONES_LEFT = 1e-8  # by points of a convex program, relative
PAYING = 8  # neurons that may lead below the constant
SCORED = 3  # networks whose objective is computed exactly


def check_training(bench: Bench) -> None:
    """Objective, width, status and scope of `train`, and its bound; sets the lowest objective that is attained."""
    report, data, rng = bench.report, bench.data, bench.rng
    gap, prove = GAPS[bench.case.seed % len(GAPS)], PROVE[int(rng.integers(len(PROVE)))]
    solution = report.call("train", lambda: ng.train(bench.problem, gap, time_limit=bench.limit, prove=prove))
    networks = [data.empty, *data.searched(rng)]
    networks += [] if solution is None else [weights_of(solution.network)]
    networks += _refined(bench, data, networks)
    networks.append(data.polished(*networks[-1]))
    values = np.nan_to_num([data.objective(*network) for network in networks], nan=np.inf)
    bench.attained = min(data.exact_objective(*networks[k])[0] for k in np.argsort(values)[:SCORED])
    if solution is None:
        return
    exact, size = data.exact_objective(*weights_of(solution.network))
    bench.attained = min(bench.attained, exact)
    bench.judge("train", solution.certificate, exact, size, bench.attained, 64 * EPS)
    bench.judge_end("train", solution, gap, bench.attained)
    rank, scope = bench.arrangement.rank, solution.certificate.scope
    if rank <= 3 and prove is not False and scope != "exact":
        report.odd.append(f'train: scope "{scope}" at rank {rank}')
    width = solution.network.n_neurons
    report.expect(width <= data.Y.size + 1, f"train: {width} neurons")
    report.expect(np.all(np.diff([record.objective for record in solution.history]) <= 0), "train: the objective rose")


def _refined(bench: Bench, data: Data, networks: list[Any]) -> list[Any]:
    """The convex program over all patterns, or over those of the networks found, with their directions."""
    gates = np.array(sorted(bench.arrangement.patterns), dtype=float)
    if data.Y.shape[1] == 1 and len(gates) <= BLOCKS:
        gates, G = np.vstack([gates, gates]), np.repeat([[1.0], [-1.0]], len(gates), axis=0)
    else:
        U, A = np.hstack([network[0] for network in networks]), np.vstack([network[1] for network in networks])
        size = np.linalg.norm(A, axis=1)
        kept = np.argsort(-size)[: min(BLOCKS // 2, int(np.sum(size > 1e-9 * size.max(initial=1e-300))))]
        if len(kept) == 0:
            return []
        gates, G = (data.X @ U[:, kept] >= 0).T.astype(float), A[kept] / size[kept][:, None]
    network = bench.report.call("(conic solver)", lambda: data.convex(gates, G))
    return [] if network is None else [network]


def check_empty(bench: Bench) -> None:
    """From `beta_max` on no network found is better than the one without neurons, with its best constant."""
    report, case = bench.report, bench.case
    value = report.call("beta_max", lambda: ng.beta_max(bench.problem))
    if not value or bench.arrangement.rank > 3:
        return
    data = replace(bench.data, beta=value * (1.0 + 1e-9))
    empty, size = data.exact_objective(*weights_of(case.problem(data.beta).empty_network()))
    networks = [*data.searched(bench.rng), _paying(data, bench, data.empty)]
    found = [data.polished(*network) for network in (*networks, *_refined(bench, data, networks))]
    low = min(data.exact_objective(*network)[0] for network in found)
    report.expect(
        low >= empty - Decimal(64 * EPS) * size, f"beta_max: {value}, but a network has {low:.17} < {empty:.17}"
    )


def _paying(data: Data, bench: Bench, empty: Weights) -> Weights:
    """Small neurons that pay most for -grad L at the constant, with the output directions that they pay in."""
    v = -data.gradient(np.broadcast_to(empty[2], data.Y.shape))
    U = candidates(v, data.X, bench.arrangement)
    U = U[:, np.argsort(-scores(v, data.X, U))[:PAYING]]
    A = np.maximum(data.X @ U, 0.0).T @ v
    A /= np.maximum(np.linalg.norm(A, axis=1, keepdims=True), 1e-300)
    size = np.sqrt(1e-3 * data.objective(*empty) / (data.beta * PAYING))
    return U * size, A * size, empty[2]


def check_certify(bench: Bench) -> None:
    """Of a random network, some with repeated and dead neurons: its balanced objective above, a bound below."""
    report, data, rng = bench.report, bench.data, bench.rng
    m, c = int(rng.integers(0, 5)), data.Y.shape[1]
    U, A = rng.standard_normal((data.X.shape[1], m)), rng.standard_normal((m, c))
    size = np.sqrt(0.01 * data.objective(*data.empty) / (data.beta * max(m, 1)))
    U, A = U * size * 10.0 ** rng.integers(-3, 4), A * size
    if m > 1:
        U[:, 0] = U[:, 1] * rng.choice([0.0, 1.0, 2.0])
    network = ng.TwoLayerNetwork(U, A, bench.case.bias)
    found = report.call("certify", lambda: ng.certify(network, bench.problem, bench.limit, gap=1e-2))
    if found is None:
        return
    u, a = np.linalg.norm(U, axis=0), np.linalg.norm(A, axis=1)
    root = np.sqrt(np.where(u > 0, a / np.where(u > 0, u, 1.0), 0.0))
    alive = root > 0
    exact, scale = data.exact_objective(U[:, alive] * root[alive], A[alive] / root[alive][:, None], np.zeros(c))
    bench.judge("certify", found, exact, scale, min(bench.attained, exact), 640 * EPS)


def check_program(bench: Bench, patterns: ng.PatternSet) -> None:
    """`solve_program` over all patterns or twelve of them, along the axes, against a conic solver's feasible point."""
    report, data, c = bench.report, bench.data, bench.data.Y.shape[1]
    some = np.arange(len(patterns))
    if len(some) > 12 and (c > 1 or bench.rng.random() < 0.5):
        some = np.sort(bench.rng.choice(some, 12, replace=False))
    gates, tol = patterns.dense()[some], (1e-8, 1e-5)[bench.case.seed % 4 // 2]
    chosen = patterns if len(some) == len(patterns) else gates
    solution = report.call(
        "solve_program", lambda: ng.solve_program(bench.problem, chosen, tol, time_limit=bench.limit)
    )
    if solution is None:
        return
    axes = np.vstack([np.eye(c), -np.eye(c)])
    G, blocks = np.repeat(axes, len(gates), axis=0), np.vstack([gates.astype(float)] * len(axes))
    network = report.call("(conic solver)", lambda: data.convex(blocks, G))
    witnesses = np.vstack([patterns.witness(some)] * len(axes))
    values = [data.exact_objective(*data.empty)[0]]
    if network is not None and (inside := _inside(bench, network, G, blocks, witnesses)) is not None:
        values.append(data.exact_objective(*inside)[0])
    if len(some) == len(bench.arrangement.patterns) and c == 1:
        values.append(bench.attained)
    exact, size = data.exact_objective(*weights_of(solution.network))
    bench.judge_end("solve_program", solution, tol, min(values))
    bench.judge("solve_program", solution.certificate, exact, size, min(values), CONES_LEFT)


def _inside(bench: Bench, network: Any, G: Any, gates: Any, witnesses: Any) -> Any:
    """The neurons of a conic solver moved toward witnesses until exactly inside their cones, or None."""
    U, A, b = network
    moved = []
    for u, a in zip(U.T, A, strict=True):
        blocks = np.flatnonzero(G @ a > 0.999 * np.linalg.norm(a))
        places = (_moved(bench, u, gates[k], witnesses[k]) for k in blocks)
        moved.append(next((place for place in places if place is not None), None))
    if any(place is None for place in moved):
        return None
    return (np.column_stack(moved) if moved else U), A, b


def _moved(bench: Bench, u: Any, gate: Any, witness: Any) -> Any:
    for step in (0.0, 1e-12, 1e-10, 1e-8, 1e-6):
        place = u + step * np.linalg.norm(u) * witness / np.linalg.norm(witness)
        signs = bench.arrangement.signs_of(place)
        if all(sign >= 0 if on else sign <= 0 for sign, on in zip(signs, gate, strict=True)):
            return place
    return None
