"""Rows and targets as users have them, to the training problem of a dense network in standardised columns."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..errors import InvalidInputError
from ..features.kinds import kept_as_it_is
from ..features.parquet import ParquetRows
from ..features.sparse import as_csr
from ..features.streamed import ArrayRows, StandardizedRows
from ..losses import Loss
from ..losses.targets import checked_targets
from ..problems.canonical import canonical_rows
from ..problems.constraints import UNCONSTRAINED, Constraints
from ..problems.training import TrainingProblem
from .standardization import Standardization

MOMENT_ENTRIES = 1_000_000  # entries of rows kept as they are that means and deviations are taken of at a time


class UserData(NamedTuple):
    """Rows X (n, d), targets y of the loss, (n,) or (n, c), and weights >= 0 (n,), with what messages call columns."""

    X: Any
    y: Array
    weight: Array
    names: tuple[str, ...] | None = None
    target_names: tuple[str, ...] | None = None

    def part(self, chosen: Any) -> Self:
        """Some rows; those of a Parquet file cannot be chosen."""
        if isinstance(chosen, slice) and chosen == slice(None):
            return self
        if isinstance(self.X, ParquetRows):
            raise InvalidInputError(
                "rows of a Parquet file are trained on as they are: give weights above zero, and choose `beta` by "
                "`relu_path` with validation data in place of cross-validation."
            )
        X = self.X.tocsr() if hasattr(self.X, "tocsr") else self.X
        return self._replace(X=X[chosen], y=self.y[chosen], weight=self.weight[chosen])

    def canonical(self) -> Self:
        """Distinct rows in an order of their own; rows that are kept as they are stay in the order given."""
        if kept_as_it_is(self.X):
            return self if np.all(self.weight > 0) else self.part(np.flatnonzero(self.weight > 0))
        X, y, weight = canonical_rows(self.X, self.y, self.weight)
        return self._replace(X=X, y=y, weight=weight)


class ProblemTerms(NamedTuple):
    """What a problem is besides its data and beta."""

    loss: Loss
    bias: bool = True
    offset: bool = False
    standardize: bool = True
    constraints: Constraints = UNCONSTRAINED


class Prepared(NamedTuple):
    """A training problem at beta = 1, and the standardization of its columns and targets."""

    problem: Any
    scaling: Standardization


def prepared(data: UserData, terms: ProblemTerms, scaling: Standardization | None = None) -> Prepared:
    """The problem of a sample under given terms, its columns standardised by themselves or by a given scaling.

    Columns have weighted mean 0 and deviation 1 in the problem, and so have targets of losses for real numbers; labels
    and counts stay. Without a bias, which takes up the means, nothing is centred and root mean squares are 1; nor are
    the columns of sparse matrices that are kept sparse, nor targets of outputs that must be positive. Samples are
    brought to one order and equal ones merged before, but for rows that are kept as they are.

    Examples
    --------
    >>> from neuralgauge.losses import Squared
    >>> data = UserData(np.array([[1000.0], [3000.0]]), np.array([2.0, 6.0]), np.ones(2))
    >>> problem, scaling = prepared(data, ProblemTerms(Squared()))
    >>> problem.X.tolist(), problem.y.tolist(), scaling.target_mean
    ([[-1.0, 1.0], [1.0, 1.0]], [-1.0, 1.0], 4.0)
    """
    data = data._replace(y=checked_targets(data.y, terms.loss)).canonical()
    if scaling is None:
        scaling = _standardization(data, terms) if terms.standardize else Standardization.identity(data.X.shape[1])
    problem = TrainingProblem(
        standardized(data.X, scaling),
        data.y if scaling.is_identity else scaling.target(data.y),
        beta=1.0,
        loss=terms.loss,
        bias=terms.bias,
        offset=terms.offset,
        sample_weight=data.weight,
        **terms.constraints.by_position(data.names, data.X.shape[1])._asdict(),
    )
    return Prepared(problem, scaling)


def standardized(X: Any, scaling: Standardization) -> Any:
    """Rows of any kind in standardised columns; those that are kept as they are become neither dense nor a copy."""
    if scaling.is_identity:
        return X
    mean, scale = scaling.feature_mean, scaling.feature_scale
    if isinstance(X, ParquetRows):
        return X.standardized(mean, scale)
    if hasattr(X, "tocsr"):
        rows = as_csr(X).copy()
        rows.data = (rows.data / scale[rows.indices]).astype(rows.dtype)
        return rows
    return StandardizedRows(ArrayRows(X), mean, scale) if kept_as_it_is(X) else scaling.features(X)


def _standardization(data: UserData, terms: ProblemTerms) -> Standardization:
    """Of columns and targets; outputs that must be positive are those of targets that are scaled alone."""
    found = _centred(data, terms)
    if not terms.constraints.positive or terms.loss.targets != "real":
        return found
    targets = Standardization.fit(
        np.zeros((len(data.weight), 1)), data.y, None, data.target_names, weight=data.weight, centred=False
    )
    return Standardization(found.feature_mean, found.feature_scale, targets.target_mean, targets.target_scale)


def _centred(data: UserData, terms: ProblemTerms) -> Standardization:
    X, weight = data.X, data.weight
    y = data.y if terms.loss.targets == "real" else None
    options: dict[str, Any] = {"weight": weight, "centred": terms.bias}
    if isinstance(X, ParquetRows):
        return Standardization.streamed(X.blocks, y, X.names, data.target_names, **options)
    if hasattr(X, "tocsr"):
        features = Standardization(np.zeros(X.shape[1]), _root_mean_squares(X, weight))
        target = Standardization.fit(np.zeros((len(weight), 1)), y, None, data.target_names, **options)
        return Standardization(features.feature_mean, features.feature_scale, target.target_mean, target.target_scale)
    if kept_as_it_is(X):
        step = max(1, MOMENT_ENTRIES // X.shape[1])
        parts = range(0, len(X), step)
        return Standardization.streamed(
            lambda: (np.asarray(X[k : k + step]) for k in parts), y, data.names, data.target_names, **options
        )
    return Standardization.fit(X, y, data.names, data.target_names, **options)


def _root_mean_squares(X: Any, weight: npt.NDArray[Any]) -> Array:
    """Of the columns of a sparse matrix, 1 for one of zeros."""
    rows = as_csr(X)
    share = np.repeat(weight, np.diff(rows.indptr))
    squares = np.bincount(rows.indices, share * np.square(rows.data, dtype=np.float64), minlength=rows.shape[1])
    scale = np.sqrt(squares / weight.sum())
    return np.where(scale > 0, scale, 1.0)
