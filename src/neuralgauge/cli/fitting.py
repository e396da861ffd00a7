"""From the data of a table to a trained model: what scikit-learn's estimators do, without loading scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .._array import Array
from ..features.parquet import ParquetRows
from ..interchange import SavedModel, Standardization
from ..interchange.loss_record import parameters_of
from ..interchange.model_content import package_version
from ..losses import Loss
from ..losses.targets import checked_targets
from ..problems.canonical import canonical_rows, checked_weights
from ..problems.training import TrainingProblem
from ..solvers.solution import Solution
from ..training.supervised import Classes, classes_of, penalty_of, trainer_of
from .dataset import Dataset

MultiClass = Literal["joint", "one_vs_rest"]


@dataclass(frozen=True)
class Terms:
    """What is minimised: the options of `neuralgauge train` that make the problem."""

    beta: float | None
    bias: bool
    offset: bool
    standardize: bool
    multi_class: MultiClass

    @property
    def apart(self) -> bool:
        """Whether each class is trained alone."""
        return self.multi_class == "one_vs_rest"


def trained(dataset: Dataset, terms: Terms, **options: Any) -> tuple[SavedModel, Solution[Any]]:
    """The model of the table, and what its training returned; the options are those of `train`."""
    scaling = _scaling(dataset, terms.standardize)
    classes = None if dataset.is_regression else classes_of(dataset.y, dataset.loss, apart=terms.apart)
    if classes is None:
        y = scaling.target(dataset.y) if dataset.scales_targets else dataset.y.astype(np.float64)
        problem = _problem(_scaled(dataset.X, scaling), y, dataset.loss, terms)
    else:
        problem = _problem(_scaled(dataset.X, scaling), classes.targets, classes.loss, terms)
    problem = problem.with_beta(penalty_of(problem, terms.beta, apart=terms.apart))
    solution = trainer_of(apart=terms.apart)(problem, **options)
    return _model(dataset, scaling, (problem, solution, classes), terms.multi_class), solution


def _scaling(dataset: Dataset, standardize: bool) -> Standardization:
    if not standardize:
        return Standardization.identity(len(dataset.names))
    y = dataset.y if dataset.scales_targets else None
    if isinstance(dataset.X, ParquetRows):
        return Standardization.streamed(dataset.X.blocks, y, dataset.names, dataset.targets)
    return Standardization.fit(dataset.X, y, dataset.names, dataset.targets)


def _scaled(X: Array | ParquetRows, scaling: Standardization) -> Array | ParquetRows:
    if isinstance(X, ParquetRows):
        return X.standardized(scaling.feature_mean, scaling.feature_scale)
    return scaling.features(X)


def _problem(X: Array | ParquetRows, y: Array, loss: Loss, terms: Terms) -> TrainingProblem:
    """The problem at beta = 1, of rows in memory in their canonical order, so that it does not depend on the order."""
    targets, weight = checked_targets(y, loss), checked_weights(None, len(y))
    if not isinstance(X, ParquetRows):
        X, targets, weight = canonical_rows(X, targets, weight)
    return TrainingProblem(X, targets, beta=1.0, loss=loss, bias=terms.bias, offset=terms.offset, sample_weight=weight)


def _model(
    dataset: Dataset,
    scaling: Standardization,
    outcome: tuple[TrainingProblem, Solution[Any], Classes | None],
    multi_class: MultiClass,
) -> SavedModel:
    problem, solution, classes = outcome
    return SavedModel(
        network=solution.network,
        task="regression" if classes is None else "classification",
        loss=problem.loss.name,
        loss_parameters=parameters_of(problem.loss),
        multi_class=multi_class,
        offset=problem.offset,
        beta=problem.beta,
        certificate=solution.certificate,
        standardization=scaling,
        feature_names=dataset.names,
        target_name=dataset.targets,
        classes=() if classes is None else tuple(classes.labels.tolist()),
        package_version=package_version(),
    )
