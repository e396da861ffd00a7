"""The neural gauge by brute force: whether any network interpolates, and the least weight decay by a conic solver."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

import cvxpy as cp
import numpy as np
from degenerate.arrangement import independent_columns
from registry.losses import ZERO, to_decimal

import neuralgauge as ng

NEAR = 1e-6  # sine between rows at which networks may be out of reach of double precision


def interpolable(data: Any, arrangement: Any) -> bool:
    """Whether y lies in the span of the outputs of single neurons, D X u in every cell, exactly."""
    columns = [[Fraction(1)] * len(data.X)] if data.offset else []
    columns += [
        [Fraction(float(a)) if on else Fraction(0) for a, on in zip(column, pattern, strict=True)]
        for pattern in sorted(arrangement.patterns)
        for column in data.X.T
    ]
    targets = [[Fraction(float(a)) for a in column] for column in data.Y.T]
    rank = len(independent_columns([list(row) for row in zip(*columns, strict=True)]))
    return rank == len(independent_columns([list(row) for row in zip(*columns, *targets, strict=True)]))


def least_decay(data: Any, arrangement: Any) -> float | None:
    """min sum |w| with the data interpolated, one output, to the accuracy of the conic solver."""
    size = float(np.max(np.abs(data.Y))) or 1.0  # the solver's tolerances are partly absolute
    X = data.X / float(np.max(np.abs(data.X)) or 1.0)
    gates = np.array(sorted(arrangement.patterns), dtype=float)
    plus, minus = cp.Variable((len(gates), data.X.shape[1])), cp.Variable((len(gates), data.X.shape[1]))
    b = cp.Variable()
    f = cp.sum(cp.multiply(gates, (plus - minus) @ X.T), axis=0) + (b if data.offset else 0.0)
    cones = [cp.multiply(2.0 * gates - 1.0, W @ X.T) >= 0 for W in (plus, minus)]
    cost = cp.sum(cp.norm(plus, axis=1)) + cp.sum(cp.norm(minus, axis=1))
    program = cp.Problem(cp.Minimize(cost), [*cones, f == data.Y[:, 0] / size])
    try:
        program.solve(solver="CLARABEL")
    except (cp.SolverError, ValueError, ArithmeticError):
        return None
    scale = size / (float(np.max(np.abs(data.X))) or 1.0)
    return float(program.value) * scale if program.status == "optimal" else None


def _least_sine(X: Any, arrangement: Any) -> float:
    """Of the angles between rows that lie on different lines through 0."""
    used = [i for i, row in enumerate(arrangement.rows) if any(row)]
    units = {i: X[i] / np.linalg.norm(X[i]) for i in used}
    sines = [1.0]
    for i, k in combinations(used, 2):
        if arrangement.rows[i] not in (arrangement.rows[k], tuple(-a for a in arrangement.rows[k])):
            sines.append(float(np.linalg.norm(units[i] - (units[i] @ units[k]) * units[k])))
    return min(sines)


def _charge(data: Any, found: Any, misfit: Any) -> Decimal:
    """The most that the multipliers may charge for the misfit and the rounding with which it is evaluated."""
    network, Z = found.network, np.abs(found.dual).reshape(data.Y.shape)
    size = np.abs(data.Y) + np.abs(data.X) @ np.abs(network.U) @ np.abs(network.A) + np.abs(network.offset)
    rounding = sum(network.U.shape) * float(np.finfo(float).eps) * size
    return sum((to_decimal(Z) * (misfit + to_decimal(rounding))).ravel(), ZERO)


def check_neural_gauge(report: Any, data: Any, arrangement: Any, limit: float) -> None:
    """Refusals, the misfit, the weight decay and the lower bound."""
    case = report.case
    found = report.call(
        "neural_gauge",
        lambda: ng.neural_gauge(case.X, case.y, bias=case.bias, offset=case.offset, gap=1e-3, time_limit=limit),
        (ng.NotInterpolatableError,),
    )
    if found is None:
        return
    possible = interpolable(data, arrangement)
    if isinstance(found, Exception):
        if possible:
            kept = report.false if _least_sine(data.X, arrangement) > NEAR else report.odd
            kept.append(f"neural_gauge: refused though a network interpolates: {found}")
        return
    U, A, b = (to_decimal(values) for values in (found.network.U, found.network.A, found.network.offset))
    f = np.maximum(to_decimal(data.X).dot(U), ZERO).dot(A) + b if U.shape[1] else np.broadcast_to(b, data.Y.shape)
    misfit, largest = np.max(abs(f - to_decimal(data.Y))), Decimal(float(np.max(np.abs(data.Y))))
    report.expect(misfit <= Decimal("1.001e-9") * largest, f"neural_gauge: misfit {misfit:.3} of {largest:.3}")
    if not possible:
        report.odd.append(f"neural_gauge: interpolates to {misfit:.1} of {largest:.1} what none does exactly")
    decay = (sum((U * U).ravel(), ZERO) + sum((A * A).ravel(), ZERO)) / 2
    least, upper = decay * (1 - Decimal("1e-13")), Decimal(found.certificate.upper)
    most = decay * (1 + Decimal("1e-13")) + _charge(data, found, abs(f - to_decimal(data.Y)))
    report.expect(least <= upper <= most, f"neural_gauge: upper {upper:.17} for a weight decay of {decay:.17}")
    if found.status is not ng.Status.SOLVED:
        report.odd.append(f"neural_gauge: {found.status.name}, gap {found.certificate.gap:.1e}")
    if possible and data.Y.shape[1] == 1 and len(arrangement.patterns) <= 80 and found.certificate.scope != "estimated":
        value = report.call("(conic solver)", lambda: least_decay(data, arrangement))
        report.expect(
            value is None or found.certificate.lower <= value * (1 + 1e-5),
            f"neural_gauge: lower {found.certificate.lower} is above {value}",
        )
