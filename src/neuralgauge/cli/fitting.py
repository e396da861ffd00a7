"""From the data of a table to a trained model: what scikit-learn's estimators do, without loading scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..interchange import SavedModel
from ..interchange.loss_record import parameters_of
from ..interchange.model_content import package_version
from ..preparation import Standardization
from ..preparation.prepared import ProblemTerms, UserData, prepared
from ..problems.constraints import UNCONSTRAINED, Constraints
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
    constraints: Constraints = UNCONSTRAINED

    @property
    def apart(self) -> bool:
        """Whether each class is trained alone."""
        return self.multi_class == "one_vs_rest"


def trained(dataset: Dataset, terms: Terms, **options: Any) -> tuple[SavedModel, Solution[Any]]:
    """The model of the table, and what its training returned; the options are those of `train`."""
    classes = None if dataset.is_regression else classes_of(dataset.y, dataset.loss, apart=terms.apart)
    y, loss = (dataset.y.astype(np.float64), dataset.loss) if classes is None else (classes.targets, classes.loss)
    data = UserData(dataset.X, y, np.ones(len(y)), dataset.names, dataset.targets)
    asked = terms.constraints.by_position(dataset.names, dataset.X.shape[1])
    problem, scaling = prepared(data, ProblemTerms(loss, terms.bias, terms.offset, terms.standardize, asked))
    problem = problem.with_beta(penalty_of(problem, terms.beta, apart=terms.apart))
    solution = trainer_of(apart=terms.apart)(problem, **options)
    model = _model(dataset, scaling, (problem, solution, classes), terms.multi_class)
    return replace(model, constraints=asked), solution


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
        encoding=dataset.codes,
        target_name=dataset.targets,
        classes=() if classes is None else tuple(classes.labels.tolist()),
        package_version=package_version(),
    )
