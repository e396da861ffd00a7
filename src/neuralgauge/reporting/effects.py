"""What the neurons look at, which columns count, and how predictions follow a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._array import Array, with_ones
from .subject import Subject

ROWS_AVERAGED = 1000  # over which slopes and partial dependence are averaged
MOST_NEURONS = 12  # in the table
MOST_WEIGHTS = 4  # of a neuron
MOST_CURVES = 6  # of partial dependence
GRID = 41  # points of a curve


class Weight(NamedTuple):
    """What a neuron makes of a column: its weight for one standard deviation, over the largest of the neuron."""

    name: str
    share: float


@dataclass(frozen=True)
class Neuron:
    """A neuron for the table: rank, share of the cost, rows on which it is active, what it moves, what it looks at."""

    rank: int
    share: float
    active: float
    effects: tuple[str, ...]
    weights: tuple[Weight, ...]
    others: int


def deviations(subject: Subject) -> Array:
    """Standard deviations (d,) of the columns as the network sees them, scaled."""
    spread: Array = subject.rows.std(axis=0) / subject.saved.standardization.feature_scale
    return spread


def neurons(subject: Subject) -> list[Neuron]:
    """The neurons of largest cost |u| |alpha| first, at most `MOST_NEURONS` of them."""
    network, d = subject.saved.network, len(subject.names)
    cost = np.linalg.norm(network.U, axis=0) * np.linalg.norm(network.A, axis=1)
    order = np.argsort(-cost, kind="stable")[:MOST_NEURONS]
    rows = _design(subject, subject.rows[subject.part(ROWS_AVERAGED)])
    active = (rows @ network.U[:, order] > 0.0).mean(axis=0)
    moved = network.U[:d, order] * deviations(subject)[:, None]
    found = []
    for k, j in enumerate(order.tolist()):
        size = np.abs(moved[:, k])
        largest = float(size.max()) or 1.0
        first = [i for i in np.argsort(-size, kind="stable")[:MOST_WEIGHTS].tolist() if size[i] > 0.0]
        weights = tuple(Weight(subject.names[i], float(moved[i, k]) / largest) for i in first)
        others = int(np.sum(size > 0.0)) - len(first)
        share = float(cost[j] / cost.sum())
        found.append(Neuron(k + 1, share, float(active[k]), _moves(subject, network.A[j]), weights, others))
    return found


def _moves(subject: Subject, alpha: Array) -> tuple[str, ...]:
    """What a neuron does to the outputs, the largest weights first; those below a tenth of the largest are left out."""
    size = np.abs(alpha)
    order = [k for k in np.argsort(-size, kind="stable").tolist() if size[k] >= 0.1 * size.max()][:3]
    up, down = ("speaks for", "speaks against") if subject.saved.classes else ("raises", "lowers")
    return tuple(f"{up if alpha[k] > 0.0 else down} {subject.outputs[k]}" for k in order)


def importances(subject: Subject) -> Array:
    """For each column (d,) how far a standard deviation of it moves the outputs, averaged over rows.

    The mean of |slope| times the deviation; slopes of a ReLU network are exact, sum_j 1[x^T u_j > 0] u_j alpha_j^T.
    Outputs are in standard deviations of their own targets, and summed.
    """
    network, d = subject.saved.network, len(subject.names)
    rows = _design(subject, subject.rows[subject.part(ROWS_AVERAGED)])
    gates = (rows @ network.U > 0.0).astype(float)
    spread = np.broadcast_to(_target_spread(subject), network.n_outputs)
    total = np.zeros(d)
    for k in range(network.n_outputs):
        slopes = (gates * network.A[:, k]) @ network.U[:d].T
        total += np.abs(slopes).mean(axis=0) / spread[k]
    return total * deviations(subject)


def _target_spread(subject: Subject) -> Array | float:
    """Standard deviations of the targets as the network sees them; 1 for classes and for constants."""
    if subject.saved.classes:
        return 1.0
    spread = np.atleast_1d(subject.y.std(axis=0)) / subject.saved.standardization.target_scale
    return np.where(spread > 0.0, spread, 1.0)


class Curve(NamedTuple):
    """Predictions (GRID, k) averaged over rows in which a column takes each of the values (GRID,)."""

    name: str
    values: Array
    means: Array
    deciles: Array


def partial_dependence(subject: Subject) -> list[Curve]:
    """Of the columns that count most, the most important first; constant ones are left out.

    J. H. Friedman, Greedy function approximation, Annals of Statistics 2001, section 8.2: the mean over rows of the
    prediction with one column at a value and all others as they are. Probabilities where the loss has them, else
    scores, or predictions.
    """
    importance = importances(subject)
    order = np.argsort(-importance, kind="stable")[:MOST_CURVES]
    rows = subject.rows[subject.part(ROWS_AVERAGED)]
    curves = []
    for k in order.tolist():
        low, high = subject.rows[:, k].min(), subject.rows[:, k].max()
        if low == high or importance[k] == 0.0:
            continue
        values = np.linspace(low, high, GRID)
        means = [_predicted(subject, _with_column(rows, k, value)).mean(axis=0) for value in values]
        deciles = np.quantile(subject.rows[:, k], np.linspace(0.1, 0.9, 9))
        curves.append(Curve(subject.names[k], values, np.array(means), deciles))
    return curves


def _with_column(rows: Array, k: int, value: float) -> Array:
    changed = rows.copy()
    changed[:, k] = value
    return changed


def _predicted(subject: Subject, X: Array) -> Array:
    """What a curve shows, (n, k): a probability of each class, of two classes the second; scores; predictions."""
    saved = subject.saved
    if saved.has_probabilities:
        outputs = saved.predict_proba(X)
        return outputs[:, 1:] if outputs.shape[1] == 2 else outputs
    outputs = saved.decision_function(X) if saved.classes else saved.predict(X)
    return outputs.reshape(len(X), -1)


def _design(subject: Subject, X: Array) -> Array:
    """Rows as the network multiplies them."""
    rows = subject.saved.standardization.features(X)
    return with_ones(rows) if subject.saved.network.bias else rows
