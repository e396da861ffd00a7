"""ReLUClassifierCV: classification at the penalty that cross-validation prefers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..losses import Loss
from ..solvers.solution import Record
from .classifier import Classification, MultiClass
from .cross_validation import CrossValidated, Rule


class ReLUClassifierCV(Classification, CrossValidated):
    r"""`ReLUClassifier` with beta chosen by cross-validation.

    All folds descend one sequence of penalties together, each fold's training starting from its network at the penalty
    before; the penalty of the best mean score is then used on all rows.

    Parameters
    ----------
    loss : str or Loss, default="logistic"
    multi_class : {"joint", "one_vs_rest"}, default="joint"
        Both as for `ReLUClassifier`.
    betas : array or None, default=None
        Penalties to try, > 0, in any order, on the scale of all rows. None takes `n_betas` of them.
    n_betas : int, default=20
        Number of penalties at equal ratios, from the smallest that gives the empty network on all rows down.
    beta_min_ratio : float, default=1e-3
        Last of them over the first, in (0, 1).
    cv : int, splitter or iterable, default=5
        Folds. A number means so many, stratified, of rows shuffled by `random_state`.
    rule : {"best", "one_standard_error"}, default="best"
        Take the best mean score, the largest beta of equals; or the largest beta whose mean score is within one
        standard error, over the folds, of the best: a smaller network of much the same quality.
    scoring : str, callable or None, default=None
        As in scikit-learn, larger is better; None takes the accuracy.
    early_stopping : bool, default=True
        Leave out penalties that will hardly be chosen, and take most of the time; see the notes.
    gap_path : float, default=0.03
        Relative gap at which the folds' trainings stop; choosing needs no more. From 0.01 on, and for losses without
        kinks, their networks are only searched for; see the notes.
    n_jobs : int or None, default=None
        Folds trained at a time, in processes of their own.
    bias, offset : bool, default=True, False
        As for `ReLUClassifier`.
    gap : float, default=1e-3
        Relative gap of the final training.
    time_limit : float or None, default=None
        Seconds for everything; half of them are for the folds.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds and of the searches.
    verbose : bool or callable, default=False
        True prints a line a penalty, and a line an iteration of the final training, to stderr; a callable gets each
        `Record` of the final training.

    Attributes
    ----------
    beta_ : float
        The penalty chosen, for all rows.
    betas_ : array of shape (k,)
        Those that were tried, falling.
    scores_ : array of shape (k, n_folds)
    mean_scores_ : array of shape (k,)
    classes_, network_, certificate_, solution_, loss_, n_iter_, n_features_in_, feature_names_in_
        Of the final training, as for `ReLUClassifier`; the certificate is about that training at `beta_`, not about the
        choice.

    Warns
    -----
    ConvergenceWarning
        When time ran out before the penalties did, or the final training stopped before its gap.

    Notes
    -----
    The loss is a sum over samples, so beta grows with their number: a fold with a share of the total weight is trained
    at that share of beta. Scale columns inside the folds, with a `Pipeline` around this estimator only if leaking the
    scale of held-out rows does no harm; else search over a pipeline of `ReLUClassifier`.

    Searched networks come from local search and from neurons that pricing adds, without convex programs, until the gap
    is estimated to be reached or adding lowers the objective by less than a tenth of it. They are near the optimum,
    mostly within `gap_path`, in a tenth of the time. Below 0.01, or with kinks (hinge and absolute losses, say), folds
    are trained like the final network.

    Early stopping ends the descent at the first penalty where the mean held-out loss is more than 5 % above its lowest,
    and, for classifiers, once four penalties in a row left no training row wrong in any fold and brought no better
    score.

    Examples
    --------
    >>> from neuralgauge import ReLUClassifierCV
    >>> X = [[0.25 * k] for k in range(-12, 13)]
    >>> model = ReLUClassifierCV(n_betas=6).fit(X, ["near" if abs(x[0]) < 1.4 else "far" for x in X])
    >>> model.predict([[0.0], [2.0]]).tolist(), model.scores_.shape[1], bool(model.mean_scores_.max() > 0.8)
    (['near', 'far'], 5, True)
    """

    def __init__(
        self,
        *,
        loss: str | Loss = "logistic",
        multi_class: MultiClass = "joint",
        betas: Any = None,
        n_betas: int = 20,
        beta_min_ratio: float = 1e-3,
        cv: Any = 5,
        rule: Rule = "best",
        scoring: Any = None,
        early_stopping: bool = True,
        gap_path: float = 0.03,
        n_jobs: int | None = None,
        bias: bool = True,
        offset: bool = False,
        gap: float = 1e-3,
        time_limit: float | None = None,
        random_state: Any = 0,
        verbose: bool | Callable[[Record], None] = False,
    ) -> None:
        self.loss = loss
        self.multi_class = multi_class
        self.betas = betas
        self.n_betas = n_betas
        self.beta_min_ratio = beta_min_ratio
        self.cv = cv
        self.rule = rule
        self.scoring = scoring
        self.early_stopping = early_stopping
        self.gap_path = gap_path
        self.n_jobs = n_jobs
        self.bias = bias
        self.offset = offset
        self.gap = gap
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ReLUClassifierCV:
        """Choose beta and train on X of shape (n, d) and labels y of shape (n,), with weights >= 0 or None."""
        self._fit_best(self._checked_data(X, y, sample_weight))
        return self
