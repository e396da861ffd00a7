"""What the package says about one degenerate problem, each statement held against brute force."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

import numpy as np
from degenerate.arrangement import Arrangement
from degenerate.gauge import attained, exact_score
from degenerate.interpolation import check_neural_gauge
from degenerate.optimum import Data
from degenerate.problems import case_of
from degenerate.report import EPS, Bench, Report
from degenerate.trained import check_certify, check_empty, check_program, check_training
from registry.losses import EXACT, FORMULAS
from threadpoolctl import threadpool_limits

import neuralgauge as ng

THIN = 1e-12  # width of cells that double precision need not see
LIMIT = 2.0  # seconds that a call may take


def check(seed: int, limit: float = LIMIT) -> Report:
    """Everything that is said about the problem of this seed, with this time limit in seconds for every call."""
    with decimal.localcontext(EXACT), threadpool_limits(1):  # small arrays, which threads only keep waiting
        return _check(seed, limit)


def _check(seed: int, limit: float) -> Report:
    case = case_of(seed)
    data = Data.of(case, 1.0)
    arrangement = Arrangement.of(data.X)
    report = Report(case, arrangement.rank)
    v = -data.gradient(np.zeros_like(data.Y))
    v = v if v.shape[1] > 1 else v[:, 0]
    largest = attained(v, data.X, arrangement)
    report.beta = case.share * (float(largest) or 1.0)
    problem = report.call("TrainingProblem", lambda: case.problem(report.beta))
    if problem is None:
        return report
    report.expect(np.array_equal(problem.X, data.X), "X: the design matrix is not the data")
    rng = np.random.default_rng([11, seed])
    bench = Bench(case, report, problem, Data.of(case, report.beta), arrangement, rng, limit)
    patterns = check_patterns(bench)
    check_beta_max(bench, largest, v)
    for dual in (v, rng.standard_normal(v.shape), np.sign(rng.standard_normal(v.shape))):
        check_price(bench, dual)
    check_training(bench)
    if seed % 3 == 0:
        check_certify(bench)
    if seed % 3 == 1:
        check_empty(bench)
    if seed % 2 == 0 and patterns is not None:
        check_program(bench, patterns)
    if seed % 5 == 0 and FORMULAS[case.loss].targets == "real":
        check_neural_gauge(report, bench.data, arrangement, limit)
    return report


def check_patterns(bench: Bench) -> ng.PatternSet | None:
    """Set equality and witnesses in exact arithmetic, and the bound on the number of patterns."""
    report, arrangement, X = bench.report, bench.arrangement, bench.data.X
    found = report.call("enumerate_patterns", lambda: ng.enumerate_patterns(X))
    if found is None:
        return None
    exact, gates = arrangement.patterns, [tuple(row) for row in found.dense().tolist()]
    report.expect(len(set(gates)) == len(gates), "patterns: one twice")
    for k, pattern in enumerate(gates):
        shown = "".join("01"[on] for on in pattern)
        report.expect(pattern in exact, f"patterns: {shown} is not realisable")
        signs = zip(arrangement.signs_of(found.witness(k)), pattern, arrangement.rows, strict=True)
        inside = all(sign == (1 if on else -1) or not any(row) for sign, on, row in signs)
        report.expect(inside, f"patterns: the witness of {shown} is not inside its cell")
    _check_complete(report, arrangement, exact - set(gates), found.complete)
    if arrangement.rank:
        bounds = [ng.count_patterns(size, arrangement.rank) for size in (len(arrangement.lines), len(X))]
        report.expect(len(exact) <= bounds[0] <= bounds[1], f"count_patterns: {bounds} for {len(exact)} patterns")
    return found


def _check_complete(report: Report, arrangement: Arrangement, missing: set[Any], complete: bool) -> None:
    if not missing:
        if not complete:
            report.odd.append("patterns: all there, but not called complete")
        return
    width = max(map(arrangement.width, missing))
    if complete and width >= THIN:
        report.false.append(f"patterns: {len(missing)} missing from a complete set, width {width:.1e}")
    else:
        said = "complete set" if complete else "set that says so"
        report.odd.append(f"patterns: {len(missing)} thin ones missing from a {said}, width {width:.1e}")


def check_beta_max(bench: Bench, largest: Decimal, v: Any) -> None:
    """Its value where it is exact, and never above; with an offset it has another v, and training tells."""
    report, rank = bench.report, bench.arrangement.rank
    value = report.call("beta_max", lambda: ng.beta_max(bench.problem))
    if value is None or bench.case.offset:
        return
    room = Decimal("1e-9") * largest + Decimal(64 * EPS * _mass(bench, v))
    report.expect(Decimal(value) <= largest + room, f"beta_max: {value} is above {largest:.17}")
    if Decimal(value) < largest - room:
        kept = report.false if rank <= 3 else report.odd
        kept.append(f"beta_max: {value} at rank {rank} is below {largest:.17}")


def _mass(bench: Bench, v: Any) -> float:
    return float(np.abs(v).reshape(len(v), -1).sum(axis=1) @ np.linalg.norm(bench.data.X, axis=1))


def check_price(bench: Bench, v: Any) -> None:
    """`value` is what u pays, and nothing found pays more than `bound`."""
    report, X = bench.report, bench.data.X
    priced = report.call("price", lambda: ng.price(v, X, time_limit=bench.limit))
    if priced is None:
        return
    largest = attained(v, X, bench.arrangement, priced.u[:, None])
    own, room = exact_score(v, X, priced.u), Decimal(64 * (len(X) + 4) * EPS * _mass(bench, v))
    report.expect(Decimal(priced.bound) >= largest, f"price: bound {priced.bound!r} is below {largest:.20}")
    report.expect(abs(own - Decimal(priced.value)) <= room, f"price: value {priced.value} but u pays {own:.17}")
    report.expect(abs(np.linalg.norm(priced.u) - 1.0) < 1e-12, "price: u is not a unit vector")
    output = np.atleast_1d(v.T @ np.maximum(X @ priced.u, 0.0)) @ priced.direction
    report.expect(
        abs(Decimal(float(output)) - Decimal(priced.value)) <= room, "price: direction does not pay the value"
    )
    tolerance = {"sweep": 1e-9, "enumeration": 2e-9, "branch_and_bound": 2e-5 if v.ndim > 1 else 2e-9}[priced.method]
    if v.ndim > 1:  # a sweep of rank 3
        room += Decimal(1e-12 * _mass(bench, v))
    wide = priced.bound - priced.value > tolerance * priced.bound + float(room)
    report.expect(not (priced.closed and wide), f"price: closed at {priced.value} and {priced.bound}")
    if not priced.closed:
        report.odd.append(f"price: not closed at rank {bench.arrangement.rank}")
