"""A trained network with all it takes to answer for a table: columns, scaling, classes, certificate."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from .._array import Array, as_matrix
from ..certificate import Certificate
from ..errors import InvalidInputError, ModelFileError
from ..networks import TwoLayerNetwork
from .standardization import Standardization

Label = str | int | float | bool


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds.

    Attributes
    ----------
    network : TwoLayerNetwork
        One output, d features.
    task : {"regression", "classification"}
    loss : str
        Name of the loss it was trained with.
    beta : float
        Penalty it was trained with, on standardised columns.
    certificate : Certificate
        Of the training problem, on standardised columns.
    standardization : Standardization
        Applied to features before the network and undone on its outputs.
    feature_names : tuple of str
        Columns in the order of the network; empty if it was trained on a nameless array, and columns are then
        taken by position.
    target_name : str or None
        Column it predicts.
    classes : tuple of two labels
        The class of negative and of positive outputs; empty for regression.
    package_version : str
        Version of the package that trained it.

    Examples
    --------
    >>> model = SavedModel(
    ...     network=TwoLayerNetwork([[1.0], [0.0]], [1.0]),
    ...     task="regression",
    ...     loss="squared",
    ...     beta=0.1,
    ...     certificate=Certificate(1.0, 0.9, "exact"),
    ...     standardization=Standardization([10.0], [2.0], 5.0, 3.0),
    ...     feature_names=("size",),
    ... )
    >>> model.predict([[14.0], [8.0]]).tolist()
    [11.0, 5.0]
    """

    network: TwoLayerNetwork
    task: Literal["regression", "classification"]
    loss: str
    beta: float
    certificate: Certificate
    standardization: Standardization
    feature_names: tuple[str, ...] = ()
    target_name: str | None = None
    classes: tuple[Label, ...] = ()
    package_version: str = field(default="")

    def __post_init__(self) -> None:
        d = self.network.n_features
        if len(self.feature_names) not in (0, d) or len(self.standardization.feature_mean) != d:
            raise InvalidInputError(
                f"A network of {d} features needs as many names and means, got {len(self.feature_names)} names and "
                f"{len(self.standardization.feature_mean)} means."
            )
        if self.task not in ("regression", "classification"):
            raise InvalidInputError(f"`task` must be 'regression' or 'classification', got {self.task!r}.")
        if len(self.classes) != (2 if self.task == "classification" else 0):
            raise InvalidInputError(f"A {self.task} model cannot have {len(self.classes)} classes.")
        if self.network.A.shape[1] != 1:
            raise InvalidInputError(f"The network must have one output, got {self.network.A.shape[1]}.")

    def features(self, X: Any) -> Array:
        """Standardised features of shape (n, d); a table's columns are found by name, in any order.

        The target column may be in the table and is ignored; a missing or unknown column is a ModelFileError.
        """
        columns = getattr(X, "columns", None)
        if columns is not None and self.feature_names:
            self.check_columns([str(name) for name in columns])
            found = {str(name): name for name in columns}
            X = X[[found[name] for name in self.feature_names]]
        raw = as_matrix(X)
        if raw.shape[1] != self.network.n_features:
            raise InvalidInputError(
                f"`X` must have the {self.network.n_features} columns the model was trained on, got {raw.shape[1]}."
            )
        return self.standardization.features(raw)

    def check_columns(self, columns: list[str]) -> None:
        """Raise ModelFileError, naming the columns, unless they are the model's in any order."""
        known = {*self.feature_names, self.target_name}
        missing = [name for name in self.feature_names if name not in columns]
        extra = [name for name in columns if name not in known]
        if not (missing or extra):
            return
        parts = [f"{word} {_listed(names)}" for word, names in (("missing", missing), ("unknown", extra)) if names]
        close = difflib.get_close_matches(missing[0], extra, n=1) if missing else []
        remedy = f" Is {close[0]!r} meant to be {missing[0]!r}?" if close else " Leave out or rename columns to match."
        raise ModelFileError(f"The model was trained on other columns: {', '.join(parts)}.{remedy}")

    def decision_function(self, X: Any) -> Array:
        """Outputs f(x) of shape (n,): in the units of the target, or positive for `classes[1]`."""
        outputs = self.standardization.original(self.network.predict(self.features(X)))
        if not np.isfinite(outputs).all():
            raise InvalidInputError("The features are too large for the network: its outputs overflow.")
        return outputs

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predictions of shape (n,) for a table or an array: numbers, or labels from `classes`."""
        outputs = self.decision_function(X)
        if self.task == "regression":
            return outputs
        return np.array(self.classes)[(outputs > 0).astype(np.intp)]

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of shape (n, 2), columns as in `classes`; only for the logistic loss."""
        if self.loss != "logistic":
            raise InvalidInputError(f"Probabilities need the logistic loss, this model has {self.loss!r}.")
        outputs = self.decision_function(X)
        return np.column_stack([expit(-outputs), expit(outputs)])

    def signs(self, labels: npt.NDArray[Any]) -> Array:
        """-1 and +1 for labels of shape (n,); one that is not among `classes` is an InvalidInputError."""
        unknown = [label for label in np.unique(labels).tolist() if label not in self.classes]
        if unknown:
            raise InvalidInputError(
                f"The target must hold the classes of the model, {list(self.classes)}, got {unknown[0]!r}."
            )
        return np.where(labels == self.classes[1], 1.0, -1.0)


def _listed(names: list[str], limit: int = 5) -> str:
    text = ", ".join(repr(name) for name in names[:limit])
    return text if len(names) <= limit else f"{text} and {len(names) - limit} more"
