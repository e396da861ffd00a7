"""Choosing beta by cross-validation along a path of penalties that all folds descend together."""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils.parallel import Parallel, delayed

from .._array import Array, as_positive
from ..errors import InvalidInputError
from ..networks.dense import TwoLayerNetwork
from ..problems.training import TrainingProblem
from ..solvers.solution import Solution
from ..training.path import error_rate, penalties
from ..training.screening import is_searchable, screen
from ..training.train import train
from .base import ReLUEstimator, TrainingData
from .one_vs_rest import train_one_vs_rest

Rule = Literal["best", "one_standard_error"]
Rows = npt.NDArray[np.intp]
RISE = 1.05  # held-out loss over its lowest at which smaller penalties are not tried
ROUGH = 1e-2  # `gap_path` from which the folds' networks are searched only
PATIENCE = 4  # penalties without a better score that are tried once every training row is right


@dataclass(frozen=True)
class Fold:
    """One split: the problem of its rows, their share of the total weight, the problem and numbers of the rest."""

    problem: TrainingProblem
    share: float
    held_out: TrainingProblem
    rows: Rows
    solution: Solution | None = None

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


class CrossValidated(ReLUEstimator):
    """Parameters and procedure of the estimators that choose beta themselves."""

    betas: Any
    n_betas: int
    beta_min_ratio: float
    cv: Any
    rule: Rule
    scoring: Any
    early_stopping: bool
    gap_path: float
    n_jobs: int | None

    betas_: Array
    scores_: Array
    mean_scores_: Array

    def _fit_best(self, data: TrainingData) -> None:
        """Choose beta and train on all rows."""
        start = time.perf_counter()
        gap, limit = as_positive(self.gap, "gap"), self._checked_time_limit()
        if self.rule not in ("best", "one_standard_error"):
            raise InvalidInputError(f"`rule` must be 'best' or 'one_standard_error', got {self.rule!r}.")
        problem = self._problem(data)
        grid = penalties(lambda: self._beta_max(problem), self.betas, self.n_betas, self.beta_min_ratio)
        folds = [self._fold(data, np.asarray(rows), np.asarray(held_out)) for rows, held_out in self._splits(data)]
        halfway = np.inf if limit is None else start + 0.5 * limit
        scores = self._descend(grid, folds, halfway, self._scorer(data))
        self.betas_, self.scores_ = grid[: len(scores)], scores
        self.mean_scores_ = scores.mean(axis=1)
        left = None if limit is None else max(start + limit - time.perf_counter(), 1e-3)
        self._train(problem, float(self.betas_[chosen(scores, self.rule)]), gap, left)

    def _splits(self, data: TrainingData) -> Iterable[tuple[Any, Any]]:
        cv, stratify = 5 if self.cv is None else self.cv, is_classifier(self)
        if isinstance(cv, int | np.integer):
            cv = (StratifiedKFold if stratify else KFold)(int(cv), shuffle=True, random_state=self._seed())
        splits: Iterable[tuple[Any, Any]] = check_cv(cv, data.y, classifier=stratify).split(data.X, data.y)
        return splits

    def _fold(self, data: TrainingData, rows: Rows, held_out: Rows) -> Fold:
        weight = data.sample_weight
        inside = float(weight[rows].sum())
        if inside == 0.0 or not np.any(weight[held_out] > 0.0):
            raise InvalidInputError(
                "`sample_weight` must have a value above zero on both sides of every split of `cv`, got one without; "
                "drop rows of weight zero first."
            )
        share = inside / float(weight.sum())
        return Fold(self._problem(data, rows), share, self._problem(data, held_out), held_out)

    def _scorer(self, data: TrainingData) -> Any:
        """The score of a fold's network on the rows held out."""
        if self.scoring is None:
            return (lambda fold: 1.0 - fold.error()) if is_classifier(self) else lambda fold: -fold.error()
        model = copy.copy(self)
        model.__dict__.pop("feature_names_in_", None)  # rows below are arrays
        scorer = check_scoring(model, scoring=self.scoring)
        weighted = bool(np.any(data.sample_weight != 1.0))

        def score(fold: Fold) -> float:
            model.network_ = fold.network
            options = {"sample_weight": data.sample_weight[fold.rows]} if weighted else {}
            return float(scorer(model, data.X[fold.rows], data.y[fold.rows], **options))

        return score

    def _descend(self, grid: Array, folds: list[Fold], deadline: float, score: Any) -> Array:
        """Scores (k, n_folds) of the penalties that were tried, from the largest down."""
        gap = as_positive(self.gap_path, "gap_path")
        trainer, seed = self._fold_trainer(folds[0].problem, gap), self._seed()
        scores: list[list[float]] = []
        losses: list[float] = []
        right: list[bool] = []
        with Parallel(n_jobs=self.n_jobs) as parallel:
            for beta in grid:
                left = deadline - time.perf_counter()
                if scores and left <= 0.0:
                    self._warn_of_time(len(scores), len(grid))
                    break
                limit = max(left, 1e-3) if np.isfinite(left) else None
                found = parallel(
                    delayed(trainer)(
                        fold.problem.with_beta(float(beta) * fold.share),
                        gap,
                        time_limit=limit,
                        random_state=seed,
                        start=fold.solution,
                    )
                    for fold in folds
                )
                folds = [replace(fold, solution=solution) for fold, solution in zip(folds, found, strict=True)]
                scores.append([score(fold) for fold in folds])
                losses.append(float(np.mean([fold.mean_loss() for fold in folds])))
                right.append(all(fold.is_right() for fold in folds))
                if self.verbose is True:
                    print(f"beta {beta:.4g}  score {np.mean(scores[-1]):.4g}  loss {losses[-1]:.4g}", file=sys.stderr)
                if self.early_stopping and is_past_the_best(np.array(scores), losses, right):
                    break
        return np.array(scores)

    def _fold_trainer(self, problem: TrainingProblem, gap: float) -> Callable[..., Solution]:
        """Rough training where that is enough, else the full one."""
        rough = gap >= ROUGH and is_searchable(problem)
        trainer: Callable[..., Solution] = screen if rough else partial(train, prove=False)
        return partial(train_one_vs_rest, trainer=trainer) if self._trains_apart() else trainer

    def _warn_of_time(self, tried: int, total: int) -> None:
        warnings.warn(
            f"{type(self).__name__} tried {tried} of {total} penalties in half of `time_limit`; allow more, or give "
            "fewer `betas`.",
            ConvergenceWarning,
            stacklevel=5,
        )


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
