"""Many sets of knots at once: errors, and Gauss-Newton steps, from sums over the points before each place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._array import Array

LEAST_PIECE = 1e-4  # of the range: in shorter ones the differences of sums lose their digits
SYSTEM_ENTRIES = 2_000_000  # of the systems of sets in memory at a time
NO_ERROR = 1e-9  # of the sum of squares: what rounding makes of an error of zero
KNOT_RIDGE = 1e-12  # relative to the largest entry: two knots between two points leave a value open


class Products(NamedTuple):
    """Of each piece, (B, S): sums over its points of products of the functions that fall and rise on it, and with y."""

    falling: Array
    both: Array
    rising: Array
    falling_y: Array
    rising_y: Array


class KnotSets:
    """Sums of w, w x, w x^2, w y, w x y; a piece's are differences, so that the cost of a set does not depend on n."""

    def __init__(self, x: Array, y: Array, weight: Array) -> None:
        parts = np.stack([weight, weight * x, weight * x * x, weight * y, weight * x * y])
        self.x, self.sums = x, np.concatenate([np.zeros((5, 1)), np.cumsum(parts, axis=1)], axis=1)
        self.energy = float(np.sum(weight * y * y))

    def products(self, nodes: Array) -> Products:
        """Of functions on the pieces between nodes (B, S + 1)."""
        edges = np.searchsorted(self.x, nodes, side="left")
        edges[:, 0], edges[:, -1] = 0, len(self.x)
        S0, S1, S2, T0, T1 = np.diff(self.sums[:, edges], axis=-1)
        a, b = nodes[:, :-1], nodes[:, 1:]
        h = b - a
        return Products(
            np.maximum(b * b * S0 - 2 * b * S1 + S2, 0.0) / h**2,
            (-a * b * S0 + (a + b) * S1 - S2) / h**2,
            np.maximum(S2 - 2 * a * S1 + a * a * S0, 0.0) / h**2,
            (b * T0 - T1) / h,
            (T1 - a * T0) / h,
        )

    def solved(self, products: Products) -> tuple[Array, Array]:
        """Values at the nodes (B, S + 1) of least error, and that error (B,): tridiagonal systems, by elimination."""
        n, size = products.both.shape[1] + 1, len(products.both)
        diagonal, rhs = np.zeros((n, size)), np.zeros((n, size))
        diagonal[:-1] += products.falling.T
        diagonal[1:] += products.rising.T
        diagonal += KNOT_RIDGE * (1.0 + diagonal.max(axis=0))
        rhs[:-1] += products.falling_y.T
        rhs[1:] += products.rising_y.T
        beside, right = products.both.T, rhs.copy()
        values = np.empty((n, size))
        with np.errstate(over="ignore", invalid="ignore"):
            for k in range(1, n):
                share = beside[k - 1] / diagonal[k - 1]
                diagonal[k] = np.maximum(diagonal[k] - share * beside[k - 1], KNOT_RIDGE)
                right[k] -= share * right[k - 1]
            values[-1] = right[-1] / diagonal[-1]
            for k in range(n - 2, -1, -1):
                values[k] = (right[k] - beside[k] * values[k + 1]) / diagonal[k]
            errors = self.energy - np.sum(values * rhs, axis=0)
        # Knots that share a gap between two points leave systems without a solution, of which rounding makes any error.
        sound = np.isfinite(errors) & (errors > -NO_ERROR * self.energy)
        return np.where(sound, values, 0.0).T, np.where(sound, errors, np.inf)

    def errors(self, knots: Array) -> Array:
        """Least errors (B,) of sets of knots (B, k)."""
        return self.solved(self.products(nodes_of(knots)))[1]

    def _steps(self, nodes: Array, values: Array, products: Products, damping: Array) -> Array:
        """Moves of the knots (B, k): damped steps in knots and values together."""
        B, n = nodes.shape
        S, k = n - 1, n - 2
        slopes = np.diff(values, axis=1) / np.diff(nodes, axis=1)
        # Columns of falling and rising functions of the pieces that a value, and then a knot, moves by.
        basis = np.zeros((B, 2 * S, n + k))
        piece, inner = np.arange(S), np.arange(k)
        basis[:, 2 * piece, piece] = basis[:, 2 * piece + 1, piece + 1] = 1.0
        basis[:, 2 * inner + 1, n + inner] = -slopes[:, :-1]
        basis[:, 2 * inner + 2, n + inner] = -slopes[:, 1:]
        gram = np.zeros((B, 2 * S, 2 * S))
        gram[:, 2 * piece, 2 * piece], gram[:, 2 * piece + 1, 2 * piece + 1] = products.falling, products.rising
        gram[:, 2 * piece, 2 * piece + 1] = gram[:, 2 * piece + 1, 2 * piece] = products.both
        known = np.stack([products.falling_y, products.rising_y], axis=2).reshape(B, 2 * S)
        residual = known - (gram @ (basis[:, :, :n] @ values[:, :, None]))[:, :, 0]
        transposed = basis.transpose(0, 2, 1)
        system = transposed @ gram @ basis
        diagonal, moved = np.arange(n + k), np.arange(n, n + k)
        system[:, moved, moved] *= 1.0 + damping[:, None]
        system[:, diagonal, diagonal] += KNOT_RIDGE * (1.0 + system.max(axis=(1, 2)))[:, None]
        return np.linalg.solve(system, transposed @ residual[:, :, None])[:, n:, 0]

    def descended(self, knots: Array, steps: int) -> tuple[Array, Array]:
        """Sets of knots (B, k) after so many steps, each only where its error falls, and their errors (B,)."""
        size = max(1, SYSTEM_ENTRIES // (2 * knots.shape[1] + 2) ** 2)
        parts = [self._descended(knots[i : i + size], steps) for i in range(0, len(knots), size)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _descended(self, knots: Array, steps: int) -> tuple[Array, Array]:
        knots, damping = np.sort(knots, axis=1), np.full(len(knots), 1e-2)
        products = self.products(nodes_of(knots))
        values, errors = self.solved(products)
        for _ in range(steps if knots.shape[1] else 0):
            tried = np.sort(knots + self._steps(nodes_of(knots), values, products, damping), axis=1)
            allowed = np.all(np.diff(nodes_of(tried), axis=1) >= LEAST_PIECE, axis=1)
            tried = np.where(allowed[:, None], tried, knots)
            new = self.products(nodes_of(tried))
            new_values, new_errors = self.solved(new)
            better = allowed & (new_errors < errors)
            knots, errors = np.where(better[:, None], tried, knots), np.where(better, new_errors, errors)
            values = np.where(better[:, None], new_values, values)
            products = Products(*(np.where(better[:, None], one, old) for one, old in zip(new, products, strict=True)))
            damping = np.clip(np.where(better, 0.1 * damping, 10.0 * damping), 1e-6, 1e6)
        return knots, errors


def nodes_of(knots: Array) -> Array:
    """The knots between the two ends, along the last axis."""
    ends = np.broadcast_to([0.0, 1.0], (*knots.shape[:-1], 2))
    return np.concatenate([ends[..., :1], knots, ends[..., 1:]], axis=-1)
