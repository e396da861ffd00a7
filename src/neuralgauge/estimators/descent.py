"""Folds of a cross-validation that go down the penalties together, and what they find there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.parallel import delayed

from .._array import Array
from ..solvers.solution import Solution
from .folds import PATIENCE, RISE, Fold

RANGE, FLOOR = 1e-3, 1e-6  # of penalties relative to the first: where `n_betas` of them end, and where any end
COARSER = 2.0  # power of the ratio of two penalties in the range that is the ratio of two below it
BELOW = 2  # penalties below the range without a better score at which the descent ends
# Share of the standard error of the best score that counts as better. Decided on friedman1 to friedman3 of
# scikit-learn, 400 rows, with and without noise: the lowest error lies between 1e-3 and 1e-6 of the first penalty.
BETTER = 0.1


@dataclass(frozen=True)
class Point:
    """The folds at one penalty, trained, and their scores."""

    beta: float
    folds: tuple[Fold, ...]
    scores: tuple[float, ...]

    @property
    def offset(self) -> bool:
        """Whether the outputs have one."""
        return self.folds[0].problem.offset

    @cached_property
    def score(self) -> float:
        """Mean over the folds."""
        return float(np.mean(self.scores))

    @cached_property
    def loss(self) -> float:
        """Mean loss of the rows held out."""
        return float(np.mean([fold.mean_loss() for fold in self.folds]))

    @cached_property
    def is_right(self) -> bool:
        """Whether no training row of any fold is wrong."""
        return all(fold.is_right() for fold in self.folds)


@dataclass(frozen=True)
class Descent:
    """How the folds are trained and scored.

    Attributes
    ----------
    parallel : Parallel
        Of joblib.
    trainer : callable
        Takes a problem, a gap, `time_limit`, `random_state` and `start`.
    score : callable
        Of a trained fold.
    deadline : float
        When the folds must end, on `time.perf_counter`.
    write : callable or None
        Takes a line a penalty.
    """

    parallel: Any
    trainer: Callable[..., Solution[Any]]
    score: Callable[[Fold], float]
    gap: float
    seed: Any
    deadline: float
    write: Callable[[str], None] | None

    @property
    def left(self) -> float:
        """Seconds."""
        return self.deadline - time.perf_counter()

    def point(self, beta: float, folds: tuple[Fold, ...]) -> Point:
        """Train every fold at its share of the penalty, from its network at hand."""
        limit = max(self.left, 1e-3) if np.isfinite(self.deadline) else None
        options = {"time_limit": limit, "random_state": self.seed}
        found = self.parallel(
            delayed(self.trainer)(fold.problem.with_beta(beta * fold.share), self.gap, start=fold.solution, **options)
            for fold in folds
        )
        trained = tuple(replace(fold, solution=solution) for fold, solution in zip(folds, found, strict=True))
        point = Point(beta, trained, tuple(self.score(fold) for fold in trained))
        if self.write is not None:
            self.write(f"beta {beta:.4g}  score {point.score:.4g}  loss {point.loss:.4g}")
        return point


def is_past_the_best(points: list[Point]) -> bool:
    """Whether the last penalties say that smaller ones will not do better: by loss and scores, or scores alone."""
    since = len(points) - 1 - int(np.argmax([point.score for point in points]))
    risen = points[-1].loss > RISE * min(point.loss for point in points)
    return (risen and since >= BELOW) or (since >= PATIENCE and all(point.is_right for point in points[-PATIENCE:]))


def below(grid: Array) -> Iterator[float]:
    """The penalties that continue falling ones of equal ratios, in larger steps, down to the floor."""
    if len(grid) < 2:
        return
    ratio, beta = (grid[-1] / grid[-2]) ** COARSER, grid[-1]
    while (beta := beta * ratio) >= FLOOR * grid[0] * (1.0 - 1e-9):
        yield float(beta)


def still_pays(scores: Array) -> bool:
    """Whether the last penalties have brought a better score, so that smaller ones may bring more.

    Parameters
    ----------
    scores : array of shape (k, n_folds)

    Examples
    --------
    >>> still_pays(np.array([[0.5, 0.7], [0.6, 0.8], [0.6, 0.8], [0.7, 0.8]]))
    True
    >>> still_pays(np.array([[0.5, 0.7], [0.6, 0.8], [0.6, 0.8], [0.6, 0.8]]))
    False
    """
    mean = scores.mean(axis=1)
    if len(mean) <= BELOW:
        return True
    best = int(np.argmax(mean))
    error = float(scores[best].std(ddof=1)) / np.sqrt(scores.shape[1]) if scores.shape[1] > 1 else 0.0
    return bool(mean[-BELOW:].max() > mean[:-BELOW].max() + BETTER * error)
