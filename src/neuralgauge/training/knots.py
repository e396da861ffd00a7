"""Knots of a continuous piecewise linear function of least squared error: inserted, moved, exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from .._array import Array
from .knot_sets import KNOT_RIDGE, LEAST_PIECE, KnotSets, nodes_of

MOST_PLACES = 300  # where a knot may be inserted, evenly among the points
# Sets drawn for each knot, those of least error that are exchanged, and steps of Gauss and Newton's method for each; of
# many knots fewer, whose systems take the cube of their number.
SETS_DRAWN, SETS_KEPT, SET_STEPS = 48, 4, 25
MANY_DRAWN, MANY_KEPT, MANY_STEPS = 8000, 28, 200  # divided by the number of knots
DRAW_SEED = 0  # so that the result is one
END_STEPS = 60  # at the end
PLACES_TRIED = 3  # for a knot that was taken out
KNOT_EXCHANGES = 20  # of exchanges of all knots
KNOT_GAIN = 1e-7  # relative decrease that counts as one
SINGLE_MOVES, MOST_MOVES = (
    10.0 ** np.arange(-6.0, -0.5, 0.5),
    20,
)  # of single knots, as shares of the range, and in turn
END_GAIN = 1e-10  # relative decrease of a single move that counts as one


@dataclass(frozen=True)
class Line:
    """Distinct places x in [0, 1], rising, with weights and means y; the way back, and the error that stays."""

    x: Array
    y: Array
    weight: Array
    start: float  # x in the user's units is start + length * x
    length: float
    mean: float  # y in the user's units is mean + scale * y
    scale: float
    within: float  # weighted squared deviations from the means of one place, in units of scale^2

    @classmethod
    def of(cls, x: Array, y: Array, weight: Array) -> Self:
        """Points in any order."""
        places, index = np.unique(x, return_inverse=True)
        total = np.bincount(index, weight).astype(np.float64)
        mean = float(np.sum(weight * y) / weight.sum())
        scale = float(np.sqrt(np.sum(weight * (y - mean) ** 2) / weight.sum())) or 1.0
        targets = (y - mean) / scale
        means = np.bincount(index, weight * targets) / total
        within = float(np.sum(weight * (targets - means[index]) ** 2))
        length = float(places[-1] - places[0]) or 1.0
        return cls((places - places[0]) / length, means, total, float(places[0]), length, mean, scale, within)


class KnotSearch:
    """The search on one line; its functions have their nodes at 0, the knots and 1."""

    def __init__(self, line: Line, n_knots: int) -> None:
        self.line, self.sets = line, KnotSets(line.x, line.y, line.weight)
        inner = line.x[1:-1]
        inner = inner[(inner >= LEAST_PIECE) & (inner <= 1.0 - LEAST_PIECE)]
        self.n_knots, self.steps = n_knots, min(SET_STEPS, max(1, MANY_STEPS // max(1, n_knots)))
        self.places = inner[:: max(1, -(-len(inner) // MOST_PLACES))]

    def fit(self, starts: list[Array]) -> Array:
        """Knots of least error among those found; fewer where no more can be placed."""
        grown = np.zeros((1, 0))
        while grown.shape[1] < self.n_knots:
            more = self._insertions(grown, 1)
            if not len(more):
                break
            grown = self.sets.descended(more, self.steps)[0]
        n_knots = grown.shape[1]
        given = [start for start in starts if len(start) == n_knots and self._apart(start)]
        drawn = self._drawn(n_knots)
        best = self._exchanged(self._best(np.vstack([grown, *given, drawn])))
        settled = self._settled(best[np.argmin(self.sets.errors(best))][None])
        return self.moved(settled[0])

    def _apart(self, knots: Array) -> bool:
        return bool(np.all(np.diff(nodes_of(knots)) >= LEAST_PIECE))

    def _drawn(self, n_knots: int) -> Array:
        """Sets of different places, each equally likely."""
        rng = np.random.default_rng(DRAW_SEED)
        if n_knots == 0 or n_knots > len(self.places):
            return np.zeros((0, n_knots))
        drawn = [
            np.sort(rng.choice(self.places, n_knots, replace=False))
            for _ in range(min(SETS_DRAWN * n_knots, MANY_DRAWN // n_knots))
        ]
        return np.array([knots for knots in drawn if self._apart(knots)]).reshape(-1, n_knots)

    def _best(self, knots: Array) -> Array:
        """After steps of all sets the best ones, of equal errors one."""
        moved, errors = self.sets.descended(knots, self.steps)
        order = np.argsort(errors, kind="stable")
        rising = np.nan_to_num(errors[order], posinf=2.0 * self.sets.energy)
        new = np.concatenate([[True], np.diff(rising) > KNOT_GAIN * self.sets.energy])
        return moved[order[new][: min(SETS_KEPT, max(1, MANY_KEPT // max(1, knots.shape[1])))]]

    def _exchanged(self, knots: Array) -> Array:
        """Each set after exchanges of a knot at a time for one anywhere else, until none helps."""
        errors = self.sets.errors(knots)
        for _ in range(KNOT_EXCHANGES if knots.shape[1] else 0):
            rest = np.concatenate([np.delete(knots, j, axis=1) for j in range(knots.shape[1])])
            tried = self._insertions(rest, PLACES_TRIED)
            if not len(tried):
                break
            moved, found = self.sets.descended(tried, self.steps)
            better = np.argsort(found, kind="stable")
            improved = False
            for k in better[: len(knots)]:
                worst = int(np.argmax(errors))
                known = np.abs(errors - found[k]) <= KNOT_GAIN * self.sets.energy
                if found[k] < errors[worst] and not known.any():
                    improved |= bool(found[k] < errors.min())
                    knots[worst], errors[worst] = moved[k], found[k]
            if not improved:
                break
        return knots

    def _settled(self, start: Array) -> Array:
        """One set (1, k) after moves of single knots, for where the error has an edge steps of all knots stop at."""
        knots: Array = start
        error = float(self.sets.errors(start)[0])
        k = knots.shape[1]
        moves: Array = np.concatenate([sign * share * np.eye(k) for sign in (-1.0, 1.0) for share in SINGLE_MOVES])
        for _ in range(MOST_MOVES if k else 0):
            tried = np.sort(knots + moves, axis=1)
            tried = tried[np.all(np.diff(nodes_of(tried), axis=1) >= LEAST_PIECE, axis=1)]
            if not len(tried):
                break
            moved, errors = self.sets.descended(tried, 3)
            best = int(np.argmin(errors))
            if not errors[best] < error * (1.0 - END_GAIN):
                break
            knots, error = moved[best : best + 1], float(errors[best])
        return knots

    def _insertions(self, knots: Array, most: int) -> Array:
        """Sets (B, k) with one more place each, where the error falls most and less at the places beside."""
        places = np.tile(self.places, len(knots))
        tried = np.sort(np.column_stack([np.repeat(knots, len(self.places), axis=0), places]), axis=1)
        apart = np.all(np.diff(nodes_of(tried), axis=1) >= LEAST_PIECE, axis=1)
        errors = np.full(len(tried), np.inf)
        errors[apart] = self.sets.errors(tried[apart])
        table = np.pad(errors.reshape(len(knots), -1), ((0, 0), (1, 1)), constant_values=np.inf)
        middle = table[:, 1:-1]
        low = np.where((middle <= table[:, :-2]) & (middle <= table[:, 2:]), middle, np.inf)
        chosen = np.argsort(low, axis=1, kind="stable")[:, :most]
        rows = np.arange(len(knots))[:, None] * len(self.places) + chosen
        return tried[rows[np.isfinite(np.take_along_axis(low, chosen, axis=1))]]

    def values(self, knots: Array) -> Array:
        """Values of the best function at the nodes."""
        hats, root = self._hats(nodes_of(knots)), np.sqrt(self.line.weight)
        return np.asarray(np.linalg.lstsq(hats * root[:, None], self.line.y * root)[0], dtype=np.float64)

    def error(self, knots: Array) -> float:
        """Its error, without that within places."""
        residual = self._hats(nodes_of(knots)) @ self.values(knots) - self.line.y
        return float(np.sum(self.line.weight * residual**2))

    def _piece(self, nodes: Array) -> tuple[npt.NDArray[np.intp], Array]:
        """The piece of each point, and its share of the way through it."""
        piece = np.clip(np.searchsorted(nodes, self.line.x, side="right") - 1, 0, len(nodes) - 2)
        return piece, (self.line.x - nodes[piece]) / (nodes[piece + 1] - nodes[piece])

    def _hats(self, nodes: Array) -> Array:
        """The function that is 1 at a node and 0 at others, at the points (n, nodes)."""
        piece, share = self._piece(nodes)
        hats, rows = np.zeros((len(self.line.x), len(nodes))), np.arange(len(self.line.x))
        hats[rows, piece], hats[rows, piece + 1] = 1.0 - share, share
        return hats

    def moved(self, knots: Array) -> Array:
        """The knots after damped steps of Gauss and Newton on knots and values together, the error never above."""
        if len(knots) == 0:
            return knots
        root, damping = np.sqrt(self.line.weight), 1e-3
        error, values = self.error(knots), self.values(knots)
        for _ in range(END_STEPS):
            nodes = nodes_of(knots)
            hats = self._hats(nodes)
            piece, _ = self._piece(nodes)
            # A node that moves with its value takes the slopes beside it along.
            slopes = np.diff(values) / np.diff(nodes)
            moves = -slopes[piece, None] * hats[:, 1:-1]
            J = np.hstack([hats, moves]) * root[:, None]
            gram, residual = J.T @ J, (hats @ values - self.line.y) * root
            diagonal = np.arange(len(nodes), gram.shape[0])
            gram[np.diag_indices(len(gram))] += KNOT_RIDGE * (1.0 + gram.max())
            gram[diagonal, diagonal] *= 1.0 + damping
            step = -np.linalg.solve(gram, J.T @ residual)[len(nodes) :]
            tried = np.sort(knots + step)
            inside = tried[0] > 0.0 and tried[-1] < 1.0 and np.all(np.diff(tried) > 0.0)
            value = self.error(tried) if inside else np.inf
            if value < error:
                small = value > error * (1.0 - KNOT_GAIN)
                knots, error, values, damping = tried, value, self.values(tried), 0.1 * damping
                if small:
                    break
            elif damping > 1e6:
                break
            else:
                damping *= 10.0
        return knots
