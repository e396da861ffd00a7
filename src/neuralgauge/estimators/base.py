"""What regressors and classifiers share: checking the table, choosing beta, training, warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._array import Array, as_positive
from ..certificate import Certificate
from ..errors import InvalidInputError
from ..losses import LOSSES, Loss, Targets, get_loss
from ..losses.targets import checked_targets
from ..networks.dense import TwoLayerNetwork
from ..networks.linear_conv import LinearConvNetwork
from ..problems.penalty import beta_max
from ..problems.training import TrainingProblem
from ..solvers.solution import Record, Solution, Status
from ..training.train import train
from .canonical import canonical_rows, checked_weights
from .one_vs_rest import beta_max_one_vs_rest, train_one_vs_rest

DEFAULT_BETA_FRACTION = 0.01


class TrainingData(NamedTuple):
    """What `fit` was given, checked: features, y as it came, targets for the loss, weights."""

    X: Array
    y: Any
    targets: Array
    sample_weight: Array
    loss: Loss


class ReLUEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators; holds no parameters of its own."""

    _counterpart: ClassVar[str]  # the estimator that takes the other losses

    loss: str | Loss
    bias: bool
    offset: bool
    gap: float
    time_limit: float | None
    random_state: Any
    verbose: bool | Callable[[Record], None]

    beta_: float
    loss_: Loss
    network_: Any
    certificate_: Certificate
    solution_: Solution
    n_iter_: int

    def _checked_loss(self, targets: tuple[Targets, ...]) -> Loss:
        loss = get_loss(self.loss)
        if loss.targets not in targets:
            allowed = [name for name, known in LOSSES.items() if known.targets in targets]
            raise InvalidInputError(
                f"`loss` of {type(self).__name__} must be one of {allowed}, got {loss.name!r}, "
                f"which belongs to {self._counterpart}."
            )
        return loss

    def _checked_features(self, X: Any, **options: Any) -> Any:
        """What `validate_data` returns, after a look for values that are not finite."""
        checked = validate_data(self, X, dtype=np.float64, order="C", ensure_all_finite=False, **options)
        features = checked[0] if isinstance(checked, tuple) else checked
        bad = np.argwhere(~np.isfinite(features))
        if len(bad):
            row, column = (int(k) for k in bad[0])
            names = getattr(self, "feature_names_in_", None)
            label = f"column {column}" if names is None else f"column {names[column]!r}"
            value = "NaN" if np.isnan(features[row, column]) else str(features[row, column])
            raise InvalidInputError(
                f"`X` must be finite, got {value} in row {row}, {label} ({len(bad)} such "
                f"value{'s' if len(bad) > 1 else ''}); impute or drop them first."
            )
        return checked

    def _trains_apart(self) -> bool:
        """Whether every output gets a network of its own."""
        return False

    def _solve(self, problem: Any, gap: float, time_limit: float | None) -> Solution:
        trainer = train_one_vs_rest if self._trains_apart() else train
        return trainer(problem, gap, time_limit=time_limit, random_state=self._seed(), progress=self._progress())

    def _problem(self, data: TrainingData, chosen: Any = slice(None)) -> Any:
        """The training problem of the chosen rows in canonical form, at beta = 1."""
        loss, targets = data.loss, checked_targets(data.targets, data.loss)
        rows, targets, weight = canonical_rows(data.X[chosen], targets[chosen], data.sample_weight[chosen])
        return TrainingProblem(
            rows, targets, beta=1.0, loss=loss, bias=self.bias, offset=self.offset, sample_weight=weight
        )

    def _beta_max(self, problem: Any) -> float:
        # Where even beta = 0 gives the empty network (targets all zero), every beta trains the same; keep 1.
        return (beta_max_one_vs_rest if self._trains_apart() else beta_max)(problem) or 1.0

    def _train(self, problem: Any, beta: float, gap: float, time_limit: float | None) -> None:
        """Train and set the fitted attributes."""
        solution = self._solve(problem.with_beta(beta), gap, time_limit)
        self.beta_ = beta
        self.loss_ = problem.loss
        self.solution_ = solution
        assert isinstance(solution.network, TwoLayerNetwork | LinearConvNetwork)
        self.network_ = solution.network
        self.certificate_ = solution.certificate
        self.n_iter_ = solution.n_iter
        if solution.status is not Status.SOLVED:
            warnings.warn(
                f"{type(self).__name__} reached a relative gap of {solution.certificate.gap:.2e}, "
                f"{gap:.2e} was asked for. {solution.status.value} The network is usable; allow a larger `gap` "
                "or more `time_limit`, or raise `beta`.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _fit_at(self, beta: float | None, data: TrainingData) -> None:
        """Train at this penalty, None for the default fraction of the largest."""
        gap, time_limit = as_positive(self.gap, "gap"), self._checked_time_limit()
        beta = None if beta is None else as_positive(beta, "beta")
        problem = self._problem(data)
        if beta is None:
            beta = DEFAULT_BETA_FRACTION * self._beta_max(problem)
        self._train(problem, beta, gap, time_limit)

    def _checked_time_limit(self) -> float | None:
        return None if self.time_limit is None else as_positive(self.time_limit, "time_limit")

    def _seed(self) -> Any:
        if self.random_state is None or isinstance(self.random_state, int | np.integer):
            return self.random_state
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _progress(self) -> Callable[[Record], None] | None:
        if callable(self.verbose):
            return self.verbose
        return _print_record if self.verbose else None

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        outputs: Array = self.network_.predict(self._checked_features(X, reset=False))
        return outputs

    def _fit_arguments(self, X: Any, y: Any, sample_weight: Any, **options: Any) -> tuple[Array, Any, Array]:
        features, targets = self._checked_features(X, y=y, ensure_min_samples=2, **options)
        return features, targets, checked_weights(sample_weight, len(features))


def _print_record(record: Record) -> None:
    gap = Certificate(record.objective, record.lower_bound, "estimated").gap
    print(
        f"{record.seconds:8.1f} s  objective {record.objective:.8g}  lower bound {record.lower_bound:.8g}  "
        f"gap {gap:.1e}  neurons {record.n_neurons}",
        file=sys.stderr,
    )
