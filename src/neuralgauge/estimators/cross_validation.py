"""Choosing beta by cross-validation along a path of penalties that all folds descend together."""

from __future__ import annotations

import copy
import itertools
import time
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils.parallel import Parallel

from .._array import as_positive
from ..errors import InvalidInputError
from ..losses.protocol import BalancedLoss
from ..problems.training import TrainingProblem
from ..solvers.solution import Solution
from ..training.one_vs_rest import train_one_vs_rest
from ..training.path import penalties
from ..training.screening import is_searchable, screen
from ..training.train import train
from .base import ReLUEstimator, TrainingData
from .descent import RANGE, Descent, Point, below, is_past_the_best, still_pays
from .folds import ROUNDING, Fold, Rows, Rule, chosen
from .progress import line_writer

ROUGH = 1e-2  # `gap_path` from which the folds' networks are searched only


class CrossValidated(ReLUEstimator):
    """Training at the penalty that cross-validation prefers.

    Parameters
    ----------
    betas : array or None, default=None
        Penalties to try, > 0, in any order, on the scale of all rows. None takes `n_betas` of them.
    n_betas : int, default=20
        Number of penalties at equal ratios, from the smallest that gives the empty network on all rows down.
    beta_min_ratio : float or None, default=None
        Last of them over the first, in (0, 1). None: `n_betas` of them reach 1e-3, and smaller ones, at the square
        of their ratio down to 1e-6, are tried as long as they pay; see the notes.
    offset : bool or "auto", default=False
        As for `ReLURegressor`; "auto" lets the folds try both, each down its own penalties, and takes the better
        best score, in twice the time; `betas_` and `scores_` are then those of what was taken.
    cv : int, splitter or iterable, default=5
        Folds. A number means so many, of rows shuffled by `random_state`, and stratified for classes.
    rule : {"best", "one_standard_error"}, default="best"
        Take the best mean score, the largest beta of equals; or the largest beta whose mean score is within one
        standard error, over the folds, of the best: a smaller network of much the same quality.
    scoring : str, callable or None, default=None
        As in scikit-learn, larger is better; None takes the accuracy of classifiers and, of regressors, minus the mean
        of the loss that is trained.
    early_stopping : bool, default=True
        Leave out penalties that will hardly be chosen, and take most of the time; see the notes.
    gap_path : float, default=0.03
        Relative gap at which the folds' trainings stop; choosing needs no more. From 0.01 on, and for losses without
        kinks, their networks are only searched for; see the notes.
    patience : int or None, default=5
        Of the final training, as in `neuralgauge.train`: rounds in a row that may together lower the objective by less
        than `gap`. It then ends without a warning, and `certificate_` says how far the bound has come. None goes on
        until the gap is reached.
    n_jobs : int or None, default=None
        Folds trained at a time, in processes of their own, and threads of the final training: -1 for all cores.
    gap : float, default=1e-3
        Relative gap of the final training.
    time_limit : float or None, default=None
        Seconds for everything; half of them are for the folds.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds and of the searches.
    prove : bool, float or None, default=None
        Of the final training: exact pricing up to rank 5, or 3 for several outputs (None), always (True), never
        (False), or seconds for a relaxation where that leaves the bound open, which proves one at any rank.
    verbose : bool or callable, default=False
        True writes a line a penalty, and a line an iteration of the final training, to the logger "neuralgauge" at
        level INFO, or to stderr where logging is not set up for that; a callable gets each `Record` of the final
        training. Lines go to the logger at level DEBUG in any case.

    Attributes
    ----------
    beta_ : float
        The penalty chosen, for all rows; `certificate_` is about the final training at it, not about the choice.
    betas_ : array of shape (k,)
        Those that were tried, falling.
    scores_ : array of shape (k, n_folds)
        Of each penalty on the rows that each fold holds out.
    mean_scores_ : array of shape (k,)
        Their means over the folds.

    Warns
    -----
    ConvergenceWarning
        When time ran out before the penalties did, or the final training stopped before its gap.

    Notes
    -----
    The loss is a sum over samples, so beta grows with their number: a fold with a share of the total weight is trained
    at that share of beta. Columns and targets are standardised inside each fold, by its own rows; the mean losses that
    score regressors by default are in these units.

    Searched networks come from local search and from neurons that pricing adds, without convex programs, until the gap
    is estimated to be reached or adding lowers the objective by less than a tenth of it. They are near the optimum,
    mostly within `gap_path`, in a tenth of the time. Below 0.01, or with kinks (hinge and absolute losses, say), folds
    are trained like the final network.

    Early stopping ends the descent where the mean held-out loss is more than 5 % above its lowest and the last two
    penalties brought no better score, and, for classifiers, once four penalties in a row left no training row wrong in
    any fold and brought no better score. Below 1e-3 of the first, penalties are tried while one of the last two has
    raised the best mean score by more than a tenth of its standard error over the folds.

    The final training starts from the network of the fold whose objective on all rows is least.
    """

    betas: Any = None
    n_betas: int = 20
    beta_min_ratio: float | None = None
    offset: bool | Literal["auto"] = False  # type: ignore[assignment]
    cv: Any = 5
    rule: Rule = "best"
    scoring: Any = None
    early_stopping: bool = True
    gap_path: float = 0.03
    patience: int | None = 5

    def _fit_data(self, data: TrainingData) -> None:
        """Choose beta, and whether there is an offset, and train on all rows."""
        start = time.perf_counter()
        gap, limit = as_positive(self.gap, "gap"), self._checked_time_limit()
        if self.rule not in ("best", "one_standard_error"):
            raise InvalidInputError(f"`rule` must be 'best' or 'one_standard_error', got {self.rule!r}.")
        if isinstance(self.offset, str) and self.offset != "auto":
            raise InvalidInputError(f"`offset` must be True, False or 'auto', got {self.offset!r}.")
        problem = self._problem(data)
        self._proof(problem)  # what is wrong with `prove` is said before the folds
        folds = tuple(self._fold(data, np.asarray(rows), np.asarray(held_out)) for rows, held_out in self._splits(data))
        with Parallel(n_jobs=self.n_jobs) as parallel:
            descent = self._descent(parallel, data, folds, np.inf if limit is None else start + 0.5 * limit)
            points = self._better_of_both(descent, problem, folds)
        self.scores_ = np.array([point.scores for point in points])
        self.betas_, self.mean_scores_ = np.array([point.beta for point in points]), self.scores_.mean(axis=1)
        point = points[chosen(self.scores_, self.rule)]
        problem = problem.with_offset(point.offset)
        first = self._first_network(descent, problem.with_beta(point.beta), point)
        left = None if limit is None else max(start + limit - time.perf_counter(), 1e-3)
        self._train(problem, point.beta, gap, left, start=first, patience=self.patience)

    def _begins_with_offset(self) -> bool:
        return self.offset != "auto" and bool(self.offset)

    def _splits(self, data: TrainingData) -> Iterable[tuple[Any, Any]]:
        cv, stratify = 5 if self.cv is None else self.cv, is_classifier(self)
        if isinstance(cv, int | np.integer):
            cv = (StratifiedKFold if stratify else KFold)(int(cv), shuffle=True, random_state=self._seed())
        return check_cv(cv, data.y, classifier=stratify).split(data.X, data.y)

    def _fold(self, data: TrainingData, rows: Rows, held_out: Rows) -> Fold:
        weight = data.sample_weight
        inside = float(weight[rows].sum())
        if inside == 0.0 or not np.any(weight[held_out] > 0.0):
            raise InvalidInputError(
                "`sample_weight` must have a value above zero on both sides of every split of `cv`, got one without; "
                "drop rows of weight zero first."
            )
        share = inside / float(weight.sum())
        problem, scaling = self._prepared(data, rows)
        return Fold(problem, scaling, share, self._prepared(data, held_out, scaling).problem, held_out)

    def _scorer(self, data: TrainingData) -> Any:
        """The score of a fold's network on the rows held out."""
        if self.scoring is None:
            return (lambda fold: 1.0 - fold.error()) if is_classifier(self) else lambda fold: -fold.error()
        model = copy.copy(self)
        model.__dict__.pop("feature_names_in_", None)  # rows below are arrays
        scorer = check_scoring(model, scoring=self.scoring)
        weighted = bool(np.any(data.sample_weight != 1.0))

        def score(fold: Fold) -> float:
            assert fold.solution is not None
            model.solution_, model.scaling_ = fold.solution, fold.scaling
            model.network_ = fold.scaling.unscaled(fold.network)
            options = {"sample_weight": data.sample_weight[fold.rows]} if weighted else {}
            return float(scorer(model, data.X[fold.rows], data.y[fold.rows], **options))

        return score

    def _descent(self, parallel: Any, data: TrainingData, folds: tuple[Fold, ...], deadline: float) -> Descent:
        gap = as_positive(self.gap_path, "gap_path")
        trainer = self._fold_trainer(folds[0].problem, gap)
        return Descent(
            parallel, trainer, self._scorer(data), gap, self._seed(), deadline, line_writer(self.verbose is True)
        )

    def _descend(self, descent: Descent, problem: TrainingProblem, folds: tuple[Fold, ...]) -> list[Point]:
        """What the folds find at the penalties that are tried, from the largest down."""
        ratio = RANGE if self.beta_min_ratio is None else self.beta_min_ratio
        grid = penalties(lambda: self._beta_max(problem), self.betas, self.n_betas, ratio)
        goes_on = self.betas is None and self.beta_min_ratio is None
        points: list[Point] = []
        for beta in itertools.chain(grid, below(grid) if goes_on else ()):
            scores = np.array([point.scores for point in points])
            if len(points) >= len(grid) and not still_pays(scores):
                break
            if points and descent.left <= 0.0:
                self._warn_of_time(len(points), len(grid))
                break
            points.append(descent.point(float(beta), points[-1].folds if points else folds))
            if self.early_stopping and is_past_the_best(points):
                break
        return points

    def _better_of_both(self, descent: Descent, problem: TrainingProblem, folds: tuple[Fold, ...]) -> list[Point]:
        """The descent, or of one without and one with an offset that of the better best score."""
        points = self._descend(descent, problem, folds)
        able = not problem.loss.coupled or isinstance(problem.loss, BalancedLoss)
        if self.offset != "auto" or not able or descent.left <= 0.0:
            return points
        others = self._descend(descent, problem.with_offset(True), tuple(fold.with_offset() for fold in folds))
        best, other = (max(point.score for point in tried) for tried in (points, others))
        return others if other > best + ROUNDING * abs(best) else points

    def _first_network(self, descent: Descent, problem: TrainingProblem, point: Point) -> Solution[Any]:
        """The best of the folds' networks on all rows, trained on them as the folds are."""
        starts = [fold.on(problem, self.scaling_) for fold in point.folds]
        start = min(starts, key=lambda solution: problem.objective(solution.network))
        limit = max(descent.left, 1e-3) if np.isfinite(descent.deadline) else None
        return descent.trainer(problem, descent.gap, time_limit=limit, random_state=descent.seed, start=start)

    def _fold_trainer(self, problem: TrainingProblem, gap: float) -> Callable[..., Solution[Any]]:
        """Rough training where that is enough, else the full one."""
        rough = gap >= ROUGH and is_searchable(problem)
        trainer: Callable[..., Solution[Any]] = screen if rough else partial(train, prove=False)
        return partial(train_one_vs_rest, trainer=trainer) if self._trains_apart() else trainer

    def _warn_of_time(self, tried: int, total: int) -> None:
        warnings.warn(
            f"{type(self).__name__} tried {tried} of {total} penalties in half of `time_limit`; allow more, or give "
            "fewer `betas`.",
            ConvergenceWarning,
            stacklevel=5,
        )
