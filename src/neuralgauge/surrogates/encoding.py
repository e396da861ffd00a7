"""Neurons over a box as rows of a mixed-integer program, with the tightest big-M and no binary that is not needed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._array import Array, BoolArray
from .box import NetworkOnBox

Indices = npt.NDArray[np.intp]


class Units(NamedTuple):
    """Inputs as variables v: x = origin + unit * v."""

    origin: Array
    unit: Array

    @classmethod
    def scaled(cls, box: NetworkOnBox) -> Units:
        """On [-1, 1], integers from 0."""
        fixed = box.lower == box.upper
        unit = np.where(box.integer | fixed, 1.0, box.half)
        return cls(np.where(box.integer | fixed, box.lower, box.middle), unit)

    @classmethod
    def own(cls, d: int) -> Units:
        """As the user has them."""
        return cls(np.zeros(d), np.ones(d))


class Encoding(NamedTuple):
    """Columns v (d), y of neurons that bend (scaled to at most 1), binaries; rows A (r, n); who is who.

    `slope`, `level` are of the neurons, z_j / size_j = slope_j . v + level_j; `linear` are on all over the box.
    """

    A: sparse.csr_array
    row_upper: Array
    lower: Array
    upper: Array
    integrality: Indices
    bent: Indices
    gated: Indices
    linear: Indices
    slope: Array
    level: Array


def encode(box: NetworkOnBox, above: BoolArray, below: BoolArray, units: Units) -> Encoding:
    r"""Rows that keep y_j, of neurons that change sign over the box, to (z_j)_+ from above and from below.

    z_j ranges over [l_j, u_j], exactly. Where y must not be too small (`above`): :math:`y_j \ge z_j`; where not too
    large (`below`): :math:`y_j \le z_j - l_j (1 - s_j)`, :math:`y_j \le u_j s_j` with a binary s_j.
    """
    slope, level = _in_units(box, units)
    reach = np.abs(box.slope).sum(axis=1) + box.rounding
    least, most = box.level - reach, box.level + reach
    linear = np.flatnonzero((least >= 0.0) & (box.size > 0.0))
    bent = np.flatnonzero((least < 0.0) & (most > 0.0) & (above | below))
    gated = bent[below[bent]]
    d, m, g = len(box.lower), len(bent), len(gated)
    y = d + np.searchsorted(bent, np.arange(len(box.size)))
    up = bent[above[bent]]

    def rows(neurons: Indices, *, slopes: float, ys: float, gates: Any) -> sparse.csr_array:
        """slopes * slope . v + ys * y + gates * s."""
        r = len(neurons)
        own = sparse.csr_array((np.full(r, ys), (np.arange(r), y[neurons] - d)), shape=(r, m))
        ones = sparse.diags_array(gates) if len(gates) else sparse.csr_array((r, g))
        inner = sparse.csr_array(slopes * slope[neurons])
        return sparse.csr_array(sparse.hstack([inner, own, ones]))

    A = sparse.vstack(
        [
            rows(up, slopes=1.0, ys=-1.0, gates=()),
            rows(gated, slopes=-1.0, ys=1.0, gates=-least[gated]),
            rows(gated, slopes=0.0, ys=1.0, gates=-most[gated]),
        ]
    )
    right = np.concatenate([-level[up], level[gated] - least[gated], np.zeros(g)])
    low, high = (box.lower - units.origin) / units.unit, (box.upper - units.origin) / units.unit
    return Encoding(
        sparse.csr_array(A),
        right,
        np.concatenate([low, np.zeros(m + g)]),
        np.concatenate([high, most[bent], np.ones(g)]),
        np.concatenate([box.integer, np.zeros(m), np.ones(g)]).astype(np.intp),
        bent,
        gated,
        linear,
        slope,
        level,
    )


def _in_units(box: NetworkOnBox, units: Units) -> tuple[Array, Array]:
    """slope (m, d) and level (m,) for inputs as variables, each neuron over its size."""
    network = box.network
    size = np.where(box.size > 0.0, box.size, 1.0)
    W = network.U[: network.n_features].T / size[:, None]
    bias = network.U[-1] / size if network.bias else np.zeros(len(size))
    return W * units.unit, W @ units.origin + bias


def needed(A: Array, sense: str | None) -> tuple[BoolArray, BoolArray]:
    """Of which neurons y must be kept from falling below (z)_+, and from rising above it."""
    if sense is None:
        return np.ones(len(A), dtype=bool), np.ones(len(A), dtype=bool)
    sign = 1.0 if sense == "minimize" else -1.0
    return np.any(sign * A > 0.0, axis=1), np.any(sign * A < 0.0, axis=1)
