"""Folds of a cross-validation: the network of each, and what their scores say of the penalties."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from ..preparation.standardization import Standardization
from ..problems.training import TrainingProblem
from ..solvers.solution import Solution
from ..training.path import error_rate

Rule = Literal["best", "one_standard_error"]
Rows = npt.NDArray[np.intp]
RISE = 1.05  # held-out loss over its lowest at which smaller penalties are not tried
ROUNDING = 1e-12  # of mean scores, relative
PATIENCE = 4  # penalties without a better score that are tried once every training row is right


@dataclass(frozen=True)
class Fold:
    """One split: the problem of its rows, their share of the total weight, the problem and numbers of the rest.

    Both problems are in the standardised columns of the fold's own rows.
    """

    problem: TrainingProblem
    scaling: Standardization
    share: float
    held_out: TrainingProblem
    rows: Rows
    solution: Solution[Any] | None = None

    def with_offset(self) -> Fold:
        """The same fold for outputs with an offset."""
        problem, held_out = self.problem.with_offset(True), self.held_out.with_offset(True)
        return replace(self, problem=problem, held_out=held_out)

    def on(self, problem: TrainingProblem, scaling: Standardization) -> Solution[Any]:
        """Its network for the columns of another problem and scaling, with minus the gradient there as dual point."""
        assert self.solution is not None
        network = self.scaling.moved(self.network, scaling, problem.offset)
        return replace(self.solution, network=network, dual=-problem.fit.gradient(problem.outputs(network)))

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
    needed = mean[best] - ROUNDING * abs(mean[best])
    if rule == "one_standard_error" and scores.shape[1] > 1:
        needed -= float(scores[best].std(ddof=1)) / np.sqrt(scores.shape[1])
    return int(np.argmax(mean >= needed))
