"""The least output over a box by SciPy's HiGHS, polished."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from .._array import Array, as_positive
from ..errors import InvalidInputError, NeuralgaugeError
from .box import NetworkOnBox, checked_constraints
from .encoding import Encoding, Units, encode
from .maximum import Facets, Maximum
from .search import Search

# HiGHS stops at an absolute gap of 1e-6: with this range of the objective at 1e-9 of the network's.
RANGE = 1e3


@dataclass(frozen=True)
class Optimum:
    """The best point that HiGHS found over a box, polished, and its bound.

    Attributes
    ----------
    value : float
        The output at `point`, as the network predicts it there, in double precision.
    point : array of shape (d,)
        In the user's units, inside the box; constraints are kept to 1e-9 of their largest value over it.
    bound : float
        HiGHS's bound on all points, computed within its tolerances of 1e-6; `output_range` proves one.
    status : {"solved", "time limit"}
        Whether HiGHS closed its gap.
    nodes : int
        Of HiGHS's branch and bound; 0 for a linear program.
    seconds : float

    Examples
    --------
    >>> import neuralgauge as ng
    >>> best = ng.surrogate(([[1.0], [0.0]], [2.0]), 0.0, 3.0).maximize()
    >>> best.value, best.point.tolist(), best.status
    (6.0, [3.0], 'solved')
    """

    value: float
    point: Array
    bound: float
    status: Literal["solved", "time limit"]
    nodes: int
    seconds: float

    @property
    def gap(self) -> float:
        """|bound - value|."""
        return abs(self.bound - self.value)

    def negated(self) -> Optimum:
        """The same as a maximum of the negative."""
        return replace(self, value=0.0 - self.value, bound=0.0 - self.bound)


def minimum(box: NetworkOnBox, weights: Array, constraints: Any, gap: float, time_limit: float | None) -> Optimum:
    """Of the outputs by these weights, over the box and linear constraints."""
    begin = time.perf_counter()
    options: Any = {"mip_rel_gap": as_positive(gap, "gap")}
    if time_limit is not None:
        options["time_limit"] = as_positive(time_limit, "time_limit")
    search = Search(None)
    largest = Maximum(box, -weights, box.rows(constraints), search)
    readout, units = box.network.A @ weights, Units.scaled(box)
    encoding = encode(box, readout > 0.0, readout < 0.0, units)
    cost, constant, unit = _objective(readout * box.size, encoding, largest)
    result = milp(
        cost,
        integrality=encoding.integrality,
        bounds=Bounds(encoding.lower, encoding.upper),
        constraints=_constraints(encoding, constraints, units),
        options=options,
    )
    if result.status == 2:
        raise InvalidInputError("`constraints` must leave some point of the box, got constraints that no point keeps.")
    if result.status not in (0, 1):
        raise NeuralgaugeError(f"HiGHS gave up: {result.message} `output_range` does not rest on it.")
    _polish(largest, encoding, result.x, units)
    if search.point is None:
        raise NeuralgaugeError(
            "HiGHS found no point that keeps the constraints within the time limit; allow a larger `time_limit`."
        )
    bound = _bound(result, constant, unit, largest)
    status: Literal["solved", "time limit"] = "solved" if result.status == 0 else "time limit"
    nodes, seconds = int(result.mip_node_count or 0), time.perf_counter() - begin
    value = 0.0 - search.value
    return Optimum(value, search.point, min(bound, value), status, nodes, seconds)


def _objective(weight: Array, encoding: Encoding, largest: Maximum) -> tuple[Array, float, float]:
    """Costs of the variables, the constant in units of the outputs, and what the costs are multiplied by."""
    unit, (linear, bent) = RANGE / (largest.range or 1.0), (encoding.linear, encoding.bent)
    d = encoding.slope.shape[1]
    cost = np.zeros(len(encoding.lower))
    cost[:d] = weight[linear] @ encoding.slope[linear]
    cost[d : d + len(bent)] = weight[bent]
    return cost * unit, float(weight[linear] @ encoding.level[linear]) - largest.constant, unit


def _bound(result: Any, constant: float, unit: float, largest: Maximum) -> float:
    """That of the solver, in the units of the outputs; the relaxation's where it has none."""
    claimed = result.fun if result.status == 0 and result.mip_dual_bound is None else result.mip_dual_bound
    if claimed is None or not np.isfinite(claimed):
        return -largest.root().bound
    return float(claimed / unit + constant)


def _constraints(encoding: Encoding, constraints: Any, units: Units) -> list[LinearConstraint]:
    """Of the neurons, and of the inputs as variables."""
    rows = [LinearConstraint(encoding.A, -np.inf, encoding.row_upper)] if encoding.A.shape[0] else []
    for A, low, high in checked_constraints(constraints, len(units.unit)):
        inner, level = A * units.unit, A @ units.origin
        size = np.abs(inner).sum(axis=1) + np.abs(level)
        size = np.where(size > 0.0, size, 1.0)
        wide = np.hstack([inner / size[:, None], np.zeros((len(A), len(encoding.lower) - A.shape[1]))])
        rows.append(LinearConstraint(wide, (low - level) / size, (high - level) / size))
    return rows


def _polish(largest: Maximum, encoding: Encoding, x: Array | None, units: Units) -> None:
    """Offer the best point of the solver's activation pattern, by a linear program, and its own point."""
    box = largest.box
    k, m = len(box.free), len(box.size)
    signs = np.zeros(m, dtype=np.int8)
    lower, upper = -np.ones(k), np.ones(k)
    if x is None:
        largest.root()  # offers where its linear programs end
        return
    point = units.origin + units.unit * x[: len(box.lower)]
    t = np.clip(box.coordinates(point), -1.0, 1.0)
    largest.offer(t)
    gates = x[len(box.lower) + len(encoding.bent) :]
    signs[encoding.gated] = np.where(gates > 0.5, 1, -1)
    whole = box.integer[box.free]
    fixed = box.coordinates(np.rint(point))
    lower[whole] = upper[whole] = fixed[whole]
    largest.bounded(lower, upper, signs, Facets.none(k))
