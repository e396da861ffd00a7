"""Folds of a cross-validation: the network of each, and what their scores say of the penalties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from ..problems.training import TrainingProblem
from ..solvers.solution import Solution
from ..training.path import error_rate

Rule = Literal["best", "one_standard_error"]
Rows = npt.NDArray[np.intp]
RISE = 1.05  # held-out loss over its lowest at which smaller penalties are not tried
PATIENCE = 4  # penalties without a better score that are tried once every training row is right


@dataclass(frozen=True)
class Fold:
    """One split: the problem of its rows, their share of the total weight, the problem and numbers of the rest."""

    problem: TrainingProblem
    share: float
    held_out: TrainingProblem
    rows: Rows
    solution: Solution[Any] | None = None

    @property
    def network(self) -> TwoLayerNetwork:
        """The latest."""
        assert self.solution is not None
        assert isinstance(self.solution.network, TwoLayerNetwork)
        return self.solution.network

    def mean_loss(self) -> float:
        """Of the rows held out."""
        problem = self.held_out
        return problem.fit.value(problem.outputs(self.network)) / float(problem.sample_weight.sum())

    def error(self) -> float:
        """Of the rows held out: the share of wrong labels, or the mean loss."""
        return error_rate(self.held_out, self.held_out.outputs(self.network))

    def is_right(self) -> bool:
        """Whether no training row is wrong."""
        return error_rate(self.problem, self.problem.outputs(self.network)) == 0.0


def is_past_the_best(scores: Array, losses: list[float], right: list[bool]) -> bool:
    """Whether the last of k penalties says that smaller ones will not do better.

    Parameters
    ----------
    scores : array of shape (k, n_folds)
    losses : list of float
        Mean held-out losses, those of the scores' networks.
    right : list of bool
        Whether all training rows were right.
    """
    since = len(scores) - 1 - int(np.argmax(scores.mean(axis=1)))
    return losses[-1] > RISE * min(losses) or (since >= PATIENCE and all(right[-PATIENCE:]))


def chosen(scores: Array, rule: Rule) -> int:
    """Index of the first (largest) penalty of the best mean score, or within one standard error of it.

    Examples
    --------
    >>> scores = np.array([[0.5, 0.5], [0.7, 0.9], [0.8, 1.0], [0.9, 0.9]])
    >>> chosen(scores, "best"), chosen(scores, "one_standard_error")
    (2, 1)
    """
    mean = scores.mean(axis=1)
    best = int(np.argmax(mean))
    needed = mean[best] - 1e-12 * abs(mean[best])
    if rule == "one_standard_error" and scores.shape[1] > 1:
        needed -= float(scores[best].std(ddof=1)) / np.sqrt(scores.shape[1])
    return int(np.argmax(mean >= needed))
